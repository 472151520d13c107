//! The in-process implementation, whose dataset can be replaced while it serves.

#[cfg(feature = "embedded")]
mod embedded;

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;

use arc_swap::{ArcSwap, Guard};
use async_trait::async_trait;

use crate::dataset::{Dataset, Demands, PlaceSearch, Search, Verify, read_signature};
#[cfg(feature = "layers")]
use crate::layers::span;
use crate::query::check;
use crate::source::{Source, SourceUrl};
use crate::{
    Answer, DatasetInfo, Error, ErrorKind, Nearest, NearestOutcodes, Neighbour, Outcode, OutcodeSummary,
    Page, Place, PlaceLookup, PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, PostcodeLookup, Record,
    Result, ScottishLookup, ScottishPostcode, Within, unit,
};
#[cfg(feature = "embedded")]
pub(crate) use embedded::Embedded;

/// Looks postcodes up in this process, in a [`Dataset`].
///
/// Calls read memory and don't wait, so their futures are ready at once. The only exception is
/// [`within`](PostcodeLookup::within): the search of a large region yields to other tasks about
/// every millisecond, and stops when its future is dropped. Callers who need neither trait nor
/// future use the methods of [`Dataset`], which [`dataset`](Self::dataset) returns.
///
/// ```
/// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// use postcode_core::{Local, PostcodeLookupExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// let local = Local::new(builder.build()?);
/// assert!(local.validate("sw1a1aa").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Local(ArcSwap<Dataset>);

impl Local {
    /// Creates a lookup from an open dataset.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// use postcode_core::Local;
    ///
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// let local = Local::new(dataset);
    /// assert_eq!(local.dataset().info().live, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(dataset: Dataset) -> Self {
        Self(ArcSwap::from_pointee(dataset))
    }

    /// Opens a dataset file: see [`Dataset::open`].
    ///
    /// ```
    /// use postcode_core::{ErrorKind, Local};
    ///
    /// let error = Local::open("/nowhere/uk.postcodes").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Dataset);
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](crate::ErrorKind::Dataset) if the file is missing, damaged or of another format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Dataset::open(path).map(Self::new)
    }

    /// Opens the dataset of a URL, `embedded:` or `file:PATH` with its options, as
    /// [`connect`](crate::connect) does.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for any other URL;
    /// [`NotSupported`](crate::ErrorKind::NotSupported) for `embedded:` without the feature
    /// `embedded`; the errors of [`open`](Self::open).
    ///
    /// ```
    /// let error = postcode_core::Local::from_url("file:/nowhere/uk.postcodes").unwrap_err();
    /// assert_eq!(error.kind(), postcode_core::ErrorKind::Dataset);
    /// ```
    pub fn from_url(url: &str) -> Result<Self> {
        Self::open_url(url, Demands::default()).map(|opened| opened.local)
    }

    /// Opens the dataset of a URL like [`from_url`](Self::from_url), with demands that the options
    /// of the URL may change. Returns what was checked too.
    ///
    /// ```
    /// use postcode_core::Local;
    /// use postcode_core::dataset::{Demands, Verify};
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("uk.postcodes");
    /// # DatasetBuilder::new(Metadata::new("made by hand")).write_to(&path, &mut |_| std::ops::ControlFlow::Continue(()))?;
    ///
    /// let url = format!("file:{}?verify=full", path.display());
    /// let opened = Local::open_url(&url, Demands::default())?;
    /// assert_eq!((opened.verified, opened.signature), (Verify::Full, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`from_url`](Self::from_url); [`Dataset`](ErrorKind::Dataset) for a file that
    /// does not meet the demands; [`InvalidInput`](crate::ErrorKind::InvalidInput) for `embedded:`
    /// if a signature is demanded.
    pub fn open_url(url: &str, demands: Demands) -> Result<Opened> {
        let url = SourceUrl::parse(url)?;
        let scheme = match &url.source {
            Source::File(path) => {
                let demands = demands.with_options("file", &url.options)?;
                let dataset = Dataset::open(path)?;
                let signature = read_signature(path)?;
                demands.check(&dataset, signature.as_deref())?;
                return Ok(Opened { local: Self::new(dataset), verified: demands.verify, signature });
            }
            #[cfg(feature = "embedded")]
            Source::Embedded => {
                url.no_options()?;
                if demands.public_key.is_some() {
                    return Err(Error::invalid(
                        "embedded: is part of this program and has no signature: give file:/path/uk.postcodes",
                    ));
                }
                // Unpacking compares the fingerprint, which covers the checksums of the unpacked
                // sections.
                let verified = Verify::Checksums;
                return Ok(Opened { local: Self::embedded()?, verified, signature: None });
            }
            other => other.scheme(),
        };
        Err(match scheme {
            "embedded" => Error::new(
                ErrorKind::NotSupported,
                "embedded: is not in this build: build it with feature \"embedded\" of postcode-core",
            ),
            scheme => Error::invalid(format!(
                "{scheme}: is not in this process: write embedded: or file:/path/uk.postcodes"
            )),
        })
    }

    /// Returns the current dataset. It stays the same edition even if another replaces it.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let local = postcode_core::Local::new(builder.build()?);
    /// let dataset = local.dataset();
    /// assert!(dataset.get("SW1A 1AA".parse()?).is_live()); // no future and no trait
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dataset(&self) -> Dataset {
        Dataset::clone(&self.0.load())
    }

    /// Returns the dataset for one call, if it has the edition that the caller demands. The span of the
    /// call ends when this is dropped.
    #[inline]
    fn current(&self, method: &str) -> Result<Current> {
        let dataset = self.0.load();
        unit::check_edition(&dataset.info().fingerprint)?;
        #[cfg(feature = "layers")]
        let _span = span::entered(method, &dataset.info().fingerprint);
        #[cfg(not(feature = "layers"))]
        let _ = method;
        Ok(Current {
            dataset,
            #[cfg(feature = "layers")]
            _span,
        })
    }

    /// Returns the dataset for a call that yields to other tasks, and runs the call in its span.
    async fn yielding<T, F: Future<Output = Result<T>>>(
        &self,
        method: &str,
        call: impl FnOnce(Dataset) -> F,
    ) -> Result<T> {
        let dataset = Dataset::clone(&self.0.load());
        unit::check_edition(&dataset.info().fingerprint)?;
        #[cfg(feature = "layers")]
        {
            let span = span::call(method, "local");
            if let Some(span) = &span {
                span.record("edition", &*dataset.info().fingerprint);
            }
            span::within(span, call(dataset)).await
        }
        #[cfg(not(feature = "layers"))]
        {
            let _ = method;
            call(dataset).await
        }
    }

    /// [`lookup`](PostcodeLookup::lookup) without a future.
    #[inline]
    pub(crate) fn get_many(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        check::batch(postcodes.len())?;
        let mut answers = Vec::new();
        self.current("lookup")?.get_many(postcodes, &mut answers);
        Ok(answers)
    }

    /// Replaces the dataset, and returns the previous one. Running calls finish with the previous
    /// one.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let local = postcode_core::Local::new(builder.build()?);
    /// # let next = DatasetBuilder::new(Metadata::new("next")).build()?;
    /// let previous = local.replace(next);
    /// assert_eq!((previous.info().edition.as_str(), local.dataset().info().edition.as_str()), ("made by hand", "next"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&self, dataset: Dataset) -> Dataset {
        Dataset::clone(&self.0.swap(Arc::new(dataset)))
    }
}

