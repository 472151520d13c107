//! The advice as a page, which works without JavaScript.

use std::fmt::Write;

use postcode_core::layers::advice::{Deployment, Prediction};
use postcode_edge::reference::escaped;

use super::Advised;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Advice: module or service?</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<main>
<h1>Module or service?</h1>
"#;

/// Returns the page.
pub(crate) fn page(advised: &Advised) -> String {
    let Advised { advice, deployment, probe, ledger } = advised;
    let mut html = HEAD.to_owned();
    // Writing to a String does not fail.
    let _ = write!(
        html,
        "<p class=\"verdict\">{}</p>\n<p>The lookup is in <strong>{}</strong> now. {} calls in {:.0} s, {:.1} a \
         second.</p>\n",
        escaped(&advice.reason),
        advice.now,
        ledger.calls(),
        ledger.seconds,
        ledger.rate(),
    );
    form(&mut html, deployment);
    predictions(&mut html, advised);
    let _ = write!(html, "<p class=\"dim\">This machine was probed for {:.1} s.", probe.seconds);
    for failed in &probe.failed {
        let _ = write!(html, " Not probed: {}.", escaped(failed));
    }
    html.push_str("</p>\n");
    ledger_table(&mut html, advised);
    html.push_str(
        "<p><a href=\"promotion/advice\">The same as JSON</a>, <a href=\"./\">the promotion</a></p>\n</main>\n",
    );
    html
}

fn form(html: &mut String, deployment: &Deployment) {
    html.push_str("<h2>Your deployment</h2>\n<form id=\"deployment\" action=\"advice\">\n");
    let Deployment { processes, machines, cores, max_p99_us, core_hour, gib_hour, .. } = *deployment;
    for (name, label, value) in [
        ("processes", "Processes on each machine", Some(processes)),
        ("machines", "Machines", Some(machines)),
        ("cores", "Cores of a machine", Some(cores)),
        ("max_p99_us", "Longest p99, in µs", max_p99_us),
        ("core_hour", "A core for an hour", Some(core_hour)),
        ("gib_hour", "A GiB for an hour", Some(gib_hour)),
    ] {
        let value = value.map(|value| value.to_string()).unwrap_or_default();
        let _ = writeln!(
            html,
            "<p><label for=\"{name}\">{label}</label> <input id=\"{name}\" name=\"{name}\" inputmode=\"decimal\" \
             value=\"{value}\"></p>"
        );
    }
    html.push_str("<p><button>Advise</button></p>\n</form>\n");
}

fn predictions(html: &mut String, advised: &Advised) {
    html.push_str(
        "<h2>Predictions</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Predictions\">\n<table>\n\
         <thead><tr><th scope=\"col\">Place</th><th scope=\"col\">p50</th><th scope=\"col\">p99</th>\
         <th scope=\"col\">Processor a call</th><th scope=\"col\">Memory of all</th><th scope=\"col\">Price a month</th>\
         <th scope=\"col\">From</th><th scope=\"col\">Possible</th></tr></thead>\n<tbody>\n",
    );
    for prediction in &advised.advice.predictions {
        let Prediction { place, measured, p50_us, p99_us, cpu_us, memory_bytes, month, refused } = prediction;
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{place}</th><td>{}</td><td>{}</td><td>{}</td><td>{:.0} MiB</td><td>{month:.2}</td>\
             <td>{}</td><td>{}</td></tr>",
            time(*p50_us),
            time(*p99_us),
            time(*cpu_us),
            memory_bytes / 1_048_576.0,
            if *measured { "a probe" } else { "another place" },
            refused.as_ref().map_or("yes".into(), |why| format!("no: {}", escaped(why))),
        );
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
}

fn ledger_table(html: &mut String, advised: &Advised) {
    html.push_str(
        "<h2>Calls</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Calls\">\n<table>\n\
         <thead><tr><th scope=\"col\">Callers</th><th scope=\"col\">Method</th><th scope=\"col\">Calls</th>\
         <th scope=\"col\">Failed</th><th scope=\"col\">Items</th><th scope=\"col\">Bytes</th><th scope=\"col\">p50</th>\
         <th scope=\"col\">p99</th><th scope=\"col\">Worked</th></tr></thead>\n<tbody>\n",
    );
    let name = |cohort: &str| if cohort.is_empty() { "all others".to_owned() } else { escaped(cohort) };
    for cohort in &advised.ledger.cohorts {
        for method in &cohort.methods {
            let us = |us: Option<f64>| us.map_or("–".to_owned(), time);
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
                 <td>{}</td><td>{}</td></tr>",
                name(&cohort.cohort),
                escaped(&method.method),
                method.calls,
                method.failed,
                method.items,
                method.bytes,
                us(method.p50_us),
                us(method.p99_us),
                time(method.worked_us),
            );
        }
    }
    html.push_str("</tbody>\n</table>\n</div>\n<ul>\n");
    for saving in &advised.advice.savings {
        let name = name(&saving.cohort);
        if let Some((bytes, hits)) = saving.cache {
            let mib = bytes as f64 / 1_048_576.0;
            let _ = writeln!(
                html,
                "<li>{name}: a cache of {mib:.1} MiB would answer {:.0} % of the looked-up postcodes.</li>",
                hits * 100.0
            );
        }
        if let Some(joined) = saving.joined {
            let _ = writeln!(
                html,
                "<li>{name}: joining single lookups within a millisecond would save {:.0} % of their calls.</li>",
                joined * 100.0
            );
        }
    }
    html.push_str("</ul>\n");
}

/// Writes microseconds.
fn time(us: f64) -> String {
    match us {
        _ if us < 1.0 => format!("{:.0} ns", us * 1e3),
        _ if us < 10.0 => format!("{us:.2} µs"),
        _ if us < 1e3 => format!("{us:.0} µs"),
        _ => format!("{:.2} ms", us / 1e3),
    }
}
