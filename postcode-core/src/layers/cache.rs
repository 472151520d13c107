//! Keeps answers for a limited time.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::call::{Call, LookupCall};
use super::edition::{Edition, Sight, Span};
use super::question::{self, OfPostcodes, Question};
use super::{Around, unit};
#[cfg(doc)]
use crate::ErrorKind;
use crate::{DatasetInfo, PostcodeLookup, Result, layer};

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
/// [`new`](Self::new) takes the size, and [`ttl`](Self::ttl) sets the age:
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
///
/// [`of`](Self::of) takes another [`Question`], and then it keeps the answers of that.
pub struct Cache<L, Q: Question<L> = OfPostcodes> {
    inner: L,
    entries: moka::sync::Cache<Q::Key, Entry<Q::Answer>>,
    capacity: u64,
    ttl: Duration,
    edition: Edition,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Entry<A> {
    answer: A,
    since: Instant,
    asked: Span,
}

/// Hits, misses and size of a [`Cache`].
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{PostcodeLookupExt, layers::Cache};
///
/// let cached = Cache::new(library, 1 << 20);
/// for _ in 0..3 {
///     cached.get_str("SW1A 1AA").await?;
/// }
/// let stats = cached.stats();
/// assert_eq!((stats.hits, stats.misses), (2, 1));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
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
    /// Wraps a lookup with a cache of `capacity` bytes. Answers are kept for 5 minutes unless
    /// [`ttl`](Self::ttl) is set.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Cache;
    /// use postcode_core::{Answer, DatasetInfo, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_info().returning(|| Ok(DatasetInfo::new("May 2025")));
    /// lookup.expect_lookup().times(1).returning(|batch| Ok(vec![Answer::Unknown; batch.len()]));
    /// let cached = Cache::new(lookup, 16 << 20); // 16 MiB
    /// for _ in 0..3 {
    ///     assert_eq!(cached.get_str("SW1A 9ZZ").await?, Answer::Unknown);
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L, capacity: u64) -> Self {
        Self::of(OfPostcodes, inner, capacity)
    }
}

impl<L, Q: Question<L>> Cache<L, Q> {
    /// Wraps a lookup with a cache of `capacity` bytes for the answers to this question.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::{Cache, OfPostcodes};
    ///
    /// let cached = Cache::of(OfPostcodes, library, 1 << 20);
    /// assert_eq!(cached.answers(&["SW1A 1AA".parse()?, "AB1 0AA".parse()?]).await?.len(), 2);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn of(_: Q, inner: L, capacity: u64) -> Self {
        let weigh = |_: &Q::Key, entry: &Entry<Q::Answer>| {
            let heap = Q::heap_size(&entry.answer);
            // The map's own cost per entry is about 100 bytes.
            u32::try_from(size_of::<Entry<Q::Answer>>() + heap + 100).unwrap_or(u32::MAX)
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
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use postcode_core::layers::Cache;
    /// use postcode_core::{Answer, DatasetInfo, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_info().returning(|| Ok(DatasetInfo::new("May 2025")));
    /// # lookup.expect_lookup().returning(|batch| Ok(vec![Answer::Unknown; batch.len()]));
    /// let cached = Cache::new(lookup, 16 << 20).ttl(Duration::from_secs(60));
    /// cached.get_str("SW1A 9ZZ").await?;
    /// tokio::time::advance(Duration::from_secs(61)).await; // in a test with paused time
    /// cached.get_str("SW1A 9ZZ").await?;
    /// assert_eq!(cached.stats().misses, 2);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Sets how often the edition is checked: every minute unless set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::Cache;
    ///
    /// /// Shows a new edition after ten seconds at most.
    /// fn cached(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
    ///     Cache::new(lookup, 16 << 20).recheck(Duration::from_secs(10))
    /// }
    /// ```
    #[must_use]
    pub fn recheck(self, recheck: Duration) -> Self {
        Self { edition: Edition::new(recheck), ..self }
    }

    /// Returns the counts of hits and misses, and the size.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::Cache;
    ///
    /// assert_eq!(Cache::new(library, 1 << 20).stats().entries, 0);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{PostcodeLookupExt, layers::Cache};
    ///
    /// let cached = Cache::new(library, 1 << 20);
    /// cached.get_str("SW1A 1AA").await?;
    /// cached.clear();
    /// cached.get_str("SW1A 1AA").await?;
    /// assert_eq!(cached.stats().misses, 2);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn clear(&self) {
        self.entries.invalidate_all();
    }

