//! Requests that may take longer than others: their handlers say so, once the route is known and
//! has work to do.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;

#[cfg(feature = "jobs")]
/// The time limit of uploads. They must also keep a least speed; this ensures that none hangs for
/// ever.
pub(super) const UPLOAD: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a request may take, as an extension of the request that its handler sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnTime(Arc<AtomicU64>);

impl OwnTime {
    /// Extends the request's time limit to that, if it is longer than the server's.
    pub(super) fn allow(&self, longest: Duration) {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_max(millis, Ordering::Relaxed);
    }

    /// Returns the time that was allowed, or zero.
    pub(crate) fn allowed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Extracts the time limit of this request, or a default that has no effect.
impl<S: Sync> FromRequestParts<S> for OwnTime {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
