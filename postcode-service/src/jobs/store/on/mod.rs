//! The statements, compiled once for each database: `super` is the one they are for.

mod callbacks;
mod queue;
mod reading;
mod schedule;
mod slices;
mod stored;
mod submission;
mod upkeep;

use std::time::Duration;

use postcode_database::{Readiness, begin};

use super::{Pool, Tx, push, queue_time, sql, storage};
use crate::jobs::store::Turn;

/// The table of this crate's migrations; the queue has a separate one.
pub(super) const MIGRATIONS: &str = "postcode_jobs_migrations";
/// Heartbeats that a worker may miss before it is presumed dead.
pub(super) const MISSED: usize = 2;

/// A database of jobs.
#[derive(Clone, Debug)]
pub(in crate::jobs::store) struct Database {
    pool: Pool,
    readiness: Readiness<String>,
}

impl Database {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, readiness: Readiness::default() }
    }
}

impl crate::jobs::store::Store for Database {}

/// Returns the interval of a worker's heartbeat. The queue counts in whole seconds.
pub(super) fn heartbeat(turn: &Turn) -> Duration {
    Duration::from_secs((turn.presumed_dead.as_secs() / MISSED as u64).max(1))
}
