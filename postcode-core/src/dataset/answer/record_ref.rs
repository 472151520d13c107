//! Records that are read in place: a field is decoded when it is asked for.

use std::fmt;

use crate::dataset::Dataset;
use crate::{Area, AreaKind, GridReference, Location, Postcode, Record, Status, UserType, YearMonth};

/// How many postcodes of a batch are looked up together.
const AT_ONCE: usize = 64;

/// A record of a [`Dataset`] that has not been read yet. Each method reads what it returns and
/// nothing else, so a caller who needs two fields pays for two fields. [`Dataset::find`] returns it.
///
/// ```
/// use postcode_core::Location;
/// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
///
/// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// let mut row = Row::live("SW1A 1AA".parse()?);
/// row.location = Some(Location::new(51.50101, -0.14156)?);
/// builder.push(&row)?;
/// let dataset = builder.build()?;
///
/// let record = dataset.find("SW1A 1AA".parse()?).expect("it was just added");
/// assert_eq!(record.location().map(Location::latitude), Some(51.50101));
/// assert_eq!(record.to_record().location, record.location());
/// assert!(dataset.find("SW1A 2AA".parse()?).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    dataset: &'a Dataset,
    row: u32,
    postcode: Postcode,
}

impl<'a> RecordRef<'a> {
    /// Returns the postcode.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.postcode().to_string(), "SW1A 1AA");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn postcode(&self) -> Postcode {
        self.postcode
    }

    /// Returns whether it is in use.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::Status;
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.status(), Status::Live);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn status(&self) -> Status {
        self.dataset.inner.rows.status(self.data(), self.row)
    }

    /// Returns the location.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.location().map(|at| at.latitude()), Some(51.50101));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn location(&self) -> Option<Location> {
        self.dataset.inner.rows.location(self.data(), self.row)
    }

    /// Returns the grid reference.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.grid().map(|grid| grid.eastings), Some(529_090));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn grid(&self) -> Option<GridReference> {
        self.dataset.inner.rows.grid(self.data(), self.row, self.postcode)
    }

    /// Returns how the grid reference was found: see [`Record::quality`].
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.quality(), Some(1));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn quality(&self) -> Option<u8> {
        self.dataset.inner.rows.quality(self.data(), self.row)
    }

    /// Returns whether it is a small or a large user.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::UserType;
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.user_type(), Some(UserType::Large));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn user_type(&self) -> Option<UserType> {
        self.dataset.inner.rows.user_type(self.data(), self.row)
    }

    /// Returns the month in which it came into use.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert!(record.introduced().is_some());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn introduced(&self) -> Option<YearMonth> {
        self.dataset.inner.rows.introduced(self.data(), self.row)
    }

    /// Returns the month in which it went out of use.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.terminated(), None);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn terminated(&self) -> Option<YearMonth> {
        self.dataset.inner.rows.terminated(self.data(), self.row)
    }

    /// Returns the area of a kind, if the dataset knows one.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::AreaKind;
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.area(AreaKind::Region).and_then(|area| area.name), Some("London"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn area(&self, kind: AreaKind) -> Option<Area<'a>> {
        self.dataset.inner.areas.area(self.data(), self.set()?, kind)
    }

    /// Returns the name of the area of a kind.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::AreaKind;
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.area_name(AreaKind::Region), Some("London"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn area_name(&self, kind: AreaKind) -> Option<&'a str> {
        self.dataset.inner.areas.name_in(self.data(), self.set()?, kind)
    }

    /// Returns the ONS code of the area of a kind.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::AreaKind;
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.area_code(AreaKind::Region), Some("E12000007"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn area_code(&self, kind: AreaKind) -> Option<&'a str> {
        self.dataset.inner.areas.code_in(self.data(), self.set()?, kind)
    }

    /// Returns the name of the local authority district.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(record.admin_district(), Some("Westminster"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn admin_district(&self) -> Option<&'a str> {
        self.area_name(AreaKind::AdminDistrict)
    }

    /// Reads the whole record.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// let record = country.find("SW1A 1AA".parse()?).ok_or("not in the data")?;
    /// assert_eq!(country.get(record.postcode()).record(), Some(&record.to_record()));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_record(&self) -> Record {
        self.dataset.record(self.row, self.postcode)
    }

    #[inline]
    fn set(&self) -> Option<u32> {
        self.dataset.inner.rows.area_set(self.data(), self.row)
    }

    #[inline]
    fn data(&self) -> &'a [u8] {
        &self.dataset.inner.bytes
    }
}

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordRef").field(&self.to_record()).finish()
    }
}

