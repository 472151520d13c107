//! How complete each field is, and where it comes from.

use crate::dataset::Dataset;
use crate::dataset::inner::Inner;
use crate::dataset::section::fields::{FieldCoverage, FieldSource};
use crate::{AreaKind, Status};

/// Live and all postcodes.
#[derive(Clone, Copy, Default)]
struct Count {
    live: u64,
    all: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.live += other.live;
        self.all += other.all;
    }
}

impl Dataset {
    /// Returns the fields that at least one postcode has a value in, in the order of
    /// [`DatasetInfo::columns`](crate::DatasetInfo::columns).
    ///
    /// The first call reads every row, which takes some tenths of a second for the country. Later
    /// calls cost nothing.
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    ///
    /// let mut metadata = Metadata::new("made by hand");
    /// metadata.source = "a table".to_owned();
    /// let mut builder = DatasetBuilder::new(metadata);
    /// let mut row = Row::live("SW1A 1AA".parse()?);
    /// row.quality = Some(1);
    /// builder.push(&row)?;
    /// builder.push(&Row::live("SW1A 2AA".parse()?))?;
    /// let dataset = builder.build()?;
    ///
    /// let quality = dataset.fields().iter().find(|field| field.field == "quality");
    /// assert_eq!(quality.map(|field| (field.postcodes, field.share_of_live)), Some((1, 0.5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fields(&self) -> &[FieldCoverage] {
        let inner = self.inner();
        inner.fields.get_or_init(|| inner.count_fields().into_boxed_slice())
    }
}

impl Inner {
    fn count_fields(&self) -> Vec<FieldCoverage> {
        let (data, rows, areas) = (&*self.bytes, &self.rows, &self.areas);
        let (mut status, mut grid, mut location) = (Count::default(), Count::default(), Count::default());
        let (mut quality, mut user_type) = (Count::default(), Count::default());
        let (mut introduced, mut terminated) = (Count::default(), Count::default());
        let mut sets = vec![Count::default(); areas.sets.rows() as usize];
        for row in 0..rows.count() {
            let live = rows.status(data, row) == Status::Live;
            let one = Count { live: u64::from(live), all: 1 };
            let count = |has: bool, count: &mut Count| {
                if has {
                    count.add(one);
                }
            };
            count(true, &mut status);
            count(rows.metres(data, row).is_some(), &mut grid);
            count(rows.micro(data, row).is_some(), &mut location);
            count(rows.quality(data, row).is_some(), &mut quality);
            count(rows.user_type(data, row).is_some(), &mut user_type);
            count(rows.introduced(data, row).is_some(), &mut introduced);
            count(rows.terminated(data, row).is_some(), &mut terminated);
            if let Some(set) = rows.area_set(data, row).and_then(|set| sets.get_mut(set as usize)) {
                set.add(one);
            }
        }
        let mut deprivation = Count::default();
        let mut codes = [Count::default(); AreaKind::ALL.len()];
        let mut names = [Count::default(); AreaKind::ALL.len()];
        for (set, count) in (0..).zip(sets) {
            if areas.deprivation_rank(data, set).is_some() {
                deprivation.add(count);
            }
            for kind in AreaKind::ALL {
                let Some(number) = areas.number(data, set, kind) else { continue };
                codes[kind as usize].add(count);
                if areas.name(data, number, kind).is_some() {
                    names[kind as usize].add(count);
                }
            }
        }
        let of = |column: &str| match column {
            "status" => status,
            "eastings" | "northings" => grid,
            "latitude" | "longitude" => location,
            "quality" => quality,
            "user_type" => user_type,
            "date_of_introduction" => introduced,
            "date_of_termination" => terminated,
            "index_of_multiple_deprivation" => deprivation,
            other => {
                let (counts, key) = match other.strip_prefix("codes.") {
                    Some(key) => (&codes, key),
                    None => (&names, other),
                };
                AreaKind::from_key(key).map_or(Count::default(), |kind| counts[kind as usize])
            }
        };
        let columns = self.info.columns.iter();
        columns
            .map(|column| {
                let count = of(column);
                let share = count.live as f64 / status.live.max(1) as f64;
                FieldCoverage {
                    field: column.clone(),
                    postcodes: count.all,
                    live: count.live,
                    share_of_live: (share * 1e6).round() / 1e6,
                    sources: self.sources(column.strip_prefix("codes.").unwrap_or(column)),
                }
            })
            .collect()
    }

    /// Returns the sources of a field: those of the embedded data if this is the same data, and otherwise
    /// the one source that an import has recorded for the whole file.
    fn sources(&self, field: &str) -> Vec<FieldSource> {
        #[cfg(feature = "embedded")]
        if crate::dataset::pack::is_embedded(&self.frame.fingerprint) {
            let sources = postcode_data_gb::sources(field);
            return sources
                .map(|(source, date)| FieldSource {
                    source: source.to_owned(),
                    date: (!date.is_empty()).then(|| date.to_owned()),
                })
                .collect();
        }
        let _ = field;
        let source = match self.metadata.source.as_str() {
            "" => &self.metadata.edition,
            source => source,
        };
        vec![FieldSource { source: source.to_owned(), date: None }]
    }
}
