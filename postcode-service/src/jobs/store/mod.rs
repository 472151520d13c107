//! Jobs, their rows and the queue in one database. A job and its tasks are written in one
//! transaction, so neither exists without the other.
//!
//! The statements are written once, in `on/`, and compiled for either database. The differences are
//! in `sqlite.rs` and `postgres.rs`.

mod open;
mod postgres;
mod sqlite;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use postcode_database::Cause;

use super::job::{Job, NewJob, NewPart, Received, Slice};
pub(crate) use open::open;

/// The queue of parts.
pub(crate) const SLICES: &str = "postcode-jobs";
/// The queue that callbacks had in earlier versions, whose tasks are cleared.
pub(crate) const CALLBACKS: &str = "postcode-callbacks";
/// How many parts of one job are in the queue at once, and so how many workers can share it.
const WINDOW: i64 = 4;

/// Why a request of the database, or of the jobs in it, failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The database can't be reached or does not work. [`Cause`] says which.
    #[error("the database of the jobs: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be set up.
    #[error("the database of the jobs could not be set up: {0}")]
    Setup(#[from] sqlx::migrate::MigrateError),
    /// The queue in it.
    #[error("the queue of the jobs: {0}")]
    Queue(String),
    /// The tenant has too many jobs.
    #[error("there are {open} open jobs, which is the limit: wait until one has ended")]
    TooMany { open: i64 },
    /// The address has too many jobs.
    #[error("clients at your address have {open} open jobs, which is the limit: wait until one has ended")]
    TooManyOfAddress { open: i64 },
    /// The tenant has its share of the open jobs of all tenants.
    #[error(
        "you have {open} open jobs, and the places that are left are for others: wait until one has ended"
    )]
    JobsShareTaken { open: i64 },
    /// No more rows can be stored.
    #[error("the jobs hold {bytes} bytes of rows and results, which is this server's limit")]
    Full { bytes: i64 },
    /// The tenant has its share of the bytes of all tenants.
    #[error("your jobs hold {bytes} bytes of rows and results, and the room that is left is for others")]
    BytesShareTaken { bytes: i64 },
    /// No more rows of this tenant can be stored.
    #[error("your jobs hold {bytes} bytes of rows and results, which is the limit")]
    TenantFull { bytes: i64 },
    /// The limit of open jobs of all tenants is reached.
    #[error("the server has reached its limit of open jobs")]
    TooManyInAll,
    /// The disk of the database is nearly full.
    #[error("the server's disk is nearly full")]
    LowDisk,
    /// The job was cleared while its rows came in.
    #[error("the upload took too long and was cleared")]
    Cleared,
}

impl Error {
    /// Returns whether nothing was stored because the disk is full.
    pub(crate) fn is_no_room(&self) -> bool {
        use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
        let (Self::Database(error) | Self::Setup(Execute(error) | ExecuteMigration(error, _))) = self else {
            return false;
        };
        Cause::of(error) == Cause::NoRoom
    }
}

/// How much there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Jobs of one tenant that have not ended.
    pub(crate) open_jobs: i64,
    /// Jobs of all tenants that have not ended.
    pub(crate) open_jobs_in_all: i64,
    /// Jobs from one address that have not ended.
    pub(crate) open_jobs_of_address: i64,
    /// Bytes of rows and results of all jobs.
    pub(crate) bytes: i64,
    /// Bytes of rows and results of the jobs of one tenant.
    pub(crate) bytes_of_tenant: i64,
    /// Bytes of the result of one job.
    pub(crate) result: i64,
}

impl Bounds {
    /// Returns whether a tenant with `open` open jobs may have another, if all tenants have `in_all`.
    pub(crate) fn job_is_in_share(&self, open: i64, in_all: i64) -> bool {
        self.open_jobs >= self.open_jobs_in_all
            || open == 0
            || open < Self::most_of_one(in_all, self.open_jobs_in_all)
    }

    /// Returns whether a tenant with `own` stored bytes may store so many more, if all tenants have `in_all`.
    pub(crate) fn bytes_are_in_share(&self, own: i64, more: i64, in_all: i64) -> bool {
        let after = own.saturating_add(more);
        self.bytes_of_tenant >= self.bytes
            || after <= self.bytes / 64
            || after <= Self::most_of_one(in_all.saturating_add(more), self.bytes)
    }

    /// Returns how much one tenant may have while all have `taken` of `most`: twice what is left of three quarters.
    ///
    /// So a tenant alone may have half, and the more is taken, the less any tenant may have: the dynamic threshold of
    /// shared switch buffers. The last quarter is for tenants that have little or nothing. A limit of a tenant that is
    /// not below the common one switches the rule off.
    fn most_of_one(taken: i64, most: i64) -> i64 {
        (most / 4 * 3).saturating_sub(taken).saturating_mul(2)
    }
}

/// The result of submitting a job whose rows have arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Submitted {
    New,
    /// The key was used before: the id of that job.
    Same(String),
    /// The key was used for something else.
    Other,
}

/// Rows come in.
#[async_trait]
pub(crate) trait Submissions {
    /// Starts receiving a job, if there is room for it. Returns true if its key is known: then it
    /// is a repeated request and needs no room.
    async fn receive(&self, job: &NewJob, bounds: Bounds) -> Result<bool, Error>;
    /// Stores some rows, if there is room for them. Without `bounds` there is.
    async fn add_part(&self, job: &NewJob, part: &NewPart, bounds: Option<Bounds>) -> Result<(), Error>;
    /// Submits a job whose rows have all arrived: it becomes visible, and its first tasks are
    /// queued.
    async fn submit(&self, job: &NewJob, received: &Received) -> Result<Submitted, Error>;
    /// Removes an upload that failed.
    async fn discard(&self, job: &str) -> Result<(), Error>;
}

