//! Resolves pending addresses in the background.

use std::time::Duration;

use postcode_core::{ErrorKind, MAX_BATCH, Postcode};
use tracing::{info, warn};

use crate::audit::Action;
use crate::check::{self, Checked};
use crate::{Customers, Error};

/// The most postcodes in one batch: few enough for the time limit of a slow service.
pub(crate) const BATCH: usize = 500;
const _: () = assert!(BATCH <= MAX_BATCH);
/// The first pause after a failure. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest `Retry-After` that is respected.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The reason why a pass over the addresses ended early.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::sync::Arc;
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// use customers::{Customers, ResolveError, Store};
/// use postcode_core::{Error, ErrorKind, MockPostcodeLookup};
///
/// let mut lookup = MockPostcodeLookup::new();
/// lookup.expect_lookup().returning(|_| Err(Error::new(ErrorKind::Unavailable, "refused")));
/// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// customers.create(ada).await?; // accepted, and pending
/// assert!(matches!(customers.resolve_pending().await, Err(ResolveError::Lookup(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The lookup failed. Unresolved addresses stay pending.
    #[error("the postcode lookup failed: {0}")]
    Lookup(postcode_core::Error),
    /// The address lookup failed. Links stay as they were.
    #[error("the address lookup failed: {0}")]
    Addresses(postcode_core::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Customers {
    /// Asks once for every pending address that is due, in batches. Returns how many are no longer
    /// pending.
    ///
    /// An answer is stored only if the customer has not changed since the question. So an address
    /// is resolved once, even if several processes do this at the same time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::{AddressStatus, Customers, Store};
    /// use postcode_core::{Answer, Error, ErrorKind, MockPostcodeLookup, Record};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_lookup().times(1).returning(|_| Err(Error::new(ErrorKind::Unavailable, "refused")));
    /// lookup.expect_lookup().returning(|postcodes| Ok(vec![Answer::Live(Record::live(postcodes[0]))]));
    /// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let ada = customers.create(ada).await?;
    /// assert_eq!(ada.check.status, AddressStatus::Pending);
    /// assert_eq!(customers.resolve_pending().await?, 1);
    /// assert_eq!(customers.get(ada.id).await?.check.status, AddressStatus::Verified);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the lookup or the store fails. What was answered until then is stored.
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
                // The batch may be too large, or one postcode may make the lookup fail. Ask for
                // fewer, and put the culprit behind the others once it is found.
                Err(_) if due.len() > 1 => size = due.len() / 2,
                Err(error) => {
                    let deferred = due.into_iter().map(|due| (due, Checked::deferred())).collect();
                    self.store.settle(deferred, Action::Resolved).await.map_err(Error::from)?;
                    return Err(ResolveError::Lookup(error));
                }
            }
        }
    }

    /// Resolves pending addresses for as long as it is polled: all of them at the start, because
    /// the lookup may have changed, then new ones as they come, and at the interval `every` those
    /// that are due again. While the lookup fails, pauses grow from a quarter of a second to
    /// `every`, or to its `Retry-After`. Dropping it between or during batches loses nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use std::time::Duration;
    ///
    /// let resolver = customers.clone();
    /// let resolving = tokio::spawn(async move { resolver.keep_resolving(Duration::from_secs(60)).await });
    /// assert!(customers.ready().await.is_ok()); // other work goes on
    /// resolving.abort(); // to stop
    /// # Ok(())
    /// # }
    /// ```
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

/// Returns an exponential pause with jitter, between half and the whole, so that consumers don't
/// retry in step.
fn pause(failures: u32, every: Duration, error: &ResolveError) -> Duration {
    let exponential = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(every);
    let asked = match error {
        ResolveError::Lookup(error) | ResolveError::Addresses(error) => {
            error.retry_after().unwrap_or_default().min(LONGEST_PAUSE)
        }
        ResolveError::Store(_) => Duration::ZERO,
    };
    exponential.mul_f64(0.5 + fastrand::f64() / 2.0).max(asked)
}
