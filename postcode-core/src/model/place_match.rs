//! The results of a search for places, and the postcodes of a place.

use serde::{Deserialize, Serialize};

use crate::{Outcode, Place, Postcode};

/// A place found by a [`PlaceQuery`](crate::PlaceQuery), and how it matches.
///
/// Returned by [`find_places`](crate::PlaceLookup::find_places). An implementation creates it with [`new`](Self::new):
///
/// ```
/// use postcode_core::{MatchKind, Place, PlaceMatch};
///
/// let place = Place::new("osgb4000000074551019", "Ambleside", "Town");
/// let found = PlaceMatch::new(MatchKind::Similar, 1, "Ambleside", place);
/// assert_eq!(found.place.name_1, "Ambleside");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlaceMatch {
    /// How the name matches the text.
    #[serde(rename = "match")]
    pub kind: MatchKind,
    /// The number of typing errors between the text and the name: extra, missing, wrong or swapped
    /// letters. 0 unless the kind is [`Similar`](MatchKind::Similar).
    pub edits: u32,
    /// The name that matches, as it is written.
    pub name: String,
    /// The place.
    pub place: Place,
}

impl PlaceMatch {
    /// Creates a match of a place by one of its names.
    ///
    /// ```
    /// use postcode_core::{MatchKind, Place, PlaceMatch};
    ///
    /// let mut place = Place::new("osgb4000000074542287", "Caernarfon", "Town");
    /// place.name_2 = Some("Carnarvon".to_owned());
    /// let found = PlaceMatch::new(MatchKind::Exact, 0, "Carnarvon", place);
    /// assert_eq!((found.name.as_str(), found.place.name_1.as_str()), ("Carnarvon", "Caernarfon"));
    /// ```
    pub fn new(kind: MatchKind, edits: u32, name: impl Into<String>, place: Place) -> Self {
        Self { kind, edits, name: name.into(), place }
    }
}

/// How a name matches a text, from best to worst.
///
/// ```
/// use postcode_core::MatchKind;
///
/// assert!(MatchKind::Exact < MatchKind::Similar); // the better one is less
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchKind {
    /// The name is the text.
    Exact,
    /// The name begins with the text.
    Beginning,
    /// Each word of the text begins a word of the name.
    Words,
    /// Like `Beginning` or `Words`, but with typing errors.
    Similar,
}

/// The live postcodes in the box around a place.
///
/// ```
/// use postcode_core::PlacePostcodes;
///
/// let mut found = PlacePostcodes::default();
/// found.total = 2;
/// found.postcodes = vec!["LA22 9DL".parse()?];
/// let is_last_page = found.total == found.postcodes.len() as u64;
/// assert!(!is_last_page);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlacePostcodes {
    /// The number of postcodes in the box.
    pub total: u64,
    /// The outcodes of all these postcodes, in order.
    pub outcodes: Vec<Outcode>,
    /// One page of the postcodes, in order: after the requested postcode, as many as the limit
    /// allows.
    pub postcodes: Vec<Postcode>,
}

impl PlacePostcodes {
    /// Returns the page of at most `limit` postcodes after `after`, or the first page.
    #[cfg(feature = "conformance")]
    pub(crate) fn page(all: &[Postcode], after: Option<Postcode>, limit: usize) -> Self {
        let mut outcodes: Vec<_> = all.iter().map(|postcode| postcode.outcode()).collect();
        outcodes.dedup();
        let start = all.partition_point(|postcode| after.is_some_and(|after| *postcode <= after));
        let postcodes = all[start..].iter().copied().take(limit).collect();
        Self { total: all.len() as u64, outcodes, postcodes }
    }
}
