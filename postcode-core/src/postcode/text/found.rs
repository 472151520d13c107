//! A postcode in a text.

use std::ops::Range;

use super::super::Postcode;

/// A postcode in a text.
///
/// ```
/// let text = "write to SW1A 1AA";
/// let found = postcode_core::text::find(text).next().ok_or("nothing found")?;
/// assert_eq!(&text[found.range], "SW1A 1AA");
/// assert_eq!(found.postcode.outcode().to_string(), "SW1A");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The position in bytes.
    pub range: Range<usize>,
    /// The postcode.
    pub postcode: Postcode,
}
