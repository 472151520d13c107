//! The calls of [`AddressLookup`] as values, and the [layers](postcode_core::layers) of `postcode-core`
//! around it.
//!
//! `Timeout`, `Deadline`, `Retry`, `Bulkhead`, `Breaker`, `Hedge`, `Failover` and `Fallback` are lookups of addresses if
//! what they are around is one. So are `Cache`, `SingleFlight` and `Batcher` with the question
//! [`OfAddresses`](super::OfAddresses), and a `Promotion` between two [`AnyAddresses`](super::AnyAddresses).
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use postcode_addresses::AddressLookup;
//! use postcode_core::layers::{Bulkhead, Fallback, Timeout};
//!
//! fn dependable(service: Arc<dyn AddressLookup>, file: Arc<dyn AddressLookup>) -> impl AddressLookup {
//!     let service: Arc<dyn AddressLookup> = Arc::new(Bulkhead::new(Timeout::new(service, Duration::from_secs(1)), 64));
//!     Fallback::of(service, file)
//! }
//! ```

use std::fmt::{self, Display};

use async_trait::async_trait;
use postcode_core::layers::{Around, Breaker, Bulkhead, Deadline, Failover, Fallback, Hedge, Retry, Timeout};
use postcode_core::{Nearest, Outcode, Postcode, Result};

use super::{AddressAnswer, AddressCoverage, AddressLookup, AddressNeighbour, AddressNumber, AddressPage};
use crate::Address;

/// The operations of [`AddressLookup`]: the method, its call as a value, the hook of [`Around`] that it goes through,
/// whether two implementations owe the same answer, the arguments by reference and then those by value, and the reply.
macro_rules! address_operations {
    ([$($then:tt)*] $with:tt) => {
        $($then)*! { $with AddressLookup
            addresses AddressesOf around true (&postcodes: [Postcode];) -> Vec<AddressAnswer>;
            address_page AddressPageOf around true (; postcode: Postcode, skip: usize, limit: usize) -> AddressAnswer;
            addresses_by_number AddressesByNumber around true (&numbers: [AddressNumber];) -> Vec<Vec<Address>>;
            nearest_addresses NearestAddresses around true (&query: Nearest;) -> Option<Vec<AddressNeighbour>>;
            streets StreetsOf around true (; outcode: Outcode, skip: usize, limit: usize) -> Option<AddressPage>;
            address_coverage CoverageOf around false (;) -> AddressCoverage;
        }
    };
}

pub(super) use address_operations;

address_operations!([postcode_core::calls] []);

/// Implements [`AddressLookup`] for a layer: see [`Around`].
macro_rules! layer_of {
    ([[$($generics:tt)*] $layer:ty] $trait:ident $(
        $method:ident $call:ident $hook:ident $same:ident
        ($(&$by_ref:ident: $of:ty),*; $($value:ident: $type:ty),*) -> $reply:ty;
    )*) => {
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl<$($generics)*> $trait for $layer {
            $(async fn $method(&self, $($by_ref: &$of,)* $($value: $type),*) -> Result<$reply> {
                Around::$hook(self, $crate::lookup::calls::$call::new($($by_ref,)* $($value),*)).await
            })*
        }
    };
}

pub(super) use layer_of;

macro_rules! layers {
    ($($layer:ident)*) => {$(address_operations!([layer_of] [[L: AddressLookup] $layer<L>]);)*};
}

layers!(Breaker Bulkhead Deadline Failover Fallback Hedge Retry Timeout);

/// Counts, because the postcodes and numbers of a person stay out of messages and logs.
fn counted(f: &mut fmt::Formatter<'_>, what: &str, count: usize) -> fmt::Result {
    write!(f, "addresses by {count} {what}{}", if count == 1 { "" } else { "s" })
}

impl Display for AddressesOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        counted(f, "postcode", self.postcodes.len())
    }
}

impl Display for AddressPageOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a page of addresses (limit {}, after {})", self.limit, self.skip)
    }
}

impl Display for AddressesByNumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        counted(f, "number", self.numbers.len())
    }
}

impl Display for NearestAddresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nearest addresses (limit {}, within {} m)", self.query.limit, self.query.radius)
    }
}

impl Display for StreetsOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "streets of {} (limit {}, after {})", self.outcode, self.limit, self.skip)
    }
}

