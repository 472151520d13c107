//! The populated places of a dataset, and its islands and areas.

use crate::dataset::Dataset;
use crate::dataset::section::place_finder::PlaceFinder;
use crate::dataset::section::place_index::PlaceIndex;
use crate::dataset::section::places::Places;
use crate::query::check;
use crate::{Error, ErrorKind, Place, PlaceMatch, PlaceQuery, Result};

impl Dataset {
    pub(crate) fn places_or_error(&self) -> Result<&Places> {
        let places = &self.inner().places;
        match places.count() {
            0 => Err(Error::new(
                ErrorKind::NotSupported,
                format!(
                    "the data ({}) has no places: import OS Open Names with it, by `postcode-service import`",
                    self.info().edition
                ),
            )),
            _ => Ok(places),
        }
    }

    /// Returns the populated place with this code: see
    /// [`PostcodeLookup::place`](crate::PlaceLookup::place).
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let dataset = builder.build()?;
    /// let place = dataset.place("OSGB4000000074551019")?.ok_or("no such place")?;
    /// assert_eq!(place.name_1, "Ambleside");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a text that is too long.
    pub fn place(&self, code: &str) -> Result<Option<Place>> {
        check::text(code)?;
        let Some(code) = Place::code_of(code) else { return Ok(None) };
        let (places, data) = (self.places_or_error()?, self.as_bytes());
        Ok(places.row_of(data, &code).and_then(|row| places.place(data, row)))
    }

    /// Returns populated places by name: see
    /// [`PostcodeLookup::places`](crate::PlaceLookup::places).
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let dataset = builder.build()?;
    /// assert_eq!(dataset.places("amble", 10)?[0].name_1, "Ambleside");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a limit out of range or a text that is too
    /// long.
    pub fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        check::limit(limit)?;
        check::text(query)?;
        let (places, data) = (self.places_or_error()?, self.as_bytes());
        let index = self.inner().place_index.get_or_init(|| PlaceIndex::of(places, data));
        let rows = index.find(places, data, query, limit);
        Ok(rows.into_iter().filter_map(|row| places.place(data, row)).collect())
    }

    /// Returns a random populated place, each with equal probability.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let dataset = builder.build()?;
    /// let place = dataset.random_place()?.ok_or("no places")?;
    /// assert_eq!(place.name_1, "Ambleside"); // the only one here
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places.
    pub fn random_place(&self) -> Result<Option<Place>> {
        let places = self.places_or_error()?;
        Ok(places.place(self.as_bytes(), fastrand::u32(0..places.count())))
    }

    /// Iterates over all populated places, in the order of their codes. Empty if the dataset has
    /// none.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let dataset = builder.build()?;
    /// let towns = dataset.iter_places().filter(|place| place.local_type == "Town");
    /// assert_eq!(towns.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter_places(&self) -> impl Iterator<Item = Place> + '_ {
        let places = &self.inner().places;
        (0..places.count()).filter_map(|row| places.place(self.as_bytes(), row))
    }

    /// Iterates over all islands and areas, in the order of their codes. Empty if the dataset has
    /// none.
    ///
    /// ```
    /// # use postcode_core::Place;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.push_wider_place(&Place::new("osgb4000000074557226", "Isle of Skye", "Island"))?;
    /// let dataset = builder.build()?;
    /// assert_eq!(dataset.iter_wider_places().map(|place| place.name_1).collect::<Vec<_>>(), ["Isle of Skye"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter_wider_places(&self) -> impl Iterator<Item = Place> + '_ {
        let places = &self.inner().wider_places;
        (0..places.count()).filter_map(|row| places.place(self.as_bytes(), row))
    }

    /// Returns places as a person types them: see
    /// [`PostcodeLookup::find_places`](crate::PlaceLookup::find_places).
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let dataset = builder.build()?;
    /// use postcode_core::{MatchKind, PlaceQuery};
    ///
    /// let found = dataset.find_places(&PlaceQuery::new("amblesyde"))?;
    /// assert_eq!((&*found[0].name, found[0].kind), ("Ambleside", MatchKind::Similar));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a limit out of range or a text that is too
    /// long.
    pub fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        query.check()?;
        let (populated, data) = (self.places_or_error()?, self.as_bytes());
        let wider = &self.inner().wider_places;
        let finder = match self.inner().place_finder.get() {
            Some(finder) => finder,
            None => {
                let made = PlaceFinder::of([populated, wider], data)?;
                self.inner().place_finder.get_or_init(|| made)
            }
        };
        let found = finder.find(query).into_iter().filter_map(|(name, kind, edits)| {
            let (table, row) = match name.row.checked_sub(populated.count()) {
                None => (populated, name.row),
                Some(row) => (wider, row),
            };
            let written = table.names(data, row).nth(name.nth.into())?;
            Some(PlaceMatch::new(kind, edits, written, table.place(data, row)?))
        });
        Ok(found.collect())
    }
}
