//! Looking postcodes up: the trait that callers hold and never look behind.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{
    Answer, DatasetInfo, Nearest, NearestOutcodes, Neighbour, Outcode, OutcodeSummary, Page, Postcode,
    Record, Result, Within,
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
/// - **Order.** `autocomplete` and `within` answer in the order of postcodes, `outcodes` in the order of
///   outcodes, and `nearest` and `nearest_outcodes` by distance and then in these orders. For `search`
///   see there.
/// - **Editions.** Inside [`unit::at_edition`](crate::unit::at_edition), an implementation that knows its
///   edition answers from the demanded one, or fails with
///   [`EditionMoved`](crate::ErrorKind::EditionMoved). Only `info` always answers.
/// - **Limits.** A `limit` is 1 to [`MAX_LIMIT`], for `nearest` to [`MAX_NEIGHBOURS`] and for a page of
///   `within` to [`MAX_PAGE`](crate::MAX_PAGE). A radius is 0 to [`MAX_RADIUS`] metres, and a text at most
///   [`MAX_QUERY`] bytes. Outside these limits every implementation returns
///   [`InvalidInput`](crate::ErrorKind::InvalidInput), before any work. So does a service beyond the
///   lower limits that its operator has set.
/// - **Errors.** `InvalidInput` means that the input is wrong, and asking again does not help.
///   `NotSupported` means that the implementation can't answer, for example because a server has no
///   such route. For other errors [`Error::is_transient`] says whether asking again may help.
/// - **Idempotence.** Every method only reads. It may be called twice, retried and hedged.
/// - **Cancellation.** Dropping a call's future stops the call, and nothing else is affected.
/// - **Time.** An implementation that waits for something has its own deadline, and returns
///   [`Timeout`](crate::ErrorKind::Timeout) when it passes. No call hangs.
///
/// The trait is small on purpose. [`PostcodeLookupExt`](crate::PostcodeLookupExt) has convenient calls,
/// and [`PlaceLookup`](crate::PlaceLookup) and [`ScottishLookup`](crate::ScottishLookup) are separate
/// traits with the same contract. There are no default bodies, so that a decorator can't forget a
/// method. Write one with `layers::Around`.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.name_area(postcode_core::AreaKind::AdminDistrict, "E09000033", Some("Westminster"), None)?;
/// # let mut row = Row::live("SW1A 1AA".parse()?);
/// # row.areas.set(builder.area(postcode_core::AreaKind::AdminDistrict, "E09000033")?);
/// # builder.push(&row)?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{PostcodeLookup, PostcodeLookupExt, Result};
///
/// /// Works with any source: the embedded data, a file or a service.
/// async fn district(postcodes: &dyn PostcodeLookup, text: &str) -> Result<Option<String>> {
///     let answer = postcodes.get_str(text).await?;
///     Ok(answer.record().and_then(|record| record.admin_district()).map(str::to_owned))
/// }
///
/// assert_eq!(district(&library, "sw1a1aa").await?.as_deref(), Some("Westminster"));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PostcodeLookup: Debug + Send + Sync + 'static {
    /// Looks up each of these postcodes: at most [`MAX_BATCH`], answered position by position.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// let answers = postcodes.lookup(&["SW1A 1AA".parse()?, "SW1A 9ZZ".parse()?]).await?;
    /// assert!(answers[0].is_live());
    /// assert_eq!(answers[1].status(), "unknown");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>>;

    /// Looks up one postcode, without the cost of a batch.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// let answer = postcodes.lookup_one("AB1 0AA".parse()?).await?;
    /// assert_eq!(answer.status(), "terminated");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn lookup_one(&self, postcode: Postcode) -> Result<Answer>;

    /// Returns the summary of an outcode over its live postcodes, or `None` if it has none.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// let summary = postcodes.outcode("SW1A".parse()?).await?.ok_or("no live postcodes")?;
    /// assert_eq!(summary.outcode.to_string(), "SW1A");
    /// assert_eq!(postcodes.outcode("AB1".parse()?).await?, None); // terminated in 1996
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>>;

    /// Returns the first live postcodes that begin with a text, at most `limit`. Case and spaces
    /// are ignored. An empty text matches all.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// let found = postcodes.autocomplete("sw1a", 10).await?;
    /// assert_eq!(found, ["SW1A 1AA".parse()?, "SW1A 2AA".parse()?]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>>;

    /// Returns live postcodes for a partial text, exactly as `GET /postcodes?q=` of postcodes.io
    /// finds and orders them: it looks at `limit` postcodes from the text on, and keeps those that
    /// contain it. To complete what a person types, [`autocomplete`](Self::autocomplete) is better.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// let found = postcodes.search("SW1A 2", 10).await?;
    /// assert_eq!(found[0].postcode.to_string(), "SW1A 2AA");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>>;

    /// Returns the live postcodes around a point or a postcode, nearest first, including the
    /// postcode itself. The radius is 100 metres and the limit is 10 unless the query sets others.
    /// `None` if the origin is a postcode that is unknown or has no location.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{Nearest, Postcode, PostcodeLookup};
    ///
    /// let palace: Postcode = "SW1A 1AA".parse()?;
    /// let near = postcodes.nearest(&Nearest::to(palace).radius(1500.0)).await?.ok_or("no location")?;
    /// assert_eq!(near[1].record.postcode.to_string(), "SW1A 2AA");
    /// assert_eq!(near[1].distance.round(), 1007.0); // metres
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>>;

    /// Returns the outcodes around a point or an outcode, nearest first, including the outcode
    /// itself. Distances are to the mean locations of their live postcodes. `None` if the origin is
    /// an outcode without live postcodes or without a location.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{NearestOutcodes, PostcodeLookup};
    ///
    /// let charing_cross = Location::new(51.5074, -0.1278)?;
    /// let near = postcodes.nearest_outcodes(&NearestOutcodes::to(charing_cross)).await?.unwrap_or_default();
    /// assert_eq!(near[0].outcode.to_string(), "SW1A");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>>;

    /// Returns a page of the live postcodes of a region, in the order of postcodes. `None` if the
    /// region is an area, an outcode or a sector without live postcodes: its name may be misspelt.
    /// For a circle, box or polygon without any, the page is empty.
    ///
    /// A page comes from one edition of the dataset, and says where the next one begins. If the
    /// dataset is replaced between two pages, each comes from its own edition, and a postcode that
    /// is in both editions is still returned once. [`pages`](crate::PostcodeLookupExt::pages) goes through
    /// all pages.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{PostcodeLookup, Region, Within};
    ///
    /// let query = Within::of(Region::circle(Location::new(51.5, -0.14)?, 2000.0)).limit(1);
    /// let page = postcodes.within(&query).await?.ok_or("a circle is always known")?;
    /// assert_eq!(page.records[0].postcode.to_string(), "SW1A 1AA");
    /// assert_eq!(page.next.map(|last| last.to_string()).as_deref(), Some("SW1A 1AA")); // there is more
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn within(&self, query: &Within) -> Result<Option<Page>>;

    /// Returns the first outcodes with live postcodes that begin with a text, at most `limit`. Case
    /// and spaces are ignored. An empty text matches all.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// assert_eq!(postcodes.outcodes("", 10).await?, ["M1".parse()?, "SW1A".parse()?]);
    /// assert_eq!(postcodes.outcodes("s", 10).await?, ["SW1A".parse()?]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>>;

    /// Returns a random live postcode, of this outcode if one is given. `None` if there are no live
    /// postcodes.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// let record = postcodes.random(Some("M1".parse()?)).await?.ok_or("no live postcodes")?;
    /// assert_eq!(record.postcode.to_string(), "M1 1AE"); // the only one here
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>>;

    /// Returns the edition, source, licence and size of the dataset.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookup;
    ///
    /// let info = postcodes.info().await?;
    /// assert_eq!((info.edition.as_str(), info.live, info.terminated), ("made by hand", 3, 1));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn info(&self) -> Result<DatasetInfo>;
}

