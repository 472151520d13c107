//! Metrics of the promotion in Prometheus's text format 0.0.4. All values are numbers and all
//! labels are fixed, so nothing needs escaping.

use std::fmt::Write;

use postcode_core::layers::{LatencySummary, Snapshot, Stage};

pub(super) fn text(seen: &Snapshot) -> String {
    let mut text = String::new();
    let stages =
        Stage::ALL.map(|stage| (format!("{{stage=\"{stage}\"}}"), f64::from(u8::from(stage == seen.stage))));
    family(
        &mut text,
        "stage",
        "gauge",
        "1 for the current stage of the promotion, 0 for the others.",
        &stages,
    );
    one(&mut text, "share", "gauge", "The share of calls that shadow and canary take.", seen.share);
    for (name, help, count) in [
        ("calls", "Lookups of the customers.", seen.calls),
        ("errors", "Calls to the new implementation that failed.", seen.errors),
        ("fallbacks", "Failed calls that the old implementation then answered.", seen.fallbacks),
        ("failed", "Calls for which the application got an error.", seen.failed),
        ("skipped", "Comparisons skipped because too many were in flight.", seen.skipped),
        ("step_backs", "Rollbacks by the guard.", seen.step_backs),
    ] {
        one(&mut text, &format!("{name}_total"), "counter", help, count as f64);
    }
    let compared = [("matched", seen.matched), ("mismatched", seen.mismatched)];
    let compared = compared.map(|(result, count)| (format!("{{result=\"{result}\"}}"), count as f64));
    family(&mut text, "compared_total", "counter", "Calls whose two answers were compared.", &compared);
    let mut latencies = Vec::new();
    for (side, LatencySummary { p50_us, p90_us, p99_us, .. }) in
        [("old", seen.latency.old), ("new", seen.latency.new)]
    {
        for (quantile, us) in [("0.5", p50_us), ("0.9", p90_us), ("0.99", p99_us)] {
            // There is no latency before the first call.
            let Some(us) = us else { continue };
            latencies.push((format!("{{side=\"{side}\",quantile=\"{quantile}\"}}"), us / 1e6));
        }
    }
    let help = "Latency of about the last hundred thousand calls of each implementation.";
    family(&mut text, "latency_seconds", "gauge", help, &latencies);
    text
}

fn one(text: &mut String, name: &str, kind: &str, help: &str, value: f64) {
    family(text, name, kind, help, &[(String::new(), value)]);
}

fn family(text: &mut String, name: &str, kind: &str, help: &str, values: &[(String, f64)]) {
    let name = format!("postcode_promotion_{name}");
    // Writing to a String does not fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    for (labels, value) in values {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
