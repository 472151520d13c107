//! The plan of a fleet, the counts of its processes, and the guard over their sum.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::select;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::file::{read_plan, write_plan};
use super::plan::{FleetPlan, MAX_REVISION, now};
use super::report::FleetReport;
use super::snapshot::{Acknowledged, FleetProcess, FleetRow, FleetSnapshot};
use crate::layers::promotion::{Summed, stage_before};
use crate::layers::{Evidence, Guard, PromotionPlan, RowName, Stage, Step, StepBack};
use crate::{Error, ErrorKind, Result};

/// How far a report's revision may be ahead of the current one: more than any lost file explains.
const FARTHEST_AHEAD: u64 = 1 << 32;
/// After how long without a report a process is forgotten.
const FLEET_SILENCE: Duration = Duration::from_secs(60);
/// The time between two reports that a process is told, for each process that there is.
const PAUSE_A_PROCESS: Duration = Duration::from_millis(10);
/// The shortest and the longest time between two reports that a process is told.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15)];

/// How much a fleet keeps.
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::fleet::{Fleet, FleetLimits};
///
/// let mut limits = FleetLimits::default();
/// limits.silence = Duration::from_secs(300);
/// assert_eq!(Fleet::new(None, limits).limits().processes, 1_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetLimits {
    /// The most processes at once. Reports of others are refused. They still get the plan. Default: 1,000.
    pub processes: usize,
    /// After how long without a report a process is forgotten. Default: a minute.
    pub silence: Duration,
}

impl Default for FleetLimits {
    fn default() -> Self {
        Self { processes: 1_000, silence: FLEET_SILENCE }
    }
}

/// A change of the plan that was refused.
///
/// ```
/// use postcode_core::layers::fleet::SetError;
///
/// let error = SetError::Moved { expected: 3, current: 4 };
/// assert!(matches!(error, SetError::Moved { current: 4, .. })); // read the plan again, and decide again
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The plan has changed since the caller saw it.
    #[error("the plan has revision {current} by now, and not {expected}: look at it and decide again")]
    Moved {
        /// The revision that the caller expects.
        expected: u64,
        /// The current one.
        current: u64,
    },
    /// There are no more revisions.
    #[error("there are no revisions above {MAX_REVISION}")]
    LastRevision,
    /// The plan could not be stored, and is not changed.
    #[error("the plan can't be stored, so nothing was changed: {0}")]
    NotStored(Error),
}

/// The plan of a fleet, the last reports of its processes, and the guard over their sum. A clone is a
/// handle to the same fleet.
///
/// Created by [`new`](Self::new) or [`open`](Self::open). [`set`](Self::set) changes the [`plan`](Self::plan), and
/// [`newer_than`](Self::newer_than) waits for a change:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use postcode_core::layers::fleet::{Fleet, FleetLimits, SetError};
///
/// let fleet = Fleet::new(None, FleetLimits::default());
/// let plan = fleet.set("canary:5%".parse()?, Some(0)).await?;
/// assert_eq!((plan.revision, fleet.plan().revision), (1, 1));
/// assert!(matches!(fleet.set("local".parse()?, Some(0)).await, Err(SetError::Moved { current: 1, .. })));
/// assert_eq!(fleet.newer_than(0, Duration::from_secs(30)).await.revision, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Fleet(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    guard: Option<Guard>,
    limits: FleetLimits,
    file: Option<PathBuf>,
    published: watch::Sender<Arc<FleetPlan>>,
    closed: watch::Sender<bool>,
    state: Mutex<State>,
    /// Held while the plan is stored and published, so that revisions come in their order.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// The revision that the sums belong to.
    revision: u64,
    sums: BTreeMap<RowName, Sum>,
    /// The number of the current round: the time in which each process reports once. The guard looks at a
    /// round as a whole. Otherwise the first reports in it would count before the others are there.
    round: u64,
    processes: BTreeMap<String, Process>,
    /// The newest revision that a process follows. It is ahead of the plan if the file was lost.
    newest: u64,
    forgotten: u64,
    refused: u64,
}

#[derive(Debug)]
struct Sum {
    stage: Stage,
    summed: Summed,
    /// The counts that were reported in this round.
    pending: Evidence,
    /// Whether there is a guard. Without one the counts are still shown.
    guarded: bool,
}

#[derive(Debug)]
struct Process {
    report: FleetReport,
    at: Instant,
    /// The round of the report.
    round: u64,
}

