//! Verifies a dataset file completely.

use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::file::format::{Entry, damaged, section};
use crate::dataset::file::ranked_bitmap::{self, BITS};
use crate::dataset::file::strings;
use crate::dataset::section::keys::{CODES, SECTOR_CODES};
use crate::dataset::section::spatial::cell_of;
use crate::postcode::PER_OUTCODE;
use crate::{AreaKind, Error, Result};

impl Dataset {
    /// Verifies everything: the checksum of every section, and that their contents fit together.
    /// After this, the answers are those that the file's author intended.
    ///
    /// Reads the whole file.
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// dataset.verify()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](crate::ErrorKind::Dataset) with the path, the section, the offset, and what is wrong.
    pub fn verify(&self) -> Result<()> {
        let inner = self.inner();
        self.verify_checksums()?;
        inner.verify_keys()?;
        inner.verify_outcodes()?;
        inner.verify_rows()?;
        inner.verify_areas()?;
        inner.verify_strings()?;
        inner.verify_spatial()?;
        inner.verify_places_and_scotland()
    }

    /// Verifies every byte: each section against its checksum, and that the bytes between sections
    /// are zero. After this, the file is known to be as it was written.
    ///
    /// Reads the whole file.
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// let mut bytes = dataset.as_bytes().to_vec();
    /// let last = bytes.len() - 1;
    /// bytes[last] ^= 1; // one damaged bit
    /// let damaged = postcode_core::dataset::Dataset::from_bytes(bytes)?;
    /// assert!(damaged.verify_checksums().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`verify`](Self::verify).
    pub fn verify_checksums(&self) -> Result<()> {
        let inner = self.inner();
        inner.frame.verify(&inner.bytes, &inner.origin)
    }
}

impl Inner {
    fn wrong(&self, id: u32, at: usize, what: impl std::fmt::Display) -> Error {
        let start = self.frame.find(id).map_or(0, |entry| entry.start);
        damaged(&self.origin, &format!("section {}", section::name(id)), start + at, what)
    }

    /// Checks that sectors ascend, that both bitmaps have the right counts, and that they contain
    /// only what is listed.
    fn verify_keys(&self) -> Result<()> {
        let data: &[u8] = &self.bytes;
        let (keys, units) = (&self.keys, self.keys.units(data));
        let mut expected = vec![[0u64; 7]; ranked_bitmap::lines_for(SECTOR_CODES)];
        let mut lines = Vec::with_capacity(keys.sector_count() as usize);
        let mut before = None;
        let mut rows = 0;
        for n in 0..keys.sector_count() {
            let code = keys.sector_code(data, n).filter(|&code| before.is_none_or(|before| before < code));
            let Some(code) = code else {
                return Err(self.wrong(section::SECTORS, n as usize * 4, "not in order"));
            };
            before = Some(code);
            expected[(code / BITS) as usize][(code % BITS / 64) as usize] |= 1 << (code % BITS % 64);
            let words = keys.unit_words(data, n).unwrap_or_default();
            rows += u64::from(words.iter().map(|word| word.count_ones()).sum::<u32>());
            lines.push(words);
        }
        let same = |id, found: &[u8], expected: &[ranked_bitmap::Words]| {
            let mut rewritten = Vec::with_capacity(found.len());
            ranked_bitmap::write(&mut rewritten, expected.iter());
            match rewritten.iter().zip(found).position(|(a, b)| a != b) {
                Some(at) => {
                    Err(self.wrong(id, at, "the bitmap does not agree with its counts or the sectors"))
                }
                None => Ok(()),
            }
        };
        same(section::SECTOR_INDEX, keys.sector_index(data), &expected)?;
        same(section::UNITS, units, &lines)?;
        if rows != u64::from(self.rows.count()) {
            let what = format!("{rows} postcodes for {} rows", self.rows.count());
            return Err(self.wrong(section::UNITS, 0, what));
        }
        Ok(())
    }

    /// Checks that the outcodes are those of the sectors, with the right beginnings and counts.
    fn verify_outcodes(&self) -> Result<()> {
        let data: &[u8] = &self.bytes;
        let keys = &self.keys;
        let mut scan = keys.scan(data, 0).peekable();
        let mut live_of_all = 0;
        for n in 0..keys.outcode_count() {
            let at = n as usize * crate::dataset::section::keys::OUTCODE_ENTRY;
            let wrong = |what| self.wrong(section::OUTCODES, at, what);
            let entry = keys.outcode_entry(data, n).ok_or_else(|| wrong("no entry"))?;
            let sector = keys.sector_code(data, entry.first_sector);
            if scan.peek().is_none_or(|&(row, postcode)| {
                (row, postcode.outcode().code()) != (entry.first_row, entry.code)
                    || sector != Some(postcode.sector().code())
            }) {
                return Err(wrong("it does not begin where its postcodes do"));
            }
            let (mut live, mut located) = (0, 0);
            let end = u64::from(entry.code + 1) * u64::from(PER_OUTCODE);
            while let Some((row, _)) = scan.next_if(|(_, postcode)| u64::from(postcode.code()) < end) {
                let is_live = self.rows.is_live(data, row);
                live += u32::from(is_live);
                located += u32::from(is_live && self.rows.micro(data, row).is_some());
            }
            if (live, located) != (entry.live, entry.located) || entry.centroid().is_some() != (located > 0) {
                return Err(wrong("its counts are wrong"));
            }
            live_of_all += u64::from(live);
        }
        if let Some((_, postcode)) = scan.next() {
            return Err(self.wrong(section::OUTCODES, 0, format!("no entry for {}", postcode.outcode())));
        }
        let counts = (self.metadata.live, self.metadata.live.saturating_add(self.metadata.terminated));
        if counts != (live_of_all, u64::from(self.rows.count())) {
            return Err(self.wrong(section::METADATA, 0, "its counts of postcodes are wrong"));
        }
        debug_assert!(u64::from(CODES) >= counts.1);
        Ok(())
    }

