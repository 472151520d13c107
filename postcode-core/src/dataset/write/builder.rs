//! Builds a dataset from rows.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use crate::dataset::Dataset;
use crate::dataset::Metadata;
use crate::dataset::file::format::section;
use crate::dataset::file::packed_table::{Extent, TableWriter};
use crate::dataset::file::ranked_bitmap::Words;
use crate::dataset::file::strings::PoolWriter;
use crate::dataset::section::areas::{DEPRIVATION_RANK, KINDS};
use crate::dataset::section::rows::{CompactRow, MICRO, column, months};
use crate::dataset::write::approximate::{self, PositionsWriter};
use crate::dataset::write::assemble::assemble;
use crate::dataset::write::dictionary::{Dictionary, check_code, check_name, write_codes, write_names};
use crate::dataset::write::places::PlacesWriter;
use crate::dataset::write::publish::{Progress, Watch, interrupted, publish};
use crate::dataset::write::row::{AreaId, AreaIds, Row};
use crate::dataset::write::scotland::ScottishWriter;
use crate::postcode::UNITS;
use crate::{AreaKind, Error, GridSystem, Result, Status, UserType};

/// The areas of a postcode and its deprivation rank, which belongs to its small area.
type Set = ([u32; KINDS], Option<u16>);

/// Builds a dataset file from postcodes in any order.
///
/// Memory grows with rows (32 bytes each) and with distinct areas, not with text. The same rows and
/// metadata give the same bytes, in any order.
///
/// ```
/// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
///
/// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// builder.push(&Row::terminated("SW1A 0AB".parse()?))?;
/// assert_eq!(builder.len(), 2);
/// let dataset = builder.build()?;
/// assert_eq!((dataset.info().live, dataset.info().terminated), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DatasetBuilder {
    metadata: Metadata,
    rows: Vec<CompactRow>,
    /// The postcodes added so far, by sector.
    seen: HashMap<u32, Words>,
    sets: HashMap<Set, u32>,
    kinds: [Dictionary; KINDS],
    pub(crate) places: PlacesWriter,
    pub(crate) wider_places: PlacesWriter,
    pub(crate) scotland: ScottishWriter,
    pub(crate) approximate: PositionsWriter,
}

impl DatasetBuilder {
    /// Creates a builder without rows. Counts and columns in the metadata are filled in at the end.
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// let builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// assert!(builder.is_empty());
    /// ```
    pub fn new(metadata: Metadata) -> Self {
        Self {
            metadata,
            rows: Vec::new(),
            seen: HashMap::new(),
            sets: HashMap::new(),
            kinds: std::array::from_fn(|_| Dictionary::default()),
            places: PlacesWriter::default(),
            wider_places: PlacesWriter::default(),
            scotland: ScottishWriter::default(),
            approximate: PositionsWriter::new(),
        }
    }

    /// Returns the metadata, to set fields that are only known after the last row.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.metadata_mut().source = "3 files".to_owned();
    /// assert_eq!(builder.build()?.info().source, "3 files");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Returns the number of rows so far.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.push(&Row::live("M1 1AE".parse()?))?;
    /// assert_eq!(builder.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are no rows.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// assert!(DatasetBuilder::new(Metadata::new("made by hand")).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the id of the area with this code, to put into rows.
    ///
    /// ```
    /// use postcode_core::AreaKind;
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    ///
    /// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// let mut row = Row::live("SW1A 1AA".parse()?);
    /// row.areas.set(builder.area(AreaKind::AdminDistrict, "E09000033")?);
    /// builder.push(&row)?;
    /// let answer = builder.build()?.get("SW1A 1AA".parse()?);
    /// let record = answer.record().ok_or("not there")?;
    /// assert_eq!(record.areas.code(AreaKind::AdminDistrict), Some("E09000033"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a code that is empty, longer than 32
    /// bytes, or has control characters.
    pub fn area(&mut self, kind: AreaKind, code: &str) -> Result<AreaId> {
        let dictionary = &mut self.kinds[kind as usize];
        if let Some(&number) = dictionary.numbers.get(code) {
            return Ok(AreaId { kind, number });
        }
        check_code(format_args!("{kind:?}"), code)?;
        Ok(AreaId { kind, number: dictionary.number(code) })
    }

