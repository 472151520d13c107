//! The state of a promotion, and calls to either implementation.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

#[cfg(doc)]
use super::Promotion;
use super::guard::{self, Guard, Seen, Watch};
use super::snapshot::{Example, StepBack};
use super::stage::{CurrentPlan, Plan, Stage};
use crate::layers::call::Call;
use crate::layers::latency::Latencies;
use crate::layers::{deadline, unit};
use crate::lookup::unit::Unit;
use crate::{AnyLookup, Error, ErrorKind, Lookups, Result};

/// The settings of comparisons and of the guard of a [`Promotion`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PromotionConfig {
    /// How long the new implementation may take when the old one can answer instead, and how long
    /// either may take in a comparison. Default: 1 s.
    pub patience: Duration,
    /// How many comparisons run at once. Default: 64.
    pub max_comparisons: usize,
    /// How many examples of differences are kept. Default: 16.
    pub max_examples: usize,
    /// When to step back automatically; `None` for never.
    pub guard: Option<Guard>,
}

impl Default for PromotionConfig {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(1),
            max_comparisons: 64,
            max_examples: 16,
            guard: Some(Guard::default()),
        }
    }
}

/// In stage `local` one call in this many is timed: reading the clock twice takes longer than the
/// rest of the call.
const TIMED: u64 = 16;

/// The state that all handles to one promotion share.
pub(super) struct Core {
    pub(super) old: AnyLookup,
    pub(super) new: AnyLookup,
    pub(super) config: PromotionConfig,
    pub(super) plan: CurrentPlan,
    /// Under this number units remember the plan of their beginning.
    layer: u64,
    pub(super) watch: Option<Watch>,
    pub(super) comparisons: Arc<Semaphore>,
    pub(super) calls: AtomicU64,
    pub(super) matched: AtomicU64,
    pub(super) mismatched: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) fallbacks: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) old_latencies: Latencies,
    pub(super) new_latencies: Latencies,
    pub(super) examples: Mutex<Vec<Example>>,
    pub(super) step_backs: AtomicU64,
    pub(super) last_step_back: Mutex<Option<StepBack>>,
}

/// Returns whether an error is a failure of the new implementation: any error except invalid input
/// and a demand for another edition.
pub(super) fn is_failure(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::EditionMoved)
}

/// How one call is handled, decided when it begins.
pub(super) struct Begun {
    pub(super) plan: Plan,
    /// Whether the call is in the share of the plan.
    pub(super) sampled: bool,
    /// Whether one call in so many is timed that this is one.
    pub(super) timed: bool,
    unit: Option<Arc<Unit>>,
}

impl Begun {
    /// Returns whether the call belongs to a unit.
    pub(super) fn in_unit(&self) -> bool {
        self.unit.is_some()
    }
}

impl Core {
    pub(super) fn new(old: Arc<dyn Lookups>, new: Arc<dyn Lookups>, config: PromotionConfig) -> Self {
        Self {
            old: old.into(),
            new: new.into(),
            plan: CurrentPlan::new(Plan::LOCAL),
            layer: unit::layer_number(),
            watch: config.guard.map(Watch::new),
            comparisons: Arc::new(Semaphore::new(config.max_comparisons.min(Semaphore::MAX_PERMITS))),
            config,
            calls: AtomicU64::new(0),
            matched: AtomicU64::new(0),
            mismatched: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            fallbacks: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            old_latencies: Latencies::new(),
            new_latencies: Latencies::new(),
            examples: Mutex::default(),
            step_backs: AtomicU64::new(0),
            last_step_back: Mutex::default(),
        }
    }

    /// Counts a call and decides how it is handled: by the plan of its unit, or by the current one.
    pub(super) fn begin(&self) -> Begun {
        let number = self.calls.fetch_add(1, Relaxed);
        let timed = number.is_multiple_of(TIMED);
        let Some(unit) = unit::current() else {
            let plan = self.plan.get();
            return Begun { plan, sampled: plan.samples(number), timed, unit: None };
        };
        let plan = Plan::from_word(unit.decided(self.layer, || self.plan.get().word()));
        // Comparisons in `shadow` don't change who answers, so they are spread over all units.
        let sample = if plan.stage == Stage::Shadow { number } else { unit.hash() };
        Begun { plan, sampled: plan.samples(sample), timed, unit: Some(unit) }
    }

    /// Counts a call that the old implementation answers because the new one failed. It also answers
    /// the rest of the unit, so that the unit changes sides once at most.
    pub(super) fn fall_back(&self, begun: &Begun) {
        self.fallbacks.fetch_add(1, Relaxed);
        if let Some(unit) = &begun.unit {
            unit.decide(self.layer, begun.plan.with_stage(Stage::Local).word());
        }
    }

    pub(super) async fn ask_old<C: Call<AnyLookup>>(&self, call: &C, timed: bool) -> Result<C::Reply> {
        if !timed {
            return call.on(&self.old).await;
        }
        let started = Instant::now();
        let answer = call.on(&self.old).await;
        self.old_latencies.add(started.elapsed());
        answer
    }

    /// Calls the new implementation and records how it does.
    pub(super) async fn ask_new<C: Call<AnyLookup>>(
        &self,
        call: &C,
        plan: Plan,
        patience: Option<Duration>,
    ) -> Result<C::Reply> {
        let started = Instant::now();
        let answer = match patience {
            None => call.on(&self.new).await,
            // The deadline is passed on, so that a service does not work on an answer that nobody
            // waits for.
            Some(patience) => {
                let told = deadline::scope(deadline::after(patience), call.on(&self.new));
                timeout(patience, told).await.unwrap_or_else(|_| {
                    let message =
                        format!("{call}: the new implementation gave no answer within {patience:?}");
                    Err(Error::new(ErrorKind::Timeout, message))
                })
            }
        };
        let took = started.elapsed();
        self.new_latencies.add(took);
        let failed = answer.as_ref().is_err_and(is_failure);
        self.errors.fetch_add(u64::from(failed), Relaxed);
        self.note(plan, Seen { asked: Some(took), failed, matched: None });
        answer
    }

    /// Calls the new implementation and, if it fails, the old one.
    pub(super) async fn ask_new_or_old<C: Call<AnyLookup>>(
        &self,
        call: &C,
        begun: &Begun,
    ) -> (Result<C::Reply>, bool) {
        match self.ask_new(call, begun.plan, Some(self.config.patience)).await {
            Err(error) if is_failure(&error) => {
                self.fall_back(begun);
                (self.ask_old(call, true).await, true)
            }
            answer => (answer, false),
        }
    }

    /// Tells the guard about a call that the plan gave to the old implementation.
    pub(super) fn note_old<T>(&self, plan: Plan, answer: &Result<T>) {
        if let Some(watch) = self.watch.as_ref().filter(|_| self.plan.get() == plan) {
            watch.note_old(answer.as_ref().is_err_and(is_failure));
        }
    }

    /// Tells the guard, and steps back if it says so, unless the plan has changed since.
    pub(super) fn note(&self, plan: Plan, seen: Seen) {
        let Some(watch) = &self.watch else { return };
        let current = self.plan.get();
        if current != plan {
            return;
        }
        let Some(reason) = watch.note(seen) else { return };
        let Some(to) = guard::before(plan.stage) else { return };
        if self.plan.change(plan, to) {
            watch.clear();
            self.step_backs.fetch_add(1, Relaxed);
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let step = StepBack { at: now.as_secs(), from: plan.stage, to, reason };
            *self.last_step_back.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
        }
    }
}
