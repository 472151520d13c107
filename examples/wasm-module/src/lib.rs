//! UK postcodes and addresses as a WebAssembly module for forms: checks, repairs, finds and formats, without data and
//! without a server. `postcode.js` is the part that users see.
//!
//! Answers cross the border as JSON, which `postcode.js` parses: one small text is faster than an object that is built
//! property by property, and the same functions can be compared on any machine.

pub mod address;
mod position;
pub mod postcode;

use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

/// Returns a value as JSON. Our answers have texts as keys, so this doesn't fail.
fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}

/// Returns whether a text is a postcode in any usual spelling.
#[wasm_bindgen(js_name = isPostcode)]
#[must_use]
pub fn is_postcode(text: &str) -> bool {
    text.parse::<postcode_core::Postcode>().is_ok()
}

/// Returns a postcode in its usual spelling, or nothing if the text is not one.
#[wasm_bindgen(js_name = formatPostcode)]
#[must_use]
pub fn format_postcode(text: &str) -> Option<String> {
    text.parse::<postcode_core::Postcode>().ok().map(|postcode| postcode.to_string())
}

/// Returns the parts of a postcode, or what is wrong with the text: a [`postcode::Check`] as JSON.
#[wasm_bindgen]
#[must_use]
pub fn check(text: &str) -> String {
    json(&postcode::Check::of(text))
}

/// Returns the postcode that was probably meant, and the changes: a [`postcode::Repair`] as JSON, or `null`.
#[wasm_bindgen]
#[must_use]
pub fn repair(text: &str) -> String {
    json(&postcode::Repair::of(text))
}

/// Returns the postal code that a text is, whole or in part: a [`postcode::Code`] as JSON, or `null`.
#[wasm_bindgen]
#[must_use]
pub fn identify(text: &str) -> String {
    json(&postcode::Code::of(text))
}

/// Returns the codes in any text, from left to right: an array of [`postcode::Found`] as JSON. Postcodes only, or with
/// `everything` parts of postcodes, BFPO numbers and the codes of overseas territories too.
#[wasm_bindgen]
#[must_use]
pub fn find(text: &str, everything: bool) -> String {
    json(&postcode::Found::all(text, everything))
}

/// Returns an address as it is written in a style, from its elements as JSON: an [`address::Lines`] as JSON.
///
/// # Errors
/// The reason, if the JSON does not hold elements, or the style is unknown.
#[wasm_bindgen(js_name = formatAddress)]
pub fn format_address(elements: &str, style: &str) -> Result<String, String> {
    address::Lines::of(elements, style).map(|lines| json(&lines))
}

/// Returns an address in at most so many lines, from its elements as JSON: an array of texts as JSON.
///
/// # Errors
/// The reason, if the JSON does not hold elements, or the style is unknown.
#[wasm_bindgen(js_name = addressLines)]
pub fn address_lines(elements: &str, most: u32, style: &str) -> Result<String, String> {
    address::fit(elements, most, style).map(|lines| json(&lines))
}

/// Returns the elements of an address that was written on lines, or on one line with commas, as JSON.
#[wasm_bindgen(js_name = readAddress)]
#[must_use]
pub fn read_address(text: &str) -> String {
    json(&address::read(text))
}