/// The dataset of one call.
struct Current {
    dataset: Guard<Arc<Dataset>>,
    #[cfg(feature = "layers")]
    _span: Option<tracing::span::EnteredSpan>,
}

impl Deref for Current {
    type Target = Dataset;

    #[inline]
    fn deref(&self) -> &Dataset {
        &self.dataset
    }
}

/// A dataset that was opened by [`Local::open_url`].
///
/// ```
/// use postcode_core::Local;
/// use postcode_core::dataset::Demands;
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("uk.postcodes");
/// # DatasetBuilder::new(Metadata::new("made by hand")).write_to(&path, &mut |_| std::ops::ControlFlow::Continue(()))?;
///
/// let opened = Local::open_url(&format!("file:{}", path.display()), Demands::default())?;
/// println!("opened, {} checked", opened.verified);
/// assert_eq!(opened.local.dataset().info().live, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The lookup.
    pub local: Local,
    /// How thoroughly the file was checked.
    pub verified: Verify,
    /// The signature next to the file, if there is one. It was verified if a signature was
    /// demanded.
    pub signature: Option<String>,
}

/// Rows and polygon edges that the search of a region or place examines before it yields to other tasks.
const BETWEEN_TURNS: u64 = 20_000;

/// Yields to the executor, which may run other tasks or drop this one.
async fn give_turn() {
    let mut given = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl From<Dataset> for Local {
    fn from(dataset: Dataset) -> Self {
        Self::new(dataset)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl PostcodeLookup for Local {
    async fn lookup_one(&self, postcode: Postcode) -> Result<Answer> {
        Ok(self.current("lookup_one")?.get(postcode))
    }

    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        self.get_many(postcodes)
    }

    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
        Ok(self.current("outcode")?.outcode(outcode))
    }

    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        self.current("autocomplete")?.autocomplete(prefix, limit)
    }

    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        self.current("search")?.search(query, limit)
    }

    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        self.current("nearest")?.nearest(query)
    }

    async fn within(&self, query: &Within) -> Result<Option<Page>> {
        let call = |dataset: Dataset| async move {
            let mut search = Search::of(&dataset, query)?;
            while !search.step(BETWEEN_TURNS) {
                give_turn().await;
            }
            Ok::<_, Error>(search.finish())
        };
        self.yielding("within", call).await
    }

    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        self.current("outcodes")?.outcodes_from(prefix, limit)
    }

    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
        Ok(self.current("random")?.random(outcode))
    }

    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
        self.current("nearest_outcodes")?.nearest_outcodes(query)
    }

    async fn info(&self) -> Result<DatasetInfo> {
        Ok(self.0.load().info().clone())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl PlaceLookup for Local {
    async fn place(&self, code: &str) -> Result<Option<Place>> {
        self.current("place")?.place(code)
    }

    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        self.current("places")?.places(query, limit)
    }

    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        self.current("find_places")?.find_places(query)
    }

    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        let call = |dataset: Dataset| async move {
            let Some(mut search) = PlaceSearch::of(&dataset, code, after, limit)? else { return Ok(None) };
            while !search.step(BETWEEN_TURNS) {
                give_turn().await;
            }
            search.finish().map(Some)
        };
        self.yielding("place_postcodes", call).await
    }

    async fn random_place(&self) -> Result<Option<Place>> {
        self.current("random_place")?.random_place()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ScottishLookup for Local {
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        self.current("scottish_postcode")?.scottish_postcode(postcode)
    }
}