    /// Checks that every row has possible values.
    fn verify_rows(&self) -> Result<()> {
        let data: &[u8] = &self.bytes;
        let rows = &self.rows;
        for row in 0..rows.count() {
            if let Some(what) = rows.fault(data, row, self.areas.sets.rows()) {
                return Err(self.wrong(section::ROWS, 0, format!("row {row}: {what}")));
            }
        }
        Ok(())
    }

    /// Checks that sets point into dictionaries, that dictionaries point into strings, and that
    /// codes ascend.
    fn verify_areas(&self) -> Result<()> {
        let data: &[u8] = &self.bytes;
        for kind in AreaKind::ALL {
            let Some(dictionary) = &self.areas.kinds[kind as usize] else {
                if !self.areas.sets.column(kind as u16).is_absent() {
                    return Err(self.wrong(section::AREA_SETS, 0, format!("no dictionary of {kind:?}")));
                }
                continue;
            };
            for set in 0..self.areas.sets.rows() {
                if self.areas.number(data, set, kind).is_some_and(|number| number >= dictionary.count) {
                    let what = format!("set {set}: no such {kind:?}");
                    return Err(self.wrong(section::AREA_SETS, 0, what));
                }
            }
            if let Some(what) = dictionary.fault(data, &self.areas.pool) {
                return Err(self.wrong(dictionary.codes.id, 0, what));
            }
        }
        Ok(())
    }

    /// Checks that the pool is a sequence of UTF-8 strings that ends at its end.
    fn verify_strings(&self) -> Result<()> {
        let pool: &Entry = &self.areas.pool;
        let mut at = 0;
        while at < pool.len {
            match strings::get(pool, &self.bytes, at as u32) {
                Some(string) => at += 2 + string.len(),
                None => return Err(self.wrong(section::STRINGS, at, "not a string")),
            }
        }
        Ok(())
    }

    /// Checks that places and Scottish postcodes are in order, complete, and as many as in the
    /// metadata.
    fn verify_places_and_scotland(&self) -> Result<()> {
        let data: &[u8] = &self.bytes;
        for (id, places) in [(section::PLACES, &self.places), (section::WIDER_PLACES, &self.wider_places)] {
            if let Some(what) = places.fault(data) {
                return Err(self.wrong(id, 0, what));
            }
        }
        if let Some(what) = self.positions.fault(data) {
            return Err(self.wrong(section::APPROXIMATE, 0, what));
        }
        if let Some((id, what)) = self.scotland.fault(data) {
            return Err(self.wrong(id, 0, what));
        }
        let counts = (u64::from(self.places.count()), u64::from(self.scotland.count()));
        if counts != (self.metadata.places, self.metadata.scottish_postcodes) {
            let what = "its counts of places or Scottish postcodes are wrong";
            return Err(self.wrong(section::METADATA, 0, what));
        }
        Ok(())
    }

    /// Checks that every live row with a location is once in the right cell, in order.
    fn verify_spatial(&self) -> Result<()> {
        let data: &[u8] = &self.bytes;
        let (spatial, rows) = (&self.spatial, &self.rows);
        let (mut entry, mut cell) = (0, 0);
        let mut before = None;
        for band in 0..spatial.bands.rows() {
            let wrong = |id, what| Err(self.wrong(id, 0, format!("band {band}: {what}")));
            let cells = spatial.cells_of(data, band);
            let Some(number) = spatial.band(data, band).filter(|_| cells.start == cell && !cells.is_empty())
            else {
                return wrong(section::BANDS, "not in order");
            };
            cell = cells.end;
            for cell in cells {
                let entries = spatial.entries_of(data, cell);
                let place = spatial.cell(data, cell).map(|cell| (number, cell));
                if entries.start != entry || entries.is_empty() || place <= before || place.is_none() {
                    return wrong(section::CELLS, "its cells are not in order");
                }
                entry = entries.end;
                before = place;
                let mut last = None;
                for entry in entries {
                    let row = spatial.row(data, entry).filter(|&row| rows.is_live(data, row));
                    let micro = row.and_then(|row| rows.micro(data, row));
                    if micro.map(|(latitude, longitude)| cell_of(latitude, longitude)) != place || row <= last
                    {
                        return wrong(section::CELL_ROWS, "a row that is not in its cell, or not in order");
                    }
                    last = row;
                }
            }
        }
        // All entries are different rows, so equal counts mean the same rows.
        let located =
            (0..rows.count()).filter(|&row| rows.is_live(data, row) && rows.micro(data, row).is_some());
        if (cell, entry) != (spatial.cells.rows(), spatial.rows.rows()) || entry as usize != located.count() {
            return Err(self.wrong(section::CELL_ROWS, 0, "not all postcodes with a location"));
        }
        Ok(())
    }
}
