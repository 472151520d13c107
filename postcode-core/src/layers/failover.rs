//! Calls another endpoint of the same service when one fails.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::call::Call;
use super::{Around, Breaker, BreakerConfig, is_fault};
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

/// The endpoint that a call tries first.
///
/// ```
/// use postcode_core::layers::{BreakerConfig, Failover, Order};
///
/// # let (main, backup) = ((), ());
/// let failover = Failover::new([main, backup], Order::AsGiven, BreakerConfig::default())?;
/// assert_eq!(failover.healthy(), (2, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first endpoint; the others are backups.
    AsGiven,
    /// Each endpoint in turn, so that they share the load.
    RoundRobin,
}

/// Calls several endpoints of one service: if one has a fault, or another edition than the caller
/// [demands](crate::unit::at_edition), the call goes to the next, until all
/// have been tried.
///
/// Each endpoint has a [`Breaker`], so an endpoint that is down is skipped until it has recovered. If
/// no endpoint answers, the caller gets the last fault of an endpoint that was called. If no endpoint
/// was called, the error is [persistent](Error::is_persistent), because asking again at once would
/// not help.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::layers::{BreakerConfig, Failover, Order};
/// use postcode_core::{PostcodeLookup, Result};
///
/// fn redundant<L: PostcodeLookup>(endpoints: Vec<L>) -> Result<impl PostcodeLookup> {
///     Failover::new(endpoints, Order::RoundRobin, BreakerConfig::default())
/// }
/// ```
#[derive(Debug)]
pub struct Failover<L> {
    endpoints: Vec<Breaker<L>>,
    order: Order,
    next: AtomicUsize,
}

impl<L> Failover<L> {
    /// Creates a failover over these endpoints, each with a breaker of this configuration.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::{BreakerConfig, Failover, Order};
    /// use postcode_core::{Answer, Error, ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let (mut main, mut backup) = (MockPostcodeLookup::new(), MockPostcodeLookup::new());
    /// main.expect_lookup_one().returning(|_| Err(Error::new(ErrorKind::Unavailable, "refused")));
    /// backup.expect_lookup_one().returning(|_| Ok(Answer::Unknown));
    /// let failover = Failover::new([main, backup], Order::AsGiven, BreakerConfig::default())?;
    /// assert_eq!(failover.get_str("SW1A 9ZZ").await?, Answer::Unknown); // the backup's answer
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the list is empty.
    pub fn new(endpoints: impl IntoIterator<Item = L>, order: Order, breaker: BreakerConfig) -> Result<Self> {
        let endpoints: Vec<_> =
            endpoints.into_iter().map(|endpoint| Breaker::with(endpoint, breaker)).collect();
        if endpoints.is_empty() {
            return Err(Error::invalid("the list of endpoints is empty: give at least one"));
        }
        Ok(Self { endpoints, order, next: AtomicUsize::new(0) })
    }

    /// Returns how many endpoints are in use at present, and how many there are.
    ///
    /// ```
    /// use postcode_core::layers::{BreakerConfig, Failover, Order};
    ///
    /// # let (one, other) = ((), ());
    /// let failover = Failover::new([one, other], Order::RoundRobin, BreakerConfig::default())?;
    /// let (in_use, all) = failover.healthy();
    /// assert_eq!((in_use, all), (2, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn healthy(&self) -> (usize, usize) {
        (self.endpoints.iter().filter(|endpoint| endpoint.is_closed()).count(), self.endpoints.len())
    }
}

impl<L: Debug + Send + Sync + 'static> Around for Failover<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let first = match self.order {
            Order::AsGiven => 0,
            Order::RoundRobin => self.next.fetch_add(1, Relaxed) % self.endpoints.len(),
        };
        let (before, from) = self.endpoints.split_at(first);
        let mut fault: Option<Error> = None;
        let mut refused = None;
        for endpoint in from.iter().chain(before) {
            let permit = match endpoint.admit(&call) {
                Ok(permit) => permit,
                Err(error) => {
                    refused = Some(error);
                    continue;
                }
            };
            match endpoint.ask(&call, permit).await {
                // During an update another endpoint may still have the edition, or have it already.
                Err(error) if is_fault(&error) || error.kind() == ErrorKind::EditionMoved => {
                    fault = Some(error);
                }
                answer => return answer,
            }
        }
        Err(fault
            .or(refused.map(Error::into_persistent))
            .unwrap_or_else(|| Error::new(ErrorKind::Internal, "no endpoint")))
    }
}

layer!([L: PostcodeLookup] Failover<L>);
