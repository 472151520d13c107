//! Keeping up with the service.

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

/// Between tries to take what could not be used, unless the interval is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
pub(super) struct Follower {
    /// The service's address, as it may be shown.
    pub(super) service: String,
    pub(super) local: Local,
    remote: Remote,
    folder: Arc<Folder>,
    largest: u64,
    /// One download at a time.
    refreshing: AsyncMutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    confirmed: Option<SystemTime>,
    error: Option<Error>,
    editions: u64,
    /// The ETag under which the dataset came, if it came from here: another server than ours may have its own.
    taken: Option<HeaderValue>,
}

impl Follower {
    /// With the copy from before, or the first one.
    pub(super) async fn start(remote: Remote, folder: Folder, largest: u64) -> Result<Self> {
        let folder = Arc::new(folder);
        let before = folder.clone();
        let mut state = State::default();
        let dataset = match off(move || Ok(before.open())).await? {
            Some(dataset) => dataset,
            None => {
                let nothing = |error: Error| error.and("(and there is no copy from before to answer from)");
                let first = async {
                    let Some(offer) = fetch::offer(&remote, None).await? else { return Ok(None) };
                    download(&remote, &folder, &offer, largest).await.map(Some)
                };
                let Some(dataset) = first.await.map_err(nothing)? else {
                    let what = format!("{remote}: not modified, says a server that was asked for anything");
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

    /// Asks, downloads, takes over.
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

    /// Another process with the same folder may have downloaded it already.
    async fn published_by_another(&self, offer: &Offer) -> Result<Option<Dataset>> {
        let (folder, etag) = (self.folder.clone(), offer.etag.clone());
        off(move || Ok(folder.open().filter(|dataset| tag(dataset).as_ref() == Some(&etag)))).await
    }
}

/// The ETag under which a postcode-service offers this dataset.
fn tag(dataset: &Dataset) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{}\"", dataset.info().fingerprint)).ok()
}

/// For as long as the replica is there. At once if the copy is from before, as that may be long ago.
pub(super) async fn follow(follower: Arc<Follower>, interval: Duration) {
    let mut confirmed = follower.state().confirmed.is_some();
    let edition = || follower.local.dataset().info().edition.clone();
    let from_before = if confirmed { "downloaded" } else { "from before" };
    tracing::info!(service = follower.service, edition = edition(), copy = from_before, "replica started");
    // Said when it changes, and not at each try.
    let mut failing = false;
    // Refusals in a row: what is offered may be of a newer format, and large.
    let mut refused = 0;
    loop {
        if !confirmed {
            // What went wrong is in the status; the next time it may be right.
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
        // Not all replicas of a service at the same moment.
        let pause = interval.saturating_mul(1 << refused).min(LONGEST_PAUSE).max(interval);
        tokio::time::sleep(pause.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
    }
}
