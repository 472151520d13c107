//! Carries one deadline through a call and everything that is done to answer it.

use std::fmt::{Debug, Display};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Around;
use super::call::Call;
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

tokio::task_local! {
    static DEADLINE: Option<Instant>;
}

/// Returns when the caller of this task stops waiting, or `None` if there is no deadline.
///
/// The layers set the deadline and obey it. An implementation that waits for something should obey
/// it too, and tell the server in the header [`DEADLINE_HEADER`](crate::wire::DEADLINE_HEADER).
///
/// ```
/// use postcode_core::layers::deadline;
/// use tokio::time::{Duration, Instant};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(deadline::current(), None);
/// let at = Instant::now() + Duration::from_secs(1);
/// assert_eq!(deadline::scope(at, async { deadline::current() }).await, Some(at));
/// # }
/// ```
pub fn current() -> Option<Instant> {
    DEADLINE.try_get().ok().flatten()
}

/// Returns how long the caller of this task still waits: the time until [`current`], or zero if
/// that has passed.
///
/// ```
/// use postcode_core::layers::deadline;
/// use tokio::time::{Duration, Instant};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let past = Instant::now();
/// assert_eq!(deadline::scope(past, async { deadline::remaining() }).await, Some(Duration::ZERO));
/// # }
/// ```
pub fn remaining() -> Option<Duration> {
    current().map(|at| at.saturating_duration_since(Instant::now()))
}

/// Runs a future with a deadline, or with the deadline already in effect if that is earlier.
///
/// The future can read the deadline but is not stopped by it. A server calls this with the deadline
/// that its client sent.
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::deadline;
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let at = Instant::now() + Duration::from_secs(1);
/// let left = deadline::scope(at, async { deadline::remaining() }).await;
/// assert!(left.is_some_and(|left| left <= Duration::from_secs(1)));
/// # }
/// ```
pub async fn scope<F: Future>(at: Instant, future: F) -> F::Output {
    let at = current().map_or(at, |outer| at.min(outer));
    DEADLINE.scope(Some(at), future).await
}

/// Returns the moment that is `wait` from now, or a century from now if that is later than the
/// clock can express.
pub(super) fn after(wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    Instant::now() + wait.min(CENTURY)
}

/// Runs a future that works for several callers, so none of their deadlines applies to it.
pub(super) async fn without<F: Future>(future: F) -> F::Output {
    DEADLINE.scope(None, future).await
}

/// Runs a call until this deadline or the one already in effect, whichever is earlier.
pub(super) async fn until<T>(
    at: Instant,
    call: impl Future<Output = Result<T>>,
    late: impl FnOnce() -> Error,
) -> Result<T> {
    let at = current().map_or(at, |outer| at.min(outer));
    match timeout_at(at, DEADLINE.scope(Some(at), call)).await {
        Ok(answer) => answer,
        Err(_) => Err(late()),
    }
}

/// Limits a whole call: if there is no answer after `within`, including all retries, the call fails
/// with [`Timeout`](ErrorKind::Timeout).
///
/// The layers inside see the deadline as [`current`]. So no retry starts that can't end in time, and
/// a server learns how long it has. An earlier deadline that the caller set still applies. A call
/// whose deadline has passed before it starts is not made.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use std::time::Duration;
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{Deadline, Retry};
///
/// fn limited(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Deadline::new(Retry::new(lookup), Duration::from_secs(1)) // with all retries
/// }
/// ```
#[derive(Debug)]
pub struct Deadline<L> {
    inner: L,
    within: Duration,
}

impl<L> Deadline<L> {
    /// Wraps a lookup and limits each call to this time.
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
    /// use postcode_core::layers::Deadline;
    /// use postcode_core::{ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let slow = Slow(MockPostcodeLookup::new()); // answers after 20 ms
    /// let limited = Deadline::new(slow, Duration::from_millis(10));
    /// let error = limited.get_str("SW1A 1AA").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Timeout);
    /// assert!(error.is_persistent()); // there is no time left to retry
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L, within: Duration) -> Self {
        Self { inner, within }
    }
}

fn late(call: &impl Display, within: Duration) -> Error {
    // The caller has no time left, so asking again would be useless.
    Error::new(ErrorKind::Timeout, format!("{call}: no answer within the deadline of {within:?}"))
        .into_persistent()
}

impl<L: Debug + Send + Sync + 'static> Around for Deadline<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let within = remaining().map_or(self.within, |outer| self.within.min(outer));
        if within.is_zero() {
            return Err(late(&call, within));
        }
        until(after(within), call.on(&self.inner), || late(&call, within)).await
    }
}

layer!([L: PostcodeLookup] Deadline<L>);
