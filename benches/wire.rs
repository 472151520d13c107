//! Measures the two encodings of a bulk answer: JSON and the compact one. For each answer the server
//! writes it, and the client reads it into the same values and checks the queries. Nothing is sent.
//!
//! - `embedded`: postcodes drawn from the embedded country, which has a dozen columns;
//! - `all columns`: invented records with all thirty areas, as an import of ONSPD with all names gives.
//!   Areas are drawn at random, so few records share small ones: the worst case for the compact encoding.
//!
//! `cargo bench -p benches --bench wire`. The first lines are the bytes of each answer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that can't continue may panic")]

use std::hint::black_box;

use benches::Questions;
use criterion::{Criterion, Throughput};
use postcode_core::conformance::Fixture;
use postcode_core::dataset::Dataset;
use postcode_core::wire::compact::{CompactBody, CompactItem, CompactList};
use postcode_core::wire::{BulkItem, RecordBody, RecordText, Shape, Success};
use postcode_core::{
    Answer, AreaKind, Areas, GridReference, GridSystem, Local, Location, OwnedArea, Postcode, Record,
};

fn main() {
    let embedded = Local::embedded().unwrap().dataset();
    let drawn = Questions::draw(&embedded).random;
    let invented = invented();
    let all: Vec<Postcode> = invented.iter().map(|record| record.postcode).collect();

    let mut criterion = Criterion::default().configure_from_args();
    for (name, dataset, postcodes) in [("embedded", &embedded, &drawn), ("all columns", &invented, &all)] {
        for count in [100, 1_000] {
            compare(&mut criterion, &format!("{name}, {count}"), dataset, postcodes.get(..count).unwrap());
        }
    }
    criterion.final_summary();
}

fn compare(c: &mut Criterion, name: &str, dataset: &Dataset, postcodes: &[Postcode]) {
    let mut answers = Vec::new();
    dataset.get_many(postcodes, &mut answers);
    let (json, compact) = (to_json(postcodes, &answers), to_compact(postcodes, &answers));
    assert_eq!(from_json(&json, postcodes), answers);
    assert_eq!(from_compact(&compact, postcodes), answers);
    println!("{name}: JSON {} bytes, compact {} bytes", json.len(), compact.len());

    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(postcodes.len() as u64));
    group.bench_function("JSON", |b| {
        b.iter(|| black_box(from_json(&to_json(postcodes, &answers), postcodes)));
    });
    group.bench_function("compact", |b| {
        b.iter(|| black_box(from_compact(&to_compact(postcodes, &answers), postcodes)));
    });
    group.bench_function("JSON, written", |b| b.iter(|| black_box(to_json(postcodes, &answers))));
    group.bench_function("compact, written", |b| b.iter(|| black_box(to_compact(postcodes, &answers))));
    group.finish();
}

/// Writes as the server does.
fn to_json(postcodes: &[Postcode], answers: &[Answer]) -> Vec<u8> {
    let mut text = RecordText::of_many(Vec::with_capacity(2048));
    text.raw("{\"status\":200,\"result\":");
    let items = postcodes.iter().zip(answers);
    let items =
        items.map(|(postcode, answer)| BulkItem::new(&*postcode.spaced(), Some(answer), Shape::Extended));
    text.list(items).unwrap();
    text.raw("}");
    text.into_bytes()
}

/// Reads as the client does.
fn from_json(bytes: &[u8], postcodes: &[Postcode]) -> Vec<Answer> {
    let body: Success<Vec<BulkItem<RecordBody>>> = serde_json::from_slice(bytes).unwrap();
    let read = |(item, postcode): (BulkItem<RecordBody>, &Postcode)| {
        assert_eq!(item.query, postcode.spaced().as_str());
        item.into_answer().unwrap().unwrap()
    };
    body.result.into_iter().zip(postcodes).map(read).collect()
}

fn to_compact(postcodes: &[Postcode], answers: &[Answer]) -> Vec<u8> {
    let mut list = CompactList::new();
    // The server has the texts of the queries, too.
    let queries: Vec<_> = postcodes.iter().map(|postcode| postcode.spaced()).collect();
    for (query, answer) in queries.iter().zip(answers) {
        list.push(&CompactItem { query, answer: Some(answer) }).unwrap();
    }
    list.finish().unwrap()
}

fn from_compact(bytes: &[u8], postcodes: &[Postcode]) -> Vec<Answer> {
    let CompactBody::Bulk(items) = CompactBody::read(bytes, postcodes.len()).unwrap() else {
        panic!("another form")
    };
    let read = |(item, postcode): (postcode_core::wire::compact::CompactQueried<'_>, &Postcode)| {
        assert_eq!(item.query, postcode.spaced().as_str());
        item.answer.unwrap()
    };
    items.into_iter().zip(postcodes).map(read).collect()
}

/// How many areas of each kind the country has, in the order of [`AreaKind::ALL`].
const AREAS: [u32; AreaKind::ALL.len()] = [
    4, 30, 12, 150, 9, 650, 361, 11_000, 25, 8_400, 1_400, 106, 361, 45, 7, 228, 15, 7_000, 42, 20, 42_000,
    8_400, 43_000, 8_500, 239_000, 10, 8, 38, 38, 650,
];

/// Returns a dataset of a thousand postcodes with all columns.
fn invented() -> Dataset {
    let mut rng = fastrand::Rng::with_seed(7);
    let letters = "ABDEFGHJLNPQRSTUWXYZ";
    let units = letters.chars().flat_map(|one| letters.chars().map(move |two| format!("{one}{two}")));
    let units: Vec<String> = units.collect();
    let records = (0..1_000_usize).map(|n| {
        let unit = units.get(n % units.len()).unwrap();
        let mut record =
            Record::live(format!("M{} {}{unit}", 1 + n / 4_000, n / units.len()).parse().unwrap());
        record.quality = Some(1);
        let (eastings, northings) = (rng.u32(100_000..600_000), rng.u32(100_000..900_000));
        record.grid = Some(GridReference { eastings, northings, system: GridSystem::Osgb });
        record.location = Some(Location::new(50.0 + rng.f64() * 8.0, rng.f64() * -4.0).unwrap());
        record.introduced = Some("198001".parse().unwrap());
        record.deprivation_rank = Some(rng.u16(1..32_000));
        record.areas = Areas::owned(AreaKind::ALL.into_iter().zip(AREAS).map(|(kind, count)| {
            let number = rng.u32(..count);
            let name = format!("{} of the town {number}", kind.key().get(..3).unwrap_or("oa"));
            let area = OwnedArea {
                code: Some(format!("E{:02}{number:06}", kind as u8).into()),
                name: (kind != AreaKind::OutputArea21).then(|| name.into()),
                alias: matches!(kind, AreaKind::Ccg | AreaKind::Nuts).then(|| format!("TL{number}").into()),
            };
            (kind, area)
        }));
        record
    });
    Fixture::new(Fixture::small().info().clone(), records.collect::<Vec<_>>()).dataset().unwrap()
}
