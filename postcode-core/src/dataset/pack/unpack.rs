//! Unpacks a pack into the dataset that it was made from.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::compress::{ESCAPE, HEADER, MAGIC, SMALL};
use super::context::{self, Model};
use super::predict::{NODES, Predictor};
use super::range_coder::Decoder;
use super::sections;
use super::streams::{Numbers, Reader, unzigzag};
use crate::dataset::Dataset;
use crate::dataset::Metadata;
use crate::dataset::file::bytes::{Bytes, u64_at, u128_at};
use crate::dataset::file::format::section;
use crate::dataset::file::packed_table::{KeyExtents, PackedTable};
use crate::dataset::section::areas::NAME;
use crate::dataset::section::keys::CODES;
use crate::dataset::section::rows::{COLUMNS, CompactRow};
use crate::dataset::write::assemble::{BLOCK, Measures, RowSource, assemble};
use crate::postcode::UNITS;
use crate::{AreaKind, DatasetInfo, Error, ErrorKind, Postcode, Result};

/// The most that a part of a pack may unpack to, in bytes: many times the size of a block, or of
/// all areas of a country.
const MAX_PLAIN: u32 = 1 << 28;

impl Dataset {
    /// Restores the dataset that [`pack`](Self::pack) packed.
    ///
    /// See [`pack`](Self::pack) for the way there and back. Other bytes are refused:
    ///
    /// ```
    /// use postcode_core::dataset::Dataset;
    ///
    /// let error = Dataset::unpack(b"not a pack").unwrap_err();
    /// assert_eq!(error.kind(), postcode_core::ErrorKind::Dataset);
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the bytes are not a pack, or are damaged: the restored
    /// file is compared with the checksum of the original.
    pub fn unpack(pack: &[u8]) -> Result<Self> {
        Self::unpack_as(pack, "packed dataset")
    }

    pub(crate) fn unpack_as(pack: &[u8], origin: &str) -> Result<Self> {
        Pack::read(pack, origin)?.unpack()
    }
}

/// The most rows of a pack, ten times those of the country: damaged data must not take all the
/// memory.
const MAX_ROWS: usize = 1 << 25;

/// Where the fingerprint of the dataset is in a pack.
const FINGERPRINT: usize = 8;

/// Returns the fingerprint of the dataset in a pack.
pub(super) fn fingerprint(pack: &[u8]) -> Option<String> {
    u128_at(pack, FINGERPRINT).map(written)
}

fn written(fingerprint: u128) -> String {
    format!("{fingerprint:032x}")
}

/// A pack whose blocks can be unpacked separately.
pub(crate) struct Pack<'a> {
    origin: &'a str,
    /// The fingerprint of the dataset, computed from the checksums of all its sections.
    fingerprint: u128,
    common: Common,
    blocks: Vec<Compressed<'a>>,
}

impl<'a> Pack<'a> {
    /// Reads the part that all blocks share.
    pub(crate) fn read(pack: &'a [u8], origin: &'a str) -> Result<Self> {
        let body = pack.strip_prefix(&MAGIC).and_then(|_| pack.get(HEADER..));
        let mut body = Reader(body.ok_or_else(|| bad(origin, "not a pack of this version"))?);
        let damaged = || damaged(origin);
        let fingerprint = u128_at(pack, FINGERPRINT).ok_or_else(damaged)?;
        let common = body.compressed().and_then(|part| common(&part.inflate()?)).ok_or_else(damaged)?;
        let mut blocks = Vec::new();
        while !body.0.is_empty() {
            blocks.push(body.compressed().ok_or_else(damaged)?);
        }
        let expected = common.count.div_ceil(BLOCK);
        if common.count > MAX_ROWS || blocks.len() != expected || common.first.len() != expected {
            return Err(damaged());
        }
        Ok(Self { origin, fingerprint, common, blocks })
    }

