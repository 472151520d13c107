//! The file of addresses (`*.addresses`): every address of an edition in one read-only file, mapped or in memory.
//!
//! It has the frame of the file of postcodes, and is another file because its licence is another one. The format is
//! described byte by byte in `docs/FORMAT.md`.

mod block;
mod decode;
mod encode;
mod layout;
mod metadata;
mod numbers;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod verify;
mod write;

use std::path::Path;

use postcode_core::dataset::container::{Container, Entry, PostcodeIndex, Table, TableColumn, outcode_code};
use postcode_core::dataset::{Demands, Verify};
use postcode_core::{Error, Outcode, Postcode, Result, Sector};

use self::layout::{ADDRESSES, BLOCKS, METADATA, OFFSETS, SECTOR_INDEX, SECTORS, STREETS, UNITS};
use self::numbers::Numbers;
use self::text::Dictionary;
use crate::{Address, AddressNumber};

pub use self::decode::Addresses;
pub use self::metadata::Metadata;
pub use self::summary::{SectionSummary, Summary};
pub use self::write::AddressWriter;

/// The most addresses of one postcode. The largest Multiple Residence has some thousands.
pub const MAX_AT_POSTCODE: u64 = 100_000;
/// The greatest UDPRN or UMPRN that a file can hold. They have eight digits.
const MAX_UDPRN: u32 = (1 << 27) - 1;
/// Marks a UDPRN that stands alone between those of a run.
const OUTLIER: u32 = 1 << 30;
/// The greatest UPRN. They have twelve digits.
const MAX_UPRN: u64 = 999_999_999_999;
/// Grid references are kept in centimetres.
const PER_METRE: f64 = 100.0;
/// Degrees are kept in ten-millionths.
const PER_DEGREE: f64 = 1e7;

/// Returns the kind of a number by its place in the file, and the number.
fn place(number: AddressNumber) -> (usize, u64) {
    match number {
        AddressNumber::Udprn(number) => (0, u64::from(number)),
        AddressNumber::Umprn(number) => (1, u64::from(number)),
        AddressNumber::Uprn(number) => (2, number),
    }
}

/// An open file of addresses.
///
/// [`open`](Self::open) maps a file. [`get`](Self::get) and [`find`](Self::find) read addresses, and [`covers`](Self::covers) says
/// whether the file knows an outcode:
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// use postcode_addresses::{AddressNumber, lookup::conformance};
///
/// let file = conformance::file()?; // or `AddressFile::open("uk.addresses")`
/// assert!(file.covers("ZE9".parse()?));
/// let mut addresses = file.get("ZE9 9AA".parse()?)?.ok_or("no addresses")?;
/// assert_eq!(addresses.left(), 12);
/// assert_eq!(addresses.next()?.map(|address| address.single_line()).as_deref(), Some("1 Ash Road, EXAMPLETON, ZE9 9AA"));
/// assert_eq!(file.find(AddressNumber::Udprn(1_007))?[0].organisation, "Example Bakery Ltd");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AddressFile {
    container: Container,
    metadata: Metadata,
    index: PostcodeIndex,
    /// Columns: code, and where the first block begins.
    sectors: (Table, [TableColumn; 2]),
    offsets: (Table, TableColumn),
    blocks: Entry,
    /// Columns: outcode, and where its block begins.
    streets: (Table, [TableColumn; 2]),
    dictionaries: Vec<Dictionary>,
    numbers: Vec<Option<Numbers>>,
}

