//! The values of a JSON body. In memory a value takes about a dozen times its size in JSON, so only
//! values that can be answered are kept.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The limit of values in addition to the items: those of a polygon of a thousand corners, and
/// some.
const BESIDES: usize = 8_192;
/// Values of an item; a geolocation has up to six and their names.
const IN_AN_ITEM: usize = 16;

/// Reads a body for lists of `most` items. Of a longer list one more item is kept, which tells that
/// it is too long, and of a body that is an array nothing.
pub(super) fn read(bytes: &[u8], most: usize) -> Result<Value, serde_json::Error> {
    let left = Cell::new(most.saturating_mul(IN_AN_ITEM).saturating_add(BESIDES));
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let body = Values { left: &left, keep: 0, lists: Some(most.saturating_add(1)) }.deserialize(&mut json)?;
    json.end()?;
    Ok(body)
}

#[derive(Clone, Copy)]
struct Values<'a> {
    /// How many more values there may be.
    left: &'a Cell<usize>,
    /// Items that are kept of an array.
    keep: usize,
    /// The number of items to keep in lists at the top level.
    lists: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| D::Error::custom("too many values"))?);
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < self.keep {
            match items.next_element_seed(Self { keep: usize::MAX, lists: None, ..self })? {
                Some(item) => kept.push(item),
                None => return Ok(Value::Array(kept)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let keep = match (self.lists, name.as_str()) {
                (Some(keep), "postcodes" | "geolocations" | "outcodes") => keep,
                _ => usize::MAX,
            };
            let value = entries.next_value_seed(Self { keep, lists: None, ..self })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn body_is_read_as_it_is_if_it_is_short() {
        for body in [
            json!({"postcodes": ["a", 1, -1, 1.5, null, true, {"b": ["c", {}]}], "x": [1, 2, 3]}),
            json!({"geolocations": [{"longitude": 1.0, "latitude": "2"}], "polygon": [[1, 2], [3, 4]]}),
            json!({}),
            json!("text"),
            json!(null),
        ] {
            assert_eq!(read(body.to_string().as_bytes(), 10).unwrap(), body);
        }
        assert_eq!(read(b"[1,2,3]", 10).unwrap(), json!([]));
        for broken in ["{", "[1,", "{\"a\":1}}", "", "{\"postcodes\":[1,2,3,]}", "nul"] {
            let due = serde_json::from_str::<Value>(broken).unwrap_err().to_string();
            assert_eq!(read(broken.as_bytes(), 1).unwrap_err().to_string(), due, "{broken}");
        }
    }

    #[test]
    fn long_list_is_kept_up_to_one_too_many() {
        let list = vec!["a"; 500_000];
        for name in ["postcodes", "outcodes", "geolocations"] {
            let kept = read(json!({ name: list }).to_string().as_bytes(), 100).unwrap();
            assert_eq!(kept[name].as_array().map(Vec::len), Some(101));
        }
    }

    #[test]
    fn many_values_elsewhere_are_refused() {
        for body in [
            json!({ "x": vec![0; 20_000] }),
            json!({ "postcodes": [vec![0; 20_000]] }),
            json!({ "geolocations": vec![json!(vec![json!({}); 200]); 100] }),
        ] {
            let error = read(body.to_string().as_bytes(), 100).unwrap_err();
            assert!(error.to_string().starts_with("too many values"), "{error}");
        }
    }
}
