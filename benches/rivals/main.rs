//! Compares the in-process lookup with other ways to keep the same rows in this process:
//!
//! - `HashMap` with the hasher of the standard library, and with foldhash;
//! - a sorted array with binary search, and `fst::Map`;
//! - redb and SQLite, in memory;
//! - `kiddo`, an immutable k-d tree of the postcodes' places on a sphere, for what is near. It gives
//!   numbers and squares of chords; ours gives records and lengths of geodesics.
//!
//! All know only the place of a postcode, or its number. Needs no database and no service:
//! `cargo bench --manifest-path benches/rivals/Cargo.toml --target-dir target/rivals`.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

// Of `benches`, without the service that it depends on.
#[path = "../questions.rs"]
mod questions;
mod stores;

use std::hint::black_box;
use std::num::NonZero;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use criterion::{Criterion, Throughput};
use kiddo::SquaredEuclidean;
use kiddo::immutable::float::kdtree::ImmutableKdTree;
use postcode_core::dataset::Dataset;
use postcode_core::{Local, Location, Postcode, PostcodeLookup};

use questions::{Questions, Round};
use stores::{Stores, xyz};

/// The radius in metres.
const RADIUS: f64 = 2_000.0;

fn main() {
    let local = Arc::new(Local::embedded().unwrap());
    let dataset = local.dataset();
    let questions = Questions::draw(&dataset);
    let stores = Stores::of(&dataset);
    stores.agree(&dataset, &questions.random);
    let mut criterion = Criterion::default().configure_from_args();
    parsing(&mut criterion, &questions.random);
    places(&mut criterion, &dataset, &stores, &questions.random);
    texts(&mut criterion, &dataset, &stores, &questions.random);
    through_the_trait(&mut criterion, &dataset, &*local, &questions.random);
    completions(&mut criterion, &dataset, &stores, &questions.random);
    neighbours(&mut criterion, &dataset, &questions.random);
    criterion.final_summary();
}

fn parsing(c: &mut Criterion, postcodes: &[Postcode]) {
    let texts: Vec<String> = postcodes.iter().map(ToString::to_string).collect();
    let mut group = c.benchmark_group("rivals parse");
    for (name, texts) in [("hot", &texts[..64]), ("random", &texts[..])] {
        group.bench_function(name, |b| {
            let mut round = Round::of(texts);
            b.iter(|| black_box(round.next(1)[0].parse::<Postcode>()));
        });
    }
    group.finish();
}

/// From a postcode to its place.
fn places(c: &mut Criterion, dataset: &Dataset, stores: &Stores, postcodes: &[Postcode]) {
    let mut group = c.benchmark_group("rivals place of a postcode");
    let mut measure = |name: &str, place: &dyn Fn(Postcode) -> Option<Location>| {
        group.bench_function(name, |b| {
            let mut round = Round::of(postcodes);
            b.iter(|| black_box(place(round.next(1)[0])));
        });
    };
    measure("ours", &|postcode| dataset.location(postcode));
    measure("HashMap", &|postcode| stores.hash_map.get(&postcode).copied());
    measure("HashMap, foldhash", &|postcode| stores.fast_map.get(&postcode).copied());
    measure("sorted array", &|postcode| {
        let at = stores.sorted.binary_search_by_key(&postcode, |(other, _)| *other).ok()?;
        Some(stores.sorted[at].1)
    });
    group.finish();
}

/// From a text to the place and the district, one at a time and in batches.
fn texts(c: &mut Criterion, dataset: &Dataset, stores: &Stores, postcodes: &[Postcode]) {
    let texts: Vec<String> = postcodes.iter().map(ToString::to_string).collect();
    let mut group = c.benchmark_group("rivals text to place and district");
    group.bench_function("ours", |b| {
        let mut round = Round::of(&texts);
        b.iter(|| {
            let record = dataset.find(round.next(1)[0].parse().unwrap()).unwrap();
            black_box((record.location(), record.admin_district().map(str::len)))
        });
    });
    group.bench_function("ours, whole record", |b| {
        let mut round = Round::of(&texts);
        b.iter(|| {
            let record = dataset.get(round.next(1)[0].parse().unwrap()).into_record().unwrap();
            black_box((record.location, record.admin_district().map(str::len)))
        });
    });
    group.bench_function("HashMap", |b| {
        let mut round = Round::of(&texts);
        b.iter(|| {
            let (place, district) = stores.by_text.get(&round.next(1)[0]).unwrap();
            black_box((*place, stores.districts.get(*district as usize).map(String::len)))
        });
    });
    group.bench_function("fst", |b| {
        let mut round = Round::of(&texts);
        b.iter(|| black_box(stores.fst.get(&round.next(1)[0])));
    });
    group.bench_function("redb", |b| {
        let mut round = Round::of(&texts);
        b.iter(|| black_box(stores.redb(&round.next(1)[0])));
    });
    group.bench_function("SQLite", |b| {
        let mut round = Round::of(&texts);
        b.iter(|| black_box(stores.sqlite(&round.next(1)[0])));
    });
    group.finish();
    let mut group = c.benchmark_group("rivals batch of 100 texts");
    group.throughput(Throughput::Elements(100));
    group.bench_function("ours", |b| {
        let mut round = Round::of(&texts);
        let mut parsed = Vec::new();
        b.iter(|| {
            parsed.clear();
            parsed.extend(round.next(100).iter().map(|text| text.parse::<Postcode>().unwrap()));
            dataset.find_many(&parsed, |_, record| {
                let record = record.unwrap();
                black_box((record.location(), record.admin_district().map(str::len)));
            });
        });
    });
    group.bench_function("ours, whole records", |b| {
        let mut round = Round::of(&texts);
        let (mut parsed, mut answers) = (Vec::new(), Vec::new());
        b.iter(|| {
            parsed.clear();
            parsed.extend(round.next(100).iter().map(|text| text.parse::<Postcode>().unwrap()));
            answers.clear();
            dataset.get_many(&parsed, &mut answers);
            for record in answers.iter().filter_map(|answer| answer.record()) {
                black_box((record.location, record.admin_district().map(str::len)));
            }
        });
    });
    group.bench_function("HashMap", |b| {
        let mut round = Round::of(&texts);
        b.iter(|| {
            for text in round.next(100) {
                let (place, district) = stores.by_text.get(text).unwrap();
                black_box((*place, stores.districts.get(*district as usize).map(String::len)));
            }
        });
    });
    group.finish();
}

