//! Lines of JSON.

use std::borrow::Cow;
use std::fmt;

use postcode_core::{Answer, Postcode};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::csv::{line_end, parse, plain};
use super::{Error, POSTCODE_NAMES, Plan, short};

/// The contents of a line.
pub(super) enum Found {
    /// An object, and its postcode or why there is none.
    Object(Result<Postcode, String>),
    /// Something else, to which nothing can be added: why.
    Other(String),
}

/// Finds the postcode in a line.
///
/// # Errors
/// Fails if a key to be added already exists.
pub(super) fn postcode(line: &[u8], plan: &Plan) -> Result<Found, String> {
    let object = &line[..line_end(line)];
    // Some programs put a mark of UTF-8 before the first line.
    let object = object.strip_prefix("\u{feff}".as_bytes()).unwrap_or(object);
    let mut json = serde_json::Deserializer::from_slice(object);
    let object = Object(plan).deserialize(&mut json).and_then(|object| json.end().map(|()| object));
    let keys = match object {
        Ok(keys) => keys,
        Err(error) => return Ok(Found::Other(format!("no JSON object: {error}"))),
    };
    if let Some(key) = keys.taken {
        return Err(format!("there is a key {} already: give the new ones a prefix", short(&key)));
    }
    Ok(Found::Object(match keys.postcode {
        Some((_, Value::String(text))) => parse(text.as_bytes()),
        Some((_, Value::Null)) => Err("null".to_owned()),
        Some(_) => Err("not a text".to_owned()),
        None => Err("no key of a postcode".to_owned()),
    }))
}

/// Adds to the object of a line.
///
/// # Errors
/// If a value can't be written.
pub(super) fn write(
    out: &mut Vec<u8>,
    line: &[u8],
    plan: &Plan,
    answer: Result<&Answer, &str>,
) -> Result<(), Error> {
    let failed = |e: serde_json::Error| Error::Read(e.into());
    let end = line_end(line);
    let object = line[..end].trim_ascii_end();
    let open = object.strip_suffix(b"}").unwrap_or(object).trim_ascii_end();
    out.extend_from_slice(open);
    for (n, column) in plan.columns.iter().enumerate() {
        if n > 0 || !open.ends_with(b"{") {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, &format_args!("{}{column}", plan.prefix)).map_err(failed)?;
        out.push(b':');
        serde_json::to_writer(&mut *out, &column.value(answer)).map_err(failed)?;
    }
    out.push(b'}');
    out.extend_from_slice(&line[end..]);
    Ok(())
}

/// Reads an object, and of its values only the postcode's.
struct Object<'a>(&'a Plan);

#[derive(Default)]
struct Keys {
    /// The best name yet, by its place among the names, and the value.
    postcode: Option<(usize, Value)>,
    /// A key to add.
    taken: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Keys;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Keys, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Keys, M::Error> {
        let plan = self.0;
        let mut keys = Keys::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let rank = match &plan.postcode {
                Some(wanted) => (key == wanted.as_str()).then_some(0),
                None => POSTCODE_NAMES.iter().position(|name| plain(&key) == *name),
            };
            let added = key.strip_prefix(&plan.prefix);
            if added.is_some_and(|name| plan.columns.iter().any(|column| column.is(name))) {
                keys.taken = Some(key.into_owned());
            }
            match rank {
                Some(rank) if keys.postcode.as_ref().is_none_or(|(best, _)| rank < *best) => {
                    keys.postcode = Some((rank, map.next_value()?));
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(keys)
    }
}
