//! Counts refused requests, so that the log has a line a second and not one for each.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request, because too many were in progress.
    Shed,
    /// A request, because too many of its client were in progress.
    Client,
    /// A request, by a rate limit.
    Rate,
    /// A connection, or a request on one, because there was no place for it.
    NoPlace,
    /// A connection that lost its place while it was idle.
    Idle,
    /// A connection, upload or download that lost its place because it was slow.
    Slow,
    /// A request that was answered 5xx although the program works: a backend does not answer, or is
    /// switched off.
    Unavailable,
}

const KINDS: usize = 7;

static COUNTS: [AtomicU64; KINDS] = [const { AtomicU64::new(0) }; KINDS];

/// Counts one for the next summary, see [`log`](crate::log).
pub fn count(kind: Kind) {
    COUNTS[kind as usize].fetch_add(1, Ordering::Relaxed);
}

/// Resets the counts, and logs them in one line if there are any.
#[cfg(feature = "log")]
pub(crate) fn summarise() {
    let [shed, client_limit, rate_limited, no_place, idle_closed, slow_closed, unavailable] =
        std::array::from_fn(|kind| COUNTS[kind].swap(0, Ordering::Relaxed));
    if shed + client_limit + rate_limited + no_place + idle_closed + slow_closed + unavailable == 0 {
        return;
    }
    tracing::warn!(
        target: "refused",
        shed,
        client_limit,
        rate_limited,
        no_place,
        idle_closed,
        slow_closed,
        unavailable,
        "refused since the last line like this"
    );
}
