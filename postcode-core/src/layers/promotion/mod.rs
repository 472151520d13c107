//! Moves callers from one implementation to another while they run.

mod compare;
mod core;
mod evidence;
mod guard;
#[cfg(test)]
mod simulation;
mod snapshot;
mod stage;

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use self::core::{Begun, Core, is_failure};
use self::guard::Watch;
use super::Around;
use super::call::{Call, Info};
use crate::{AnyLookup, DatasetInfo, Lookups, Result, layer};

pub use self::core::PromotionConfig;
pub use self::evidence::{Evidence, evidence_below};
pub use self::guard::Guard;
pub use self::snapshot::{Example, LatencySummary, Sides, Snapshot, StepBack};
pub use self::stage::Stage;

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
#[derive(Clone)]
pub struct Promotion(Arc<Core>);

impl Promotion {
    /// Creates a promotion from `old` to `new`, in stage `local`, with a share of 0.1 and the
    /// default configuration.
    pub fn new(old: Arc<dyn Lookups>, new: Arc<dyn Lookups>) -> Self {
        Self::with(old, new, PromotionConfig::default())
    }

    /// Creates a promotion with this configuration, otherwise like [`new`](Self::new).
    pub fn with(old: Arc<dyn Lookups>, new: Arc<dyn Lookups>, config: PromotionConfig) -> Self {
        Self(Arc::new(Core::new(old, new, config)))
    }

    /// Changes the stage, and the share (0 to 1) if one is given, for calls that begin from now on.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the share is not from 0 to 1. Nothing is
    /// changed then.
    pub fn set(&self, stage: Stage, share: Option<f64>) -> Result<()> {
        self.0.plan.set(stage, share)?;
        if let Some(watch) = &self.0.watch {
            watch.clear();
        }
        Ok(())
    }

    /// Returns the current stage.
    pub fn stage(&self) -> Stage {
        self.0.plan.get().stage
    }

    /// Returns the observations since the plan was last changed, and those of the plan before it.
    /// `None` without a guard.
    pub fn evidence(&self) -> Option<(Evidence, Evidence)> {
        self.0.watch.as_ref().map(Watch::evidence)
    }

    /// Returns the counts, latencies and examples since the start.
    pub fn snapshot(&self) -> Snapshot {
        let core = &*self.0;
        let plan = core.plan.get();
        let (matched, mismatched) = (core.matched.load(Relaxed), core.mismatched.load(Relaxed));
        Snapshot {
            stage: plan.stage,
            share: plan.share(),
            calls: core.calls.load(Relaxed),
            compared: matched + mismatched,
            matched,
            mismatched,
            examples: core.examples.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            errors: core.errors.load(Relaxed),
            fallbacks: core.fallbacks.load(Relaxed),
            failed: core.failed.load(Relaxed),
            skipped: core.skipped.load(Relaxed),
            latency: Sides { old: (&core.old_latencies).into(), new: (&core.new_latencies).into() },
            step_backs: core.step_backs.load(Relaxed),
            last_step_back: core.last_step_back.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Around for Promotion {
    type Inner = AnyLookup;

    async fn around<C: Call<AnyLookup>>(&self, call: C) -> Result<C::Reply> {
        let core = &self.0;
        let begun = core.begin();
        self.answer(call, begun).await
    }

    /// Outside of a unit, nothing says which calls the edition is asked for. Most of them are
    /// answered by the old implementation until the new one answers all.
    async fn around_info(&self, call: Info<'_>) -> Result<DatasetInfo> {
        let mut begun = self.0.begin();
        begun.sampled &= begun.in_unit();
        self.answer(call, begun).await
    }
}

impl Promotion {
    async fn answer<C: Call<AnyLookup>>(&self, call: C, begun: Begun) -> Result<C::Reply> {
        let core = &self.0;
        let plan = begun.plan;
        let answer = match plan.stage {
            Stage::Local => core.ask_old(&call, begun.timed).await,
            Stage::Shadow if begun.sampled => {
                let answer = core.ask_old(&call, true).await;
                core.note_old(plan, &answer);
                compare::with_new(core, plan, call, &answer);
                answer
            }
            Stage::Canary if begun.sampled => {
                let (answer, fell_back) = core.ask_new_or_old(&call, &begun).await;
                if !fell_back {
                    compare::with_old(core, plan, call, &answer);
                }
                answer
            }
            Stage::Shadow | Stage::Canary => {
                let answer = core.ask_old(&call, begun.timed).await;
                core.note_old(plan, &answer);
                answer
            }
            Stage::RemoteWithFallback => core.ask_new_or_old(&call, &begun).await.0,
            Stage::Remote => match core.ask_new(&call, plan, None).await {
                Err(error) if is_failure(&error) && core.plan.get().stage != Stage::Remote => {
                    core.fall_back(&begun);
                    core.ask_old(&call, true).await
                }
                answer => answer,
            },
        };
        if answer.as_ref().is_err_and(is_failure) {
            core.failed.fetch_add(1, Relaxed);
        }
        answer
    }
}

layer!([] Promotion);

impl fmt::Debug for Promotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.0.plan.get();
        f.debug_struct("Promotion")
            .field("old", &self.0.old)
            .field("new", &self.0.new)
            .field("stage", &plan.stage)
            .field("share", &plan.share())
            .field("config", &self.0.config)
            .finish()
    }
}
