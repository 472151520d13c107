//! The compact encoding of answers with many records, for our own client and service.
//!
//! It carries what the extended shape of the JSON carries, to the last bit of every number. A client asks
//! for it by `Accept: application/vnd.postcode.v1+postcard`, together with JSON. A server that does not
//! know the type answers JSON. Errors are always JSON. `docs/COMPACT.md` describes the bytes.
//!
//! | type | what it is |
//! |---|---|
//! | [`CompactList`] | writes an answer, item by item |
//! | [`CompactBody`] | an answer that was read |
//! | [`accepts`], [`is_compact`] | the negotiation, on either side |
//!
//! ```
//! use postcode_core::wire::compact::{CompactBody, CompactItem, CompactList};
//! use postcode_core::{Answer, Record};
//!
//! let answer = Answer::Live(Record::live("SW1A 1AA".parse()?));
//! let mut list = CompactList::new();
//! list.push(&CompactItem { query: "SW1A 1AA", answer: Some(&answer) })?;
//! list.push(&CompactItem { query: "nonsense", answer: None })?;
//! let bytes = list.finish()?;
//!
//! let CompactBody::Bulk(items) = CompactBody::read(&bytes, 2)? else { panic!("another form") };
//! assert_eq!(items[0].answer, Some(answer));
//! assert_eq!((items[1].query, &items[1].answer), ("nonsense", &None));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod layout;
mod out;
mod read;
mod table;
#[cfg(test)]
mod tests;
mod write;

use crate::{Area, AreaKind};

pub use read::{CompactBody, CompactLocated, CompactQueried};
pub use write::{CompactItem, CompactList, CompactNeighbours, CompactWrite};

/// The media type. Another layout will have another version, and servers go on answering this one.
pub const MEDIA_TYPE: &str = "application/vnd.postcode.v1+postcard";

/// Returns whether these values of `Accept` ask for the compact encoding: it is named, and JSON is not
/// preferred. `*/*` asks for JSON.
///
/// ```
/// use postcode_core::wire::compact::accepts;
///
/// assert!(accepts(["application/vnd.postcode.v1+postcard, application/json;q=0.5"]));
/// assert!(!accepts(["application/json"]) && !accepts(["*/*"]));
/// assert!(!accepts(["application/vnd.postcode.v1+postcard;q=0.1, application/json"]));
/// ```
pub fn accepts<'a>(accept: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut compact, mut json) = (0.0, 0.0);
    for item in accept.into_iter().flat_map(|value| value.split(',')) {
        let mut parts = item.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let place = if name.eq_ignore_ascii_case(MEDIA_TYPE) {
            &mut compact
        } else if name.eq_ignore_ascii_case("application/json") {
            &mut json
        } else {
            continue;
        };
        let weight = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
        });
        *place = weight.unwrap_or(1.0);
    }
    compact > 0.0 && compact >= json
}

/// Returns whether a `Content-Type` is the compact encoding of this version.
///
/// ```
/// use postcode_core::wire::compact::is_compact;
///
/// assert!(is_compact("application/vnd.postcode.v1+postcard"));
/// assert!(!is_compact("application/vnd.postcode.v2+postcard") && !is_compact("application/json"));
/// ```
pub fn is_compact(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

/// Returns what the JSON says about an area: an alias of two kinds only, no name of an output area, and
/// nothing about an area that has neither code nor name.
fn said(kind: AreaKind, area: Area<'_>) -> Option<Area<'_>> {
    let name = area.name.filter(|_| kind != AreaKind::OutputArea21);
    let alias = area.alias.filter(|_| matches!(kind, AreaKind::Ccg | AreaKind::Nuts));
    (area.code.is_some() || name.is_some()).then_some(Area { name, alias, ..area })
}
