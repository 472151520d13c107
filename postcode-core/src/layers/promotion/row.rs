//! The rows of a plan while they run: each with its stage, counts, latencies and guard.

use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::difference::Causes;
use super::example::Cause;
use super::guard::{Tripped, Watch};
use super::limits::Guard;
use super::plan::{PromotionPlan, RowName, Step, is_info};
use super::snapshot::{RowSnapshot, Sides, StepBack};
use super::stage::{CurrentPlan, Plan};
use crate::layers::latency::Latencies;
use crate::{Error, Result};

/// The most rows that a promotion ever has. Rows that were removed keep their counts and their place.
const MAX_ROWS: usize = 64;

/// A row while it runs.
pub(super) struct RowState {
    pub(super) name: RowName,
    /// Whether calls go by this row. A row that was removed stays for its counts.
    active: AtomicBool,
    pub(super) plan: CurrentPlan,
    pub(super) watch: Option<Watch>,
    pub(super) calls: AtomicU64,
    pub(super) matched: AtomicU64,
    pub(super) edition: AtomicU64,
    pub(super) noise: AtomicU64,
    pub(super) code: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) fallbacks: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) held: AtomicU64,
    pub(super) old_latencies: Latencies,
    pub(super) new_latencies: Latencies,
    pub(super) step_backs: AtomicU64,
    pub(super) last_step_back: Mutex<Option<StepBack>>,
    /// The guard's observations then.
    pub(super) last_tripped: Mutex<Option<Tripped>>,
}

