//! The contents of a dataset file, for people.

use serde::Serialize;

use crate::dataset::Dataset;
use crate::dataset::Metadata;
use crate::dataset::file::format::{MAJOR, section};
use crate::dataset::file::packed_table::PackedTable;
use crate::dataset::section::approximate;
use crate::dataset::section::areas::DEPRIVATION_RANK;
use crate::dataset::section::places;
use crate::dataset::section::rows::column;
use crate::dataset::section::scotland;
use crate::{AreaKind, ScottishArea};

/// The contents of a dataset file.
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
/// let summary = dataset.summary();
/// assert_eq!((summary.metadata.live, summary.outcodes, summary.sectors), (3, 3, 4));
/// assert_eq!(summary.bytes, dataset.as_bytes().len() as u64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Where the dataset was read from.
    pub origin: String,
    /// The file format's version, `major.minor`.
    pub format: String,
    /// Bytes in all.
    pub bytes: u64,
    /// A fingerprint of the content.
    pub fingerprint: String,
    /// The metadata in the file.
    pub metadata: Metadata,
    /// Outcodes, with or without live postcodes.
    pub outcodes: u32,
    /// Sectors, with or without live postcodes.
    pub sectors: u32,
    /// Distinct combinations of areas.
    pub area_sets: u32,
    /// The sections of the file in order.
    pub sections: Vec<SectionSummary>,
    /// The columns of rows, area sets, places, Scottish postcodes and their area sets, and
    /// approximate positions.
    pub columns: Vec<ColumnSummary>,
}

/// One section of a dataset file.
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
/// let sections = dataset.summary().sections;
/// let largest = sections.iter().max_by_key(|section| section.bytes).ok_or("no sections")?;
/// println!("{}: {} bytes from {}", largest.name, largest.bytes, largest.offset);
/// # assert!(sections.is_sorted_by_key(|section| section.offset));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SectionSummary {
    /// The name.
    pub name: String,
    /// The number in `docs/FORMAT.md`.
    pub id: u32,
    /// The position in the file, in bytes.
    pub offset: u64,
    /// The length in bytes.
    pub bytes: u64,
    /// The XXH3 checksum, in hex.
    pub checksum: String,
}

/// One column of a packed table.
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
/// let columns = dataset.summary().columns;
/// let bits: u32 = columns.iter().filter(|column| column.table == "rows").map(|column| u32::from(column.bits)).sum();
/// println!("{bits} bits for each postcode");
/// # assert!(bits > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ColumnSummary {
    /// The table: `rows`, `area sets`, `places`, `Scottish postcodes`, `Scottish area sets` or `approximate positions`.
    pub table: &'static str,
    /// The name.
    pub name: String,
    /// Bits in each row; 0 if all rows have the same value.
    pub bits: u8,
    /// The number of distinct areas, for a column of areas.
    pub distinct: Option<u32>,
}

impl Dataset {
    /// Returns the contents of the file: sections, columns, sizes.
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
    /// assert_eq!(dataset.summary().metadata.edition, "made by hand");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn summary(&self) -> Summary {
        let inner = self.inner();
        let sections = inner.frame.entries.iter().map(|entry| SectionSummary {
            name: section::name(entry.id),
            id: entry.id,
            offset: entry.start as u64,
            bytes: entry.len as u64,
            checksum: format!("{:016x}", entry.checksum),
        });
        let row_name = |id: u16| column::NAMES.iter().find(|(other, _)| *other == id).map(|(_, name)| *name);
        let rows = columns("rows", &inner.rows.table, |id| (row_name(id).map(str::to_owned), None));
        let sets = columns("area sets", &inner.areas.sets, |id| {
            let kind = AreaKind::ALL.get(usize::from(id));
            let count =
                inner.areas.kinds.get(usize::from(id)).and_then(Option::as_ref).map(|kind| kind.count);
            match (kind, id) {
                (Some(kind), _) => (Some(format!("{kind:?}")), count),
                (None, DEPRIVATION_RANK) => (Some("deprivation rank".to_owned()), None),
                (None, _) => (None, None),
            }
        });
        let of = |names: &'static [&'static str]| {
            move |id: u16| (names.get(usize::from(id)).map(|name| (*name).to_owned()), None)
        };
        let places = columns("places", &inner.places.table, of(&places::column::NAMES));
        let scottish = columns("Scottish postcodes", &inner.scotland.table, |id| {
            let name = of(&scotland::NAMES)(id).0;
            (name, if id == scotland::CONSTITUENCY { inner.scotland.distinct(0) } else { None })
        });
        let scottish_sets = columns("Scottish area sets", &inner.scotland.sets, |id| {
            match (ScottishArea::ALL.get(usize::from(id)), id.checked_sub(scotland::PLAIN)) {
                (Some(area), _) => (Some(format!("{area:?}")), inner.scotland.distinct(id)),
                (None, Some(plain)) => of(&scotland::PLAIN_NAMES)(plain),
                (None, None) => (None, None),
            }
        });
        let positions = columns("approximate positions", &inner.positions.table, of(&approximate::NAMES));
        Summary {
            origin: inner.origin.clone(),
            format: format!("{MAJOR}.{}", inner.frame.minor),
            bytes: inner.bytes.len() as u64,
            fingerprint: inner.frame.fingerprint.clone(),
            metadata: inner.metadata.clone(),
            outcodes: inner.keys.outcode_count(),
            sectors: inner.keys.sector_count(),
            area_sets: inner.areas.sets.rows(),
            sections: sections.collect(),
            columns: [rows, sets, places, scottish, scottish_sets, positions].concat(),
        }
    }
}

fn columns(
    table: &'static str,
    packed: &PackedTable,
    describe: impl Fn(u16) -> (Option<String>, Option<u32>),
) -> Vec<ColumnSummary> {
    let describe = |id: u16| {
        let (name, distinct) = describe(id);
        (name.unwrap_or_else(|| format!("number {id} (unknown to this version)")), distinct)
    };
    packed
        .columns()
        .iter()
        .map(|(id, column)| {
            let (name, distinct) = describe(*id);
            ColumnSummary { table, name, bits: column.bits(), distinct }
        })
        .collect()
}
