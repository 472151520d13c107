//! The way between a process and its fleet.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::plan::FleetPlan;
use super::report::FleetReport;
use crate::Result;

/// Where the plan of a fleet comes from and where reports go.
#[async_trait]
pub trait FleetLink: Debug + Send + Sync + 'static {
    /// Returns the current plan as soon as it is newer than this revision, or when the time is over.
    /// `None` if there is no plan.
    ///
    /// # Errors
    /// Any. It is asked again after a pause.
    async fn plan(&self, newer_than: u64, wait: Duration) -> Result<Option<FleetPlan>>;

    /// Delivers a report. Returns how long to wait before the next one.
    ///
    /// # Errors
    /// Any. The next report holds everything that this one did.
    /// [`NotSupported`](crate::ErrorKind::NotSupported) if no reports are taken.
    async fn report(&self, report: &FleetReport) -> Result<Duration>;
}
