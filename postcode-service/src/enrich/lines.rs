//! Objects of JSON, a line each or in an array.

use std::borrow::Cow;
use std::fmt;

use postcode_tables::line_end;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::column::Found;
use super::csv::plain;
use super::reading::{self, Cell, Lack};
use super::{Error, POSTCODE_NAMES, Plan, Shape, short};

/// The content of a text.
pub(super) enum Held {
    /// An object, and its postcode.
    Object(Cell),
    /// Something else, to which nothing can be added: why.
    Other(String),
}

/// Reads the content of a line, or of the object that a text ends with.
///
/// # Errors
/// If a key that is to be added is there already.
pub(super) fn postcode(line: &[u8], plan: &Plan) -> Result<Held, String> {
    let object = &line[..line_end(line)];
    // Some programs put a mark of UTF-8 before the first line.
    let object = object.strip_prefix("\u{feff}".as_bytes()).unwrap_or(object);
    if let Shape::Split { postcode, columns } = plan.shape {
        return Ok(array(object, postcode, columns, plan));
    }
    let mut json = serde_json::Deserializer::from_slice(object);
    let object = Object(plan).deserialize(&mut json).and_then(|object| json.end().map(|()| object));
    let keys = match object {
        Ok(keys) => keys,
        Err(error) => return Ok(Held::Other(format!("no JSON object: {error}"))),
    };
    if let Some(key) = keys.taken {
        return Err(format!("there is a key {} already: give the new ones a prefix", short(&key)));
    }
    let value = keys.postcode.map(|(.., value)| value);
    Ok(Held::Object(cell(value.as_ref(), plan)))
}

fn cell(value: Option<&Value>, plan: &Plan) -> Cell {
    match value {
        Some(Value::String(text)) => reading::read(text, plan),
        Some(Value::Null) => Cell::Not(Lack::Blank, "null".to_owned()),
        Some(_) => Cell::malformed("not a text"),
        None => Cell::Not(Lack::Blank, "no key of a postcode".to_owned()),
    }
}

/// Reads a row that is an array, and of its values only the postcode.
fn array(row: &[u8], postcode: usize, columns: usize, plan: &Plan) -> Held {
    let mut json = serde_json::Deserializer::from_slice(row);
    let row = Item(postcode).deserialize(&mut json).and_then(|row| json.end().map(|()| row));
    match row {
        Ok((value, count)) if count == columns => Held::Object(cell(value.as_ref(), plan)),
        Ok((_, count)) => Held::Other(format!("a row of {count} values, and there are {columns} columns")),
        Err(error) => Held::Other(format!("not an array of values: {error}")),
    }
}

/// Reads the value at a place of an array, and counts them all.
struct Item(usize);

impl<'de> DeserializeSeed<'de> for Item {
    type Value = (Option<Value>, usize);

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Item {
    type Value = (Option<Value>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Self::Value, S::Error> {
        let mut count = 0;
        while count < self.0 && items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        let value = if count == self.0 { items.next_element()? } else { None };
        count += usize::from(value.is_some());
        if value.is_some() {
            while items.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
        }
        Ok((value, count))
    }
}

/// Adds to the object or the array that ends the line.
///
/// # Errors
/// If a value can't be written.
pub(super) fn write(out: &mut Vec<u8>, line: &[u8], plan: &Plan, found: &Found<'_>) -> Result<(), Error> {
    let failed = |e: serde_json::Error| Error::Read(e.into());
    let end = line_end(line);
    let object = line[..end].trim_ascii_end();
    let is_array = plan.shape.is_split();
    let (begin, close) = if is_array { (b"[", b"]") } else { (b"{", b"}") };
    let open = object.strip_suffix(close).unwrap_or(object).trim_ascii_end();
    out.extend_from_slice(open);
    for (n, column) in plan.columns.iter().enumerate() {
        if n > 0 || !open.ends_with(begin) {
            out.push(b',');
        }
        if !is_array {
            serde_json::to_writer(&mut *out, &format_args!("{}{column}", plan.prefix)).map_err(failed)?;
            out.push(b':');
        }
        serde_json::to_writer(&mut *out, &column.value(found)).map_err(failed)?;
    }
    out.extend_from_slice(close);
    out.extend_from_slice(&line[end..]);
    Ok(())
}

/// Reads an object, and of its values only the postcode's.
struct Object<'a>(&'a Plan);

#[derive(Default)]
struct Keys {
    /// The best name yet, by its place among the names; the key as it is written, and the value.
    postcode: Option<(usize, String, Value)>,
    /// A key to add.
    taken: Option<String>,
}

/// Returns the value at the end of a path of keys and of places in lists.
pub(super) fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| match value {
        Value::Object(object) => object.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
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
            // A key that is called as it is wanted comes before a path to it.
            let mut path = None;
            let rank = match &plan.postcode {
                Some(wanted) if key == wanted.as_str() => Some(0),
                Some(wanted) => {
                    path = wanted.strip_prefix(&*key).and_then(|rest| rest.strip_prefix('.'));
                    path.map(|_| 1)
                }
                None => POSTCODE_NAMES.iter().position(|name| plain(&key) == *name),
            };
            let added = key.strip_prefix(&plan.prefix);
            if added.is_some_and(|name| plan.columns.iter().any(|column| column.is(name))) {
                keys.taken = Some(key.clone().into_owned());
            }
            // Of a key that comes twice the last one counts, as in JavaScript.
            let again = keys.postcode.as_ref().is_some_and(|(_, name, _)| *name == key);
            match rank {
                Some(rank) if again || keys.postcode.as_ref().is_none_or(|(best, ..)| rank < *best) => {
                    let value = map.next_value()?;
                    let found = match path {
                        Some(path) => at_path(&value, path).cloned(),
                        None => Some(value),
                    };
                    match found {
                        Some(value) => keys.postcode = Some((rank, key.into_owned(), value)),
                        None if again => keys.postcode = None,
                        None => {}
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(keys)
    }
}
