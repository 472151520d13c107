//! Joins single lookups into batches.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;

use super::call::{Call, LookupCall};
use super::question::{self, OfPostcodes, Question};
use super::{Around, deadline, span, unit};
#[cfg(doc)]
use crate::MAX_BATCH;
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

type Batch<A> = BoxFuture<'static, Result<Arc<[A]>>>;
/// The keys of a batch that still accepts more; `None` once the batch has been sent.
type Seats<K> = Mutex<Option<Vec<K>>>;
/// The batch that gathers, with its seats.
type Gathering<K, A> = Mutex<Option<(Arc<Seats<K>>, WeakShared<Batch<A>>, Option<tracing::Span>)>>;

/// Joins single lookups that run at the same time into batches.
///
/// At most `in_flight` (4) batches run at once. While fewer run, a lookup is sent immediately and
/// alone, as if this layer did not exist. When the limit is reached, lookups gather, up to `max_size`
/// (100) in a batch, and are sent as soon as a running batch completes. So the layer adds no latency
/// without load, and under load one HTTP call carries many lookups. A `linger`, zero unless set,
/// makes each batch wait that long for more lookups; tokio's timer counts in whole milliseconds.
///
/// There is no background task: the callers of a batch drive it together. Any of them may be
/// dropped; if all are, the batch is dropped too. A failed batch fails all lookups in it. Batches
/// that the caller made, and the other methods, pass unchanged.
///
/// A batch has no caller's [deadline](super::deadline::current): put a [`Deadline`](super::Deadline)
/// inside. It belongs to no [unit](super::unit), and a lookup that demands an edition is sent alone. It
/// continues the trace of the first lookup, and its span follows from those of the others.
///
/// [`max_size`](Self::max_size), [`in_flight`](Self::in_flight) and [`linger`](Self::linger) set the limits:
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::Batcher;
///
/// fn batched(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Batcher::new(lookup).max_size(50).in_flight(2)
/// }
/// ```
///
/// [`of`](Self::of) takes another [`Question`], and then it joins the calls of that.
pub struct Batcher<L, Q: Question<L> = OfPostcodes> {
    inner: Arc<L>,
    max_size: usize,
    max_in_flight: usize,
    linger: Duration,
    slots: Arc<Semaphore>,
    gathering: Gathering<Q::Key, Q::Answer>,
}

impl<L: PostcodeLookup> Batcher<L> {
    /// Wraps a lookup, with the defaults above.
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
    /// use postcode_core::{PostcodeLookupExt, layers::Batcher};
    ///
    /// let batched = Batcher::new(library);
    /// assert!(batched.validate("SW1A 1AA").await?);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L) -> Self {
        Self::of(OfPostcodes, inner)
    }
}

