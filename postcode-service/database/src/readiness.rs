//! The write that `/ready` tries.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use crate::Recent;

/// The two values to write in turn. SQLite writes no page whose content stays the same. And a write
/// that is smaller could succeed where no real one does, in the space that a failed one left.
pub const FILLERS: [&str; 2] = [filled(&[b'.'; 64 * 1024]), filled(&[b','; 64 * 1024])];

const fn filled(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(filler) => filler,
        Err(_) => "",
    }
}

/// How long a result holds. Many health checks at once then cost one write.
const HOLDS: Duration = Duration::from_secs(1);

/// Remembers whether a write worked a moment ago. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Readiness<E>(Recent<Result<(), E>>);

impl<E: Clone> Default for Readiness<E> {
    fn default() -> Self {
        Self(Recent::new(HOLDS))
    }
}

impl<E: Clone + Display> Readiness<E> {
    /// Returns the result of the last write if it is new enough, else that of this one. Only one
    /// runs at a time.
    ///
    /// # Errors
    /// If the write failed.
    pub async fn check(&self, write: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        let tried = async {
            let result = write.await;
            if let Err(error) = &result {
                tracing::error!(%error, "writes to the database fail: not ready");
            }
            result
        };
        self.0.get(tried).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn checks_within_a_second_share_one_write() {
        let (readiness, writes) = (Readiness::<&str>::default(), AtomicU32::new(0));
        let check = || {
            readiness.check(async {
                tokio::time::sleep(Duration::from_secs(10)).await;
                if writes.fetch_add(1, Ordering::Relaxed) == 0 { Err("full") } else { Ok(()) }
            })
        };
        assert_eq!(tokio::join!(check(), check(), check()), (Err("full"), Err("full"), Err("full")));
        assert_eq!(writes.load(Ordering::Relaxed), 1);
        tokio::time::advance(HOLDS).await;
        assert_eq!((check().await, check().await), (Ok(()), Ok(())));
        assert_eq!(writes.load(Ordering::Relaxed), 2);
    }
}
