//! The lookup trait.

mod ext;
mod pages;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

pub use ext::PostcodeLookupExt;
pub use pages::Pages;

use crate::{
    Answer, DatasetInfo, Nearest, NearestOutcodes, Neighbour, Outcode, OutcodeSummary, Page, Place,
    PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, Record, Result, ScottishPostcode, Within,
};
#[cfg(doc)]
use crate::{Error, MAX_BATCH, MAX_LIMIT, MAX_NEIGHBOURS, MAX_QUERY, MAX_RADIUS};

/// Looks up UK postcodes, in this process or in another. The caller can't tell which.
///
/// # Contract
///
/// Every implementation keeps these promises, which the conformance suite tests:
///
/// - **Answers.** A live postcode, a terminated one, an unknown one and one that the dataset does not
///   cover are four different [`Answer`]s, all `Ok`. "Not found" is never an error, and an error never
///   means "not found".
/// - **Batches.** `lookup` answers position by position: as many answers as postcodes, in their order.
///   Duplicates are answered each time, and an empty batch has an empty answer. All answers of one batch
///   come from one edition of the dataset. A batch has at most [`MAX_BATCH`] postcodes.
/// - **Order.** `autocomplete`, `within` and `place_postcodes` answer in the order of postcodes,
///   `outcodes` in the order of outcodes, and `nearest` and `nearest_outcodes` by distance and then in
///   these orders. For `search`, `places` and `find_places` see there.
/// - **Limits.** A `limit` is 1 to [`MAX_LIMIT`], for `nearest` to [`MAX_NEIGHBOURS`] and for a page of
///   `within` to [`MAX_PAGE`](crate::MAX_PAGE). A radius is 0 to [`MAX_RADIUS`] metres, and a text at most
///   [`MAX_QUERY`] bytes. Outside these limits every implementation returns
///   [`InvalidInput`](crate::ErrorKind::InvalidInput), before any work. So does a service beyond the
///   lower limits that its operator has set.
/// - **Errors.** `InvalidInput` means that the input is wrong, and asking again does not help.
///   `NotSupported` means that the implementation can't answer, for example because its dataset has no
///   places. For other errors [`Error::is_transient`] says whether asking again may help.
/// - **Idempotence.** Every method only reads. It may be called twice, retried and hedged.
/// - **Cancellation.** Dropping a call's future stops the call, and nothing else is affected.
/// - **Time.** An implementation that waits for something has its own deadline, and returns
///   [`Timeout`](crate::ErrorKind::Timeout) when it passes. No call hangs.
///
/// The trait is small on purpose; [`PostcodeLookupExt`] has convenient calls. A decorator implements all
/// methods: there are no default bodies, so that none can be forgotten.
///
/// ```
/// use postcode_core::{PostcodeLookup, PostcodeLookupExt, Result};
///
/// /// Works with any source: the embedded data, a file or a service.
/// async fn district(postcodes: &dyn PostcodeLookup, text: &str) -> Result<Option<String>> {
///     let answer = postcodes.get_str(text).await?;
///     Ok(answer.record().and_then(|record| record.admin_district()).map(str::to_owned))
/// }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PostcodeLookup: Debug + Send + Sync + 'static {
    /// Looks up each of these postcodes: at most [`MAX_BATCH`], answered position by position.
    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>>;

    /// Returns the summary of an outcode over its live postcodes, or `None` if it has none.
    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>>;

    /// Returns the first live postcodes that begin with a text, at most `limit`. Case and spaces
    /// are ignored. An empty text matches all.
    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>>;

    /// Returns live postcodes for a partial text, exactly as `GET /postcodes?q=` of postcodes.io
    /// finds and orders them: it looks at `limit` postcodes from the text on, and keeps those that
    /// contain it. To complete what a person types, [`autocomplete`](Self::autocomplete) is better.
    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>>;

    /// Returns the live postcodes around a point or a postcode, nearest first, including the
    /// postcode itself. `None` if the origin is a postcode that is unknown or has no location.
    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>>;

    /// Returns the outcodes around a point or an outcode, nearest first, including the outcode
    /// itself. Distances are to the mean locations of their live postcodes. `None` if the origin is
    /// an outcode without live postcodes or without a location.
    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>>;

    /// Returns a page of the live postcodes of a region, in the order of postcodes. `None` if the
    /// region is an area, an outcode or a sector without live postcodes: its name may be misspelt.
    /// For a circle, box or polygon without any, the page is empty.
    ///
    /// A page comes from one edition of the dataset, and says where the next one begins. If the
    /// dataset is replaced between two pages, each comes from its own edition, and a postcode that
    /// is in both editions is still returned once. [`pages`](PostcodeLookupExt::pages) goes through
    /// all pages.
    async fn within(&self, query: &Within) -> Result<Option<Page>>;

    /// Returns the first outcodes with live postcodes that begin with a text, at most `limit`. Case
    /// and spaces are ignored. An empty text matches all.
    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>>;

    /// Returns a random live postcode, of this outcode if one is given. `None` if there are no live
    /// postcodes.
    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>>;

    /// Returns the populated place with this code, in any case, or `None`.
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
    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>>;

    /// Returns live postcodes in the box on the National Grid around a place, given by a code from
    /// [`find_places`](Self::find_places) or [`places`](Self::places): `limit` of them after the
    /// postcode `after`, or the first ones. `None` if there is no such place.
    ///
    /// The box also contains surroundings, so some of these postcodes belong to neighbouring
    /// places. A side that Ordnance Survey does not give is 500 metres from the place. A place
    /// without a location has no postcodes. An area, such as a county, has no box, and a box of
    /// more than 200 km is too large: both are [`NotSupported`](crate::ErrorKind::NotSupported).
    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>>;

    /// Returns a random populated place, or `None` if the dataset has no places.
    async fn random_place(&self) -> Result<Option<Place>>;

    /// Returns the entry of a postcode in the Scottish Postcode Directory, or `None` if it has no
    /// live entry there. A postcodes.io 18 server knows only the constituency.
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>>;

    /// Returns the edition, source, licence and size of the dataset.
    async fn info(&self) -> Result<DatasetInfo>;
}

/// Implements the trait for pointers to a lookup, so that decorators accept either.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl<T: PostcodeLookup + ?Sized> PostcodeLookup for $pointer {
            async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
                (**self).lookup(postcodes).await
            }
            async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
                (**self).outcode(outcode).await
            }
            async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
                (**self).autocomplete(prefix, limit).await
            }
            async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
                (**self).search(query, limit).await
            }
            async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
                (**self).nearest(query).await
            }
            async fn within(&self, query: &Within) -> Result<Option<Page>> {
                (**self).within(query).await
            }
            async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
                (**self).outcodes(prefix, limit).await
            }
            async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
                (**self).random(outcode).await
            }
            async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
                (**self).nearest_outcodes(query).await
            }
            async fn place(&self, code: &str) -> Result<Option<Place>> {
                (**self).place(code).await
            }
            async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
                (**self).places(query, limit).await
            }
            async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
                (**self).find_places(query).await
            }
            async fn place_postcodes(
                &self,
                code: &str,
                after: Option<Postcode>,
                limit: usize,
            ) -> Result<Option<PlacePostcodes>> {
                (**self).place_postcodes(code, after, limit).await
            }
            async fn random_place(&self) -> Result<Option<Place>> {
                (**self).random_place().await
            }
            async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
                (**self).scottish_postcode(postcode).await
            }
            async fn info(&self) -> Result<DatasetInfo> {
                (**self).info().await
            }
        }
    )*};
}

forward!(Arc<T>, Box<T>, &'static T);
