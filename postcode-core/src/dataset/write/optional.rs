//! The optional sections of a dataset, for a [`DatasetBuilder`]: places, the Scottish Postcode
//! Directory and approximate positions.

use super::builder::DatasetBuilder;
use crate::dataset::section::rows::MICRO;
use crate::{Error, Location, Outcode, Place, Result, ScottishArea, ScottishPostcode};

impl DatasetBuilder {
    /// Sets the approximate position of an outcode, for those of its postcodes that have no exact
    /// one. It is kept to a millionth of a degree, and left out of the file if all postcodes have
    /// an exact location, or there are none. The metadata must name its source
    /// ([`Metadata::approximate_source`](crate::dataset::Metadata::approximate_source)).
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// use postcode_core::Location;
    ///
    /// let mut metadata = Metadata::new("made by hand");
    /// metadata.approximate_source = Some("GeoNames".to_owned());
    /// let mut builder = DatasetBuilder::new(metadata);
    /// builder.push(&Row::live("JE2 3AB".parse()?))?;
    /// builder.push_approximate("JE2".parse()?, Location::new(49.2, -2.1333)?)?;
    /// let answer = builder.build()?.get("JE2 3AB".parse()?);
    /// let record = answer.record().ok_or("not there")?;
    /// assert_eq!(record.location, None);
    /// assert_eq!(record.approximate.as_ref().map(|about| &*about.source), Some("GeoNames"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the outcode already has a different one,
    /// which is kept.
    pub fn push_approximate(&mut self, outcode: Outcode, location: Location) -> Result<()> {
        let micro = |degrees: f64| (degrees * MICRO).round() as i64;
        let place = (micro(location.latitude()), micro(location.longitude()));
        match self.approximate.get(&outcode.code()) {
            Some(other) if *other != place => {
                Err(Error::invalid(format!("{outcode}: given twice: the first position stays")))
            }
            _ => {
                self.approximate.insert(outcode.code(), place);
                Ok(())
            }
        }
    }
}

impl DatasetBuilder {
    /// Adds an island or an area like [`push_place`](Self::push_place). Only
    /// [`find_places`](crate::PlaceLookup::find_places) finds it.
    ///
    /// ```
    /// use postcode_core::Place;
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.push_wider_place(&Place::new("osgb4000000074557226", "Isle of Skye", "Island"))?;
    /// assert_eq!(builder.build()?.iter_wider_places().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`push_place`](Self::push_place).
    pub fn push_wider_place(&mut self, place: &Place) -> Result<()> {
        self.wider_places.push(place)
    }

    /// Adds a populated place. Its code is converted to lower case, and its location is kept to a
    /// centimetre.
    ///
    /// ```
    /// use postcode_core::Place;
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// let mut place = Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// (place.eastings, place.northings) = (337_600, 504_500);
    /// builder.push_place(&place)?;
    /// assert_eq!(builder.build()?.info().places, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a code that is not 1 to 32 ASCII
    /// letters and digits or was already added, for a text that is empty, has control characters or
    /// is too long, and for coordinates out of range. The place is then left out.
    pub fn push_place(&mut self, place: &Place) -> Result<()> {
        self.places.push(place)
    }
}

impl DatasetBuilder {
    /// Adds an entry of the Scottish Postcode Directory with its codes. Its postcode need not be in
    /// the rest of the dataset. Names are set by [`name_scottish_area`](Self::name_scottish_area).
    ///
    /// ```
    /// use postcode_core::{ScottishPostcode};
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.push_scottish(&ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned())))?;
    /// assert_eq!(builder.build()?.info().scottish_postcodes, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the postcode already has an entry, for a
    /// code that is empty, longer than 32 bytes, or has control characters, for an urban and rural
    /// class that is not a digit from 1 to 8, and for a split indicator other than `Y` and `N`. The
    /// entry is then left out.
    pub fn push_scottish(&mut self, entry: &ScottishPostcode) -> Result<()> {
        self.scotland.push(entry)
    }

    /// Sets the name of an area of the Scottish Postcode Directory; the last name is kept. Names of
    /// areas that no entry has are left out of the file.
    ///
    /// ```
    /// use postcode_core::{ScottishArea, ScottishPostcode};
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// builder.push_scottish(&ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned())))?;
    /// let constituency = ScottishArea::ScottishParliamentaryConstituency;
    /// builder.name_scottish_area(constituency, "S16000104", "Edinburgh Central")?;
    /// let entry = builder.build()?.scottish_postcode("EH99 1SP".parse()?)?.ok_or("not there")?;
    /// assert_eq!(entry.name(constituency), Some("Edinburgh Central"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a code as in
    /// [`push_scottish`](Self::push_scottish), and for a name of more than 65,535 bytes.
    pub fn name_scottish_area(&mut self, area: ScottishArea, code: &str, name: &str) -> Result<()> {
        self.scotland.name(area, code, name)
    }

    /// Returns the codes of a kind that entries of the Scottish Postcode Directory have so far, or
    /// that were given a name.
    ///
    /// ```
    /// use postcode_core::{ScottishArea, ScottishPostcode};
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push_scottish(&ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned())))?;
    /// let constituencies = builder.scottish_codes(ScottishArea::ScottishParliamentaryConstituency);
    /// assert_eq!(constituencies.collect::<Vec<_>>(), ["S16000104"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scottish_codes(&self, area: ScottishArea) -> impl Iterator<Item = &str> {
        self.scotland.codes(area)
    }
}
