//! One process of a fleet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::plan::FleetPlan;
use super::report::{FleetReport, RowReport, check_name, cut};
use crate::Result;
use crate::layers::promotion::{ObservedRow, stage_before};
use crate::layers::{Evidence, Promotion, RowName, Stage};

/// One process of a fleet: a promotion that follows the fleet's plan.
///
/// Created by [`new`](Self::new). [`apply`](Self::apply) takes a plan, [`report`](Self::report) tells what was observed, and
/// [`process`](Self::process), [`revision`](Self::revision) and [`status`](Self::status) say where the process is:
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
/// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
/// # let promotion = postcode_core::layers::Promotion::new(library.clone(), library);
/// use postcode_core::layers::Stage;
/// use postcode_core::layers::fleet::{FleetMember, FleetPlan};
///
/// let member = FleetMember::new(promotion.clone(), "orders-1")?;
/// assert_eq!((member.process(), member.revision()), ("orders-1", 0));
/// assert!(member.apply(&FleetPlan::new(1, "shadow:10%".parse()?))?);
/// assert!(!member.apply(&FleetPlan::new(1, "remote".parse()?))?); // not newer
/// assert_eq!((promotion.stage(), member.status().revision), (Stage::Shadow, 1));
/// assert_eq!(member.report().rows[0].calls, 0);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FleetMember {
    promotion: Promotion,
    process: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    plan: FleetPlan,
    rows: BTreeMap<RowName, Row>,
    error: Option<String>,
    unreachable: Option<String>,
}

/// How a process stands to its fleet.
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
/// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
/// # let promotion = postcode_core::layers::Promotion::new(library.clone(), library);
/// use postcode_core::layers::fleet::FleetMember;
///
/// let status = FleetMember::new(promotion, "orders-1")?.status();
/// assert_eq!((&*status.process, status.revision, status.error), ("orders-1", 0, None));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MemberStatus {
    /// The name of the process.
    pub process: String,
    /// The revision that it follows, 0 before the first.
    pub revision: u64,
    /// Why it does not follow a newer plan that it was given.
    pub error: Option<String>,
    /// Why the fleet can't be reached now. The process goes on with its plan.
    pub unreachable: Option<String>,
}

/// A row of the plan, as this process has observed it.
#[derive(Debug)]
struct Row {
    stage: Stage,
    /// The step backs of the process's own guard before the plan.
    step_backs: u64,
    seen: Evidence,
}

