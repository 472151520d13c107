//! Measures the cost of each mode. The same questions about the same data go to:
//!
//! - `sync`: the dataset's own methods, without trait and future;
//! - `dyn`: `Arc<dyn PostcodeLookup>` in this process, as a consumer holds it;
//! - `unix`: a service in another process over HTTP on a Unix socket;
//! - `tcp`: the same over TCP on the loopback, with one connection kept alive.
//!
//! `cargo bench -p benches --bench modes`.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

use std::hint::black_box;
use std::sync::Arc;

use benches::{Questions, Round, Service, serve_if_asked};
use criterion::{BenchmarkId, Criterion, Throughput};
use postcode_core::dataset::Dataset;
use postcode_core::{Local, Nearest, PostcodeLookup, connect};
use tokio::runtime::Runtime;

fn main() {
    serve_if_asked().unwrap();
    let runtime = Runtime::new().unwrap();
    let local = Arc::new(Local::embedded().unwrap());
    let dataset = local.dataset();
    let questions = Questions::draw(&dataset);

    let folder = tempfile::tempdir().unwrap();
    let services = [
        ("unix", Service::start(&format!("unix:{}", folder.path().join("socket").display())).unwrap()),
        ("tcp", Service::start("127.0.0.1:0").unwrap()),
    ];
    let mut modes: Vec<(&str, Arc<dyn PostcodeLookup>)> = vec![("dyn", local)];
    for (name, service) in &services {
        let url = format!("{}?batch=1000&deadline=30s&timeout=30s", service.url);
        modes.push((name, runtime.block_on(connect(&url)).unwrap()));
    }

    let mut criterion = Criterion::default().configure_from_args();
    lookups(&mut criterion, &runtime, &dataset, &modes, &questions);
    queries(&mut criterion, &runtime, &dataset, &modes, &questions);
    criterion.final_summary();
}

type Modes = [(&'static str, Arc<dyn PostcodeLookup>)];

fn lookups(c: &mut Criterion, runtime: &Runtime, dataset: &Dataset, modes: &Modes, questions: &Questions) {
    let workloads = [
        ("hit", &questions.live, 1),
        ("random", &questions.random, 1),
        ("miss", &questions.missing, 1),
        ("terminated", &questions.terminated, 1),
        ("batch of 10", &questions.random, 10),
        ("batch of 100", &questions.random, 100),
    ];
    for (workload, postcodes, n) in workloads {
        let mut group = c.benchmark_group(workload);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function("sync", |b| {
            let mut round = Round::of(postcodes);
            let mut answers = Vec::with_capacity(n);
            b.iter(|| match round.next(n) {
                [one] => drop(black_box(dataset.get(*one))),
                many => {
                    answers.clear();
                    dataset.get_many(many, &mut answers);
                    black_box(&answers);
                }
            });
        });
        for (mode, lookup) in modes {
            group.bench_function(BenchmarkId::from_parameter(mode), |b| {
                let mut round = Round::of(postcodes);
                b.to_async(runtime).iter(|| {
                    let some = round.next(n);
                    async move { black_box(lookup.lookup(some).await.unwrap()) }
                });
            });
        }
        group.finish();
    }
}

fn queries(c: &mut Criterion, runtime: &Runtime, dataset: &Dataset, modes: &Modes, questions: &Questions) {
    let prefixes: Vec<String> =
        questions.random.iter().map(|postcode| postcode.sector().to_string()).collect();
    let mut group = c.benchmark_group("autocomplete");
    group.bench_function("sync", |b| {
        let mut round = Round::of(&prefixes);
        b.iter(|| black_box(dataset.autocomplete(&round.next(1)[0], 10).unwrap()));
    });
    for (mode, lookup) in modes {
        group.bench_function(BenchmarkId::from_parameter(mode), |b| {
            let mut round = Round::of(&prefixes);
            b.to_async(runtime).iter(|| {
                let prefix = &round.next(1)[0];
                async move { black_box(lookup.autocomplete(prefix, 10).await.unwrap()) }
            });
        });
    }
    group.finish();

    let points: Vec<Nearest> = questions
        .random
        .iter()
        .filter_map(|postcode| dataset.location(*postcode))
        .map(|location| Nearest::to(location).limit(10).radius(2_000.0))
        .collect();
    let mut group = c.benchmark_group("nearest");
    group.bench_function("sync", |b| {
        let mut round = Round::of(&points);
        b.iter(|| black_box(dataset.nearest(&round.next(1)[0]).unwrap()));
    });
    for (mode, lookup) in modes {
        group.bench_function(BenchmarkId::from_parameter(mode), |b| {
            let mut round = Round::of(&points);
            b.to_async(runtime).iter(|| {
                let query = &round.next(1)[0];
                async move { black_box(lookup.nearest(query).await.unwrap()) }
            });
        });
    }
    group.finish();
}
