//! Makes one call for equal lookups that run at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::call::{Call, LookupCall};
use super::{Around, deadline, unit};
use crate::{Answer, Postcode, PostcodeLookup, PostcodeLookupExt, Result, layer};

type Flight = BoxFuture<'static, Result<Answer>>;
type Flights = Mutex<HashMap<Postcode, (u64, WeakShared<Flight>)>>;

/// Shares one call between lookups of the same postcode that run at the same time.
///
/// All callers drive the call, so any of them may be dropped, even the first, and the others still get
/// their answer. If all are dropped, the call is dropped too. A failed call fails for all callers. A
/// lookup that begins after the answer came makes a new call: this is not a cache. Batches and the
/// other methods pass unchanged.
///
/// The shared call has no caller's [deadline](super::deadline::current): put a
/// [`Timeout`](super::Timeout) inside. It belongs to no [unit](super::unit), and a call that demands an
/// edition is not shared.
///
/// ```
/// use std::time::Duration;
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{SingleFlight, Timeout};
///
/// fn shared(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     SingleFlight::new(Timeout::new(lookup, Duration::from_secs(1)))
/// }
/// ```
pub struct SingleFlight<L> {
    inner: Arc<L>,
    flights: Arc<Flights>,
    next: Mutex<u64>,
}

/// Removes a shared call from the list when it has ended or all its callers are gone.
struct Landing {
    flights: Arc<Flights>,
    postcode: Postcode,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = lock(&self.flights);
        if flights.get(&self.postcode).is_some_and(|(number, _)| *number == self.number) {
            flights.remove(&self.postcode);
        }
    }
}

impl<L: PostcodeLookup> SingleFlight<L> {
    /// Wraps a lookup.
    pub fn new(inner: L) -> Self {
        Self { inner: Arc::new(inner), flights: Arc::default(), next: Mutex::default() }
    }

    /// Returns the running call for a postcode, or starts one.
    fn board(&self, postcode: Postcode) -> Shared<Flight> {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(&postcode).and_then(|(_, flight)| flight.upgrade()) {
            return flight;
        }
        let number = {
            let mut next = lock(&self.next);
            *next += 1;
            *next
        };
        let landing = Landing { flights: self.flights.clone(), postcode, number };
        let inner = self.inner.clone();
        let flight = async move {
            let _landing = landing;
            unit::without(deadline::without(inner.get(postcode))).await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(postcode, (number, weak));
        }
        flight
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<L: PostcodeLookup> Around for SingleFlight<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        call.on(&*self.inner).await
    }

    async fn around_lookup<C: LookupCall<L>>(&self, call: C) -> Result<C::Reply> {
        match call.postcodes() {
            [postcode] if unit::edition().is_none() => Ok(C::reply_one(self.board(*postcode).await?)),
            _ => call.on(&*self.inner).await,
        }
    }
}

layer!([L: PostcodeLookup] SingleFlight<L>);

impl<L: fmt::Debug> fmt::Debug for SingleFlight<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight")
            .field("inner", &self.inner)
            .field("flights", &lock(&self.flights).len())
            .finish()
    }
}