    /// Unpacks the whole dataset.
    pub(crate) fn unpack(&self) -> Result<Dataset> {
        let dataset = self.assemble(self)?;
        // Compares the checksums of all sections, which were just computed. That is the same as
        // hashing everything again.
        if self.fingerprint() != *dataset.inner().frame.fingerprint {
            return Err(damaged(self.origin));
        }
        Ok(dataset)
    }

    /// Creates a dataset of the rows of only one block, and of everything that is not rows. It
    /// knows everything about its own postcodes, and nothing about the others.
    pub(crate) fn part(&self, n: usize) -> Result<Dataset> {
        let rows = self.block(n).ok_or_else(|| damaged(self.origin))?;
        self.assemble(&Part { rows: &rows, measures: self.common.measures })
    }

    /// Returns the number of the block that would contain a postcode.
    pub(crate) fn block_of(&self, postcode: Postcode) -> usize {
        self.common.first.partition_point(|first| *first <= postcode.code()).saturating_sub(1)
    }

    /// Returns the description of the whole dataset.
    pub(crate) fn info(&self) -> Result<DatasetInfo> {
        let metadata: Metadata =
            serde_json::from_slice(&self.common.metadata).map_err(|_| damaged(self.origin))?;
        let mut info = metadata.info(&self.fingerprint(), |kind| self.has_names(kind));
        info.leave_out_unlisted(|area| self.has_area(area));
        Ok(info)
    }

    /// Returns whether areas of a kind have names.
    fn has_names(&self, kind: AreaKind) -> bool {
        let id = section::AREA_NAMES + kind as u32;
        let names = self.common.areas.iter().find(|(other, _)| *other == id);
        names
            .and_then(|(_, names)| PackedTable::read(names, 0, names.len(), self.origin, "names").ok())
            .is_some_and(|names| !names.column(NAME).is_absent())
    }

    /// Returns whether there are postcodes in a postcode area.
    fn has_area(&self, area: &str) -> bool {
        let Ok(lowest) = format!("{area}0 0AA").parse::<Postcode>() else { return false };
        let n = self.block_of(lowest);
        let rows = self.postcodes(n).unwrap_or_default();
        let here = rows.iter().map(|row| row.code).find(|code| *code >= lowest.code());
        let next = here.or_else(|| self.common.first.get(n + 1).copied());
        next.and_then(Postcode::from_code).is_some_and(|postcode| postcode.area() == area)
    }

    /// Returns the rows of a block with nothing but their postcodes.
    fn postcodes(&self, n: usize) -> Option<Vec<CompactRow>> {
        let plain = self.blocks.get(n)?.inflate()?;
        let mut input = Reader(&plain);
        let count = input.number().filter(|&count| count as usize <= BLOCK)? as usize;
        read_postcodes(&mut input, count)
    }

    fn fingerprint(&self) -> String {
        written(self.fingerprint)
    }

    fn assemble(&self, rows: &impl RowSource) -> Result<Dataset> {
        let bytes =
            assemble(&self.common.metadata, rows, &self.common.areas, &mut |_| ControlFlow::Continue(()));
        let bytes = bytes.ok_or_else(|| damaged(self.origin))?;
        Dataset::from_source(Bytes::Owned(bytes), self.origin.to_owned())
    }
}

fn bad(origin: &str, what: &str) -> Error {
    Error::new(ErrorKind::Dataset, format!("{origin}: {what}: make the pack again"))
}

fn damaged(origin: &str) -> Error {
    bad(origin, "the pack is damaged, or of another version")
}

/// Unpacks each block when it is requested.
impl RowSource for Pack<'_> {
    fn count(&self) -> usize {
        self.common.count
    }

    fn block(&self, n: usize) -> Option<Cow<'_, [CompactRow]>> {
        let rows = block(&self.blocks.get(n)?.inflate()?, &self.common.predictor, &self.common.model)?;
        let whole = rows.len() == BLOCK.min(self.common.count - n * BLOCK);
        let here = rows.first().map(|row| row.code) == self.common.first.get(n).copied();
        (whole && here).then_some(Cow::Owned(rows))
    }

    fn measures(&self) -> Option<Measures> {
        Some(self.common.measures)
    }
}

