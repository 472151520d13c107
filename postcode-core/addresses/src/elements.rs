//! Elements of an address with the names that address services and files use: `organisation_name`, `po_box`, ….

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::model::{Address, Kind};

/// The elements of an address under their common names, as input.
///
/// Values may be texts, whole numbers or null, and all may be missing. Other names are allowed and ignored. The spelling
/// `dependant_` is understood too.
///
/// ```
/// use postcode_addresses::Address;
/// use postcode_addresses::elements::Elements;
///
/// let text = r#"{"building_number":40,"thoroughfare":"Ash Road","post_town":"EXAMPLETON","postcode":"ZE9 9ZZ"}"#;
/// let address = Address::try_from(serde_json::from_str::<Elements>(text)?)?;
/// assert_eq!(address.single_line(), "40 Ash Road, EXAMPLETON, ZE9 9ZZ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names say it, and Address has the descriptions")]
pub struct Elements {
    #[serde(deserialize_with = "text", alias = "organisation")]
    pub organisation_name: String,
    #[serde(deserialize_with = "text", alias = "department")]
    pub department_name: String,
    #[serde(deserialize_with = "text", alias = "po_box_number")]
    pub po_box: String,
    #[serde(deserialize_with = "text", alias = "sub_building")]
    pub sub_building_name: String,
    #[serde(deserialize_with = "text")]
    pub building_name: String,
    #[serde(deserialize_with = "text")]
    pub building_number: String,
    #[serde(deserialize_with = "text", alias = "dependant_thoroughfare")]
    pub dependent_thoroughfare: String,
    #[serde(deserialize_with = "text")]
    pub thoroughfare: String,
    #[serde(deserialize_with = "text", alias = "double_dependant_locality")]
    pub double_dependent_locality: String,
    #[serde(deserialize_with = "text", alias = "dependant_locality")]
    pub dependent_locality: String,
    #[serde(deserialize_with = "text")]
    pub post_town: String,
    #[serde(deserialize_with = "text")]
    pub postcode: String,
    #[serde(deserialize_with = "text")]
    pub udprn: String,
    #[serde(deserialize_with = "text")]
    pub umprn: String,
    #[serde(deserialize_with = "text")]
    pub uprn: String,
    #[serde(deserialize_with = "text")]
    pub postcode_type: String,
    #[serde(deserialize_with = "text")]
    pub su_organisation_indicator: String,
    #[serde(deserialize_with = "text")]
    pub delivery_point_suffix: String,
    #[serde(deserialize_with = "text")]
    pub concatenation_indicator: String,
}

/// An element that is not what it has to be.
///
/// ```
/// use postcode_addresses::Address;
/// use postcode_addresses::elements::Elements;
///
/// let elements: Elements = serde_json::from_str(r#"{"udprn":"twelve"}"#)?;
/// let error = Address::try_from(elements).unwrap_err();
/// assert!(error.to_string().contains("udprn"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {value:?} is not a whole number{limit}")]
pub struct InvalidElement {
    element: &'static str,
    value: String,
    limit: &'static str,
}

impl TryFrom<Elements> for Address {
    type Error = InvalidElement;

    fn try_from(elements: Elements) -> Result<Self, InvalidElement> {
        Ok(Self {
            udprn: number("udprn", &elements.udprn, " below 4,294,967,296")?,
            umprn: number("umprn", &elements.umprn, " below 4,294,967,296")?,
            uprn: number("uprn", &elements.uprn, "")?,
            kind: Kind::parse(&elements.postcode_type),
            organisation_indicator: elements.su_organisation_indicator.trim().eq_ignore_ascii_case("Y"),
            concatenation_indicator: match elements.concatenation_indicator.trim() {
                "" => None,
                indicator => Some(indicator.eq_ignore_ascii_case("Y")),
            },
            organisation: elements.organisation_name,
            department: elements.department_name,
            po_box: elements.po_box,
            sub_building: elements.sub_building_name,
            building_name: elements.building_name,
            building_number: elements.building_number,
            dependent_thoroughfare: elements.dependent_thoroughfare,
            thoroughfare: elements.thoroughfare,
            double_dependent_locality: elements.double_dependent_locality,
            dependent_locality: elements.dependent_locality,
            post_town: elements.post_town,
            postcode: elements.postcode,
            delivery_point_suffix: elements.delivery_point_suffix,
            ..Self::default()
        })
    }
}

fn number<T: std::str::FromStr>(
    element: &'static str,
    value: &str,
    limit: &'static str,
) -> Result<Option<T>, InvalidElement> {
    let digits = value.trim();
    if digits.is_empty() {
        return Ok(None);
    }
    digits.parse().map(Some).map_err(|_| InvalidElement { element, value: value.to_owned(), limit })
}

/// Reads a text, a whole number, or null as an empty text.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a whole number")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.trim().to_owned())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        // Pandas writes the whole numbers of a column as `12.0` if one of its cells is empty.
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
            match number.fract() == 0.0 && number.abs() < 1e15 {
                true => Ok(format!("{number:.0}")),
                false => Err(de::Error::invalid_type(de::Unexpected::Float(number), &self)),
            }
        }

        fn visit_unit<E: de::Error>(self) -> Result<String, E> {
            Ok(String::new())
        }
    }

    deserializer.deserialize_any(Text)
}
