//! Asking again what failed for a moment.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::call::Call;
use super::{Around, Budget, deadline};
use crate::{Error, PostcodeLookup, Result, layer};

/// Asks again what failed [transiently](Error::is_transient).
///
/// - At most [`retries`](Retry::retries) times after the first attempt.
/// - After a wait with full jitter: anything from nothing to [`backoff`](Retry::backoff), doubled each time
///   up to [`longest`](Retry::longest), so that clients which failed together don't come back together.
/// - Not before what the other side asked for (`Retry-After`); if that is more than `longest`, not at all.
/// - Never past the [deadline](super::deadline::current): where the wait would not leave any time, the error
///   is returned at once.
/// - Only while the [`Budget`] lasts: 20 % of the calls, ten saved.
///
/// An error that it gives up on is marked [persistent](Error::is_persistent), so that no outer layer
/// begins again. Every call of the trait only reads, so every one may be repeated.
pub struct Retry<L> {
    inner: L,
    retries: u32,
    backoff: Duration,
    longest: Duration,
    budget: Budget,
    random: Mutex<fastrand::Rng>,
}

impl<L> Retry<L> {
    /// Around a lookup: 2 retries, backoff from 20 ms to 1 s, a budget of 20 %.
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

    /// How often to ask again at most.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// The longest wait before the first retry.
    #[must_use]
    pub fn backoff(self, backoff: Duration) -> Self {
        Self { backoff, ..self }
    }

    /// The longest wait before any retry.
    #[must_use]
    pub fn longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// How many retries for how many calls.
    #[must_use]
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Makes the jitter the same in every run.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { random: Mutex::new(fastrand::Rng::with_seed(seed)), ..self }
    }

    /// How long to wait before that retry, the first being 0; `None` if it is no use.
    fn wait(&self, retry: u32, error: &Error) -> Option<Duration> {
        let ceiling = self.backoff.saturating_mul(2_u32.saturating_pow(retry)).min(self.longest);
        let share = self.random.lock().unwrap_or_else(PoisonError::into_inner).f64();
        let asked = error.retry_after().unwrap_or_default();
        let wait = ceiling.mul_f64(share).max(asked);
        let in_time = deadline::remaining().is_none_or(|remaining| wait < remaining);
        (asked <= self.longest && in_time && self.budget.withdraw()).then_some(wait)
    }
}

impl<L: PostcodeLookup> Around for Retry<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        self.budget.deposit();
        let mut retry = 0;
        loop {
            let error = match call.on(&self.inner).await {
                Err(error) if error.is_transient() => error,
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
