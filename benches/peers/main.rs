//! Compares the same operations on the same rows in:
//!
//! - `dyn`: `Arc<dyn PostcodeLookup>` in this process, over a mapped file;
//! - `tcp`: a postcode-service in another process, over TCP on the loopback, one connection;
//! - `postgis`: PostgreSQL with PostGIS and proper indexes, over one connection, statements prepared.
//!
//! `cargo bench -p benches --bench peers`. The database is at `POSTCODE_BENCH_POSTGRES`, by default
//! `postgres://postgres@127.0.0.1:5432/test`. Its schema `postcode_bench` is created anew and
//! dropped at the end. Without a database or PostGIS the benchmark is skipped.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

mod postgis;

use std::hint::black_box;
use std::sync::Arc;

use benches::{Questions, Round, Service, serve_if_asked};
use criterion::{Criterion, Throughput};
use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata};
use postcode_core::{
    AreaKind, Local, Location, MAX_PAGE, Nearest, Postcode, PostcodeLookup, Region, Within, connect,
};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use postgis::Postgis;

const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/test";
const LIMIT: usize = 10;
/// The radius in metres.
const RADIUS: f64 = 2_000.0;

fn main() {
    serve_if_asked().unwrap();
    let runtime = Runtime::new().unwrap();
    let url = std::env::var("POSTCODE_BENCH_POSTGRES").unwrap_or_else(|_| POSTGRES.to_owned());
    let mut postgis = match runtime.block_on(Postgis::connect(&url)) {
        Ok(postgis) => postgis,
        Err(why) => {
            println!("skipped: {why}");
            return;
        }
    };
    let country = Local::embedded().unwrap().dataset();
    // A single test pass does not need the whole country.
    let dataset =
        if std::env::args().any(|argument| argument == "--test") { some(&country) } else { country };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.postcodes");
    std::fs::write(&path, dataset.as_bytes()).unwrap();
    let data = format!("file:{}", path.display());
    let service = Service::start_over("127.0.0.1:0", &data).unwrap();
    let modes: Vec<(&str, Arc<dyn PostcodeLookup>)> = vec![
        ("dyn", runtime.block_on(connect(&data)).unwrap()),
        ("tcp", runtime.block_on(connect(&format!("{}?deadline=30s&timeout=30s", service.url))).unwrap()),
    ];
    let rows = runtime.block_on(postgis.load(&dataset)).unwrap();
    println!("{rows} rows in {}", runtime.block_on(postgis.version()).unwrap());
    let questions = Questions::draw(&dataset);
    let peers = Peers { runtime, modes, postgis: Mutex::new(postgis) };
    peers.agree(&dataset, &questions);
    let regions = regions(&dataset, &questions.random);
    peers.agree_on(&dataset, &regions);

    let mut criterion = Criterion::default().configure_from_args();
    peers.lookups(&mut criterion, &questions.random);
    peers.completions(&mut criterion, &questions.random);
    peers.neighbours(&mut criterion, &points(&dataset, &questions.random));
    for (workload, queries) in &regions {
        peers.within(&mut criterion, workload, queries);
    }
    criterion.final_summary();
    peers.runtime.block_on(async { peers.postgis.lock().await.drop_all().await.unwrap() });
}

/// Returns one postcode area.
fn some(country: &Dataset) -> Dataset {
    let mut builder = DatasetBuilder::new(Metadata::new("YO"));
    let records = country.iter().filter(|record| record.postcode.area() == "YO");
    records.for_each(|record| builder.push_record(&record).unwrap());
    builder.build().unwrap()
}

fn points(dataset: &Dataset, postcodes: &[Postcode]) -> Vec<Nearest> {
    let locations = postcodes.iter().filter_map(|postcode| dataset.location(*postcode));
    locations.map(|location| Nearest::to(location).limit(LIMIT).radius(RADIUS)).collect()
}

