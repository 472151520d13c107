//! Callers under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use postcode_core::{ErrorKind, PostcodeLookup, PostcodeLookupExt};
use postcode_testing::until;
use tokio::time::{sleep, timeout};

use crate::faults::service::{GENEROUS, local, postcode};

/// Returns whether a client may see this error when a service is in trouble.
pub(crate) fn is_typed(kind: ErrorKind) -> bool {
    use ErrorKind::{Overloaded, Protocol, Timeout, Unavailable};
    matches!(kind, Unavailable | Timeout | Overloaded | Protocol)
}

/// Callers that send requests until told to stop.
pub(crate) struct Load {
    ended: Arc<AtomicBool>,
    callers: Vec<tokio::task::JoinHandle<()>>,
    pub(crate) answered: Arc<AtomicUsize>,
    pub(crate) failed: Arc<AtomicUsize>,
}

impl Load {
    pub(crate) fn on(lookup: Arc<dyn PostcodeLookup>, callers: usize) -> Self {
        let (ended, answered, failed) = <(Arc<AtomicBool>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let call = || {
            let (lookup, ended) = (lookup.clone(), ended.clone());
            let (answered, failed) = (answered.clone(), failed.clone());
            tokio::spawn(async move {
                let right = local().dataset().get(postcode());
                while !ended.load(SeqCst) {
                    match timeout(GENEROUS, lookup.get(postcode())).await.expect("a call that hangs") {
                        Ok(answer) => {
                            assert_eq!(answer, right);
                            answered.fetch_add(1, SeqCst);
                            // An answer in process is ready at once, so let other tasks run too.
                            tokio::task::yield_now().await;
                        }
                        Err(error) => {
                            assert!(is_typed(error.kind()), "{error:?}");
                            failed.fetch_add(1, SeqCst);
                            sleep(Duration::from_millis(1)).await;
                        }
                    }
                }
            })
        };
        Self { callers: (0..callers).map(|_| call()).collect(), ended, answered, failed }
    }

    /// Waits until that many more calls have been answered or have failed.
    pub(crate) async fn more(&self, count: &AtomicUsize, many: usize) {
        let enough = count.load(SeqCst) + many;
        until("the load goes on", async || count.load(SeqCst) >= enough).await;
    }

    /// Calls answered and failed.
    pub(crate) async fn end(self) -> (usize, usize) {
        self.ended.store(true, SeqCst);
        for caller in self.callers {
            caller.await.unwrap();
        }
        (self.answered.load(SeqCst), self.failed.load(SeqCst))
    }
}
