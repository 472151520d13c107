//! Implements the trait in another crate: a decorator that counts and times the calls that pass
//! through it. It holds any lookup and is a lookup itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use postcode_core::layers::Around;
use postcode_core::layers::call::Call;
use postcode_core::{PostcodeLookup, PostcodeLookupExt, Result, connect, layer};

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
}

impl<L: PostcodeLookup> Around for Counted<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let start = Instant::now();
        let reply = call.on(&self.inner).await;
        self.calls.fetch_add(1, Relaxed);
        self.failures.fetch_add(u64::from(reply.is_err()), Relaxed);
        self.nanoseconds.fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
        reply
    }
}

// All methods of all traits that the inner lookup has, each through `around`.
layer!([L: PostcodeLookup] Counted<L>);

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
