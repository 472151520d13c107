//! Jobs: many rows, looked up in the background on a durable queue.
//!
//! Rows are cut into parts as they arrive (`submission`). A part is a task of the queue (`store`)
//! and is done by the first free worker ([`worker`](crate::worker)). The result consists of the parts' outputs in
//! order. A [`callback`] tells the caller about the end. `docs/JOBS.md` describes the behaviour.

pub mod callback;
pub(crate) mod clock;
mod database_url;
pub(crate) mod gauges;
pub(crate) mod job;
pub(crate) mod store;
pub(crate) mod submission;

use std::sync::Arc;
use std::time::Duration;

use postcode_edge::{Pool, Yields};
use tokio::sync::{Notify, OnceCell, broadcast, watch};

pub use callback::Callbacks;
pub use database_url::Url;
pub use job::State;
use store::{Bounds, Store};

/// How much there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs of one tenant that have not ended.
    pub open_jobs: u32,
    /// Jobs of all tenants together that have not ended.
    pub open_jobs_in_all: u32,
    /// Jobs that clients at one address have not ended, whatever tenants they name; 0 for no limit.
    /// `None` is a quarter of [`open_jobs_in_all`](Self::open_jobs_in_all), and no limit for this
    /// machine's own addresses. Never applies to callers with a token.
    pub open_jobs_of_address: Option<u32>,
    /// Rows of one job.
    pub rows: u64,
    /// Bytes of rows of one job.
    pub upload: u64,
    /// Bytes of rows and results of all jobs together.
    pub stored: u64,
    /// Bytes of rows and results of the jobs of one tenant.
    pub stored_of_tenant: u64,
    /// Bytes of the result of one job.
    pub result: u64,
    /// Percent of the disk of a database in a file below which no rows are taken and no parts
    /// worked on.
    pub min_free: u8,
    /// How long a job that has ended is kept.
    pub keep: Duration,
    /// How far ahead a job may be put off.
    pub ahead: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            open_jobs: 100,
            open_jobs_in_all: 1_000,
            open_jobs_of_address: None,
            rows: 100_000_000,
            upload: 1 << 30,
            stored: 16 << 30,
            stored_of_tenant: 8 << 30,
            result: 4 << 30,
            min_free: 5,
            keep: DAY.saturating_mul(7),
            ahead: DAY.saturating_mul(30),
        }
    }
}

/// Why there are no jobs now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Jobs are switched off.
    #[error("jobs are switched off on this server (--jobs)")]
    Off,
    /// Their database can't be made, because the disk is full.
    #[error("the disk of the jobs is full")]
    NoRoom,
    /// Their database can't be opened or asked.
    #[error("{0}")]
    Unavailable(String),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The jobs of a server or a worker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Jobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: Option<Url>,
    /// Whether the first job creates the database.
    lazy: bool,
    limits: Limits,
    callbacks: Option<Callbacks>,
    store: OnceCell<Arc<dyn Store>>,
    opened: watch::Sender<bool>,
    /// Something was put in a queue.
    nudge: Arc<Notify>,
    /// The ids of jobs that have changed.
    changed: broadcast::Sender<String>,
    closing: watch::Sender<bool>,
    watchers: Pool,
    uploads: Pool,
    /// Memory for bodies of JSON, in bytes.
    json_bytes: Pool,
    downloads: Pool,
    gauges: gauges::Gauges,
}

/// The most requests that wait for a job at once.
const WATCHERS: usize = 512;
/// The most uploads at once.
const UPLOADS: usize = 16;
/// The most bytes of JSON bodies at once, which are read whole.
const JSON_BYTES: usize = 64 << 20;
/// The most results that are read at once.
const DOWNLOADS: usize = 64;
/// Bytes of a new database with its log and its index, with some to spare.
const EMPTY: u128 = 1 << 20;
/// Bytes a second: an upload or download that is slower loses its place when all are taken.
const SCARCE_SPEED: u64 = 64 << 10;

impl Jobs {
    /// Creates jobs in that database. With `lazy` the database is created with the first job.
    pub fn new(url: Url, lazy: bool, limits: Limits, callbacks: Option<Callbacks>) -> Self {
        Self::with(Some(url), lazy, limits, callbacks)
    }

    /// Creates jobs that are switched off: every request gets that answer.
    pub fn off() -> Self {
        Self::with(None, true, Limits::default(), None)
    }

    fn with(url: Option<Url>, lazy: bool, limits: Limits, callbacks: Option<Callbacks>) -> Self {
        Self(Arc::new(Inner {
            url,
            lazy,
            limits,
            callbacks,
            store: OnceCell::new(),
            opened: watch::Sender::new(false),
            nudge: Arc::new(Notify::new()),
            changed: broadcast::Sender::new(1024),
            closing: watch::Sender::new(false),
            watchers: Pool::new(WATCHERS, Yields::Longest),
            uploads: Pool::new(UPLOADS, Yields::Slowest(SCARCE_SPEED)),
            json_bytes: Pool::new(JSON_BYTES, Yields::Slowest(SCARCE_SPEED)),
            downloads: Pool::new(DOWNLOADS, Yields::Slowest(SCARCE_SPEED)),
            gauges: gauges::Gauges::default(),
        }))
    }

    /// Opens the database now, if it exists or must exist from the start.
    ///
    /// # Errors
    /// Fails if it can't be opened.
    pub async fn open(&self) -> Result<(), Error> {
        match &self.0.url {
            None => Ok(()),
            Some(Url::Sqlite(path)) if self.0.lazy && !path.exists() => Ok(()),
            Some(_) => self.store().await.map(drop),
        }
    }

