//! Keeps a process at the plan of its fleet.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::file::{read_plan, write_plan};
use super::link::FleetLink;
use super::member::FleetMember;
use super::plan::FleetPlan;
use crate::{Error, ErrorKind, Result};

/// How much longer than it was asked to wait a link may take.
const GRACE: Duration = Duration::from_secs(15);
/// How long a process waits for the current plan at its start.
const BEGINNING: Duration = Duration::from_secs(1);
/// How long a report may take.
const REPORTING: Duration = Duration::from_secs(10);
/// The first pause after a failure, which doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The pause before the next report to a link that takes none, and after a plan that can't be applied.
const SELDOM: Duration = Duration::from_secs(60);

/// The settings of a process that follows a fleet.
///
/// [`keeping`](Self::keeping) sets the file:
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::fleet::Following;
///
/// let mut following = Following::default().keeping("/var/lib/postcode/plan.json");
/// following.wait = Duration::from_secs(60);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Following {
    /// The file that keeps the last plan, so that a restarted process begins with it. Default: none.
    pub state: Option<PathBuf>,
    /// How long one request waits for a newer plan. Default: 30 s.
    pub wait: Duration,
    /// The least time between two requests, for servers that don't wait. Default: 1 s.
    pub least: Duration,
    /// How long [`begin`] waits for the current plan. Default: 1 s.
    pub begin: Duration,
}

impl Default for Following {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { state: None, wait: 30 * second, least: second, begin: BEGINNING }
    }
}

impl Following {
    /// Sets the file that keeps the last plan.
    ///
    /// ```
    /// use std::path::Path;
    /// use postcode_core::layers::fleet::Following;
    ///
    /// let following = Following::default().keeping("/var/lib/postcode/plan.json");
    /// assert_eq!(following.state.as_deref(), Some(Path::new("/var/lib/postcode/plan.json")));
    /// ```
    #[must_use]
    pub fn keeping(self, state: impl Into<PathBuf>) -> Self {
        Self { state: Some(state.into()), ..self }
    }
}