/// A part to be worked on.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) plan: String,
    pub(crate) first_line: i64,
    pub(crate) rows: i64,
    pub(crate) head: Vec<u8>,
    pub(crate) input: Vec<u8>,
}

/// The outcome of a part that was worked on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finished {
    Kept,
    /// The part was already done, or its job has ended.
    NotNeeded,
    /// The output was not stored, for the given reason: it would exceed a limit.
    TooMuch(String),
}

/// Parts are worked on.
#[async_trait]
pub(crate) trait Slices {
    /// Returns the work of a slice; `None` if it is done or the job has ended.
    async fn begin(&self, slice: &Slice) -> Result<Option<Work>, Error>;
    /// Stores the output of a part, once however often the part is done. Then queues the next part
    /// or ends the job.
    async fn finish(
        &self,
        slice: &Slice,
        rows: i64,
        output: &[u8],
        bounds: Bounds,
    ) -> Result<Finished, Error>;
    /// Postpones a part that could not be done now. Returns how many times in a row that happened
    /// in this job.
    async fn postpone(&self, slice: &Slice, why: &str, delay: fn(i64) -> Duration) -> Result<i64, Error>;
    /// Ends the job without a result.
    async fn fail(&self, job: &str, why: &str) -> Result<(), Error>;
}

/// Jobs are looked at.
#[async_trait]
pub(crate) trait Reading {
    async fn job(&self, tenant: &str, id: &str) -> Result<Option<Job>, Error>;
    /// Cancels a job that has not ended. Returns the job afterwards.
    async fn cancel(&self, tenant: &str, id: &str) -> Result<Option<Job>, Error>;
    /// Returns the number of bytes of each part of the result.
    async fn lengths(&self, id: &str) -> Result<Vec<i64>, Error>;
    /// Returns the output of one part; `None` if it was cleared.
    async fn output(&self, id: &str, number: i64) -> Result<Option<Vec<u8>>, Error>;
}

/// A callback to the caller of a job.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Callback {
    pub(crate) id: String,
    pub(crate) job: String,
    pub(crate) tenant: String,
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) state: String,
    pub(crate) body: String,
    pub(crate) attempts: i64,
    pub(crate) created_at: i64,
    pub(crate) next_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) error: Option<String>,
}

/// Messages are sent.
#[async_trait]
pub(crate) trait Callbacks {
    /// Takes at most `most` due callbacks, for a time after which others may take them. Turns are
    /// by tenant, then by host. All processes together send few to one host at once.
    async fn claim_callbacks(&self, most: i64, lease: i64) -> Result<Vec<Callback>, Error>;
    /// Postpones the due callbacks of a tenant to a host: this one, and those that no sender has taken. It does
    /// not count as an attempt. Callbacks that were due before `too_old` become dead instead.
    async fn hold_callbacks(&self, callback: &Callback, until: i64, too_old: i64) -> Result<(), Error>;
    async fn callback_delivered(&self, id: &str) -> Result<(), Error>;
    /// Records a failed attempt: retry at that time, or never.
    async fn callback_failed(&self, id: &str, why: &str, again: Option<i64>) -> Result<(), Error>;
    async fn callback_of(&self, job: &str) -> Result<Option<Callback>, Error>;
    /// Lists callbacks in the order of their ids, after that one.
    async fn callbacks(
        &self,
        tenant: &str,
        state: Option<&str>,
        after: &str,
        most: i64,
    ) -> Result<Vec<Callback>, Error>;
    /// Retries a dead callback. Returns `None` if it does not exist, else whether it was dead.
    async fn revive_callback(&self, tenant: &str, id: &str) -> Result<Option<bool>, Error>;
}

/// How much there is to do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Census {
    pub(crate) queued: i64,
    pub(crate) running: i64,
    /// Callbacks that wait for delivery.
    pub(crate) pending: i64,
    /// Callbacks that were given up.
    pub(crate) dead: i64,
}

/// Maintenance after crashes and expiry.
#[async_trait]
pub(crate) trait Upkeep {
    /// Queues again the tasks that are missing and untouched since then. Returns how many.
    async fn restore(&self, untouched_since: i64) -> Result<u64, Error>;
    /// Forgets uploads untouched since the first time, and jobs that ended before the second. How
    /// many.
    async fn clear(&self, uploads: i64, ended: i64) -> Result<u64, Error>;
    async fn count(&self) -> Result<Census, Error>;
    /// Writes something, as accepting a job does. The error says why that fails.
    async fn ready(&self) -> Result<(), String>;
}

/// A function that does the work of a queue. If it fails, the queue retries the task.
pub(crate) type Handler<T> = Arc<dyn Fn(T, usize) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// How a worker goes about it.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) name: String,
    /// How long a worker may be silent before its task is given to another.
    pub(crate) presumed_dead: Duration,
    /// How often the queue is looked at when it was empty.
    pub(crate) poll: Duration,
    /// New tasks in this process.
    pub(crate) nudge: Arc<tokio::sync::Notify>,
}

/// Works on the queue, one task at a time, until `stop` is done.
#[async_trait]
pub(crate) trait Queue {
    async fn work_on_slices(
        &self,
        turn: Turn,
        handler: Handler<Slice>,
        stop: BoxFuture<'static, ()>,
    ) -> Result<(), Error>;
}

/// All operations of the store.
pub(crate) trait Store:
    Submissions + Slices + Reading + Callbacks + Upkeep + Queue + Debug + Send + Sync
{
}