impl AddressFile {
    /// Opens a file by mapping it into memory. Checks header, table of sections and the structure of each section, but does
    /// not read the whole file: [`open_checked`](Self::open_checked) does.
    ///
    /// ```
    /// use postcode_addresses::file::AddressFile;
    ///
    /// let error = AddressFile::open("/nowhere/uk.addresses").unwrap_err();
    /// assert_eq!(error.kind(), postcode_core::ErrorKind::Dataset);
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](postcode_core::ErrorKind::Dataset) with the path, what is wrong, where, and what to do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::read(Container::open(path.as_ref(), &ADDRESSES)?)
    }

    /// Opens a file and checks it as demanded, including its signature.
    ///
    /// ```
    /// use postcode_addresses::file::AddressFile;
    /// use postcode_core::dataset::{Demands, Verify};
    ///
    /// let demands = Demands::default().verify(Verify::Full);
    /// assert!(AddressFile::open_checked("/nowhere/uk.addresses", &demands).is_err());
    /// ```
    ///
    /// # Errors
    /// The same as [`open`](Self::open); [`Dataset`](postcode_core::ErrorKind::Dataset) for a file that does not meet the
    /// demands.
    pub fn open_checked(path: impl AsRef<Path>, demands: &Demands) -> Result<Self> {
        let file = Self::open(path)?;
        file.container.check_signature(demands)?;
        match demands.verify {
            Verify::Full => file.verify()?,
            Verify::Checksums => file.verify_checksums()?,
            Verify::Off => {}
        }
        Ok(file)
    }

    /// Reads a file in memory, with the same checks as [`open`](Self::open).
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// use postcode_addresses::file::AddressFile;
    /// # use postcode_addresses::lookup::conformance;
    /// # let bytes = conformance::file()?.as_bytes().to_vec();
    ///
    /// let file = AddressFile::from_bytes(bytes)?;
    /// assert_eq!(file.metadata().edition, "invented addresses");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`open`](Self::open).
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::read(Container::from_bytes(bytes, &ADDRESSES)?)
    }

    fn read(container: Container) -> Result<Self> {
        let entry = container.require(METADATA)?;
        let metadata = serde_json::from_slice(container.of(entry)).map_err(|e| {
            let what = format!("not valid metadata in JSON ({e})");
            container.damaged("section metadata", entry.start, what).with_source(e)
        })?;
        let (sectors, offsets) = (container.table(SECTORS)?, container.table(OFFSETS)?);
        let index = PostcodeIndex::read(&container, [SECTOR_INDEX, UNITS], sectors.rows(), offsets.rows())?;
        let streets = container.table(STREETS)?;
        let dictionaries =
            (0..layout::DICTIONARIES.len() as u32).map(|number| Dictionary::read(&container, number));
        let numbers =
            (0..layout::KINDS_OF_NUMBERS.len() as u32).map(|number| Numbers::read(&container, number));
        let two = |table: Table| {
            let columns = [table.column(0), table.column(1)];
            (table, columns)
        };
        let offset = offsets.column(0);
        Ok(Self {
            metadata,
            index,
            sectors: two(sectors),
            offsets: (offsets, offset),
            blocks: container.require(BLOCKS)?,
            streets: two(streets),
            dictionaries: dictionaries.collect::<Result<_>>()?,
            numbers: numbers.collect::<Result<_>>()?,
            container,
        })
    }

    /// Returns the metadata in the file.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// assert_eq!((file.metadata().addresses, file.metadata().streets), (163, 3));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the name that errors use: the path.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// println!("{}: {} addresses", file.origin(), file.metadata().addresses);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn origin(&self) -> &str {
        self.container.origin()
    }

    /// Returns a hash of the content, as 32 hexadecimal digits. Files with equal content have equal ones.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// assert_eq!(file.fingerprint().len(), 32);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        self.container.fingerprint()
    }

    /// Returns the bytes of the file, to sign or to copy it. The licence of most addresses does not allow copies:
    /// [`Metadata::may_be_passed_on`] says so.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// if file.metadata().may_be_passed_on {
    ///     println!("{} bytes to copy", file.as_bytes().len());
    /// }
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.container.bytes()
    }

    /// Returns the addresses of a postcode, or `None` if the file has none.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// let addresses = file.get("ZE9 9AA".parse()?)?.ok_or("no addresses")?.collect()?;
    /// assert_eq!((addresses.len(), &*addresses[6].organisation), (12, "Example Bakery Ltd"));
    /// assert!(file.get("ZE9 9ZZ".parse()?)?.is_none());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](postcode_core::ErrorKind::Dataset) if the file is damaged.
    pub fn get(&self, postcode: Postcode) -> Result<Option<Addresses<'_>>> {
        match self.index.row(&self.container, postcode) {
            Some((sector, row)) => self.block(sector, row, postcode.spaced().as_str()).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the streets of an outcode, or `None` if the file has none.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// let streets = file.streets("ZE9".parse()?)?.ok_or("no streets")?.collect()?;
    /// assert_eq!(streets[0].thoroughfare, "Ash Road");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](postcode_core::ErrorKind::Dataset) if the file is damaged.
    pub fn streets(&self, outcode: Outcode) -> Result<Option<Addresses<'_>>> {
        let (table, [codes, places]) = &self.streets;
        let code = u64::from(outcode_code(outcode));
        let get = |row: u32, column: TableColumn| table.get(&self.container, row, column);
        let (mut low, mut high) = (0, table.rows());
        while low < high {
            let middle = low + (high - low) / 2;
            if get(middle, *codes).is_none_or(|other| other >= code) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        if get(low, *codes) != Some(code) {
            return Ok(None);
        }
        let at = get(low, *places).unwrap_or(u64::MAX);
        self.block_at(at, outcode.text().as_str()).map(Some)
    }

    /// Returns whether the file has addresses in an outcode. In the others it knows nothing.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// assert!(file.covers("ZE9".parse()?));
    /// assert!(!file.covers("AB1".parse()?));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn covers(&self, outcode: Outcode) -> bool {
        self.index.has_outcode(&self.container, outcode)
    }

    /// Returns the addresses with a number. Mostly that is one or none.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// use postcode_addresses::AddressNumber;
    ///
    /// let found = file.find(AddressNumber::Udprn(1_007))?;
    /// assert_eq!(found[0].organisation, "Example Bakery Ltd");
    /// assert!(file.find(AddressNumber::Udprn(9_999))?.is_empty());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](postcode_core::ErrorKind::Dataset) if the file is damaged.
    pub fn find(&self, number: AddressNumber) -> Result<Vec<Address>> {
        let (kind, wanted) = place(number);
        let mut found = Vec::new();
        let Some(numbers) = self.numbers.get(kind).and_then(Option::as_ref) else { return Ok(found) };
        for row in numbers.rows(&self.container, wanted) {
            let Some((sector, postcode)) = self.postcode(row) else { continue };
            let mut addresses = self.block(sector, row, postcode.spaced().as_str())?;
            while let Some(address) = addresses.next()? {
                if number.is_of(address) {
                    found.push(address.clone());
                }
            }
        }
        Ok(found)
    }

    /// Iterates over the postcodes that have addresses, in order.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// let postcodes: Vec<String> = file.postcodes().map(|postcode| postcode.to_string()).collect();
    /// assert_eq!(postcodes, ["ZE9 9AA", "ZE9 9AD"]);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn postcodes(&self) -> impl Iterator<Item = Postcode> + '_ {
        (0..self.offsets.0.rows()).filter_map(|row| Some(self.postcode(row)?.1))
    }

    /// Returns the postcodes of a sector that have addresses, in order.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// assert_eq!(file.postcodes_of("ZE9 9".parse()?).len(), 2);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn postcodes_of(&self, sector: Sector) -> Vec<Postcode> {
        let rows = self.offsets.0.rows();
        let at = |row| self.postcode(row).map(|(_, postcode)| postcode);
        let begin = numbers::first(0, rows, |row| at(row).is_none_or(|postcode| postcode.sector() >= sector));
        (begin..rows).map_while(at).take_while(|postcode| postcode.sector() == sector).collect()
    }

    fn postcode(&self, row: u32) -> Option<(u32, Postcode)> {
        let sector = self.index.sector_of(&self.container, row)?;
        let code = u32::try_from(self.sector_cell(sector, 0)?).ok()?;
        Some((sector, self.index.postcode(&self.container, sector, code, row)?))
    }

    fn sector_cell(&self, sector: u32, column: usize) -> Option<u64> {
        let (table, columns) = &self.sectors;
        table.get(&self.container, sector, *columns.get(column)?)
    }

    /// Where the block of a postcode begins.
    fn start(&self, sector: u32, row: u32) -> Option<u64> {
        let (table, column) = &self.offsets;
        self.sector_cell(sector, 1)?.checked_add(table.get(&self.container, row, *column)?)
    }

    fn block(&self, sector: u32, row: u32, postcode: &str) -> Result<Addresses<'_>> {
        self.block_at(self.start(sector, row).unwrap_or(u64::MAX), postcode)
    }

    fn block_at(&self, at: u64, postcode: &str) -> Result<Addresses<'_>> {
        let data = usize::try_from(at).ok().and_then(|at| self.container.of(self.blocks).get(at..));
        let outside = || -> Error {
            let what = format!("the block of {postcode} lies outside");
            self.container.damaged("section offsets of blocks", self.blocks.start, what)
        };
        Addresses::new(self, data.ok_or_else(outside)?, postcode)
    }
}
