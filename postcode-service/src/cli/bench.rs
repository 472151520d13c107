//! `bench`: how fast lookups are on this machine, in each mode.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use postcode_core::dataset::Dataset;
use postcode_core::{Connector, Local, Lookups, Postcode, PostcodeLookup, path_or_url};
use serde::Serialize;

use super::format::{Format, Shape, Table};
use super::output;
use super::time::time;
use crate::api::{Api, Edition, Limits};
use crate::server::{Address, Frontend, Listener, Options, run};

/// The postcodes that are looked up, in a random order.
const SAMPLE: usize = 20_000;
/// Postcodes in one call of the modes with batches. A server accepts as many by default.
const BATCH: usize = 100;

/// Measure how many postcodes this machine looks up in a second, in each mode.
///
/// Without --source it measures the embedded data in this process, and a server of the same data
/// that it starts on a free port of this machine: client and server share the processors. With
/// --source it measures that source. Postcodes are chosen at random among those in use.
///
/// A figure is of this run on this machine. Compare figures of one run only.
///
/// Exit status: 0 if it was measured, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service bench
  postcode-service bench --time 10s --at-once 64 --csv
  postcode-service bench --source http://127.0.0.1:8080
  postcode-service bench --source uk.postcodes")]
pub struct Args {
    /// Measure only this source: a dataset file or any URL
    #[arg(long, short, visible_alias = "data", value_name = "PATH|URL")]
    source: Option<String>,
    /// How long each mode is measured
    #[arg(long, short, value_name = "TIME", default_value = "1s", value_parser = time)]
    time: Duration,
    /// Calls at once, in the modes that make several
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    at_once: u16,
    #[command(flatten)]
    shape: Shape,
}

/// A line of the result.
#[derive(Debug, Serialize)]
struct Measured {
    mode: String,
    /// Calls at once.
    at_once: usize,
    /// Postcodes in a call.
    batch: usize,
    lookups: u64,
    seconds: f64,
    lookups_a_second: f64,
    /// The mean time of a call.
    microseconds_a_call: f64,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let mut out = Lines::new(self.shape.format());
        let several = usize::from(self.at_once);
        if let Some(source) = &self.source {
            let lookup = Connector::new(&path_or_url(source)).context("--source")?.connect().await?;
            let sample = remote_sample(&*lookup).await?;
            for (at_once, batch) in [(1, 1), (several, 1), (1, BATCH), (several, BATCH)] {
                let name = postcode_core::redact(source);
                out.add(measured(&name, lookup.clone(), &sample, at_once, batch, self.time).await?)?;
            }
            return out.end();
        }
        let dataset = Local::embedded()?.dataset();
        let sample = sample(&dataset)?;
        out.add(direct(dataset.clone(), &sample, self.time).await?)?;
        let lookup: Arc<dyn Lookups> = Arc::new(Local::new(dataset.clone()));
        for (at_once, batch) in [(1, 1), (several, 1), (1, BATCH)] {
            out.add(
                measured("in process, by the trait", lookup.clone(), &sample, at_once, batch, self.time)
                    .await?,
            )?;
        }
        let folder = tempfile::tempdir().context("a folder for a Unix socket")?;
        let socket = format!("unix:{}", folder.path().join("bench.sock").display());
        for (name, address) in [("HTTP over TCP", "127.0.0.1:0"), ("HTTP over a Unix socket", &socket)] {
            let server = Server::start(address, Local::new(dataset.clone())).await?;
            let lookup = Connector::new(&server.url)?.connect().await?;
            for (at_once, batch) in [(1, 1), (several, 1), (1, BATCH), (several, BATCH)] {
                out.add(measured(name, lookup.clone(), &sample, at_once, batch, self.time).await?)?;
            }
            server.stop().await;
        }
        out.end()
    }
}

/// Returns postcodes in use, in a random order.
fn sample(dataset: &Dataset) -> anyhow::Result<Arc<[Postcode]>> {
    let live = usize::try_from(dataset.info().live).unwrap_or(usize::MAX);
    let step = (live / SAMPLE).max(1);
    let records = dataset.iter().filter(|record| record.status == postcode_core::Status::Live);
    let mut postcodes: Vec<Postcode> = records.step_by(step).map(|record| record.postcode).collect();
    if postcodes.is_empty() {
        bail!("the data has no postcodes in use");
    }
    fastrand::shuffle(&mut postcodes);
    Ok(postcodes.into())
}

