//! Plots as SVG: the latency by percentile, a line for each rate.

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
const COLOURS: [&str; 3] = ["#1b7837", "#2166ac", "#b2182b"];
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

/// Draws the latencies of a series.
pub(crate) fn latency(series: &Series) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">Latency by percentile: {}</text>\n",
        series.work.name()
    );
    for decade in DECADES.0 as u32..=DECADES.1 as u32 {
        let (at, label) =
            (y(f64::from(10u32.pow(decade))), ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        let label = label.get(decade as usize - 1).copied().unwrap_or_default();
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
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
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"{colour}\">{} % of capacity</text>",
            points(&row.counts),
            WIDTH - RIGHT - 10.0,
            // Latencies rise to the right, so there is room below them.
            HEIGHT - BOTTOM - 10.0 - 16.0 * n as f64,
            row.share
        );
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
