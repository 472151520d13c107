//! Joins single lookups into batches.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;

use super::call::{Call, LookupCall};
use super::{Around, deadline, unit};
use crate::{Answer, Error, ErrorKind, MAX_BATCH, Postcode, PostcodeLookup, Result, layer};

type Batch = BoxFuture<'static, Result<Arc<[Answer]>>>;
/// The postcodes of a batch that still accepts more; `None` once the batch has been sent.
type Seats = Mutex<Option<Vec<Postcode>>>;

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
/// inside. It belongs to no [unit](super::unit), and a lookup that demands an edition is sent alone.
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::Batcher;
///
/// fn batched(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Batcher::new(lookup).max_size(50).in_flight(2)
/// }
/// ```
pub struct Batcher<L> {
    inner: Arc<L>,
    max_size: usize,
    max_in_flight: usize,
    linger: Duration,
    slots: Arc<Semaphore>,
    gathering: Mutex<Option<(Arc<Seats>, WeakShared<Batch>)>>,
}

impl<L: PostcodeLookup> Batcher<L> {
    /// Wraps a lookup, with the defaults above.
    pub fn new(inner: L) -> Self {
        Self {
            inner: Arc::new(inner),
            max_size: 100,
            max_in_flight: 4,
            linger: Duration::ZERO,
            slots: Arc::new(Semaphore::new(4)),
            gathering: Mutex::default(),
        }
    }

    /// Sets how many lookups a batch holds at most: 1 to [`MAX_BATCH`], 100 unless set. A number
    /// outside this range becomes the nearest one inside.
    #[must_use]
    pub fn max_size(self, max_size: usize) -> Self {
        Self { max_size: max_size.clamp(1, MAX_BATCH), ..self }
    }

    /// Sets how many batches run at once at most: at least 1, 4 unless set.
    #[must_use]
    pub fn in_flight(self, batches: usize) -> Self {
        let max_in_flight = batches.clamp(1, Semaphore::MAX_PERMITS);
        Self { max_in_flight, slots: Arc::new(Semaphore::new(max_in_flight)), ..self }
    }

    /// Sets how long a batch waits for more lookups: zero unless set.
    #[must_use]
    pub fn linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// Adds a postcode to the batch that is gathering, or to a new one. Returns the batch and the
    /// postcode's position in it.
    fn seat(&self, postcode: Postcode) -> (Shared<Batch>, usize) {
        let mut gathering = lock(&self.gathering);
        if let Some((seats, batch)) = &*gathering
            && let Some(batch) = batch.upgrade()
            && let Some(seats) = &mut *lock(seats)
            && seats.len() < self.max_size
        {
            seats.push(postcode);
            return (batch, seats.len() - 1);
        }
        let seats: Arc<Seats> = Arc::new(Mutex::new(Some(vec![postcode])));
        let batch = self.depart(seats.clone()).boxed().shared();
        *gathering = batch.downgrade().map(|weak| (seats, weak));
        (batch, 0)
    }

    /// Waits for a free slot, closes the batch to further lookups, and sends it.
    fn depart(&self, seats: Arc<Seats>) -> impl Future<Output = Result<Arc<[Answer]>>> + Send + use<L> {
        let (inner, slots, linger) = (self.inner.clone(), self.slots.clone(), self.linger);
        async move {
            if !linger.is_zero() {
                tokio::time::sleep(linger).await;
            }
            let _slot = slots.acquire().await.map_err(|closed| {
                Error::new(ErrorKind::Internal, "the batcher was closed").with_source(closed)
            })?;
            let postcodes = lock(&seats).take().unwrap_or_default();
            let answers = unit::without(deadline::without(inner.lookup(&postcodes))).await?;
            if answers.len() != postcodes.len() {
                return Err(Error::new(
                    ErrorKind::Internal,
                    format!(
                        "a batch of {} postcodes came back with {} answers",
                        postcodes.len(),
                        answers.len()
                    ),
                ));
            }
            Ok(answers.into())
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
            [postcode] if unit::edition().is_none() => {
                let (batch, seat) = self.seat(*postcode);
                Ok(C::reply_one(batch.await?[seat].clone()))
            }
            _ => call.on(&*self.inner).await,
        }
    }
}

layer!([L: PostcodeLookup] Batcher<L>);

impl<L: fmt::Debug> fmt::Debug for Batcher<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("inner", &self.inner)
            .field("max_size", &self.max_size)
            .field("max_in_flight", &self.max_in_flight)
            .field("linger", &self.linger)
            .finish()
    }
}
