//! Checks whether the address data still has the entries that addresses are linked to.

use tracing::{debug, info};

use crate::link::Linked;
use crate::offer::{statuses, within};
use crate::recheck::ATTEMPTS;
use crate::store::{LinkDue, Recheck, Settled, Subject};
use crate::{Customers, Error, ResolveError};

/// The links in one batch: as many as one call of the lookup takes.
const BATCH: usize = postcode_addresses::lookup::MAX_ADDRESS_BATCH;

impl Customers {
    /// Looks pending links up. If the address data has another edition than the links were checked
    /// against, looks all of them up, in batches, and stores what changed: an address that the data
    /// no longer has, or has at another postcode. Returns how many links changed.
    ///
    /// An unchanged link makes no new revision. If the check is interrupted, the next call continues
    /// it. Without an address lookup, or while it does not tell its edition, nothing changes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// // Without a lookup of addresses no link changes.
    /// assert_eq!(customers.recheck_links().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the lookup or the store fails. What was answered until then is stored.
    pub async fn recheck_links(&self) -> Result<usize, ResolveError> {
        let Some((edition, name)) = self.address_edition().await else { return Ok(0) };
        let before = self.store.recheck(Subject::Addresses).await.map_err(Error::from)?;
        let (mut at, pending_only) = match before {
            Some(at) if at.fingerprint == edition && at.done => (Recheck::default(), true),
            Some(at) if at.fingerprint == edition => (at, false),
            _ => (Recheck { fingerprint: edition.clone(), ..Recheck::default() }, false),
        };
        let (mut total, mut attempts) = (Settled::default(), 0);
        loop {
            let due = self.store.links_after(at.after, pending_only, BATCH).await.map_err(Error::from)?;
            let Some(last) = due.last().map(|last| (last.seq, last.number)) else { break };
            let Some(settled) = self.relink(&edition, due).await? else {
                info!(edition = %name, "the address lookup has another edition now: checking later");
                return Ok(total.changed);
            };
            total.changed += settled.changed;
            // A customer changed in the meantime, so ask for these again.
            if settled.stale > 0 && attempts < ATTEMPTS {
                attempts += 1;
                continue;
            }
            attempts = 0;
            at.after = last;
            if !pending_only {
                self.store.set_recheck(Subject::Addresses, &at).await.map_err(Error::from)?;
            }
        }
        if !pending_only {
            at.done = true;
            self.store.set_recheck(Subject::Addresses, &at).await.map_err(Error::from)?;
            info!(edition = %name, changed = total.changed, "all links have been checked against the address data");
        }
        Ok(total.changed)
    }

    /// Looks links up and stores their statuses. `None` if the lookup has another edition by now.
    async fn relink(&self, edition: &str, due: Vec<LinkDue>) -> Result<Option<Settled>, ResolveError> {
        let Some(lookup) = &self.addresses else { return Ok(None) };
        let links: Vec<Linked> = due.iter().map(|due| due.linked).collect();
        let found =
            statuses(&**lookup, &links, self.lookup_timeout).await.map_err(ResolveError::Addresses)?;
        if self.address_edition().await.is_none_or(|(now, _)| now != edition) {
            return Ok(None);
        }
        let outcomes: Vec<_> = due.into_iter().zip(found).collect();
        Ok(Some(self.store.settle_links(&outcomes).await.map_err(Error::from)?))
    }

    /// Returns the fingerprint and name of the address data's edition; `None` if there is no lookup,
    /// or if it does not answer in time.
    async fn address_edition(&self) -> Option<(String, String)> {
        let lookup = self.addresses.as_ref()?;
        match within(self.lookup_timeout, lookup.address_coverage()).await {
            Ok(coverage) if coverage.fingerprint.is_empty() => {
                Some((coverage.edition.clone(), coverage.edition))
            }
            Ok(coverage) => Some((coverage.fingerprint, coverage.edition)),
            Err(error) => {
                debug!(%error, "the address lookup does not say which edition it has");
                None
            }
        }
    }
}