/// Returns postcodes of a source that can't be listed.
async fn remote_sample(lookup: &dyn Lookups) -> anyhow::Result<Arc<[Postcode]>> {
    const ASKED: usize = 200;
    let mut postcodes = Vec::with_capacity(ASKED);
    for _ in 0..ASKED {
        postcodes.extend(lookup.random(None).await?.map(|record| record.postcode));
    }
    if postcodes.is_empty() {
        bail!("the source has no postcodes in use");
    }
    Ok(postcodes.into())
}

/// Measures the dataset's own method, on one thread and without the trait.
async fn direct(dataset: Dataset, sample: &Arc<[Postcode]>, time: Duration) -> anyhow::Result<Measured> {
    let sample = sample.clone();
    let work = move || {
        let begun = Instant::now();
        let mut lookups = 0;
        for piece in sample.chunks(256).cycle() {
            for postcode in piece {
                std::hint::black_box(dataset.get(*postcode));
            }
            lookups += piece.len() as u64;
            if begun.elapsed() >= time {
                break;
            }
        }
        figures("in process, by the dataset's own method", 1, 1, lookups, begun.elapsed())
    };
    tokio::task::spawn_blocking(work).await.context("the measurement ended")
}

async fn measured(
    mode: &str,
    lookup: Arc<dyn Lookups>,
    sample: &Arc<[Postcode]>,
    at_once: usize,
    batch: usize,
    time: Duration,
) -> anyhow::Result<Measured> {
    // Connections are opened and caches of the machine filled before the clock starts.
    lookup.lookup(&sample[..batch.min(sample.len())]).await?;
    let begun = Instant::now();
    let calls = (0..at_once).map(|caller| {
        let (lookup, sample) = (lookup.clone(), sample.clone());
        tokio::spawn(async move {
            let mut at = caller * sample.len() / at_once;
            let mut lookups = 0;
            while begun.elapsed() < time {
                if batch == 1 {
                    lookup.lookup_one(sample[at]).await?;
                    lookups += 1;
                } else {
                    let end = (at + batch).min(sample.len());
                    lookup.lookup(&sample[at..end]).await?;
                    lookups += (end - at) as u64;
                }
                at = if at + batch < sample.len() { at + batch } else { 0 };
            }
            anyhow::Ok(lookups)
        })
    });
    let mut lookups = 0;
    for call in calls.collect::<Vec<_>>() {
        lookups += call.await.context("the measurement ended")??;
    }
    Ok(figures(mode, at_once, batch, lookups, begun.elapsed()))
}

fn figures(mode: &str, at_once: usize, batch: usize, lookups: u64, took: Duration) -> Measured {
    let (lookups_f, seconds) = (lookups.max(1) as f64, took.as_secs_f64());
    Measured {
        mode: mode.to_owned(),
        at_once,
        batch,
        lookups,
        seconds,
        lookups_a_second: lookups as f64 / seconds,
        microseconds_a_call: seconds * 1e6 * at_once as f64 * batch as f64 / lookups_f,
    }
}

/// A server in this process.
struct Server {
    url: String,
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start(address: &str, local: Local) -> anyhow::Result<Self> {
        let api = Api::new(Edition::of(Arc::new(local)).await?, Limits::default());
        let address: Address = address.parse().map_err(anyhow::Error::msg)?;
        let listener =
            Listener::bind(&address).await.with_context(|| format!("can't listen on {address}"))?;
        let url = listener.url()?;
        let options = Options::default();
        let frontend = Arc::new(Frontend::new(api, &options));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(run(listener, frontend, options, async {
            let _ = stopped.await;
        }));
        Ok(Self { url, stop, task })
    }

    async fn stop(self) {
        let _ = self.stop.send(());
        // Its connections are idle. What is left of it ends with the program.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.task).await;
    }
}

struct Lines {
    format: Format,
    table: Table,
}

impl Lines {
    fn new(format: Format) -> Self {
        let header = ["mode", "at once", "batch", "lookups/s", "µs a call"];
        let csv = ["mode", "at_once", "batch", "lookups_a_second", "microseconds_a_call"];
        Self { format, table: Table::new(format, if format == Format::Csv { csv } else { header }) }
    }

    fn add(&mut self, measured: Measured) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.format == Format::Json {
            return Ok(output::json(&mut out, &measured)?);
        }
        let Measured { mode, at_once, batch, lookups_a_second, microseconds_a_call, .. } = measured;
        let cells = [
            mode,
            at_once.to_string(),
            batch.to_string(),
            format!("{lookups_a_second:.0}"),
            format!("{microseconds_a_call:.1}"),
        ];
        Ok(self.table.row(&mut out, cells)?)
    }

    fn end(mut self) -> anyhow::Result<()> {
        if self.format != Format::Json {
            self.table.flush(&mut std::io::stdout().lock())?;
        }
        Ok(())
    }
}
