//! What a search for places finds, and the postcodes of one.

use serde::{Deserialize, Serialize};

use crate::{Outcode, Place, Postcode};

/// A place that a [`PlaceQuery`](crate::PlaceQuery) finds, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlaceMatch {
    /// How its name answers the text.
    #[serde(rename = "match")]
    pub kind: MatchKind,
    /// Typing errors between the text and the name: letters too many, too few, wrong, or in each other's place. 0 unless
    /// the kind is [`Similar`](MatchKind::Similar).
    pub edits: u32,
    /// Which of its names it is, as it is written.
    pub name: String,
    /// The place.
    pub place: Place,
}

impl PlaceMatch {
    /// That place, found by that name of it.
    pub fn new(kind: MatchKind, edits: u32, name: impl Into<String>, place: Place) -> Self {
        Self { kind, edits, name: name.into(), place }
    }
}

/// How a name answers a text; the better before the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchKind {
    /// The name is the text.
    Exact,
    /// The name begins with the text.
    Beginning,
    /// Each word of the text begins a word of the name.
    Words,
    /// The name begins with the text, or each word of the text begins a word of the name, but for typing errors.
    Similar,
}

/// The live postcodes in the box around a place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlacePostcodes {
    /// How many there are.
    pub total: u64,
    /// The outcodes of all of them, in their order.
    pub outcodes: Vec<Outcode>,
    /// Some of them, in their order: those after the postcode that was asked for, as many as the limit allows.
    pub postcodes: Vec<Postcode>,
}

impl PlacePostcodes {
    /// Of all postcodes of the place, in their order, `limit` after one of them, or the first.
    #[cfg(feature = "conformance")]
    pub(crate) fn page(all: &[Postcode], after: Option<Postcode>, limit: usize) -> Self {
        let mut outcodes: Vec<_> = all.iter().map(|postcode| postcode.outcode()).collect();
        outcodes.dedup();
        let start = all.partition_point(|postcode| after.is_some_and(|after| *postcode <= after));
        let postcodes = all[start..].iter().copied().take(limit).collect();
        Self { total: all.len() as u64, outcodes, postcodes }
    }
}