impl Fleet {
    /// Creates a fleet without a plan. It keeps nothing over a restart.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Guard;
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits};
    ///
    /// let fleet = Fleet::new(Some(Guard::default()), FleetLimits::default());
    /// assert_eq!(fleet.plan().revision, 0); // there is no plan yet
    /// assert_eq!(fleet.set("shadow:10%".parse()?, None).await?.revision, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(guard: Option<Guard>, limits: FleetLimits) -> Self {
        Self::with(FleetPlan::default(), None, guard, limits)
    }

    /// Opens a fleet whose plan is in a file, which is created with the first plan.
    ///
    /// ```
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("plan.json");
    /// let fleet = Fleet::open(&path, None, FleetLimits::default())?;
    /// assert_eq!(fleet.plan().revision, 0); // there is no plan yet
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The file can't be read, or is not a plan.
    pub fn open(file: impl Into<PathBuf>, guard: Option<Guard>, limits: FleetLimits) -> Result<Self> {
        let file = file.into();
        let plan = read_plan(&file)?.unwrap_or_default();
        Ok(Self::with(plan, Some(file), guard, limits))
    }

    fn with(plan: FleetPlan, file: Option<PathBuf>, guard: Option<Guard>, limits: FleetLimits) -> Self {
        let mut state = State {
            revision: 0,
            sums: BTreeMap::new(),
            round: 0,
            processes: BTreeMap::new(),
            newest: 0,
            forgotten: 0,
            refused: 0,
        };
        state.begin(&plan, guard);
        Self(Arc::new(Shared {
            guard,
            limits,
            file,
            published: watch::Sender::new(Arc::new(plan)),
            closed: watch::Sender::new(false),
            state: Mutex::new(state),
            changing: tokio::sync::Mutex::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the current plan. Its revision is 0 before the first change.
    ///
    /// ```
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits};
    ///
    /// let plan = Fleet::new(None, FleetLimits::default()).plan();
    /// assert_eq!((plan.revision, plan.plan.to_string()), (0, "local:0.1".to_owned()));
    /// ```
    pub fn plan(&self) -> Arc<FleetPlan> {
        self.0.published.borrow().clone()
    }

    /// Returns the limits.
    ///
    /// ```
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits};
    ///
    /// let fleet = Fleet::new(None, FleetLimits::default());
    /// assert_eq!(fleet.limits(), FleetLimits::default());
    /// ```
    pub fn limits(&self) -> FleetLimits {
        self.0.limits
    }

    /// Returns the current plan as soon as it is newer than `revision`, or when `wait` is over.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits};
    ///
    /// let fleet = Fleet::new(None, FleetLimits::default());
    /// let waiting = fleet.newer_than(0, Duration::from_secs(30));
    /// let (plan, set) = tokio::join!(waiting, fleet.set("shadow:10%".parse()?, None));
    /// assert_eq!((plan.revision, set?.revision), (1, 1));
    ///
    /// let plan = fleet.newer_than(1, Duration::from_secs(30)).await; // nothing changes for 30 s
    /// assert_eq!(plan.revision, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn newer_than(&self, revision: u64, wait: Duration) -> Arc<FleetPlan> {
        let (mut plans, mut closed) = (self.0.published.subscribe(), self.0.closed.subscribe());
        // However the wait ends, the current plan is the answer.
        let newer = pin!(async { drop(plans.wait_for(|plan| plan.revision > revision).await) });
        let closed = pin!(async { drop(closed.wait_for(|closed| *closed).await) });
        let _ = timeout(wait, select(newer, closed)).await;
        self.plan()
    }

    /// Ends all waits for a newer plan, also those that begin later.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits};
    ///
    /// let fleet = Fleet::new(None, FleetLimits::default());
    /// fleet.close();
    /// fleet.newer_than(0, Duration::from_secs(3600)).await; // returns at once
    /// # Ok(())
    /// # }
    /// ```
    pub fn close(&self) {
        self.0.closed.send_replace(true);
    }

    /// Replaces the plan. Its revision is above every other that this fleet has seen. With `expected`, the
    /// current plan must have that revision.
    ///
    /// When this returns, the plan is stored.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits, SetError};
    ///
    /// let fleet = Fleet::new(None, FleetLimits::default());
    /// let plan = fleet.set("canary:5%,nearest=remote".parse()?, Some(0)).await?;
    /// assert_eq!((plan.revision, plan.plan.to_string()), (1, "canary:0.05,nearest=remote:0.05".to_owned()));
    /// // Someone who has not seen this change can't undo it.
    /// let late = fleet.set("local".parse()?, Some(0)).await;
    /// assert!(matches!(late, Err(SetError::Moved { expected: 0, current: 1 })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SetError`]. Nothing is changed then.
    pub async fn set(
        &self,
        plan: PromotionPlan,
        expected: Option<u64>,
    ) -> std::result::Result<Arc<FleetPlan>, SetError> {
        let fleet = self.clone();
        // A caller that goes away does not leave a plan that is stored and not published.
        let set = tokio::spawn(async move {
            let _changing = fleet.0.changing.lock().await;
            let before = fleet.plan();
            if let Some(expected) = expected.filter(|expected| *expected != before.revision) {
                return Err(SetError::Moved { expected, current: before.revision });
            }
            let revision = fleet.next_revision().ok_or(SetError::LastRevision)?;
            let plan = FleetPlan::new(revision, before.completed(plan));
            fleet.store(&plan).await.map_err(SetError::NotStored)?;
            Ok(fleet.publish(plan))
        });
        set.await.unwrap_or_else(|error| {
            let error = Error::new(ErrorKind::Internal, "the change was interrupted").with_source(error);
            Err(SetError::NotStored(error))
        })
    }

    fn next_revision(&self) -> Option<u64> {
        let newest = self.state().newest.max(self.plan().revision);
        (newest < MAX_REVISION).then_some(newest + 1)
    }

    async fn store(&self, plan: &FleetPlan) -> Result<()> {
        let Some(file) = self.0.file.clone() else { return Ok(()) };
        let plan = plan.clone();
        let written = tokio::task::spawn_blocking(move || write_plan(&file, &plan)).await;
        written.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Internal, "writing the plan failed").with_source(error))
        })
    }

    fn publish(&self, plan: FleetPlan) -> Arc<FleetPlan> {
        let plan = Arc::new(plan);
        let mut state = self.state();
        state.begin(&plan, self.0.guard);
        self.0.published.send_replace(plan.clone());
        plan
    }

    /// Takes the report of a process. Returns how long it should wait before the next one.
    ///
    /// The counts of a process are added from its second report for a plan on: the first only says where
    /// they begin. So no call counts twice, also if a process was forgotten or this fleet restarted.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
    /// # let promotion = postcode_core::layers::Promotion::new(library.clone(), library);
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits, FleetMember};
    ///
    /// let fleet = Fleet::new(None, FleetLimits::default());
    /// let member = FleetMember::new(promotion, "orders-1")?;
    /// let pause = fleet.report(member.report())?;
    /// println!("the next report is due in {pause:?}");
    /// assert_eq!(fleet.acknowledged()[0].processes, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a part of the report is too long, and
    /// [`Overloaded`](crate::ErrorKind::Overloaded) if there are too many processes.
    pub fn report(&self, report: FleetReport) -> Result<Duration> {
        report.check()?;
        let mut state = self.state();
        if report.revision > state.revision.saturating_add(FARTHEST_AHEAD) {
            let (revision, current) = (report.revision, state.revision);
            return Err(Error::invalid(format!("revision {revision}: too far above the current {current}")));
        }
        state.forget(self.0.limits.silence);
        let is_known = state.processes.contains_key(&report.process);
        if !is_known && state.processes.len() >= self.0.limits.processes {
            state.refused += 1;
            let message = format!("there are {} processes already", self.0.limits.processes);
            return Err(Error::new(ErrorKind::Overloaded, message));
        }
        state.newest = state.newest.max(report.revision);
        let step_backs = state.add(report);
        if !step_backs.is_empty() {
            let (fleet, revision) = (self.clone(), state.revision);
            tokio::spawn(async move { fleet.step_back(revision, step_backs).await });
        }
        let pause = PAUSE_A_PROCESS * u32::try_from(state.processes.len()).unwrap_or(u32::MAX);
        Ok(pause.clamp(PAUSES[0], PAUSES[1]))
    }

    /// Publishes the plan with some rows stepped back, unless it has changed meanwhile.
    async fn step_back(&self, revision: u64, step_backs: Vec<StepBack>) {
        let _changing = self.0.changing.lock().await;
        let before = self.plan();
        if before.revision != revision {
            return;
        }
        let Some(next) = self.next_revision() else { return };
        let mut plan = before.plan.clone();
        for back in &step_backs {
            let share = match &back.row {
                RowName::Default => plan.default.share,
                row => plan.rows.get(row).and_then(|step| step.share),
            };
            plan = plan.with(back.row.clone(), Step { stage: back.to, share });
            tracing::warn!(
                revision = next, row = %back.row, from = %back.from, to = %back.to, reason = back.reason,
                "the guard of the fleet rolled back"
            );
        }
        let plan = FleetPlan { step_backs, ..FleetPlan::new(next, plan) };
        // Callers must not go on with what fails because a disk is full.
        if let Err(error) = self.store(&plan).await {
            tracing::error!(%error, "the plan is not stored, and holds until the restart");
        }
        self.publish(plan);
    }

    /// Returns how many processes follow which revision, the newest first.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
    /// # let promotion = postcode_core::layers::Promotion::new(library.clone(), library);
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits, FleetMember};
    ///
    /// let fleet = Fleet::new(None, FleetLimits::default());
    /// let member = FleetMember::new(promotion, "orders-1")?;
    /// fleet.report(member.report())?;
    /// let follows = fleet.acknowledged();
    /// assert_eq!((follows[0].revision, follows[0].processes), (0, 1)); // no plan was applied yet
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        let mut state = self.state();
        state.forget(self.0.limits.silence);
        state.acknowledged()
    }

    /// Returns how far the processes are with the plan.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
    /// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
    /// # let promotion = postcode_core::layers::Promotion::new(library.clone(), library);
    /// use postcode_core::layers::fleet::{Fleet, FleetLimits, FleetMember};
    ///
    /// let fleet = Fleet::new(None, FleetLimits::default());
    /// let member = FleetMember::new(promotion, "orders-1")?;
    /// fleet.report(member.report())?;
    /// assert_eq!(fleet.snapshot().processes[0].process, "orders-1");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self) -> FleetSnapshot {
        let mut state = self.state();
        state.forget(self.0.limits.silence);
        let rows = state.sums.iter().map(|(row, sum)| FleetRow {
            row: row.clone(),
            stage: sum.stage,
            observed: sum.summed.seen().plus(&sum.pending),
        });
        let processes = state.processes.values().map(|Process { report, at, .. }| FleetProcess {
            process: report.process.clone(),
            revision: report.revision,
            plan: report.plan.clone(),
            silent_for: (at.elapsed().as_secs_f64() * 1e3).round() / 1e3,
            error: report.error.clone(),
            rows: report.rows.clone(),
        });
        FleetSnapshot {
            plan: (*self.plan()).clone(),
            acknowledged: state.acknowledged(),
            rows: rows.collect(),
            processes: processes.collect(),
            forgotten: state.forgotten,
            refused: state.refused,
        }
    }
}

