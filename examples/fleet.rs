//! Fifty processes under load that follow one plan of a service. It measures how long it takes from one
//! `PUT` until all have acknowledged it, and then makes two of fifty calls fail in each process.
//!
//! The processes are promotions in this program, each with its own client of the service over TCP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use postcode_core::layers::call::Call;
use postcode_core::layers::fleet::{Fleet, FleetLimits, FleetMember, Following, follow};
use postcode_core::layers::{Around, Promotion};
use postcode_core::remote::RemoteFleet;
use postcode_core::{AnyLookup, Error, ErrorKind, Lookups, PostcodeLookupExt, connect, layer};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Address, Frontend, Listener, Options, run};
use tokio::time::sleep;

const PROCESSES: usize = 50;
/// The pause of each caller between two calls: 50 callers make some 10,000 calls a second.
const BETWEEN_CALLS: Duration = Duration::from_millis(5);
/// The time for which a plan holds before the next one.
const HOLD: Duration = Duration::from_secs(2);

/// The new implementation, which fails while it is told to.
#[derive(Debug)]
struct Faulty {
    inner: AnyLookup,
    failing: AtomicBool,
}

impl Around for Faulty {
    type Inner = AnyLookup;

    async fn around<C: Call<AnyLookup>>(&self, call: C) -> postcode_core::Result<C::Reply> {
        match self.failing.load(Relaxed) {
            true => Err(Error::new(ErrorKind::Unavailable, "told to fail")),
            false => call.on(&self.inner).await,
        }
    }
}

layer!([] Faulty);

struct Process {
    new: Arc<Faulty>,
    promotion: Promotion,
}

#[tokio::main]
async fn main() -> Result<()> {
    let country = connect("embedded:").await?;
    let fleet = Fleet::new(Some("errors=1%".parse()?), FleetLimits::default());
    let url = serve(country.clone(), fleet.clone()).await?;
    let processes = start(&country, &url)?;
    acknowledged(&fleet, 0).await;
    println!("{PROCESSES} processes follow {url}\n");

    let (calls, failures, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let counts = Arc::new((calls, failures, done));
    let callers: Vec<_> = processes
        .iter()
        .map(|process| tokio::spawn(call(process.promotion.clone(), counts.clone())))
        .collect();
    println!("plan                   all acknowledged after      calls   failed");
    for plan in ["shadow:20%", "canary:50%", "remote-with-fallback", "canary:20%", "remote-with-fallback"] {
        let began = Instant::now();
        let set = fleet.set(plan.parse()?, None).await?;
        acknowledged(&fleet, set.revision).await;
        let took = began.elapsed();
        sleep(HOLD).await;
        let (calls, failed) = (counts.0.load(Relaxed), counts.1.load(Relaxed));
        println!("{plan:22} {:>20.1?} {calls:>10} {failed:>8}", took);
        ensure!(fleet.plan().revision == set.revision, "the fleet stepped back from equal sides");
    }
    counts.2.store(true, Relaxed);
    for caller in callers {
        caller.await?;
    }
    ensure!(counts.1.load(Relaxed) == 0, "calls failed");

    let before = fleet.set("remote-with-fallback".parse()?, None).await?.revision;
    acknowledged(&fleet, before).await;
    for process in &processes {
        for call in 0..50 {
            process.new.failing.store(call % 25 == 24, Relaxed);
            process.promotion.get_str("SW1A 1AA").await?;
        }
        process.new.failing.store(false, Relaxed);
    }
    let began = Instant::now();
    acknowledged(&fleet, before + 1).await;
    let plan = fleet.plan();
    let back = plan.step_backs.first().context("nothing stepped back")?;
    println!(
        "\ntwo faults of fifty calls in each: all in {} {:.1?} later\n{}",
        back.to,
        began.elapsed(),
        back.reason
    );
    let alone = processes.iter().filter(|process| process.promotion.snapshot().step_backs > 0).count();
    println!("processes whose own guard stepped back: {alone}");
    Ok(())
}

/// Starts the service that keeps the plan. Returns its URL.
async fn serve(country: Arc<dyn Lookups>, fleet: Fleet) -> Result<String> {
    let options = Options::default();
    let listener = Listener::bind(&"127.0.0.1:0".parse::<Address>().map_err(anyhow::Error::msg)?).await?;
    let url = listener.url()?;
    let api = Api::new(Edition::of(country).await?, Limits::default());
    api.serve_fleet(fleet);
    tokio::spawn(run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()));
    Ok(url)
}

fn start(country: &Arc<dyn Lookups>, url: &str) -> Result<Vec<Process>> {
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        let new = Arc::new(Faulty { inner: country.clone().into(), failing: AtomicBool::new(false) });
        let promotion = Promotion::new(country.clone(), new.clone());
        let member = FleetMember::new(promotion.clone(), format!("process-{number}"))?;
        tokio::spawn(follow(Arc::new(member), Arc::new(RemoteFleet::new(url)?), Following::default()));
        processes.push(Process { new, promotion });
    }
    Ok(processes)
}

async fn call(promotion: Promotion, counts: Arc<(AtomicU64, AtomicU64, AtomicBool)>) {
    while !counts.2.load(Relaxed) {
        let failed = promotion.get_str("SW1A 1AA").await.is_err();
        counts.0.fetch_add(1, Relaxed);
        counts.1.fetch_add(u64::from(failed), Relaxed);
        sleep(BETWEEN_CALLS).await;
    }
}

/// Waits until all processes follow a revision.
async fn acknowledged(fleet: &Fleet, revision: u64) {
    loop {
        let all = fleet.acknowledged();
        if all.len() == 1 && all[0].revision == revision && all[0].processes == PROCESSES {
            return;
        }
        sleep(Duration::from_millis(1)).await;
    }
}
