//! The `position` of a postcode object in the extended shape.

use serde::{Deserialize, Serialize};

use crate::{Approximate, Error, ErrorKind, Location, Record, Result};

/// The location of a postcode, and whether it is exact: the `position` of the extended shape.
///
/// ```
/// use postcode_core::wire::PositionBody;
///
/// let text = r#"{"kind":"approximate","source":"GeoNames","longitude":-2.1333,"latitude":49.2}"#;
/// let position: PositionBody = serde_json::from_str(text)?;
/// assert_eq!((&*position.kind, position.latitude), ("approximate", 49.2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the key of that name")]
pub struct PositionBody {
    /// `exact`, the location of the postcode, or `approximate`, that of its outcode.
    pub kind: Box<str>,
    /// The source of an approximate location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<str>>,
    pub longitude: f64,
    pub latitude: f64,
}

impl PositionBody {
    const APPROXIMATE: &str = "approximate";

    pub(super) fn of(record: &Record) -> Option<Self> {
        let (kind, at, source) = match (&record.location, &record.approximate) {
            (Some(at), _) => ("exact", at, None),
            (None, Some(about)) => (Self::APPROXIMATE, &about.location, Some(&*about.source)),
            (None, None) => return None,
        };
        let source = source.map(Into::into);
        Some(Self { kind: kind.into(), source, longitude: at.longitude(), latitude: at.latitude() })
    }

    /// Returns the approximate location of a record that has no exact one.
    pub(super) fn approximate(&self) -> Result<Option<Approximate>> {
        if &*self.kind != Self::APPROXIMATE {
            return Ok(None);
        }
        let location = Location::new(self.latitude, self.longitude)
            .map_err(|e| protocol(&self.kind, "position").with_source(e))?;
        Ok(Some(Approximate { location, source: self.source.as_deref().unwrap_or_default().into() }))
    }
}

/// The error for a value of the server that makes no sense.
pub(super) fn protocol(text: &str, what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the server sent an invalid {what}: {text:?}"))
}
