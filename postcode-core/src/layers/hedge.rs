//! Starts a second attempt when the first is slow.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures::future::{Either, select};
use tokio::time::{Instant, timeout};

use super::call::Call;
use super::latency::Latencies;
use super::{Around, Budget, is_fault, span};
use crate::{PostcodeLookup, Result, layer};

/// When the second attempt starts.
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::HedgeAfter;
///
/// let after_20_ms = HedgeAfter::Fixed(Duration::from_millis(20));
/// assert_ne!(after_20_ms, HedgeAfter::Quantile(0.95));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HedgeAfter {
    /// After this time.
    Fixed(Duration),
    /// When the first attempt has taken longer than this share (0 to 1) of the previous calls. 0.95
    /// means about one call in twenty. No second attempt starts until a hundred calls have been
    /// measured.
    Quantile(f64),
}

/// Starts a second attempt when the first has not answered for a while. The first answer is returned
/// and the slower attempt is dropped.
///
/// This shortens the slowest calls if they come from single slow requests (Dean and Barroso, *The Tail
/// at Scale*, 2013). A [`Budget`] of 10 % keeps it from doubling the load of a service that is slow
/// overall. The call fails only if both attempts fail.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{Hedge, HedgeAfter};
///
/// fn hedged(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Hedge::new(lookup, HedgeAfter::Quantile(0.95))
/// }
/// ```
#[derive(Debug)]
pub struct Hedge<L> {
    inner: L,
    after: HedgeAfter,
    budget: Budget,
    latencies: Latencies,
    /// The quantile in ns, recomputed every [`LOOK`] calls; 0 until the first time.
    quantile: AtomicU64,
    calls: AtomicU64,
    hedges: AtomicU64,
}

/// Calls between two computations of the quantile.
const LOOK: u64 = 100;

impl<L> Hedge<L> {
    /// Wraps a lookup, with a budget of 10 % of the calls, and ten saved.
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
    /// use postcode_core::layers::{Hedge, HedgeAfter};
    /// use postcode_core::{Answer, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup_one().returning(|_| Ok(Answer::Unknown));
    /// let slow = Slow(lookup); // answers after 20 ms
    /// let hedged = Hedge::new(slow, HedgeAfter::Fixed(Duration::from_millis(5)));
    /// assert_eq!(hedged.get_str("SW1A 9ZZ").await?, Answer::Unknown);
    /// assert_eq!(hedged.hedges(), 1); // a second attempt began after 5 ms
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L, after: HedgeAfter) -> Self {
        Self {
            inner,
            after,
            budget: Budget::new(0.1, 10),
            latencies: Latencies::new(),
            quantile: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            hedges: AtomicU64::new(0),
        }
    }

    /// Sets how many second attempts may start per call: see [`Budget`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::{Budget, Hedge, HedgeAfter};
    ///
    /// /// Starts second attempts for one call in a hundred at most.
    /// fn hedged(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
    ///     Hedge::new(lookup, HedgeAfter::Fixed(Duration::from_millis(20))).budget(Budget::new(0.01, 5))
    /// }
    /// ```
    #[must_use]
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Returns how many second attempts there were.
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
    /// use postcode_core::{PostcodeLookupExt, layers::{Hedge, HedgeAfter}};
    ///
    /// let hedged = Hedge::new(library, HedgeAfter::Quantile(0.95));
    /// hedged.get_str("SW1A 1AA").await?;
    /// assert_eq!(hedged.hedges(), 0); // nothing was measured yet
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn hedges(&self) -> u64 {
        self.hedges.load(Relaxed)
    }

    fn delay(&self) -> Option<Duration> {
        match self.after {
            HedgeAfter::Fixed(delay) => Some(delay),
            HedgeAfter::Quantile(quantile) => {
                if self.calls.fetch_add(1, Relaxed) % LOOK == LOOK - 1
                    && let Some(delay) = self.latencies.quantile(quantile)
                {
                    self.quantile.store(delay.as_nanos() as u64, Relaxed);
                }
                let ns = self.quantile.load(Relaxed);
                (ns > 0).then(|| Duration::from_nanos(ns))
            }
        }
    }

    /// Records how long an answer took.
    fn note<T>(&self, started: Instant, answer: Result<T>) -> Result<T> {
        if answer.is_ok() {
            self.latencies.add(started.elapsed());
        }
        answer
    }
}

impl<L: Debug + Send + Sync + 'static> Around for Hedge<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        self.budget.deposit();
        let started = Instant::now();
        let mut first = pin!(call.on(&self.inner));
        let Some(delay) = self.delay() else { return self.note(started, first.await) };
        if let Ok(answer) = timeout(delay, first.as_mut()).await {
            return self.note(started, answer);
        }
        if !self.budget.withdraw() {
            return self.note(started, first.await);
        }
        self.hedges.fetch_add(1, Relaxed);
        let second = pin!(span::within(span::attempt(2), call.on(&self.inner)));
        let answer = match select(first, second).await {
            Either::Left((Err(error), second)) if is_fault(&error) => second.await,
            Either::Right((Err(error), first)) if is_fault(&error) => first.await,
            Either::Left((answer, _)) | Either::Right((answer, _)) => answer,
        };
        self.note(started, answer)
    }
}

layer!([L: PostcodeLookup] Hedge<L>);