impl Display for CoverageOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coverage of the addresses")
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use postcode_core::layers::{BreakerConfig, Order};
    use postcode_core::{Error, ErrorKind};

    use super::*;
    use crate::lookup::conformance::{file, postcodes, suite};
    use crate::{LocalAddresses, MockAddressLookup};

    type Any = Arc<dyn AddressLookup>;

    const LONG: Duration = Duration::from_secs(600);

    fn local() -> Any {
        let postcodes = postcode_core::Local::new(postcodes().unwrap());
        Arc::new(LocalAddresses::new(file().unwrap()).with_postcodes(Arc::new(postcodes)))
    }

    /// Fails every call in this way, and counts the calls.
    fn broken(kind: ErrorKind) -> (Any, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let failed = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Error::new(kind, "broken")
        };
        let mut mock = MockAddressLookup::new();
        let (a, b, c, d, e, g) =
            (failed.clone(), failed.clone(), failed.clone(), failed.clone(), failed.clone(), failed.clone());
        mock.expect_addresses().returning(move |_| Err(a()));
        mock.expect_address_page().returning(move |_, _, _| Err(b()));
        mock.expect_addresses_by_number().returning(move |_| Err(c()));
        mock.expect_nearest_addresses().returning(move |_| Err(d()));
        mock.expect_address_coverage().returning(move || Err(e()));
        mock.expect_streets().returning(move |_, _, _| Err(g()));
        (Arc::new(mock), calls)
    }

    async fn keeps_the_contract(name: &str, lookup: &dyn AddressLookup) {
        assert_eq!(suite(lookup).await.unwrap(), [""; 0], "{name}");
    }

    #[tokio::test]
    async fn every_layer_keeps_the_contract() {
        keeps_the_contract("timeout", &Timeout::new(local(), LONG)).await;
        keeps_the_contract("deadline", &Deadline::new(local(), LONG)).await;
        keeps_the_contract("retry", &Retry::new(local())).await;
        keeps_the_contract("bulkhead", &Bulkhead::new(local(), 1)).await;
        keeps_the_contract("breaker", &Breaker::new(local())).await;
        let hedged = Hedge::new(local(), postcode_core::layers::HedgeAfter::Fixed(Duration::ZERO));
        keeps_the_contract("hedge", &hedged).await;
        let failover = Failover::new([local(), local()], Order::RoundRobin, BreakerConfig::default());
        keeps_the_contract("failover", &failover.unwrap()).await;
        let stack = Deadline::new(Retry::new(Timeout::new(Bulkhead::new(local(), 4), LONG)), LONG);
        keeps_the_contract("a stack", &Breaker::new(stack)).await;
    }

    #[tokio::test]
    async fn fallback_keeps_the_contract_while_the_first_is_away() {
        let (away, calls) = broken(ErrorKind::Unavailable);
        let fallback = Fallback::of(away, local());
        // The faults of a limit that is out of range come from the second.
        keeps_the_contract("fallback", &fallback).await;
        assert!(fallback.fallbacks() > 0 && calls.load(Ordering::SeqCst) > 0);
    }

    #[tokio::test]
    async fn failover_asks_the_next_endpoint() {
        let (away, calls) = broken(ErrorKind::Unavailable);
        let failover = Failover::new([away, local()], Order::AsGiven, BreakerConfig::default()).unwrap();
        keeps_the_contract("failover", &failover).await;
        assert_eq!(calls.load(Ordering::SeqCst), 5, "the breaker opens after five failures");
        assert_eq!(failover.healthy(), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn retry_asks_again_and_the_breaker_stops_asking() {
        let (away, calls) = broken(ErrorKind::Unavailable);
        let retry = Retry::new(away.clone()).retries(2);
        assert_eq!(retry.address_coverage().await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        let breaker = Breaker::new(away);
        for _ in 0..20 {
            breaker.addresses(&[]).await.unwrap_err();
        }
        assert_eq!(calls.load(Ordering::SeqCst), 3 + 5);
        let error = breaker.addresses(&["ZE9 9AA".parse().unwrap()]).await.unwrap_err().to_string();
        assert!(error.contains("addresses by 1 postcode") && !error.contains("ZE9"), "{error}");
    }
}
