//! Implements the trait in another crate: a decorator that counts and times the calls that pass
//! through it. It holds any lookup and is a lookup itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use async_trait::async_trait;
use postcode_core::{
    Answer, DatasetInfo, Nearest, NearestOutcodes, Neighbour, Outcode, OutcodeSummary, Page, Place,
    PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, PostcodeLookup, PostcodeLookupExt, Record, Result,
    ScottishPostcode, Within, connect,
};

/// Counts the calls to a lookup, their failures and their time.
#[derive(Debug)]
struct Counted<L> {
    inner: L,
    calls: AtomicU64,
    failures: AtomicU64,
    nanoseconds: AtomicU64,
}

impl<L> Counted<L> {
    fn new(inner: L) -> Self {
        Self { inner, calls: 0.into(), failures: 0.into(), nanoseconds: 0.into() }
    }

    async fn count<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let start = Instant::now();
        let answer = call.await;
        self.calls.fetch_add(1, Relaxed);
        self.failures.fetch_add(u64::from(answer.is_err()), Relaxed);
        self.nanoseconds.fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
        answer
    }
}

#[async_trait]
impl<L: PostcodeLookup> PostcodeLookup for Counted<L> {
    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        self.count(self.inner.lookup(postcodes)).await
    }
    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
        self.count(self.inner.outcode(outcode)).await
    }
    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        self.count(self.inner.autocomplete(prefix, limit)).await
    }
    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        self.count(self.inner.search(query, limit)).await
    }
    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        self.count(self.inner.nearest(query)).await
    }
    async fn within(&self, query: &Within) -> Result<Option<Page>> {
        self.count(self.inner.within(query)).await
    }
    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        self.count(self.inner.outcodes(prefix, limit)).await
    }
    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
        self.count(self.inner.random(outcode)).await
    }
    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
        self.count(self.inner.nearest_outcodes(query)).await
    }
    async fn place(&self, code: &str) -> Result<Option<Place>> {
        self.count(self.inner.place(code)).await
    }
    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        self.count(self.inner.places(query, limit)).await
    }
    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        self.count(self.inner.find_places(query)).await
    }
    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        self.count(self.inner.place_postcodes(code, after, limit)).await
    }
    async fn random_place(&self) -> Result<Option<Place>> {
        self.count(self.inner.random_place()).await
    }
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        self.count(self.inner.scottish_postcode(postcode)).await
    }
    async fn info(&self) -> Result<DatasetInfo> {
        self.count(self.inner.info()).await
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // Any lookup works: give the address of a service to count calls over HTTP.
    let url = std::env::args().nth(1).unwrap_or("embedded:".into());
    let postcodes = Counted::new(connect(&url).await?);

    for prefix in ["SW1A 1", "EH1", "M1 1"] {
        println!("{prefix:8} {:?}", postcodes.autocomplete(prefix, 5).await?);
    }
    println!("SW1A 1AA {}", postcodes.get_str("SW1A 1AA").await?.status());
    if let Err(error) = postcodes.autocomplete("SW1A", 0).await {
        println!("refused  {error}");
    }

    let (calls, nanoseconds) = (postcodes.calls.load(Relaxed), postcodes.nanoseconds.load(Relaxed));
    let failures = postcodes.failures.load(Relaxed);
    println!("{calls} calls, {failures} failed, {} ns each", nanoseconds / calls.max(1));
    Ok(())
}
