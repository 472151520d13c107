//! A circuit breaker: stops calls to a service that is down.

use std::fmt::{self, Debug};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::call::Call;
use super::window::Window;
use super::{Around, is_fault, is_refused_comparison};
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

/// When a [`Breaker`] opens, and how long it stays open.
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::BreakerConfig;
///
/// let mut config = BreakerConfig::default();
/// config.consecutive = 3;
/// config.open_for = Duration::from_secs(10);
/// assert_eq!(config.failure_rate, 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// Opens after this many failures in a row. Default: 5.
    pub consecutive: u32,
    /// Opens when more than this share (0 to 1) of the calls in the window failed. Default: 0.5.
    pub failure_rate: f64,
    /// The length of the window of `failure_rate`. Default: 10 s.
    pub window: Duration,
    /// The number of calls that the window must hold before `failure_rate` applies. Default: 20.
    pub min_calls: u32,
    /// How long it stays open before it tries again. Default: 1 s.
    pub open_for: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            consecutive: 5,
            failure_rate: 0.5,
            window: Duration::from_secs(10),
            min_calls: 20,
            open_for: Duration::from_secs(1),
        }
    }
}

/// Stops calling an implementation that keeps failing. Callers get an error at once, and the
/// implementation has time to recover.
///
/// - **Closed**: calls pass. Too many failures (see [`BreakerConfig`]) open it.
/// - **Open**: calls fail at once with [`Unavailable`](ErrorKind::Unavailable), for `open_for`.
/// - **Half-open**: after that, exactly one call passes, the probe. Other calls still fail at once.
///   If the probe succeeds, the breaker closes. If it fails, the breaker opens again. If it is
///   dropped, the next call is the probe.
///
/// Only faults of the implementation count as failures. [`InvalidInput`](ErrorKind::InvalidInput) and
/// [`NotSupported`](ErrorKind::NotSupported) count as answers, and a call that its caller dropped
/// does not count. Calls that began before the breaker opened are ignored afterwards.
///
/// [`with`](Self::with) takes a configuration:
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{Breaker, BreakerConfig};
///
/// fn guarded(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     let mut config = BreakerConfig::default();
///     config.consecutive = 3;
///     Breaker::with(lookup, config)
/// }
/// ```
pub struct Breaker<L> {
    inner: L,
    config: BreakerConfig,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Counts how often the breaker has opened or closed. A call counts only if it was let through
    /// in the current round.
    round: u64,
    in_a_row: u32,
    calls: Window<2>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Closed,
    Open {
        until: Instant,
    },
    /// `probing`: the probe is running.
    HalfOpen {
        probing: bool,
    },
}

/// Permission to make one call. The caller reports the outcome through it.
pub(super) struct Permit<'a> {
    state: &'a Mutex<State>,
    round: u64,
    probe: bool,
}

impl<L> Breaker<L> {
    /// Wraps a lookup, with the defaults of [`BreakerConfig`].
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{PostcodeLookupExt, layers::Breaker};
    ///
    /// let guarded = Breaker::new(library);
    /// assert!(guarded.validate("SW1A 1AA").await?);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L) -> Self {
        Self::with(inner, BreakerConfig::default())
    }

    /// Wraps a lookup with this configuration.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::{Breaker, BreakerConfig};
    /// use postcode_core::{Error, ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_lookup_one().times(1).returning(|_| Err(Error::new(ErrorKind::Timeout, "no answer")));
    /// let mut config = BreakerConfig::default();
    /// config.consecutive = 1;
    /// let guarded = Breaker::with(lookup, config);
    /// assert_eq!(guarded.get_str("SW1A 1AA").await.unwrap_err().kind(), ErrorKind::Timeout);
    /// // The breaker is open now, so this call is not made.
    /// assert_eq!(guarded.get_str("SW1A 1AA").await.unwrap_err().kind(), ErrorKind::Unavailable);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn with(inner: L, config: BreakerConfig) -> Self {
        let state = State { phase: Phase::Closed, round: 0, in_a_row: 0, calls: Window::new(config.window) };
        Self { inner, config, state: Mutex::new(state) }
    }

    /// Returns whether calls pass.
    ///
    /// ```
    /// use postcode_core::layers::Breaker;
    ///
    /// # let lookup = ();
    /// assert!(Breaker::new(lookup).is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        lock(&self.state).phase == Phase::Closed
    }

    /// Returns permission to make a call now, or the error to answer with.
    pub(super) fn admit(&self, call: &impl Call<L>) -> Result<Permit<'_>> {
        let mut state = lock(&self.state);
        let refused = |wait: Option<Duration>| {
            Error::new(
                ErrorKind::Unavailable,
                format!("{call}: not sent, because too many recent calls failed. The service will be tried again shortly"),
            )
            .with_retry_after(wait)
        };
        let probe = match state.phase {
            Phase::Closed => false,
            Phase::Open { until } => {
                let wait = until.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    return Err(refused(Some(wait)));
                }
                true
            }
            Phase::HalfOpen { probing: false } => true,
            Phase::HalfOpen { probing: true } => return Err(refused(None)),
        };
        if probe {
            state.phase = Phase::HalfOpen { probing: true };
        }
        Ok(Permit { state: &self.state, round: state.round, probe })
    }

    fn settle(&self, permit: &Permit<'_>, failed: bool) {
        let mut state = lock(&self.state);
        if state.round != permit.round {
            return;
        }
        let [calls, failures] = state.calls.add([true, failed]);
        state.in_a_row = if failed { state.in_a_row + 1 } else { 0 };
        let too_many = state.in_a_row >= self.config.consecutive
            || calls >= self.config.min_calls
                && f64::from(failures) > self.config.failure_rate * f64::from(calls);
        if failed && (permit.probe || too_many) {
            state.turn(Phase::Open { until: super::deadline::after(self.config.open_for) });
        } else if permit.probe {
            state.turn(Phase::Closed);
        }
    }
}

impl State {
    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.round += 1;
        self.in_a_row = 0;
        self.calls.clear();
    }
}

impl Drop for Permit<'_> {
    /// A probe that was dropped before it was answered makes the next call the probe.
    fn drop(&mut self) {
        if self.probe {
            let mut state = lock(self.state);
            if state.round == self.round && state.phase == (Phase::HalfOpen { probing: true }) {
                state.phase = Phase::HalfOpen { probing: false };
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing panics while the lock is held, and a half-changed breaker would correct itself.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<L: Debug + Send + Sync + 'static> Around for Breaker<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let permit = self.admit(&call)?;
        self.ask(&call, permit).await
    }
}

impl<L> Breaker<L> {
    /// Makes a call that was admitted.
    pub(super) async fn ask<C: Call<L>>(&self, call: &C, permit: Permit<'_>) -> Result<C::Reply> {
        let answer = call.on(&self.inner).await;
        // A refused comparison that was a probe leaves the next call to be the probe.
        if !answer.as_ref().is_err_and(is_refused_comparison) {
            self.settle(&permit, answer.as_ref().is_err_and(is_fault));
        }
        answer
    }
}

layer!([L: PostcodeLookup] Breaker<L>);

impl<L: fmt::Debug> fmt::Debug for Breaker<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("inner", &self.inner)
            .field("config", &self.config)
            .field("phase", &lock(&self.state).phase)
            .finish()
    }
}