impl Dataset {
    /// Finds a live or terminated postcode without reading its record. Use [`get`](Self::get) to
    /// tell unknown postcodes from those that the dataset does not cover.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// assert!(country.find("SW1A 1AA".parse()?).is_some());
    /// assert!(country.find("SW1A 9ZZ".parse()?).is_none());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn find(&self, postcode: Postcode) -> Option<RecordRef<'_>> {
        let row = self.inner.keys.row(&self.inner.bytes, postcode)?;
        Some(RecordRef { dataset: self, row, postcode })
    }

    /// Finds postcodes in order and calls `each` with the index and the record of each. Several
    /// times faster than [`find`](Self::find) one by one: memory accesses of different postcodes
    /// overlap.
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    ///
    /// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// let dataset = builder.build()?;
    /// let mut found = Vec::new();
    /// dataset.find_many(&["SW1A 1AA".parse()?, "SW1A 2AA".parse()?], |_, record| {
    ///     found.push(record.is_some());
    /// });
    /// assert_eq!(found, [true, false]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find_many<'a>(
        &'a self,
        postcodes: &[Postcode],
        mut each: impl FnMut(usize, Option<RecordRef<'a>>),
    ) {
        self.rows_of(postcodes, |n, row, postcode| {
            each(n, row.map(|row| RecordRef { dataset: self, row, postcode }));
        });
    }

    /// Calls `each` with the index, row and postcode of each postcode. Works in stages over several
    /// postcodes, so that the memory accesses of a stage overlap. At the end of the stages the rows
    /// and their area sets have been touched.
    #[inline]
    pub(crate) fn rows_of(&self, postcodes: &[Postcode], mut each: impl FnMut(usize, Option<u32>, Postcode)) {
        let (inner, data) = (&*self.inner, &*self.inner.bytes);
        for (chunk, some) in postcodes.chunks(AT_ONCE).enumerate() {
            // A loop that only reads has more reads on their way than one that also computes.
            let mut touched = some.iter().fold(0, |sum, it| sum ^ inner.keys.touch_sector(data, *it));
            let mut places = [None; AT_ONCE];
            for (place, postcode) in places.iter_mut().zip(some) {
                *place = inner.keys.sector(data, *postcode);
            }
            for sector in places.iter().flatten() {
                touched ^= inner.keys.touch_units(data, *sector);
            }
            for (place, postcode) in places.iter_mut().zip(some) {
                *place = place.and_then(|sector| inner.keys.row_in(data, sector, *postcode));
            }
            for row in places.iter().flatten() {
                // A row may lie in two lines.
                touched ^= inner.rows.table.touch(data, *row) ^ inner.rows.table.touch(data, row + 1);
            }
            let mut sets = [None; AT_ONCE];
            for (set, row) in sets.iter_mut().zip(&places) {
                *set = row.and_then(|row| inner.rows.area_set(data, row));
            }
            for set in sets.iter().flatten() {
                touched ^= inner.areas.sets.touch(data, *set);
            }
            std::hint::black_box(touched);
            for (n, (row, postcode)) in places.iter().zip(some).enumerate() {
                each(chunk * AT_ONCE + n, *row, *postcode);
            }
        }
    }
}
