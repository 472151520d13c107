//! How cost grows: with connections over HTTP, and with postcodes in the process.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use benches::open_loop::Load;
use benches::{Questions, Round, Service};
use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata};
use postcode_core::{Nearest, Postcode};

use crate::{Work, address_of};

/// Connections that ask without a pause.
const CONNECTIONS: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// Postcodes in a dataset. The last is more than the country has, so it is the whole country.
const POSTCODES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Answers and times over that many connections.
pub(crate) struct OfConnections {
    pub(crate) connections: usize,
    /// Answers a second.
    pub(crate) rate: f64,
    /// Microseconds: the median and the 99th percentile.
    pub(crate) latency: [f64; 2],
    /// Refused or not answered.
    pub(crate) failed: u64,
}

/// The questions of [`of_rows`], in the order of its times.
pub(crate) const QUESTIONS: [&str; 4] =
    ["lookup", "batch of 100, each", "autocomplete", "nearest ten in 2 km"];

/// Times of questions to a dataset of that many postcodes.
pub(crate) struct OfRows {
    pub(crate) postcodes: usize,
    /// Nanoseconds of each of the [`QUESTIONS`].
    pub(crate) times: [f64; 4],
}

/// Measures single lookups over more and more connections.
pub(crate) fn of_connections(
    seconds: u64,
    most: usize,
    postcodes: &[Postcode],
) -> Result<Vec<OfConnections>> {
    let service = Service::start("127.0.0.1:0")?;
    let address = address_of(&service)?;
    let window = Duration::from_secs(seconds);
    let load = Load { address, connections: 1, rate: 1, window, asks: Work::Lookup.asks(postcodes) };
    let measured = CONNECTIONS.into_iter().filter(|&connections| connections <= most).map(|connections| {
        eprintln!("{connections} connections …");
        let counts = Load { connections, ..load.clone() }.run_closed()?;
        let latency = [0.5, 0.99].map(|quantile| counts.latency.value_at_quantile(quantile) as f64);
        let rate = counts.answered as f64 / window.as_secs_f64();
        Ok(OfConnections { connections, rate, latency, failed: counts.refused + counts.failed })
    });
    measured.collect()
}

/// Measures questions to larger and larger parts of the country, each evenly spread over it.
pub(crate) fn of_rows(sample: Duration, most: usize) -> Result<Vec<OfRows>> {
    let country = Dataset::embedded()?;
    let all = usize::try_from(country.info().live + country.info().terminated)?;
    let mut measured: Vec<OfRows> = Vec::new();
    for postcodes in POSTCODES.map(|postcodes| postcodes.min(all)).into_iter().filter(|&it| it <= most) {
        eprintln!("{postcodes} postcodes …");
        let mut builder = DatasetBuilder::new(Metadata::new("part"));
        for (n, record) in country.iter().enumerate() {
            // Each n whose share reaches a next whole number.
            if n * postcodes / all != (n + 1) * postcodes / all {
                builder.push_record(&record)?;
            }
        }
        measured.push(OfRows { postcodes, times: times(&builder.build()?, sample)? });
    }
    Ok(measured)
}

fn times(dataset: &Dataset, sample: Duration) -> Result<[f64; 4]> {
    let questions = Questions::draw(dataset);
    let sectors: Vec<String> = questions.random.iter().map(|it| it.sector().to_string()).collect();
    let located = questions.random.iter().filter_map(|&it| dataset.location(it));
    let around: Vec<Nearest> = located.map(|it| Nearest::to(it).limit(10).radius(2_000.0)).collect();
    let mut round = Round::of(&questions.random);
    let one = least(sample, || drop(black_box(dataset.get(round.next(1)[0]))));
    let mut answers = Vec::new();
    let batch = least(sample, || {
        answers.clear();
        dataset.get_many(round.next(100), &mut answers);
        black_box(&answers);
    });
    let mut round = Round::of(&sectors);
    let autocomplete = least(sample, || drop(black_box(dataset.autocomplete(&round.next(1)[0], 10))));
    let mut round = Round::of(&around);
    let nearest = least(sample, || drop(black_box(dataset.nearest(&round.next(1)[0]))));
    Ok([one, batch / 100.0, autocomplete, nearest])
}

/// Returns the nanoseconds of one call, on average over the fastest of ten samples: waiting only adds.
fn least(sample: Duration, mut call: impl FnMut()) -> f64 {
    let samples = (0..10).map(|_| {
        let (begun, mut calls) = (Instant::now(), 0u32);
        while begun.elapsed() < sample {
            for _ in 0..64 {
                call();
            }
            calls += 64;
        }
        begun.elapsed().as_nanos() as f64 / f64::from(calls)
    });
    samples.fold(f64::INFINITY, f64::min)
}
