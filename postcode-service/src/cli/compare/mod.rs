//! `compare`: what each mode costs on this machine, with this data.

mod cell;
mod service;
mod task;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use postcode_core::{Connector, PostcodeLookup, Status, path_or_url, redact};
use serde::Serialize;

use self::cell::{Costs, Measured};
use self::service::{Service, without_settings};
use self::task::Task;
use super::format::{Format, Shape, Table};
use super::time::time;
use super::{interrupt, output};

/// The most sources of one run.
const MOST_SOURCES: usize = 8;
/// The postcodes that are asked about, if the source gives so many in [`DRAWING`].
const SAMPLE: usize = 20_000;
/// How long postcodes are drawn from the first source.
const DRAWING: Duration = Duration::from_secs(1);
/// The postcodes that are drawn however long it takes.
const LEAST_DRAWN: usize = 10;
/// The longest time of a cell.
const LONGEST_CELL: Duration = Duration::from_secs(60);
/// Hours in a month.
const MONTH: f64 = 730.0;

/// Measure what each mode costs on this machine: time, processor, memory and money.
///
/// Asks each source the same questions, one call at a time: one postcode, a batch of 100, the ten
/// nearest within 2 km, and the completions of a sector. Each source gets a separate process, so that
/// its memory is its own. The processor time of a service is that of its /metrics, if it tells it.
/// The ratios are to the first source.
///
/// Without --source it compares the embedded data in the caller's process with a service of the same
/// data, over a Unix socket and over TCP, which it starts for the run. Every call is timed, which adds
/// about 50 ns.
///
/// Compare figures of one run only.
///
/// Exit status: 0 if it was measured, 2 for errors, 130 if it was interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service compare
  postcode-service compare --source uk.postcodes --source http://10.0.0.1:8080 --source replica:http://10.0.0.1:8080
  postcode-service compare --time 2s --core-hour 0.05 --json")]
pub struct Args {
    /// A source to compare: a dataset file or any URL. Give it once for each; the first is the base
    #[arg(long, short, visible_alias = "data", value_name = "PATH|URL")]
    source: Vec<String>,
    /// The time for one kind of question to one source, at most 1m
    #[arg(long, short, value_name = "TIME", default_value = "1s", value_parser = cell_time)]
    time: Duration,
    /// The price of a core for an hour, in any currency
    #[arg(long, value_name = "PRICE", default_value_t = 0.04, value_parser = price)]
    core_hour: f64,
    /// The price of a GiB of memory for an hour
    #[arg(long, value_name = "PRICE", default_value_t = 0.005, value_parser = price)]
    gib_hour: f64,
    #[command(flatten)]
    shape: Shape,
    /// Measures one source for the process that gives the questions on standard input.
    #[arg(long, hide = true)]
    cell: bool,
}

fn cell_time(text: &str) -> Result<Duration, String> {
    let time = time(text)?;
    let range = Duration::from_millis(1)..=LONGEST_CELL;
    if range.contains(&time) { Ok(time) } else { Err("give 1ms to 1m".to_owned()) }
}

fn price(text: &str) -> Result<f64, String> {
    let price = text.parse::<f64>().ok().filter(|price| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| "give a number such as 0.04".to_owned())
}

/// The machine and the settings of a run.
#[derive(Debug, Serialize)]
struct Machine {
    date: String,
    processor: Option<String>,
    cores: usize,
    seconds_a_cell: f64,
    postcodes: usize,
    core_hour: f64,
    gib_hour: f64,
}