/// The rows of one block, packed with the measures of the whole, so that nothing is rounded
/// differently.
struct Part<'a> {
    rows: &'a [CompactRow],
    measures: Measures,
}

impl RowSource for Part<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn block(&self, n: usize) -> Option<Cow<'_, [CompactRow]>> {
        (n == 0).then_some(Cow::Borrowed(self.rows))
    }

    fn measures(&self) -> Option<Measures> {
        Some(self.measures)
    }
}

/// A compressed part, which any thread can inflate.
struct Compressed<'a> {
    len: usize,
    bytes: &'a [u8],
}

impl Compressed<'_> {
    fn inflate(&self) -> Option<Vec<u8>> {
        zstd::bulk::decompress(self.bytes, self.len).ok().filter(|plain| plain.len() == self.len)
    }
}

impl<'a> Reader<'a> {
    fn compressed(&mut self) -> Option<Compressed<'a>> {
        let len = self.number().filter(|&len| len <= MAX_PLAIN)? as usize;
        Some(Compressed { len, bytes: self.bytes()? })
    }
}

/// The part that all blocks share.
struct Common {
    metadata: Vec<u8>,
    areas: Vec<(u32, Vec<u8>)>,
    count: usize,
    /// The code of the first postcode of each block.
    first: Vec<u32>,
    measures: Measures,
    predictor: Predictor,
    model: Model,
}

fn common(plain: &[u8]) -> Option<Common> {
    let mut input = Reader(plain);
    let (mut metadata, mut areas) = (None, Vec::new());
    for _ in 0..input.number()? {
        match (input.number()?, sections::read(&mut input)?) {
            (section::METADATA, bytes) => metadata = Some(bytes),
            section => areas.push(section),
        }
    }
    let count = input.number()? as usize;
    let mut starts = input.numbers()?;
    let first = (0..count.min(CODES as usize).div_ceil(BLOCK)).map(|_| starts.next()).collect();
    let mut extents = [[0; COLUMNS]; 3];
    for key in extents.iter_mut().flatten() {
        *key = input.number()?;
    }
    let measures =
        Measures { extents: KeyExtents::from_arrays(extents), unusual_system: input.number()? != 0 };
    let (mut latitudes, mut longitudes) = (input.numbers()?, input.numbers()?);
    let mut node = [0i32; 2];
    let nodes = (0..NODES).map(|_| {
        node[0] = node[0].wrapping_add(unzigzag(latitudes.next()));
        node[1] = node[1].wrapping_add(unzigzag(longitudes.next()));
        node
    });
    let predictor = Predictor::new(nodes.collect());
    let model = Model::from_bytes(input.bytes()?);
    Some(Common { metadata: metadata?, areas, count, first, measures, predictor, model })
}

fn block(plain: &[u8], predictor: &Predictor, model: &Model) -> Option<Vec<CompactRow>> {
    let mut input = Reader(plain);
    let count = input.number().filter(|&count| count as usize <= BLOCK)? as usize;
    let mut rows = read_postcodes(&mut input, count)?;
    let flags = input.bytes().filter(|flags| flags.len() == count)?;
    for (row, flags) in rows.iter_mut().zip(flags) {
        row.quality = if flags & 15 == 0 { CompactRow::UNKNOWN } else { flags & 15 };
        row.user_type = (flags >> 4 & 3).checked_sub(1).unwrap_or(CompactRow::UNKNOWN);
        (row.live, row.irish) = (flags & 64 != 0, flags & 128 != 0);
    }
    read_grid(&mut input, &mut rows)?;
    read_locations(&mut input, &mut rows, predictor)?;
    let next = input.number()?;
    context::code(&mut Decoder::new(input.bytes()?), &mut model.clone(), &mut rows, next);
    Some(rows)
}

