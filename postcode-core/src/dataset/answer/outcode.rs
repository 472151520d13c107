//! Summaries of outcodes over their live postcodes.

use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::answer::name_order as collate;
use crate::{AreaKind, Outcode, OutcodeSummary};

impl Dataset {
    /// Returns the summary of an outcode over its live postcodes, or `None` if it has none.
    ///
    /// Names are sorted by letter, ignoring accents and case. A summary is computed once.
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
    /// let summary = dataset.outcode("M1".parse()?).ok_or("no live postcodes")?;
    /// assert_eq!(summary.latitude, Some(53.48116)); // the mean of its postcodes
    /// assert_eq!(dataset.outcode("AB1".parse()?), None); // has only terminated ones
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn outcode(&self, outcode: Outcode) -> Option<OutcodeSummary> {
        let inner = self.inner();
        let (n, _) = inner.keys.outcode(&inner.bytes, outcode)?;
        inner.outcodes.get(n as usize)?.get_or_init(|| inner.summary(n)).clone()
    }

    /// Returns the outcodes with live postcodes, in order.
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
    /// let outcodes: Vec<String> = dataset.outcodes().map(|outcode| outcode.to_string()).collect();
    /// assert_eq!(outcodes, ["M1", "SW1A"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
