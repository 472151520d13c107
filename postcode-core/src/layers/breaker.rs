//! Not asking a service that is down.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::call::Call;
use super::window::Window;
use super::{Around, is_fault};
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

/// When a [`Breaker`] opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// Opens after that many failures in a row (5).
    pub consecutive: u32,
    /// Opens when more than this share of the calls in the window failed (0.5).
    pub failure_rate: f64,
    /// How long the window of `failure_rate` is (10 s).
    pub window: Duration,
    /// How many calls the window must hold before its rate says anything (20).
    pub min_calls: u32,
    /// How long it stays open before it tries again (1 s).
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

/// Stops asking an implementation that fails, so that its callers are not slowed by what would fail anyway and it
/// can recover.
///
/// - **Closed**: calls pass. Too many failures (see [`BreakerConfig`]) open it.
/// - **Open**: calls fail at once with [`Unavailable`](ErrorKind::Unavailable), for `open_for`.
/// - **Half-open**: then exactly one call passes, the probe, and the others still fail at once. If the
///   probe succeeds the breaker closes, if it fails it opens again, and if it is dropped the next call is the probe.
///
/// A failure is a fault of the other side: [`InvalidInput`](ErrorKind::InvalidInput) and
/// [`NotSupported`](ErrorKind::NotSupported) are answers, and a call that its caller dropped says nothing. Calls
/// that began before the breaker opened do not count after it.
pub struct Breaker<L> {
    inner: L,
    config: BreakerConfig,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Of the calls that were let through when closed, only those of this round count.
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
    /// `probing`: the probe is under way.
    HalfOpen {
        probing: bool,
    },
}

/// Leave for one call, to be settled with how it went.
pub(super) struct Permit<'a> {
    state: &'a Mutex<State>,
    round: u64,
    probe: bool,
}

impl<L> Breaker<L> {
    /// Around a lookup, with the defaults of [`BreakerConfig`].
    pub fn new(inner: L) -> Self {
        Self::with(inner, BreakerConfig::default())
    }

    /// Around a lookup.
    pub fn with(inner: L, config: BreakerConfig) -> Self {
        let state = State { phase: Phase::Closed, round: 0, in_a_row: 0, calls: Window::new(config.window) };
        Self { inner, config, state: Mutex::new(state) }
    }

    /// Whether calls pass.
    pub fn is_closed(&self) -> bool {
        lock(&self.state).phase == Phase::Closed
    }

    /// Leave to make a call now, or the error to answer with.
    pub(super) fn admit(&self, call: &impl Call<L>) -> Result<Permit<'_>> {
        let mut state = lock(&self.state);
        let refused = |wait: Option<Duration>| {
            Error::new(
                ErrorKind::Unavailable,
                format!("{call}: not asked, the last calls failed too often; it is tried again shortly"),
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
    /// A probe that was dropped before it was answered leaves its place to the next call.
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
    // Nothing panics while it is held, and a breaker that was left half-changed would correct itself.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<L: PostcodeLookup> Around for Breaker<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let permit = self.admit(&call)?;
        self.ask(&call, permit).await
    }
}

impl<L: PostcodeLookup> Breaker<L> {
    /// Makes a call that was admitted.
    pub(super) async fn ask<C: Call<L>>(&self, call: &C, permit: Permit<'_>) -> Result<C::Reply> {
        let answer = call.on(&self.inner).await;
        self.settle(&permit, answer.as_ref().is_err_and(is_fault));
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
