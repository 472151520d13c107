//! Records workloads and what each costs in each place, next to what the advice predicts.
//!
//! Each place has a separate process. It is probed for 2 s, and then answers each workload for `--time`:
//! calls at random times with a mean rate. The recording has the ledgers, the probes and the measurements, so
//! that a test can ask for the advice again.
//!
//! `cargo run --release -p benches --bin advice -- [--time 1s] [--out FILE]`. On a machine with nothing else to do.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

mod cell;
mod workloads;

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use benches::{Service, serve_if_asked};
use clap::Parser;
use postcode_core::dataset::Dataset;
use postcode_core::layers::LedgerSnapshot;
use postcode_core::layers::advice::{
    CallCosts, Deployment, Echo, Place, PlaceCosts, advise, choose, echo, known_places, price,
};
use serde::{Deserialize, Serialize};

use cell::{Costs, Task};

/// Records workloads and the advice for them.
#[derive(Parser)]
struct Args {
    /// Milliseconds of one workload in one place
    #[arg(long, default_value_t = 1_000)]
    time_ms: u64,
    /// The file for the recording
    #[arg(long)]
    out: Option<std::path::PathBuf>,
}

/// A workload and what it cost in each place.
#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    name: String,
    now: Place,
    deployment: Deployment,
    ledger: LedgerSnapshot,
    measured: Vec<(Place, CallCosts)>,
}

/// All that was recorded.
#[derive(Debug, Serialize, Deserialize)]
struct Recording {
    date: String,
    machine: String,
    /// The mean number of processes that wanted to run, before.
    load: String,
    base_bytes: f64,
    echo: Echo,
    places: Vec<PlaceCosts>,
    workloads: Vec<Recorded>,
}

fn main() -> Result<()> {
    if cell::run_if_asked()? {
        return Ok(());
    }
    serve_if_asked()?;
    let args = Args::parse();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("gb.postcodes");
    std::fs::write(&file, Dataset::embedded()?.as_bytes())?;
    let unix = Service::start(&format!("unix:{}", folder.path().join("s").display()))?;
    let tcp = Service::start("127.0.0.1:0")?;
    let urls = [
        (Place::Embedded, "embedded:".to_owned(), None),
        (Place::File, format!("file:{}", file.display()), None),
        (Place::Replica, format!("replica:{}", tcp.url), None),
        (Place::Unix, unix.url.clone(), Some(unix.id())),
        (Place::Tcp, tcp.url.clone(), Some(tcp.id())),
    ];
    let mut costs = Vec::new();
    for (place, url, service) in urls {
        let task = Task { url, service, time_ms: args.time_ms };
        costs.push((place, measure(&task).with_context(|| place.to_string())?));
    }
    let recording = record(load.trim().to_owned(), costs)?;
    report(&recording);
    if let Some(out) = args.out {
        std::fs::write(out, serde_json::to_vec(&recording)?)?;
    }
    Ok(())
}

/// Measures one place in a separate process.
fn measure(task: &Task) -> Result<Costs> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(cell::ASKED, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().context("no standard input")?.write_all(&serde_json::to_vec(task)?)?;
    let ended = child.wait_with_output()?;
    ensure!(ended.status.success(), "it ended with {}", ended.status);
    serde_json::from_slice(&ended.stdout).context("the costs can't be read")
}

fn record(load: String, costs: Vec<(Place, Costs)>) -> Result<Recording> {
    let base_bytes = costs.first().map_or(0.0, |(_, costs)| costs.base_bytes);
    let names = workloads::all();
    let of_place = |(place, costs): &(Place, Costs)| PlaceCosts { place: *place, ..costs.probed.clone() };
    let places: Vec<PlaceCosts> = costs.iter().map(of_place).collect();
    let workloads = names.into_iter().enumerate().map(|(at, workload)| Recorded {
        name: workload.name,
        now: workload.now,
        deployment: workload.deployment,
        // The calls are the same in each place; the first is the library.
        ledger: costs[0].1.ledgers[at].clone(),
        measured: costs.iter().map(|(place, costs)| (*place, costs.calls[at])).collect(),
    });
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
    let cores = std::thread::available_parallelism()?;
    Ok(Recording {
        date: date(),
        machine: format!("{cores} cores, {}", processor.unwrap_or_default().trim_matches([' ', '\t', ':'])),
        load,
        base_bytes,
        echo: echo()?,
        workloads: workloads.collect(),
        places,
    })
}

/// Returns the seconds since 1970, as a text.
fn date() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs().to_string()
}

/// Prints the share of predictions near what was measured, and how often the best place was right.
fn report(recording: &Recording) {
    // As `customers` probes: the library, and the service over TCP. The others are derived.
    let probed: Vec<PlaceCosts> = recording
        .places
        .iter()
        .filter(|costs| matches!(costs.place, Place::Embedded | Place::Tcp))
        .cloned()
        .collect();
    let places = known_places(&probed, recording.base_bytes, Some(recording.echo));
    let mut near = [[0_usize; 3]; 5];
    let mut right = 0;
    for recorded in &recording.workloads {
        let alone = Deployment { cores: recorded.deployment.cores, ..Deployment::default() };
        let seen = advise(&recorded.ledger, recorded.now, &places, &alone);
        for prediction in &seen.predictions {
            let Some(at) = Place::ALL.iter().position(|place| *place == prediction.place) else { continue };
            let Some((_, calls)) = recorded.measured.iter().find(|(place, _)| *place == prediction.place)
            else {
                continue;
            };
            let pairs = [
                (prediction.p50_us, calls.p50_us),
                (prediction.p99_us, calls.p99_us),
                (prediction.cpu_us, calls.cpu_us),
            ];
            for (count, (predicted, measured)) in near[at].iter_mut().zip(pairs) {
                *count += usize::from((predicted / measured - 1.0).abs() <= 0.25);
            }
        }
        let advice = advise(&recorded.ledger, recorded.now, &places, &recorded.deployment);
        let measured: Vec<_> = recorded
            .measured
            .iter()
            .filter_map(|(place, calls)| {
                let memory = recording.places.iter().find(|costs| costs.place == *place)?.memory;
                Some(price(*place, *calls, memory, &recorded.deployment, true))
            })
            .collect();
        let (best, _) = choose(recorded.now, &measured, recorded.deployment.margin);
        right += usize::from(best == advice.best);
        println!("{:<40} advice {:<9} measured {best}", recorded.name, advice.best.as_str());
    }
    let all = recording.workloads.len();
    println!("\nwithin 25 %, of {all}     p50   p99   processor");
    for (place, [p50, p99, cpu]) in Place::ALL.iter().zip(near) {
        println!("{:<20} {p50:>5} {p99:>5} {cpu:>5}", place.as_str());
    }
    for (costs, derived) in recording.places.iter().zip(&places) {
        let sum = |costs: &PlaceCosts| costs.memory.private + costs.memory.shared + costs.memory.service;
        println!("{:<9} memory {:.2} of what was measured", costs.place.as_str(), sum(derived) / sum(costs));
    }
    println!("best place: {right} of {all} right; load before: {}", recording.load);
}
