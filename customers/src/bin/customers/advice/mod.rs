//! Advice on where the lookup should be, from what callers ask and from a probe of this machine.

mod cell;
mod page;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::http::StatusCode;
use customers::server::Problem;
use postcode_core::layers::advice::{self, Advice, Deployment, Echo, Place, PlaceCosts};
use postcode_core::layers::{Ledger, LedgerSnapshot, Promotion, Stage};
use serde::Serialize;
use tokio::sync::Semaphore;

pub(crate) use cell::run as run_cell;
pub(crate) use page::page;

/// How long the costs of a probe are used again: a probe takes processor time from those who are served.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// The most that a number of the deployment may be.
const MOST: f64 = 1e6;

/// Gives advice for one promotion.
#[derive(Clone, Debug)]
pub(crate) struct Adviser(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ledger: Ledger<Promotion>,
    /// The URLs of the old and the new lookup, with their secrets.
    urls: [String; 2],
    /// How long all places together are probed.
    time: Duration,
    probed: Mutex<Option<Arc<Probed>>>,
    one_at_a_time: Arc<Semaphore>,
}

/// The result of a probe.
#[derive(Debug, Serialize)]
pub(crate) struct Probed {
    #[serde(skip)]
    at: Instant,
    /// How long it took.
    seconds: f64,
    echo: Option<Echo>,
    places: Vec<PlaceCosts>,
    /// Places that could not be probed, and why.
    failed: Vec<String>,
}

/// Advice with all that it was made from.
#[derive(Debug, Serialize)]
pub(crate) struct Advised {
    #[serde(flatten)]
    advice: Advice,
    deployment: Deployment,
    probe: Arc<Probed>,
    ledger: LedgerSnapshot,
}

impl Adviser {
    pub(crate) fn new(ledger: Ledger<Promotion>, urls: [String; 2], time: Duration) -> Self {
        let one_at_a_time = Arc::new(Semaphore::new(1));
        Self(Arc::new(Inner { ledger, urls, time, probed: Mutex::default(), one_at_a_time }))
    }

    /// Returns advice for a query such as `processes=50&machines=10&max_p99_us=1000`.
    pub(crate) async fn advise(&self, query: &str) -> Result<Advised, Problem> {
        let deployment = deployment(query)?;
        let probe = self.probed().await?;
        let [old, new] = &self.0.urls;
        let in_new = matches!(self.0.ledger.inner().stage(), Stage::RemoteWithFallback | Stage::Remote);
        let now = Place::of_url(if in_new { new } else { old }).unwrap_or(Place::Embedded);
        let ledger = self.0.ledger.snapshot();
        let advice = advice::advise(&ledger, now, &probe.places, &deployment);
        Ok(Advised { advice, deployment, probe, ledger })
    }

