//! Keeps answers for a limited time.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::call::{Call, LookupCall};
use super::edition::{Edition, Sight, Span};
use super::{Around, unit};
use crate::{Answer, DatasetInfo, Error, ErrorKind, Postcode, PostcodeLookup, Result, layer};

/// Keeps the answers to lookups, including "unknown", and answers repeated lookups from them.
///
/// - **Size** is limited in bytes. The least used answers are removed first.
/// - **Age** is limited: no answer is older than `ttl` (5 minutes).
/// - **Edition**: all kept answers come from one edition. The cache asks for the dataset's
///   [fingerprint](DatasetInfo::fingerprint) before it keeps the first answer, and then on a miss
///   every `recheck` (1 minute). When the fingerprint has changed, everything is removed.
/// - **Batches** still come from one edition. Kept and fetched answers are only combined when the
///   fingerprint was the same before and after. Otherwise, or if the implementation does not tell its
///   edition, the whole batch is fetched again.
///
/// Errors are never kept. The methods other than `lookup` pass unchanged, and so do lookups that demand
/// an [edition](super::unit::at_edition).
///
/// ```
/// use std::time::Duration;
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::Cache;
///
/// fn cached(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Cache::new(lookup, 16 << 20).ttl(Duration::from_secs(60)) // 16 MiB
/// }
/// ```
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

/// Hits, misses and size of a [`Cache`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Postcodes answered from the cache.
    pub hits: u64,
    /// Postcodes that were missing or too old.
    pub misses: u64,
    /// Postcodes in the cache, approximately.
    pub entries: u64,
    /// Bytes that they use, approximately.
    pub bytes: u64,
}

impl<L: PostcodeLookup> Cache<L> {
    /// Wraps a lookup with a cache of `capacity` bytes.
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

    /// Sets how old an answer may be: 5 minutes unless set.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Sets how often the edition is checked: every minute unless set.
    #[must_use]
    pub fn recheck(self, recheck: Duration) -> Self {
        Self { edition: Edition::new(recheck), ..self }
    }

    /// Returns the counts of hits and misses, and the size.
    pub fn stats(&self) -> CacheStats {
        self.entries.run_pending_tasks();
        CacheStats {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            entries: self.entries.entry_count(),
            bytes: self.entries.weighted_size(),
        }
    }

    /// Removes all answers.
    pub fn clear(&self) {
        self.entries.invalidate_all();
    }

    fn get(&self, postcode: &Postcode) -> Option<Entry> {
        let entry = self.entries.get(postcode)?;
        (entry.since.elapsed() < self.ttl && self.edition.is_current(entry.asked)).then_some(entry)
    }

    /// Asks for the edition. Returns true if it has not changed.
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

    /// Fetches postcodes that are not in the cache and keeps their answers.
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

    /// Answers several postcodes, some of which are kept and some not.
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
        // The edition may have changed since `kept` was read. It can't have changed back in
        // between.
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
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let began = self.edition.tick();
        let reply = call.on(&self.inner).await?;
        if let Some(info) = (&reply as &dyn Any).downcast_ref() {
            self.observe(began, info);
        }
        Ok(reply)
    }

    async fn around_lookup<C: LookupCall<L>>(&self, call: C) -> Result<C::Reply> {
        if unit::edition().is_some() {
            return call.on(&self.inner).await;
        }
        let postcodes = call.postcodes();
        crate::query::check::batch(postcodes.len())?;
        let [postcode] = postcodes else { return C::reply_all(self.batch(postcodes).await?) };
        match self.get(postcode) {
            Some(entry) => {
                self.count(1, 0);
                Ok(C::reply_one(entry.answer))
            }
            None => {
                self.count(0, 1);
                C::reply_all(self.fetch(postcodes).await?)
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