    /// Returns the wrapped lookup.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::Cache;
    ///
    /// assert_eq!(Cache::new(library, 1 << 20).inner().dataset().info().live, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inner(&self) -> &L {
        &self.inner
    }

    fn get(&self, key: &Q::Key) -> Option<Entry<Q::Answer>> {
        let entry = self.entries.get(key)?;
        (entry.since.elapsed() < self.ttl && self.edition.is_current(entry.asked)).then_some(entry)
    }

    /// Asks for the edition. Returns true if it has not changed.
    async fn check(&self) -> bool {
        let began = self.edition.tick();
        let fingerprint = Q::fingerprint(&self.inner).await;
        fingerprint.is_ok_and(|fingerprint| self.observe(began, &fingerprint))
    }

    fn observe(&self, began: u64, fingerprint: &str) -> bool {
        let sight = self.edition.observe(began, fingerprint);
        if sight == Sight::New {
            self.clear();
        }
        sight == Sight::Same
    }

    /// Fetches the answers for keys that are not in the cache, and keeps them.
    async fn fetch(&self, keys: &[Q::Key]) -> Result<Vec<Q::Answer>> {
        if self.edition.is_due() {
            self.check().await;
        }
        let (began, since) = (self.edition.tick(), Instant::now());
        let answers = question::all::<L, Q>(&self.inner, keys).await?;
        let asked = self.edition.since(began);
        for (key, answer) in keys.iter().zip(&answers) {
            self.entries.insert(*key, Entry { answer: answer.clone(), since, asked });
        }
        Ok(answers)
    }

    /// Answers for one key or several, of which some are kept and some not.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::Cache;
    ///
    /// let cached = Cache::new(library, 1 << 20);
    /// let answers = cached.answers(&["SW1A 1AA".parse()?, "SW1A 1AA".parse()?]).await?;
    /// assert_eq!(answers[0], answers[1]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the lookup, and [`InvalidInput`](ErrorKind::InvalidInput) for more keys than one call may
    /// have.
    pub async fn answers(&self, keys: &[Q::Key]) -> Result<Vec<Q::Answer>> {
        if keys.len() > Q::MAX {
            // Let the lookup refuse it with its usual error.
            return question::all::<L, Q>(&self.inner, keys).await;
        }
        let kept: Vec<_> = keys.iter().map(|key| self.get(key)).collect();
        let missing: Vec<_> =
            keys.iter().zip(&kept).filter(|(_, kept)| kept.is_none()).map(|(key, _)| *key).collect();
        self.count(keys.len() - missing.len(), missing.len());
        // One answer alone is of one edition.
        if let [Some(entry)] = &kept[..] {
            return Ok(vec![entry.answer.clone()]);
        }
        if missing.len() == keys.len() || !self.edition.is_known() {
            return self.fetch(keys).await;
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
            return self.fetch(keys).await;
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
        if let Some(info) = (&reply as &dyn Any).downcast_ref::<DatasetInfo>() {
            self.observe(began, &info.fingerprint);
        }
        Ok(reply)
    }

    async fn around_lookup<C: LookupCall<L>>(&self, call: C) -> Result<C::Reply> {
        if unit::edition().is_some() {
            return call.on(&self.inner).await;
        }
        let postcodes = call.postcodes();
        crate::query::check::batch(postcodes.len())?;
        let [postcode] = postcodes else { return C::reply_all(self.answers(postcodes).await?) };
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

impl<L: fmt::Debug, Q: Question<L>> fmt::Debug for Cache<L, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("inner", &self.inner)
            .field("capacity", &self.capacity)
            .field("ttl", &self.ttl)
            .field("edition", &self.edition)
            .finish()
    }
}
