//! Moves callers from one implementation to another while they run.

mod answering;
mod compare;
mod core;
mod difference;
mod evidence;
mod example;
mod grounds;
mod guard;
mod guard_text;
mod limits;
mod plan;
mod quantile;
mod row;
mod side;
#[cfg(test)]
mod simulation;
mod snapshot;
mod stage;
mod summed;

use std::fmt;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, PoisonError};

use self::core::Core;
use self::guard::Watch;
use self::row::RowState;
use super::latency::Latencies;
use crate::{AnyLookup, Lookups, Result, layer};

pub use self::core::PromotionConfig;
pub use self::difference::{Causes, FieldDifferences};
pub use self::evidence::{Evidence, evidence_below};
pub use self::example::{Cause, Example};
pub(in crate::layers) use self::grounds::close;
pub use self::grounds::{Earlier, Grounds, Limit};
pub(in crate::layers) use self::guard::before as stage_before;
pub use self::guard_text::Guarding;
pub use self::limits::Guard;
#[doc(hidden)]
pub use self::plan::ADDRESS_METHODS;
pub use self::plan::{PromotionPlan, RowName, Step};
pub use self::quantile::LatencyBound;
pub use self::side::Promotable;
pub use self::snapshot::{LatencySummary, RowSnapshot, Sides, Snapshot, StepBack};
pub use self::stage::Stage;
pub(in crate::layers) use self::summed::Summed;

/// Moves callers from an old implementation to a new one while they run: in stages, measured, and
/// back if needed.
///
/// It holds both implementations and a [`Stage`], which [`set`](Promotion::set) changes at any time. A
/// clone is a handle to the same promotion. A call keeps the stage that it began with, so that a change
/// drops no call and fails none.
///
/// - The caller never waits for a comparison and never sees one fail. Comparisons run in separate
///   tasks, with a time limit, and at most [`max_comparisons`](PromotionConfig::max_comparisons) at
///   once; more are skipped. In stage `local`, and for calls outside the share, there is no task and no
///   copy.
/// - [`random`](crate::PostcodeLookup::random) and [`info`](crate::PostcodeLookup::info) are not compared, because
///   two implementations may answer them differently. Errors of the same kind are equal. A call that
///   the old implementation could not answer is not compared.
/// - In the stages where the old implementation can answer instead (`canary`, `remote-with-fallback`),
///   the new one has [`patience`](PromotionConfig::patience) to answer. In `remote` it has no limit:
///   give it a separate deadline ([`resilient`](super::resilient)).
/// - Calls of one [unit](super::unit::scope) are answered by one implementation, chosen by the unit's
///   key, and by the plan of its first call. In `canary` a key is in the share or not, and a larger
///   share keeps all keys of a smaller one. If the new implementation fails and the old one answers, it
///   answers the rest of the unit too.
/// - Outside of a unit, [`info`](crate::PostcodeLookup::info) describes the old implementation until
///   `remote-with-fallback`.
/// - A [`PromotionPlan`] has a stage for all calls, and others for some methods or
///   [cohorts](crate::unit::cohort). Each row is measured and guarded apart. If a method's row says another
///   implementation than the one that answers the rest of a unit, the row applies only if both answer from
///   one edition. Otherwise the unit stays whole, and the call is counted as [held](RowSnapshot::held).
/// - Every difference has a [`Cause`]: another edition of the data, an old implementation that does not agree
///   with itself, or other code. The guard counts only the last.
/// - A [`Guard`] steps back automatically and says why. A call that fails in `remote` while the stage
///   is being changed is answered by the old implementation.
///
/// ```
/// # async fn example(library: std::sync::Arc<dyn postcode_core::Lookups>,
/// #     service: std::sync::Arc<dyn postcode_core::Lookups>) -> postcode_core::Result<()> {
/// use std::sync::Arc;
/// use postcode_core::Lookups;
/// use postcode_core::layers::{Promotion, Stage};
///
/// let promotion = Promotion::new(library, service);
/// let postcodes: Arc<dyn Lookups> = Arc::new(promotion.clone()); // for the callers
///
/// promotion.set(Stage::Shadow, Some(0.1))?; // compare one call in ten
/// let seen = promotion.snapshot();
/// if seen.compared > 10_000 && seen.mismatched == 0 {
///     promotion.set(Stage::Canary, Some(0.05))?;
/// }
/// # Ok(()) }
/// ```
///
/// The two are lookups of postcodes, or of anything else that is [`Promotable`]: see
/// [`between`](Promotion::between).
pub struct Promotion<S: Promotable = AnyLookup>(Arc<Core<S>>);

