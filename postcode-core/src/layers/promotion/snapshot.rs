//! The counts, latencies and examples of a promotion.

use serde::{Deserialize, Serialize};

use super::{Causes, Example, FieldDifferences, RowName, Stage};
use crate::layers::latency::Latencies;

/// The measurements of a promotion, from which you decide the next step. Counts are since the
/// start, and over all rows.
///
/// ```
/// use postcode_core::layers::Snapshot;
///
/// /// Decides whether to send callers to the new implementation.
/// fn is_ready(seen: &Snapshot) -> bool {
///     seen.compared > 10_000 && seen.causes.code == 0 && seen.step_backs == 0
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The current stage of the default row.
    pub stage: Stage,
    /// The share of calls that `shadow` and `canary` take in the default row, 0 to 1.
    pub share: f64,
    /// The plan as text, as [`PromotionPlan`](super::PromotionPlan) reads it.
    #[serde(default)]
    pub plan: String,
    /// Calls made by callers.
    pub calls: u64,
    /// Calls whose two answers were compared.
    pub compared: u64,
    /// Compared calls with equal answers.
    pub matched: u64,
    /// Compared calls with different answers.
    pub mismatched: u64,
    /// The first differences of each cause, one for each distinct call.
    pub examples: Vec<Example>,
    /// Calls to the new implementation that failed.
    pub errors: u64,
    /// Failed calls to the new implementation that the old one then answered.
    pub fallbacks: u64,
    /// Calls that failed for the caller.
    pub failed: u64,
    /// Comparisons that were skipped because too many were running.
    pub skipped: u64,
    /// How long the two implementations take.
    pub latency: Sides,
    /// How often the guard stepped back.
    pub step_backs: u64,
    /// The last step back, with time and reason.
    pub last_step_back: Option<StepBack>,
    /// The compared calls with different answers, by cause.
    #[serde(default)]
    pub causes: Causes,
    /// The fields in which compared calls differ, by cause and method.
    #[serde(default)]
    pub differences: Vec<FieldDifferences>,
    /// Comparisons that the new implementation refused because it was busy. They are not errors.
    #[serde(default)]
    pub refused: u64,
    /// Calls of units that went against their row: see [`RowSnapshot::held`].
    #[serde(default)]
    pub held: u64,
    /// The measurements of each row, the default row first.
    #[serde(default)]
    pub rows: Vec<RowSnapshot>,
}

/// The measurements of one row of a plan. Counts are since the start.
///
/// ```
/// use postcode_core::layers::{RowSnapshot, Snapshot};
///
/// fn worst(seen: &Snapshot) -> Option<&RowSnapshot> {
///     seen.rows.iter().filter(|row| row.active).max_by_key(|row| row.causes.code)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowSnapshot {
    /// The calls that the row is for.
    pub row: RowName,
    /// Whether the row is in the plan. False for a row that was removed: its calls go by another one,
    /// and its counts stay.
    pub active: bool,
    /// The current stage.
    pub stage: Stage,
    /// The share of calls that `shadow` and `canary` take, 0 to 1.
    pub share: f64,
    /// Calls made by callers.
    pub calls: u64,
    /// Calls whose two answers were compared.
    pub compared: u64,
    /// Compared calls with equal answers.
    pub matched: u64,
    /// Compared calls with different answers.
    pub mismatched: u64,
    /// The same, by cause.
    #[serde(default)]
    pub causes: Causes,
    /// Calls to the new implementation that failed.
    pub errors: u64,
    /// Failed calls to the new implementation that the old one then answered.
    pub fallbacks: u64,
    /// Calls that failed for the caller.
    pub failed: u64,
    /// Comparisons that were skipped because too many were running.
    pub skipped: u64,
    /// Comparisons that the new implementation refused because it was busy. They are not errors.
    #[serde(default)]
    pub refused: u64,
    /// Calls of units that were answered by the implementation of the unit's other calls and not by that
    /// of this row, because the two have different editions or one does not tell its edition.
    pub held: u64,
    /// How long the two implementations take.
    pub latency: Sides,
    /// How often the guard stepped back.
    pub step_backs: u64,
    /// The last step back, with time and reason.
    pub last_step_back: Option<StepBack>,
}

/// The latencies of the two implementations.
///
/// ```
/// use postcode_core::layers::Sides;
///
/// /// Returns how many times as long the new implementation takes.
/// fn ratio(latency: Sides) -> Option<f64> {
///     Some(latency.new.p50_us? / latency.old.p50_us?)
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// The old implementation.
    pub old: LatencySummary,
    /// The new implementation.
    pub new: LatencySummary,
}

/// The latencies in microseconds of about the last hundred thousand timed calls. The percentiles
/// are `None` before the first.
///
/// ```
/// use postcode_core::layers::LatencySummary;
///
/// fn text(latency: LatencySummary) -> String {
///     latency.p99_us.map_or("not measured".to_owned(), |us| format!("{us:.0} µs"))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// The number of timed calls.
    pub count: u64,
    /// The median, in microseconds.
    pub p50_us: Option<f64>,
    /// The 90th percentile, in microseconds.
    pub p90_us: Option<f64>,
    /// The 99th percentile, in microseconds.
    pub p99_us: Option<f64>,
}

impl From<&Latencies> for LatencySummary {
    fn from(latencies: &Latencies) -> Self {
        let us = |quantile| latencies.quantile(quantile).map(|latency| latency.as_nanos() as f64 / 1e3);
        Self { count: latencies.count(), p50_us: us(0.5), p90_us: us(0.9), p99_us: us(0.99) }
    }
}

/// A step back that the guard made.
///
/// ```
/// use postcode_core::layers::{RowName, Stage, StepBack};
///
/// let reason = "7 of 20 calls failed".to_owned();
/// let back = StepBack { at: 1_764_342_000, row: RowName::Default, from: Stage::Canary, to: Stage::Shadow, reason };
/// assert!(back.to < back.from);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepBack {
    /// The time, in seconds since the beginning of 1970 (UTC).
    pub at: u64,
    /// The row that stepped back.
    #[serde(default)]
    pub row: RowName,
    /// The stage before.
    pub from: Stage,
    /// The stage after.
    pub to: Stage,
    /// The reason.
    pub reason: String,
}
