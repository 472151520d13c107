//! Rows come in: cut into parts, each stored as it comes.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use uuid::Uuid;

use super::Jobs;
use super::job::{NewJob, NewPart, Received, Recipe};
use super::store::{self, Store, Submitted};
use crate::enrich::{self, Cutter, Plan};

/// The most rows of a part, which a worker does before others get a turn.
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
    #[error("the job could not be stored: {0}")]
    Recipe(#[from] serde_json::Error),
}

/// Creates a new id. Later ids sort after earlier ones.
pub(crate) fn id() -> String {
    Uuid::now_v7().to_string()
}

/// Takes a file. The bytes of the rows are to have been counted into `key` when the stream ends.
pub(crate) async fn file<S>(
    jobs: &Jobs,
    store: &Arc<dyn Store>,
    job: &NewJob,
    plan: Plan,
    mut notes: Vec<String>,
    rows: S,
    key: impl FnOnce() -> Option<(String, String)> + Send,
) -> Result<Submitted, Error>
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let (upload, known) = Unfinished::begin(jobs, store, job).await?;
    let mut stored = Upload::new(jobs, &**store, job, known);
    let plan = Arc::new(plan);
    let mut cutter = Cutter::new(rows, plan);
    while let Some(piece) = cutter.next(PART_ROWS as usize).await? {
        notes.extend(piece.notes);
        stored.add(piece.line as i64, piece.rows as i64, piece.head, piece.bytes).await?;
    }
    let recipe = Recipe::Rows { plan: Box::new(cutter.plan()), header: cutter.header().cloned() };
    upload.ended(stored.submit(&recipe, &notes, key()).await)
}

/// Takes texts.
pub(crate) async fn postcodes(
    jobs: &Jobs,
    store: &Arc<dyn Store>,
    job: &NewJob,
    query: String,
    texts: Texts,
    key: Option<(String, String)>,
) -> Result<Submitted, Error> {
    let (upload, known) = Unfinished::begin(jobs, store, job).await?;
    let mut stored = Upload::new(jobs, &**store, job, known);
    let mut line = 1;
    for (rows, input) in texts.into_parts() {
        stored.add(line, rows, Vec::new(), input).await?;
        line += rows;
    }
    upload.ended(stored.submit(&Recipe::Postcodes { query }, &[], key).await)
}

/// Texts as lines of JSON, in parts as they are stored. They are read from a JSON array without
/// creating a value for each.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    full: Vec<(i64, Vec<u8>)>,
    rows: i64,
    last: Vec<u8>,
}

impl Texts {
    fn push(&mut self, text: &str) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.last, text)?;
        self.last.push(b'\n');
        self.rows += 1;
        if self.rows == PART_ROWS {
            let mut input = std::mem::take(&mut self.last);
            input.shrink_to_fit();
            self.full.push((std::mem::take(&mut self.rows), input));
        }
        Ok(())
    }

    /// Returns all lines, in pieces.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.full.iter().map(|(_, lines)| lines.as_slice()).chain([self.last.as_slice()])
    }

    /// Returns each part's number of rows and its lines.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = (i64, Vec<u8>)> {
        self.full.into_iter().chain((self.rows > 0).then_some((self.rows, self.last)))
    }

    #[cfg(test)]
    pub(crate) fn rows(&self) -> i64 {
        self.full.iter().map(|(rows, _)| rows).sum::<i64>() + self.rows
    }

    /// Returns the bytes in use.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let part = size_of::<(i64, Vec<u8>)>();
        let parts: usize = self.full.iter().map(|(_, input)| input.capacity()).sum();
        parts + self.full.capacity() * part + self.last.capacity()
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_seq(Array)
    }
}

struct Array;

impl<'de> Visitor<'de> for Array {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
        let mut texts = Texts::default();
        while items.next_element_seed(Text(&mut texts))?.is_some() {}
        Ok(texts)
    }
}

/// One text of the array, written directly to its place.
struct Text<'a>(&'a mut Texts);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.0.push(text).map_err(E::custom)
    }
}

/// An upload that has begun: forgotten if it ends in an error, or its client goes away. If even
/// that fails, it is cleared with other old ones.
struct Unfinished(Option<(Arc<dyn Store>, String)>);

impl Unfinished {
    /// Begins an upload. Also returns whether its key was used before.
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
                tracing::warn!(job, %error, "a failed upload could not be removed yet");
            }
        });
    }
}

struct Upload<'a> {
    jobs: &'a Jobs,
    store: &'a dyn Store,
    job: &'a NewJob,
    most: u64,
    /// The limits; `None` for a repeated request, whose rows are stored only until that is noticed.
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
        if self.rows.unsigned_abs() > self.most {
            return Err(Error::TooManyRows(self.most));
        }
        let part = NewPart { number: self.parts, first_line, rows, head, input };
        self.bytes += part.bytes();
        self.jobs.room()?;
        self.store.add_part(self.job, &part, self.bounds).await?;
        self.parts += 1;
        Ok(())
    }

    async fn submit(
        &self,
        recipe: &Recipe,
        notes: &[String],
        key: Option<(String, String)>,
    ) -> Result<Submitted, Error> {
        let (plan, notes) = (serde_json::to_string(recipe)?, serde_json::to_string(notes)?);
        let received = Received { plan, notes, parts: self.parts, rows: self.rows, bytes: self.bytes, key };
        Ok(self.store.submit(self.job, &received).await?)
    }
}
