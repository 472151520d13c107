//! The question that the layers which save calls are about.

use std::fmt::Debug;
use std::hash::Hash;

use super::call::Reply;
use crate::{Answer, Error, ErrorKind, MAX_BATCH, Postcode, PostcodeLookup, PostcodeLookupExt, Result};

/// A question that a lookup `L` answers for many keys at once, each key by itself. [`Cache`](super::Cache),
/// [`SingleFlight`](super::SingleFlight) and [`Batcher`](super::Batcher) save calls of it.
///
/// [`OfPostcodes`] is the lookup of postcodes. `postcode-addresses` has the one of their addresses.
pub trait Question<L: ?Sized>: Debug + Send + Sync + 'static {
    /// The type of the keys that are asked about.
    type Key: Copy + Debug + Eq + Hash + Send + Sync + 'static;
    /// The answer for one key.
    type Answer: Clone + Debug + Send + Sync + 'static;

    /// The most keys in one call.
    const MAX: usize;

    /// Asks about one key.
    fn one(lookup: &L, key: Self::Key) -> Reply<'_, Self::Answer>;

    /// Asks about several keys: as many answers as keys, in their order.
    fn many<'a>(lookup: &'a L, keys: &'a [Self::Key]) -> Reply<'a, Vec<Self::Answer>>;

    /// Asks for the fingerprint of the edition. It is empty if the lookup does not tell.
    fn fingerprint(lookup: &L) -> Reply<'_, String>;

    /// Returns the bytes of an answer on the heap, approximately.
    fn heap_size(answer: &Self::Answer) -> usize;
}

/// The lookup of postcodes, as a [`Question`].
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
