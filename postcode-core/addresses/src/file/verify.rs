//! Verifies a file of addresses completely.

use std::collections::BTreeMap;

use postcode_core::Result;

use super::{AddressFile, Addresses};
use crate::{Address, AddressNumber};

/// Counts over the addresses.
#[derive(Default)]
struct Counts {
    addresses: u64,
    udprns: u64,
    umprns: u64,
    uprns: u64,
    points: u64,
    datasets: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn see(&mut self, address: &Address) {
        self.addresses += 1;
        self.udprns += u64::from(address.udprn.is_some());
        self.umprns += u64::from(address.umprn.is_some());
        self.uprns += u64::from(address.uprn.is_some());
        self.points += u64::from(address.point.is_some());
        *self.datasets.entry(address.dataset.as_str()).or_default() += 1;
    }
}

impl AddressFile {
    /// Verifies everything: the checksum of every section, that every address can be read, and that the indexes find it.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// file.verify()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](postcode_core::ErrorKind::Dataset) with the path, the section, the offset, and what is wrong.
    pub fn verify(&self) -> Result<()> {
        self.verify_checksums()?;
        for (number, dictionary) in self.dictionaries.iter().enumerate() {
            dictionary.verify(&self.container, number)?;
        }
        let sectors = self.sectors.0.rows();
        let codes: Option<Vec<u32>> =
            (0..sectors).map(|sector| u32::try_from(self.sector_cell(sector, 0)?).ok()).collect();
        let wrong = |what: &str| self.container.damaged("section sectors", 0, what);
        self.index.verify(&self.container, &codes.ok_or_else(|| wrong("a sector has no code"))?)?;
        let mut counts = Counts::default();
        let mut end = 0;
        let mut streets = self.streets_in_order()?.into_iter().peekable();
        for row in 0..self.offsets.0.rows() {
            let (sector, postcode) = self.postcode(row).ok_or_else(|| wrong("a row has no postcode"))?;
            let start = self.start(sector, row).unwrap_or(u64::MAX);
            while let Some((_, at)) = streets.next_if(|(_, at)| *at == end && *at < start) {
                end =
                    self.verify_block(self.block_at(at, "an outcode")?, at, &mut Counts::default(), None)?;
            }
            if start != end {
                return Err(wrong(&format!(
                    "the block of {postcode} does not begin where the last one ends"
                )));
            }
            let block = self.block(sector, row, postcode.spaced().as_str())?;
            end = self.verify_block(block, start, &mut counts, Some(row))?;
        }
        let mut approximate = 0;
        for (_, at) in streets {
            if at != end {
                return Err(wrong("the block of an outcode does not begin where the last one ends"));
            }
            end = self.verify_block(self.block_at(at, "an outcode")?, at, &mut Counts::default(), None)?;
        }
        for (_, at) in self.streets_in_order()? {
            approximate += self.block_at(at, "an outcode")?.left() as u64;
        }
        if end != self.blocks.len as u64 {
            return Err(wrong("bytes after the last block"));
        }
        let metadata = &self.metadata;
        let told = [metadata.addresses, metadata.postcodes, metadata.streets];
        let counted = [counts.addresses, u64::from(self.offsets.0.rows()), approximate];
        if told != counted {
            let what =
                format!("the counts of addresses, postcodes and streets are {counted:?} and not {told:?}");
            return Err(self.container.damaged("section metadata", 0, what));
        }
        Ok(())
    }

    /// Verifies every byte against the checksums.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// use postcode_addresses::file::AddressFile;
    ///
    /// let mut bytes = file.as_bytes().to_vec();
    /// let last = bytes.len() - 1;
    /// bytes[last] ^= 1; // one damaged bit
    /// assert!(AddressFile::from_bytes(bytes).and_then(|file| file.verify_checksums()).is_err());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`verify`](Self::verify).
    pub fn verify_checksums(&self) -> Result<()> {
        self.container.verify_checksums()
    }

    /// Returns outcodes and where their blocks begin.
    fn streets_in_order(&self) -> Result<Vec<(u64, u64)>> {
        let (table, [codes, places]) = &self.streets;
        let row =
            |row| Some((table.get(&self.container, row, *codes)?, table.get(&self.container, row, *places)?));
        let rows: Option<Vec<(u64, u64)>> = (0..table.rows()).map(row).collect();
        let rows = rows.filter(|rows| rows.is_sorted_by(|a, b| a < b));
        rows.ok_or_else(|| self.container.damaged("section streets of outcodes", 0, "not in order"))
    }

    /// Reads a block, and returns where it ends.
    fn verify_block(
        &self,
        mut block: Addresses<'_>,
        start: u64,
        counts: &mut Counts,
        row: Option<u32>,
    ) -> Result<u64> {
        while let Some(address) = block.next()? {
            counts.see(address);
            let numbers = [
                address.udprn.map(AddressNumber::Udprn),
                address.umprn.map(AddressNumber::Umprn),
                address.uprn.map(AddressNumber::Uprn),
            ];
            for number in numbers.into_iter().flatten() {
                let (kind, wanted) = super::place(number);
                let index = self.numbers.get(kind).and_then(Option::as_ref);
                let rows = index.map(|index| index.rows(&self.container, wanted)).unwrap_or_default();
                if row.is_some_and(|row| !rows.contains(&row)) && rows.len() < super::numbers::MOST_POSTCODES
                {
                    let what = format!("{number} of {} is not found", address.postcode);
                    return Err(self.container.damaged("numbers", 0, what));
                }
            }
        }
        Ok(start + block.read() as u64)
    }
}
