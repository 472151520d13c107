//! The counts of addresses that `/metrics` shows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::{AddressStatus, Customers};

/// How long a count of addresses is shown before they are counted again.
const COUNTS_KEPT: Duration = Duration::from_secs(5);

/// The last count of addresses. It reads every address that is not verified, so it is kept for some
/// seconds, and only one runs at a time. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted(Arc<Mutex<Option<(Instant, AddressCounts)>>>);

/// The addresses by status, if they could be counted.
pub(super) type AddressCounts = Option<Vec<(AddressStatus, i64)>>;

impl Counted {
    /// Returns the last count if it is new enough, or counts.
    pub(super) async fn get(&self, customers: &Customers) -> AddressCounts {
        let mut last = self.0.lock().await;
        if let Some((at, counts)) = &*last
            && at.elapsed() < COUNTS_KEPT
        {
            return counts.clone();
        }
        let counts = customers.address_counts().await;
        if let Err(error) = &counts {
            tracing::warn!(%error, "the addresses could not be counted");
        }
        let counts = counts.ok();
        // A failed count is kept too: it takes the longest.
        *last = Some((Instant::now(), counts.clone()));
        counts
    }
}