    /// Returns the last probe, or a new one if that is too old. A probe that has begun is finished and kept, also if its
    /// caller goes away: otherwise each call that is broken off would cost another one.
    async fn probed(&self) -> Result<Arc<Probed>, Problem> {
        let kept = || self.0.lock().clone().filter(|probed| probed.at.elapsed() < KEPT);
        if let Some(probed) = kept() {
            return Ok(probed);
        }
        let busy = "another probe is running: ask again in three seconds";
        let refused = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "probe_busy", busy);
        let permit = self.0.one_at_a_time.clone().try_acquire_owned().map_err(refused)?;
        let inner = self.0.clone();
        let probing = tokio::spawn(async move {
            let _permit = permit;
            let probed = Arc::new(probe(&inner.urls, inner.time).await?);
            *inner.lock() = Some(probed.clone());
            anyhow::Ok(probed)
        });
        let probed = probing.await.context("the probe ended early").and_then(|probed| probed);
        probed.map_err(|error| {
            let detail = format!("this machine can't be probed: {error:#}");
            Problem::new(StatusCode::BAD_GATEWAY, "probe_failed", detail)
        })
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Probed>>> {
        self.probed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the URLs to probe, one for each place. The copy of a replica belongs to its process, so its service is
/// probed in its stead.
fn probed_urls(urls: &[String; 2]) -> Vec<(Place, String)> {
    let mut found: Vec<(Place, String)> = vec![(Place::Embedded, "embedded:".to_owned())];
    for url in urls {
        let url = url.strip_prefix("replica:").unwrap_or(url);
        if let Some(place) = Place::of_url(url).filter(|place| found.iter().all(|(known, _)| known != place))
        {
            found.push((place, url.to_owned()));
        }
    }
    found
}

/// Probes each place in a separate process, one after another.
async fn probe(urls: &[String; 2], time: Duration) -> Result<Probed> {
    let begun = Instant::now();
    let urls = probed_urls(urls);
    let each = time / u32::try_from(urls.len()).unwrap_or(1);
    let (mut measured, mut failed, mut base) = (Vec::new(), Vec::new(), 0.0);
    for (place, url) in urls {
        match cell::measure(&url, each).await {
            Ok(costs) => {
                base = costs.base_bytes;
                measured.push(costs.of(place));
            }
            Err(error) => failed.push(format!("{place}: {error:#}")),
        }
    }
    let echo = tokio::task::spawn_blocking(advice::echo).await.context("the bare round trip")?.ok();
    let places = advice::known_places(&measured, base, echo);
    Ok(Probed { at: Instant::now(), seconds: begun.elapsed().as_secs_f64(), echo, places, failed })
}

/// Reads the deployment from a query. What is missing or empty has its default.
fn deployment(query: &str) -> Result<Deployment, Problem> {
    let wrong = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_deployment", detail);
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    let mut deployment = Deployment { cores, ..Deployment::default() };
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        if text.is_empty() {
            continue;
        }
        let number = text.parse::<f64>().ok().filter(|number| (0.0..=MOST).contains(number));
        let number = number.ok_or_else(|| wrong(format!("{name}: give a number from 0 to {MOST}")))?;
        let from_one = || {
            if number >= 1.0 { Ok(number) } else { Err(wrong(format!("{name}: give a number from 1"))) }
        };
        match &*name {
            "processes" => deployment.processes = from_one()?,
            "machines" => deployment.machines = from_one()?,
            "cores" => deployment.cores = from_one()?,
            "max_p99_us" => deployment.max_p99_us = Some(number),
            "core_hour" => deployment.core_hour = number,
            "gib_hour" => deployment.gib_hour = number,
            _ => {
                let known = "processes, machines, cores, max_p99_us, core_hour, gib_hour";
                return Err(wrong(format!("{name:?}: not known. Give {known}")));
            }
        }
    }
    Ok(deployment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn call_that_is_broken_off_costs_one_measurement() {
        use axum::response::IntoResponse;
        use futures::FutureExt;
        use postcode_core::MockLookups;

        let side = || Arc::new(MockLookups::default());
        let ledger = Ledger::new(Promotion::new(side(), side()));
        let urls = ["embedded:".to_owned(), "embedded:".to_owned()];
        let adviser = Adviser::new(ledger, urls, Duration::from_millis(1));
        assert!(adviser.probed().now_or_never().is_none());
        // It goes on without its caller, and the next one gets its result.
        let refused = adviser.probed().await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let first = loop {
            match adviser.probed().await {
                Ok(probed) => break probed,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        assert!(Arc::ptr_eq(&first, &adviser.probed().await.unwrap()));
    }

    #[test]
    fn query_describes_the_deployment() {
        let read = deployment("processes=50&machines=&max_p99_us=800&cores=4").unwrap();
        assert_eq!((read.processes, read.machines, read.cores), (50.0, 1.0, 4.0));
        assert_eq!(read.max_p99_us, Some(800.0));
        for wrong in ["processes=0", "processes=x", "machines=-1", "cores=NaN", "core_hour=1e9", "other=1"] {
            assert!(deployment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_place_is_probed_once_and_a_replica_by_its_service() {
        let of = |old: &str, new: &str| probed_urls(&[old.to_owned(), new.to_owned()]);
        assert_eq!(of("embedded:", "embedded:"), [(Place::Embedded, "embedded:".to_owned())]);
        let urls = of("file:/x", "replica:http://127.0.0.1:1");
        assert_eq!(urls[1..], [(Place::File, "file:/x".into()), (Place::Tcp, "http://127.0.0.1:1".into())]);
    }
}
