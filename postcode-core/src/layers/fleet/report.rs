//! The reports of the processes of a fleet.

use serde::{Deserialize, Serialize};

use super::plan::check_revision;
use crate::layers::{Evidence, PromotionPlan, RowName, Stage};
use crate::{Error, Result};

/// The longest name of a process, in bytes.
pub const MAX_PROCESS_NAME: usize = 80;
/// The longest text of an error, in bytes.
const MAX_ERROR: usize = 300;
/// The most rows: as many as a promotion has.
const MAX_ROWS: usize = 64;

/// The report of a process: which plan it follows, and what it has observed.
///
/// All counts are totals since the process began to follow this plan. So a report that is lost or comes
/// twice changes nothing.
///
/// [`check`](Self::check) checks one that came from elsewhere:
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
/// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
/// # let promotion = postcode_core::layers::Promotion::new(library.clone(), library);
/// use postcode_core::layers::fleet::FleetMember;
///
/// let mut report = FleetMember::new(promotion, "orders-1")?.report();
/// report.check()?;
/// report.process = "orders ".repeat(20);
/// assert!(report.check().is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetReport {
    /// The name of the process, which no other process has and which a restart changes: 1 to 80 letters,
    /// digits and `-_.:@`.
    pub process: String,
    /// The revision of the plan that the process follows.
    pub revision: u64,
    /// The plan by which the process acts. It differs from the plan if its own guard stepped back.
    pub plan: PromotionPlan,
    /// Why the process does not follow a newer plan that it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The rows of the plan.
    pub rows: Vec<RowReport>,
}

/// The observations of a process in one row.
///
/// ```
/// use postcode_core::layers::fleet::{FleetReport, RowReport};
///
/// fn failed(report: &FleetReport) -> u64 {
///     report.rows.iter().map(|row: &RowReport| row.observed.failed).sum()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowReport {
    /// The row.
    pub row: RowName,
    /// The stage that the process is in.
    pub stage: Stage,
    /// Calls of the process's callers since its start.
    pub calls: u64,
    /// The guard's observations in the stage of the plan.
    pub observed: Evidence,
}

impl FleetReport {
    /// Checks the sizes of all parts.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::fleet::FleetMember;
    ///
    /// let mut report = FleetMember::new(promotion, "orders-1")?.report();
    /// assert!(report.check().is_ok());
    /// report.error = Some("x".repeat(301));
    /// assert!(report.check().unwrap_err().to_string().contains("at most 300 bytes"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), which says what is too long.
    pub fn check(&self) -> Result<()> {
        check_name(&self.process)?;
        check_revision(self.revision)?;
        if self.rows.len() > MAX_ROWS || self.plan.rows.len() >= MAX_ROWS {
            return Err(Error::invalid(format!("{} rows: give at most {MAX_ROWS}", self.rows.len())));
        }
        if self.error.as_ref().is_some_and(|error| error.len() > MAX_ERROR) {
            return Err(Error::invalid(format!("error: give at most {MAX_ERROR} bytes")));
        }
        Ok(())
    }
}

pub(super) fn check_name(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte);
    if name.is_empty() || name.len() > MAX_PROCESS_NAME || !name.bytes().all(allowed) {
        return Err(Error::invalid(format!(
            "process {:?}: give 1 to {MAX_PROCESS_NAME} letters, digits, and any of - _ . : @",
            name.chars().take(MAX_PROCESS_NAME).collect::<String>()
        )));
    }
    Ok(())
}

/// Cuts the text of an error to what a report takes.
pub(super) fn cut(mut error: String) -> String {
    let mut end = error.len().min(MAX_ERROR);
    while !error.is_char_boundary(end) {
        end -= 1;
    }
    error.truncate(end);
    error
}
