//! Repeats calls that failed temporarily.

use std::fmt::{self, Debug};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::call::Call;
use super::{Around, Budget, deadline, is_refused_comparison, span};
use crate::{Error, PostcodeLookup, Result, layer};

/// Repeats calls that failed [transiently](Error::is_transient).
///
/// - At most [`retries`](Retry::retries) times after the first attempt.
/// - After a random wait ("full jitter") of zero to [`backoff`](Retry::backoff). The upper limit
///   doubles with each retry, up to [`longest`](Retry::longest). So clients that failed together don't
///   come back together.
/// - Not before the time that the server asked for (`Retry-After`). If that is more than `longest`, the
///   call is not repeated.
/// - Never past the [deadline](super::deadline::current): if the wait would leave no time, the error is
///   returned at once.
/// - Only while the [`Budget`] lasts: 20 % of the calls, and ten saved.
///
/// After the last retry the error is marked [persistent](Error::is_persistent), so that outer layers
/// do not retry it again. Every call of the trait only reads, so every call may be repeated.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use std::time::Duration;
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{Retry, Timeout};
///
/// fn retried(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Retry::new(Timeout::new(lookup, Duration::from_millis(200))).retries(3)
/// }
/// ```
pub struct Retry<L> {
    inner: L,
    retries: u32,
    backoff: Duration,
    longest: Duration,
    budget: Budget,
    random: Mutex<fastrand::Rng>,
}

impl<L> Retry<L> {
    /// Wraps a lookup, with 2 retries, a backoff from 20 ms to 1 s, and a budget of 20 % with ten saved.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Retry;
    /// use postcode_core::{Error, ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_lookup_one().times(3).returning(|_| Err(Error::new(ErrorKind::Unavailable, "refused")));
    /// let error = Retry::new(lookup).get_str("SW1A 1AA").await.unwrap_err();
    /// assert!(error.is_persistent()); // three attempts failed
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L) -> Self {
        Self {
            inner,
            retries: 2,
            backoff: Duration::from_millis(20),
            longest: Duration::from_secs(1),
            budget: Budget::new(0.2, 10),
            random: Mutex::new(fastrand::Rng::new()),
        }
    }

    /// Sets how many retries there are at most: 2 unless set.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Retry;
    /// use postcode_core::{Error, ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// // The first attempt and one retry.
    /// lookup.expect_lookup_one().times(2).returning(|_| Err(Error::new(ErrorKind::Unavailable, "refused")));
    /// assert!(Retry::new(lookup).retries(1).get_str("SW1A 1AA").await.is_err());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// Sets the longest wait before the first retry: 20 ms unless set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::Retry;
    ///
    /// /// Waits 50 ms at most before the first retry, and 200 ms before any.
    /// fn retried(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
    ///     Retry::new(lookup).backoff(Duration::from_millis(50)).longest(Duration::from_millis(200))
    /// }
    /// ```
    #[must_use]
    pub fn backoff(self, backoff: Duration) -> Self {
        Self { backoff, ..self }
    }

    /// Sets the longest wait before any retry: 1 s unless set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::Retry;
    ///
    /// fn retried(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
    ///     Retry::new(lookup).longest(Duration::from_secs(5))
    /// }
    /// ```
    #[must_use]
    pub fn longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Sets how many retries are allowed per call: see [`Budget`].
    ///
    /// ```
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::{Budget, Retry};
    ///
    /// /// One retry for twenty calls, and three saved.
    /// fn retried(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
    ///     Retry::new(lookup).budget(Budget::new(0.05, 3))
    /// }
    /// ```
    #[must_use]
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Seeds the jitter, so that every run waits for the same times.
    ///
    /// ```
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::Retry;
    ///
    /// /// For a test that compares times.
    /// fn retried(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
    ///     Retry::new(lookup).seed(7)
    /// }
    /// ```
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { random: Mutex::new(fastrand::Rng::with_seed(seed)), ..self }
    }

    /// Returns how long to wait before a retry, the first being 0, or `None` if retrying would not
    /// help.
    fn wait(&self, retry: u32, error: &Error) -> Option<Duration> {
        let ceiling = self.backoff.saturating_mul(2_u32.saturating_pow(retry)).min(self.longest);
        let share = self.random.lock().unwrap_or_else(PoisonError::into_inner).f64();
        let asked = error.retry_after().unwrap_or_default();
        let wait = ceiling.mul_f64(share).max(asked);
        let in_time = deadline::remaining().is_none_or(|remaining| wait < remaining);
        (asked <= self.longest && in_time && self.budget.withdraw()).then_some(wait)
    }
}

impl<L: Debug + Send + Sync + 'static> Around for Retry<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        self.budget.deposit();
        let mut retry = 0;
        loop {
            let attempt = if retry == 0 { None } else { span::attempt(retry as usize + 1) };
            let error = match span::within(attempt, call.on(&self.inner)).await {
                Err(error) if error.is_transient() && !is_refused_comparison(&error) => error,
                answer => return answer,
            };
            if retry == self.retries {
                return Err(error.into_persistent());
            }
            let Some(wait) = self.wait(retry, &error) else { return Err(error.into_persistent()) };
            tokio::time::sleep(wait).await;
            retry += 1;
        }
    }
}

layer!([L: PostcodeLookup] Retry<L>);

impl<L: fmt::Debug> fmt::Debug for Retry<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("inner", &self.inner)
            .field("retries", &self.retries)
            .field("backoff", &self.backoff)
            .field("longest", &self.longest)
            .field("budget", &self.budget)
            .finish()
    }
}