/// Begins where the plan is: applies the plan in the state file, and then the current one if the fleet
/// tells it in a moment. Call this before the process takes work.
///
/// Nothing here is an error, because a process must start without its fleet: what went wrong is logged.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let data = postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("made by hand"));
/// # let library: std::sync::Arc<dyn postcode_core::Lookups> = std::sync::Arc::new(postcode_core::Local::new(data.build()?));
/// # let promotion = postcode_core::layers::Promotion::new(library.clone(), library);
/// use postcode_core::layers::Stage;
/// use postcode_core::layers::fleet::{FleetMember, FleetPlan, Following, PlanFile, begin, write_plan};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("plan.json");
/// write_plan(&path, &FleetPlan::new(1, "shadow:10%".parse()?))?;
/// let member = FleetMember::new(promotion.clone(), "orders-1")?;
/// begin(&member, &PlanFile::new(&path), &Following::default()).await;
/// assert_eq!(promotion.stage(), Stage::Shadow); // before the first call
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub async fn begin(member: &FleetMember, link: &dyn FleetLink, following: &Following) {
    if let Some(path) = following.state.clone() {
        let read = tokio::task::spawn_blocking(move || read_plan(&path)).await;
        match read {
            Ok(Ok(Some(plan))) => {
                let _ = take(member, &plan, "the state file");
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last plan of the fleet is not known"),
            Err(error) => tracing::warn!(%error, "the last plan of the fleet is not known"),
        }
    }
    let asked = timeout(following.begin, link.plan(member.revision(), Duration::ZERO)).await;
    match asked.unwrap_or_else(|_| Err(late())) {
        Ok(Some(plan)) if matches!(take(member, &plan, "the fleet"), Ok(true)) => {
            keep(following.state.as_deref(), &plan).await;
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(%error, revision = member.revision(), "the fleet does not answer: going on without");
        }
    }
}

/// Follows the plan of a fleet, and reports to it, for ever.
///
/// One request waits for a newer plan while others report. If the fleet can't be reached, the process
/// goes on with its plan and asks again after pauses of up to 15 seconds.
///
/// ```
/// # async fn example(promotion: postcode_core::layers::Promotion) -> postcode_core::Result<()> {
/// use std::sync::Arc;
/// use postcode_core::layers::fleet::{FleetMember, Following, PlanFile, follow};
///
/// let member = Arc::new(FleetMember::new(promotion, "orders-1")?);
/// let link = Arc::new(PlanFile::new("/etc/postcode/plan.json"));
/// let following = tokio::spawn(follow(member, link, Following::default()));
/// following.abort(); // to stop
/// # Ok(()) }
/// ```
pub async fn follow(member: Arc<FleetMember>, link: Arc<dyn FleetLink>, following: Following) {
    let applied = Notify::new();
    let plans = take_plans(&member, &*link, &following, &applied);
    futures::join!(plans, send_reports(&member, &*link, &applied));
}

async fn take_plans(member: &FleetMember, link: &dyn FleetLink, following: &Following, applied: &Notify) {
    let mut failures = 0;
    loop {
        let (began, revision) = (Instant::now(), member.revision());
        // After a failure the answer must show that the fleet is there again.
        let wait = if failures == 0 { following.wait } else { Duration::ZERO };
        let asked = timeout(wait + GRACE, link.plan(revision, wait)).await;
        let plan = match asked.unwrap_or_else(|_| Err(late())) {
            Ok(plan) => plan,
            Err(error) => {
                if member.reached(Some(error.to_string())) {
                    tracing::warn!(%error, revision, "the fleet can't be reached: going on with the last plan");
                }
                failures += 1;
                sleep(pause(failures)).await;
                continue;
            }
        };
        failures = 0;
        if member.reached(None) {
            tracing::info!(revision, "the fleet can be reached again");
        }
        match plan {
            Some(plan) if plan.revision > revision => {
                let taken = take(member, &plan, "the fleet");
                // A plan that can't be applied is told as well.
                applied.notify_one();
                match taken {
                    Ok(_) => keep(following.state.as_deref(), &plan).await,
                    Err(_) => sleep(SELDOM).await,
                }
            }
            _ => sleep(following.least.saturating_sub(began.elapsed())).await,
        }
    }
}

/// Sends a report whenever a plan was applied, and otherwise at the times that the fleet says. The times
/// never depend on what was observed: reports that came early because of failures would count these before
/// the calls that did not fail.
async fn send_reports(member: &FleetMember, link: &dyn FleetLink, applied: &Notify) {
    let mut failures = 0;
    loop {
        let report = member.report();
        let sent = timeout(REPORTING, link.report(&report)).await.unwrap_or_else(|_| Err(late()));
        let pause = match sent {
            Ok(pause) => {
                failures = 0;
                pause.clamp(Duration::from_millis(100), SELDOM)
            }
            Err(error) if error.kind() == ErrorKind::NotSupported => SELDOM,
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(%error, "the fleet did not take a report");
                }
                failures += 1;
                pause(failures)
            }
        };
        let _ = timeout(pause, applied.notified()).await;
    }
}

fn take(member: &FleetMember, plan: &FleetPlan, from: &str) -> Result<bool> {
    let taken = member.apply(plan);
    match &taken {
        Ok(true) => {
            tracing::info!(revision = plan.revision, plan = %plan.plan, from, "the plan of the fleet")
        }
        Ok(false) => {}
        Err(error) => tracing::error!(revision = plan.revision, %error, "the plan can't be applied"),
    }
    taken
}

async fn keep(path: Option<&Path>, plan: &FleetPlan) {
    let Some(path) = path.map(Path::to_owned) else { return };
    let plan = plan.clone();
    match tokio::task::spawn_blocking(move || write_plan(&path, &plan)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the plan of the fleet is not kept for a restart"),
        Err(error) => tracing::warn!(%error, "the plan of the fleet is not kept for a restart"),
    }
}

fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the fleet gave no answer in time")
}

/// Returns a random pause, so that processes that failed together don't come back together.
fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures - 1)).min(LONGEST_PAUSE);
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}
