//! Pending addresses, resolved later.

use std::time::Duration;

use postcode_core::{ErrorKind, MAX_BATCH, Postcode};
use tracing::{info, warn};

use crate::audit::Action;
use crate::check::{self, Checked};
use crate::{Customers, Error};

/// Postcodes asked for at once, at most: little enough for the time limit of a slow service.
pub(crate) const BATCH: usize = 500;
const _: () = assert!(BATCH <= MAX_BATCH);
/// The first pause after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest that another side's `Retry-After` is obeyed.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Why a pass over the pending addresses ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The lookup failed; what is still pending stays so.
    #[error("the postcode lookup failed: {0}")]
    Lookup(postcode_core::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Customers {
    /// Asks once for every pending address that is due, in batches. How many are pending no more.
    ///
    /// An answer is stored only if the customer has not changed since the question: whatever else writes,
    /// and however many do this at once, an address is resolved once.
    ///
    /// # Errors
    /// When the lookup or the store fails. What was answered until then is stored.
    pub async fn resolve_pending(&self) -> Result<usize, ResolveError> {
        let mut resolved = 0;
        let mut size = BATCH;
        loop {
            let due = self.store.due(size).await.map_err(Error::from)?;
            if due.is_empty() {
                return Ok(resolved);
            }
            let postcodes: Vec<Postcode> = due.iter().map(|due| due.postcode).collect();
            match check::many(&*self.lookup, &postcodes, self.lookup_timeout).await {
                Ok(answers) => {
                    let checked = answers.iter().map(Checked::answered);
                    let outcomes = due.into_iter().zip(checked).collect();
                    let settled = self.store.settle(outcomes, Action::Resolved).await.map_err(Error::from)?;
                    resolved += settled.changed;
                    size = (size * 2).min(BATCH);
                }
                Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Overloaded) => {
                    return Err(ResolveError::Lookup(error));
                }
                // It may be the batch that is too large, or one postcode that the other side stumbles over:
                // ask for less, and put the culprit behind the others once it is found.
                Err(_) if due.len() > 1 => size = due.len() / 2,
                Err(error) => {
                    let deferred = due.into_iter().map(|due| (due, Checked::deferred())).collect();
                    self.store.settle(deferred, Action::Resolved).await.map_err(Error::from)?;
                    return Err(ResolveError::Lookup(error));
                }
            }
        }
    }

    /// Resolves pending addresses for as long as it is polled: all at the start (the lookup may be another
    /// one than before), then as they come, and `every` so often those that are due again. While the lookup
    /// fails, pauses grow from a quarter of a second to `every`, or what the other side asks for.
    /// Dropping it between or during batches loses nothing.
    pub async fn keep_resolving(&self, every: Duration) {
        let mut failures = 0;
        let mut started = false;
        loop {
            let pass = async {
                if !started {
                    self.store.all_due().await.map_err(Error::from)?;
                    started = true;
                }
                self.resolve_pending().await
            };
            match pass.await {
                Ok(resolved) => {
                    if resolved > 0 {
                        info!(resolved, "pending addresses resolved");
                    }
                    failures = 0;
                    let _ = tokio::time::timeout(every, self.pending.notified()).await;
                }
                Err(error) => {
                    let pause = pause(failures, every, &error);
                    failures += 1;
                    warn!(%error, failures, ?pause, "pending addresses wait");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// Exponential with jitter, between a half and the whole, so that many consumers don't ask in step.
fn pause(failures: u32, every: Duration, error: &ResolveError) -> Duration {
    let exponential = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(every);
    let asked = match error {
        ResolveError::Lookup(error) => error.retry_after().unwrap_or_default().min(LONGEST_PAUSE),
        ResolveError::Store(_) => Duration::ZERO,
    };
    exponential.mul_f64(0.5 + fastrand::f64() / 2.0).max(asked)
}
