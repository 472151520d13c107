//! Answers kept for a while.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::Around;
use super::call::Call;
use super::edition::{Edition, Sight, Span};
use crate::{Answer, DatasetInfo, Error, ErrorKind, Postcode, PostcodeLookup, Result, layer};

/// Keeps the answers to lookups, those that say "unknown" too, and answers from them.
///
/// - **Bounded** by weight in bytes; what is used least goes first.
/// - **Fresh**: no answer is older than `ttl` (5 minutes).
/// - **Of one edition**: the dataset behind it is asked for its
///   [fingerprint](DatasetInfo::fingerprint) before the first answer is kept and then on a miss
///   every `recheck` (1 minute). When that has changed everything is forgotten.
/// - **Batches** keep their promise of one edition: answers that are here and those that are fetched are only
///   put together when the fingerprint is seen to be the same before and after; if not, or if the
///   implementation can't tell its edition, the whole batch is asked anew.
///
/// Errors are never kept. The methods other than `lookup` pass.
pub struct Cache<L> {
    inner: L,
    entries: moka::sync::Cache<Postcode, Entry>,
    capacity: u64,
    ttl: Duration,
    edition: Edition,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Entry {
    answer: Answer,
    since: Instant,
    asked: Span,
}

/// How a [`Cache`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Postcodes answered from it.
    pub hits: u64,
    /// Postcodes that were not in it, or too old.
    pub misses: u64,
    /// Postcodes in it, about.
    pub entries: u64,
    /// Bytes that they take, about.
    pub bytes: u64,
}

impl<L: PostcodeLookup> Cache<L> {
    /// Around a lookup, of so many bytes.
    pub fn new(inner: L, capacity: u64) -> Self {
        let weigh = |_: &Postcode, entry: &Entry| {
            let areas = entry.answer.record().map_or(0, |record| record.areas.heap_size());
            // The map's own cost per entry is about 100 bytes.
            u32::try_from(size_of::<Entry>() + areas + 100).unwrap_or(u32::MAX)
        };
        Self {
            inner,
            entries: moka::sync::Cache::builder().max_capacity(capacity).weigher(weigh).build(),
            capacity,
            ttl: Duration::from_secs(5 * 60),
            edition: Edition::new(Duration::from_secs(60)),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// How old an answer may be.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// How often to ask for the edition.
    #[must_use]
    pub fn recheck(self, recheck: Duration) -> Self {
        Self { edition: Edition::new(recheck), ..self }
    }

    /// How it does.
    pub fn stats(&self) -> CacheStats {
        self.entries.run_pending_tasks();
        CacheStats {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            entries: self.entries.entry_count(),
            bytes: self.entries.weighted_size(),
        }
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.entries.invalidate_all();
    }

    fn get(&self, postcode: &Postcode) -> Option<Entry> {
        let entry = self.entries.get(postcode)?;
        (entry.since.elapsed() < self.ttl && self.edition.is_current(entry.asked)).then_some(entry)
    }

    /// Asks for the edition; true if it is the one that it was.
    async fn check(&self) -> bool {
        let began = self.edition.tick();
        let info = self.inner.info().await;
        info.is_ok_and(|info| self.observe(began, &info))
    }

    fn observe(&self, began: u64, info: &DatasetInfo) -> bool {
        let sight = self.edition.observe(began, &info.fingerprint);
        if sight == Sight::New {
            self.clear();
        }
        sight == Sight::Same
    }

    /// Asks for postcodes that are not here and keeps their answers.
    async fn fetch(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        if self.edition.is_due() {
            self.check().await;
        }
        let (began, since) = (self.edition.tick(), Instant::now());
        let answers = self.inner.lookup(postcodes).await?;
        if answers.len() != postcodes.len() {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a batch of {} postcodes came back with {} answers", postcodes.len(), answers.len()),
            ));
        }
        let asked = self.edition.since(began);
        for (postcode, answer) in postcodes.iter().zip(&answers) {
            self.entries.insert(*postcode, Entry { answer: answer.clone(), since, asked });
        }
        Ok(answers)
    }

    /// Several postcodes, some of which are here, others not.
    async fn batch(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        let kept: Vec<_> = postcodes.iter().map(|postcode| self.get(postcode)).collect();
        let missing: Vec<_> =
            postcodes.iter().zip(&kept).filter(|(_, kept)| kept.is_none()).map(|(p, _)| *p).collect();
        self.count(postcodes.len() - missing.len(), missing.len());
        if missing.len() == postcodes.len() || !self.edition.is_known() {
            return self.fetch(postcodes).await;
        }
        let certain = missing.is_empty() && kept.iter().flatten().all(|e| self.edition.is_certain(e.asked));
        if certain {
            return Ok(kept.into_iter().flatten().map(|entry| entry.answer).collect());
        }
        let fetched = if missing.is_empty() { Vec::new() } else { self.fetch(&missing).await? };
        // The edition may have changed since `kept` was read, and back is not possible in between.
        let one_edition =
            self.check().await && kept.iter().flatten().all(|e| self.edition.is_certain(e.asked));
        if !one_edition {
            return self.fetch(postcodes).await;
        }
        let mut fetched = fetched.into_iter();
        Ok(kept.into_iter().filter_map(|kept| kept.map(|e| e.answer).or_else(|| fetched.next())).collect())
    }

    fn count(&self, hits: usize, misses: usize) {
        self.hits.fetch_add(hits as u64, Relaxed);
        self.misses.fetch_add(misses as u64, Relaxed);
    }
}

impl<L: PostcodeLookup> Around for Cache<L> {
    async fn around<C: Call>(&self, call: C) -> Result<C::Reply> {
        let began = self.edition.tick();
        let reply = call.on(&self.inner).await?;
        if let Some(info) = (&reply as &dyn Any).downcast_ref() {
            self.observe(began, info);
        }
        Ok(reply)
    }

    async fn around_lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        crate::query::check::batch(postcodes.len())?;
        let [postcode] = postcodes else { return self.batch(postcodes).await };
        match self.get(postcode) {
            Some(entry) => {
                self.count(1, 0);
                Ok(vec![entry.answer])
            }
            None => {
                self.count(0, 1);
                self.fetch(postcodes).await
            }
        }
    }
}

layer!([L: PostcodeLookup] Cache<L>);

impl<L: fmt::Debug> fmt::Debug for Cache<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("inner", &self.inner)
            .field("capacity", &self.capacity)
            .field("ttl", &self.ttl)
            .field("edition", &self.edition)
            .finish()
    }
}
