//! A running consumer walks from the library to a service by itself, and leaves a certificate. Then
//! the service is killed, the guard steps back, and the consumer walks once more.
//!
//! The consumer holds an `Arc<dyn Lookups>`, is under load all the time, and does not notice
//! what happens behind it. Each line of output is a step that has ended, with what the consumer
//! observed in it. A failed or wrong answer ends this program with an error.
//!
//! `cargo run --release --example promote -- walk.json` also writes the certificate, with the roots of all
//! answers of both sides, which takes some seconds more.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use postcode_core::layers::walk::{
    Certificate, CertifiedFile, CertifiedSide, Move, Outcome, Used, Walk, WalkStep, Walked, walk,
};
use postcode_core::layers::{Guard, Promotion, PromotionConfig, Stage};
use postcode_core::proof::root_of;
use postcode_core::wire::Digest;
use postcode_core::{Answer, Local, Lookups, Postcode, PostcodeLookup, PostcodeLookupExt, connect};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Frontend, Listener, Options, run};
use sha2::{Digest as _, Sha256};

/// The duration of each step.
const STEP: Duration = Duration::from_millis(1500);
/// The number of concurrent callers, and how long each rests between two calls.
const CALLERS: usize = 8;
const REST: Duration = Duration::from_millis(2);
/// How long a very busy machine may take to answer a call or to complete a step.
const PATIENCE: Duration = Duration::from_secs(60);
/// Set for the process that becomes the service: the address to listen on.
const LISTEN: &str = "POSTCODE_EXAMPLE_LISTEN";

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    match std::env::var(LISTEN) {
        Ok(listen) => runtime.block_on(serve(&listen)),
        Err(_) => runtime.block_on(async {
            tokio::time::timeout(PATIENCE * 5, migrate())
                .await
                .with_context(|| format!("not finished within {:?}", PATIENCE * 5))?
        }),
    }
}

/// From the library to the service: each step goes on when it is shown that fewer than one call in a
/// hundred fails or differs.
fn steps() -> Walk {
    let mut library = WalkStep::new(Stage::Local, None);
    library.at_least = STEP;
    let mut compare = WalkStep::new(Stage::Shadow, Some(0.5));
    (compare.compared, compare.differences, compare.errors) = (500, Some(0.01), Some(0.01));
    let mut some = WalkStep::new(Stage::Canary, Some(0.2));
    (some.differences, some.errors) = (Some(0.01), Some(0.01));
    let mut all = WalkStep::new(Stage::RemoteWithFallback, None);
    all.errors = Some(0.01);
    let mut alone = WalkStep::new(Stage::Remote, None);
    alone.errors = Some(0.01);
    Walk::new(vec![library, compare, some, all, alone])
}

async fn migrate() -> Result<()> {
    let mut service = Service::start("127.0.0.1:0")?;
    let library = connect("embedded:").await?;
    // On a busy machine slow calls must not count for the client and the guard, only failures.
    let remote = connect(&format!("{}?timeout={PATIENCE:?}&deadline={PATIENCE:?}", service.url)).await?;
    let mut config = PromotionConfig::default();
    config.patience = PATIENCE;
    let mut guard = Guard::default();
    guard.slow = PATIENCE;
    config.guard = Some(guard);
    let promotion = Promotion::with(library.clone(), remote.clone(), config);
    let consumer = Consumer::start(Arc::new(promotion.clone()), &*library).await?;
    println!(
        "{CALLERS} callers, one look-up every {REST:?} each; the service is process {}\n",
        service.process.id()
    );
    println!(
        "{:22} {:20} {:>6} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "stage", "calls", "failures", "p50", "p99", "compared", "agreed", "fallbacks"
    );

    let walked = consumer.walk(&steps(), &promotion).await?;
    let sides = [side("embedded:", &*library).await?, side(&service.url, &*remote).await?];
    certify(sides, guard, walked).await?;

    promotion.set(Stage::RemoteWithFallback, None)?;
    consumer.watch("with the net again", &promotion).await?;
    service.kill()?;
    let killed = Instant::now();
    while promotion.stage() != Stage::Local && killed.elapsed() < PATIENCE {
        tokio::time::sleep(REST).await;
    }
    consumer.watch("the service is killed", &promotion).await?;
    let seen = promotion.snapshot();
    ensure!(seen.step_backs > 0 && seen.stage == Stage::Local, "the guard did not step back: {seen:?}");
    if let Some(step) = seen.last_step_back {
        println!(
            "{:22} the guard stepped back {} times, to {}: {}",
            "", seen.step_backs, step.to, step.reason
        );
    }

    let address = service.url.trim_start_matches("http://").to_owned();
    service = Service::start(&address)?;
    // After a failure the client stops calling for a moment, and then notices by itself that the
    // service is back.
    let begun = Instant::now();
    while remote.info().await.is_err() {
        tokio::time::sleep(REST).await;
    }
    println!("{:22} started again; the client is back {} later", "", short(begun.elapsed()));
    consumer.walk(&steps(), &promotion).await?;
    promotion.set(Stage::Local, None)?;
    consumer.watch("back to the library", &promotion).await?;
    drop(service);

    let seen = promotion.snapshot();
    ensure!(seen.mismatched == 0, "{} differences: {:?}", seen.mismatched, seen.examples);
    ensure!(seen.failed == 0, "{} calls failed", seen.failed);
    println!("\n{} calls, none failed; {} answers compared, all equal", seen.calls, seen.compared);
    Ok(())
}

