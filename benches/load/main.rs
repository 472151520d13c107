//! Measures latency and goodput of the service at shares of its capacity, and writes docs/performance.
//!
//!     cargo run --release -p benches --bin load -- --out docs/performance
//!
//! The capacity is what connections get that ask without a pause. Then requests come at a constant
//! rate, 50, 80 and 200 percent of the capacity, whether earlier ones are answered or not. Times
//! count from when a request was due, so a pause of the service is seen by all requests that fall
//! into it (no coordinated omission). Then it shows how cost grows with connections and with postcodes. The service is another process over the embedded data.

mod growth;
mod plot;
mod report;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use benches::open_loop::{Ask, Counts, Load};
use benches::{Service, serve_if_asked};
use clap::{Parser, ValueEnum};
use postcode_core::dataset::Dataset;
use postcode_core::{Postcode, Status};

use growth::{OfConnections, OfRows};

/// Measures latency and goodput of the service at shares of its capacity.
#[derive(Debug, Parser)]
struct Args {
    /// Sends only this kind of request; both kinds if not given
    #[arg(long, value_enum, value_name = "WORK")]
    work: Option<Work>,
    /// How many seconds each rate is measured
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// The connections of the constant rates. So many requests can be with the service at once
    #[arg(long, default_value_t = 2_000)]
    connections: usize,
    /// A folder for README.md and the plots
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Run for a second each with few connections, to see whether it works
    #[arg(long, conflicts_with_all = ["seconds", "connections"])]
    smoke: bool,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Work {
    /// One postcode
    Lookup,
    /// A batch of 100 postcodes
    Bulk,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Bulk => "bulk",
        }
    }

    fn route(self) -> &'static str {
        match self {
            Self::Lookup => "one postcode, `GET /postcodes/{postcode}`",
            Self::Bulk => "100 postcodes, `POST /postcodes`",
        }
    }

    /// Returns requests for postcodes of the whole country, drawn at random.
    fn asks(self, postcodes: &[Postcode]) -> Arc<[Ask]> {
        match self {
            Self::Lookup => {
                postcodes.iter().map(|it| Ask::get(format!("/postcodes/{}", it.compact()))).collect()
            }
            Self::Bulk => {
                let body = |chunk: &[Postcode]| {
                    let texts: Vec<String> = chunk.iter().map(ToString::to_string).collect();
                    // Texts of letters, digits and spaces are written as in JSON.
                    format!("{{\"postcodes\":{texts:?}}}")
                };
                let ask = |chunk| Ask { path: "/postcodes".to_owned(), body: Some(body(chunk).into()) };
                postcodes.chunks_exact(100).map(ask).collect()
            }
        }
    }
}

/// The shares of the capacity, in percent.
const SHARES: [u32; 3] = [50, 80, 200];

/// The load at one rate.
struct Row {
    share: u32,
    rate: u32,
    counts: Counts,
}

/// All rates of one kind of request.
struct Series {
    work: Work,
    /// Answers a second.
    capacity: f64,
    /// Answers a second of a server of hyper alone with the same bytes.
    bare: Option<f64>,
    rows: Vec<Row>,
}

/// All that was measured.
struct Measured {
    series: Vec<Series>,
    connections: Vec<OfConnections>,
    rows: Vec<OfRows>,
}

fn main() -> Result<()> {
    serve_if_asked()?;
    let mut args = Args::parse();
    if args.smoke {
        (args.seconds, args.connections) = (1, 16);
    }
    ensure!((1..=600).contains(&args.seconds), "--seconds: give 1 to 600");
    ensure!((1..=10_000).contains(&args.connections), "--connections: give 1 to 10000");
    rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files can't be raised")?;
    let postcodes = drawn()?;
    let kinds = args.work.map_or(vec![Work::Lookup, Work::Bulk], |work| vec![work]);
    let series =
        kinds.into_iter().map(|work| measure(&args, work, &postcodes)).collect::<Result<Vec<_>>>()?;
    let (most, sample) = if args.smoke { (10, 1) } else { (10_000, 100) };
    let connections = growth::of_connections(args.seconds, most, &postcodes)?;
    let most = if args.smoke { 10_000 } else { usize::MAX };
    let rows = growth::of_rows(Duration::from_millis(sample), most)?;
    report::write(&args, &Measured { series, connections, rows })
}

/// Draws live postcodes at random, the same ones each time.
fn drawn() -> Result<Vec<Postcode>> {
    let country = Dataset::embedded()?;
    let mut live: Vec<Postcode> =
        country.iter().filter(|record| record.status == Status::Live).map(|record| record.postcode).collect();
    fastrand::Rng::with_seed(7).shuffle(&mut live);
    live.truncate(20_000);
    Ok(live)
}

fn measure(args: &Args, work: Work, postcodes: &[Postcode]) -> Result<Series> {
    let service = Service::start("127.0.0.1:0")?;
    let address = address_of(&service)?;
    let window = Duration::from_secs(args.seconds);
    let closed = Load { address, connections: 256, rate: 1, window, asks: work.asks(postcodes) };
    eprintln!("{}: capacity …", work.name());
    Load { window: Duration::from_secs(1), ..closed.clone() }.run_closed()?;
    let per_second = |load: &Load| anyhow::Ok(load.run_closed()?.answered as f64 / window.as_secs_f64());
    let capacity = per_second(&closed)?;
    let bare = match work {
        Work::Lookup => {
            Some(per_second(&Load { address: address_of(&Service::start_bare()?)?, ..closed.clone() })?)
        }
        Work::Bulk => None,
    };
    ensure!(capacity >= 10.0, "{}: only {capacity:.1} answers a second", work.name());
    let rows = SHARES.iter().map(|&share| {
        let rate = (capacity * f64::from(share) / 100.0) as u32;
        eprintln!("{}: {rate} a second …", work.name());
        let counts = Load { connections: args.connections, rate, ..closed.clone() }.run(work.name())?;
        Ok(Row { share, rate, counts })
    });
    Ok(Series { work, capacity, bare, rows: rows.collect::<Result<_>>()? })
}

fn address_of(service: &Service) -> Result<SocketAddr> {
    let address = service.url.trim_start_matches("http://");
    address.parse().with_context(|| format!("{address}: not an address"))
}