/// The same lookup by the dataset's own method, and through `dyn PostcodeLookup`.
fn through_the_trait(
    c: &mut Criterion,
    dataset: &Dataset,
    lookup: &dyn PostcodeLookup,
    postcodes: &[Postcode],
) {
    let mut group = c.benchmark_group("rivals one hot lookup");
    let postcodes = &postcodes[..64];
    group.bench_function("sync", |b| {
        let mut round = Round::of(postcodes);
        b.iter(|| black_box(dataset.get(round.next(1)[0])));
    });
    group.bench_function("dyn", |b| {
        let mut round = Round::of(postcodes);
        b.iter(|| {
            let mut context = Context::from_waker(Waker::noop());
            match lookup.lookup_one(round.next(1)[0]).as_mut().poll(&mut context) {
                Poll::Ready(answer) => black_box(answer.unwrap()),
                Poll::Pending => unreachable!("the in-process lookup never waits"),
            }
        });
    });
    group.finish();
}

/// Ten completions of a sector.
fn completions(c: &mut Criterion, dataset: &Dataset, stores: &Stores, postcodes: &[Postcode]) {
    let prefixes: Vec<String> = postcodes.iter().map(|postcode| postcode.sector().to_string()).collect();
    let mut group = c.benchmark_group("rivals autocomplete");
    group.bench_function("ours", |b| {
        let mut round = Round::of(&prefixes);
        b.iter(|| black_box(dataset.autocomplete(&round.next(1)[0], 10).unwrap()));
    });
    group.bench_function("fst", |b| {
        let mut round = Round::of(&prefixes);
        b.iter(|| black_box(stores.completions(&round.next(1)[0], 10)));
    });
    group.finish();
}

fn neighbours(c: &mut Criterion, dataset: &Dataset, postcodes: &[Postcode]) {
    let places: Vec<Location> = dataset.iter().filter_map(live_place).collect();
    let points: Vec<[f64; 3]> = places.iter().map(|place| xyz(*place)).collect();
    let tree: ImmutableKdTree<f64, u32, 3, 32> = ImmutableKdTree::new_from_slice(&points);
    let mut rng = fastrand::Rng::with_seed(2);
    let mut near = |at: Location| {
        let mut moved = |degrees: f64| degrees + (rng.f64() - 0.5) * 0.002;
        Location::new(moved(at.latitude()), moved(at.longitude())).unwrap()
    };
    let asked: Vec<Location> =
        postcodes.iter().filter_map(|postcode| dataset.location(*postcode)).map(&mut near).collect();
    for place in asked.iter().take(500) {
        let ours = dataset.around(*place, 10, RADIUS).unwrap();
        let ten = NonZero::new(10).unwrap();
        let theirs = tree.nearest_n_within::<SquaredEuclidean>(&xyz(*place), RADIUS * RADIUS, ten, true);
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            // The earth is not a sphere.
            assert!((theirs.distance.sqrt() / (ours.distance + 1e-3) - 1.0).abs() < 0.02, "{place:?}");
        }
    }
    for limit in [1, 10, 100] {
        let mut group = c.benchmark_group(format!("rivals nearest {limit}"));
        group.bench_function("ours", |b| {
            let mut round = Round::of(&asked);
            b.iter(|| black_box(dataset.around(round.next(1)[0], limit, RADIUS).unwrap()));
        });
        group.bench_function("kiddo", |b| {
            let mut round = Round::of(&asked);
            let limit = NonZero::new(limit).unwrap();
            b.iter(|| {
                let point = xyz(round.next(1)[0]);
                match limit.get() {
                    1 => drop(black_box(tree.nearest_one::<SquaredEuclidean>(&point))),
                    _ => drop(black_box(tree.nearest_n_within::<SquaredEuclidean>(
                        &point,
                        RADIUS * RADIUS,
                        limit,
                        true,
                    ))),
                }
            });
        });
        group.finish();
    }
}

fn live_place(record: postcode_core::Record) -> Option<Location> {
    record.location.filter(|_| record.status == postcode_core::Status::Live)
}