/// The operations of [`PostcodeLookup`], for the macros that make one thing for each: the method, its call as a value, the hook of
/// [`Around`](crate::lookup::Around) that it goes through, whether two implementations owe the same answer, the
/// arguments by reference and then those by value, and the reply.
#[doc(hidden)]
#[macro_export]
macro_rules! postcode_operations {
    ([$($then:tt)*] $with:tt) => {
        $($then)*! { $with PostcodeLookup
            lookup Lookup around_lookup true (&postcodes: [$crate::Postcode];) -> Vec<$crate::Answer>;
            lookup_one LookupOne around_lookup true (; postcode: $crate::Postcode) -> $crate::Answer;
            outcode OutcodeOf around true (; outcode: $crate::Outcode) -> Option<$crate::OutcodeSummary>;
            autocomplete Autocomplete around true (&prefix: str; limit: usize) -> Vec<$crate::Postcode>;
            search Search around true (&query: str; limit: usize) -> Vec<$crate::Record>;
            nearest NearestTo around true (&query: $crate::Nearest;) -> Option<Vec<$crate::Neighbour>>;
            nearest_outcodes NearestOutcodesTo around true (&query: $crate::NearestOutcodes;) -> Option<Vec<$crate::OutcodeSummary>>;
            within PageOf around true (&query: $crate::Within;) -> Option<$crate::Page>;
            outcodes Outcodes around true (&prefix: str; limit: usize) -> Vec<$crate::Outcode>;
            random Random around false (; outcode: Option<$crate::Outcode>) -> Option<$crate::Record>;
            info Info around_info false (;) -> $crate::DatasetInfo;
        }
    };
}

/// The calls of [`PostcodeLookup`] as values.
pub(crate) mod postcode_calls {
    use std::fmt::{self, Display};

    use super::*;
    use crate::lookup::call::{LookupCall, Quoted, calls};
    use crate::{Error, ErrorKind, Origin, OutcodeOrigin};

