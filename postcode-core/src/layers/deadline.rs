//! One deadline for a call and all that is done to answer it.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Around;
use super::call::Call;
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

tokio::task_local! {
    static DEADLINE: Option<Instant>;
}

/// When the caller of this task stops waiting; `None` if nobody said.
///
/// The layers set it and obey it; an implementation that waits for something should obey it too, and tell
/// the other side (the header [`DEADLINE_HEADER`](crate::wire::DEADLINE_HEADER)).
pub fn current() -> Option<Instant> {
    DEADLINE.try_get().ok().flatten()
}

/// How long the caller of this task still waits: [`current`], from now; zero if it is over.
pub fn remaining() -> Option<Duration> {
    current().map(|at| at.saturating_duration_since(Instant::now()))
}

/// Runs a future under a deadline, or under the one that is there if that is earlier. It is only told of the
/// deadline, not stopped by it. A server calls this with what its own caller sent.
pub async fn scope<F: Future>(at: Instant, future: F) -> F::Output {
    let at = current().map_or(at, |outer| at.min(outer));
    DEADLINE.scope(Some(at), future).await
}

/// That long from now, or a century if that is more than the clock can tell.
pub(super) fn after(wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    Instant::now() + wait.min(CENTURY)
}

/// Runs a future that works for several callers, none of whose deadlines is its own.
pub(super) async fn without<F: Future>(future: F) -> F::Output {
    DEADLINE.scope(None, future).await
}

/// Runs a call until the earlier of this deadline and the one that is there.
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

/// An overall deadline: a call that has no answer after `within`, whatever was tried, is a
/// [`Timeout`](ErrorKind::Timeout).
///
/// What is inside sees it as [`current`], so that no retry starts that can't end and a server is told how
/// long it has. A deadline that the caller set himself stays if it is earlier, and a call whose deadline
/// has passed before it starts is not made.
#[derive(Debug)]
pub struct Deadline<L> {
    inner: L,
    within: Duration,
}

impl<L> Deadline<L> {
    /// Around a lookup, that long for each call.
    pub fn new(inner: L, within: Duration) -> Self {
        Self { inner, within }
    }
}

fn late(call: &impl Display, within: Duration) -> Error {
    // Nothing is left of the caller's time, so it is no use to ask again.
    Error::new(ErrorKind::Timeout, format!("{call}: no answer within the deadline of {within:?}"))
        .into_persistent()
}

impl<L: PostcodeLookup> Around for Deadline<L> {
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
