//! Several endpoints of one service.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::call::Call;
use super::{Around, Breaker, BreakerConfig, is_fault};
use crate::{Error, PostcodeLookup, Result, layer};

/// Which endpoint a call begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first one; the others are its reserve.
    AsGiven,
    /// Each in turn, so that they share the load.
    RoundRobin,
}

/// Several endpoints of one service: a call that has a fault at one goes on to the next, until all were asked.
///
/// Each endpoint has a [`Breaker`], so that one that is down costs nothing: it is passed over until it
/// has recovered. If none answers the caller sees the last fault of an endpoint that was asked; if none was asked,
/// an error that is [persistent](Error::is_persistent): nothing is gained by asking again at once.
#[derive(Debug)]
pub struct Failover<L> {
    endpoints: Vec<Breaker<L>>,
    order: Order,
    next: AtomicUsize,
}

impl<L> Failover<L> {
    /// Over these endpoints, each with a breaker like that.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if there are none.
    pub fn new(endpoints: impl IntoIterator<Item = L>, order: Order, breaker: BreakerConfig) -> Result<Self> {
        let endpoints: Vec<_> =
            endpoints.into_iter().map(|endpoint| Breaker::with(endpoint, breaker)).collect();
        if endpoints.is_empty() {
            return Err(Error::invalid("no endpoints to choose from: give one at least"));
        }
        Ok(Self { endpoints, order, next: AtomicUsize::new(0) })
    }

    /// How many endpoints are asked at present, and how many there are.
    pub fn healthy(&self) -> (usize, usize) {
        (self.endpoints.iter().filter(|endpoint| endpoint.is_closed()).count(), self.endpoints.len())
    }
}

impl<L: PostcodeLookup> Around for Failover<L> {
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
                Err(error) if is_fault(&error) => fault = Some(error),
                answer => return answer,
            }
        }
        Err(fault
            .or(refused.map(Error::into_persistent))
            .unwrap_or_else(|| Error::new(crate::ErrorKind::Internal, "no endpoint")))
    }
}

layer!([L: PostcodeLookup] Failover<L>);