    crate::postcode_operations!([calls] []);

    impl Display for Lookup<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match &*self.postcodes {
                [one] => write!(f, "lookup of {one}"),
                many => write!(f, "lookup of {} postcodes", many.len()),
            }
        }
    }

    impl Display for LookupOne<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "lookup of {}", self.postcode)
        }
    }

    impl<L: PostcodeLookup + ?Sized> LookupCall<L> for Lookup<'_> {
        fn postcodes(&self) -> &[Postcode] {
            &self.postcodes
        }

        fn reply_one(answer: Answer) -> Vec<Answer> {
            vec![answer]
        }

        fn reply_all(answers: Vec<Answer>) -> Result<Vec<Answer>> {
            Ok(answers)
        }
    }

    impl<L: PostcodeLookup + ?Sized> LookupCall<L> for LookupOne<'_> {
        fn postcodes(&self) -> &[Postcode] {
            std::slice::from_ref(&self.postcode)
        }

        fn reply_one(answer: Answer) -> Answer {
            answer
        }

        fn reply_all(mut answers: Vec<Answer>) -> Result<Answer> {
            answers.pop().ok_or_else(|| {
                Error::new(ErrorKind::Internal, "a batch of one postcode came back without an answer")
            })
        }
    }

    impl Display for OutcodeOf<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "outcode {}", self.outcode)
        }
    }

    impl Display for Autocomplete<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "autocomplete of {} (limit {})", Quoted(&self.prefix), self.limit)
        }
    }

    impl Display for Search<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "search for {} (limit {})", Quoted(&self.query), self.limit)
        }
    }

    impl Display for NearestTo<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.query.origin {
                Origin::Postcode(postcode) => write!(f, "nearest to {postcode}")?,
                Origin::Location(at) => write!(f, "nearest to {} {}", at.latitude(), at.longitude())?,
            }
            write!(f, " (within {} m, limit {})", self.query.radius, self.query.limit)
        }
    }

    impl Display for PageOf<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "postcodes of {} (limit {}", self.query.region, self.query.limit)?;
            if let Some(after) = self.query.after {
                write!(f, ", after {after}")?;
            }
            f.write_str(")")
        }
    }

    impl Display for Outcodes<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "outcodes from {} (limit {})", Quoted(&self.prefix), self.limit)
        }
    }

    impl Display for Random<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.outcode {
                Some(outcode) => write!(f, "random postcode of {outcode}"),
                None => f.write_str("random postcode"),
            }
        }
    }

    impl Display for NearestOutcodesTo<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.query.origin {
                OutcodeOrigin::Outcode(outcode) => write!(f, "outcodes nearest to {outcode}")?,
                OutcodeOrigin::Location(at) => {
                    write!(f, "outcodes nearest to {} {}", at.latitude(), at.longitude())?;
                }
            }
            write!(f, " (within {} m, limit {})", self.query.radius, self.query.limit)
        }
    }

    impl Display for Info<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("dataset information")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::postcode_calls::*;
    use super::*;
    use crate::lookup::call::Call;
    use crate::{Location, Nearest};

    #[test]
    fn a_call_names_itself() {
        let postcode: Postcode = "SW1A 1AA".parse().unwrap();
        assert_eq!(LookupOne::new(postcode).to_string(), "lookup of SW1A 1AA");
        assert_eq!(Lookup::new(&[postcode; 3]).to_string(), "lookup of 3 postcodes");
        assert_eq!(Search::new("a\0b", 7).to_string(), r#"search for "a\0b" (limit 7)"#);
        let long = "é".repeat(300);
        assert!(Autocomplete::new(&long, 1).to_string().chars().count() < 80);
        let near = Nearest::to(Location::new(51.5, -0.1).unwrap()).radius(50.0).limit(2);
        assert_eq!(NearestTo::new(&near).to_string(), "nearest to 51.5 -0.1 (within 50 m, limit 2)");
        assert_eq!(Random::new(Some("SW1A".parse().unwrap())).to_string(), "random postcode of SW1A");
    }

    #[test]
    fn the_difference_of_two_batches_is_that_of_the_first_postcode_that_differs() {
        let postcodes: Vec<Postcode> = ["M1 1AD", "M1 1AE"].map(|text| text.parse().unwrap()).into();
        let call = Lookup::new(&postcodes);
        let difference = |one: &Vec<Answer>, other: &Vec<Answer>| {
            <Lookup<'_> as Call<dyn PostcodeLookup>>::difference(&call, one, other)
        };
        let (query, one, other) =
            difference(&vec![Answer::Unknown, Answer::Unknown], &vec![Answer::Unknown, Answer::NotCovered]);
        assert_eq!((&*query, &*one, &*other), ("lookup of M1 1AE", "Unknown", "NotCovered"));
        let (query, one, other) = difference(&vec![], &vec![Answer::Unknown]);
        assert_eq!((&*query, &*one, &*other), ("lookup of 2 postcodes", "0 answers", "1 answers"));
    }
}