async fn side(source: &str, lookup: &dyn Lookups) -> Result<CertifiedSide> {
    let info = lookup.info().await?;
    let root = match std::env::args().nth(1) {
        Some(_) => root_of(source).await?,
        None => None,
    };
    Ok(CertifiedSide {
        source: source.to_owned(),
        edition: info.edition,
        fingerprint: info.fingerprint,
        root,
    })
}

/// Makes the certificate, reads it again as another machine would, and writes it if a path is given.
async fn certify(sides: [CertifiedSide; 2], guard: Guard, walked: Walked) -> Result<()> {
    let mut certificate = Certificate::new("examples/promote".to_owned(), sides, guard, steps(), walked);
    let program = std::env::current_exe()?;
    let bytes = std::fs::read(&program)?;
    certificate.files.push(CertifiedFile {
        name: program.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        bytes: bytes.len() as u64,
        sha256: Digest(Sha256::digest(&bytes).into()),
    });
    let text = certificate.to_text()?;
    Certificate::from_text(&text)?.check()?;
    let changed = text.replacen("\"failed\": 0", "\"failed\": 1", 1);
    ensure!(Certificate::from_text(&changed).is_err(), "a changed digit was not seen");
    let place = match std::env::args().nth(1) {
        Some(path) => {
            std::fs::write(&path, &text).with_context(|| path.clone())?;
            format!("in {path}: postcode-service verify-walk {path}")
        }
        None => "not written: give a path to keep it".to_owned(),
    };
    println!("{:22} certificate of {} bytes, derived again; {place}", "", text.len());
    Ok(())
}

/// An application under load. It knows only a lookup.
struct Consumer {
    seen: Arc<Seen>,
    _callers: tokio::task::JoinSet<()>,
}

/// The observations of the callers in this step.
#[derive(Default)]
struct Seen {
    latencies: Mutex<Vec<Duration>>,
    failures: AtomicU64,
    before: Mutex<(u64, u64, u64)>,
}

impl Consumer {
    /// Starts callers that look up postcodes whose answers are known beforehand.
    async fn start(lookup: Arc<dyn Lookups>, known: &dyn Lookups) -> Result<Self> {
        let mut expected = Vec::new();
        for _ in 0..500 {
            let record = known.random(None).await?.context("a country without postcodes")?;
            expected.push((record.postcode, Answer::Live(record)));
        }
        for text in ["AB1 0AA", "SW1A 9ZZ", "BT1 5GS"] {
            let postcode: Postcode = text.parse()?;
            expected.push((postcode, known.get(postcode).await?));
        }
        let (expected, seen) = (Arc::new(expected), Arc::new(Seen::default()));
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..CALLERS {
            let (lookup, expected, seen) = (lookup.clone(), expected.clone(), seen.clone());
            callers.spawn(async move {
                for n in 0.. {
                    let (postcode, answer) = &expected[(caller * 61 + n) % expected.len()];
                    let begun = Instant::now();
                    let got = lookup.get(*postcode).await;
                    lock(&seen.latencies).push(begun.elapsed());
                    if got.as_ref().ok() != Some(answer) {
                        seen.failures.fetch_add(1, Relaxed);
                        eprintln!("{postcode}: {got:?}");
                    }
                    tokio::time::sleep(REST).await;
                }
            });
        }
        Ok(Self { seen, _callers: callers })
    }

