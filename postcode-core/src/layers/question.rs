//! The question that the layers which save calls are about.

use std::fmt::Debug;
use std::hash::Hash;

use super::call::Reply;
use crate::{Answer, Error, ErrorKind, MAX_BATCH, Postcode, PostcodeLookup, PostcodeLookupExt, Result};

/// A question that a lookup `L` answers for many keys at once, each key by itself. [`Cache`](super::Cache),
/// [`SingleFlight`](super::SingleFlight) and [`Batcher`](super::Batcher) save calls of it.
///
/// [`OfPostcodes`] is the lookup of postcodes. `postcode-addresses` has the one of their addresses.
///
/// [`one`](Self::one) and [`many`](Self::many) ask, [`fingerprint`](Self::fingerprint) tells the edition, and
/// [`heap_size`](Self::heap_size) says what it costs to keep an answer:
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
/// use postcode_core::layers::{OfPostcodes, Question};
///
/// let answer = OfPostcodes::one(&library, "SW1A 1AA".parse()?).await?;
/// let answers = OfPostcodes::many(&library, &["SW1A 1AA".parse()?]).await?;
/// assert_eq!(answers, [answer]);
/// assert!(!OfPostcodes::fingerprint(&library).await?.is_empty());
/// println!("{} bytes", <OfPostcodes as Question<postcode_core::Local>>::heap_size(&answers[0]));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub trait Question<L: ?Sized>: Debug + Send + Sync + 'static {
    /// The type of the keys that are asked about.
    type Key: Copy + Debug + Eq + Hash + Send + Sync + 'static;
    /// The answer for one key.
    type Answer: Clone + Debug + Send + Sync + 'static;

    /// The most keys in one call.
    const MAX: usize;

    /// Asks about one key.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::{OfPostcodes, Question};
    /// use postcode_core::{Answer, MockPostcodeLookup};
    ///
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup_one().returning(|_| Ok(Answer::Unknown));
    /// assert_eq!(OfPostcodes::one(&lookup, "SW1A 9ZZ".parse()?).await?, Answer::Unknown);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    fn one(lookup: &L, key: Self::Key) -> Reply<'_, Self::Answer>;

    /// Asks about several keys: as many answers as keys, in their order.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::{OfPostcodes, Question};
    /// use postcode_core::{Answer, MockPostcodeLookup};
    ///
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|batch| Ok(vec![Answer::Unknown; batch.len()]));
    /// let keys = ["SW1A 9ZZ".parse()?, "EH1 9ZZ".parse()?];
    /// assert_eq!(OfPostcodes::many(&lookup, &keys).await?, [Answer::Unknown, Answer::Unknown]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    fn many<'a>(lookup: &'a L, keys: &'a [Self::Key]) -> Reply<'a, Vec<Self::Answer>>;

    /// Asks for the fingerprint of the edition. It is empty if the lookup does not tell.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::{OfPostcodes, Question};
    /// use postcode_core::{DatasetInfo, MockPostcodeLookup};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_info().returning(|| Ok(DatasetInfo::new("May 2025"))); // without a fingerprint
    /// assert_eq!(OfPostcodes::fingerprint(&lookup).await?, "");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    fn fingerprint(lookup: &L) -> Reply<'_, String>;

    /// Returns the bytes of an answer on the heap, approximately.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use postcode_core::layers::{OfPostcodes, Question};
    /// use postcode_core::{Answer, PostcodeLookup};
    ///
    /// let size = <OfPostcodes as Question<Arc<dyn PostcodeLookup>>>::heap_size(&Answer::Unknown);
    /// assert_eq!(size, 0); // only a record has areas
    /// ```
    fn heap_size(answer: &Self::Answer) -> usize;
}

/// The lookup of postcodes, as a [`Question`].
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{Cache, OfPostcodes};
///
/// fn cached(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Cache::of(OfPostcodes, lookup, 1 << 20) // the same as `Cache::new(lookup, 1 << 20)`
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfPostcodes;

impl<L: PostcodeLookup> Question<L> for OfPostcodes {
    type Key = Postcode;
    type Answer = Answer;

    const MAX: usize = MAX_BATCH;

    fn one(lookup: &L, key: Postcode) -> Reply<'_, Answer> {
        Box::pin(lookup.get(key))
    }

    fn many<'a>(lookup: &'a L, keys: &'a [Postcode]) -> Reply<'a, Vec<Answer>> {
        lookup.lookup(keys)
    }

    fn fingerprint(lookup: &L) -> Reply<'_, String> {
        Box::pin(async { Ok(lookup.info().await?.fingerprint) })
    }

    fn heap_size(answer: &Answer) -> usize {
        answer.record().map_or(0, |record| record.areas.heap_size())
    }
}

/// Asks about several keys, and checks that each has an answer.
pub(super) async fn all<L, Q: Question<L>>(lookup: &L, keys: &[Q::Key]) -> Result<Vec<Q::Answer>> {
    let answers = Q::many(lookup, keys).await?;
    if answers.len() != keys.len() {
        let what = format!("a batch of {} came back with {} answers", keys.len(), answers.len());
        return Err(Error::new(ErrorKind::Internal, what));
    }
    Ok(answers)
}
