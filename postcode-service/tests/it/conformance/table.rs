//! The table: implementations × cases.

use std::sync::Arc;

use postcode_core::conformance::{Fixture, Report, Verdict, check, check_any, check_editions, differential};
use postcode_core::dataset::Dataset;
use postcode_core::{Local, Lookups, connect};
use postcode_service::api::Edition;

use crate::conformance::any;
use crate::conformance::implementations::{Lookup, all, memory, serve};
use crate::conformance::in_memory::{Duplex, PATIENT};

/// A table with a line for each implementation and a letter for each case.
#[derive(Default)]
struct Table {
    /// Name and promise: some names are shared by two cases.
    cases: Vec<(&'static str, &'static str)>,
    rows: Vec<(String, Report)>,
}

impl Table {
    fn add(&mut self, name: impl Into<String>, report: Report) {
        for outcome in &report.outcomes {
            if !self.cases.contains(&(outcome.case, outcome.promise)) {
                self.cases.push((outcome.case, outcome.promise));
            }
        }
        self.rows.push((name.into(), report));
    }

    /// Prints the table. Panics with all failures if there are any.
    fn finish(self, rows: usize) {
        let letter = |n: usize| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[n]);
        for (n, (case, promise)) in self.cases.iter().enumerate() {
            println!("{} {case:32} {promise}", letter(n));
        }
        let head: String = (0..self.cases.len()).map(letter).collect();
        println!("\n{:45} {head}", "+ kept, - not supported, X BROKEN");
        for (name, report) in &self.rows {
            let of = |case: &(&str, &str)| {
                report.outcomes.iter().find(|outcome| (outcome.case, outcome.promise) == *case)
            };
            let marks = self.cases.iter().map(|case| match of(case).map(|outcome| &outcome.verdict) {
                Some(Verdict::Pass) => '+',
                Some(Verdict::NotSupported(_)) => '-',
                Some(Verdict::Fail(_)) => 'X',
                None => ' ',
            });
            println!("{name:45} {}", marks.collect::<String>());
        }
        assert_eq!(self.rows.len(), rows, "an implementation is missing");
        for (name, report) in &self.rows {
            let complete = report.passed() && report.not_supported().next().is_none();
            assert!(complete, "{name}:\n{report}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_implementation_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::small();
    let mut table = Table::default();
    for (name, lookup) in all(&folder).await {
        table.add(name, check(&*lookup, &fixture).await);
    }
    table.finish(10 + 2 * 18);
}

/// No batch mixes two editions while the data changes, in this process and over HTTP, where a batch
/// is several requests.
#[tokio::test(flavor = "multi_thread")]
async fn one_edition_in_a_batch() {
    let fixture = Fixture::small();
    let mut table = Table::default();

    let local = memory();
    let publish = async |next: &Fixture| drop(local.replace(next.dataset().unwrap()));
    table.add("in memory", check_editions(&local, &fixture, publish).await);

    let duplex = Duplex::over(Arc::new(memory())).await;
    let publish = async |next: &Fixture| {
        let local = Local::new(next.dataset().unwrap());
        duplex.api().replace(Edition::of(Arc::new(local)).await.unwrap());
    };
    let builder = postcode_core::Remote::builder(&format!("http://in-memory?batch=10&{PATIENT}"));
    let remote = builder.transport(duplex.clone()).build().unwrap();
    table.add("http, batches in several requests", check_editions(&remote, &fixture, publish).await);
    table.finish(2);
}

/// Checks the whole country: properties that hold for any data, and that the embedded data, the
/// same data in a mapped file, and the same over HTTP give equal answers.
#[tokio::test(flavor = "multi_thread")]
async fn the_country_keeps_the_contract_in_every_mode() {
    // Which answers while it unpacks.
    let unpacking = connect("embedded:").await.unwrap();
    let embedded = Dataset::embedded().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("country.postcodes");
    std::fs::write(&path, embedded.as_bytes()).unwrap();
    let mapped = Local::open(&path).unwrap();
    let local: Lookup = Arc::new(Local::new(embedded));
    let socket = format!("unix:{}", folder.path().join("socket").display());
    let http = connect(&format!("{}?{PATIENT}", serve(local.clone(), &socket).await)).await.unwrap();

    let mut table = Table::default();
    let lookups: [(&str, &dyn Lookups); 4] = [
        ("embedded", &*local),
        ("embedded:", &*unpacking),
        ("mapped", &mapped),
        ("http, Unix socket", &*http),
    ];
    for (name, lookup) in lookups {
        table.add(name, check_any(lookup).await);
    }
    table.finish(4);

    let calls = any::calls_of_the_country(&mapped.dataset(), 2_000);
    for other in [&*local, &*unpacking, &*http] {
        let differences = differential(&mapped, other, calls.clone()).await;
        assert!(differences.is_empty(), "{} differ, the first:\n{}", differences.len(), differences[0]);
    }
}
