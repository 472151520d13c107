//! Rows come in: cut into parts, each stored as it comes.

use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use uuid::Uuid;

use super::Jobs;
use super::job::{NewJob, NewPart, Received, Recipe};
use super::store::{self, Store, Submitted};
use crate::enrich::{self, Cutter, Plan};

/// Rows of a part at most: what is done in one go, between two turns of others.
pub(crate) const PART_ROWS: i64 = 2_000;

/// Why rows were not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Rows(#[from] enrich::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("more than {0} rows: send them in several jobs")]
    TooManyRows(u64),
    #[error("the job could not be written down: {0}")]
    Recipe(#[from] serde_json::Error),
}

/// A new id, later ones after earlier ones.
pub(crate) fn id() -> String {
    Uuid::now_v7().to_string()
}

/// Takes a file. The bytes of the rows are to have been counted into `key` when the stream ends.
pub(crate) async fn file<S>(
    jobs: &Jobs,
    store: &Arc<dyn Store>,
    job: &NewJob,
    plan: Plan,
    rows: S,
    key: impl FnOnce() -> Option<(String, String)> + Send,
) -> Result<Submitted, Error>
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let (upload, known) = Unfinished::begin(jobs, store, job).await?;
    let mut stored = Upload::new(jobs, &**store, job, known);
    let plan = Arc::new(plan);
    let mut cutter = Cutter::new(rows, plan.clone());
    while let Some(piece) = cutter.next(PART_ROWS as usize).await? {
        stored.add(piece.line as i64, piece.rows as i64, piece.head, piece.bytes).await?;
    }
    let recipe = Recipe::Rows { plan: (*plan).clone(), header: cutter.header().cloned() };
    upload.ended(stored.submit(&recipe, key()).await)
}

/// Takes texts.
pub(crate) async fn postcodes(
    jobs: &Jobs,
    store: &Arc<dyn Store>,
    job: &NewJob,
    query: String,
    texts: &[String],
    key: Option<(String, String)>,
) -> Result<Submitted, Error> {
    let (upload, known) = Unfinished::begin(jobs, store, job).await?;
    let mut stored = Upload::new(jobs, &**store, job, known);
    let mut line = 1;
    for texts in texts.chunks(PART_ROWS as usize) {
        let mut input = Vec::with_capacity(texts.len() * 12);
        for text in texts {
            serde_json::to_writer(&mut input, text)?;
            input.push(b'\n');
        }
        stored.add(line, texts.len() as i64, Vec::new(), input).await?;
        line += texts.len() as i64;
    }
    upload.ended(stored.submit(&Recipe::Postcodes { query }, key).await)
}

/// An upload that has begun: forgotten if it ends in an error, or its client goes away. If even that fails, it is cleared
/// with other old ones.
struct Unfinished(Option<(Arc<dyn Store>, String)>);

impl Unfinished {
    /// And whether it was asked for before.
    async fn begin(jobs: &Jobs, store: &Arc<dyn Store>, job: &NewJob) -> Result<(Self, bool), Error> {
        jobs.room()?;
        let known = store.receive(job, jobs.bounds()).await?;
        Ok((Self(Some((store.clone(), job.id.clone()))), known))
    }

    fn ended(mut self, submitted: Result<Submitted, Error>) -> Result<Submitted, Error> {
        if submitted.is_ok() {
            self.0 = None;
        }
        submitted
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (Some((store, job)), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = store.discard(&job).await {
                tracing::warn!(job, %error, "an upload that failed was not forgotten yet");
            }
        });
    }
}

struct Upload<'a> {
    jobs: &'a Jobs,
    store: &'a dyn Store,
    job: &'a NewJob,
    most: u64,
    /// None for what was asked for before, and is stored only until that is seen.
    bounds: Option<store::Bounds>,
    parts: i64,
    rows: i64,
    bytes: i64,
}

impl<'a> Upload<'a> {
    fn new(jobs: &'a Jobs, store: &'a dyn Store, job: &'a NewJob, known: bool) -> Self {
        let bounds = (!known).then(|| jobs.bounds());
        Self { jobs, store, job, most: jobs.limits().rows, bounds, parts: 0, rows: 0, bytes: 0 }
    }

    async fn add(&mut self, first_line: i64, rows: i64, head: Vec<u8>, input: Vec<u8>) -> Result<(), Error> {
        self.rows += rows;
        self.bytes += input.len() as i64;
        if self.rows.unsigned_abs() > self.most {
            return Err(Error::TooManyRows(self.most));
        }
        let part = NewPart { number: self.parts, first_line, rows, head, input };
        self.jobs.room()?;
        self.store.add_part(self.job, &part, self.bounds).await?;
        self.parts += 1;
        Ok(())
    }

    async fn submit(&self, recipe: &Recipe, key: Option<(String, String)>) -> Result<Submitted, Error> {
        let plan = serde_json::to_string(recipe)?;
        let received = Received { plan, parts: self.parts, rows: self.rows, bytes: self.bytes, key };
        Ok(self.store.submit(self.job, &received).await?)
    }
}
