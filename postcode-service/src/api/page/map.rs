//! A map of nothing but postcodes: each is a dot and a link, and the streets show by themselves.

use std::collections::HashSet;
use std::fmt::Write;

use postcode_core::{Location, Postcode};

use super::markup::{escaped, url};

/// Units of the drawing along each side.
const SIDE: f64 = 480.0;
/// Metres in a degree of latitude, near enough for some kilometres (mean radius of WGS84).
const DEGREE: f64 = 6_371_009.0 * std::f64::consts::PI / 180.0;

/// A dot: a postcode and where it is.
pub(super) type Dot = (Postcode, Location);

/// Draws postcodes around a point, out to a radius in metres. North is up.
pub(super) fn around(middle: Location, radius: f64, dots: &[Dot], named: &str) -> String {
    let scale = SIDE / 2.0 / (radius * 1.05);
    let narrowing = middle.latitude().to_radians().cos();
    let place = |location: Location| {
        let x = SIDE / 2.0 + (location.longitude() - middle.longitude()) * DEGREE * narrowing * scale;
        let y = SIDE / 2.0 - (location.latitude() - middle.latitude()) * DEGREE * scale;
        (x, y)
    };
    let size = (60.0 / (dots.len() as f64 + 1.0).sqrt()).clamp(1.6, 5.0);
    let title = format!("A map of {} postcodes within {}", dots.len(), metres(radius));
    let mut svg = format!(
        "<svg class=\"map\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"group\" aria-label=\"{}\">\
         <circle class=\"extent\" cx=\"{m}\" cy=\"{m}\" r=\"{:.1}\"/>",
        escaped(&title),
        radius * scale,
        m = SIDE / 2.0,
    );
    // Postcodes at one point, such as those of a building, are one dot.
    let mut drawn = HashSet::with_capacity(dots.len());
    for (postcode, location) in dots {
        let (x, y) = place(*location);
        if !(0.0..=SIDE).contains(&x) || !(0.0..=SIDE).contains(&y) {
            continue;
        }
        let cell = ((x * 2.0).round() as i64, (y * 2.0).round() as i64);
        if !drawn.insert(cell) {
            continue;
        }
        let text = postcode.to_string();
        // The list next to the map has the same links for the keyboard.
        let _ = write!(
            svg,
            "<a href=\"{}\" tabindex=\"-1\" aria-hidden=\"true\"><circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" \
             r=\"{size:.1}\"><title>{text}</title></circle></a>",
            url(&text)
        );
    }
    let bar = bar(radius);
    let length = bar * scale;
    let _ = write!(
        svg,
        "<path class=\"scale\" d=\"M14 {y:.1}v5h{length:.1}v-5\"/><text x=\"14\" y=\"{t:.1}\">{}</text>\
         <circle class=\"ring\" cx=\"{m}\" cy=\"{m}\" r=\"12\"/><circle class=\"here\" cx=\"{m}\" cy=\"{m}\" r=\"4\"/>\
         <text class=\"name\" x=\"{m}\" y=\"{above}\">{}</text></svg>",
        metres(bar),
        escaped(named),
        y = SIDE - 19.0,
        t = SIDE - 24.0,
        m = SIDE / 2.0,
        above = SIDE / 2.0 - 18.0,
    );
    svg
}

/// Returns the length of the bar that says the scale: the largest of 1, 2 and 5 × 10ⁿ metres within
/// a third of the map.
fn bar(radius: f64) -> f64 {
    let most = radius * 2.0 / 3.0;
    let power = 10_f64.powf(most.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|n| n * power).find(|n| *n <= most).unwrap_or(power)
}

/// Returns a distance for people.
pub(super) fn metres(metres: f64) -> String {
    if metres >= 1_000.0 {
        let text = format!("{:.1}", metres / 1_000.0);
        format!("{} km", text.strip_suffix(".0").unwrap_or(&text))
    } else {
        format!("{metres:.0} m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_has_a_link_for_each_point_and_a_scale() {
        let middle = Location::new(51.5, -0.1).unwrap();
        let dot = |text: &str, latitude| (text.parse().unwrap(), Location::new(latitude, -0.1).unwrap());
        let far = dot("EH1 1YZ", 55.9);
        let dots = [dot("SW1A 1AA", 51.5), dot("SW1A 2AA", 51.501), dot("SW1A 2AB", 51.501), far];
        let svg = around(middle, 500.0, &dots, "<here>");
        assert_eq!(svg.matches("class=\"dot\"").count(), 2, "{svg}");
        assert!(svg.contains("?q=SW1A%202AA") && svg.contains(">200 m<") && svg.contains("&lt;here&gt;"));
        assert_eq!(
            (metres(999.4), metres(1_000.0), metres(1_500.0)),
            ("999 m".into(), "1 km".into(), "1.5 km".into())
        );
        assert_eq!((bar(500.0), bar(150.0), bar(2_000.0)), (200.0, 100.0, 1_000.0));
    }
}
