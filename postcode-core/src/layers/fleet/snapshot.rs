//! How far a fleet is with its plan.

use serde::{Deserialize, Serialize};

use super::plan::FleetPlan;
use super::report::RowReport;
use crate::layers::{Evidence, PromotionPlan, RowName, Stage};

/// How far a fleet is with its plan.
///
/// ```
/// use postcode_core::layers::fleet::FleetSnapshot;
///
/// /// Returns whether all processes follow the current plan.
/// fn is_everywhere(fleet: &FleetSnapshot) -> bool {
///     fleet.acknowledged.iter().all(|follows| follows.revision == fleet.plan.revision)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetSnapshot {
    /// The current plan.
    #[serde(flatten)]
    pub plan: FleetPlan,
    /// How many processes follow which revision, the newest first.
    pub acknowledged: Vec<Acknowledged>,
    /// The sums over all processes since the current plan, the default row first.
    pub rows: Vec<FleetRow>,
    /// The processes that have reported lately, by name.
    pub processes: Vec<FleetProcess>,
    /// Processes that were forgotten since the start because they reported nothing for
    /// [`silence`](super::FleetLimits::silence).
    pub forgotten: u64,
    /// Reports that were refused since the start because there were
    /// [`processes`](super::FleetLimits::processes) already.
    pub refused: u64,
}

/// How many processes follow a revision.
///
/// ```
/// use postcode_core::layers::fleet::Acknowledged;
///
/// let follows = [Acknowledged { revision: 4, processes: 7 }, Acknowledged { revision: 3, processes: 1 }];
/// assert_eq!(follows.iter().map(|follows| follows.processes).sum::<usize>(), 8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The revision.
    pub revision: u64,
    /// The number of processes.
    pub processes: usize,
}

/// The sums of one row over all processes.
///
/// ```
/// use postcode_core::layers::fleet::FleetRow;
///
/// fn line(row: &FleetRow) -> String {
///     format!("{}: {}, {} of {} calls failed", row.row, row.stage, row.observed.failed, row.observed.asked)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetRow {
    /// The row.
    pub row: RowName,
    /// The stage of the plan.
    pub stage: Stage,
    /// The observations of all processes since the plan was made, without the time before the first
    /// report of each.
    pub observed: Evidence,
}

/// One process of a fleet, by its last report.
///
/// ```
/// use postcode_core::layers::fleet::FleetProcess;
///
/// fn is_silent(process: &FleetProcess) -> bool {
///     process.silent_for > 30.0 // seconds
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetProcess {
    /// The name of the process.
    pub process: String,
    /// The revision that it follows.
    pub revision: u64,
    /// The plan by which it acts.
    pub plan: PromotionPlan,
    /// Seconds since its last report.
    pub silent_for: f64,
    /// Why it does not follow a newer plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The rows of its plan.
    pub rows: Vec<RowReport>,
}
