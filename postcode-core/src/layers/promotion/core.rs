//! The state of a promotion, and calls to either implementation.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

#[cfg(doc)]
use super::Promotion;
use super::difference::Differences;
use super::guard::{self, Seen};
use super::limits::Guard;
use super::row::{DEFAULT, RowState, Rows};
use super::side::Promotable;
use super::snapshot::StepBack;
use super::stage::{Plan, Stage};
use crate::layers::call::Call;
use crate::layers::{deadline, is_refused_comparison, unit};
use crate::lookup::unit::{Decision, Unit};
use crate::{Error, ErrorKind, Result};

/// The settings of comparisons and of the guard of a [`Promotion`].
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::PromotionConfig;
///
/// let mut config = PromotionConfig::default();
/// config.patience = Duration::from_millis(200);
/// config.guard = None; // never step back automatically
/// assert_eq!(config.max_comparisons, 64);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PromotionConfig {
    /// How long the new implementation may take when the old one can answer instead, and how long
    /// either may take in a comparison. Default: 1 s.
    pub patience: Duration,
    /// How many comparisons run at once. Default: 64.
    pub max_comparisons: usize,
    /// How many examples of differences of each [cause](super::Cause) are kept. Default: 16.
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
pub(super) struct Core<S> {
    pub(super) old: S,
    pub(super) new: S,
    pub(super) config: PromotionConfig,
    pub(super) rows: Rows,
    /// Under this number units remember the plan of their beginning.
    layer: u64,
    pub(super) comparisons: Arc<Semaphore>,
    pub(super) differences: Differences,
    /// The old code with the new data, if there is one in this process.
    pub(super) predictor: OnceLock<S>,
}

/// Returns whether an error is a failure of the new implementation: any error except invalid input
/// and a demand for another edition.
pub(super) fn is_failure(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::EditionMoved)
}

/// A row and its plan at the beginning of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// The number of the row.
    pub(super) row: usize,
    pub(super) plan: Plan,
    /// Whether the call is in the share of the plan.
    pub(super) sampled: bool,
}

impl Course {
    /// Returns whether the new implementation is asked for the answer.
    fn is_new(self) -> bool {
        match self.plan.stage {
            Stage::Local | Stage::Shadow => false,
            Stage::Canary => self.sampled,
            Stage::RemoteWithFallback | Stage::Remote => true,
        }
    }
}

/// How one call is handled, decided when it begins.
pub(super) struct Begun {
    pub(super) course: Course,
    /// Whether one call in so many is timed that this is one.
    pub(super) timed: bool,
    unit: Option<InUnit>,
}

/// The unit that a call belongs to, and its place in it.
struct InUnit {
    unit: Arc<Unit>,
    /// The part of the unit's calls that this one belongs to: those that go by one row.
    part: usize,
    /// The course of the unit's other calls, if another implementation answers those.
    apart: Option<Course>,
}

/// The part of a unit's calls that no row of a method is for.
const MAIN: usize = 0;

impl Begun {
    /// Returns whether the call belongs to a unit.
    pub(super) fn in_unit(&self) -> bool {
        self.unit.is_some()
    }

    /// Returns whether the other calls of the unit are answered by the other implementation.
    pub(super) fn is_apart(&self) -> bool {
        self.unit.as_ref().is_some_and(|unit| unit.apart.is_some())
    }

    /// Returns the same call, handled as the others of its unit.
    fn with_the_others(&self) -> Self {
        let unit = self.unit.as_ref();
        Self {
            course: unit.and_then(|unit| unit.apart).unwrap_or(self.course),
            timed: self.timed,
            unit: unit.map(|unit| InUnit { unit: unit.unit.clone(), part: MAIN, apart: None }),
        }
    }
}

impl<S: Promotable> Core<S> {
    pub(super) fn new(old: S, new: S, config: PromotionConfig) -> Self {
        Self {
            old,
            new,
            rows: Rows::new(config.guard, S::METHODS),
            layer: unit::layer_number(),
            comparisons: Arc::new(Semaphore::new(config.max_comparisons.min(Semaphore::MAX_PERMITS))),
            config,
            differences: Differences::default(),
            predictor: OnceLock::new(),
        }
    }

    pub(super) fn row(&self, course: Course) -> &RowState {
        self.rows.get(course.row)
    }

    /// Counts a call and decides how it is handled: by the plan of its unit, or by the current one.
    pub(super) fn begin(&self, method: &str) -> Begun {
        let (unit, cohort) = unit::current();
        let Some(unit) = unit else {
            let row = self.rows.find(method, cohort.as_deref());
            let state = self.rows.get(row);
            let number = state.calls.fetch_add(1, Relaxed);
            let plan = state.plan.get();
            let course = Course { row, plan, sampled: plan.samples(number) };
            return Begun { course, timed: number.is_multiple_of(TIMED), unit: None };
        };
        let main = self.decided(&unit, MAIN, cohort.as_deref());
        let own = self.rows.find(method, None);
        let is_own = own != DEFAULT;
        let own = is_own.then(|| self.decided(&unit, own, cohort.as_deref())).flatten();
        let decision = own.or(main).unwrap_or(Decision { part: MAIN, row: DEFAULT, word: 0 });
        let number = self.rows.get(decision.row).calls.fetch_add(1, Relaxed);
        let course = |decision: Decision| {
            let plan = Plan::from_word(decision.word);
            // Comparisons in `shadow` don't change who answers, so they are spread over all units.
            let sample = if plan.stage == Stage::Shadow { number } else { unit.hash() };
            Course { row: decision.row, plan, sampled: plan.samples(sample) }
        };
        let (main, course) = (main.map(course), course(decision));
        let apart = main.filter(|main| main.is_new() != course.is_new());
        let unit = InUnit { part: decision.part, apart, unit };
        Begun { course, timed: number.is_multiple_of(TIMED), unit: Some(unit) }
    }

