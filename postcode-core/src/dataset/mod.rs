//! The dataset file: every postcode of an edition in one read-only file, mapped or in memory.
//!
//! [`Dataset`] reads it, [`DatasetBuilder`] writes it. The format is described byte by byte in `docs/FORMAT.md`.
//!
//! ```
//! use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
//! use postcode_core::{AreaKind, Location};
//!
//! let mut builder = DatasetBuilder::new(Metadata::new("made by hand, 2026"));
//! let mut row = Row::live("SW1A 1AA".parse()?);
//! row.location = Some(Location::new(51.50101, -0.14156)?);
//! row.areas.set(builder.area(AreaKind::AdminDistrict, "E09000033")?);
//! builder.name_area(AreaKind::AdminDistrict, "E09000033", Some("Westminster"), None)?;
//! builder.push(&row)?;
//!
//! let dataset = builder.build()?;
//! let answer = dataset.get("SW1A 1AA".parse()?);
//! assert_eq!(answer.record().and_then(|record| record.admin_district()), Some("Westminster"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
#[doc(hidden)]
pub mod container;
mod file;
mod inner;
mod inspect;
#[cfg(feature = "embedded")]
pub(crate) mod pack;
mod section;
mod shared_owner;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use file::bytes::Bytes;
use inner::Inner;
use section::keys;
use shared_owner::Handles;

pub(crate) use answer::place_postcodes::PlaceSearch;
pub use answer::record_ref::RecordRef;
pub(crate) use answer::region::Search;
pub use file::metadata::Metadata;
pub use inspect::demands::{Demands, PublicKey, Verify, read_signature, signature_path};
pub use inspect::summary::{ColumnSummary, SectionSummary, Summary};
pub use section::fields::{FieldCoverage, FieldSource};
pub use write::builder::DatasetBuilder;
pub use write::publish::Progress;
#[cfg(feature = "replica")]
pub(crate) use write::publish::settle;
pub use write::row::{AreaId, AreaIds, Row};

#[cfg(doc)]
use crate::ErrorKind;
use crate::{Answer, Areas, DatasetInfo, Location, Outcode, Postcode, Record, Result, Sector, Status};

/// An open dataset. Cheap to clone: clones share the file and everything read from it.
///
/// All methods are synchronous and read only memory. For the trait see [`Local`](crate::Local).
///
/// ```
/// use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata, Row};
///
/// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// for postcode in ["SW1A 1AA", "SW1A 2AA"] {
///     builder.push(&Row::live(postcode.parse()?))?;
/// }
/// let dataset: Dataset = builder.build()?;
///
/// assert!(dataset.get("SW1A 1AA".parse()?).is_live());
/// assert_eq!(dataset.get("SW1A 9ZZ".parse()?).status(), "unknown");
/// assert_eq!(dataset.autocomplete("sw1a2", 10)?, ["SW1A 2AA".parse()?]);
/// assert_eq!(dataset.info().live, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Dataset {
    inner: Arc<Inner>,
    handles: Arc<Handles>,
}

