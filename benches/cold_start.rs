//! Measures a cold start: a process starts, opens the country, answers one question and ends.
//!
//! - `nothing`: a process that opens nothing, which is the cost of starting one here;
//! - `mapped`: a dataset file, mapped (`file:`);
//! - `embedded`: the data in the binary (`embedded:`), of which a lookup unpacks one block;
//! - `embedded, whole`: the same with a question that needs all data: completing a postcode.
//!
//! `cargo bench -p benches --bench cold_start`.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

use std::time::Duration;

use benches::{Question, answer_if_asked, ask};
use criterion::Criterion;
use postcode_core::dataset::Dataset;

fn main() {
    if answer_if_asked().unwrap() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gb.postcodes");
    std::fs::write(&file, Dataset::embedded().unwrap().as_bytes()).unwrap();

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("cold start");
    group.sample_size(20).measurement_time(Duration::from_secs(10));
    let mapped = format!("file:{}", file.display());
    for (name, url, question) in [
        ("nothing", "", Question::Nothing),
        ("mapped", &*mapped, Question::Lookup),
        ("embedded", "embedded:", Question::Lookup),
        ("embedded, whole", "embedded:", Question::Autocomplete),
    ] {
        group.bench_function(name, |b| b.iter(|| ask(url, question).unwrap()));
    }
    group.finish();
    criterion.final_summary();
}