impl State {
    /// Begins the sums of a plan.
    fn begin(&mut self, plan: &FleetPlan, guard: Option<Guard>) {
        self.revision = plan.revision;
        self.sums = plan
            .stages()
            .map(|(row, stage)| {
                let summed = Summed::new(guard.unwrap_or_default());
                (row, Sum { stage, summed, pending: Evidence::default(), guarded: guard.is_some() })
            })
            .collect();
    }

    fn forget(&mut self, silence: Duration) {
        let before = self.processes.len();
        self.processes.retain(|_, process| process.at.elapsed() < silence);
        self.forgotten += (before - self.processes.len()) as u64;
    }

    fn acknowledged(&self) -> Vec<Acknowledged> {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for process in self.processes.values() {
            *counts.entry(process.report.revision).or_default() += 1;
        }
        counts.into_iter().rev().map(|(revision, processes)| Acknowledged { revision, processes }).collect()
    }

    /// Adds what is new in a report to the sums. Returns the rows that must step back.
    fn add(&mut self, report: FleetReport) -> Vec<StepBack> {
        let before = self.processes.remove(&report.process);
        let mut step_backs = Vec::new();
        if before.as_ref().is_some_and(|before| before.round == self.round) {
            step_backs = self.end_round();
        }
        let before = before.map(|before| before.report).filter(|before| before.revision == self.revision);
        if let Some(before) = before.filter(|_| report.revision == self.revision) {
            for row in &report.rows {
                let known = before.rows.iter().find(|known| known.row == row.row);
                let new = known.and_then(|known| difference(&row.observed, &known.observed));
                if let Some((new, sum)) = new.zip(self.sums.get_mut(&row.row)) {
                    sum.pending = sum.pending.plus(&new);
                }
            }
        }
        let process = Process { at: Instant::now(), round: self.round, report };
        self.processes.insert(process.report.process.clone(), process);
        step_backs
    }

    /// Shows the guard what was reported in this round, and begins the next one.
    fn end_round(&mut self) -> Vec<StepBack> {
        self.round += 1;
        let mut step_backs = Vec::new();
        for (row, sum) in &mut self.sums {
            let reason = sum.summed.add(&std::mem::take(&mut sum.pending)).filter(|_| sum.guarded);
            if let Some((reason, to)) = reason.zip(stage_before(sum.stage)) {
                step_backs.push(StepBack { at: now(), row: row.clone(), from: sum.stage, to, reason });
            }
        }
        step_backs
    }
}

/// Returns what was observed between two reports, or `None` if a count went down: then they begin anew.
fn difference(now: &Evidence, before: &Evidence) -> Option<Evidence> {
    Some(Evidence {
        asked: now.asked.checked_sub(before.asked)?,
        failed: now.failed.checked_sub(before.failed)?,
        slow: now.slow.checked_sub(before.slow)?,
        old_asked: now.old_asked.checked_sub(before.old_asked)?,
        old_failed: now.old_failed.checked_sub(before.old_failed)?,
        compared: now.compared.checked_sub(before.compared)?,
        mismatched: now.mismatched.checked_sub(before.mismatched)?,
        rise: None,
        slower_us: None,
    })
}