impl<S: Promotable> Clone for Promotion<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Promotion {
    /// Creates a promotion from `old` to `new`, in stage `local`, with a share of 0.1 and the
    /// default configuration.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::{Promotion, Stage};
    ///
    /// let promotion = Promotion::new(library, service);
    /// assert_eq!(promotion.stage(), Stage::Local);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(old: Arc<dyn Lookups>, new: Arc<dyn Lookups>) -> Self {
        Self::with(old, new, PromotionConfig::default())
    }

    /// Creates a promotion with this configuration, otherwise like [`new`](Self::new).
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::{Promotion, PromotionConfig};
    ///
    /// let mut config = PromotionConfig::default();
    /// config.guard = None;
    /// assert_eq!(Promotion::with(library, service, config).evidence(), None);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with(old: Arc<dyn Lookups>, new: Arc<dyn Lookups>, config: PromotionConfig) -> Self {
        Self::between(old.into(), new.into(), config)
    }

    /// Sets a lookup that predicts the new implementation's answers: see [`explain_by`](Self::explain_by).
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::Promotion;
    ///
    /// # let replica = library.clone();
    /// let promotion = Promotion::new(library, service);
    /// assert!(promotion.explain_with(replica));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain_with(&self, predictor: Arc<dyn Lookups>) -> bool {
        self.explain_by(predictor.into())
    }
}

