//! What to look for among places.

/// A search for places by what a person types, for [`PostcodeLookup::find_places`](crate::PostcodeLookup::find_places).
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
    /// A name or the beginning of one, in any case, with or without accents, apostrophes and hyphens, at most
    /// [`MAX_QUERY`](crate::MAX_QUERY) bytes. A text without a letter or a digit finds nothing.
    pub text: String,
    /// How many places at most, 1 to [`MAX_LIMIT`](crate::MAX_LIMIT); 10 unless set.
    pub limit: usize,
    /// Only places in the county, unitary authority, district, borough, region or country of that name, which is
    /// compared as names of places are.
    pub within: Option<String>,
    /// Only places of that [`local_type`](crate::Place::local_type), in any case: `Town`, `Island`.
    pub local_type: Option<String>,
}

impl PlaceQuery {
    /// For that text: ten places at most, of all kinds, everywhere.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), limit: 10, within: None, local_type: None }
    }

    /// How many at most.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Only within the county, district, region or country of that name.
    #[must_use]
    pub fn within(self, name: impl Into<String>) -> Self {
        Self { within: Some(name.into()), ..self }
    }

    /// Only of that kind.
    #[must_use]
    pub fn local_type(self, local_type: impl Into<String>) -> Self {
        Self { local_type: Some(local_type.into()), ..self }
    }

    /// That it keeps the contract's limits.
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
