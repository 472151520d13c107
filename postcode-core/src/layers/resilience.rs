//! Stacks the layers that a client of a service needs, in the right order.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use super::{
    Batcher, Breaker, BreakerConfig, Budget, Bulkhead, Cache, Deadline, Hedge, HedgeAfter, Retry,
    SingleFlight, Timeout,
};
use crate::PostcodeLookup;

/// How a client of a service protects itself, and how it saves calls. The defaults suit a service
/// in the same network. `Display` shows all settings on one line, for the log at the start.
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::Resilience;
///
/// let mut resilience = Resilience::default();
/// resilience.timeout = Duration::from_millis(200);
/// resilience.hedge = None;
/// assert_eq!(
///     resilience.to_string(),
///     "timeout=200ms retries=2 backoff=20ms retry_budget=0.2 deadline=2s breaker=5/1s bulkhead=256 \
///      hedge=off join=off single_flight=off cache=off"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Resilience {
    /// The limit of each attempt: see [`Timeout`]. Default: 1 s.
    pub timeout: Duration,
    /// The number of attempts after the first, 0 for none: see [`Retry`]. Default: 2.
    pub retries: u32,
    /// The longest wait before the first retry. Default: 20 ms.
    pub backoff: Duration,
    /// Retries per call, 0 to 1: see [`Budget`]. Default: 0.2.
    pub retry_budget: f64,
    /// The limit of a call with all its attempts: see [`Deadline`]. Default: 2 s.
    pub deadline: Duration,
    /// When to stop calling: see [`Breaker`]. `None` for never.
    pub breaker: Option<BreakerConfig>,
    /// How many calls run at once: see [`Bulkhead`]. `None` for no limit. Default: 256.
    pub bulkhead: Option<usize>,
    /// When to start a second attempt: see [`Hedge`]. Default: never.
    pub hedge: Option<HedgeAfter>,
    /// The most single lookups that are joined into one batch: see [`Batcher`]. Default: not
    /// joined.
    pub join: Option<usize>,
    /// Whether equal lookups that run at once share a call: see [`SingleFlight`]. Default: no.
    pub single_flight: bool,
    /// Bytes of answers to keep: see [`Cache`]. Default: none.
    pub cache: Option<u64>,
    /// How old a kept answer may be. Default: 5 minutes.
    pub cache_ttl: Duration,
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(1),
            retries: 2,
            backoff: Duration::from_millis(20),
            retry_budget: 0.2,
            deadline: Duration::from_secs(2),
            breaker: Some(BreakerConfig::default()),
            bulkhead: Some(256),
            hedge: None,
            join: None,
            single_flight: false,
            cache: None,
            cache_ttl: Duration::from_secs(5 * 60),
        }
    }
}

impl Display for Resilience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: Option<String>| on.unwrap_or_else(|| "off".to_owned());
        write!(
            f,
            "timeout={:?} retries={} backoff={:?} retry_budget={} deadline={:?} breaker={} bulkhead={} \
             hedge={} join={} single_flight={} cache={}",
            self.timeout,
            self.retries,
            self.backoff,
            self.retry_budget,
            self.deadline,
            on(self.breaker.map(|breaker| format!("{}/{:?}", breaker.consecutive, breaker.open_for))),
            on(self.bulkhead.map(|limit| limit.to_string())),
            on(self.hedge.map(|after| match after {
                HedgeAfter::Fixed(delay) => format!("{delay:?}"),
                HedgeAfter::Quantile(quantile) => format!("p{}", quantile * 100.0),
            })),
            on(self.join.map(|size| size.to_string())),
            if self.single_flight { "on" } else { "off" },
            on(self.cache.map(|bytes| format!("{bytes}B/{:?}", self.cache_ttl))),
        )
    }
}

/// Wraps a lookup in the layers of a configuration, from the caller inwards: cache, single flight,
/// batcher, bulkhead, breaker, deadline, retry, hedge, timeout.
///
/// The order matters. The bulkhead and the breaker refuse a call before any time is spent. The deadline
/// covers all retries together. The timeout is inside the retry, so that a server that accepts and
/// never answers does not use up the whole deadline. With a batcher a call may wait for another batch
/// first, so it takes at most twice the deadline.
///
/// ```
/// use std::sync::Arc;
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{Resilience, resilient};
///
/// fn protected(lookup: impl PostcodeLookup) -> Arc<dyn PostcodeLookup> {
///     let mut config = Resilience::default();
///     config.retries = 1;
///     config.cache = Some(16 << 20);
///     resilient(lookup, &config)
/// }
/// ```
pub fn resilient(inner: impl PostcodeLookup, config: &Resilience) -> Arc<dyn PostcodeLookup> {
    guarded(repeated(Timeout::new(inner, config.timeout), config), config)
}

/// Adds hedge, retry and deadline to a lookup that makes one attempt and limits its time.
pub(crate) fn repeated(attempt: impl PostcodeLookup, config: &Resilience) -> Arc<dyn PostcodeLookup> {
    let mut stack: Arc<dyn PostcodeLookup> = Arc::new(attempt);
    if let Some(after) = config.hedge {
        stack = Arc::new(Hedge::new(stack, after));
    }
    if config.retries > 0 {
        let budget = Budget::new(config.retry_budget, 10);
        stack = Arc::new(Retry::new(stack).retries(config.retries).backoff(config.backoff).budget(budget));
    }
    Arc::new(Deadline::new(stack, config.deadline))
}

/// Adds breaker, bulkhead and the layers that save calls to a lookup that already obeys the
/// deadline.
pub(crate) fn guarded(mut stack: Arc<dyn PostcodeLookup>, config: &Resilience) -> Arc<dyn PostcodeLookup> {
    if let Some(breaker) = config.breaker {
        stack = Arc::new(Breaker::with(stack, breaker));
    }
    if let Some(limit) = config.bulkhead {
        stack = Arc::new(Bulkhead::new(stack, limit));
    }
    if let Some(size) = config.join {
        let batcher = Batcher::new(stack).max_size(size);
        stack = Arc::new(Deadline::new(batcher, config.deadline.saturating_mul(2)));
    }
    if config.single_flight {
        stack = Arc::new(SingleFlight::new(stack));
    }
    if let Some(bytes) = config.cache {
        stack = Arc::new(Cache::new(stack, bytes).ttl(config.cache_ttl));
    }
    stack
}