    /// Returns the URL of the database.
    pub fn url(&self) -> Option<&Url> {
        self.0.url.as_ref()
    }

    /// Ends all waiting for jobs: waiting requests are answered with the current state.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    pub(crate) fn bounds(&self) -> Bounds {
        let limits = self.0.limits;
        let bytes = |number| i64::try_from(number).unwrap_or(i64::MAX);
        Bounds {
            open_jobs: limits.open_jobs.into(),
            open_jobs_in_all: limits.open_jobs_in_all.into(),
            open_jobs_of_address: match limits.open_jobs_of_address {
                Some(0) => i64::MAX,
                Some(most) => most.into(),
                None => limits.open_jobs_in_all.div_ceil(4).into(),
            },
            bytes: bytes(limits.stored),
            bytes_of_tenant: bytes(limits.stored_of_tenant),
            result: bytes(limits.result),
        }
    }

    /// Checks that the disk of the database has room. A database on a server is its operator's
    /// responsibility.
    ///
    /// # Errors
    /// [`store::Error::LowDisk`].
    pub(crate) fn room(&self) -> Result<(), store::Error> {
        let Some((free, all)) = self.disk() else { return Ok(()) };
        let least = all * u128::from(self.0.limits.min_free);
        if free == 0 || free * 100 < least { Err(store::Error::LowDisk) } else { Ok(()) }
    }

    /// Returns the bytes that are free on the disk of the database, and all of them. `None` for a
    /// database on a server, and if the disk can't be asked: then storing says what is wrong.
    fn disk(&self) -> Option<(u128, u128)> {
        let Some(Url::Sqlite(path)) = &self.0.url else { return None };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let disk = rustix::fs::statvfs(folder.unwrap_or(std::path::Path::new("."))).ok()?;
        let bytes = |blocks: u64| u128::from(blocks) * u128::from(disk.f_frsize);
        Some((bytes(disk.f_bavail), bytes(disk.f_blocks)))
    }

    pub(crate) fn callbacks(&self) -> Option<&Callbacks> {
        self.0.callbacks.as_ref()
    }

    /// Returns the database, and opens it on the first call.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>, Error> {
        let url = self.0.url.as_ref().ok_or(Error::Off)?;
        let opened = self.0.store.get_or_try_init(async || {
            let store = store::open(url).await.map_err(|e| {
                // SQLite reports a full disk in many ways while it makes its files.
                if e.is_no_room() || self.disk().is_some_and(|(free, _)| free < EMPTY) {
                    tracing::error!(jobs = %url, error = %e, "jobs can't be stored");
                    return Error::NoRoom;
                }
                Error::Unavailable(format!("{url}: {e}"))
            })?;
            tracing::info!(jobs = %url, "jobs");
            Ok::<_, Error>(store)
        });
        let store = opened.await?.clone();
        self.0.opened.send_replace(true);
        Ok(store)
    }

    /// Returns the database if it exists. Does not create one just to look for jobs in it.
    pub(crate) async fn store_if_there(&self) -> Result<Option<Arc<dyn Store>>, Error> {
        match &self.0.url {
            Some(Url::Sqlite(path)) if self.0.lazy && !self.0.store.initialized() && !path.exists() => {
                Ok(None)
            }
            _ => self.store().await.map(Some),
        }
    }

    /// Checks that jobs can be stored. A database that has not been opened yet counts as ready.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        match self.0.store.get() {
            Some(store) => store.ready().await,
            None => Ok(()),
        }
    }

    /// Waits until the database is open.
    pub(crate) async fn opened(&self) -> Option<Arc<dyn Store>> {
        let mut opened = self.0.opened.subscribe();
        opened.wait_for(|opened| *opened).await.ok()?;
        self.0.store.get().cloned()
    }

    /// Announces that a task was put in a queue, or that a job has changed.
    pub(crate) fn changed(&self, job: &str) {
        self.0.nudge.notify_waiters();
        // An error means that no request is waiting.
        let _ = self.0.changed.send(job.to_owned());
    }

    pub(crate) fn nudge(&self) -> Arc<Notify> {
        self.0.nudge.clone()
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<String> {
        self.0.changed.subscribe()
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    pub(crate) fn watchers(&self) -> &Pool {
        &self.0.watchers
    }

    pub(crate) fn uploads(&self) -> &Pool {
        &self.0.uploads
    }

    pub(crate) fn json_bytes(&self) -> &Pool {
        &self.0.json_bytes
    }

    pub(crate) fn gauges(&self) -> &gauges::Gauges {
        &self.0.gauges
    }

    /// Adds the gauges to the metrics.
    pub(crate) fn register(&self, registry: &mut prometheus_client::registry::Registry) {
        self.0.gauges.register(registry);
    }

    pub(crate) fn downloads(&self) -> &Pool {
        &self.0.downloads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_their_secrets() {
        let url: Url = "postgres://me:secret@db.example/jobs?sslmode=require".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://db.example/jobs");
        assert!(!format!("{url:?}").contains("secret"));
        assert_eq!("sqlite:///var/jobs.db".parse(), Ok(Url::Sqlite("/var/jobs.db".into())));
        assert_eq!("sqlite://jobs.db".parse(), Ok(Url::Sqlite("jobs.db".into())));
        for text in ["", "jobs.db", "sqlite://", "sqlite::memory:", "mysql://x", "sqlite://a?mode=ro"] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }
}
