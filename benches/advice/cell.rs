//! Measures one place: a probe, and then each workload.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use postcode_core::layers::advice::{CallCosts, Memory, Place, PlaceCosts, Work, probe};
use postcode_core::layers::{Ledger, LedgerSnapshot};
use postcode_core::{Lookups, Postcode, PostcodeLookup, connect};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::workloads::{self, Workload};

pub(crate) const ASKED: &str = "POSTCODE_BENCH_ADVICE";
const PROBING: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) url: String,
    /// The process of the service.
    pub(crate) service: Option<u32>,
    pub(crate) time_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Costs {
    pub(crate) base_bytes: f64,
    pub(crate) probed: PlaceCosts,
    pub(crate) calls: Vec<CallCosts>,
    pub(crate) ledgers: Vec<LedgerSnapshot>,
}

/// Measures a place, if this process was started for it.
pub(crate) fn run_if_asked() -> Result<bool> {
    if std::env::var_os(ASKED).is_none() {
        return Ok(false);
    }
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let task: Task = serde_json::from_slice(&text)?;
    let costs = tokio::runtime::Runtime::new()?.block_on(measure(&task))?;
    println!("{}", serde_json::to_string(&costs)?);
    Ok(true)
}

async fn measure(task: &Task) -> Result<Costs> {
    let base_bytes = status("self", "RssAnon:");
    let lookup: Arc<dyn Lookups> = connect(&task.url).await?;
    let service = task.service.map(|id| id.to_string());
    let cpu = || Some(processor("self") + service.as_deref().map_or(Duration::ZERO, processor));
    let (works, cold_us) = probe(&*lookup, PROBING, cpu).await?;
    let place = Place::of_url(&task.url).unwrap_or(Place::Embedded);
    let is_mapped = matches!(place, Place::File | Place::Replica);
    let memory = Memory {
        private: status("self", "RssAnon:"),
        shared: if is_mapped { status("self", "RssFile:") } else { 0.0 },
        service: service.as_deref().map_or(0.0, |id| status(id, "VmRSS:")),
    };
    let probed = PlaceCosts { place, works, cold_us, memory, measured: true };
    let mut postcodes = Vec::new();
    while postcodes.len() < 1_000 {
        let Some(record) = lookup.random(None).await? else { break };
        postcodes.push(record.postcode);
    }
    let postcodes: Arc<[Postcode]> = postcodes.into();
    let (mut calls, mut ledgers) = (Vec::new(), Vec::new());
    for workload in workloads::all() {
        let time = Duration::from_millis(task.time_ms);
        // What the arrivals themselves cost, without calls.
        let before = cpu().unwrap_or_default();
        run(None, &workload, &postcodes, time / 4).await?;
        let idle = (cpu().unwrap_or_default().saturating_sub(before)) * 4;
        let ledger = Ledger::new(lookup.clone());
        let before = cpu().unwrap_or_default();
        let mut times = run(Some(&ledger), &workload, &postcodes, time).await?;
        let busy = cpu().unwrap_or_default().saturating_sub(before).saturating_sub(idle);
        times.sort_by(f64::total_cmp);
        let count = times.len().max(1);
        let at = |share: f64| times.get((count as f64 * share) as usize).copied().unwrap_or(0.0);
        calls.push(CallCosts {
            p50_us: at(0.5),
            p99_us: at(0.99),
            cpu_us: busy.as_secs_f64() * 1e6 / count as f64,
            rate: count as f64 / time.as_secs_f64(),
        });
        ledgers.push(ledger.snapshot());
    }
    Ok(Costs { base_bytes, probed, calls, ledgers })
}

/// Makes calls at random times. Returns how long each took, in microseconds.
async fn run(
    ledger: Option<&Ledger<Arc<dyn Lookups>>>,
    workload: &Workload,
    postcodes: &Arc<[Postcode]>,
    time: Duration,
) -> Result<Vec<f64>> {
    let (due, mut arrivals) = mpsc::unbounded_channel();
    let (rate, works) = (workload.rate, workload.works.clone());
    // A separate thread: the timer of the runtime has a resolution of a millisecond.
    let pace = std::thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(1);
        let all: f64 = works.iter().map(|(_, weight)| weight).sum();
        let (begun, mut next) = (Instant::now(), Duration::ZERO);
        loop {
            next += Duration::from_secs_f64(-(1.0 - random.f64()).ln() / rate);
            if next >= time {
                return;
            }
            std::thread::sleep(next.saturating_sub(begun.elapsed()));
            let mut point = random.f64() * all;
            let chosen = works.iter().find(|(_, weight)| {
                point -= weight;
                point <= 0.0
            });
            let Some((work, _)) = chosen.or(works.last()) else { return };
            if due.send(*work).is_err() {
                return;
            }
        }
    });
    let mut calls = tokio::task::JoinSet::new();
    let mut number = 0;
    while let Some(work) = arrivals.recv().await {
        number += 1;
        let (ledger, postcodes) = (ledger.cloned(), postcodes.clone());
        calls.spawn(call(ledger, work, postcodes, number));
    }
    pace.join().map_err(|_| anyhow::anyhow!("the thread that paces panicked"))?;
    let mut times = Vec::new();
    while let Some(ended) = calls.join_next().await {
        times.push(ended??);
    }
    Ok(times)
}

async fn call(
    ledger: Option<Ledger<Arc<dyn Lookups>>>,
    work: Work,
    postcodes: Arc<[Postcode]>,
    number: usize,
) -> Result<f64> {
    let begun = Instant::now();
    if let Some(ledger) = ledger {
        work.ask(&ledger, &postcodes, number).await?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6)
}

/// Returns the processor time of all threads of a process.
fn processor(process: &str) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let ran = |text: String| text.split(' ').next().and_then(|ran| ran.parse::<u64>().ok());
    let all = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    Duration::from_nanos(all.filter_map(ran).sum())
}

/// Returns bytes of `/proc/PROCESS/status`.
fn status(process: &str, key: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}
