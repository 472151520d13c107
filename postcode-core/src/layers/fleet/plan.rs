//! The plan of a fleet and its place in the order of plans.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::layers::{PromotionPlan, RowName, Stage, Step, StepBack};
use crate::{Error, Result};

/// The largest revision: the largest whole number that every reader of JSON keeps exactly.
pub const MAX_REVISION: u64 = (1 << 53) - 1;
/// The share of a plan that never said one.
const SHARE: f64 = 0.1;

/// The plan that all processes of a fleet follow.
///
/// In JSON: `{"revision":3,"plan":"canary:0.1,nearest=remote:0.1","at":1764342000}`.
///
/// Created by [`new`](Self::new). [`check`](Self::check) checks one that came from elsewhere:
///
/// ```
/// use postcode_core::layers::fleet::{FleetPlan, MAX_REVISION};
///
/// let plan = FleetPlan::new(3, "canary:10%,nearest=remote:10%".parse()?);
/// plan.check()?;
/// assert_eq!(serde_json::to_value(&plan)?["plan"], "canary:0.1,nearest=remote:0.1");
/// assert!(FleetPlan::new(MAX_REVISION + 1, "local".parse()?).check().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetPlan {
    /// The place of the plan in the order of all plans, from 1. With 0 there is no plan yet, and each
    /// process begins as its options say.
    pub revision: u64,
    /// The stages of all rows, each with its share, so that all processes do the same.
    pub plan: PromotionPlan,
    /// When the plan was made, in seconds since the beginning of 1970 (UTC).
    #[serde(default)]
    pub at: u64,
    /// The steps back of the fleet's guard that made this plan. Empty if a person made it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step_backs: Vec<StepBack>,
}

impl Default for FleetPlan {
    fn default() -> Self {
        let plan = PromotionPlan::new(Step { stage: Stage::Local, share: Some(SHARE) });
        Self { revision: 0, plan, at: 0, step_backs: Vec::new() }
    }
}

impl FleetPlan {
    /// Creates a plan that a person makes, at the current time.
    ///
    /// ```
    /// use postcode_core::layers::fleet::FleetPlan;
    ///
    /// let plan = FleetPlan::new(3, "canary:10%".parse()?);
    /// assert_eq!(plan.plan.default.share, Some(0.1));
    /// assert!(plan.step_backs.is_empty()); // the fleet's guard did not make it
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(revision: u64, plan: PromotionPlan) -> Self {
        Self { revision, plan, at: now(), step_backs: Vec::new() }
    }

    /// Checks the revision.
    ///
    /// ```
    /// use postcode_core::layers::fleet::{FleetPlan, MAX_REVISION};
    ///
    /// assert!(FleetPlan::new(MAX_REVISION, "local".parse()?).check().is_ok());
    /// assert!(FleetPlan::new(MAX_REVISION + 1, "local".parse()?).check().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is above [`MAX_REVISION`].
    pub fn check(&self) -> Result<()> {
        check_revision(self.revision)
    }

    /// Returns the rows with their stages, the default row first.
    pub(super) fn stages(&self) -> impl Iterator<Item = (RowName, Stage)> {
        let rows = self.plan.rows.iter().map(|(row, step)| (row.clone(), step.stage));
        std::iter::once((RowName::Default, self.plan.default.stage)).chain(rows)
    }

    /// Returns `plan` with the shares that it leaves out: those of this plan's rows, and for a new row
    /// that of the default row.
    pub(super) fn completed(&self, mut plan: PromotionPlan) -> PromotionPlan {
        let default = plan.default.share.or(self.plan.default.share).unwrap_or(SHARE);
        plan.default.share = Some(default);
        for (row, step) in &mut plan.rows {
            let before = self.plan.rows.get(row).and_then(|step| step.share);
            step.share = step.share.or(before).or(Some(default));
        }
        plan
    }
}

/// Checks that every reader of JSON keeps a revision.
pub(super) fn check_revision(revision: u64) -> Result<()> {
    if revision > MAX_REVISION {
        return Err(Error::invalid(format!("revision {revision}: give at most {MAX_REVISION}")));
    }
    Ok(())
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_is_written_as_it_is_read_and_says_every_share() {
        let text = r#"{"revision":3,"plan":"canary:0.1,nearest=remote:0.1","at":1764342000}"#;
        let plan: FleetPlan = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&plan).unwrap(), text);
        let short: FleetPlan = serde_json::from_str(r#"{"revision":1,"plan":"local"}"#).unwrap();
        assert_eq!((short.at, short.step_backs.len()), (0, 0));
        let completed =
            plan.completed("shadow,nearest=remote,lookup=canary,within=canary:0.5".parse().unwrap());
        assert_eq!(
            completed.to_string(),
            "shadow:0.1,lookup=canary:0.1,nearest=remote:0.1,within=canary:0.5"
        );
        assert!(FleetPlan::new(MAX_REVISION + 1, plan.plan).check().is_err());
        assert!(serde_json::from_str::<FleetPlan>(r#"{"revision":1,"plan":"far"}"#).is_err());
    }
}
