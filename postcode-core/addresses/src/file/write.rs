//! Writes a file of addresses from a stream.

use std::io::{BufWriter, Seek, SeekFrom, Write};

use postcode_core::dataset::container::{
    ALIGN, ENTRY, Entry, Extent, HEADER, PostcodeIndexWriter, TableWriter, head, outcode_code,
};
use postcode_core::{Error, ErrorKind, Outcode, Postcode, Result};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::encode::{Encoder, check};
use super::layout::{
    ADDRESSES, BLOCKS, DICTIONARIES, KINDS_OF_NUMBERS, METADATA, MINOR, NUMBER_RANGES, NUMBERS, OFFSETS,
    SECTOR_INDEX, SECTORS, STREETS, TEXT_OFFSETS, TEXTS, UNITS,
};
use super::numbers::{MAX_ROWS, NumbersWriter};
use super::{MAX_AT_POSTCODE, Metadata};
use crate::Address;

/// Sections of every file.
const SECTIONS: usize = 7 + 2 * DICTIONARIES.len() + 2 * KINDS_OF_NUMBERS.len();

/// Writes a file of addresses that come sorted by postcode.
///
/// The blocks go to the output as they are made. In memory are the different texts, each once, some bytes for each postcode,
/// eight for each run of UDPRNs, UMPRNs or UPRNs, and the addresses of one postcode.
///
/// The addresses of a postcode keep the order in which they come. Streets of a district
/// ([`is_approximate`](crate::Dataset::is_approximate)) have an outcode in the place of the postcode; they may come
/// between others, sorted by outcode. The same addresses and metadata give the same bytes.
///
/// [`new`](Self::new) begins a file, [`push`](Self::push) adds to it, and [`finish`](Self::finish) ends it:
///
/// ```
/// use std::io::Cursor;
/// use postcode_addresses::Address;
/// use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
///
/// let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("made by hand"))?;
/// for number in ["1", "3", "5"] {
///     writer.push(&Address {
///         building_number: number.into(),
///         thoroughfare: "Ash Road".into(),
///         post_town: "EXAMPLETON".into(),
///         postcode: "ZE9 9ZZ".into(),
///         ..Address::default()
///     })?;
/// }
/// let (bytes, metadata) = writer.finish()?;
/// assert_eq!(metadata.addresses, 3);
///
/// let file = AddressFile::from_bytes(bytes.into_inner())?;
/// let addresses = file.get("ZE9 9ZZ".parse()?)?.map_or(Ok(Vec::new()), |addresses| addresses.collect())?;
/// assert_eq!(addresses[2].building_number, "5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AddressWriter<W: Write + Seek> {
    out: BufWriter<W>,
    metadata: Metadata,
    encoder: Encoder,
    index: PostcodeIndexWriter,
    /// Bytes of blocks so far, and their checksum.
    len: u64,
    hash: Xxh3,
    /// Where the first block of each sector begins.
    bases: Vec<u64>,
    /// Where the block of each postcode begins, counted from its sector's first.
    offsets: Vec<u32>,
    /// Outcodes and where their blocks begin.
    streets: Vec<(u32, u64)>,
    numbers: [NumbersWriter; KINDS_OF_NUMBERS.len()],
    key: Option<Key>,
    last_postcode: Option<Postcode>,
    /// The addresses of the key; those after `pending` are kept for their memory.
    addresses: Vec<Address>,
    pending: usize,
    block: Vec<u8>,
    scratch: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Key {
    Postcode(Postcode),
    Outcode(Outcode),
}

impl<W: Write + Seek> std::fmt::Debug for AddressWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddressWriter").field("postcodes", &self.offsets.len()).finish_non_exhaustive()
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Dataset, format!("the file of addresses can't be written: {error}"))
        .with_source(error)
}