impl<S: Promotable> Promotion<S> {
    /// Creates a promotion between two lookups of one type, otherwise like [`with`](Promotion::with).
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::AnyLookup;
    /// use postcode_core::layers::{Promotion, PromotionConfig, Stage};
    ///
    /// let (old, new) = (AnyLookup::from(library), AnyLookup::from(service));
    /// assert_eq!(Promotion::between(old, new, PromotionConfig::default()).stage(), Stage::Local);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn between(old: S, new: S, config: PromotionConfig) -> Self {
        Self(Arc::new(Core::new(old, new, config)))
    }

    /// Changes the stage of the default row, and its share (0 to 1) if one is given, for calls that begin
    /// from now on.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::Stage;
    ///
    /// promotion.set(Stage::Canary, Some(0.05))?;
    /// assert_eq!(promotion.plan().to_string(), "canary:0.05");
    /// assert!(promotion.set(Stage::Remote, Some(5.0)).is_err());
    /// assert_eq!(promotion.stage(), Stage::Canary); // nothing was changed
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the share is not from 0 to 1. Nothing is
    /// changed then.
    pub fn set(&self, stage: Stage, share: Option<f64>) -> Result<()> {
        self.set_row(&RowName::Default, Step { stage, share })
    }

    /// Changes one row, or adds it, for calls that begin from now on.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::{Promotion, Stage, Step};
    ///
    /// let promotion = Promotion::new(library, service);
    /// promotion.set_row(&"nearest".parse()?, Step::new(Stage::Remote, None)?)?;
    /// assert_eq!(promotion.plan().to_string(), "local:0.1,nearest=remote:0.1");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the share is not from 0 to 1, or if there are
    /// 64 rows already, also counting removed ones. Nothing is changed then.
    pub fn set_row(&self, row: &RowName, step: Step) -> Result<()> {
        self.0.rows.set(row, step)
    }

    /// Removes a row, so that its calls go by the plan's other rows. Returns whether it was there. The
    /// default row can't be removed.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::{Promotion, Stage, Step};
    ///
    /// let promotion = Promotion::new(library, service);
    /// promotion.set_row(&"nearest".parse()?, Step::new(Stage::Remote, None)?)?;
    /// assert!(promotion.remove_row(&"nearest".parse()?));
    /// assert!(!promotion.remove_row(&"default".parse()?));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove_row(&self, row: &RowName) -> bool {
        self.0.rows.remove(row)
    }

    /// Changes all rows, and removes those that are not in the plan. Each row changes at once, one after
    /// another.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::{Promotion, Stage};
    ///
    /// let promotion = Promotion::new(library, service);
    /// promotion.apply(&"shadow:20%,cohort:import=local".parse()?)?;
    /// assert_eq!(promotion.stage(), Stage::Shadow);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`set_row`](Self::set_row).
    pub fn apply(&self, plan: &PromotionPlan) -> Result<()> {
        self.0.rows.apply(plan)
    }

    /// Sets a lookup that predicts the new implementation's answers: the old code with the new data, such
    /// as a `replica:` of the service. With it, a difference between two editions has the cause
    /// [`Edition`](Cause::Edition) only if the predictor has the new edition and gives the new answer.
    /// Returns false if there is a predictor already.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::AnyLookup;
    /// use postcode_core::layers::Promotion;
    ///
    /// # let replica = library.clone();
    /// let promotion = Promotion::new(library, service);
    /// assert!(promotion.explain_by(AnyLookup::from(replica.clone())));
    /// assert!(!promotion.explain_by(AnyLookup::from(replica))); // there is one already
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain_by(&self, predictor: S) -> bool {
        self.0.predictor.set(predictor).is_ok()
    }

    /// Returns the current stage of the default row.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::{Promotion, Stage};
    ///
    /// let promotion = Promotion::new(library, service);
    /// promotion.set(Stage::Canary, Some(0.05))?;
    /// assert_eq!(promotion.stage(), Stage::Canary);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stage(&self) -> Stage {
        self.0.rows.get(row::DEFAULT).plan.get().stage
    }

    /// Returns the current plan.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::Promotion;
    ///
    /// let promotion = Promotion::new(library, service);
    /// assert_eq!(promotion.plan().to_string(), "local:0.1");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan(&self) -> PromotionPlan {
        self.0.rows.plan()
    }

    /// Returns the observations of the default row since it was last changed, and those before that
    /// change. `None` without a guard.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let service = library.clone();
    /// use postcode_core::layers::Promotion;
    ///
    /// let promotion = Promotion::new(library, service);
    /// let (now, _before) = promotion.evidence().ok_or("no guard")?;
    /// assert_eq!((now.asked, now.failed), (0, 0)); // nothing was asked yet
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evidence(&self) -> Option<(Evidence, Evidence)> {
        self.0.rows.get(row::DEFAULT).watch.as_ref().map(Watch::evidence)
    }

    /// Returns the reason, the observations and the grounds of the last step back of the default row.
    pub(in crate::layers) fn last_tripped(&self) -> Option<(String, Evidence, Grounds)> {
        let row = self.0.rows.get(row::DEFAULT);
        let tripped = row.last_tripped.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((tripped.reason, tripped.evidence, tripped.grounds))
    }

    /// Returns the measurements of the default row.
    pub(in crate::layers) fn default_row(&self) -> RowSnapshot {
        self.0.rows.get(row::DEFAULT).snapshot()
    }

    /// Returns how a row does: its stage, counts and the guard's observations. `None` for a row that the
    /// plan does not have, and without a guard.
    pub(in crate::layers) fn observed(&self, row: &RowName) -> Option<ObservedRow> {
        let (_, row) = self.0.rows.all().find(|(_, known)| known.name == *row && known.is_active())?;
        // In this order: a step back changes the stage, then the observations, and counts itself last.
        let step_backs = row.step_backs.load(Acquire);
        let (now, before) = row.watch.as_ref()?.evidence();
        let stage = row.plan.get().stage;
        Some(ObservedRow { stage, calls: row.calls.load(Relaxed), step_backs, now, before })
    }

    /// Returns the counts, latencies and examples since the start.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
    /// # let service = library.clone();
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::Promotion;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let promotion = Promotion::new(library, service);
    /// promotion.lookup_one("SW1A 1AA".parse()?).await?;
    /// assert_eq!(promotion.snapshot().calls, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        let core = &*self.0;
        let rows: Vec<RowSnapshot> = core.rows.all().map(|(_, row)| row.snapshot()).collect();
        let sum = |count: fn(&RowSnapshot) -> u64| rows.iter().map(count).sum();
        let latency = |of: fn(&RowState) -> &Latencies| {
            LatencySummary::from(&Latencies::sum(core.rows.all().map(|(_, row)| of(row))))
        };
        let last = rows.iter().filter_map(|row| row.last_step_back.as_ref()).max_by_key(|step| step.at);
        let default = core.rows.get(row::DEFAULT).plan.get();
        Snapshot {
            stage: default.stage,
            share: default.share(),
            plan: self.plan().to_string(),
            calls: sum(|row| row.calls),
            compared: sum(|row| row.compared),
            matched: sum(|row| row.matched),
            mismatched: sum(|row| row.mismatched),
            examples: core.differences.examples(),
            errors: sum(|row| row.errors),
            fallbacks: sum(|row| row.fallbacks),
            failed: sum(|row| row.failed),
            skipped: sum(|row| row.skipped),
            latency: Sides { old: latency(|row| &row.old_latencies), new: latency(|row| &row.new_latencies) },
            step_backs: sum(|row| row.step_backs),
            last_step_back: last.cloned(),
            causes: Causes {
                edition: sum(|row| row.causes.edition),
                noise: sum(|row| row.causes.noise),
                code: sum(|row| row.causes.code),
            },
            differences: core.differences.counts(),
            refused: sum(|row| row.refused),
            held: sum(|row| row.held),
            rows,
        }
    }
}

/// How a row does, for the report of a process to its fleet.
#[derive(Clone, Copy, Debug)]
pub(in crate::layers) struct ObservedRow {
    pub(in crate::layers) stage: Stage,
    pub(in crate::layers) calls: u64,
    pub(in crate::layers) step_backs: u64,
    /// The observations since the row was changed, and those before that change.
    pub(in crate::layers) now: Evidence,
    pub(in crate::layers) before: Evidence,
}

layer!([] Promotion);

impl<S: Promotable> fmt::Debug for Promotion<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promotion")
            .field("old", &self.0.old)
            .field("new", &self.0.new)
            .field("plan", &format_args!("{}", self.plan()))
            .field("config", &self.0.config)
            .finish()
    }
}
