//! Forms, read into the same shape as JSON: `postcodes[]=…`, `postcodes[0]=…`, repeated `postcodes=…`,
//! `geolocations[0][longitude]=…`, as the library `qs` reads them.

use serde_json::{Map, Value};

/// An object with what the form has of `postcodes`, `outcodes` and `geolocations`.
pub(super) fn parse(bytes: &[u8]) -> Map<String, Value> {
    let (mut postcodes, mut outcodes) = (Texts::default(), Texts::default());
    let mut locations: Vec<(usize, Map<String, Value>)> = Vec::new();
    let mut body = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let (base, keys) = split(&name);
        match (base, keys.as_slice()) {
            ("postcodes", keys) => postcodes.add(keys, value.into_owned()),
            ("outcodes", keys) => outcodes.add(keys, value.into_owned()),
            ("geolocations", [index, key]) => {
                let next = locations.iter().map(|(at, _)| at + 1).max().unwrap_or(0);
                let index = index.parse().unwrap_or(next);
                let at = locations.iter().position(|(it, _)| *it == index).unwrap_or_else(|| {
                    locations.push((index, Map::new()));
                    locations.len() - 1
                });
                locations[at].1.insert((*key).to_owned(), Value::String(value.into_owned()));
            }
            // Anything else under that name is there and is no array.
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
        locations.sort_by_key(|(index, _)| *index);
        let locations = locations.into_iter().map(|(_, location)| Value::Object(location)).collect();
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
    fn add(&mut self, keys: &[&str], value: String) {
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
        self.listed.push((index, value));
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
            assert_eq!(Value::Object(parse(form.as_bytes())), body, "{form}");
        }
    }
}
