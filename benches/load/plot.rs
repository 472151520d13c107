//! Plots as SVG: the latency by percentile, a line for each rate; and how cost grows.

use std::fmt::Write as _;

use benches::open_loop::Counts;

use crate::Series;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 50.0;
/// Distances between these are equal.
const PERCENTILES: [f64; 6] = [0.0, 90.0, 99.0, 99.9, 99.99, 99.999];
const COLOURS: [&str; 4] = ["#1b7837", "#2166ac", "#b2182b", "#762a83"];
/// The decades of microseconds that are shown: 10 µs to 10 s.
const DECADES: (f64, f64) = (1.0, 7.0);

/// Returns the place of a percentile from left to right, so that each further nine takes as much.
fn x(percentile: f64) -> f64 {
    let nines = -(1.0 - percentile / 100.0).max(1e-5).log10();
    LEFT + (WIDTH - LEFT - RIGHT) * nines / 5.0
}

/// Returns the place of a time from top to bottom.
fn y(micros: f64) -> f64 {
    let share = (micros.max(1.0).log10() - DECADES.0) / (DECADES.1 - DECADES.0);
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share.clamp(0.0, 1.0)
}

/// Begins a plot.
fn frame(title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{title}</text>\n"
    )
}

/// Draws a line across at this height, with its value.
fn rule(svg: &mut String, at: f64, label: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
         <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
        WIDTH - RIGHT,
        LEFT - 6.0,
        at + 4.0
    );
}

/// Draws the line with this number, and its name below all lines: costs rise to the right, so there is room.
fn line(svg: &mut String, (n, colour): (usize, &str), points: &str, name: &str) {
    let _ = writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{points}\"/>\
         <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>",
        WIDTH - RIGHT - 10.0,
        HEIGHT - BOTTOM - 10.0 - 16.0 * n as f64,
    );
}

/// Draws how nanoseconds grow with a number, both by decades. Each line has a name and its times.
pub(crate) fn growth(title: &str, numbers: &[usize], lines: &[(&str, Vec<f64>)]) -> String {
    let mut svg = frame(title);
    let decade = |value: f64, round: fn(f64) -> f64| round(value.max(1.0).log10());
    let spread = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::INFINITY, 1.0f64), |(low, high), it| (low.min(it), high.max(it)));
        let low = decade(low.min(high), f64::floor);
        (low, decade(high, f64::ceil).max(low + 1.0))
    };
    let times = spread(&mut lines.iter().flat_map(|(_, times)| times.iter().copied()));
    let across = spread(&mut numbers.iter().map(|&number| number as f64));
    let share = |value: f64, (low, high): (f64, f64)| (value.max(1.0).log10() - low) / (high - low);
    let x = |number: usize| LEFT + (WIDTH - LEFT - RIGHT) * share(number as f64, across);
    let y = |nanos: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share(nanos, times);
    let units = ["ns", "µs", "ms", "s"];
    for decade in times.0 as usize..=times.1 as usize {
        let label = format!("{} {}", 10usize.pow(decade as u32 % 3), units.get(decade / 3).unwrap_or(&"?"));
        rule(&mut svg, y(10f64.powi(decade as i32)), &label);
    }
    for &number in numbers {
        let anchor = if x(number) > WIDTH - RIGHT - 40.0 { "end" } else { "middle" };
        let (at, below) = (x(number), HEIGHT - BOTTOM + 18.0);
        let _ =
            writeln!(svg, "<text x=\"{at:.1}\" y=\"{below:.0}\" text-anchor=\"{anchor}\">{number}</text>");
    }
    for (n, (name, times)) in lines.iter().enumerate() {
        let points =
            numbers.iter().zip(times).map(|(&number, &nanos)| format!("{:.1},{:.1}", x(number), y(nanos)));
        let colour = COLOURS.get(n).copied().unwrap_or("#000");
        line(&mut svg, (n, colour), &points.collect::<Vec<_>>().join(" "), name);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws the latencies of a series.
pub(crate) fn latency(series: &Series) -> String {
    let mut svg = frame(&format!("Latency by percentile: {}", series.work.name()));
    let labels = ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"];
    for (decade, label) in (DECADES.0 as i32..).zip(labels) {
        rule(&mut svg, y(10f64.powi(decade)), label);
    }
    for (n, percentile) in PERCENTILES.iter().enumerate() {
        // The last one would not fit.
        let anchor = if n + 1 == PERCENTILES.len() { "end" } else { "middle" };
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"{anchor}\">{percentile}</text>",
            x(*percentile),
            HEIGHT - BOTTOM + 18.0
        );
    }
    for (n, row) in series.rows.iter().enumerate() {
        let colour = COLOURS.get(n).copied().unwrap_or("#000");
        let name = format!("{} % of capacity", row.share);
        line(&mut svg, (n, colour), &points(&row.counts), &name);
    }
    svg.push_str("</svg>\n");
    svg
}

fn points(counts: &Counts) -> String {
    let mut points = String::new();
    for step in 0..=100 {
        let nines = f64::from(step) / 20.0;
        let quantile = 1.0 - 10f64.powf(-nines);
        // Beyond this there is less than one request.
        if (1.0 - quantile) * (counts.answered as f64) < 1.0 {
            break;
        }
        let micros = counts.latency.value_at_quantile(quantile) as f64;
        let _ = write!(points, "{:.1},{:.1} ", x(quantile * 100.0), y(micros));
    }
    points.trim_end().to_owned()
}
