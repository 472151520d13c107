//! Looking places up: populated places, islands and areas, by code and by name.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Place, PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, Result};

/// Looks up places, in this process or in another, under the contract of [`PostcodeLookup`](crate::PostcodeLookup).
///
/// `place_postcodes` answers in the order of postcodes, the others in the orders described there. A limit is 1 to
/// [`MAX_LIMIT`](crate::MAX_LIMIT), and a text has at most [`MAX_QUERY`](crate::MAX_QUERY) bytes. Without places in the
/// data every answer is [`NotSupported`](crate::ErrorKind::NotSupported).
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push_place(&postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town"))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{PlaceLookup, PlaceQuery, Result};
///
/// /// Suggests places for what a person has typed.
/// async fn suggestions(places: &dyn PlaceLookup, typed: &str) -> Result<Vec<String>> {
///     let found = places.find_places(&PlaceQuery::new(typed).limit(5)).await?;
///     Ok(found.into_iter().map(|found| found.name).collect())
/// }
///
/// assert_eq!(suggestions(&library, "amblesid").await?, ["Ambleside"]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PlaceLookup: Debug + Send + Sync + 'static {
    /// Returns the populated place with this code, in any case, or `None`.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let places = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PlaceLookup;
    ///
    /// let place = places.place("osgb4000000074551019").await?.ok_or("not there")?;
    /// assert_eq!((&*place.name_1, &*place.local_type), ("Ambleside", "Town"));
    /// assert_eq!(places.place("osgb1").await?, None);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn place(&self, code: &str) -> Result<Option<Place>>;

    /// Returns populated places by name, as `GET /places?q=` of postcodes.io finds them. First
    /// choice are places with a name that contains the words of the text next to each other;
    /// accents matter. If there are none, places with a name that begins with the text; accents are
    /// ignored. A blank text finds nothing.
    ///
    /// The former are ordered by how much of the name the words make up, then by size of
    /// settlement, largest first. The latter are ordered by the name that begins with the text.
    /// Ties are ordered by name and code. (postcodes.io does not define the order of ties, or of
    /// the latter.)
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let places = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PlaceLookup;
    ///
    /// assert_eq!(places.places("amble", 10).await?[0].name_1, "Ambleside");
    /// assert!(places.places("Amblesyde", 10).await?.is_empty()); // see `find_places`
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>>;

    /// Returns places as a person types them: populated places, islands, and the counties, unitary
    /// authorities and districts that they lie in.
    ///
    /// All names of a place count, such as the Welsh and the English one. Case, accents,
    /// apostrophes, hyphens and the spaces between words make no difference, `&` is "and", and
    /// "Saint" is "St". A place is found if one of its names begins with the text, or if each word
    /// of the text begins a word of the name. Only if there are none, typing errors are allowed:
    /// one in a word of four to seven letters, two in a longer one. Two swapped letters are one
    /// error.
    ///
    /// They are ordered by [`MatchKind`](crate::MatchKind), then fewer typing errors first, then
    /// cities, towns, islands and areas, villages, suburban areas, hamlets and other settlements,
    /// then shorter names first, then by name and code. Each place appears once, with the name that
    /// matches best.
    ///
    /// Some places, such as counties, have no position from Ordnance Survey. Theirs is the mean
    /// position of the populated places in them.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let places = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{MatchKind, PlaceLookup, PlaceQuery};
    ///
    /// let found = places.find_places(&PlaceQuery::new("amblesyde")).await?;
    /// assert_eq!((&*found[0].name, found[0].kind, found[0].edits), ("Ambleside", MatchKind::Similar, 1));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>>;

    /// Returns live postcodes in the box on the National Grid around a place, given by a code from
    /// [`find_places`](Self::find_places) or [`places`](Self::places): `limit` of them after the
    /// postcode `after`, or the first ones. `None` if there is no such place.
    ///
    /// The box also contains surroundings, so some of these postcodes belong to neighbouring
    /// places. A side that Ordnance Survey does not give is 500 metres from the place. A place
    /// without a location has no postcodes. An area, such as a county, has no box, and a box of
    /// more than 200 km is too large: both are [`NotSupported`](crate::ErrorKind::NotSupported).
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let places = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PlaceLookup;
    ///
    /// let found = places.place_postcodes("osgb4000000074551019", None, 10).await?.ok_or("no such place")?;
    /// assert_eq!((found.total, found.postcodes[0].to_string()), (1, "LA22 9DL".to_owned()));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>>;

    /// Returns a random populated place, or `None` if the dataset has no places.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let places = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PlaceLookup;
    ///
    /// let place = places.random_place().await?.ok_or("no places")?;
    /// assert_eq!(place.name_1, "Ambleside"); // the only one here
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
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