fn read_postcodes(input: &mut Reader<'_>, count: usize) -> Option<Vec<CompactRow>> {
    const EMPTY: CompactRow = CompactRow {
        code: 0,
        eastings: CompactRow::NONE,
        northings: CompactRow::NONE,
        latitude: CompactRow::NOWHERE,
        longitude: CompactRow::NOWHERE,
        set: CompactRow::NONE,
        introduced: 0,
        terminated: 0,
        quality: CompactRow::UNKNOWN,
        user_type: CompactRow::UNKNOWN,
        live: false,
        irish: false,
    };
    let mut steps = input.numbers()?;
    let bitmaps = input.bytes()?;
    if count > bitmaps.len() * 8 {
        return None;
    }
    let mut rows = Vec::with_capacity(count);
    let mut sector = 0u32;
    for words in bitmaps.chunks_exact(56) {
        sector = sector.checked_add(steps.next())?;
        let first = sector.checked_mul(UNITS).filter(|&first| first < CODES)?;
        for (n, word) in words.chunks_exact(8).enumerate() {
            let mut word = u64_at(word, 0)?;
            while word != 0 {
                if rows.len() == count {
                    return None;
                }
                let unit = n as u32 * 64 + word.trailing_zeros();
                word &= word - 1;
                rows.push(CompactRow { code: first + unit, ..EMPTY });
            }
        }
    }
    (rows.len() == count).then_some(rows)
}

fn read_grid(input: &mut Reader<'_>, rows: &mut [CompactRow]) -> Option<()> {
    let has = input.bytes().filter(|has| has.len() == rows.len())?;
    let mut steps = Steps { last: (0, 0), east: input.numbers()?, north: input.numbers()? };
    for (row, _) in rows.iter_mut().zip(has).filter(|(row, has)| row.live && **has != 0) {
        (row.eastings, row.northings) = steps.next();
    }
    let mut same = input.bytes()?.iter();
    steps = Steps { last: (0, 0), east: input.numbers()?, north: input.numbers()? };
    for n in (0..rows.len()).filter(|n| has[*n] != 0) {
        if !rows[n].live {
            let place = match usize::from(*same.next()?) {
                0 => steps.next(),
                code => {
                    let k = code.div_ceil(2);
                    let other = rows.get(if code % 2 == 1 { n.checked_sub(k)? } else { n + k })?;
                    (other.eastings, other.northings)
                }
            };
            (rows[n].eastings, rows[n].northings) = place;
        }
        steps.last = (rows[n].eastings, rows[n].northings);
    }
    Some(())
}

/// Reads places, each a step from the previous one.
struct Steps<'a> {
    last: (u32, u32),
    east: Numbers<'a>,
    north: Numbers<'a>,
}

impl Steps<'_> {
    #[inline]
    fn next(&mut self) -> (u32, u32) {
        let step = |from: u32, step: u32| from.wrapping_add(unzigzag(step) as u32);
        self.last = (step(self.last.0, self.east.next()), step(self.last.1, self.north.next()));
        self.last
    }
}

fn read_locations(input: &mut Reader<'_>, rows: &mut [CompactRow], predictor: &Predictor) -> Option<()> {
    let has = input.bytes().filter(|has| has.len() == rows.len())?;
    let mut small = input.bytes()?.iter();
    let mut large = input.numbers()?;
    for (row, _) in rows.iter_mut().zip(has).filter(|(_, has)| **has != 0) {
        let rest = match u32::from(*small.next()?) {
            escape if escape == u32::from(ESCAPE) => [large.next(), large.next()],
            both => [both / SMALL, both % SMALL],
        };
        let (latitude, longitude) = predictor.predict(row.eastings, row.northings);
        row.latitude = latitude.wrapping_add(unzigzag(rest[0]));
        row.longitude = longitude.wrapping_add(unzigzag(rest[1]));
    }
    Some(())
}