/// Returns three kinds of queries with records, in the order of postcodes: all postcodes within 500
/// metres, all in a hexagon of the same width, and the first page of a district.
fn regions(dataset: &Dataset, postcodes: &[Postcode]) -> [(&'static str, Vec<Within>); 3] {
    let located: Vec<Location> =
        postcodes.iter().filter_map(|postcode| dataset.location(*postcode)).collect();
    let hexagon = |at: &Location| {
        let corner = |n: u32| {
            let (sin, cos) = (f64::from(n) * std::f64::consts::FRAC_PI_3).sin_cos();
            Location::new(at.latitude() + 0.004_5 * sin, at.longitude() + 0.007_5 * cos).unwrap()
        };
        Within::of(Region::Polygon((0..6).map(corner).collect())).limit(MAX_PAGE)
    };
    let district = |postcode: &Postcode| {
        let answer = dataset.get(*postcode);
        let code = answer.record()?.area_code(AreaKind::AdminDistrict)?;
        Some(
            Within::of(Region::Area { code: code.to_owned(), kind: Some(AreaKind::AdminDistrict) })
                .limit(100),
        )
    };
    [
        ("circle", located.iter().map(|at| Within::of(Region::circle(*at, 500.0)).limit(MAX_PAGE)).collect()),
        ("polygon", located.iter().map(hexagon).collect()),
        ("district, 100", postcodes.iter().filter_map(district).collect()),
    ]
}

/// Returns the text of a person who has typed as far as the sector.
fn prefix(postcode: Postcode) -> String {
    postcode.sector().to_string()
}

struct Peers {
    runtime: Runtime,
    modes: Vec<(&'static str, Arc<dyn PostcodeLookup>)>,
    postgis: Mutex<Postgis>,
}

impl Peers {
    /// Checks that all give the same answers. Otherwise their times could not be compared.
    fn agree(&self, dataset: &Dataset, questions: &Questions) {
        self.runtime.block_on(async {
            let mut postgis = self.postgis.lock().await;
            for (some, missing) in questions.random.chunks(100).zip(questions.missing.chunks(1)).take(10) {
                let asked = [some, missing].concat();
                let theirs = postgis.bulk(&asked).await.unwrap();
                assert_eq!(theirs.len(), asked.len());
                for (postcode, theirs) in asked.iter().zip(theirs) {
                    let (ours, one) = (dataset.get(*postcode), postgis.lookup(*postcode).await.unwrap());
                    assert_eq!(format!("{theirs:?}"), format!("{one:?}"));
                    let Some(ours) = ours.record() else {
                        assert!(theirs.is_none(), "{postcode}: {theirs:?}");
                        continue;
                    };
                    let theirs = theirs.unwrap();
                    assert_eq!((ours.postcode.to_string(), true), (theirs.pcds, theirs.live));
                    assert_eq!(ours.location.map(|at| at.latitude()), theirs.location.0, "{postcode}");
                    assert_eq!(ours.location.map(|at| at.longitude()), theirs.location.1, "{postcode}");
                    assert_eq!(ours.grid.map(|grid| grid.eastings as i32), theirs.grid.0, "{postcode}");
                    assert_eq!(ours.grid.map(|grid| grid.northings as i32), theirs.grid.1, "{postcode}");
                    assert_eq!(ours.admin_district(), theirs.areas[1].as_deref(), "{postcode}");
                }
                let prefix = prefix(some[0]);
                let ours = dataset.autocomplete(&prefix, LIMIT).unwrap();
                let theirs = postgis.autocomplete(&prefix, LIMIT as i64).await.unwrap();
                // Ours ignores the space, and continues with PA48 after PA4 8.
                let ours: Vec<String> = ours.iter().map(ToString::to_string).collect();
                assert_eq!(ours[..theirs.len()], theirs, "{prefix}");
                assert!(!theirs.is_empty(), "{prefix}");
            }
            for query in points(dataset, &questions.random).into_iter().take(500) {
                let ours = dataset.nearest(&query).unwrap().unwrap();
                let postcode_core::Origin::Location(at) = query.origin else { continue };
                let theirs = postgis.nearest(at, RADIUS, LIMIT as i64).await.unwrap();
                assert_eq!(ours.len(), theirs.len(), "{query:?}");
                for (ours, (_, theirs)) in ours.iter().zip(&theirs) {
                    assert!((ours.distance - theirs).abs() < 1e-3, "{query:?}: {} {theirs}", ours.distance);
                }
            }
        });
    }

    /// Checks the same for regions: the same postcodes in the same order.
    fn agree_on(&self, dataset: &Dataset, regions: &[(&str, Vec<Within>)]) {
        self.runtime.block_on(async {
            let mut postgis = self.postgis.lock().await;
            for (workload, queries) in regions {
                let mut found = 0;
                for query in queries.iter().take(100) {
                    let ours = dataset.within(query).unwrap().unwrap_or_default();
                    let ours: Vec<_> =
                        ours.records.iter().map(|record| record.postcode.to_string()).collect();
                    let theirs = postgis.within(query).await.unwrap();
                    let theirs: Vec<_> = theirs.into_iter().map(|found| found.pcds).collect();
                    assert_eq!(ours, theirs, "{workload}: {query:?}");
                    found += ours.len();
                }
                println!("{workload}: {} postcodes on average", found / queries.len().clamp(1, 100));
            }
        });
    }

    fn within(&self, c: &mut Criterion, workload: &str, queries: &[Within]) {
        let mut group = c.benchmark_group(format!("peers {workload}"));
        for (mode, lookup) in &self.modes {
            group.bench_function(*mode, |b| {
                let mut round = Round::of(queries);
                b.to_async(&self.runtime).iter(|| {
                    let query = &round.next(1)[0];
                    async move { black_box(lookup.within(query).await.unwrap()) }
                });
            });
        }
        group.bench_function("postgis", |b| {
            let mut round = Round::of(queries);
            b.to_async(&self.runtime).iter(|| {
                let query = &round.next(1)[0];
                async move { black_box(self.postgis.lock().await.within(query).await.unwrap()) }
            });
        });
        group.finish();
    }

    fn lookups(&self, c: &mut Criterion, postcodes: &[Postcode]) {
        for (workload, n) in [("peers lookup", 1), ("peers batch of 100", 100)] {
            let mut group = c.benchmark_group(workload);
            group.throughput(Throughput::Elements(n as u64));
            for (mode, lookup) in &self.modes {
                group.bench_function(*mode, |b| {
                    let mut round = Round::of(postcodes);
                    b.to_async(&self.runtime).iter(|| {
                        let some = round.next(n);
                        async move { black_box(lookup.lookup(some).await.unwrap()) }
                    });
                });
            }
            group.bench_function("postgis", |b| {
                let mut round = Round::of(postcodes);
                b.to_async(&self.runtime).iter(|| {
                    let some = round.next(n);
                    async move {
                        let mut postgis = self.postgis.lock().await;
                        match some {
                            [one] => drop(black_box(postgis.lookup(*one).await.unwrap())),
                            many => drop(black_box(postgis.bulk(many).await.unwrap())),
                        }
                    }
                });
            });
            group.finish();
        }
    }

    fn completions(&self, c: &mut Criterion, postcodes: &[Postcode]) {
        let prefixes: Vec<String> = postcodes.iter().map(|postcode| prefix(*postcode)).collect();
        let mut group = c.benchmark_group("peers autocomplete");
        for (mode, lookup) in &self.modes {
            group.bench_function(*mode, |b| {
                let mut round = Round::of(&prefixes);
                b.to_async(&self.runtime).iter(|| {
                    let prefix = &round.next(1)[0];
                    async move { black_box(lookup.autocomplete(prefix, LIMIT).await.unwrap()) }
                });
            });
        }
        group.bench_function("postgis", |b| {
            let mut round = Round::of(&prefixes);
            b.to_async(&self.runtime).iter(|| {
                let prefix = &round.next(1)[0];
                async move {
                    let mut postgis = self.postgis.lock().await;
                    black_box(postgis.autocomplete(prefix, LIMIT as i64).await.unwrap())
                }
            });
        });
        group.finish();
    }

    fn neighbours(&self, c: &mut Criterion, points: &[Nearest]) {
        let mut group = c.benchmark_group("peers nearest");
        for (mode, lookup) in &self.modes {
            group.bench_function(*mode, |b| {
                let mut round = Round::of(points);
                b.to_async(&self.runtime).iter(|| {
                    let query = &round.next(1)[0];
                    async move { black_box(lookup.nearest(query).await.unwrap()) }
                });
            });
        }
        group.bench_function("postgis", |b| {
            let mut round = Round::of(points);
            b.to_async(&self.runtime).iter(|| {
                let query = &round.next(1)[0];
                async move {
                    let postcode_core::Origin::Location(at) = query.origin else { return };
                    let mut postgis = self.postgis.lock().await;
                    black_box(postgis.nearest(at, query.radius, LIMIT as i64).await.unwrap());
                }
            });
        });
        group.finish();
    }
}