    /// Sets the name and alias of an area, before or after rows use it; the last name is kept.
    /// Names of areas that no row uses are left out of the file.
    ///
    /// ```
    /// use postcode_core::AreaKind;
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    ///
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut row = Row::live("SW1A 1AA".parse()?);
    /// # row.areas.set(builder.area(AreaKind::AdminDistrict, "E09000033")?);
    /// # builder.push(&row)?;
    /// builder.name_area(AreaKind::AdminDistrict, "E09000033", Some("Westminster"), None)?;
    /// let answer = builder.build()?.get("SW1A 1AA".parse()?);
    /// assert_eq!(answer.record().and_then(|record| record.admin_district()), Some("Westminster"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) as for [`area`](Self::area), and for a text
    /// of more than 65,535 bytes.
    pub fn name_area(
        &mut self,
        kind: AreaKind,
        code: &str,
        name: Option<&str>,
        alias: Option<&str>,
    ) -> Result<()> {
        [name, alias]
            .into_iter()
            .flatten()
            .try_for_each(|text| check_name(format_args!("{kind:?}"), code, text))?;
        let AreaId { number, .. } = self.area(kind, code)?;
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Box::from);
        if let Some(area) = self.kinds[kind as usize].areas.get_mut(number as usize) {
            (area.name, area.alias) = (text(name), text(alias));
        }
        Ok(())
    }

    /// Adds a postcode.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.push(&Row::live("M1 1AE".parse()?))?;
    /// assert!(builder.push(&Row::terminated("M1 1AE".parse()?)).is_err()); // added twice
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the postcode was already added, an area
    /// is from another builder, or a number is out of range. The row is then left out.
    pub fn push(&mut self, row: &Row) -> Result<()> {
        let bad = |what: String| Err(Error::invalid(format!("{}: {what}", row.postcode)));
        if let Some(grid) = row.grid
            && (grid.eastings > 10_000_000 || grid.northings > 10_000_000)
        {
            return bad(format!("grid reference {} {}: give metres", grid.eastings, grid.northings));
        }
        if let Some(quality @ (0 | 10..)) = row.quality {
            return bad(format!("quality {quality}: give 1 to 9"));
        }
        if self.rows.len() >= (u32::MAX - 1) as usize {
            return bad("too many rows".to_owned());
        }
        let set = (row.areas.0, row.deprivation_rank);
        let set = if set == (AreaIds::NONE.0, None) {
            CompactRow::NONE
        } else if let Some(&number) = self.sets.get(&set) {
            number
        } else {
            let known =
                |(n, &area): (usize, &u32)| area == u32::MAX || (area as usize) < self.kinds[n].areas.len();
            if !row.areas.0.iter().enumerate().all(known) {
                return bad("an area that another builder made".to_owned());
            }
            let number = self.sets.len() as u32;
            self.sets.insert(set, number);
            number
        };
        let code = row.postcode.code();
        let unit = code % UNITS;
        let words = self.seen.entry(code / UNITS).or_default();
        let (word, mask) = (&mut words[(unit / 64) as usize], 1 << (unit % 64));
        if *word & mask != 0 {
            return bad("given twice: the first row stays".to_owned());
        }
        *word |= mask;
        let micro = |degrees: f64| (degrees * MICRO).round() as i32;
        self.rows.push(CompactRow {
            code,
            eastings: row.grid.map_or(CompactRow::NONE, |grid| grid.eastings),
            northings: row.grid.map_or(CompactRow::NONE, |grid| grid.northings),
            latitude: row.location.map_or(CompactRow::NOWHERE, |at| micro(at.latitude())),
            longitude: row.location.map_or(CompactRow::NOWHERE, |at| micro(at.longitude())),
            set,
            introduced: row.introduced.map_or(0, months),
            terminated: row.terminated.map_or(0, months),
            quality: row.quality.unwrap_or(CompactRow::UNKNOWN),
            user_type: match row.user_type {
                Some(UserType::Small) => 0,
                Some(UserType::Large) => 1,
                None => CompactRow::UNKNOWN,
            },
            live: row.status == Status::Live,
            irish: row.grid.is_some_and(|grid| grid.system == GridSystem::Irish),
        });
        Ok(())
    }

    /// Builds the dataset in memory.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("M1 1AE".parse()?))?;
    /// let dataset = builder.build()?;
    /// assert!(dataset.get("M1 1AE".parse()?).is_live());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if there is more text than the format holds
    /// (4 GiB).
    pub fn build(self) -> Result<Dataset> {
        match self.assemble(&mut |_| ControlFlow::Continue(()))? {
            Some(bytes) => Dataset::from_bytes(bytes),
            None => Err(interrupted(Path::new("dataset in memory"))),
        }
    }

    /// Writes the dataset to a file: under a temporary name in the same folder, verified, then
    /// renamed to `path`. `watch` receives the progress and may stop the work, for example on
    /// Ctrl-C. Then, and on any error, nothing is left behind and an existing file is unchanged.
    /// Readers that have the old file open keep it.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("uk.postcodes");
    /// let builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.write_to(&path, &mut |progress| {
    ///     println!("{}: {} of {}", progress.step, progress.done, progress.total);
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(Dataset::open(&path)?.info().edition, "made by hand");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](crate::ErrorKind::Dataset) if the file can't be written, or `watch` stopped the
    /// work.
    pub fn write_to(
        self,
        path: impl AsRef<Path>,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Dataset> {
        self.write_approved_to(path, watch, |_| Ok(()))
    }

    /// Writes the dataset like [`write_to`](Self::write_to), but publishes it only if `approve`
    /// accepts it. An error of `approve` is returned, and nothing is left behind.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use postcode_core::Error;
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("uk.postcodes");
    /// let builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// let written = builder.write_approved_to(&path, &mut |_| ControlFlow::Continue(()), |dataset| match dataset.info().live {
    ///     0 => Err(Error::invalid("the new file has no postcodes")),
    ///     _ => Ok(()),
    /// });
    /// assert!(written.is_err() && !path.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`write_to`](Self::write_to), and the errors of `approve`.
    pub fn write_approved_to(
        self,
        path: impl AsRef<Path>,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
        approve: impl FnOnce(&Dataset) -> Result<()>,
    ) -> Result<Dataset> {
        let path = path.as_ref();
        let bytes = self.assemble(watch)?.ok_or_else(|| interrupted(path))?;
        if watch(Progress::new("checking", 0, bytes.len())).is_break() {
            return Err(interrupted(path));
        }
        let dataset = Dataset::from_bytes(bytes)?;
        dataset.verify()?;
        approve(&dataset)?;
        publish(path, dataset.as_bytes(), watch)?;
        Ok(dataset)
    }

    fn assemble(mut self, watch: Watch<'_>) -> Result<Option<Vec<u8>>> {
        if watch(Progress::new("sorting", 0, self.rows.len())).is_break() {
            return Ok(None);
        }
        self.seen = HashMap::new();
        self.rows.sort_unstable_by_key(|row| row.code);
        let sets = self.number_sets();
        let areas = self.area_sections(&sets)?;
        self.fill_metadata(&sets);
        let metadata = serde_json::to_vec(&self.metadata).map_err(|e| {
            Error::new(crate::ErrorKind::Internal, "the metadata can't be written as JSON").with_source(e)
        })?;
        Ok(assemble(&metadata, &self.rows.as_slice(), &areas, watch))
    }

    /// Numbers the sets by their first use, so that neighbours have similar numbers, in any order
    /// of pushing.
    fn number_sets(&mut self) -> Vec<Set> {
        let mut old: Vec<Set> = vec![([u32::MAX; KINDS], None); self.sets.len()];
        for (set, number) in self.sets.drain() {
            old[number as usize] = set;
        }
        let mut new_numbers = vec![u32::MAX; old.len()];
        let mut sets = Vec::with_capacity(old.len());
        for row in self.rows.iter_mut().filter(|row| row.set != CompactRow::NONE) {
            let number = &mut new_numbers[row.set as usize];
            if *number == u32::MAX {
                *number = sets.len() as u32;
                sets.push(old[row.set as usize]);
            }
            row.set = *number;
        }
        sets
    }

    /// Returns the sections of area sets, dictionaries and strings, with only what is used.
    fn area_sections(&mut self, sets: &[Set]) -> Result<Vec<(u32, Vec<u8>)>> {
        // By kind: the used areas in the order of their codes, and from old numbers to places among
        // them.
        let mut used: Vec<(Vec<u32>, Vec<u32>)> = Vec::with_capacity(KINDS);
        for (n, kind) in self.kinds.iter().enumerate() {
            let mut places = vec![u32::MAX; kind.areas.len()];
            let mut order: Vec<u32> = Vec::new();
            for set in sets.iter().map(|set| set.0[n]).filter(|&area| area != u32::MAX) {
                if std::mem::replace(&mut places[set as usize], 0) == u32::MAX {
                    order.push(set);
                }
            }
            order.sort_unstable_by(|a, b| kind.areas[*a as usize].code.cmp(&kind.areas[*b as usize].code));
            order.iter().enumerate().for_each(|(place, area)| places[*area as usize] = place as u32);
            used.push((order, places));
        }
        let areas_of = |n: usize| used[n].0.iter().map(move |&area| (n, area));
        let texts = (0..KINDS).flat_map(areas_of).flat_map(|(n, area)| {
            let area = &self.kinds[n].areas[area as usize];
            [area.name.as_deref(), area.alias.as_deref()].into_iter().flatten()
        });
        let places = self.places.texts().chain(self.wider_places.texts());
        let pool = PoolWriter::new(texts.chain(places).chain(self.scotland.texts()));
        if pool.bytes.len() > u32::MAX as usize {
            return Err(Error::invalid("more than 4 GiB of names"));
        }
        let mut sections = vec![(section::AREA_SETS, write_sets(sets, &used))];
        for (n, (order, _)) in used.iter().enumerate().filter(|(_, (order, _))| !order.is_empty()) {
            let areas: Vec<_> = order.iter().map(|&area| &self.kinds[n].areas[area as usize]).collect();
            sections.push((section::AREA_CODES + n as u32, write_codes(&areas)));
            if let Some(names) = write_names(&areas, &pool) {
                sections.push((section::AREA_NAMES + n as u32, names));
            }
        }
        sections.extend(self.places.table(&pool).map(|places| (section::PLACES, places)));
        sections.extend(self.wider_places.table(&pool).map(|places| (section::WIDER_PLACES, places)));
        sections.extend(self.scotland.sections(&pool));
        let positions = approximate::table(&self.approximate, &self.rows);
        sections.extend(positions.map(|positions| (section::APPROXIMATE, positions)));
        sections.push((section::STRINGS, pool.bytes));
        Ok(sections)
    }

    fn fill_metadata(&mut self, sets: &[Set]) {
        let metadata = &mut self.metadata;
        metadata.live = self.rows.iter().filter(|row| row.live).count() as u64;
        metadata.terminated = self.rows.len() as u64 - metadata.live;
        metadata.places = self.places.len() as u64;
        metadata.scottish_postcodes = self.scotland.len() as u64;
        metadata.built_with = concat!("postcode-core ", env!("CARGO_PKG_VERSION")).to_owned();
        let mut has = [false; 11];
        for row in &self.rows {
            has.iter_mut().zip(row.keys(false)).for_each(|(has, key)| *has |= key != 0);
        }
        let named = |(id, name): &(u16, &str)| {
            (has[usize::from(*id) - 1] && *id != column::AREA_SET).then(|| (*name).to_owned())
        };
        metadata.columns = column::NAMES.iter().filter_map(named).collect();
        if sets.iter().any(|(_, rank)| rank.is_some()) {
            metadata.columns.push("deprivation_rank".to_owned());
        }
        for kind in AreaKind::ALL {
            if sets.iter().any(|(areas, _)| areas[kind as usize] != u32::MAX) {
                metadata.columns.push(format!("{kind:?}"));
            }
        }
    }
}

fn write_sets(sets: &[Set], used: &[(Vec<u32>, Vec<u32>)]) -> Vec<u8> {
    let values = |(areas, rank): &Set| {
        let place = |n: usize, area: u32| (area != u32::MAX).then(|| i64::from(used[n].1[area as usize]));
        let mut values: [Option<i64>; KINDS + 1] = [None; KINDS + 1];
        areas.iter().enumerate().for_each(|(n, &area)| values[n] = place(n, area));
        values[KINDS] = rank.map(i64::from);
        values
    };
    let mut extents: Vec<(u16, Extent)> = (0..KINDS as u16).map(|n| (n, Extent::NONE)).collect();
    extents.push((DEPRIVATION_RANK, Extent::NONE));
    for set in sets {
        extents.iter_mut().zip(values(set)).for_each(|((_, extent), value)| extent.see(value));
    }
    let mut out = Vec::new();
    let mut table = TableWriter::new(&mut out, sets.len(), &extents);
    for set in sets {
        values(set).into_iter().for_each(|value| table.push(value));
    }
    table.finish();
    out
}
