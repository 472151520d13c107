//! Layers: decorators that compose over any [`PostcodeLookup`], each one a lookup itself.
//!
//! | layer | what it does |
//! |---|---|
//! | [`Timeout`] | limits each attempt |
//! | [`Deadline`] | limits the whole call, and tells what is inside how long it has |
//! | [`Retry`] | asks again what failed for a moment, with backoff, jitter and a budget |
//! | [`Breaker`] | does not ask what is down |
//! | [`Bulkhead`] | limits the calls under way |
//! | [`Hedge`] | a second attempt when the first is slow |
//! | [`Failover`] | several endpoints |
//! | [`Fallback`] | another implementation when the first fails |
//! | [`Cache`] | keeps answers |
//! | [`SingleFlight`] | one call for many that ask the same at once |
//! | [`Batcher`] | one batch for many single lookups at once |
//! | [`Promotion`] | moves callers from one implementation to another while they run |
//!
//! [`Resilience`] stacks those that a client of a service wants, in the order in which they work together.
//! To write a layer of your own implement [`Around`].
//!
//! All time here is tokio's: under `tokio::time::pause` every layer is deterministic.

mod batcher;
mod breaker;
mod budget;
mod bulkhead;
mod cache;
pub mod deadline;
mod edition;
mod failover;
mod fallback;
mod hedge;
mod latency;
mod promotion;
mod resilience;
mod retry;
mod single_flight;
#[cfg(test)]
#[cfg(feature = "conformance")]
mod tests;
mod timeout;
mod window;

pub use crate::lookup::Around;
pub use batcher::Batcher;
pub use breaker::{Breaker, BreakerConfig};
pub use budget::Budget;
pub use bulkhead::Bulkhead;
pub use cache::{Cache, CacheStats};
pub use deadline::Deadline;
pub use failover::{Failover, Order};
pub use fallback::Fallback;
pub use hedge::{Hedge, HedgeAfter};
pub use promotion::{
    Example, Guard, LatencySummary, Promotion, PromotionConfig, Sides, Snapshot, Stage, StepBack,
};
pub use resilience::{Resilience, resilient};
#[cfg(feature = "http")]
pub(crate) use resilience::{guarded, repeated};
pub use retry::Retry;
pub use single_flight::SingleFlight;
pub use timeout::Timeout;

#[cfg(doc)]
use crate::PostcodeLookup;
use crate::{Error, ErrorKind};

/// One call of a lookup as a value, and what [`Around`] gets of it.
pub mod call {
    pub use crate::lookup::call::{Call, LookupCall, Reply};
    pub use crate::lookup::place_calls::*;
    pub use crate::lookup::postcode_calls::*;
    pub use crate::lookup::scottish_calls::*;
}

/// Whether an error is a fault of the implementation, and not its answer to a bad question.
fn is_fault(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotSupported)
}
