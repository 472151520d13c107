//! Summaries of outcodes over their live postcodes.

use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::answer::name_order as collate;
use crate::{AreaKind, Outcode, OutcodeSummary};

impl Dataset {
    /// Returns the summary of an outcode over its live postcodes, or `None` if it has none.
    ///
    /// Names are sorted by letter, ignoring accents and case. A summary is computed once.
    pub fn outcode(&self, outcode: Outcode) -> Option<OutcodeSummary> {
        let inner = self.inner();
        let (n, _) = inner.keys.outcode(&inner.bytes, outcode)?;
        inner.outcodes.get(n as usize)?.get_or_init(|| inner.summary(n)).clone()
    }

    /// Returns the outcodes with live postcodes, in order.
    pub fn outcodes(&self) -> impl Iterator<Item = Outcode> + '_ {
        let inner = self.inner();
        (0..inner.keys.outcode_count())
            .filter_map(|n| inner.keys.outcode_entry(&inner.bytes, n))
            .filter(|entry| entry.live > 0)
            .filter_map(|entry| entry.outcode())
    }
}

impl Inner {
    fn summary(&self, n: u32) -> Option<OutcodeSummary> {
        let data: &[u8] = &self.bytes;
        let entry = self.keys.outcode_entry(data, n).filter(|entry| entry.live > 0)?;
        let end = self.keys.outcode_end(data, n).min(self.rows.count());
        let mut sets: Vec<u32> = (entry.first_row..end)
            .filter(|&row| self.rows.is_live(data, row))
            .filter_map(|row| self.rows.area_set(data, row))
            .collect();
        sets.sort_unstable();
        sets.dedup();
        let names = |kind: AreaKind| {
            let mut numbers: Vec<u32> =
                sets.iter().filter_map(|&set| self.areas.number(data, set, kind)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let mut names: Vec<String> = numbers
                .into_iter()
                .filter_map(|number| self.areas.name(data, number, kind))
                .map(str::to_owned)
                .collect();
            // Two areas may have the same name.
            names.sort_by_cached_key(|name| collate::key(name));
            names.dedup();
            names
        };
        let centroid = entry.centroid();
        Some(OutcodeSummary {
            longitude: centroid.map(crate::Location::longitude),
            latitude: centroid.map(crate::Location::latitude),
            northings: entry.northings,
            eastings: entry.eastings,
            admin_district: names(AreaKind::AdminDistrict),
            parish: names(AreaKind::Parish),
            admin_county: names(AreaKind::AdminCounty),
            admin_ward: names(AreaKind::AdminWard),
            country: names(AreaKind::Country),
            parliamentary_constituency: names(AreaKind::ParliamentaryConstituency),
            ..OutcodeSummary::new(entry.outcode()?)
        })
    }
}
