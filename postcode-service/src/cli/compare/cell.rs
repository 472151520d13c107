//! Measures one source in this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use postcode_core::layers::advice::Work;
use postcode_core::{Connector, Lookups, Postcode, PostcodeLookup};
use postcode_edge::{MetricsFormat, metric, metrics_of, process_metrics};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;

use super::task::{PATIENCE, Task};

/// The postcodes of a batch. A server takes as many by default.
const BATCH: usize = 100;
/// The most timed calls of one work: their times fill 8 MB.
const MOST_CALLS: usize = 1_000_000;
/// The most bytes of a task.
const MOST_TASK: u64 = 4 << 20;
/// The calls before the clock starts, which open connections and fill caches.
const WARMING: usize = 20;

/// The cost of one kind of question.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) work: String,
    pub(super) lookups_a_call: usize,
    pub(super) calls: usize,
    pub(super) seconds: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// Processor time of the asking process for a call.
    pub(super) caller_cpu_us: f64,
    /// Processor time of the service for a call. `None` in process, or if it does not tell.
    pub(super) service_cpu_us: Option<f64>,
}

impl Measured {
    /// Returns the processor time of caller and service for one lookup.
    pub(super) fn cpu_us_a_lookup(&self) -> f64 {
        (self.caller_cpu_us + self.service_cpu_us.unwrap_or(0.0)) / self.lookups_a_call.max(1) as f64
    }
}

/// The kinds of questions, as the probe for advice asks them.
const WORKS: [(Work, &str); 4] = [
    (Work::Lookup, "lookup"),
    (Work::Batch(BATCH), "batch of 100"),
    (Work::Nearest(10), "nearest 10 in 2 km"),
    (Work::Autocomplete(10), "autocomplete, 10 of a sector"),
];

/// The costs of one source, as its process writes them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Costs {
    pub(super) edition: String,
    /// The most resident memory of the process that asked.
    pub(super) caller_memory_bytes: Option<f64>,
    /// The resident memory of the service.
    pub(super) service_memory_bytes: Option<f64>,
    pub(super) works: Vec<Measured>,
}

/// Reads a task from standard input, and writes the costs to standard output.
pub(super) async fn run() -> anyhow::Result<()> {
    let mut text = Vec::new();
    tokio::io::stdin().take(MOST_TASK).read_to_end(&mut text).await?;
    let task: Task = serde_json::from_slice(&text).context("the task can't be read")?;
    let patience = PATIENCE + Duration::from_millis(task.time_ms) * 8;
    let measured = tokio::time::timeout(patience, measure(task));
    measured.await.with_context(|| format!("not measured within {patience:?}"))?
}

async fn measure(task: Task) -> anyhow::Result<()> {
    let postcodes: Vec<Postcode> =
        task.postcodes.iter().map(|text| text.parse()).collect::<Result<_, _>>().context("the task")?;
    let lookup = Connector::new(&task.url)?.connect().await?;
    let edition = lookup.info().await?.edition;
    let asked = Asked { lookup, postcodes, url: task.url };
    let mut works = Vec::new();
    for (work, name) in WORKS {
        works.push(asked.measure(work, name, Duration::from_millis(task.time_ms)).await.context(name)?);
    }
    let service = metrics_of(&asked.url).await;
    let costs = Costs {
        edition,
        caller_memory_bytes: peak(),
        service_memory_bytes: service.and_then(|text| metric(&text, "process_resident_memory_bytes")),
        works,
    };
    println!("{}", serde_json::to_string(&costs)?);
    Ok(())
}

struct Asked {
    lookup: Arc<dyn Lookups>,
    postcodes: Vec<Postcode>,
    url: String,
}

impl Asked {
    async fn measure(&self, work: Work, name: &str, time: Duration) -> anyhow::Result<Measured> {
        for number in 0..WARMING {
            self.ask(work, number).await?;
        }
        let processor = |text: &str| metric(text, "process_cpu_seconds_total");
        let service = metrics_of(&self.url).await.and_then(|text| processor(&text));
        let own = processor(&process_metrics(MetricsFormat::Prometheus));
        let begun = Instant::now();
        let mut times: Vec<u64> = Vec::with_capacity(1 << 14);
        while begun.elapsed() < time && times.len() < MOST_CALLS {
            let asked = Instant::now();
            self.ask(work, WARMING + times.len()).await?;
            times.push(u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        let took = begun.elapsed();
        let calls = times.len().max(1);
        let own_after = processor(&process_metrics(MetricsFormat::Prometheus));
        let service_after = metrics_of(&self.url).await.and_then(|text| processor(&text));
        let each = |before: Option<f64>, after: Option<f64>| {
            before.zip(after).map(|(before, after)| (after - before).max(0.0) * 1e6 / calls as f64)
        };
        times.sort_unstable();
        let quantile = |part: f64| {
            let at = ((calls as f64 * part) as usize).min(calls - 1);
            times.get(at).map_or(0.0, |nanos| *nanos as f64 / 1e3)
        };
        Ok(Measured {
            work: name.to_owned(),
            lookups_a_call: if matches!(work, Work::Batch(_)) { BATCH.min(self.postcodes.len()) } else { 1 },
            calls: times.len(),
            seconds: took.as_secs_f64(),
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
            // A system that does not tell: a call at a time keeps at most one core busy.
            caller_cpu_us: each(own, own_after).unwrap_or(took.as_secs_f64() * 1e6 / calls as f64),
            service_cpu_us: each(service, service_after),
        })
    }

    async fn ask(&self, work: Work, number: usize) -> anyhow::Result<()> {
        work.ask(&*self.lookup, &self.postcodes, number).await?;
        Ok(())
    }
}

/// Returns the most memory that this process has had.
fn peak() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0)
}
