//! Looking places up: populated places, islands and areas, by code and by name.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Place, PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, Result};

/// Looks up places, in this process or in another, under the contract of [`PostcodeLookup`](crate::PostcodeLookup).
///
/// `place_postcodes` answers in the order of postcodes, the others in the orders described there. A limit is 1 to
/// [`MAX_LIMIT`](crate::MAX_LIMIT), and a text has at most [`MAX_QUERY`](crate::MAX_QUERY) bytes. Without places in the
/// data every answer is [`NotSupported`](crate::ErrorKind::NotSupported).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PlaceLookup: Debug + Send + Sync + 'static {
    /// The populated place of that code, in any case. `None` if there is none.
    async fn place(&self, code: &str) -> Result<Option<Place>>;

    /// Populated places by name, as `GET /places?q=` of postcodes.io finds them: those that have the words of the
    /// text side by side in one of their names, accents told apart; if there are none, those of which a name begins with
    /// the text, accents aside. A blank text finds nothing.
    ///
    /// The former are ordered by how much of the name the words are, then larger settlements before smaller ones, the
    /// latter by the name that begins with the text; then by name and code. (postcodes.io leaves the order of ties and
    /// of the latter open.)
    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>>;

    /// Places by what a person types: populated places, islands, and the counties, unitary authorities and districts
    /// that they lie in.
    ///
    /// Each name of a place counts, such as the Welsh and the English one. Case, accents, apostrophes, hyphens and the
    /// spaces between words make no difference, `&` is "and", and "Saint" is "St". A place is found if a name of it
    /// begins with the text, or if each word of the text begins a word of the name. Only if there are none, typing errors
    /// are allowed for: one in a word of four to seven letters, two in a longer one, where two letters in each other's
    /// place are one error.
    ///
    /// They are ordered by [`MatchKind`](crate::MatchKind), then fewer typing errors first, then cities, towns, islands
    /// and areas, villages, suburban areas, hamlets and other settlements, then shorter names first, then by name and
    /// code. Each place is there once, by the name that answers best.
    ///
    /// What Ordnance Survey gives no position for, a county for example, is at the mean position of the populated places
    /// in it.
    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>>;

    /// The live postcodes in the box on the National Grid around the place of that code, which
    /// [`find_places`](Self::find_places) or [`places`](Self::places) gave: `limit` of them after a postcode, or the
    /// first. `None` if there is no such place.
    ///
    /// A box holds what is around a town too: some of these postcodes are its neighbours'. A side that Ordnance Survey
    /// does not give is 500 metres from the place. A place without a location has none. An area, a county for example, has
    /// no box, and one of more than 200 km is too large: [`NotSupported`](crate::ErrorKind::NotSupported).
    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>>;

    /// Any populated place. `None` if there is none.
    async fn random_place(&self) -> Result<Option<Place>>;
}

/// The operations of [`PlaceLookup`], for the macros that make one thing for each: the method, its call as a value, the hook of
/// [`Around`](crate::lookup::Around) that it goes through, whether two implementations owe the same answer, the
/// arguments by reference and then those by value, and the reply.
#[doc(hidden)]
#[macro_export]
macro_rules! place_operations {
    ([$($then:tt)*] $with:tt) => {
        $($then)*! { $with PlaceLookup
            place PlaceOf around true (&code: str;) -> Option<$crate::Place>;
            places Places around true (&query: str; limit: usize) -> Vec<$crate::Place>;
            find_places FindPlaces around true (&query: $crate::PlaceQuery;) -> Vec<$crate::PlaceMatch>;
            place_postcodes PostcodesOfPlace around true (&code: str; after: Option<$crate::Postcode>, limit: usize) -> Option<$crate::PlacePostcodes>;
            random_place RandomPlace around false (;) -> Option<$crate::Place>;
        }
    };
}

/// The calls of [`PlaceLookup`] as values.
pub(crate) mod place_calls {
    use std::fmt::{self, Display};

    use super::*;
    use crate::lookup::call::{Quoted, calls};

    crate::place_operations!([calls] []);

    impl Display for PlaceOf<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "place {}", Quoted(&self.code))
        }
    }

    impl Display for Places<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "places for {} (limit {})", Quoted(&self.query), self.limit)
        }
    }

    impl Display for FindPlaces<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "search for places like {} (limit {}", Quoted(&self.query.text), self.query.limit)?;
            for (label, text) in [("within", &self.query.within), ("type", &self.query.local_type)] {
                if let Some(text) = text {
                    write!(f, ", {label} {}", Quoted(text))?;
                }
            }
            f.write_str(")")
        }
    }

    impl Display for PostcodesOfPlace<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "postcodes of place {} (limit {}", Quoted(&self.code), self.limit)?;
            match self.after {
                Some(after) => write!(f, ", after {after})"),
                None => f.write_str(")"),
            }
        }
    }

    impl Display for RandomPlace<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("random place")
        }
    }
}
