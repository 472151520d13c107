//! The way between a process and its fleet.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::plan::FleetPlan;
use super::report::FleetReport;
use crate::Result;

/// Where the plan of a fleet comes from and where reports go.
///
/// ```
/// use std::time::Duration;
/// use async_trait::async_trait;
/// use postcode_core::layers::fleet::{Fleet, FleetLink, FleetPlan, FleetReport};
/// use postcode_core::Result;
///
/// /// A fleet in the same process.
/// #[derive(Debug)]
/// struct Here(Fleet);
///
/// #[async_trait]
/// impl FleetLink for Here {
///     async fn plan(&self, newer_than: u64, wait: Duration) -> Result<Option<FleetPlan>> {
///         Ok(Some((*self.0.newer_than(newer_than, wait).await).clone()))
///     }
///
///     async fn report(&self, report: &FleetReport) -> Result<Duration> {
///         self.0.report(report.clone())
///     }
/// }
/// ```
#[async_trait]
pub trait FleetLink: Debug + Send + Sync + 'static {
    /// Returns the current plan as soon as it is newer than this revision, or when the time is over.
    /// `None` if there is no plan.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use postcode_core::layers::fleet::{FleetLink, PlanFile};
    ///
    /// let link = PlanFile::new("/nowhere/plan.json");
    /// assert_eq!(link.plan(0, Duration::ZERO).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Any. It is asked again after a pause.
    async fn plan(&self, newer_than: u64, wait: Duration) -> Result<Option<FleetPlan>>;

    /// Delivers a report. Returns how long to wait before the next one.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::ErrorKind;
    /// use postcode_core::layers::fleet::{FleetLink, FleetMember, PlanFile};
    ///
    /// let member = FleetMember::new(promotion, "orders-1")?;
    /// let link = PlanFile::new("/etc/postcode/plan.json");
    /// let error = link.report(&member.report()).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotSupported); // a file takes no reports
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Any. The next report holds everything that this one did.
    /// [`NotSupported`](crate::ErrorKind::NotSupported) if no reports are taken.
    async fn report(&self, report: &FleetReport) -> Result<Duration>;
}
