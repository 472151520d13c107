//! The items of bulk reverse geocoding.

use std::borrow::Cow;

use postcode_core::Nearest;
use postcode_core::wire::Shape;
use serde_json::{Map, Value};

use super::body::is_falsy;
use crate::api::Limits;
use crate::api::failure::Failure;
use crate::api::nearest::{Reach, point};
use crate::api::params::Params;

/// Returns the query parameters that apply to all items.
pub(super) fn defaults(params: &Params) -> Map<String, Value> {
    let mut defaults = Map::new();
    for name in ["limit", "radius"] {
        if let Some(text) = params.get(name) {
            defaults.insert(name.to_owned(), Value::String(text.into_owned()));
        }
    }
    if params.get("widesearch").is_some() {
        defaults.insert("widesearch".to_owned(), Value::Bool(true));
    }
    defaults
}

/// Reads an item on top of the defaults. Returns the part that the answer repeats, and the query.
pub(super) fn read(
    item: Value,
    defaults: &Map<String, Value>,
    shape: Shape,
    limits: Limits,
) -> Result<(Map<String, Value>, Option<Nearest>), Failure> {
    let mut query = defaults.clone();
    // An item that is not an object has no longitude and fails for that reason.
    if let Value::Object(own) = item {
        query.extend(own);
    }
    let truthy = |key: &str| query.get(key).filter(|value| !is_falsy(value));
    let reach = Reach {
        limit: truthy("limit").map(text),
        radius: truthy("radius").map(text),
        wide: truthy("widesearch").or(truthy("wideSearch")).is_some(),
        shape: Some(shape),
        limits,
    };
    let degrees = |key: &str| query.get(key).map_or(Cow::Borrowed(""), text);
    let nearest = reach.around(|| point(&degrees("longitude"), &degrees("latitude")))?;
    query.retain(|key, _| {
        ["limit", "longitude", "latitude", "radius", "widesearch"]
            .iter()
            .any(|it| it.eq_ignore_ascii_case(key))
    });
    Ok((query, nearest))
}

/// Converts a value to text as JavaScript does before it parses a number.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) => Cow::Owned(items.iter().map(text).collect::<Vec<_>>().join(",")),
        Value::Object(_) => Cow::Borrowed("[object Object]"),
        other => Cow::Owned(other.to_string()),
    }
}
