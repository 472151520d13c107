//! Layers: decorators that work with any [`PostcodeLookup`]. Each one is a lookup itself.
//!
//! | layer | what it does |
//! |---|---|
//! | [`Timeout`] | limits each attempt |
//! | [`Deadline`] | limits the whole call, and tells the layers inside how long they have |
//! | [`Retry`] | repeats calls that failed temporarily, with backoff, jitter and a budget |
//! | [`Breaker`] | stops calls to an implementation that is down |
//! | [`Bulkhead`] | limits how many calls run at once |
//! | [`Hedge`] | starts a second attempt when the first is slow |
//! | [`Failover`] | calls another endpoint when one fails |
//! | [`Fallback`] | calls another implementation when the first fails |
//! | [`Cache`] | keeps answers |
//! | [`SingleFlight`] | makes one call for equal lookups that run at once |
//! | [`Batcher`] | joins single lookups that run at once into one batch |
//! | [`Ledger`] | counts calls by caller and method, and estimates what a cache would save |
//! | [`CallRecorder`] | records a share of the calls, to make them again elsewhere |
//! | [`Promotion`] | moves callers from one implementation to another while they run |
//!
//! [`Resilience`] configures the layers that a client of a service needs, and [`resilient`] stacks
//! them in the right order. To write your own layer, implement [`Around`].
//!
//! All time here is tokio's: under `tokio::time::pause` every layer is deterministic.

pub mod advice;
mod batcher;
mod breaker;
mod budget;
mod bulkhead;
mod cache;
pub mod deadline;
mod edition;
mod failover;
mod fallback;
pub mod fleet;
mod hedge;
mod latency;
mod ledger;
mod promotion;
mod question;
mod recorder;
mod resilience;
mod retry;
mod single_flight;
pub(crate) mod span;
#[cfg(test)]
#[cfg(feature = "conformance")]
mod tests;
mod timeout;
pub mod walk;
mod window;

pub use crate::lookup::{Around, unit};
pub use batcher::Batcher;
pub use breaker::{Breaker, BreakerConfig};
pub use budget::Budget;
pub use bulkhead::Bulkhead;
pub use cache::{Cache, CacheStats};
pub use deadline::Deadline;
pub use failover::{Failover, Order};
pub use fallback::Fallback;
pub use hedge::{Hedge, HedgeAfter};
pub use ledger::{CacheEstimate, CohortSnapshot, JoinEstimate, Ledger, LedgerSnapshot, MethodSnapshot};
#[doc(hidden)]
pub use promotion::ADDRESS_METHODS;
pub use promotion::{
    Cause, Causes, Earlier, Evidence, Example, FieldDifferences, Grounds, Guard, Guarding, LatencyBound,
    LatencySummary, Limit, Promotable, Promotion, PromotionConfig, PromotionPlan, RowName, RowSnapshot,
    Sides, Snapshot, Stage, Step, StepBack, evidence_below,
};
pub use question::{OfPostcodes, Question};
pub use recorder::{CallRecorder, CallRecorderConfig, PlainCall, PlainOrigin, PlainRegion, RecordedCall};
pub use resilience::{Resilience, resilient};
#[cfg(feature = "http")]
pub(crate) use resilience::{guarded, repeated};
pub use retry::Retry;
pub use single_flight::SingleFlight;
pub use timeout::Timeout;

#[cfg(doc)]
use crate::PostcodeLookup;
use crate::{Error, ErrorKind};

/// The calls of a lookup as values, which [`Around`] receives.
pub mod call {
    pub use crate::lookup::call::{Call, LookupCall, Reply};
    pub use crate::lookup::place_calls::*;
    pub use crate::lookup::postcode_calls::*;
    pub use crate::lookup::scottish_calls::*;
}

/// Returns whether a busy service refused a comparison. It does so first when it is busy, which says
/// nothing about the calls that somebody waits for.
fn is_refused_comparison(error: &Error) -> bool {
    error.kind() == ErrorKind::Overloaded && crate::lookup::unit::is_comparison()
}

/// Returns whether an error is a fault of the implementation, not its answer to a bad request.
fn is_fault(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotSupported | ErrorKind::EditionMoved)
}
