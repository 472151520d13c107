//! An in-memory service for a replica, with faults in between.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, Response};
use postcode_core::conformance::Fixture;
use postcode_core::dataset::{Dataset, Demands, signature_path};
use postcode_core::remote::Transport;
use postcode_core::{Error, ErrorKind, Local, Replica, ReplicaBuilder, Result};
use postcode_service::api::{Api, Edition, Limits};

/// Changes an answer on its way.
type Meddle = Box<dyn FnMut(&mut Response<Bytes>) + Send>;

#[derive(Clone)]
pub(crate) struct Over {
    pub(crate) api: Api,
    wire: Arc<Wire>,
}

#[derive(Default)]
struct Wire {
    down: AtomicBool,
    /// How many more files or parts of them come through.
    left: Mutex<Option<usize>>,
    meddle: Mutex<Option<Meddle>>,
    heads: AtomicUsize,
    ranges: Mutex<Vec<String>>,
}

impl Over {
    pub(crate) async fn new(dataset: Dataset) -> Self {
        let edition = Edition::of_local(Local::new(dataset)).await.unwrap();
        Self { api: Api::new(edition, Limits::default()), wire: Arc::default() }
    }

    /// Returns a replica of it that refreshes only when asked.
    pub(crate) fn replica(&self, dir: &Path) -> ReplicaBuilder {
        let day = Duration::from_secs(24 * 60 * 60);
        Replica::builder("http://user:hunter2@service").transport(self.clone()).dir(dir).interval(day)
    }

    /// Serves another dataset from now on.
    pub(crate) async fn publish(&self, dataset: Dataset) {
        self.api.replace(Edition::of_local(Local::new(dataset)).await.unwrap());
    }

    /// Serves this dataset with this signature from now on.
    pub(crate) async fn publish_signed(&self, dataset: &Dataset, signature: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uk.postcodes");
        std::fs::write(&path, dataset.as_bytes()).unwrap();
        std::fs::write(signature_path(&path), signature).unwrap();
        let opened = Local::open_url(&format!("file:{}", path.display()), Demands::default()).unwrap();
        self.api.replace(Edition::of_opened(opened).await.unwrap());
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.wire.down.store(down, SeqCst);
    }

    /// Lets nothing through after that many ranges; `None` lets everything through.
    pub(crate) fn break_after(&self, ranges: Option<usize>) {
        *self.wire.left.lock().unwrap() = ranges;
    }

    pub(crate) fn meddle(&self, meddle: impl FnMut(&mut Response<Bytes>) + Send + 'static) {
        *self.wire.meddle.lock().unwrap() = Some(Box::new(meddle));
    }

    pub(crate) fn leave_alone(&self) {
        *self.wire.meddle.lock().unwrap() = None;
    }

    /// Returns how often it was asked for its edition.
    pub(crate) fn heads(&self) -> usize {
        self.wire.heads.load(SeqCst)
    }

    /// Returns the ranges requested since the last call.
    pub(crate) fn ranges(&self) -> Vec<String> {
        std::mem::take(&mut *self.wire.ranges.lock().unwrap())
    }
}

impl fmt::Debug for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Over")
    }
}

#[async_trait]
impl Transport for Over {
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>> {
        let broken = || Err(Error::new(ErrorKind::Unavailable, "the connection broke"));
        if self.wire.down.load(SeqCst) {
            return broken();
        }
        let is_head = request.method() == http::Method::HEAD;
        if is_head {
            self.wire.heads.fetch_add(1, SeqCst);
        } else {
            if let Some(left) = &mut *self.wire.left.lock().unwrap() {
                let Some(less) = left.checked_sub(1) else { return broken() };
                *left = less;
            }
            // The signature is asked for without.
            if let Some(range) = request.headers().get("range") {
                self.wire.ranges.lock().unwrap().push(range.to_str().unwrap().to_owned());
            }
        }
        let (parts, body) = self.api.call(request.map(Body::from)).await.into_parts();
        let body = to_bytes(body, limit).await.map_err(|e| Error::new(ErrorKind::Protocol, e.to_string()))?;
        let mut response = Response::from_parts(parts, body);
        if let Some(meddle) = &mut *self.wire.meddle.lock().unwrap() {
            meddle(&mut response);
        }
        Ok(response)
    }
}

pub(crate) fn fixture() -> Dataset {
    Fixture::small().dataset().unwrap()
}

/// Returns the fixture in the next edition.
pub(crate) fn next() -> Dataset {
    Fixture::small().next_edition().dataset().unwrap()
}

/// Builds a dataset that needs several ranges: the edition's name alone is five megabytes.
pub(crate) fn large(name: &str) -> Dataset {
    let mut info = Fixture::small().info().clone();
    info.edition = name.repeat((5 << 20) / name.len());
    Fixture::new(info, Fixture::small().records().cloned()).dataset().unwrap()
}

/// Counts the copies in a folder, and the partial ones.
pub(crate) fn files(dir: &Path) -> (usize, usize) {
    let names =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.collect();
    let count = |end: &str| names.iter().filter(|name| name.ends_with(end)).count();
    assert_eq!(count(".postcodes") + count(".partial") + count(".lock"), names.len(), "{names:?}");
    (count(".postcodes"), count(".partial"))
}

/// Returns the path of the only copy.
pub(crate) fn copy(dir: &Path) -> std::path::PathBuf {
    let mut paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|end| end == "postcodes")).unwrap()
}
