//! Forms, read into the same shape as JSON: `postcodes[]=…`, `postcodes[0]=…`, repeated
//! `postcodes=…`, `geolocations[0][longitude]=…`, as the library `qs` reads them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Returns an object with the form's `postcodes`, `outcodes` and `geolocations`, each with at most
/// `most` items and one more, which shows that there are too many.
pub(super) fn parse(bytes: &[u8], most: usize) -> Map<String, Value> {
    let keep = most.saturating_add(1);
    let (mut postcodes, mut outcodes) = (Texts::default(), Texts::default());
    let mut locations: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
    let mut body = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let (base, keys) = split(&name);
        match (base, keys.as_slice()) {
            ("postcodes", keys) => postcodes.add(keys, value, keep),
            ("outcodes", keys) => outcodes.add(keys, value, keep),
            ("geolocations", [index, key]) => {
                let next = || locations.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
                let index = index.parse().unwrap_or_else(|_| next());
                if locations.len() < keep || locations.contains_key(&index) {
                    let location = locations.entry(index).or_default();
                    location.insert((*key).to_owned(), Value::String(value.into_owned()));
                }
            }
            // Anything else under that name counts as present but not as an array.
            ("geolocations", _) => {
                body.insert("geolocations".to_owned(), Value::String(value.into_owned()));
            }
            _ => {}
        }
    }
    for (name, texts) in [("postcodes", postcodes), ("outcodes", outcodes)] {
        if let Some(texts) = texts.finish() {
            body.insert(name.to_owned(), texts);
        }
    }
    if !locations.is_empty() {
        let locations = locations.into_values().map(Value::Object).collect();
        body.insert("geolocations".to_owned(), Value::Array(locations));
    }
    body
}

/// `a[b][c]` into `a` and `b`, `c`.
fn split(name: &str) -> (&str, Vec<&str>) {
    let Some((base, rest)) = name.split_once('[') else { return (name, Vec::new()) };
    match rest.strip_suffix(']') {
        Some(keys) => (base, keys.split("][").collect()),
        None => (name, Vec::new()),
    }
}

#[derive(Default)]
struct Texts {
    listed: Vec<(usize, String)>,
    /// Given by brackets, or more than once.
    is_array: bool,
    is_object: bool,
}

impl Texts {
    fn add(&mut self, keys: &[&str], value: Cow<'_, str>, keep: usize) {
        let index = match keys {
            [] => self.listed.len(),
            [""] => {
                self.is_array = true;
                self.listed.len()
            }
            [key] if key.parse::<usize>().is_ok() => {
                self.is_array = true;
                key.parse().unwrap_or_default()
            }
            _ => {
                self.is_object = true;
                0
            }
        };
        if self.listed.len() < keep {
            self.listed.push((index, value.into_owned()));
        }
    }

    fn finish(mut self) -> Option<Value> {
        if self.is_object {
            return Some(Value::Object(Map::new()));
        }
        if self.listed.len() == 1 && !self.is_array {
            return self.listed.pop().map(|(_, value)| Value::String(value));
        }
        self.listed.sort_by_key(|(index, _)| *index);
        let values: Vec<_> = self.listed.into_iter().map(|(_, value)| Value::String(value)).collect();
        (!values.is_empty()).then_some(Value::Array(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_become_what_json_would_be() {
        for (form, body) in [
            ("postcodes[]=AB10+1AB&postcodes[]=AB11+5BE", json!({"postcodes": ["AB10 1AB", "AB11 5BE"]})),
            ("postcodes=a&postcodes=b", json!({"postcodes": ["a", "b"]})),
            ("postcodes[1]=b&postcodes[0]=a", json!({"postcodes": ["a", "b"]})),
            ("postcodes=a", json!({"postcodes": "a"})),
            ("postcodes[x]=a", json!({"postcodes": {}})),
            (
                "geolocations[0][longitude]=-2&geolocations[0][latitude]=57&geolocations[1][limit]=1",
                json!({"geolocations": [{"longitude": "-2", "latitude": "57"}, {"limit": "1"}]}),
            ),
            ("outcodes[]=SW1A&outcodes[]=M1", json!({"outcodes": ["SW1A", "M1"]})),
            ("x=y", json!({})),
            ("postcodes[=a&[", json!({})),
        ] {
            assert_eq!(Value::Object(parse(form.as_bytes(), 100)), body, "{form}");
        }
    }

    #[test]
    fn form_of_many_items_is_kept_up_to_one_too_many() {
        for (pair, name) in [
            ("geolocations[][a]=1&", "geolocations"),
            ("postcodes[]=a&", "postcodes"),
            ("outcodes=a&", "outcodes"),
        ] {
            let body = parse(pair.repeat(500_000).as_bytes(), 1_000);
            assert_eq!(body[name].as_array().map(Vec::len), Some(1_001), "{name}");
        }
        let apart: String = (0..200_000).map(|n| format!("geolocations[{n}][a]=1&")).collect();
        assert_eq!(parse(apart.as_bytes(), 1_000)["geolocations"].as_array().map(Vec::len), Some(1_001));
    }

    #[test]
    fn index_as_large_as_any_does_not_wrap() {
        let form = format!("geolocations[{}][a]=1&geolocations[][a]=2&geolocations[0][a]=3", usize::MAX);
        assert_eq!(
            parse(form.as_bytes(), 100),
            json!({"geolocations": [{"a": "3"}, {"a": "2"}]}).as_object().cloned().unwrap()
        );
    }
}
