//! Keeps the copy up to date with the service.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::sync::Mutex as AsyncMutex;

use super::ReplicaStatus;
use super::download::{download, off};
use super::fetch::{self, Offer};
use super::folder::Folder;
use crate::dataset::Dataset;
use crate::{Error, Local, Remote, Result};

/// The longest pause between tries after a file was refused, unless the interval is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
pub(super) struct Follower {
    /// The service's address without secrets.
    pub(super) service: String,
    pub(super) local: Local,
    remote: Remote,
    folder: Arc<Folder>,
    largest: u64,
    /// Allows one download at a time.
    refreshing: AsyncMutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    confirmed: Option<SystemTime>,
    error: Option<Error>,
    editions: u64,
    /// The ETag of the downloaded dataset, if this process downloaded it: other servers may use
    /// their own.
    taken: Option<HeaderValue>,
}

impl Follower {
    /// Opens the stored copy or downloads the first one.
    pub(super) async fn start(remote: Remote, folder: Folder, largest: u64) -> Result<Self> {
        let folder = Arc::new(folder);
        let before = folder.clone();
        let mut state = State::default();
        let dataset = match off(move || Ok(before.open())).await? {
            Some(dataset) => dataset,
            None => {
                let nothing = |error: Error| error.and("(and there is no stored copy to answer from)");
                let first = async {
                    let Some(offer) = fetch::offer(&remote, None).await? else { return Ok(None) };
                    download(&remote, &folder, &offer, largest).await.map(Some)
                };
                let Some(dataset) = first.await.map_err(nothing)? else {
                    let what =
                        format!("{remote}: the server answered 304 Not Modified to an unconditional request");
                    return Err(Error::new(crate::ErrorKind::Protocol, what));
                };
                state.confirmed = Some(SystemTime::now());
                dataset
            }
        };
        Ok(Self {
            service: remote.to_string(),
            local: Local::new(dataset),
            remote,
            folder,
            largest,
            refreshing: AsyncMutex::default(),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> ReplicaStatus {
        let state = self.state();
        ReplicaStatus {
            info: self.local.dataset().info().clone(),
            confirmed: state.confirmed,
            error: state.error.clone(),
            editions: state.editions,
        }
    }

    /// Asks for the edition, and downloads and uses it if it is new.
    pub(super) async fn refresh(&self) -> Result<bool> {
        let _one = self.refreshing.lock().await;
        let result = self.try_refresh().await;
        let mut state = self.state();
        match &result {
            Ok(another) => {
                state.confirmed = Some(SystemTime::now());
                state.error = None;
                state.editions += u64::from(*another);
            }
            Err(error) => state.error = Some(error.clone()),
        }
        result
    }

    async fn try_refresh(&self) -> Result<bool> {
        let current = self.local.dataset();
        let have = self.state().taken.clone().or_else(|| tag(&current));
        let Some(offer) = fetch::offer(&self.remote, have.as_ref()).await? else { return Ok(false) };
        if have.as_ref() == Some(&offer.etag) {
            return Ok(false);
        }
        let dataset = match self.published_by_another(&offer).await? {
            Some(dataset) => dataset,
            None => download(&self.remote, &self.folder, &offer, self.largest).await?,
        };
        self.state().taken = Some(offer.etag);
        if dataset.info().fingerprint == current.info().fingerprint {
            return Ok(false);
        }
        let ready = dataset.clone();
        off(move || {
            ready.warm();
            Ok(())
        })
        .await?;
        self.local.replace(dataset);
        Ok(true)
    }

    /// Returns the dataset if another process with the same folder has already downloaded it.
    async fn published_by_another(&self, offer: &Offer) -> Result<Option<Dataset>> {
        let (folder, etag) = (self.folder.clone(), offer.etag.clone());
        off(move || Ok(folder.open().filter(|dataset| tag(dataset).as_ref() == Some(&etag)))).await
    }
}

/// Returns the ETag under which a postcode-service offers this dataset.
fn tag(dataset: &Dataset) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{}\"", dataset.info().fingerprint)).ok()
}

/// Follows for as long as the replica exists. Starts at once with a stored copy, which may be old.
pub(super) async fn follow(follower: Arc<Follower>, interval: Duration) {
    let mut confirmed = follower.state().confirmed.is_some();
    let edition = || follower.local.dataset().info().edition.clone();
    let copy = if confirmed { "downloaded" } else { "stored" };
    tracing::info!(service = follower.service, edition = edition(), copy, "replica started");
    // Logged when it changes, not at each try.
    let mut failing = false;
    // Refusals in a row: the offered file may have a newer format, and is large.
    let mut refused = 0;
    loop {
        if !confirmed {
            // The error is kept in the status; the next try may succeed.
            let result = follower.refresh().await;
            match &result {
                Ok(true) => tracing::info!(edition = edition(), "replica has another edition"),
                Ok(false) if failing => {
                    tracing::info!(edition = edition(), "replica follows its service again")
                }
                Err(error) if !failing => {
                    tracing::warn!(edition = edition(), %error, "replica goes on with what it has");
                }
                _ => {}
            }
            failing = result.is_err();
            refused = match result {
                Err(error) if !error.is_transient() => (refused + 1).min(6),
                _ => 0,
            };
        }
        confirmed = false;
        // Random, so that the replicas of a service don't all ask at the same moment.
        let pause = interval.saturating_mul(1 << refused).min(LONGEST_PAUSE).max(interval);
        tokio::time::sleep(pause.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
    }
}
