//! Guesses what was meant by a postcode that cannot exist.

use postcode_core::Postcode;

/// Returns a hint about a postcode whose letters are those of no area.
///
/// A postcode in an area in use that is not in the data may be a new one, so there is nothing to say about it.
pub(crate) fn hint(postcode: Postcode) -> Option<String> {
    let meant: Vec<String> = postcode.look_alikes().iter().map(ToString::to_string).collect();
    let area = postcode.area();
    (!meant.is_empty())
        .then(|| format!("there is no postcode area {area}; did you mean {}?", meant.join(" or ")))
}
