//! The query of a search for places.

/// A search for places as a person types them, for
/// [`PostcodeLookup::find_places`](crate::PlaceLookup::find_places).
///
/// [`new`](Self::new) takes the text, [`within`](Self::within) and [`local_type`](Self::local_type) narrow the search,
/// and [`limit`](Self::limit) sets the most results:
///
/// ```
/// use postcode_core::PlaceQuery;
///
/// let query = PlaceQuery::new("caernafon").within("Gwynedd").local_type("Town").limit(5);
/// assert_eq!(query.limit, 5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlaceQuery {
    /// A name or the beginning of one, at most [`MAX_QUERY`](crate::MAX_QUERY) bytes. Case,
    /// accents, apostrophes and hyphens make no difference. A text without a letter or a digit
    /// finds nothing.
    pub text: String,
    /// The most places to return, 1 to [`MAX_LIMIT`](crate::MAX_LIMIT); 10 unless set.
    pub limit: usize,
    /// Only places in the county, unitary authority, district, borough, region or country with this
    /// name, compared like the names of places.
    pub within: Option<String>,
    /// Only places with this [`local_type`](crate::Place::local_type), in any case: `Town`,
    /// `Island`.
    pub local_type: Option<String>,
}

impl PlaceQuery {
    /// Creates a query for at most ten places, of all kinds and everywhere.
    ///
    /// ```
    /// use postcode_core::PlaceQuery;
    ///
    /// let query = PlaceQuery::new("ambleside");
    /// assert_eq!((query.limit, query.within, query.local_type), (10, None, None));
    /// ```
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), limit: 10, within: None, local_type: None }
    }

    /// Sets the most places to return, 1 to [`MAX_LIMIT`](crate::MAX_LIMIT).
    ///
    /// ```
    /// use postcode_core::PlaceQuery;
    ///
    /// assert_eq!(PlaceQuery::new("ambleside").limit(3).limit, 3);
    /// ```
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Restricts the search to the county, district, region or country with this name.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # use postcode_core::Place;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (code, county) in [("osgb1", "Lancashire"), ("osgb2", "West Sussex")] {
    /// #     let mut place = Place::new(code, "Whitechapel", "Village");
    /// #     place.county_unitary = Some(county.to_owned());
    /// #     builder.push_place(&place)?;
    /// # }
    /// # let dataset = builder.build()?;
    /// use postcode_core::PlaceQuery;
    ///
    /// let query = PlaceQuery::new("whitechapel"); // there are two
    /// assert_eq!(dataset.find_places(&query)?.len(), 2);
    /// assert_eq!(dataset.find_places(&query.within("lancashire"))?[0].place.code, "osgb1");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn within(self, name: impl Into<String>) -> Self {
        Self { within: Some(name.into()), ..self }
    }

    /// Restricts the search to places of this kind.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")] {
    /// # use postcode_core::Place;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push_place(&Place::new("osgb1", "Newport", "City"))?;
    /// # builder.push_place(&Place::new("osgb2", "Newport", "Village"))?;
    /// # let dataset = builder.build()?;
    /// use postcode_core::PlaceQuery;
    ///
    /// let query = PlaceQuery::new("newport"); // a city and a village
    /// assert_eq!(dataset.find_places(&query)?.len(), 2);
    /// assert_eq!(dataset.find_places(&query.local_type("village"))?[0].place.code, "osgb2");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn local_type(self, local_type: impl Into<String>) -> Self {
        Self { local_type: Some(local_type.into()), ..self }
    }

    /// Returns an error if the query exceeds the contract's limits.
    #[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
    pub(crate) fn check(&self) -> crate::Result<()> {
        use crate::query::check;
        check::limit(self.limit)?;
        [Some(&self.text), self.within.as_ref(), self.local_type.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(|text| check::text(text))
    }
}
