//! The layers that a client of a service wants, in the order in which they work together.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use super::{
    Batcher, Breaker, BreakerConfig, Budget, Bulkhead, Cache, Deadline, Hedge, HedgeAfter, Retry,
    SingleFlight, Timeout,
};
use crate::Lookups;

/// How a client of a service defends itself, and saves calls. `Default` is sensible for a service in the same
/// network; `Display` says all of it, for the log at the start.
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
    /// The limit of each attempt (1 s): see [`Timeout`].
    pub timeout: Duration,
    /// Attempts after the first (2); 0 for none: see [`Retry`].
    pub retries: u32,
    /// The longest wait before the first retry (20 ms).
    pub backoff: Duration,
    /// Retries per call, 0 to 1 (0.2): see [`Budget`].
    pub retry_budget: f64,
    /// The limit of a call with all its attempts (2 s): see [`Deadline`].
    pub deadline: Duration,
    /// When to stop asking: see [`Breaker`].
    pub breaker: Option<BreakerConfig>,
    /// Calls under way at once (256): see [`Bulkhead`].
    pub bulkhead: Option<usize>,
    /// A second attempt when the first is slow (off): see [`Hedge`].
    pub hedge: Option<HedgeAfter>,
    /// Single lookups that are joined into one batch at most (off): see [`Batcher`].
    pub join: Option<usize>,
    /// Whether equal lookups at once share a call (off): see [`SingleFlight`].
    pub single_flight: bool,
    /// Bytes of answers to keep (off): see [`Cache`].
    pub cache: Option<u64>,
    /// How old a kept answer may be (5 minutes).
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

/// A lookup behind the layers of that configuration, from the caller inwards: cache, single flight, batcher,
/// bulkhead, breaker, deadline, retry, hedge, timeout.
///
/// The order matters: the bulkhead and the breaker refuse before any time is spent; the deadline holds for all
/// retries together; the timeout is inside the retry, so that a tarpit does not use up all of the call's time.
/// With a batcher a call may wait for a batch before its own, so that it takes at most twice the deadline.
pub fn resilient(inner: impl Lookups, config: &Resilience) -> Arc<dyn Lookups> {
    guarded(repeated(Timeout::new(inner, config.timeout), config), config)
}

/// Hedge, retry and deadline around what makes one attempt and limits its time.
pub(crate) fn repeated(attempt: impl Lookups, config: &Resilience) -> Arc<dyn Lookups> {
    let mut stack: Arc<dyn Lookups> = Arc::new(attempt);
    if let Some(after) = config.hedge {
        stack = Arc::new(Hedge::new(stack, after));
    }
    if config.retries > 0 {
        let budget = Budget::new(config.retry_budget, 10);
        stack = Arc::new(Retry::new(stack).retries(config.retries).backoff(config.backoff).budget(budget));
    }
    Arc::new(Deadline::new(stack, config.deadline))
}

/// Breaker, bulkhead and what saves calls, around what ends within the deadline by itself.
pub(crate) fn guarded(mut stack: Arc<dyn Lookups>, config: &Resilience) -> Arc<dyn Lookups> {
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
