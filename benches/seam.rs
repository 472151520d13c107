//! Measures what the seam adds to a call in this process while nobody subscribes to its spans. The same
//! question goes to:
//!
//! - `bare`: the same call without a span;
//! - `local`: `Local`, whose calls have a span;
//! - `promotion`: `Local` behind a promotion in stage `local`;
//! - `ledger`: the same promotion behind a ledger.
//!
//! `cargo bench -p benches --bench seam`.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use benches::{Questions, Round};
use criterion::Criterion;
use postcode_core::dataset::Dataset;
use postcode_core::layers::{Ledger, Promotion};
use postcode_core::{
    Answer, DatasetInfo, Error, ErrorKind, Local, Lookups, Nearest, NearestOutcodes, Neighbour, Outcode,
    OutcodeSummary, Page, Postcode, PostcodeLookup, Record, Result, Within, unit,
};
use tokio::runtime::Runtime;

/// Answers lookups of one postcode as `Local` does, without a span.
#[derive(Debug)]
struct Bare(ArcSwap<Dataset>);

macro_rules! not_measured {
    ($($method:ident($($argument:ident: $type:ty),*) -> $reply:ty;)*) => {
        #[async_trait]
        impl PostcodeLookup for Bare {
            async fn lookup_one(&self, postcode: Postcode) -> Result<Answer> {
                let dataset = self.0.load();
                unit::check_edition(&dataset.info().fingerprint)?;
                Ok(dataset.get(postcode))
            }

            $(async fn $method(&self, $(_: $type),*) -> Result<$reply> {
                Err(Error::new(ErrorKind::NotSupported, "not measured"))
            })*
        }
    };
}

not_measured! {
    lookup(postcodes: &[Postcode]) -> Vec<Answer>;
    outcode(outcode: Outcode) -> Option<OutcodeSummary>;
    autocomplete(prefix: &str, limit: usize) -> Vec<Postcode>;
    search(query: &str, limit: usize) -> Vec<Record>;
    nearest(query: &Nearest) -> Option<Vec<Neighbour>>;
    nearest_outcodes(query: &NearestOutcodes) -> Option<Vec<OutcodeSummary>>;
    within(query: &Within) -> Option<Page>;
    outcodes(prefix: &str, limit: usize) -> Vec<Outcode>;
    random(outcode: Option<Outcode>) -> Option<Record>;
    info() -> DatasetInfo;
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let local = Arc::new(Local::embedded().unwrap());
    let questions = Questions::draw(&local.dataset());
    let bare = Arc::new(Bare(ArcSwap::from_pointee(local.dataset())));
    let promotion: Arc<dyn Lookups> = Arc::new(Promotion::new(local.clone(), local.clone()));
    let ledger = Arc::new(Ledger::new(promotion.clone()));
    let mut criterion = Criterion::default().configure_from_args();
    for (workload, postcodes) in [("hit", &questions.live), ("random", &questions.random)] {
        let mut group = criterion.benchmark_group(workload);
        let lookups: [(&str, Arc<dyn PostcodeLookup>); 4] = [
            ("bare", bare.clone()),
            ("local", local.clone()),
            ("promotion", promotion.clone()),
            ("ledger", ledger.clone()),
        ];
        for (name, lookup) in lookups {
            group.bench_function(name, |b| {
                let mut round = Round::of(postcodes);
                b.to_async(&runtime).iter(|| {
                    let postcode = round.next(1)[0];
                    let lookup = &lookup;
                    async move { black_box(lookup.lookup_one(postcode).await.unwrap()) }
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
