//! Counts what each group of callers asks, by method, and what a cache or joined calls would save.

mod account;
mod answer;
mod arrivals;
mod reuse;
mod snapshot;

use std::any::Any;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use tokio::time::Instant;

pub use self::snapshot::{CacheEstimate, CohortSnapshot, JoinEstimate, LedgerSnapshot, MethodSnapshot};

use self::account::{Account, Cohort, polled};
use super::call::{Call, LookupCall};
use super::{Around, unit};
use crate::{PostcodeLookup, Result, layer};

/// The most cohorts with separate accounts. Others share one.
const MAX_COHORTS: usize = 16;
/// The name of the account that further cohorts share.
const OTHER_COHORTS: &str = "other";
/// One call in this many is timed: reading the clock twice takes longer than the rest of the work.
const TIMED: u64 = 16;
/// One answer in this many is written as JSON to know its size.
const WEIGHED: u64 = 256;

/// Counts the calls to a lookup for each [cohort](super::unit::cohort) and method: calls, items, bytes,
/// time and work. It also estimates what a [`Cache`](super::Cache) and a [`Batcher`](super::Batcher)
/// would save. [`advice`](super::advice) predicts from it what another place of the lookup would cost.
///
/// The memory is limited, however many calls and keys there are: at most 17 cohorts, each with one account
/// for a method, 1,024 sampled keys and fixed histograms. Times, sizes and arrivals are sampled.
///
/// Put it outside of a [`Promotion`](super::Promotion), so that it counts in every stage. A clone counts
/// into the same ledger.
///
/// Created by [`new`](Self::new). [`snapshot`](Self::snapshot) returns what it has counted:
///
/// ```
/// # async fn example(library: std::sync::Arc<dyn postcode_core::Lookups>) -> postcode_core::Result<()> {
/// use postcode_core::PostcodeLookupExt;
/// use postcode_core::layers::Ledger;
///
/// let ledger = Ledger::new(library);
/// ledger.get_str("SW1A 1AA").await?;
/// assert_eq!(ledger.snapshot().cohorts[0].methods[0].calls, 1);
/// # Ok(()) }
/// ```
pub struct Ledger<L> {
    inner: L,
    book: Arc<Book>,
}

/// The accounts that all clones of a ledger share.
struct Book {
    since: Instant,
    /// Callers without a cohort.
    rest: Cohort,
    cohorts: [OnceLock<(Arc<str>, Cohort)>; MAX_COHORTS],
    other: OnceLock<Cohort>,
}

impl<L: Clone> Clone for Ledger<L> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), book: self.book.clone() }
    }
}

impl<L> Ledger<L> {
    /// Wraps a lookup with an empty ledger.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Ledger;
    /// use postcode_core::{Answer, MockPostcodeLookup, PostcodeLookupExt, unit};
    ///
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup_one().returning(|_| Ok(Answer::Unknown));
    /// let ledger = Ledger::new(lookup);
    /// unit::cohort("import", ledger.get_str("SW1A 1AA")).await?;
    /// assert_eq!(ledger.snapshot().cohorts[0].cohort, "import");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L) -> Self {
        let book = Book {
            since: Instant::now(),
            rest: Cohort::new(),
            cohorts: [const { OnceLock::new() }; MAX_COHORTS],
            other: OnceLock::new(),
        };
        Self { inner, book: Arc::new(book) }
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
    /// use postcode_core::layers::Ledger;
    ///
    /// assert_eq!(Ledger::new(library).inner().dataset().info().live, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inner(&self) -> &L {
        &self.inner
    }

    /// Returns the counts and estimates since the start.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Ledger;
    /// use postcode_core::{Error, ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup_one().returning(|_| Err(Error::new(ErrorKind::Timeout, "no answer")));
    /// let ledger = Ledger::new(lookup);
    /// assert!(ledger.get_str("SW1A 1AA").await.is_err());
    /// let method = &ledger.snapshot().cohorts[0].methods[0];
    /// assert_eq!((&*method.method, method.calls, method.failed), ("lookup_one", 1, 1));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn snapshot(&self) -> LedgerSnapshot {
        self.book.snapshot()
    }
}

impl Book {
    fn cohort(&self) -> &Cohort {
        let (_, Some(name)) = unit::current() else { return &self.rest };
        for place in &self.cohorts {
            let (known, cohort) = place.get_or_init(|| (name.clone(), Cohort::new()));
            if **known == *name {
                return cohort;
            }
        }
        self.other.get_or_init(Cohort::new)
    }

    fn snapshot(&self) -> LedgerSnapshot {
        let named = self.cohorts.iter().map_while(OnceLock::get);
        let all = std::iter::once(("", &self.rest))
            .chain(named.map(|(name, cohort)| (&**name, cohort)))
            .chain(self.other.get().map(|cohort| (OTHER_COHORTS, cohort)));
        LedgerSnapshot {
            seconds: self.since.elapsed().as_secs_f64(),
            cohorts: all
                .map(|(name, cohort)| cohort.snapshot(name))
                .filter(|c| !c.methods.is_empty())
                .collect(),
        }
    }
}

/// Makes a call and adds it to an account.
async fn counted<L: ?Sized, C: Call<L>>(account: &Account, call: C, inner: &L) -> Result<C::Reply> {
    let number = account.calls.fetch_add(1, Relaxed);
    let answer = if number.is_multiple_of(TIMED) {
        let begun = Instant::now();
        let (answer, worked) = polled(call.on(inner)).await;
        account.timed(begun.elapsed(), worked);
        answer
    } else {
        call.on(inner).await
    };
    match &answer {
        Ok(reply) => {
            let reply: &dyn Any = reply;
            let items = answer::items(reply);
            account.items(items);
            if number.is_multiple_of(WEIGHED) {
                account.weighed(answer::bytes(reply), items);
            }
        }
        Err(_) => drop(account.failed.fetch_add(1, Relaxed)),
    }
    answer
}

impl<L: fmt::Debug + Send + Sync + 'static> Around for Ledger<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        counted(self.book.cohort().account(C::NAME), call, &self.inner).await
    }

    async fn around_lookup<C: LookupCall<L>>(&self, call: C) -> Result<C::Reply> {
        let cohort = self.book.cohort();
        if let [_] = call.postcodes() {
            cohort.arrivals.note();
        }
        for postcode in call.postcodes().iter().take(crate::MAX_BATCH) {
            cohort.reuse.note(u64::from(postcode.code()));
        }
        counted(cohort.account(C::NAME), call, &self.inner).await
    }
}

layer!([L: PostcodeLookup] Ledger<L>);

impl<L: fmt::Debug> fmt::Debug for Ledger<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("inner", &self.inner).finish_non_exhaustive()
    }
}