    /// Lets the promotion walk to the end, and reports each step that has ended.
    async fn walk(&self, steps: &Walk, promotion: &Promotion) -> Result<Walked> {
        lock(&self.seen.latencies).clear();
        let mut reported = Ok(());
        let tell = |made: &Move| {
            if made.revision > 1 && reported.is_ok() {
                reported = self.report(&shown(made), made.from, promotion);
            }
        };
        let walked = walk(promotion, steps, Used::default, tell).await?;
        reported?;
        ensure!(walked.outcome == Outcome::Done, "it did not walk to the end: {:?}", walked.moves.last());
        Ok(walked)
    }

    /// Runs for one step and reports how it went.
    async fn watch(&self, name: &str, promotion: &Promotion) -> Result<()> {
        lock(&self.seen.latencies).clear();
        tokio::time::sleep(STEP).await;
        // On a busy machine, waits until each caller should have had a turn.
        let begun = Instant::now();
        while lock(&self.seen.latencies).len() < CALLERS && begun.elapsed() < PATIENCE {
            tokio::time::sleep(REST).await;
        }
        self.report(name, promotion.stage(), promotion)
    }

    /// Reports what was observed since the last report.
    fn report(&self, name: &str, stage: Stage, promotion: &Promotion) -> Result<()> {
        let mut latencies = std::mem::take(&mut *lock(&self.seen.latencies));
        let failures = self.seen.failures.load(Relaxed);
        latencies.sort_unstable();
        let calls = latencies.len();
        let quantile = |q: f64| latencies.get((calls as f64 * q) as usize).copied().unwrap_or_default();
        let now = promotion.snapshot();
        let mut before = lock(&self.seen.before);
        let (compared, matched, fallbacks) =
            (now.compared - before.0, now.matched - before.1, now.fallbacks - before.2);
        *before = (now.compared, now.matched, now.fallbacks);
        let agreed = match compared {
            0 => "-".to_owned(),
            _ => format!("{:.2} %", matched as f64 / compared as f64 * 100.0),
        };
        println!(
            "{name:22} {stage:20} {calls:>6} {failures:>8} {:>9} {:>9} {compared:>9} {agreed:>9} {fallbacks:>9}",
            short(quantile(0.5)),
            short(quantile(0.99))
        );
        ensure!(calls > 0 && failures == 0, "{failures} of {calls} calls failed in this step");
        Ok(())
    }
}

fn short(time: Duration) -> String {
    match time.as_secs_f64() * 1e6 {
        us if us < 1000.0 => format!("{us:.1} µs"),
        us => format!("{:.1} ms", us / 1e3),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The service: this program, started again. It ends when this value is dropped, and with this
/// process however that ends, because its standard input is a pipe from here.
struct Service {
    process: Child,
    url: String,
    _alive: Option<ChildStdin>,
}

impl Service {
    fn start(listen: &str) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .env(LISTEN, listen)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the service could not be started")?;
        let alive = process.stdin.take();
        let stdout = process.stdout.take().context("the service has no standard output")?;
        let mut service = Self { process, url: String::new(), _alive: alive };
        BufReader::new(stdout).read_line(&mut service.url)?;
        service.url.truncate(service.url.trim_end().len());
        ensure!(!service.url.is_empty(), "the service ended before it listened");
        Ok(service)
    }

    /// Kills the service with `kill -9`.
    fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Fails only if the service has already ended.
        let _ = self.kill();
    }
}

async fn serve(listen: &str) -> Result<()> {
    std::thread::spawn(|| {
        // Ends when the other process does.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let options = Options::default();
    let local = Local::embedded()?;
    let dataset = local.dataset();
    let edition = Edition::of(Arc::new(local)).await?.listing(dataset);
    let api = Api::new(edition, Limits::default());
    let listener = Listener::bind(&listen.parse().map_err(anyhow::Error::msg)?).await?;
    println!("{}", listener.url()?);
    run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()).await;
    Ok(())
}

/// Says in a few words why a step has ended.
fn shown(made: &Move) -> String {
    match made.evidence.asked {
        0 => "its time is over".to_owned(),
        calls => format!("shown by {calls} calls"),
    }
}
