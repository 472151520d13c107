//! Checks known addresses against a new edition of the postcodes.

use std::time::Duration;

use postcode_core::{Answer, ErrorKind, Postcode, unit};
use tracing::{debug, info, warn};

use crate::audit::Action;
use crate::check::{self, Checked};
use crate::resolve::BATCH;
use crate::store::{Recheck, Settled, Subject};
use crate::{Customers, Error, ResolveError};

/// The key of the unit that a recheck is, see [`unit::scope`].
const UNIT: &str = "recheck";
/// How often a batch is retried because its customers changed in the meantime.
pub(crate) const ATTEMPTS: usize = 16;

impl Customers {
    /// Runs [`recheck`](Self::recheck) and [`recheck_links`](Self::recheck_links) at the interval
    /// `every`, for as long as it is polled. It is
    /// separate from the [resolver](Self::keep_resolving), so that new addresses don't wait for the
    /// check of all others. Dropping it at any moment loses nothing.
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
    /// let checker = customers.clone();
    /// let checking = tokio::spawn(async move { checker.keep_rechecking(Duration::from_secs(3600)).await });
    /// assert!(customers.ready().await.is_ok()); // other work goes on
    /// checking.abort(); // to stop
    /// # Ok(())
    /// # }
    /// ```
    pub async fn keep_rechecking(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            if let Err(error) = self.recheck().await {
                warn!(%error, "the check of all addresses against the edition failed and is tried again later");
            }
            if let Err(error) = self.recheck_links().await {
                warn!(%error, "the check whether addresses still exist failed and is tried again later");
            }
        }
    }

    /// Checks whether the lookup has another edition than the addresses were checked against. If
    /// so, looks all of them up again in batches, and stores what changed, such as a terminated
    /// postcode or another district. Returns how many addresses changed.
    ///
    /// An unchanged address gets no new revision. If the check is interrupted, the next call
    /// continues it. The first edition ever seen counts as already checked against.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// use customers::{Customers, Store};
    /// use postcode_core::{DatasetInfo, MockPostcodeLookup};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_info().returning(|| Ok(DatasetInfo::new("May 2025")));
    /// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// assert_eq!(customers.recheck().await?, 0); // the first edition that is seen
    /// assert_eq!(customers.recheck().await?, 0); // the same edition
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the lookup or the store fails. What was answered until then is stored.
    pub async fn recheck(&self) -> Result<usize, ResolveError> {
        let Some((edition, name)) = unit::scope(UNIT, self.edition()).await else { return Ok(0) };
        let mut at = match self.store.recheck(Subject::Postcodes).await.map_err(Error::from)? {
            Some(at) if at.fingerprint == edition && at.done => return Ok(0),
            Some(at) if at.fingerprint == edition => at,
            Some(_) => {
                info!(edition = %name, "a new edition of the postcodes: checking all addresses again");
                Recheck { fingerprint: edition.clone(), ..Recheck::default() }
            }
            None => {
                let first = Recheck { fingerprint: edition, done: true, ..Recheck::default() };
                self.store.set_recheck(Subject::Postcodes, &first).await.map_err(Error::from)?;
                return Ok(0);
            }
        };
        self.store.set_recheck(Subject::Postcodes, &at).await.map_err(Error::from)?;
        let mut total = Settled::default();
        let (mut size, mut attempts) = (BATCH, 0);
        loop {
            let known = self.store.checked_after(at.after, size).await.map_err(Error::from)?;
            let Some(last) = known.last().map(|last| (last.seq, last.number)) else { break };
            let postcodes: Vec<Postcode> = known.iter().map(|known| known.postcode).collect();
            // One unit for the question and the answers, so that both come from the same side if the
            // lookup is being moved. A unit for each batch, so that a rollback takes effect.
            let asked = unit::scope(UNIT, self.at_edition(&edition, &postcodes)).await;
            let answers = match asked {
                Ok(Some(answers)) => answers,
                Ok(None) => {
                    info!(edition = %name, "the lookup has another edition now, or does not tell: checking later");
                    return Ok(total.changed);
                }
                Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Overloaded) => {
                    return Err(ResolveError::Lookup(error));
                }
                // The batch may be too large, or one postcode may make the lookup fail, as when
                // resolving.
                Err(_) if known.len() > 1 => {
                    size = known.len() / 2;
                    continue;
                }
                Err(error) if error.is_transient() => return Err(ResolveError::Lookup(error)),
                Err(error) => {
                    warn!(postcode = %postcodes[0], %error, "not checked against the edition: it stays as it was");
                    Vec::new()
                }
            };
            let outcomes = known.into_iter().zip(answers.iter().map(Checked::answered)).collect();
            let settled = self.store.settle(outcomes, Action::Rechecked).await.map_err(Error::from)?;
            total.changed += settled.changed;
            total.terminated += settled.terminated;
            // Concurrent changes keep the checks of unchanged postcodes, so ask for these again.
            if settled.stale > 0 && attempts < ATTEMPTS {
                attempts += 1;
                continue;
            }
            attempts = 0;
            total.stale += settled.stale;
            at.after = last;
            self.store.set_recheck(Subject::Postcodes, &at).await.map_err(Error::from)?;
            size = (size * 2).min(BATCH);
        }
        at.done = true;
        self.store.set_recheck(Subject::Postcodes, &at).await.map_err(Error::from)?;
        let Settled { changed, terminated, stale } = total;
        info!(edition = %name, changed, terminated, stale, "all addresses have been checked against the edition");
        Ok(changed)
    }

    /// Looks postcodes up in this edition. `None` if the answers may be from another one: the lookup
    /// has changed it, or another source answers while the lookup is away.
    async fn at_edition(
        &self,
        edition: &str,
        postcodes: &[Postcode],
    ) -> postcode_core::Result<Option<Vec<Answer>>> {
        if !self.has(edition).await {
            return Ok(None);
        }
        let answers = check::many(&*self.lookup, postcodes, self.lookup_timeout).await?;
        Ok(self.has(edition).await.then_some(answers))
    }

    async fn has(&self, edition: &str) -> bool {
        self.edition().await.is_some_and(|(now, _)| now == edition)
    }

    /// Returns the fingerprint and name of the lookup's edition; `None` if it does not answer in
    /// time.
    async fn edition(&self) -> Option<(String, String)> {
        match tokio::time::timeout(self.lookup_timeout, self.lookup.info()).await {
            Ok(Ok(info)) if info.fingerprint.is_empty() => Some((info.edition.clone(), info.edition)),
            Ok(Ok(info)) => Some((info.fingerprint, info.edition)),
            // A lookup that can't tell, such as a server of postcodes.io, counts as unchanged. One
            // that is down is asked next time.
            Ok(Err(error)) => {
                debug!(%error, "the lookup does not say which edition it has");
                None
            }
            Err(_) => None,
        }
    }
}
