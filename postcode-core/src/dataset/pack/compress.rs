//! Packs a dataset.

use super::context::{self, Model};
use super::predict::{Nodes, Predictor};
use super::range_coder::Encoder;
use super::sections;
use super::streams::{Writer, zigzag};
use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::file::format::section;
use crate::dataset::section::rows::CompactRow;
use crate::dataset::write::assemble::{BLOCK, Measures};
use crate::dataset::write::parallel;
use crate::postcode::UNITS;
use crate::{Error, ErrorKind, Result};

pub(crate) const MAGIC: [u8; 8] = *b"UKPPACK4";
/// The length of the header: magic number and fingerprint of the dataset.
pub(crate) const HEADER: usize = 24;
/// The compression level. Higher ones are too slow for what they save.
const LEVEL: i32 = 19;
/// Marks a location that its grid reference does not predict well.
pub(crate) const ESCAPE: u8 = 255;
/// How many rows away a terminated postcode's place is searched for. Twice this fits in a byte.
const NEARBY: usize = 127;
/// Differences below this, of either coordinate, go into one byte.
pub(crate) const SMALL: u32 = 15;

impl Dataset {
    /// Packs the dataset into a few megabytes for a whole country. [`unpack`](Self::unpack)
    /// restores the same file.
    ///
    /// Takes some seconds.
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
    /// use postcode_core::dataset::Dataset;
    ///
    /// let pack = dataset.pack()?;
    /// assert_eq!(Dataset::unpack(&pack)?.as_bytes(), dataset.as_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the dataset is damaged, or was written by another version
    /// of this crate, so that unpacking would not restore it exactly.
    pub fn pack(&self) -> Result<Vec<u8>> {
        self.verify()?;
        let inner = self.inner();
        let data: &[u8] = &inner.bytes;
        let rows = inner.keys.scan(data, 0).map(|(row, postcode)| inner.rows.compact(data, row, postcode));
        let rows: Vec<CompactRow> = rows.collect();
        let predictor = Predictor::new(Nodes::fit(&places(&rows)));
        // Blocks are compressed separately, so that all cores can unpack them.
        let mut next = 0;
        let blocks = rows.chunks(BLOCK).map(|rows| {
            let first = next;
            let sets = rows.iter().map(|row| row.set).filter(|set| *set != CompactRow::NONE);
            next = sets.fold(next, |next, set| next.max(set + 1));
            (rows, first)
        });
        let blocks: Vec<(&[CompactRow], u32)> = blocks.collect();
        let model = learned(&blocks);
        let mut plain = vec![common(inner, &predictor, &rows, &model)];
        let model = Model::from_bytes(&model);
        plain.extend(parallel::map(blocks, |(rows, next)| block(rows, next, &predictor, model.clone())));
        let packed = parallel::map(plain, |plain| {
            zstd::bulk::compress(&plain, LEVEL).map(|packed| (plain.len() as u32, packed))
        });
        let mut pack = Writer(MAGIC.to_vec());
        let fingerprint = u128::from_str_radix(&inner.frame.fingerprint, 16).unwrap_or_default();
        pack.0.extend_from_slice(&fingerprint.to_le_bytes());
        for part in packed {
            let (len, packed) = part.map_err(|e| {
                Error::new(ErrorKind::Internal, format!("the dataset can't be compressed: {e}"))
                    .with_source(e)
            })?;
            pack.number(len);
            pack.bytes(&packed);
        }
        let pack = pack.0;
        // Anything that the format can hold but this packing can't is found here, and not by the
        // user.
        Self::unpack(&pack)?;
        Ok(pack)
    }
}

/// Returns places on the National Grid with their latitude and longitude.
fn places(rows: &[CompactRow]) -> Vec<([u32; 2], [i32; 2])> {
    rows.iter()
        .filter(|row| row.is_located() && row.eastings != CompactRow::NONE && !row.irish)
        .map(|row| ([row.eastings, row.northings], [row.latitude, row.longitude]))
        .collect()
}

/// Returns the part that all blocks share: the sections that are neither rows nor index, the
/// beginning of each block, the measures of all rows, and the nodes of the shift.
fn common(inner: &Inner, predictor: &Predictor, rows: &[CompactRow], model: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    let is_index = |id| {
        (section::SECTOR_INDEX..=section::ROWS).contains(&id)
            || (section::BANDS..=section::CELL_ROWS).contains(&id)
    };
    let kept: Vec<_> = inner.frame.entries.iter().filter(|entry| !is_index(entry.id)).collect();
    out.number(kept.len() as u32);
    for entry in kept {
        out.number(entry.id);
        sections::write(&mut out, entry.of(&inner.bytes));
    }
    out.number(rows.len() as u32);
    out.numbers(&rows.chunks(BLOCK).filter_map(|block| Some(block.first()?.code)).collect::<Vec<u32>>());
    if let Some(measures) = Measures::of(&rows) {
        measures.extents.as_arrays().as_flattened().iter().for_each(|key| out.number(*key));
        out.number(u32::from(measures.unusual_system));
    }
    for n in 0..2 {
        let mut before = 0;
        let nodes =
            predictor.nodes().iter().map(|node| zigzag(node[n] - std::mem::replace(&mut before, node[n])));
        out.numbers(&nodes.collect::<Vec<u32>>());
    }
    out.bytes(model);
    out.0
}