impl Dataset {
    /// Opens a dataset file by mapping it into memory.
    ///
    /// Checks the header, the table of sections and the structure of each section, but does not
    /// read the whole file; [`verify`](Self::verify) does that. A damaged file that was never
    /// verified may give wrong answers: [`open_checked`](Self::open_checked) opens and verifies.
    ///
    /// The file must not be changed in place while it is open. [`DatasetBuilder::write_to`]
    /// replaces it by a rename, so that open datasets keep the old edition.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let path = std::env::temp_dir().join("postcode-core-open.postcodes");
    /// std::fs::write(&path, Dataset::embedded()?.as_bytes())?;
    /// assert!(Dataset::open(&path)?.get("SW1A 1AA".parse()?).is_live());
    /// # std::fs::remove_file(&path)?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) with the path, what is wrong, where, and what to do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let (bytes, origin) = Bytes::open(path.as_ref())?;
        Self::from_source(bytes, origin)
    }

    /// Reads a dataset file from memory, with the same checks as [`open`](Self::open).
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let copy = Dataset::from_bytes(country.as_bytes().to_vec())?;
    /// assert_eq!(copy.info(), country.info());
    /// assert!(Dataset::from_bytes(Vec::new()).is_err());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`open`](Self::open).
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::from_source(Bytes::Owned(bytes), "dataset in memory".to_owned())
    }

    pub(crate) fn from_source(bytes: Bytes, origin: String) -> Result<Self> {
        let inner = Arc::new(Inner::read(bytes, origin)?);
        Ok(Self { handles: Handles::new(&inner), inner })
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Returns the name that errors use.
    pub(crate) fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// Returns the bytes of the file, to copy it elsewhere.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// assert!(country.as_bytes().len() > 10_000_000);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        &self.inner.bytes
    }

    /// Reads one byte of every page, so that later lookups in a mapped file don't wait for the
    /// disk. Takes milliseconds if the file is in the system's cache.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// country.warm();
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn warm(&self) {
        let sum = self.inner.bytes.iter().step_by(4096).fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        std::hint::black_box(sum);
    }

    /// Returns the edition, source, attribution and counts.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// assert!(country.info().live > 1_700_000);
    /// println!("{}", country.info().attribution);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn info(&self) -> &DatasetInfo {
        &self.inner.info
    }

    /// Returns the metadata in the file.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// assert!(!country.metadata().edition.is_empty());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metadata(&self) -> &Metadata {
        &self.inner.metadata
    }

    /// Looks up a postcode.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// assert!(country.get("SW1A 1AA".parse()?).is_live());
    /// assert_eq!(country.get("SW1A 9ZZ".parse()?).status(), "unknown");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn get(&self, postcode: Postcode) -> Answer {
        self.answer(self.inner.keys.row(&self.inner.bytes, postcode), postcode)
    }

    /// Looks up postcodes and appends the answers in order.
    ///
    /// Faster than one by one: memory accesses of different postcodes overlap.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let mut answers = Vec::new();
    /// country.get_many(&["SW1A 1AA".parse()?, "EH1 1YZ".parse()?], &mut answers);
    /// assert!(answers.iter().all(|answer| answer.is_live()));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_many(&self, postcodes: &[Postcode], answers: &mut Vec<Answer>) {
        answers.reserve(postcodes.len());
        self.rows_of(postcodes, |_, row, postcode| answers.push(self.answer(row, postcode)));
    }

    #[inline]
    fn answer(&self, row: Option<u32>, postcode: Postcode) -> Answer {
        match row {
            Some(row) => self.record(row, postcode).into(),
            None => self.missing(postcode),
        }
    }

    fn missing(&self, postcode: Postcode) -> Answer {
        let area = postcode.area();
        match self.inner.info.not_covered.iter().any(|other| area == other.as_str()) {
            true => Answer::NotCovered,
            false => Answer::Unknown,
        }
    }

    #[inline]
    fn record(&self, row: u32, postcode: Postcode) -> Record {
        let (inner, data, rows) = (&*self.inner, &*self.inner.bytes, &self.inner.rows);
        let set = rows.area_set(data, row);
        let location = rows.location(data, row);
        Record {
            postcode,
            status: rows.status(data, row),
            quality: rows.quality(data, row),
            user_type: rows.user_type(data, row),
            grid: rows.grid(data, row, postcode),
            location,
            approximate: match location {
                Some(_) => None,
                None => inner.positions.of(data, postcode.outcode()),
            },
            introduced: rows.introduced(data, row),
            terminated: rows.terminated(data, row),
            deprivation_rank: set.and_then(|set| inner.areas.deprivation_rank(data, set)),
            areas: match set {
                Some(set) => self.handles.areas(set),
                None => Areas::NONE,
            },
        }
    }

    /// Returns the location of a live or terminated postcode, without the rest of its record.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let location = country.location("SW1A 1AA".parse()?).ok_or("not known")?;
    /// assert_eq!(location.latitude(), 51.50101);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn location(&self, postcode: Postcode) -> Option<Location> {
        self.find(postcode)?.location()
    }

    /// Returns whether a postcode is live or terminated, or `None` if it is neither, without the
    /// rest of its record.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::Status;
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// assert_eq!(country.status("SW1A 1AA".parse()?), Some(Status::Live));
    /// assert_eq!(country.status("SW1A 9ZZ".parse()?), None);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self, postcode: Postcode) -> Option<Status> {
        Some(self.find(postcode)?.status())
    }

    /// Iterates over all records, live and terminated, in the order of postcodes.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let first = country.iter().next().ok_or("empty")?;
    /// assert_eq!(first.postcode.to_string(), "AB1 0AA");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Record> + '_ {
        self.range(0, keys::CODES)
    }

    /// Iterates over the records of an outcode, live and terminated, in the order of postcodes.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let outcode = "SW1A".parse()?;
    /// assert!(country.iter_outcode(outcode).all(|record| record.postcode.outcode() == outcode));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter_outcode(&self, outcode: Outcode) -> impl Iterator<Item = Record> + '_ {
        let start = outcode.code() * crate::postcode::PER_OUTCODE;
        self.range(start, start + crate::postcode::PER_OUTCODE)
    }

    /// Iterates over the records of a sector, live and terminated, in the order of postcodes.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let sector = "SW1A 1".parse()?;
    /// assert!(country.iter_sector(sector).all(|record| record.postcode.sector() == sector));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter_sector(&self, sector: Sector) -> impl Iterator<Item = Record> + '_ {
        let start = sector.code() * crate::postcode::UNITS;
        self.range(start, start + crate::postcode::UNITS)
    }

    fn range(&self, from: u32, end: u32) -> impl Iterator<Item = Record> + '_ {
        self.inner
            .keys
            .scan(&self.inner.bytes, from)
            .take_while(move |(_, postcode)| postcode.code() < end)
            .map(|(row, postcode)| self.record(row, postcode))
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