impl RowState {
    fn new(name: RowName, plan: Plan, guard: Option<Guard>) -> Self {
        Self {
            name,
            active: AtomicBool::new(true),
            plan: CurrentPlan::new(plan),
            watch: guard.map(Watch::new),
            calls: AtomicU64::new(0),
            matched: AtomicU64::new(0),
            edition: AtomicU64::new(0),
            noise: AtomicU64::new(0),
            code: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            fallbacks: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            held: AtomicU64::new(0),
            old_latencies: Latencies::new(),
            new_latencies: Latencies::new(),
            step_backs: AtomicU64::new(0),
            last_step_back: Mutex::default(),
            last_tripped: Mutex::default(),
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.active.load(Acquire)
    }

    pub(super) fn step(&self) -> Step {
        let plan = self.plan.get();
        Step { stage: plan.stage, share: Some(plan.share()) }
    }

    fn set(&self, step: Step) -> Result<()> {
        self.plan.set(step.stage, step.share)?;
        self.active.store(true, Release);
        self.forget();
        Ok(())
    }

    /// Counts a difference.
    pub(super) fn count(&self, cause: Cause) {
        let count = match cause {
            Cause::Edition => &self.edition,
            Cause::Noise => &self.noise,
            Cause::Code => &self.code,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn causes(&self) -> Causes {
        Causes {
            edition: self.edition.load(Relaxed),
            noise: self.noise.load(Relaxed),
            code: self.code.load(Relaxed),
        }
    }

    /// Returns the measurements of the row.
    pub(super) fn snapshot(&self) -> RowSnapshot {
        let plan = self.plan.get();
        let (matched, causes) = (self.matched.load(Relaxed), self.causes());
        let mismatched = causes.edition + causes.noise + causes.code;
        RowSnapshot {
            row: self.name.clone(),
            active: self.is_active(),
            stage: plan.stage,
            share: plan.share(),
            calls: self.calls.load(Relaxed),
            compared: matched + mismatched,
            matched,
            mismatched,
            causes,
            errors: self.errors.load(Relaxed),
            fallbacks: self.fallbacks.load(Relaxed),
            failed: self.failed.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            refused: self.refused.load(Relaxed),
            held: self.held.load(Relaxed),
            latency: Sides { old: (&self.old_latencies).into(), new: (&self.new_latencies).into() },
            step_backs: self.step_backs.load(Relaxed),
            last_step_back: self.last_step_back.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn forget(&self) {
        if let Some(watch) = &self.watch {
            watch.clear();
        }
    }

    pub(super) fn keep_step_back(&self, step: StepBack, tripped: Tripped) {
        *self.last_tripped.lock().unwrap_or_else(PoisonError::into_inner) = Some(tripped);
        self.step_backs.fetch_add(1, Release);
        *self.last_step_back.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
    }
}

/// The rows of a promotion. They are added without moving the others, so calls read them without a
/// lock.
pub(super) struct Rows {
    guard: Option<Guard>,
    /// The methods that a row may be for.
    methods: &'static [&'static [&'static str]],
    default: RowState,
    more: Box<[OnceLock<RowState>]>,
    /// How many of `more` there are.
    count: AtomicUsize,
    /// Held while rows change.
    changing: Mutex<()>,
}

/// The number of the default row.
pub(super) const DEFAULT: usize = 0;

impl Rows {
    pub(super) fn new(guard: Option<Guard>, methods: &'static [&'static [&'static str]]) -> Self {
        Self {
            guard,
            methods,
            default: RowState::new(RowName::Default, Plan::LOCAL, guard),
            more: (1..MAX_ROWS).map(|_| OnceLock::new()).collect(),
            count: AtomicUsize::new(0),
            changing: Mutex::default(),
        }
    }

    /// Returns the row with this number.
    pub(super) fn get(&self, number: usize) -> &RowState {
        match number.checked_sub(1).and_then(|at| self.more.get(at)) {
            Some(row) => row.get().unwrap_or(&self.default),
            None => &self.default,
        }
    }

    /// Returns all rows with their numbers, also those that were removed.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &RowState)> {
        let more = self.more.iter().take(self.count.load(Acquire)).filter_map(OnceLock::get);
        std::iter::once(&self.default).chain(more).enumerate()
    }

    fn active(&self) -> impl Iterator<Item = (usize, &RowState)> {
        self.all().filter(|(_, row)| row.is_active())
    }

    /// Returns the number of the row that a call goes by.
    pub(super) fn find(&self, method: &str, cohort: Option<&str>) -> usize {
        if self.count.load(Acquire) == 0 {
            return DEFAULT;
        }
        self.of_cohort(cohort).unwrap_or_else(|| {
            let is_method = |name: &RowName| matches!(name, RowName::Method(name) if *name == method);
            self.active().find(|(_, row)| is_method(&row.name)).map_or(DEFAULT, |(number, _)| number)
        })
    }

    /// Returns the row of a cohort, if it has one.
    pub(super) fn of_cohort(&self, cohort: Option<&str>) -> Option<usize> {
        let cohort = cohort?;
        let is_cohort = |name: &RowName| matches!(name, RowName::Cohort(name) if **name == *cohort);
        self.active().find(|(_, row)| is_cohort(&row.name)).map(|(number, _)| number)
    }

    /// Returns the rows of methods with their numbers.
    pub(super) fn of_methods(&self) -> impl Iterator<Item = (usize, &RowState)> {
        self.active().filter(|(_, row)| matches!(row.name, RowName::Method(_)))
    }

    pub(super) fn plan(&self) -> PromotionPlan {
        self.active().fold(PromotionPlan::new(self.default.step()), |plan, (_, row)| {
            plan.with(row.name.clone(), row.step())
        })
    }

    /// Sets one row, and adds it if it is new.
    pub(super) fn set(&self, name: &RowName, step: Step) -> Result<()> {
        let step = Step::new(step.stage, step.share)?;
        self.check(name)?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.set_one(name, step)
    }

    /// Refuses a row for a method of another kind of lookup, by which no call would ever go.
    fn check(&self, name: &RowName) -> Result<()> {
        let RowName::Method(method) = name else { return Ok(()) };
        let mut methods = self.methods.iter().copied().flatten().filter(|name| !is_info(name));
        if methods.clone().any(|name| name == method) {
            return Ok(());
        }
        let last = methods.next_back().copied().unwrap_or_default();
        let others: Vec<&str> = methods.copied().collect();
        Err(Error::invalid(format!(
            "row {method:?}: this lookup does not have the method. It has {} and {last}",
            others.join(", ")
        )))
    }

    fn set_one(&self, name: &RowName, step: Step) -> Result<()> {
        let share = step.share.or(self.default.step().share);
        if let Some((_, row)) = self.all().find(|(_, row)| row.name == *name) {
            return row.set(if row.is_active() { step } else { Step { share, ..step } });
        }
        let count = self.count.load(Acquire);
        let Some(slot) = self.more.get(count) else { return Err(too_many()) };
        let plan = Plan::new(step.stage, share.unwrap_or_default())?;
        slot.get_or_init(|| RowState::new(name.clone(), plan, self.guard));
        self.count.store(count + 1, Release);
        Ok(())
    }

    /// Removes a row, so that its calls go by another one. The default row stays.
    pub(super) fn remove(&self, name: &RowName) -> bool {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.remove_one(name)
    }

    fn remove_one(&self, name: &RowName) -> bool {
        let row = self.active().find(|(number, row)| *number != DEFAULT && row.name == *name);
        row.is_some_and(|(_, row)| {
            row.active.store(false, Release);
            // Setting the same stage makes a new revision, so that late results don't count.
            let _ = row.plan.set(row.plan.get().stage, None);
            row.forget();
            true
        })
    }

    /// Sets all rows of a plan, and removes those that are not in it.
    pub(super) fn apply(&self, plan: &PromotionPlan) -> Result<()> {
        // Nothing is changed unless all can be.
        for step in plan.rows.values().chain([&plan.default]) {
            Step::new(step.stage, step.share)?;
        }
        plan.rows.keys().try_for_each(|name| self.check(name))?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> = self.all().map(|(_, row)| row.name.clone()).collect();
        let new = plan.rows.keys().filter(|name| !known.contains(name)).count();
        if known.len() + new > MAX_ROWS {
            return Err(too_many());
        }
        self.default.set(plan.default)?;
        for name in known.iter().filter(|name| !plan.rows.contains_key(name)) {
            self.remove_one(name);
        }
        plan.rows.iter().try_for_each(|(name, step)| self.set_one(name, *step))
    }
}

fn too_many() -> Error {
    Error::invalid(format!(
        "a promotion has at most {MAX_ROWS} rows since its start, also counting those that were removed: \
         use fewer names of cohorts"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::{Promotable, Stage};
    use super::*;
    use crate::AnyLookup;

    fn plan(text: &str) -> PromotionPlan {
        text.parse().unwrap()
    }

    #[test]
    fn a_call_goes_by_its_cohort_then_its_method_then_the_default() {
        let rows = Rows::new(None, <AnyLookup as Promotable>::METHODS);
        let of = |method, cohort| rows.get(rows.find(method, cohort)).name.to_string();
        assert_eq!(of("nearest", Some("import")), "default");
        rows.apply(&plan("local:0.5,nearest=remote,cohort:import=shadow")).unwrap();
        assert_eq!(rows.plan().to_string(), "local:0.5,nearest=remote:0.5,cohort:import=shadow:0.5");
        assert_eq!(of("nearest", Some("import")), "cohort:import");
        assert_eq!(of("nearest", Some("other")), "nearest");
        assert_eq!(of("lookup", None), "default");
        assert!(rows.remove(&"cohort:import".parse().unwrap()));
        assert!(!rows.remove(&RowName::Default) && !rows.remove(&"cohort:import".parse().unwrap()));
        assert_eq!(of("lookup", Some("import")), "default");
        rows.apply(&plan("remote:0.1,cohort:import=canary")).unwrap();
        assert_eq!(
            rows.plan().to_string(),
            "remote:0.1,cohort:import=canary:0.1",
            "a new share for a new row"
        );
        assert_eq!(rows.all().count(), 3);
    }

    #[test]
    fn too_many_rows_are_refused_and_nothing_changes() {
        let rows = Rows::new(None, <AnyLookup as Promotable>::METHODS);
        for n in 1..MAX_ROWS {
            rows.apply(&plan(&format!("local:0.5,cohort:c{n}=remote"))).unwrap();
        }
        let before = rows.plan();
        assert!(rows.apply(&plan("remote,cohort:one-more=remote")).is_err());
        let step = Step::new(Stage::Remote, None).unwrap();
        assert!(rows.set(&"nearest".parse().unwrap(), step).is_err());
        assert_eq!(rows.plan(), before);
        rows.apply(&plan("remote,cohort:c1=local")).unwrap();
    }
}