impl<W: Write + Seek> AddressWriter<W> {
    /// Begins a file at the output's position, which must be its beginning. The counts in the metadata are filled in.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
    ///
    /// let (bytes, _) = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("PAF Y26M11"))?.finish()?;
    /// let file = AddressFile::from_bytes(bytes.into_inner())?;
    /// assert_eq!((&*file.metadata().edition, file.metadata().addresses), ("PAF Y26M11", 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the output fails.
    pub fn new(out: W, metadata: Metadata) -> Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        out.write_all(&[0; (HEADER + SECTIONS * ENTRY).next_multiple_of(ALIGN)]).map_err(failed)?;
        let counted = Metadata {
            addresses: 0,
            postcodes: 0,
            outcodes: 0,
            streets: 0,
            areas: Vec::new(),
            datasets: Default::default(),
            udprns: 0,
            umprns: 0,
            uprns: 0,
            points: 0,
            ..metadata
        };
        Ok(Self {
            out,
            metadata: counted,
            encoder: Encoder::default(),
            index: PostcodeIndexWriter::default(),
            len: 0,
            hash: Xxh3::new(),
            bases: Vec::new(),
            offsets: Vec::new(),
            streets: Vec::new(),
            numbers: Default::default(),
            key: None,
            last_postcode: None,
            addresses: Vec::new(),
            pending: 0,
            block: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// Returns the metadata, to set what is only known after the last address.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use postcode_addresses::file::{AddressWriter, Metadata};
    ///
    /// let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("PAF"))?;
    /// writer.metadata_mut().edition = "PAF Y26M11".to_owned();
    /// assert_eq!(writer.finish()?.1.edition, "PAF Y26M11");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Adds the next address.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use postcode_addresses::Address;
    /// use postcode_addresses::file::{AddressWriter, Metadata};
    ///
    /// let at = |postcode: &str| Address { postcode: postcode.into(), ..Address::default() };
    /// let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("made by hand"))?;
    /// writer.push(&at("ZE9 9AB"))?;
    /// assert!(writer.push(&at("ZE9 9AA")).is_err()); // it comes before the previous one
    /// writer.push(&at("ZE9 9AD"))?;
    /// assert_eq!(writer.finish()?.1.addresses, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if its postcode is not valid or comes before that of the previous
    /// address, an element is longer than 1,024 bytes or has control characters, or a number or point is out of range.
    /// The address is not added then, and others may follow. [`Dataset`](ErrorKind::Dataset) if the output fails.
    pub fn push(&mut self, address: &Address) -> Result<()> {
        check(address)?;
        let same =
            self.pending.checked_sub(1).and_then(|last| self.addresses.get(last)).is_some_and(|last| {
                last.postcode == address.postcode
                    && last.dataset.is_approximate() == address.dataset.is_approximate()
            });
        if !same {
            let key = self.key_of(address)?;
            if self.key != Some(key) {
                self.flush()?;
                self.key = Some(key);
            }
        }
        if self.pending as u64 >= MAX_AT_POSTCODE {
            let what = format!("{}: more than {MAX_AT_POSTCODE} addresses", address.postcode);
            return Err(Error::invalid(what));
        }
        match self.addresses.get_mut(self.pending) {
            Some(kept) => kept.clone_from(address),
            None => self.addresses.push(address.clone()),
        }
        self.pending += 1;
        Ok(())
    }

    fn key_of(&self, address: &Address) -> Result<Key> {
        let text = &address.postcode;
        let unsorted = |last: &dyn std::fmt::Display| {
            Error::invalid(format!("{text} comes after {last}: addresses must be sorted by postcode"))
        };
        if address.dataset.is_approximate() {
            let outcode: Outcode = text.parse().map_err(|e| Error::invalid(format!("{text:?}: {e}")))?;
            let last = self.streets.last().map(|(code, _)| *code);
            let last = if let Some(Key::Outcode(key)) = self.key { Some(outcode_code(key)) } else { last };
            if last.is_some_and(|last| last > outcode_code(outcode)) {
                return Err(unsorted(&"a later outcode"));
            }
            return Ok(Key::Outcode(outcode));
        }
        let postcode: Postcode = text.parse().map_err(|e| Error::invalid(format!("{text:?}: {e}")))?;
        let last = if let Some(Key::Postcode(key)) = self.key { Some(key) } else { self.last_postcode };
        match last {
            Some(last) if last > postcode => Err(unsorted(&last)),
            // Another key came between the addresses of this postcode.
            Some(last) if last == postcode && self.key != Some(Key::Postcode(postcode)) => {
                Err(unsorted(&"streets of an outcode"))
            }
            _ => Ok(Key::Postcode(postcode)),
        }
    }

    /// Writes the block of the current postcode.
    fn flush(&mut self) -> Result<()> {
        let Some(key) = self.key.take() else { return Ok(()) };
        let addresses = &self.addresses[..std::mem::take(&mut self.pending)];
        if addresses.is_empty() {
            return Ok(());
        }
        self.block.clear();
        self.encoder.block(addresses, &mut self.block)?;
        for address in addresses {
            let metadata = &mut self.metadata;
            match metadata.datasets.get_mut(address.dataset.as_str()) {
                Some(count) => *count += 1,
                None => drop(metadata.datasets.insert(address.dataset.as_str().to_owned(), 1)),
            }
            metadata.udprns += u64::from(address.udprn.is_some());
            metadata.umprns += u64::from(address.umprn.is_some());
            metadata.uprns += u64::from(address.uprn.is_some());
            metadata.points += u64::from(address.point.is_some());
        }
        match key {
            Key::Outcode(outcode) => {
                self.streets.push((outcode_code(outcode), self.len));
                self.metadata.streets += addresses.len() as u64;
            }
            Key::Postcode(postcode) => {
                let row = self.offsets.len() as u32;
                if row >= MAX_ROWS {
                    return Err(Error::invalid(format!(
                        "more than {MAX_ROWS} postcodes in one file of addresses"
                    )));
                }
                if self.index.push(postcode) {
                    self.bases.push(self.len);
                }
                let base = self.bases.last().copied().unwrap_or_default();
                let offset = u32::try_from(self.len - base);
                self.offsets
                    .push(offset.map_err(|_| {
                        Error::invalid(format!("{postcode}: its sector has more than 4 GiB"))
                    })?);
                self.last_postcode = Some(postcode);
                self.metadata.addresses += addresses.len() as u64;
                let numbers: [fn(&Address) -> Option<u64>; 3] = [
                    |address| address.udprn.map(u64::from),
                    |address| address.umprn.map(u64::from),
                    |address| address.uprn,
                ];
                for (writer, number) in self.numbers.iter_mut().zip(numbers) {
                    self.scratch.extend(addresses.iter().filter_map(number));
                    writer.push(row, &mut self.scratch);
                }
            }
        }
        self.out.write_all(&self.block).map_err(failed)?;
        self.hash.update(&self.block);
        self.len += self.block.len() as u64;
        Ok(())
    }

    /// Ends the file. Returns the output, flushed, and the metadata with its counts.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use postcode_addresses::Address;
    /// use postcode_addresses::file::{AddressWriter, Metadata};
    ///
    /// let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("made by hand"))?;
    /// writer.push(&Address { postcode: "ZE9 9AA".into(), udprn: Some(1_001), ..Address::default() })?;
    /// let (_, metadata) = writer.finish()?;
    /// assert_eq!((metadata.addresses, metadata.postcodes, metadata.udprns), (1, 1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the output fails.
    pub fn finish(mut self) -> Result<(W, Metadata)> {
        self.flush()?;
        let start = (HEADER + SECTIONS * ENTRY).next_multiple_of(ALIGN);
        let blocks = Entry { id: BLOCKS, start, len: self.len as usize, checksum: self.hash.digest() };
        let mut metadata = self.metadata;
        metadata.postcodes = self.offsets.len() as u64;
        metadata.outcodes = self.index.outcodes() as u64;
        metadata.areas = self.index.areas();
        metadata.built_with = concat!("postcode-addresses ", env!("CARGO_PKG_VERSION")).to_owned();
        let json = serde_json::to_vec(&metadata)
            .map_err(|e| Error::new(ErrorKind::Internal, "the metadata can't be written").with_source(e))?;

        let mut sections = Sections { out: self.out, at: start as u64 + self.len, entries: vec![blocks] };
        let (sector_index, units) = self.index.write();
        sections.add(SECTOR_INDEX, &sector_index)?;
        let codes = self.index.codes().map(u64::from);
        sections.add(SECTORS, &table([codes.collect(), self.bases]))?;
        sections.add(UNITS, &units)?;
        sections.add(OFFSETS, &table([self.offsets.into_iter().map(u64::from).collect()]))?;
        let streets = self.streets.into_iter().map(|(code, at)| (u64::from(code), at));
        let (codes, places): (Vec<u64>, Vec<u64>) = streets.unzip();
        sections.add(STREETS, &table([codes, places]))?;
        for (number, dictionary) in (0..).zip(self.encoder.dictionaries) {
            let (offsets, texts) = dictionary.finish();
            sections.add(TEXT_OFFSETS + number, &offsets)?;
            sections.add(TEXTS + number, &texts)?;
        }
        for (kind, numbers) in (0..).zip(self.numbers) {
            let (ranges, numbers) = numbers.finish();
            sections.add(NUMBER_RANGES + kind, &ranges)?;
            sections.add(NUMBERS + kind, &numbers)?;
        }
        sections.add(METADATA, &json)?;
        Ok((sections.finish()?, metadata))
    }
}

/// Writes a packed table from its columns, which are equally long.
fn table<const N: usize>(columns: [Vec<u64>; N]) -> Vec<u8> {
    let extent = |values: &Vec<u64>| {
        let mut extent = Extent::NONE;
        values.iter().for_each(|value| extent.see(Some(*value as i64)));
        extent
    };
    let described: Vec<_> = (0..).zip(&columns).map(|(id, values)| (id, extent(values))).collect();
    let rows = columns.first().map_or(0, Vec::len);
    let mut out = Vec::new();
    let mut table = TableWriter::new(&mut out, rows, &described);
    for row in 0..rows {
        for values in &columns {
            table.push(values.get(row).map(|value| *value as i64));
        }
    }
    table.finish();
    out
}

/// Writes sections behind each other.
struct Sections<W: Write + Seek> {
    out: BufWriter<W>,
    at: u64,
    entries: Vec<Entry>,
}

impl<W: Write + Seek> Sections<W> {
    fn add(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
        let start = self.at.next_multiple_of(ALIGN as u64);
        let padding = (start - self.at) as usize;
        self.out.write_all(&[0; ALIGN][..padding]).map_err(failed)?;
        self.out.write_all(bytes).map_err(failed)?;
        self.at = start + bytes.len() as u64;
        self.entries.push(Entry { id, start: start as usize, len: bytes.len(), checksum: xxh3_64(bytes) });
        Ok(())
    }

    fn finish(mut self) -> Result<W> {
        let head = head(&ADDRESSES, MINOR, &self.entries, self.at);
        self.out.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.out.write_all(&head).map_err(failed)?;
        self.out.into_inner().map_err(|e| failed(e.into_error()))
    }
}
