//! Indexes over the sectors of a dataset, built from its rows when first needed.

/// The smallest and the greatest latitude and longitude of a sector's live postcodes, in
/// micro-degrees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectorBox {
    pub(crate) latitude: (i32, i32),
    pub(crate) longitude: (i32, i32),
}

impl SectorBox {
    /// A box around nothing.
    pub(crate) const EMPTY: Self = Self { latitude: (i32::MAX, i32::MIN), longitude: (i32::MAX, i32::MIN) };

    pub(crate) fn add(&mut self, (latitude, longitude): (i32, i32)) {
        self.latitude = (self.latitude.0.min(latitude), self.latitude.1.max(latitude));
        self.longitude = (self.longitude.0.min(longitude), self.longitude.1.max(longitude));
    }

    /// Returns whether it overlaps a box of these latitudes and any of these longitudes.
    pub(crate) fn meets(&self, latitude: (i32, i32), longitudes: &[(i32, i32)]) -> bool {
        let apart = |own: (i32, i32), other: (i32, i32)| own.1 < other.0 || own.0 > other.1;
        !apart(self.latitude, latitude) && longitudes.iter().any(|other| !apart(self.longitude, *other))
    }
}

/// For each area of a kind, by number, the sectors with live postcodes in it, in order.
#[derive(Debug, Default)]
pub(crate) struct AreaSectors {
    /// Where the sectors of each area begin, and at the end where the last ones end.
    pub(crate) starts: Vec<u32>,
    pub(crate) sectors: Vec<u32>,
}

impl AreaSectors {
    pub(crate) fn of(&self, area: u32) -> &[u32] {
        let at = |n: usize| self.starts.get(n).map(|start| *start as usize);
        let part = at(area as usize).zip(at(area as usize + 1));
        part.and_then(|(start, end)| self.sectors.get(start..end)).unwrap_or_default()
    }
}
