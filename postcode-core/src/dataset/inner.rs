//! An open dataset file: its bytes, its sections, and the indexes that are built when first needed.

use std::fmt;
use std::sync::OnceLock;

use super::file::bytes::Bytes;
use super::file::format::{Entry, Frame, POSTCODES, damaged, section};
use super::file::metadata::Metadata;
use super::section::approximate::Positions;
use super::section::areas::{self, AreaTables};
use super::section::cell_points::CellIndex;
use super::section::fields::FieldCoverage;
use super::section::keys::Keys;
use super::section::place_finder::PlaceFinder;
use super::section::place_index::PlaceIndex;
use super::section::places::Places;
use super::section::rows::Rows;
use super::section::scotland::Scotland;
use super::section::sectors::{AreaSectors, SectorBox};
use super::section::spatial::Spatial;
use crate::{DatasetInfo, OutcodeSummary, Result};

/// The contents of an open dataset.
pub(crate) struct Inner {
    pub(super) bytes: Bytes,
    /// The name in errors: the path, or the origin of the bytes.
    pub(super) origin: String,
    pub(super) frame: Frame,
    pub(super) metadata: Metadata,
    pub(super) info: DatasetInfo,
    pub(super) keys: Keys,
    pub(super) rows: Rows,
    pub(super) areas: AreaTables,
    pub(super) spatial: Spatial,
    pub(super) places: Places,
    /// Islands and areas.
    pub(super) wider_places: Places,
    /// Built for the first search of places by name.
    pub(super) place_index: OnceLock<PlaceIndex>,
    /// Built for the first search of places by typed text.
    pub(super) place_finder: OnceLock<PlaceFinder>,
    pub(super) scotland: Scotland,
    pub(super) positions: Positions,
    /// Created for the first search of what is near.
    pub(super) cell_points: OnceLock<CellIndex>,
    /// Counted when first asked for.
    pub(super) fields: OnceLock<Box<[FieldCoverage]>>,
    /// Summaries by the number of the outcode, computed when first needed.
    pub(super) outcodes: Box<[OnceLock<Option<OutcodeSummary>>]>,
    /// Indexes of regions, computed when first needed: the box around each sector, and the sectors
    /// of each area.
    pub(super) sector_boxes: OnceLock<Box<[SectorBox]>>,
    pub(super) area_sectors: [OnceLock<AreaSectors>; areas::KINDS],
}

impl Inner {
    pub(crate) fn read(bytes: Bytes, origin: String) -> Result<Self> {
        let frame = Frame::read(&bytes, &origin, &POSTCODES)?;
        let metadata = Metadata::read(&frame, &bytes, &origin)?;
        let rows = Rows::new(areas::table(&frame, &bytes, section::ROWS, &origin)?);
        let keys = Keys::read(&frame, rows.count(), &origin)?;
        let areas = AreaTables::read(&frame, &bytes, &origin)?;
        let spatial = Spatial::read(&frame, &bytes, &origin)?;
        let places = Places::read(&frame, &bytes, section::PLACES, &origin)?;
        let wider_places = Places::read(&frame, &bytes, section::WIDER_PLACES, &origin)?;
        let scotland = Scotland::read(&frame, &bytes, &origin)?;
        let positions = Positions::read(&frame, &bytes, metadata.approximate_source.as_deref(), &origin)?;
        // Their codes are all different, so each row takes at least one bit.
        let bits = |id| frame.find(id).map_or(0, |entry: &Entry| entry.len.saturating_mul(8) as u32);
        // The length of a table does not limit its number of rows if rows take no bits. Without
        // these limits a damaged count would cause loops of billions of steps.
        let counts = [
            (section::ROWS, rows.count(), keys.sector_count().saturating_mul(crate::postcode::UNITS)),
            // All are different, too. A part of a dataset may have more of them than rows.
            (section::AREA_SETS, areas.sets.rows(), rows.count().max(bits(section::AREA_SETS))),
            (section::BANDS, spatial.bands.rows(), spatial.rows.rows()),
            (section::CELLS, spatial.cells.rows(), spatial.rows.rows()),
            (section::CELL_ROWS, spatial.rows.rows(), rows.count()),
            (section::PLACES, places.count(), bits(section::PLACES)),
            (section::WIDER_PLACES, wider_places.count(), bits(section::WIDER_PLACES)),
            (section::SCOTTISH_POSTCODES, scotland.count(), bits(section::SCOTTISH_POSTCODES)),
            (section::SCOTTISH_SETS, scotland.sets.rows(), scotland.count()),
            (section::APPROXIMATE, positions.table.rows(), keys.outcode_count()),
        ];
        if let Some((id, count, most)) = counts.into_iter().find(|(_, count, most)| count > most) {
            let (place, start) = (section::name(id), frame.require(id, &origin)?.start);
            let what = format!("{count} rows, but at most {most} are possible");
            return Err(damaged(&origin, &format!("section {place}"), start, what));
        }
        let outcodes = (0..keys.outcode_count()).map(|_| OnceLock::new()).collect();
        let mut info = metadata.info(&frame.fingerprint, |kind| areas.has_names(kind));
        info.leave_out_unlisted(|area| keys.has_area(&bytes, area));
        Ok(Self {
            bytes,
            origin,
            frame,
            metadata,
            info,
            keys,
            rows,
            areas,
            spatial,
            places,
            wider_places,
            place_index: OnceLock::new(),
            place_finder: OnceLock::new(),
            scotland,
            positions,
            cell_points: OnceLock::new(),
            fields: OnceLock::new(),
            outcodes,
            sector_boxes: OnceLock::new(),
            area_sectors: [const { OnceLock::new() }; areas::KINDS],
        })
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("origin", &self.origin)
            .field("edition", &self.info.edition)
            .field("fingerprint", &self.info.fingerprint)
            .field("postcodes", &self.rows.count())
            .finish_non_exhaustive()
    }
}
