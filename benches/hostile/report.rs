//! The table of results.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use benches::open_loop::Counts;

use crate::Args;

/// The effect of one mix on honest clients.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) hostile: usize,
    pub(crate) counts: Counts,
    /// Hostile connections that were opened.
    pub(crate) opened: u64,
    /// Whether the server answered again after they were closed.
    pub(crate) recovered: bool,
    /// The most memory of the program in megabytes; 0 if it is not known.
    pub(crate) memory: u64,
}

impl Row {
    fn percentile(&self, percent: f64) -> u64 {
        self.counts.latency.value_at_quantile(percent / 100.0)
    }

    /// Returns the ratio of the p99 to the one without hostile connections.
    fn ratio(&self, rows: &[Self]) -> f64 {
        let unloaded = rows.first().map_or(0, |row| row.percentile(99.0));
        self.percentile(99.0) as f64 / unloaded.max(1) as f64
    }
}

fn milliseconds(microseconds: u64) -> String {
    format!("{:.2}", microseconds as f64 / 1_000.0)
}

/// Writes the table in Markdown.
pub(crate) fn table(args: &Args, rows: &[Row]) -> String {
    let Args { hostile, honest, rate, seconds, .. } = args;
    let mut text = format!(
        "{honest} honest connections, {rate} requests a second, next to {hostile} hostile ones; {seconds} s each. Times count \
         from when a request was due, in milliseconds.\n\n\
         | mix | due | answered | refused | failed | p50 | p99 | p99 to unloaded | hostile connections opened | memory, MB | answers afterwards |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
    );
    for row in rows {
        let Counts { due, answered, refused, failed, .. } = row.counts;
        let (p50, p99) = (milliseconds(row.percentile(50.0)), milliseconds(row.percentile(99.0)));
        let (ratio, opened) = (row.ratio(rows), row.opened);
        let afterwards = if row.recovered { "yes" } else { "no" };
        let memory = if row.memory == 0 { "–".to_owned() } else { row.memory.to_string() };
        let _ = writeln!(
            text,
            "| {} | {due} | {answered} | {refused} | {failed} | {p50} | {p99} | {ratio:.1} | {opened} | {memory} | {afterwards} |",
            row.name
        );
    }
    text
}

/// Fails for mixes after which the server no longer answered. With a limit, also fails for mixes in
/// which an honest request was not answered or waited too long.
pub(crate) fn check(rows: &[Row], at_most: Option<f64>) -> Result<()> {
    let names = |is: &dyn Fn(&Row) -> bool| {
        rows.iter().filter(|row| is(row)).map(|row| row.name).collect::<Vec<_>>().join(", ")
    };
    let stuck = names(&|row| !row.recovered);
    ensure!(stuck.is_empty(), "the server no longer answered after: {stuck}");
    let Some(most) = at_most else { return Ok(()) };
    let unanswered = names(&|row| row.counts.answered < row.counts.due);
    ensure!(unanswered.is_empty(), "honest requests were not answered in: {unanswered}");
    let slow = names(&|row| row.hostile > 0 && row.ratio(rows) > most);
    ensure!(slow.is_empty(), "a p99 of more than {most} times the unloaded one in: {slow}");
    Ok(())
}