    /// Returns the row and plan that a unit began with, for one part of its calls. A cohort's row is
    /// for the whole unit.
    fn decided(&self, unit: &Unit, part: usize, cohort: Option<&str>) -> Option<Decision> {
        let now = |part, row| Decision { part, row, word: self.rows.get(row).plan.get().word() };
        unit.decided(self.layer, part, || match self.rows.of_cohort(cohort) {
            Some(row) => vec![now(MAIN, row)],
            None => {
                let methods = self.rows.of_methods().map(|(row, _)| now(row, row));
                std::iter::once(now(MAIN, DEFAULT)).chain(methods).collect()
            }
        })
    }

    /// Counts a call that the old implementation answers because the new one failed. It also answers
    /// the rest of the unit, so that the unit changes sides once at most.
    pub(super) fn fall_back(&self, begun: &Begun) {
        let Course { row, plan, .. } = begun.course;
        self.rows.get(row).fallbacks.fetch_add(1, Relaxed);
        if let Some(InUnit { unit, part, .. }) = &begun.unit {
            let word = plan.with_stage(Stage::Local).word();
            unit.decide(self.layer, Decision { part: *part, row, word });
        }
    }

    /// Returns the edition that a unit is held to, because the two implementations answer parts of
    /// it: that of the implementation which answers the other calls.
    pub(super) async fn edition_of_unit(&self, begun: &Begun) -> Option<Arc<str>> {
        let InUnit { unit, apart, .. } = begun.unit.as_ref()?;
        if let Some(edition) = unit.edition(self.layer) {
            return Some(edition);
        }
        let side = if (*apart)?.is_new() { &self.new } else { &self.old };
        let fingerprint = timeout(self.config.patience, side.fingerprint()).await.ok()?.ok()?;
        let edition: Arc<str> = fingerprint.into();
        unit.hold(self.layer, edition.clone());
        (!edition.is_empty()).then_some(edition)
    }

    /// Counts a call that is answered by the implementation of its unit, although its row says
    /// otherwise: the two have different editions, or one does not tell.
    pub(super) fn hold(&self, begun: &Begun) -> Begun {
        self.row(begun.course).held.fetch_add(1, Relaxed);
        begun.with_the_others()
    }

    pub(super) async fn ask_old<C: Call<S>>(
        &self,
        call: &C,
        course: Course,
        timed: bool,
    ) -> Result<C::Reply> {
        if !timed {
            return call.on(&self.old).await;
        }
        let started = Instant::now();
        let answer = call.on(&self.old).await;
        let took = started.elapsed();
        let row = self.row(course);
        row.old_latencies.add(took);
        if let Some(watch) = row.watch.as_ref().filter(|_| row.plan.get() == course.plan) {
            watch.note_old_time(took);
        }
        answer
    }

    /// Calls the new implementation and records how it does.
    pub(super) async fn ask_new<C: Call<S>>(
        &self,
        call: &C,
        course: Course,
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
        let row = self.row(course);
        if answer.as_ref().is_err_and(is_refused_comparison) {
            row.refused.fetch_add(1, Relaxed);
            return answer;
        }
        row.new_latencies.add(took);
        let failed = answer.as_ref().is_err_and(is_failure);
        row.errors.fetch_add(u64::from(failed), Relaxed);
        self.note(course, Seen { asked: Some(took), failed, matched: None });
        answer
    }

    /// Calls the new implementation and, if it fails, the old one.
    pub(super) async fn ask_new_or_old<C: Call<S>>(
        &self,
        call: &C,
        begun: &Begun,
    ) -> (Result<C::Reply>, bool) {
        match self.ask_new(call, begun.course, Some(self.config.patience)).await {
            Err(error) if is_failure(&error) => {
                self.fall_back(begun);
                (self.ask_old(call, begun.course, true).await, true)
            }
            answer => (answer, false),
        }
    }

    /// Tells the guard of the row about a call that the plan gave to the old implementation.
    pub(super) fn note_old<T>(&self, course: Course, answer: &Result<T>) {
        let row = self.row(course);
        if let Some(watch) = row.watch.as_ref().filter(|_| row.plan.get() == course.plan) {
            watch.note_old(answer.as_ref().is_err_and(is_failure));
        }
    }

    /// Tells the guard of the row, and steps the row back if it says so, unless its plan has changed
    /// since.
    pub(super) fn note(&self, course: Course, seen: Seen) {
        let row = self.row(course);
        let plan = course.plan;
        let Some(watch) = &row.watch else { return };
        if row.plan.get() != plan {
            return;
        }
        let Some(tripped) = watch.note(seen) else { return };
        let Some(to) = guard::before(plan.stage) else { return };
        if row.plan.change(plan, to) {
            watch.clear();
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let name = row.name.clone();
            let reason = tripped.reason.clone();
            let step = StepBack { at: now.as_secs(), row: name, from: plan.stage, to, reason };
            row.keep_step_back(step, *tripped);
        }
    }
}
