//! The table of results, and the folder with the plots.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;

use crate::growth::QUESTIONS;
use crate::{Args, Measured, Row, Series, plot};

/// Prints the tables, and writes them with the plots into the folder that was asked for.
pub(crate) fn write(args: &Args, measured: &Measured) -> Result<()> {
    let series = &measured.series;
    let (table, growth) = (table(series), growth(measured));
    print!("{table}{growth}");
    let Some(folder) = &args.out else { return Ok(()) };
    let store = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("{}: can't be written", path.display()))
    };
    std::fs::create_dir_all(folder).with_context(|| format!("{}: can't be made", folder.display()))?;
    for one in series {
        store(&format!("{}.svg", one.work.name()), &plot::latency(one))?;
    }
    let connections = &measured.connections;
    let of_latency = |n: usize| connections.iter().map(|it| it.latency[n] * 1_000.0).collect();
    let numbers: Vec<usize> = connections.iter().map(|it| it.connections).collect();
    let lines = [("p50", of_latency(0)), ("p99", of_latency(1))];
    store("connections.svg", &plot::growth("Latency of a lookup by connections", &numbers, &lines))?;
    let rows = &measured.rows;
    let numbers: Vec<usize> = rows.iter().map(|it| it.postcodes).collect();
    let times = |n: usize| rows.iter().map(|it| it.times[n]).collect();
    let lines: Vec<_> = QUESTIONS.into_iter().enumerate().map(|(n, name)| (name, times(n))).collect();
    store("rows.svg", &plot::growth("Time in the process by postcodes in the dataset", &numbers, &lines))?;
    store("README.md", &page(args, series, &format!("{table}{growth}")))
}

fn growth(measured: &Measured) -> String {
    let mut text = String::from(
        "\nSingle lookups over connections that ask without a pause. The client is one thread:\n\n\
         | connections | answered a second | p50 | p99 | refused or failed |\n| ---: | ---: | ---: | ---: | ---: |\n",
    );
    for it in &measured.connections {
        let [p50, p99] = it.latency.map(|micros| micros / 1_000.0);
        let _ =
            writeln!(text, "| {} | {:.0} | {p50:.2} | {p99:.2} | {} |", it.connections, it.rate, it.failed);
    }
    let _ = write!(
        text,
        "\nQuestions to parts of the country in this process, in nanoseconds:\n\n| postcodes | {} |\n| ---: |{}\n",
        QUESTIONS.join(" | "),
        " ---: |".repeat(QUESTIONS.len())
    );
    for it in &measured.rows {
        let times = it.times.map(|nanos| format!("{nanos:.0}")).join(" | ");
        let _ = writeln!(text, "| {} | {times} |", it.postcodes);
    }
    text
}

fn milliseconds(histogram: &Histogram<u64>, quantile: f64) -> String {
    match histogram.is_empty() {
        true => "–".to_owned(),
        false => format!("{:.2}", histogram.value_at_quantile(quantile) as f64 / 1_000.0),
    }
}

fn table(series: &[Series]) -> String {
    let mut text = String::from(
        "| request | load | due a second | answered a second | of capacity | p50 | p99 | p99.9 | refused | p99 of a refusal | failed |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for one in series {
        for Row { share, rate, counts } in &one.rows {
            let seconds = counts.due as f64 / f64::from(*rate);
            let goodput = counts.answered as f64 / seconds.max(1e-9);
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|quantile| milliseconds(&counts.latency, quantile));
            let refusal = milliseconds(&counts.refusal, 0.99);
            let (name, percent) = (one.work.name(), 100.0 * goodput / one.capacity);
            let (refused, failed) = (counts.refused, counts.failed);
            let _ = writeln!(
                text,
                "| {name} | {share} % | {rate} | {goodput:.0} | {percent:.0} % | {p50} | {p99} | {p999} | {refused} | {refusal} | {failed} |"
            );
        }
    }
    text
}

/// The settings of this build, as far as they matter for times.
const BUILD: &str = match cfg!(debug_assertions) {
    true => {
        "with debug assertions, as CI builds it: times are several times those of `cargo build --release`"
    }
    false => "release",
};

/// Returns the first line of a program's output.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |it| first_line(&String::from_utf8_lossy(&it.stdout)))
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!("{model}, {cores} cores; load average at the end {load}")
}

fn page(args: &Args, series: &[Series], table: &str) -> String {
    let mut text = format!(
        "# How does the service answer under load?\n\n\
         Written by `target/release/load --seconds {} --connections {} --out docs/performance`; don't edit it.\n\n\
         | | |\n| --- | --- |\n| date | {} |\n| commit | {} |\n| machine | {} |\n| compiler | {} |\n| build | {} |\n\n\
         Requests come at a constant rate, whether earlier ones are answered or not. Times are in milliseconds and count from \
         when a request was due, so a pause of the service is seen by all requests that fall into it. Client and service are two \
         processes on the same machine, so the client's share is part of what is measured. Postcodes are drawn at random from \
         the embedded country. A request that is not answered five seconds after it was due has failed.\n\n",
        args.seconds,
        args.connections,
        output("date", &["-u", "+%Y-%m-%d %H:%M"]),
        output("git", &["describe", "--always", "--dirty"]),
        machine(),
        output("rustc", &["--version"]),
        BUILD,
    );
    for one in series {
        let _ = writeln!(
            text,
            "- {}: {} has a capacity of {:.0} requests a second, asked by 256 connections without a pause.",
            one.work.name(),
            one.work.route(),
            one.capacity
        );
        if let Some(bare) = one.bare {
            let share = 100.0 * one.capacity / bare;
            let _ = writeln!(
                text,
                "  That is {share:.0} % of a server of hyper alone, which sends the same bytes whatever is asked ({bare:.0})."
            );
        }
    }
    let _ = write!(text, "\n{table}");
    for one in series {
        let name = one.work.name();
        let _ = write!(text, "\n![Latency of {name} by percentile]({name}.svg)\n");
    }
    text.push_str("\n![Latency of a lookup by connections](connections.svg)\n");
    text.push_str("\n![Time by postcodes in the dataset](rows.svg)\n");
    text
}
