//! The plan of a fleet that a postcode-service keeps.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use super::Remote;
use super::call::Ask;
use crate::Result;
use crate::layers::fleet::{FleetLink, FleetPlan, FleetReport, FleetSnapshot};
use crate::wire::{NEWER_THAN, path};

/// How long one request waits for a newer plan at most.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long it may take in all.
const POLLING: Duration = Duration::from_secs(40);

/// Follows the plan of a postcode-service, or of any web server with a plan at `/promotion/plan`.
///
/// The answer is `{"status":200,"result":PLAN}`. A server that does not wait for a newer plan is asked
/// once a second, and one that takes no reports gets few.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::remote::RemoteFleet;
///
/// let fleet = RemoteFleet::new("http://127.0.0.1:8080")?; // nothing is sent yet
/// assert!(RemoteFleet::new("ftp://127.0.0.1").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RemoteFleet {
    /// Waits for plans.
    plans: Remote,
    /// Sends reports.
    reports: Remote,
}

impl RemoteFleet {
    /// Creates a client from the URL of the service, with the options of [`connect`](crate::connect), such as
    /// `http://127.0.0.1:8080?token_file=/etc/postcode/token`. Nothing is sent yet.
    ///
    /// ```
    /// use postcode_core::ErrorKind;
    /// use postcode_core::remote::RemoteFleet;
    ///
    /// assert!(RemoteFleet::new("http://127.0.0.1:8080?connect_timeout=200ms").is_ok());
    /// let error = RemoteFleet::new("http://127.0.0.1:8080?patience=1s").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidInput); // an unknown option
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid URL or option.
    pub fn new(url: &str) -> Result<Self> {
        // The next request is made after a pause anyway.
        let plans = Remote::builder(url).timeout(POLLING).deadline(POLLING).retries(0).build()?;
        Ok(Self { plans, reports: Remote::new(url)? })
    }

    /// Returns how far the processes are with the plan.
    ///
    /// ```
    /// # async fn example() -> postcode_core::Result<()> {
    /// use postcode_core::remote::RemoteFleet;
    ///
    /// let fleet = RemoteFleet::new("http://127.0.0.1:8080")?.snapshot().await?;
    /// for follows in fleet.acknowledged {
    ///     println!("{} processes follow revision {}", follows.processes, follows.revision);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as other calls; [`NotSupported`](crate::ErrorKind::NotSupported) by a server without a plan.
    pub async fn snapshot(&self) -> Result<FleetSnapshot> {
        /// The most processes have as many rows as their reports are long.
        const RECORDS: usize = 4_000;
        let reply = self.reports.call().ask(&Ask::get(path::PROMOTION_FLEET.to_owned(), RECORDS)).await?;
        reply.has_route("plan of a fleet")?;
        reply.result()
    }
}

/// The answer to a report.
#[derive(Deserialize)]
struct Taken {
    next_ms: u64,
}

#[async_trait]
impl FleetLink for RemoteFleet {
    async fn plan(&self, newer_than: u64, wait: Duration) -> Result<Option<FleetPlan>> {
        let wait = wait.min(LONGEST_WAIT).as_secs();
        let target = format!("{}?{NEWER_THAN}={newer_than}&wait={wait}s", path::PROMOTION_PLAN);
        let reply = self.plans.call().ask(&Ask::get(target, 1)).await?;
        reply.has_route("plan of a fleet")?;
        reply.result().map(Some)
    }

    async fn report(&self, report: &FleetReport) -> Result<Duration> {
        let ask = Ask::post(path::PROMOTION_FLEET.to_owned(), report, 1)?;
        let reply = self.reports.call().ask(&ask).await?;
        reply.has_route("reports of a fleet")?;
        reply.result::<Taken>().map(|taken| Duration::from_millis(taken.next_ms))
    }
}
