//! Compares the answers of two implementations.

use std::fmt::{self, Display};

use crate::{Lookups, Nearest, NearestOutcodes, Outcode, PlaceQuery, Postcode, Result, Within};

/// A call of any method, which can be made on several implementations.
///
/// Made by [`answer`](Self::answer):
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::conformance::{Fixture, Reference};
/// # let lookup = Reference::new(Fixture::small());
/// use postcode_core::conformance::AnyCall;
///
/// let call = AnyCall::Autocomplete("SW1A".to_owned(), 0); // a limit of 0 is invalid
/// assert_eq!(call.answer(&lookup).await, "error invalid_input");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnyCall {
    /// [`PostcodeLookup::lookup`](crate::PostcodeLookup::lookup).
    Lookup(Vec<Postcode>),
    /// [`PostcodeLookup::outcode`](crate::PostcodeLookup::outcode).
    Outcode(Outcode),
    /// [`PostcodeLookup::autocomplete`](crate::PostcodeLookup::autocomplete).
    Autocomplete(String, usize),
    /// [`PostcodeLookup::search`](crate::PostcodeLookup::search).
    Search(String, usize),
    /// [`PostcodeLookup::nearest`](crate::PostcodeLookup::nearest).
    Nearest(Nearest),
    /// [`PostcodeLookup::nearest_outcodes`](crate::PostcodeLookup::nearest_outcodes).
    NearestOutcodes(NearestOutcodes),
    /// [`PostcodeLookup::within`](crate::PostcodeLookup::within).
    Within(Within),
    /// [`PostcodeLookup::outcodes`](crate::PostcodeLookup::outcodes).
    Outcodes(String, usize),
    /// [`PlaceLookup::place`](crate::PlaceLookup::place).
    Place(String),
    /// [`PlaceLookup::places`](crate::PlaceLookup::places).
    Places(String, usize),
    /// [`PlaceLookup::find_places`](crate::PlaceLookup::find_places).
    FindPlaces(PlaceQuery),
    /// [`PlaceLookup::place_postcodes`](crate::PlaceLookup::place_postcodes).
    PlacePostcodes(String, Option<Postcode>, usize),
    /// [`ScottishLookup::scottish_postcode`](crate::ScottishLookup::scottish_postcode).
    Scottish(Postcode),
    /// [`PostcodeLookup::info`](crate::PostcodeLookup::info).
    Info,
}

impl AnyCall {
    /// Makes the call. Returns the answer, or the kind of the error, as text.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::conformance::{AnyCall, Fixture, Reference};
    ///
    /// let lookup = Reference::new(Fixture::small());
    /// let call = AnyCall::Outcode("ZE9".parse()?); // an outcode that the data does not have
    /// assert_eq!(call.answer(&lookup).await, "None");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn answer(&self, lookup: &dyn Lookups) -> String {
        match self {
            Self::Lookup(postcodes) => text(lookup.lookup(postcodes).await),
            Self::Outcode(outcode) => text(lookup.outcode(*outcode).await),
            Self::Autocomplete(prefix, limit) => text(lookup.autocomplete(prefix, *limit).await),
            Self::Search(query, limit) => text(lookup.search(query, *limit).await),
            Self::Nearest(query) => text(lookup.nearest(query).await),
            Self::NearestOutcodes(query) => text(lookup.nearest_outcodes(query).await),
            Self::Within(query) => text(lookup.within(query).await),
            Self::Outcodes(prefix, limit) => text(lookup.outcodes(prefix, *limit).await),
            Self::Place(code) => text(lookup.place(code).await),
            Self::Places(query, limit) => text(lookup.places(query, *limit).await),
            Self::FindPlaces(query) => text(lookup.find_places(query).await),
            Self::PlacePostcodes(code, after, limit) => {
                text(lookup.place_postcodes(code, *after, *limit).await)
            }
            Self::Scottish(postcode) => text(lookup.scottish_postcode(*postcode).await),
            Self::Info => text(lookup.info().await),
        }
    }
}

/// Formats an answer. `{:?}` of a float is exact, so equal texts are equal answers.
fn text<T: fmt::Debug>(answer: Result<T>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("error {}", error.kind().code()),
    }
}

/// A call that two implementations answer differently.
///
/// ```
/// use postcode_core::conformance::{AnyCall, Difference};
///
/// let difference = Difference { call: AnyCall::Info, one: "1 postcode".to_owned(), other: "2 postcodes".to_owned() };
/// println!("{difference}");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The call.
    pub call: AnyCall,
    /// The answer of the first implementation, or the kind of its error.
    pub one: String,
    /// The answer of the second.
    pub other: String,
}

impl Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, one, other } = self;
        // Long answers differ somewhere in the middle, so show them from just before that.
        let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        let part = |text: &str| text.chars().skip(same.saturating_sub(60)).take(160).collect::<String>();
        write!(f, "{call:?}:\n  one:   …{}…\n  other: …{}…", part(one), part(other))
    }
}

/// Makes the same calls on two implementations. Returns those with different answers, or with
/// errors of different kinds.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use postcode_core::conformance::{AnyCall, Fixture, Reference, differential};
///
/// let fixture = Fixture::small();
/// let (one, other) = (Reference::new(fixture.clone()), Reference::new(fixture.next_edition()));
/// let calls = || [AnyCall::Outcode("SW1A".parse().unwrap()), AnyCall::Info];
/// assert!(differential(&one, &one, calls()).await.is_empty());
/// assert!(!differential(&one, &other, calls()).await.is_empty()); // the editions differ
/// # Ok(())
/// # }
/// ```
pub async fn differential(
    one: &dyn Lookups,
    other: &dyn Lookups,
    calls: impl IntoIterator<Item = AnyCall>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for call in calls {
        let (one, other) = (call.answer(one).await, call.answer(other).await);
        if one != other {
            differences.push(Difference { call, one, other });
        }
    }
    differences
}
