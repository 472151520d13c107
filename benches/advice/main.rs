//! Records workloads and what each costs in each place, next to what the advice predicts.
//!
//! Each place has a separate process. It is probed for 2 s, and then answers each workload for `--time`:
//! calls at random times with a mean rate. The recording has the ledgers, the probes and the measurements, so
//! that the advice can be asked for again from it: the test in `recording.rs` does.
//!
//! `cargo run --release -p benches --bin advice -- [--time-ms 1000] [--out FILE]`, on a machine with nothing else to do,
//! records. With `--from FILE` it asks for the advice again.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

mod cell;
mod recording;
mod workloads;

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use benches::{Service, serve_if_asked};
use clap::Parser;
use postcode_core::dataset::Dataset;
use postcode_core::layers::advice::{Place, PlaceCosts, echo};

use cell::{Costs, Task};
use recording::{Recorded, Recording};

/// Records workloads and the advice for them.
#[derive(Parser)]
struct Args {
    /// Milliseconds of one workload in one place
    #[arg(long, default_value_t = 1_000)]
    time_ms: u64,
    /// The file for the recording
    #[arg(long)]
    out: Option<std::path::PathBuf>,
    /// Ask for the advice again from this recording, and measure nothing
    #[arg(long, conflicts_with = "out")]
    from: Option<std::path::PathBuf>,
}

fn main() -> Result<()> {
    if cell::run_if_asked()? {
        return Ok(());
    }
    serve_if_asked()?;
    let args = Args::parse();
    if let Some(from) = &args.from {
        let recording: Recording = serde_json::from_slice(&std::fs::read(from)?)?;
        println!("{recording}\n{}", recording.score());
        return Ok(());
    }
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
    println!("{recording}\n{}", recording.score());
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
