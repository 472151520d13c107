//! Answers about addresses, in the shape that JavaScript sees.

use postcode_addresses::elements::Elements;
use postcode_addresses::format::{Formatted, parse};
use postcode_addresses::{Address, Style};
use serde::{Serialize, Serializer};

/// An address as it is written in one style.
#[derive(Debug, Serialize)]
pub struct Lines {
    #[serde(flatten)]
    formatted: Formatted,
    single_line: String,
    /// Everything but the postcode on one line.
    label: String,
}

impl Lines {
    /// Formats the elements in a JSON object.
    ///
    /// # Errors
    /// The reason, if the JSON does not hold elements, or the style is unknown.
    pub fn of(elements: &str, style: &str) -> Result<Self, String> {
        let formatted = address(elements)?.format(known(style)?);
        Ok(Self { single_line: formatted.single_line(), label: formatted.label(), formatted })
    }
}

/// Formats the elements in a JSON object on at most `most` lines. 0 is read as 1.
///
/// # Errors
/// The reason, if the JSON does not hold elements, or the style is unknown.
pub fn fit(elements: &str, most: u32, style: &str) -> Result<Vec<String>, String> {
    let style = known(style)?;
    Ok(address(elements)?.lines(style, usize::try_from(most).unwrap_or(usize::MAX)))
}

fn address(elements: &str) -> Result<Address, String> {
    let elements: Elements = serde_json::from_str(elements)
        .map_err(|error| format!("These are not the elements of an address: {error}"))?;
    elements.try_into().map_err(|error: postcode_addresses::elements::InvalidElement| error.to_string())
}

fn known(style: &str) -> Result<Style, String> {
    style.parse().map_err(|error: postcode_addresses::format::UnknownStyle| error.to_string())
}

/// The elements that an address has, under the names that [`Lines::of`] reads.
#[derive(Debug)]
pub struct Read(Address);

/// Reads an address from lines, or from one line with commas. It never fails: see
/// [`parse`].
#[must_use]
pub fn read(text: &str) -> Read {
    Read(parse(text))
}

impl Serialize for Read {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let address = &self.0;
        let elements = [
            ("organisation_name", &address.organisation),
            ("department_name", &address.department),
            ("po_box", &address.po_box),
            ("sub_building_name", &address.sub_building),
            ("building_name", &address.building_name),
            ("building_number", &address.building_number),
            ("dependent_thoroughfare", &address.dependent_thoroughfare),
            ("thoroughfare", &address.thoroughfare),
            ("double_dependent_locality", &address.double_dependent_locality),
            ("dependent_locality", &address.dependent_locality),
            ("post_town", &address.post_town),
            ("postcode", &address.postcode),
        ];
        serializer.collect_map(elements.into_iter().filter(|(_, text)| !text.is_empty()))
    }
}