/// One cell of the result, with its ratios.
#[derive(Debug, Serialize)]
struct Row<'a> {
    source: &'a str,
    edition: &'a str,
    #[serde(flatten)]
    measured: &'a Measured,
    p50_ratio: Option<f64>,
    p99_ratio: Option<f64>,
    /// Processor time of caller and service for a million lookups, in seconds.
    cpu_seconds_a_million: f64,
    cpu_ratio: Option<f64>,
    money_a_million: f64,
    caller_memory_bytes: Option<f64>,
    service_memory_bytes: Option<f64>,
    /// The price of that memory for a month.
    memory_a_month: Option<f64>,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        if self.cell {
            return cell::run().await;
        }
        // Services that were started must not outlive an interrupted run.
        let interrupted = interrupt::requested();
        let ended = tokio::select! {
            ended = self.compare() => Some(ended),
            () = interrupted => None,
        };
        ended.unwrap_or_else(|| std::process::exit(interrupt::STATUS))
    }

    async fn compare(&self) -> anyhow::Result<()> {
        ensure!(self.source.len() <= MOST_SOURCES, "--source: give at most {MOST_SOURCES}");
        let folder = tempfile::tempdir().context("a folder for a Unix socket")?;
        let mut services = Vec::new();
        let mut sources: Vec<(String, String)> =
            self.source.iter().map(|source| (redact(source), path_or_url(source))).collect();
        if sources.is_empty() {
            let socket = format!("unix:{}", folder.path().join("compare.sock").display());
            sources.push(("embedded:".into(), "embedded:".into()));
            for (name, address) in [("service, Unix socket", &*socket), ("service, TCP", "127.0.0.1:0")] {
                let service = Service::start(address).await?;
                sources.push((name.into(), service.url.clone()));
                services.push(service);
            }
        }
        let postcodes = draw(&sources[0].1).await.with_context(|| sources[0].0.clone())?;
        let mut all = Vec::new();
        for (name, url) in &sources {
            let task = Task {
                url: url.clone(),
                time_ms: u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX),
                postcodes: postcodes.clone(),
            };
            let costs = measure(&task).await.with_context(|| name.clone())?;
            all.push((name.as_str(), costs));
        }
        self.write(&all, postcodes.len())
    }

    fn write(&self, all: &[(&str, Costs)], postcodes: usize) -> anyhow::Result<()> {
        let format = self.shape.format();
        let mut out = std::io::stdout().lock();
        let machine = Machine {
            date: jiff::Timestamp::now().strftime("%F").to_string(),
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            seconds_a_cell: self.time.as_secs_f64(),
            postcodes,
            core_hour: self.core_hour,
            gib_hour: self.gib_hour,
        };
        let rows = rows(all, &machine);
        if format == Format::Json {
            output::json(&mut out, &machine)?;
            return rows.iter().try_for_each(|row| Ok(output::json(&mut out, row)?));
        }
        let header = [
            "work",
            "source",
            "p50_us",
            "p99_us",
            "p50_ratio",
            "cpu_us_caller",
            "cpu_us_service",
            "cpu_ratio",
            "cpu_s_a_million",
            "money_a_million",
        ];
        let mut table = Table::new(format, header);
        for row in &rows {
            table.row(&mut out, row.cells())?;
        }
        table.flush(&mut out)?;
        if !format.is_for_people() {
            return Ok(());
        }
        writeln!(out)?;
        let mut table =
            Table::new(format, ["source", "edition", "caller_MiB", "service_MiB", "memory_a_month"]);
        for (name, costs) in all {
            let row = rows.iter().find(|row| row.source == *name);
            let month = row.and_then(|row| row.memory_a_month);
            let mib =
                |bytes: Option<f64>| bytes.map_or("-".into(), |bytes| format!("{:.0}", bytes / 1_048_576.0));
            let cells = [
                (*name).to_owned(),
                costs.edition.clone(),
                mib(costs.caller_memory_bytes),
                mib(costs.service_memory_bytes),
                month.map_or("-".into(), |month| format!("{month:.2}")),
            ];
            table.row(&mut out, cells)?;
        }
        table.flush(&mut out)?;
        writeln!(
            out,
            "\n{}, {} cores, {}; {postcodes} postcodes, {:?} a cell; {} for a core and {} for a GiB an hour",
            machine.date,
            machine.cores,
            machine.processor.as_deref().unwrap_or("unknown processor"),
            self.time,
            self.core_hour,
            self.gib_hour
        )?;
        Ok(())
    }
}

