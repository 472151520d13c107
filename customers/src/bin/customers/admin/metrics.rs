//! Metrics of the promotion in Prometheus's text format 0.0.4. All values are numbers, and labels have
//! only letters, digits and a few signs, so nothing needs escaping.

use std::fmt::Write;

use postcode_core::layers::{LatencySummary, RowSnapshot, Snapshot, Stage};

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
        ("refused", "Comparisons that a busy service refused.", seen.refused),
        ("held", "Calls of units that went against their row.", seen.held),
        ("step_backs", "Rollbacks by the guard.", seen.step_backs),
    ] {
        one(&mut text, &format!("{name}_total"), "counter", help, count as f64);
    }
    let compared = [("matched", seen.matched), ("mismatched", seen.mismatched)];
    let compared = compared.map(|(result, count)| (format!("{{result=\"{result}\"}}"), count as f64));
    family(&mut text, "compared_total", "counter", "Calls whose two answers were compared.", &compared);
    let causes = [("edition", seen.causes.edition), ("noise", seen.causes.noise), ("code", seen.causes.code)];
    let causes = causes.map(|(cause, count)| (format!("{{cause=\"{cause}\"}}"), count as f64));
    family(&mut text, "mismatched_total", "counter", "Compared calls that differed, by cause.", &causes);
    let differences: Vec<_> = seen
        .differences
        .iter()
        .map(|it| {
            let labels =
                format!("{{cause=\"{}\",method=\"{}\",field=\"{}\"}}", it.cause, it.method, it.field);
            (labels, it.count as f64)
        })
        .collect();
    let help = "Compared calls that differed in a field.";
    family(&mut text, "differences_total", "counter", help, &differences);
    let help = "Latency of about the last hundred thousand calls of each implementation.";
    let latencies = latencies("", seen.latency.old, seen.latency.new);
    family(&mut text, "latency_seconds", "gauge", help, &latencies);
    rows(&mut text, &seen.rows);
    text
}

/// Returns one number of a row.
type Count = fn(&RowSnapshot) -> f64;

/// Writes the same for each row.
fn rows(text: &mut String, rows: &[RowSnapshot]) {
    let labelled = |value: Count| -> Vec<_> {
        rows.iter().map(|row| (format!("{{row=\"{}\"}}", row.row), value(row))).collect()
    };
    let mut stages = Vec::new();
    for row in rows.iter().filter(|row| row.active) {
        stages.extend(Stage::ALL.map(|stage| {
            let labels = format!("{{row=\"{}\",stage=\"{stage}\"}}", row.row);
            (labels, f64::from(u8::from(stage == row.stage)))
        }));
    }
    family(text, "row_stage", "gauge", "1 for the current stage of the row, 0 for the others.", &stages);
    let share = labelled(|row| row.share);
    family(text, "row_share", "gauge", "The share of the row's calls that shadow and canary take.", &share);
    let counts: [(&str, &str, Count); 8] = [
        ("calls", "Lookups that went by the row.", |row| row.calls as f64),
        ("errors", "Calls to the new implementation that failed.", |row| row.errors as f64),
        ("fallbacks", "Failed calls that the old implementation then answered.", |row| row.fallbacks as f64),
        ("failed", "Calls for which the application got an error.", |row| row.failed as f64),
        ("skipped", "Comparisons skipped because too many were in flight.", |row| row.skipped as f64),
        ("refused", "Comparisons that a busy service refused.", |row| row.refused as f64),
        ("held", "Calls of units that went against the row.", |row| row.held as f64),
        ("step_backs", "Rollbacks of the row by its guard.", |row| row.step_backs as f64),
    ];
    for (name, help, count) in counts {
        family(text, &format!("row_{name}_total"), "counter", help, &labelled(count));
    }
    let compared: Vec<_> = rows
        .iter()
        .flat_map(|row| {
            [("matched", row.matched), ("mismatched", row.mismatched)]
                .map(|(result, count)| (format!("{{row=\"{}\",result=\"{result}\"}}", row.row), count as f64))
        })
        .collect();
    family(text, "row_compared_total", "counter", "Calls whose two answers were compared.", &compared);
    let causes: Vec<_> = rows
        .iter()
        .flat_map(|row| {
            let causes = row.causes;
            [("edition", causes.edition), ("noise", causes.noise), ("code", causes.code)]
                .map(|(cause, count)| (format!("{{row=\"{}\",cause=\"{cause}\"}}", row.row), count as f64))
        })
        .collect();
    family(text, "row_mismatched_total", "counter", "Compared calls that differed, by cause.", &causes);
    let latencies: Vec<_> = rows
        .iter()
        .flat_map(|row| latencies(&format!("row=\"{}\",", row.row), row.latency.old, row.latency.new))
        .collect();
    let help = "Latency of about the last hundred thousand calls of the row.";
    family(text, "row_latency_seconds", "gauge", help, &latencies);
}

/// Returns the quantiles of both sides with their labels, after those given.
fn latencies(labels: &str, old: LatencySummary, new: LatencySummary) -> Vec<(String, f64)> {
    let mut latencies = Vec::new();
    for (side, LatencySummary { p50_us, p90_us, p99_us, .. }) in [("old", old), ("new", new)] {
        for (quantile, us) in [("0.5", p50_us), ("0.9", p90_us), ("0.99", p99_us)] {
            // There is no latency before the first call.
            let Some(us) = us else { continue };
            latencies.push((format!("{{{labels}side=\"{side}\",quantile=\"{quantile}\"}}"), us / 1e6));
        }
    }
    latencies
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
