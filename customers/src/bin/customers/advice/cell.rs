//! Probes one place in a process that does nothing else, so that its processor time and memory are its own.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use postcode_core::Connector;
use postcode_core::layers::advice::{Memory, Place, PlaceCosts, WorkCost, probe};
use postcode_edge::{metric, metrics_of};
use serde::{Deserialize, Serialize};

/// How long a place may take to open, and to answer its last call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a service may take to send its metrics.
const METRICS: Duration = Duration::from_secs(2);
/// The most bytes of a task.
const MOST_TASK: u64 = 64 << 10;

#[derive(Debug, Serialize, Deserialize)]
struct Task {
    url: String,
    time_ms: u64,
}

/// The costs of one place, as its process writes them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Costs {
    works: Vec<WorkCost>,
    cold_us: f64,
    memory: Memory,
    /// Private memory of the process before it opened the place.
    pub(super) base_bytes: f64,
}

impl Costs {
    pub(super) fn of(self, place: Place) -> PlaceCosts {
        let Self { works, cold_us, memory, .. } = self;
        PlaceCosts { place, works, cold_us, memory, measured: true }
    }
}

/// Starts a process that probes a URL for so long, and reads its costs.
pub(super) async fn measure(url: &str, time: Duration) -> Result<Costs> {
    let task = Task { url: url.to_owned(), time_ms: u64::try_from(time.as_millis())? };
    let task = serde_json::to_vec(&task)?;
    let mut command = Command::new(std::env::current_exe().context("the path of this program")?);
    // The URL may have a secret in it, so it is not an argument.
    command.arg("probe").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&task)?;
        }
        child.wait_with_output()
    });
    let ended = ended.await?.context("a process can't be started")?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = said.trim().lines().next().unwrap_or_default().trim_start_matches("customers: ");
    ensure!(ended.status.success(), "{said}");
    serde_json::from_slice(&ended.stdout).context("the costs can't be read")
}

/// Reads a task from standard input, and writes the costs to standard output.
pub(crate) fn run() -> Result<()> {
    let mut text = Vec::new();
    std::io::stdin().take(MOST_TASK).read_to_end(&mut text)?;
    let task: Task = serde_json::from_slice(&text).context("the task can't be read")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let time = Duration::from_millis(task.time_ms);
    let costs = runtime.block_on(async {
        let probed = tokio::time::timeout(PATIENCE + time * 2, probe_url(&task.url, time));
        probed.await.context("not probed in time")?
    })?;
    println!("{}", serde_json::to_string(&costs)?);
    Ok(())
}

async fn probe_url(url: &str, time: Duration) -> Result<Costs> {
    let base_bytes = status("RssAnon:");
    let lookup = Connector::new(url)?.connect().await?;
    let before = service(url).await;
    let own_before = own_cpu();
    let (mut works, cold_us) = probe(&*lookup, time, own_cpu).await?;
    let own = own_cpu().zip(own_before).map_or(0.0, |(after, before)| (after - before).as_secs_f64());
    let after = service(url).await;
    if let (Some((before, _)), Some((after, _))) = (before, after)
        && own > 0.0
    {
        // The service's processor time is spread over the calls as the caller's is.
        let both = 1.0 + (after - before).max(0.0) / own;
        works.iter_mut().for_each(|work| work.cpu_us *= both);
    }
    let shared = if Place::of_url(url) == Some(Place::File) { status("RssFile:") } else { 0.0 };
    let memory =
        Memory { private: status("RssAnon:"), shared, service: after.map_or(0.0, |(_, memory)| memory) };
    Ok(Costs { works, cold_us, memory, base_bytes })
}

/// Returns the processor time of all threads of this process.
fn own_cpu() -> Option<Duration> {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime)).ok()
}

/// Returns bytes of `/proc/self/status`.
fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}

/// Returns the service's processor time in seconds and its memory in bytes, if it sends them.
async fn service(url: &str) -> Option<(f64, f64)> {
    let text = tokio::time::timeout(METRICS, metrics_of(url)).await.ok()??;
    metric(&text, "process_cpu_seconds_total").zip(metric(&text, "process_resident_memory_bytes"))
}
