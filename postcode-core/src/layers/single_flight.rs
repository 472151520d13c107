//! Makes one call for equal lookups that run at once.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::call::{Call, LookupCall};
use super::question::{OfPostcodes, Question};
use super::{Around, deadline, span, unit};
use crate::{PostcodeLookup, Result, layer};

type Flight<A> = BoxFuture<'static, Result<A>>;
type Flights<K, A> = Mutex<HashMap<K, Flying<A>>>;

/// A shared call that runs.
struct Flying<A> {
    number: u64,
    flight: WeakShared<Flight<A>>,
    /// The span of the call, if anybody subscribes.
    span: Option<tracing::Span>,
}

/// Shares one call between lookups of the same postcode that run at the same time.
///
/// All callers drive the call, so any of them may be dropped, even the first, and the others still get
/// their answer. If all are dropped, the call is dropped too. A failed call fails for all callers. A
/// lookup that begins after the answer came makes a new call: this is not a cache. Batches and the
/// other methods pass unchanged.
///
/// The shared call has no caller's [deadline](super::deadline::current): put a
/// [`Timeout`](super::Timeout) inside. It belongs to no [unit](super::unit), and a call that demands an
/// edition is not shared. It continues the trace of the first caller, and its span follows from those of the others.
///
/// Created by [`new`](Self::new):
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
///
/// [`of`](Self::of) takes another [`Question`], and then it shares the calls of that.
pub struct SingleFlight<L, Q: Question<L> = OfPostcodes> {
    inner: Arc<L>,
    flights: Arc<Flights<Q::Key, Q::Answer>>,
    next: Mutex<u64>,
}

/// Removes a shared call from the list when it has ended or all its callers are gone.
struct Landing<K: Eq + Hash, A> {
    flights: Arc<Flights<K, A>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, A> Drop for Landing<K, A> {
    fn drop(&mut self) {
        let mut flights = lock(&self.flights);
        if flights.get(&self.key).is_some_and(|flying| flying.number == self.number) {
            flights.remove(&self.key);
        }
    }
}

impl<L: PostcodeLookup> SingleFlight<L> {
    /// Wraps a lookup, to share calls about one postcode.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use postcode_core::layers::{Around, call::Call};
    /// # use postcode_core::{PostcodeLookup, Result};
    /// # /// Answers after 20 ms.
    /// # #[derive(Debug)]
    /// # struct Slow<L>(L);
    /// # impl<L: PostcodeLookup> Around for Slow<L> {
    /// #     type Inner = L;
    /// #     async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
    /// #         tokio::time::sleep(Duration::from_millis(20)).await;
    /// #         call.on(&self.0).await
    /// #     }
    /// # }
    /// # postcode_core::layer!([L: PostcodeLookup] Slow<L>);
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::SingleFlight;
    /// use postcode_core::{Answer, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_lookup_one().times(1).returning(|_| Ok(Answer::Unknown));
    /// let shared = SingleFlight::new(Slow(lookup));
    /// let (one, other) = futures::join!(shared.get_str("SW1A 9ZZ"), shared.get_str("sw1a9zz"));
    /// assert_eq!([one?, other?], [Answer::Unknown, Answer::Unknown]); // of one call
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L) -> Self {
        Self::of(OfPostcodes, inner)
    }
}

impl<L: Send + Sync + 'static, Q: Question<L>> SingleFlight<L, Q> {
    /// Wraps a lookup, to share calls of this question.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::{OfPostcodes, SingleFlight};
    ///
    /// let shared = SingleFlight::of(OfPostcodes, library);
    /// assert!(shared.answer("SW1A 1AA".parse()?).await?.is_live());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn of(_: Q, inner: L) -> Self {
        Self { inner: Arc::new(inner), flights: Arc::default(), next: Mutex::default() }
    }

    /// Returns the wrapped lookup.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::SingleFlight;
    ///
    /// assert_eq!(SingleFlight::new(library).inner().dataset().info().live, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inner(&self) -> &L {
        &self.inner
    }

    /// Answers for one key, with the running call about it if there is one.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::SingleFlight;
    ///
    /// let shared = SingleFlight::new(library);
    /// let postcode = "SW1A 1AA".parse()?;
    /// let (one, other) = futures::join!(shared.answer(postcode), shared.answer(postcode)); // one call
    /// assert_eq!(one?, other?);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the lookup.
    pub async fn answer(&self, key: Q::Key) -> Result<Q::Answer> {
        let (flight, joined) = self.board(key);
        span::within(joined, flight).await
    }

    /// Returns the running call for a key with the span of joining it, or starts one.
    fn board(&self, key: Q::Key) -> (Shared<Flight<Q::Answer>>, Option<tracing::Span>) {
        let mut flights = lock(&self.flights);
        if let Some((flying, flight)) = flights.get(&key).and_then(|it| Some((it, it.flight.upgrade()?))) {
            return (flight, span::joined(flying.span.as_ref()));
        }
        let number = {
            let mut next = lock(&self.next);
            *next += 1;
            *next
        };
        let landing = Landing { flights: self.flights.clone(), key, number };
        let inner = self.inner.clone();
        let flight = async move {
            let _landing = landing;
            deadline::without(Q::one(&inner, key)).await
        };
        let span = span::shared();
        let flight = span::within(span.clone(), unit::shared(flight)).boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key, Flying { number, flight: weak, span });
        }
        (flight, None)
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
            [postcode] if unit::edition().is_none() => Ok(C::reply_one(self.answer(*postcode).await?)),
            _ => call.on(&*self.inner).await,
        }
    }
}

layer!([L: PostcodeLookup] SingleFlight<L>);

impl<L: fmt::Debug, Q: Question<L>> fmt::Debug for SingleFlight<L, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight")
            .field("inner", &self.inner)
            .field("flights", &lock(&self.flights).len())
            .finish()
    }
}