fn rows<'a>(all: &'a [(&'a str, Costs)], machine: &Machine) -> Vec<Row<'a>> {
    let Some((_, base)) = all.first() else { return Vec::new() };
    let mut rows = Vec::new();
    for (at, first) in base.works.iter().enumerate() {
        for (source, costs) in all {
            let Some(measured) = costs.works.get(at) else { continue };
            let ratio = |of: f64, to: f64| (to > 0.0).then(|| of / to);
            let cpu = measured.cpu_us_a_lookup();
            let memory = [costs.caller_memory_bytes, costs.service_memory_bytes];
            let bytes = memory.iter().flatten().sum::<f64>();
            rows.push(Row {
                source,
                edition: &costs.edition,
                measured,
                p50_ratio: ratio(measured.p50_us, first.p50_us),
                p99_ratio: ratio(measured.p99_us, first.p99_us),
                // A microsecond each is a second for a million.
                cpu_seconds_a_million: cpu,
                cpu_ratio: ratio(cpu, first.cpu_us_a_lookup()),
                money_a_million: cpu / 3600.0 * machine.core_hour,
                caller_memory_bytes: memory[0],
                service_memory_bytes: memory[1],
                memory_a_month: memory[0].map(|_| bytes / 1_073_741_824.0 * machine.gib_hour * MONTH),
            });
        }
    }
    rows
}

impl Row<'_> {
    fn cells(&self) -> [String; 10] {
        let ratio = |ratio: Option<f64>| ratio.map_or("-".to_owned(), short);
        [
            self.measured.work.clone(),
            self.source.to_owned(),
            short(self.measured.p50_us),
            short(self.measured.p99_us),
            ratio(self.p50_ratio),
            short(self.measured.caller_cpu_us),
            self.measured.service_cpu_us.map_or("-".to_owned(), short),
            ratio(self.cpu_ratio),
            short(self.cpu_seconds_a_million),
            format!("{:.6}", self.money_a_million),
        ]
    }
}

/// Writes three digits, or all before the point.
fn short(number: f64) -> String {
    match number {
        _ if number >= 100.0 => format!("{number:.0}"),
        _ if number >= 10.0 => format!("{number:.1}"),
        _ if number >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

/// Draws live postcodes with a location from a source, at random.
async fn draw(url: &str) -> anyhow::Result<Vec<String>> {
    let lookup = Connector::new(url)?.connect().await?;
    let mut postcodes = Vec::with_capacity(SAMPLE);
    // The first answer may have to unpack the data.
    lookup.random(None).await?;
    let begun = Instant::now();
    let mut drawn = 0;
    while postcodes.len() < SAMPLE && (begun.elapsed() < DRAWING || drawn < LEAST_DRAWN) {
        let Some(record) = lookup.random(None).await? else { break };
        drawn += 1;
        if record.status == Status::Live && record.location.is_some() {
            postcodes.push(record.postcode.to_string());
        }
    }
    ensure!(!postcodes.is_empty(), "the source has no postcodes with a location");
    Ok(postcodes)
}

/// Measures one source in a separate process, which ends in time by itself.
async fn measure(task: &Task) -> anyhow::Result<Costs> {
    let program = std::env::current_exe().context("the path of this program")?;
    let mut command = Command::new(program);
    without_settings(&mut command).args(["compare", "--cell"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("a process can't be started")?;
    let (stdin, task) = (child.stdin.take(), serde_json::to_vec(task)?);
    let ended = tokio::task::spawn_blocking(move || {
        if let Some(mut stdin) = stdin {
            stdin.write_all(&task)?;
        }
        child.wait_with_output()
    });
    let ended = ended.await??;
    ensure!(ended.status.success(), "it was not measured: see above");
    serde_json::from_slice(&ended.stdout).context("the measurements can't be read")
}

/// Returns the name of the processor, where the system tells it.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test it is the failure.
mod tests {
    use super::*;

    fn measured(p50_us: f64, caller_cpu_us: f64, service_cpu_us: Option<f64>, lookups: usize) -> Costs {
        let work = "batch of 100".to_owned();
        let measured = Measured {
            work,
            lookups_a_call: lookups,
            calls: 10,
            seconds: 1.0,
            p50_us,
            p99_us: p50_us * 2.0,
            caller_cpu_us,
            service_cpu_us,
        };
        Costs {
            edition: "e".into(),
            caller_memory_bytes: Some(1_073_741_824.0),
            service_memory_bytes: service_cpu_us.map(|_| 1_073_741_824.0),
            works: vec![measured],
        }
    }

    #[test]
    fn row_adds_up_caller_and_service_and_compares_with_the_first_source() {
        let machine = Machine {
            date: String::new(),
            processor: None,
            cores: 2,
            seconds_a_cell: 1.0,
            postcodes: 1,
            core_hour: 0.04,
            gib_hour: 0.005,
        };
        let all = [("a", measured(10.0, 20.0, None, 100)), ("b", measured(500.0, 300.0, Some(60.0), 100))];
        let rows = rows(&all, &machine);
        assert_eq!((rows[0].p50_ratio, rows[0].cpu_ratio), (Some(1.0), Some(1.0)));
        assert_eq!(
            (rows[1].p50_ratio, rows[1].p99_ratio, rows[1].cpu_ratio),
            (Some(50.0), Some(50.0), Some(18.0))
        );
        // 360 µs a call of 100: 3.6 s of processor for a million lookups, a thousandth of an hour.
        assert!((rows[1].cpu_seconds_a_million - 3.6).abs() < 1e-9);
        assert!((rows[1].money_a_million - 0.00004).abs() < 1e-12);
        assert!((rows[0].memory_a_month.unwrap() - 3.65).abs() < 1e-9);
        assert!((rows[1].memory_a_month.unwrap() - 7.3).abs() < 1e-9);
    }

    #[test]
    fn options_out_of_range_say_what_to_give() {
        assert_eq!(price("0.04"), Ok(0.04));
        for text in ["", "-1", "NaN", "inf", "4p"] {
            assert!(price(text).is_err(), "{text}");
        }
        assert!(cell_time("2s").is_ok() && cell_time("0s").is_err() && cell_time("2m").is_err());
    }
}