impl FleetMember {
    /// Creates a member that follows no plan yet. `process` is its name: see
    /// [`FleetReport::process`](super::FleetReport::process).
    ///
    /// The fleet's guard needs the observations of the promotion's own guard. Without one, nothing is
    /// reported but the plan.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::fleet::FleetMember;
    ///
    /// assert_eq!(FleetMember::new(promotion.clone(), "orders-1")?.revision(), 0);
    /// let error = FleetMember::new(promotion, "orders 1").unwrap_err();
    /// assert!(error.to_string().contains("give 1 to 80 letters, digits"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a name that is too long or has other
    /// characters.
    pub fn new(promotion: Promotion, process: impl Into<String>) -> Result<Self> {
        let process = process.into();
        check_name(&process)?;
        Ok(Self { promotion, process, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the name of the process.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::fleet::FleetMember;
    ///
    /// assert_eq!(FleetMember::new(promotion, "orders-1")?.process(), "orders-1");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Returns the revision of the plan that this process follows, 0 before the first.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::fleet::{FleetMember, FleetPlan};
    ///
    /// let member = FleetMember::new(promotion, "orders-1")?;
    /// member.apply(&FleetPlan::new(3, "shadow:10%".parse()?))?;
    /// assert_eq!(member.revision(), 3);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.state().plan.revision
    }

    /// Returns how the process stands to its fleet.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::fleet::{FleetMember, FleetPlan, MAX_REVISION};
    ///
    /// let member = FleetMember::new(promotion, "orders-1")?;
    /// assert!(member.apply(&FleetPlan::new(MAX_REVISION + 1, "remote".parse()?)).is_err());
    /// let status = member.status();
    /// assert_eq!(status.revision, 0); // it keeps its plan
    /// assert!(status.error.is_some_and(|error| error.contains("give at most")));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self) -> MemberStatus {
        let state = self.state();
        MemberStatus {
            process: self.process.clone(),
            revision: state.plan.revision,
            error: state.error.clone(),
            unreachable: state.unreachable.clone(),
        }
    }

    /// Notes whether the fleet could be asked for its plan. Returns whether that has changed.
    pub(super) fn reached(&self, error: Option<String>) -> bool {
        let mut state = self.state();
        let changed = state.unreachable.is_some() != error.is_some();
        state.unreachable = error.map(cut);
        changed
    }

    /// Applies a plan if it is newer than the current one. Returns whether it is newer.
    ///
    /// Calls don't wait for it. Each goes by the plan that is current when it begins.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::Stage;
    /// use postcode_core::layers::fleet::{FleetMember, FleetPlan};
    ///
    /// let member = FleetMember::new(promotion.clone(), "orders-1")?;
    /// assert!(member.apply(&FleetPlan::new(2, "shadow:10%".parse()?))?);
    /// assert!(!member.apply(&FleetPlan::new(1, "remote".parse()?))?); // older
    /// assert_eq!(promotion.stage(), Stage::Shadow);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the plan can't be applied, because of too many
    /// names of rows since the start. The process then keeps its plan, and its reports say why.
    pub fn apply(&self, plan: &FleetPlan) -> Result<bool> {
        let mut state = self.state();
        if plan.revision <= state.plan.revision {
            return Ok(false);
        }
        let applied = plan.check().and_then(|()| self.promotion.apply(&plan.plan));
        if let Err(error) = applied {
            state.error = Some(cut(format!("revision {}: {error}", plan.revision)));
            return Err(error);
        }
        let rows = plan.stages().map(|(name, stage)| {
            let step_backs = self.promotion.observed(&name).map_or(0, |row| row.step_backs);
            (name, Row { stage, step_backs, seen: Evidence::default() })
        });
        let rows = rows.collect();
        (state.plan, state.rows, state.error) = (plan.clone(), rows, None);
        Ok(true)
    }

    /// Returns the report of this process: its plan, and what it has observed since it took the plan.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::MockLookups::default());
    /// # let promotion = postcode_core::layers::Promotion::new(lookup.clone(), lookup);
    /// use postcode_core::layers::fleet::{FleetMember, FleetPlan};
    ///
    /// let member = FleetMember::new(promotion, "orders-1")?;
    /// member.apply(&FleetPlan::new(1, "shadow:10%".parse()?))?;
    /// let report = member.report();
    /// assert_eq!((&*report.process, report.revision, report.rows.len()), ("orders-1", 1, 1));
    /// assert_eq!(report.plan.to_string(), "shadow:0.1");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn report(&self) -> FleetReport {
        let mut state = self.state();
        let mut rows = Vec::with_capacity(state.rows.len());
        for (name, row) in &mut state.rows {
            let Some(observed) = self.promotion.observed(name) else { continue };
            row.look(&observed);
            let ObservedRow { stage, calls, .. } = observed;
            rows.push(RowReport { row: name.clone(), stage, calls, observed: row.seen });
        }
        FleetReport {
            process: self.process.clone(),
            revision: state.plan.revision,
            plan: self.promotion.plan(),
            error: state.error.clone(),
            rows,
        }
    }
}

impl Row {
    /// Takes the observations of the plan's stage. If this process stepped back by itself, they end with
    /// those that made it do so.
    fn look(&mut self, observed: &ObservedRow) {
        let seen = match observed.step_backs.wrapping_sub(self.step_backs) {
            0 if observed.stage == self.stage => observed.now,
            1 if Some(observed.stage) == stage_before(self.stage) => observed.before,
            _ => return,
        };
        // The interval of the rise is of one process only, and can't be added to others.
        self.seen = Evidence { rise: None, slower_us: None, ..seen };
    }
}
