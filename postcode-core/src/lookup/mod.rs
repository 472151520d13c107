//! The seam: the trait that callers hold and never look behind.

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

/// Looks up UK postcodes, in this process or in another; the caller can't tell which.
///
/// # Contract
///
/// What every implementation promises, and the conformance suite tests:
///
/// - **Answers.** A live postcode, a terminated one, an unknown one and one that the dataset does not
///   cover are four different [`Answer`]s, all `Ok`. "Not found" is never an error, and an error is never
///   "not found".
/// - **Batches.** `lookup` answers position by position: as many answers as postcodes, in their order,
///   duplicates answered each time, an empty batch with an empty answer. All answers of one batch come
///   from one edition of the dataset. At most [`MAX_BATCH`] postcodes.
/// - **Order.** `autocomplete`, `within` and `place_postcodes` answer in the order of postcodes, `nearest` by distance and then
///   in the order of postcodes, `nearest_outcodes` by distance and then in the order of outcodes, and `outcodes` in that.
///   `search`, `places` and `find_places` answer in the orders described there.
/// - **Limits.** A `limit` is 1 to [`MAX_LIMIT`], for `nearest` to [`MAX_NEIGHBOURS`] and for a page of `within` to
///   [`MAX_PAGE`](crate::MAX_PAGE), a radius 0 to [`MAX_RADIUS`] metres, a text at most [`MAX_QUERY`] bytes. Outside of
///   these every implementation answers [`InvalidInput`](crate::ErrorKind::InvalidInput), before any work. A service
///   whose operator allows less answers it for what is beyond that.
/// - **Errors.** Bad input is `InvalidInput` and asking again does not help; what an implementation can't do
///   is `NotSupported`, such as places of a dataset without any; all else says by [`Error::is_transient`] whether asking again may help.
/// - **Idempotence.** Every method only reads. It may be called twice, retried and hedged.
/// - **Cancellation.** Dropping a call's future stops it; nothing else is affected.
/// - **Time.** An implementation that can wait has a deadline of its own, and answers
///   [`Timeout`](crate::ErrorKind::Timeout) when it passes. No call hangs.
///
/// The methods are few on purpose; [`PostcodeLookupExt`] has the convenient ones. Implement all of them in a
/// decorator: there are no default bodies, so that none can be forgotten.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PostcodeLookup: Debug + Send + Sync + 'static {
    /// What each of these postcodes is.
    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>>;

    /// The outcode summed up over its live postcodes; `None` if it has none.
    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>>;

    /// The first live postcodes that begin with a text, ignoring case and spaces. An empty text begins all.
    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>>;

    /// Live postcodes for a partial text, exactly as `GET /postcodes?q=` of postcodes.io finds and orders them:
    /// a window of `limit` postcodes from the text on, of which those are kept that contain it.
    /// For completing what a person types, [`autocomplete`](Self::autocomplete) is better.
    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>>;

    /// The live postcodes around a point or a postcode, nearest first, itself included. `None` if the origin is
    /// a postcode that is unknown or has no location.
    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>>;

    /// The outcodes around a point or an outcode, nearest first, itself included: by the mean locations of their live
    /// postcodes. `None` if the origin is an outcode without live postcodes or without a location.
    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>>;

    /// A page of the live postcodes of a region, in the order of postcodes. `None` if the region is an area, an outcode
    /// or a sector without live postcodes: its name may be misspelt. A circle, box or polygon without any is an empty page.
    ///
    /// A page is of one edition of the dataset, and says where the next one begins. If the dataset is replaced between
    /// two pages, each is of its own edition, and what is in both is still given once.
    /// [`pages`](PostcodeLookupExt::pages) goes through all.
    async fn within(&self, query: &Within) -> Result<Option<Page>>;

    /// The first outcodes with live postcodes that begin with a text, ignoring case and spaces. An empty text begins all.
    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>>;

    /// Any live postcode, of an outcode if one is given. `None` if there is none.
    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>>;

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

    /// What the Scottish Postcode Directory says of a postcode; `None` if it has not that postcode, or no longer. A server of postcodes.io 18 knows
    /// the constituency only.
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>>;

    /// The dataset that the answers come from.
    async fn info(&self) -> Result<DatasetInfo>;
}

/// A pointer to a lookup is a lookup, so that decorators take either.
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