/// Returns what a model has learned from all blocks.
fn learned(blocks: &[(&[CompactRow], u32)]) -> Vec<u8> {
    let mut model = Model::new();
    for (rows, next) in blocks {
        context::code(&mut Encoder::new(), &mut model, &mut rows.to_vec(), *next);
    }
    model.to_bytes()
}

/// Returns a block. `next` is the number of the first set of areas that no earlier block has.
fn block(rows: &[CompactRow], next: u32, predictor: &Predictor, mut model: Model) -> Vec<u8> {
    let mut out = Writer::default();
    out.number(rows.len() as u32);
    write_postcodes(&mut out, rows);
    out.bytes(&rows.iter().map(flags).collect::<Vec<u8>>());
    write_grid(&mut out, rows);
    write_locations(&mut out, rows, predictor);
    out.number(next);
    let mut encoder = Encoder::new();
    context::code(&mut encoder, &mut model, &mut rows.to_vec(), next);
    encoder.finish(&mut out);
    out.0
}

/// Writes sectors as steps, and units as bitmaps. A sector may continue in the next block.
fn write_postcodes(out: &mut Writer, rows: &[CompactRow]) {
    let mut before = 0;
    let (mut steps, mut bitmaps) = (Vec::new(), Vec::new());
    for sector in rows.chunk_by(|a, b| a.code / UNITS == b.code / UNITS) {
        let code = sector.first().map_or(0, |row| row.code / UNITS);
        steps.push(code - std::mem::replace(&mut before, code));
        let mut words = [0u64; 7];
        for unit in sector.iter().map(|row| row.code % UNITS) {
            words[(unit / 64) as usize] |= 1 << (unit % 64);
        }
        words.iter().for_each(|word| bitmaps.extend_from_slice(&word.to_le_bytes()));
    }
    out.numbers(&steps);
    out.bytes(&bitmaps);
}

/// Returns the small fields of a row in one byte.
fn flags(row: &CompactRow) -> u8 {
    let quality = if row.quality == CompactRow::UNKNOWN { 0 } else { row.quality };
    let user_type = if row.user_type == CompactRow::UNKNOWN { 0 } else { row.user_type + 1 };
    quality | user_type << 4 | u8::from(row.live) << 6 | u8::from(row.irish) << 7
}

/// Writes grid references. A live row is a step from the previous live row. Most terminated ones
/// are in the same place as a nearby row, so its distance in rows is written first, and then steps
/// for the others.
fn write_grid(out: &mut Writer, rows: &[CompactRow]) {
    let place =
        |row: &CompactRow| (row.eastings != CompactRow::NONE).then_some((row.eastings, row.northings));
    out.bytes(&rows.iter().map(|row| u8::from(place(row).is_some())).collect::<Vec<u8>>());
    let mut steps = Steps::default();
    for row in rows.iter().filter(|row| row.live) {
        if let Some(place) = place(row) {
            steps.push(place);
        }
    }
    steps.write(out);
    let (mut same, mut steps) = (Vec::new(), Steps::default());
    for (n, row) in rows.iter().enumerate() {
        let Some(here) = place(row) else { continue };
        if row.live {
            steps.last = here;
            continue;
        }
        let before = |k: usize| n.checked_sub(k).and_then(|n| rows.get(n)).and_then(place) == Some(here);
        let after = |k: usize| rows.get(n + k).filter(|row| row.live).and_then(place) == Some(here);
        let found = (1..=NEARBY).find_map(|k| match (before(k), after(k)) {
            (true, _) => Some(2 * k - 1),
            (_, true) => Some(2 * k),
            _ => None,
        });
        same.push(found.unwrap_or(0) as u8);
        match found {
            Some(_) => steps.last = here,
            None => steps.push(here),
        }
    }
    out.bytes(&same);
    steps.write(out);
}

/// Writes places, each as a step from the previous one.
#[derive(Default)]
struct Steps {
    last: (u32, u32),
    east: Vec<u32>,
    north: Vec<u32>,
}

impl Steps {
    fn push(&mut self, place: (u32, u32)) {
        let step = |from: u32, to: u32| zigzag(to.wrapping_sub(from) as i32);
        self.east.push(step(self.last.0, place.0));
        self.north.push(step(self.last.1, place.1));
        self.last = place;
    }

    fn write(&self, out: &mut Writer) {
        out.numbers(&self.east);
        out.numbers(&self.north);
    }
}

/// Writes the difference from the predicted location, or from zero degrees without a grid
/// reference.
fn write_locations(out: &mut Writer, rows: &[CompactRow], predictor: &Predictor) {
    out.bytes(&rows.iter().map(|row| u8::from(row.is_located())).collect::<Vec<u8>>());
    let (mut small, mut large) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows.iter().filter(|row| row.is_located()) {
        let (latitude, longitude) = predictor.predict(row.eastings, row.northings);
        let rest = [row.latitude.wrapping_sub(latitude), row.longitude.wrapping_sub(longitude)].map(zigzag);
        if rest.iter().all(|rest| *rest < SMALL) {
            small.push((rest[0] * SMALL + rest[1]) as u8);
        } else {
            small.push(ESCAPE);
            large.extend_from_slice(&rest);
        }
    }
    out.bytes(&small);
    out.numbers(&large);
}