impl<L: Send + Sync + 'static, Q: Question<L>> Batcher<L, Q> {
    /// Wraps a lookup, to join calls of this question, with the defaults above.
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
    /// use postcode_core::layers::{Batcher, OfPostcodes};
    ///
    /// let batched = Batcher::of(OfPostcodes, library);
    /// assert!(batched.answer("SW1A 1AA".parse()?).await?.is_live());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn of(_: Q, inner: L) -> Self {
        Self {
            inner: Arc::new(inner),
            max_size: 100,
            max_in_flight: 4,
            linger: Duration::ZERO,
            slots: Arc::new(Semaphore::new(4)),
            gathering: Mutex::default(),
        }
    }

    /// Sets how many lookups a batch holds at most: 1 to [`MAX_BATCH`] (for addresses 100), 100 unless set. A number
    /// outside this range becomes the nearest one inside.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use postcode_core::layers::Batcher;
    /// use postcode_core::{Answer, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// // Three lookups, and two batches.
    /// lookup.expect_lookup().times(2).returning(|batch| Ok(vec![Answer::Unknown; batch.len()]));
    /// let batched = Batcher::new(lookup).max_size(2).linger(Duration::from_millis(1));
    /// let get = |text| batched.get_str(text);
    /// let (one, two, three) = futures::join!(get("SW1A 1AA"), get("EH1 1YZ"), get("M1 1AE"));
    /// assert_eq!([one?, two?, three?], [Answer::Unknown, Answer::Unknown, Answer::Unknown]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn max_size(self, max_size: usize) -> Self {
        Self { max_size: max_size.clamp(1, Q::MAX), ..self }
    }

    /// Sets how many batches run at once at most: at least 1, 4 unless set.
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
    /// use postcode_core::layers::Batcher;
    /// use postcode_core::{Answer, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// // The first lookup is sent alone. The other two gather while it runs, and are sent together.
    /// lookup.expect_lookup().times(2).returning(|batch| Ok(vec![Answer::Unknown; batch.len()]));
    /// let batched = Batcher::new(Slow(lookup)).in_flight(1);
    /// let get = |text| batched.get_str(text);
    /// let (one, two, three) = futures::join!(get("SW1A 1AA"), get("EH1 1YZ"), get("M1 1AE"));
    /// assert_eq!([one?, two?, three?], [Answer::Unknown, Answer::Unknown, Answer::Unknown]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn in_flight(self, batches: usize) -> Self {
        let max_in_flight = batches.clamp(1, Semaphore::MAX_PERMITS);
        Self { max_in_flight, slots: Arc::new(Semaphore::new(max_in_flight)), ..self }
    }

    /// Sets how long a batch waits for more lookups: zero unless set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::Batcher;
    ///
    /// fn batched(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
    ///     Batcher::new(lookup).linger(Duration::from_millis(2))
    /// }
    /// ```
    #[must_use]
    pub fn linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
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
    /// use postcode_core::layers::Batcher;
    ///
    /// let batched = Batcher::new(library);
    /// assert_eq!(batched.inner().dataset().info().live, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inner(&self) -> &L {
        &self.inner
    }

    /// Answers for one key, in a batch with others.
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
    /// use postcode_core::layers::Batcher;
    ///
    /// let batched = Batcher::new(library);
    /// let (one, other) = (batched.answer("SW1A 1AA".parse()?), batched.answer("AB1 0AA".parse()?));
    /// let (one, other) = futures::join!(one, other);
    /// assert_eq!((one?.status(), other?.status()), ("live", "terminated"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the lookup.
    pub async fn answer(&self, key: Q::Key) -> Result<Q::Answer> {
        let (batch, seat, joined) = self.seat(key);
        Ok(span::within(joined, batch).await?[seat].clone())
    }

    /// Adds a key to the batch that is gathering, or to a new one. Returns the batch and the key's
    /// position in it, with the span of joining a batch of others.
    fn seat(&self, key: Q::Key) -> (Shared<Batch<Q::Answer>>, usize, Option<tracing::Span>) {
        let mut gathering = lock(&self.gathering);
        if let Some((seats, batch, span)) = &*gathering
            && let Some(batch) = batch.upgrade()
            && let Some(seats) = &mut *lock(seats)
            && seats.len() < self.max_size
        {
            seats.push(key);
            return (batch, seats.len() - 1, span::joined(span.as_ref()));
        }
        let seats: Arc<Seats<Q::Key>> = Arc::new(Mutex::new(Some(vec![key])));
        let span = span::shared();
        let departing = unit::shared(self.depart(seats.clone()));
        let batch = span::within(span.clone(), departing).boxed().shared();
        *gathering = batch.downgrade().map(|weak| (seats, weak, span));
        (batch, 0, None)
    }

    /// Waits for a free slot, closes the batch to further lookups, and sends it.
    fn depart(
        &self,
        seats: Arc<Seats<Q::Key>>,
    ) -> impl Future<Output = Result<Arc<[Q::Answer]>>> + Send + use<L, Q> {
        let (inner, slots, linger) = (self.inner.clone(), self.slots.clone(), self.linger);
        async move {
            if !linger.is_zero() {
                tokio::time::sleep(linger).await;
            }
            let _slot = slots.acquire().await.map_err(|closed| {
                Error::new(ErrorKind::Internal, "the batcher was closed").with_source(closed)
            })?;
            let keys = lock(&seats).take().unwrap_or_default();
            let all = question::all::<L, Q>(&inner, &keys);
            Ok(deadline::without(all).await?.into())
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<L: PostcodeLookup> Around for Batcher<L> {
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

layer!([L: PostcodeLookup] Batcher<L>);

impl<L: fmt::Debug, Q: Question<L>> fmt::Debug for Batcher<L, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("inner", &self.inner)
            .field("max_size", &self.max_size)
            .field("max_in_flight", &self.max_in_flight)
            .field("linger", &self.linger)
            .finish()
    }
}
