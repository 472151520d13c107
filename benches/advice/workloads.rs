//! The workloads, drawn with a seed so that nobody chose them by their results.

use postcode_core::layers::advice::{Deployment, Place, Work};

/// The number of workloads.
const COUNT: u64 = 30;

/// Calls at a rate, and who makes them.
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) now: Place,
    pub(crate) deployment: Deployment,
    /// Calls a second.
    pub(crate) rate: f64,
    /// The kinds of calls, each with its weight.
    pub(crate) works: Vec<(Work, f64)>,
}

/// Returns all workloads.
pub(crate) fn all() -> Vec<Workload> {
    (0..COUNT).map(draw).collect()
}

fn draw(number: u64) -> Workload {
    let mut random = fastrand::Rng::with_seed(number);
    let kinds = [
        Work::Lookup,
        Work::Batch(1 + random.usize(0..100)),
        Work::Nearest(1 + random.usize(0..50)),
        Work::Autocomplete(10),
        Work::Within(100),
        Work::Outcode,
    ];
    let works: Vec<(Work, f64)> =
        (0..=random.usize(0..3)).map(|_| (kinds[random.usize(0..kinds.len())], 0.1 + random.f64())).collect();
    // On a logarithmic scale, 10 to 1,000 a second.
    let rate = 10_f64.powf(1.0 + 2.0 * random.f64());
    let processes = [1.0, 1.0, 4.0, 20.0][random.usize(0..4)];
    let machines = [1.0, 1.0, 10.0, 100.0][random.usize(0..4)];
    let max_p99_us = [None, None, Some(100.0), Some(5_000.0)][random.usize(0..4)];
    let now = [Place::Embedded, Place::Embedded, Place::Tcp][random.usize(0..3)];
    let deployment = Deployment { processes, machines, max_p99_us, cores: 2.0, ..Deployment::default() };
    let kinds: Vec<&str> = works.iter().map(|(work, _)| work.method()).collect();
    let name = format!("{number}: {} at {rate:.0}/s, {processes}x{machines}", kinds.join("+"));
    Workload { name, now, deployment, rate, works }
}
