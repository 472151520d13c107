//! The types of a job and its parts.

use std::fmt;
use std::str::FromStr;

use postcode_tables::Encoding;
use serde::{Deserialize, Serialize};

use crate::enrich::{Header, Plan};

/// The lowest and the highest priority; each step has twice the share of the one below it.
pub(crate) const PRIORITIES: std::ops::RangeInclusive<i64> = 0..=9;
/// The priority of a job that does not give one.
pub(crate) const USUAL_PRIORITY: i64 = 5;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The rows are still arriving. The job is not visible yet.
    Receiving,
    /// All rows are stored, and no part has begun.
    Queued,
    /// Rows have been begun.
    Running,
    /// The result is whole.
    Succeeded,
    /// The job ended without a result, for a reason.
    Failed,
    /// The job was cancelled.
    Cancelled,
}

impl State {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Receiving, "receiving"),
        (Self::Queued, "queued"),
        (Self::Running, "running"),
        (Self::Succeeded, "succeeded"),
        (Self::Failed, "failed"),
        (Self::Cancelled, "cancelled"),
    ];

    /// Returns whether the job has ended, so that nothing changes any more.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(state, _)| state == self).map_or("", |(_, name)| *name);
        f.write_str(name)
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let state = Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state);
        state.ok_or_else(|| format!("{text:?} is not a state of a job"))
    }
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The format of the rows, and the columns to add.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Recipe {
    /// A file, enriched.
    Rows { plan: Box<Plan>, header: Option<Header> },
    /// Texts, a JSON string a line, each answered as in bulk by the parameters of that query.
    Postcodes { query: String },
}

/// A job as stored. Times are milliseconds since 1970.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) tenant: String,
    #[sqlx(try_from = "String")]
    pub(crate) state: State,
    pub(crate) format: String,
    pub(crate) priority: i64,
    pub(crate) run_at: i64,
    pub(crate) callback_url: Option<String>,
    pub(crate) total: i64,
    pub(crate) done: i64,
    pub(crate) created_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    pub(crate) reason: Option<String>,
    /// An array of texts, in JSON.
    pub(crate) notes: String,
    /// A [`Recipe`] in JSON.
    pub(crate) plan: String,
}

impl Job {
    /// Returns the encoding of the result.
    pub(crate) fn encoding(&self) -> Encoding {
        match serde_json::from_str(&self.plan) {
            Ok(Recipe::Rows { plan, .. }) => plan.encoding.unwrap_or_default(),
            _ => Encoding::default(),
        }
    }
}

/// A job that begins to come in.
#[derive(Clone, Debug)]
pub(crate) struct NewJob {
    pub(crate) id: String,
    pub(crate) tenant: String,
    /// The address by which its open jobs are counted, if they are.
    pub(crate) address: Option<String>,
    pub(crate) format: &'static str,
    pub(crate) priority: i64,
    pub(crate) run_at: i64,
    pub(crate) callback_url: Option<String>,
    /// The idempotency key: a repeated request with the same key returns the same job.
    pub(crate) key: Option<String>,
}

/// A part of a job: some of its rows.
#[derive(Debug)]
pub(crate) struct NewPart {
    pub(crate) number: i64,
    pub(crate) first_line: i64,
    pub(crate) rows: i64,
    pub(crate) head: Vec<u8>,
    pub(crate) input: Vec<u8>,
}

impl NewPart {
    /// Returns the bytes that it takes in the database.
    pub(crate) fn bytes(&self) -> i64 {
        i64::try_from(self.head.len() + self.input.len()).unwrap_or(i64::MAX)
    }
}

/// The totals of a job, known after all rows have arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) plan: String,
    /// Facts about the file that the request did not tell: an array of texts, in JSON.
    pub(crate) notes: String,
    pub(crate) parts: i64,
    pub(crate) rows: i64,
    pub(crate) bytes: i64,
    /// The client's key, and the SHA-256 of the request that came with it.
    pub(crate) key: Option<(String, String)>,
}

/// A part of a job in the queue: the arguments of its task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Slice {
    pub(crate) job: String,
    /// The part; `None` for the start of the job at its time.
    pub(crate) part: Option<i64>,
    /// The start tag: the virtual time at which the task's turn comes.
    pub(crate) tag: i64,
    pub(crate) epoch: i64,
}

/// Returns the current time.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Formats a time for a response.
pub(crate) fn shown(millis: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(millis).ok().map(|time| time.to_string())
}
