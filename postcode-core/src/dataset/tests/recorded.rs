//! Tests requests that a real postcodes.io server answered, over the same data.

use std::collections::HashMap;
use std::sync::LazyLock;

use postcode_testing::shared;
use serde_json::Value;
use url::Url;

use super::shared::recorded_builder;
use crate::dataset::Dataset;
use crate::{AreaKind, Location, MAX_LIMIT, Nearest, Postcode};

struct Recorded {
    id: u64,
    group: String,
    /// The decoded segments of the path.
    path: Vec<String>,
    query: HashMap<String, String>,
    result: Value,
}

impl Recorded {
    /// Parses like JavaScript's `parseInt`, with the limits of the API.
    fn limit(&self) -> usize {
        let limit = self.query.get("limit").map_or("", |limit| limit.trim());
        let digits: String = limit.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok().filter(|&limit| limit > 0).unwrap_or(10).min(MAX_LIMIT)
    }

    /// Parses like JavaScript's `parseFloat`: a number and anything after it.
    fn float(&self, name: &str) -> Option<f64> {
        let text = self.query.get(name)?.trim();
        (0..=text.len()).rev().find_map(|end| text.get(..end)?.parse().ok())
    }

    fn postcodes(&self) -> Vec<&str> {
        let text = |value: &'_ Value| value.as_str().or(value["postcode"].as_str()).map(str::len).is_some();
        let list = self.result.as_array().map_or(&[][..], Vec::as_slice);
        assert!(list.iter().all(text), "#{}", self.id);
        list.iter().filter_map(|value| value.as_str().or(value["postcode"].as_str())).collect()
    }
}

/// Returns all GET requests with status 200 of groups with these prefixes, and the dataset of the
/// server.
fn recorded(groups: &[&str]) -> Option<(Dataset, Vec<Recorded>)> {
    static DATASET: LazyLock<Option<Dataset>> = LazyLock::new(|| {
        let dataset = recorded_builder()?.build().unwrap();
        dataset.verify().unwrap();
        Some(dataset)
    });
    let text = std::fs::read_to_string(shared("cases/postcodes-io/recorded.jsonl")?).unwrap();
    let requests = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|request| {
        let group = request["group"].as_str().unwrap();
        groups.iter().any(|start| group.starts_with(start))
            && request["status"] == 200
            && request["method"] == "GET"
    });
    let requests: Vec<Recorded> = requests
        .map(|request| {
            let url =
                Url::parse("http://localhost").unwrap().join(request["path"].as_str().unwrap()).unwrap();
            let decode = |segment: &str| {
                let pair = format!("x={}", segment.replace('+', "%2B"));
                url::form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned()
            };
            let mut query = HashMap::new();
            for (name, value) in url.query_pairs() {
                // If a parameter is repeated, numbers are read from the first one.
                query.entry(name.into_owned()).or_insert(value.into_owned());
            }
            Recorded {
                id: request["id"].as_u64().unwrap(),
                group: request["group"].as_str().unwrap().to_owned(),
                path: url.path_segments().unwrap().map(decode).collect(),
                query,
                result: request["body"]["result"].clone(),
            }
        })
        // `filter` may remove the postcodes from the answers.
        .filter(|request| request.query.get("filter").is_none_or(|filter| filter.contains("postcode")))
        .collect();
    assert!(requests.len() > 5);
    DATASET.clone().map(|dataset| (dataset, requests))
}

#[test]
fn search_is_that_of_postcodes_io() {
    let Some((dataset, requests)) = recorded(&["query", "autocomplete"]) else { return };
    let mut compared = 0;
    for request in &requests {
        let query = match request.group.starts_with("autocomplete") {
            true => Some(&request.path[1]),
            false => {
                ["q", "query"].iter().find_map(|name| request.query.get(*name).filter(|q| !q.is_empty()))
            }
        };
        let Some(query) = query else { continue };
        let query = query.chars().take(crate::MAX_QUERY).collect::<String>();
        let found = dataset.search(&query, request.limit()).unwrap();
        let found: Vec<String> = found.iter().map(|record| record.postcode.to_string()).collect();
        assert_eq!(found, request.postcodes(), "#{} {query:?} {}", request.id, request.limit());
        compared += 1;
    }
    println!("{compared} searches compared");
    assert!(compared > 100);
}

#[test]
fn nearest_is_that_of_postcodes_io() {
    let Some((dataset, requests)) = recorded(&["nearest", "reverse"]) else { return };
    let mut compared = 0;
    for request in &requests {
        let wide = ["widesearch", "wideSearch"].iter().any(|name| request.query.contains_key(*name));
        let limit = request.query.get("limit").map_or("10", String::as_str);
        let radius = request.float("radius").unwrap_or(100.0);
        if wide || limit.starts_with(['0', '-']) || radius < 0.0 {
            continue;
        }
        let place = |latitude: Option<f64>, longitude: Option<f64>| Location::new(latitude?, longitude?).ok();
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let query = match path[..] {
            ["postcodes", postcode, "nearest", ..] => {
                Some(Nearest::to(postcode.parse::<Postcode>().unwrap()))
            }
            ["postcodes", "lon", longitude, "lat", latitude, ..]
            | ["postcodes", "lat", latitude, "lon", longitude, ..] => {
                place(latitude.parse().ok(), longitude.parse().ok()).map(Nearest::to)
            }
            _ => {
                let either = |long, short| request.float(long).or(request.float(short));
                place(either("latitude", "lat"), either("longitude", "lon")).map(Nearest::to)
            }
        };
        let Some(query) = query else { continue };
        let query = query.limit(request.limit()).radius(radius.min(2_000.0));
        let found = dataset.nearest(&query).unwrap().unwrap();
        let postcodes: Vec<String> =
            found.iter().map(|neighbour| neighbour.record.postcode.to_string()).collect();
        assert_eq!(postcodes, request.postcodes(), "#{} {path:?}", request.id);
        for (neighbour, expected) in found.iter().zip(request.result.as_array().into_iter().flatten()) {
            if let Some(metres) = expected["distance"].as_f64() {
                assert!((neighbour.distance - metres).abs() < 1e-6, "#{}: {neighbour:?}", request.id);
            }
        }
        compared += 1;
    }
    println!("{compared} nearest compared");
    assert!(compared > 40);
}

#[test]
fn outcodes_are_those_of_postcodes_io() {
    let Some((dataset, requests)) = recorded(&["outcode"]) else { return };
    let mut compared = 0;
    for request in &requests {
        let results = match &request.result {
            Value::Array(list) => list.iter().collect(),
            Value::Null => continue,
            one => vec![one],
        };
        for expected in results {
            let outcode = expected["outcode"].as_str().unwrap().parse().unwrap();
            let found = serde_json::to_value(dataset.outcode(outcode).unwrap()).unwrap();
            for (key, value) in expected.as_object().unwrap() {
                match value.as_f64() {
                    Some(number) => {
                        let found = found[key].as_f64().unwrap();
                        assert!((found - number).abs() < 1e-9, "#{} {key}: {found} {number}", request.id);
                    }
                    None => assert_eq!(&found[key], value, "#{} {key}", request.id),
                }
            }
            compared += 1;
        }
    }
    println!("{compared} outcodes compared");
    for unknown in ["AB1", "ZY9", "IM1"] {
        assert_eq!(dataset.outcode(unknown.parse().unwrap()), None, "{unknown}");
    }
}

#[test]
fn outcodes_around_a_point_are_those_of_postcodes_io() {
    let Some((dataset, requests)) = recorded(&["outcode.reverse", "outcode.nearest"]) else { return };
    let mut compared = 0;
    for request in &requests {
        let place = match request.path[1..].first() {
            Some(outcode) => dataset.outcode(outcode.parse().unwrap()).unwrap(),
            None => crate::OutcodeSummary {
                latitude: request.float("lat"),
                longitude: request.float("lon"),
                ..crate::OutcodeSummary::new("M1".parse().unwrap())
            },
        };
        let limit = request.query.get("limit").map_or("10", String::as_str);
        let radius = request.float("radius").unwrap_or(5000.0);
        if limit.starts_with(['0', '-']) || radius < 0.0 {
            continue;
        }
        let origin = Location::new(place.latitude.unwrap(), place.longitude.unwrap()).unwrap();
        let found = dataset.outcodes_around(origin, request.limit(), radius.min(25_000.0)).unwrap();
        let found: Vec<String> = found.iter().map(|(summary, _)| summary.outcode.to_string()).collect();
        let expected = request.result.as_array().into_iter().flatten();
        let expected: Vec<&str> = expected.map(|value| value["outcode"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "#{}", request.id);
        compared += 1;
    }
    println!("{compared} compared");
    assert!(compared > 10);
}

#[test]
fn lookups_are_those_of_postcodes_io() {
    let Some((dataset, requests)) = recorded(&["lookup.ok"]) else { return };
    use AreaKind::*;
    let names = [
        ("country", Country),
        ("nhs_ha", HealthAuthority),
        ("region", Region),
        ("lsoa", Lsoa21),
        ("msoa11", Msoa11),
        ("admin_district", AdminDistrict),
        ("admin_ward", AdminWard),
        ("parish", Parish),
        ("ttwa", TravelToWorkArea),
        ("pfa", PoliceForceArea),
        ("ruc21", RuralUrban21),
        ("lep1", LocalEnterprisePartnership1),
    ];
    for request in &requests {
        let answer = dataset.get(request.path[1].parse().unwrap());
        assert!(answer.is_live());
        let record = answer.into_record().unwrap();
        let result = &request.result;
        for (key, kind) in names {
            assert_eq!(record.area_name(kind), result[key].as_str(), "#{} {key}", request.id);
        }
        let area = record.area(Nuts);
        assert_eq!(area.and_then(|area| area.alias), result["codes"]["nuts"].as_str(), "#{}", request.id);
        assert_eq!(area.and_then(|area| area.code), result["codes"]["lau2"].as_str());
        assert_eq!(record.area_code(OutputArea21), result["oa21"].as_str());
        assert_eq!(record.area_code(RuralUrban11), result["codes"]["ruc11"].as_str());
        assert_eq!(record.quality.map(u64::from), result["quality"].as_u64());
        assert_eq!(record.grid.map(|grid| u64::from(grid.eastings)), result["eastings"].as_u64());
        assert_eq!(record.location.map(Location::latitude), result["latitude"].as_f64());
        assert_eq!(record.location.map(Location::longitude), result["longitude"].as_f64());
        assert_eq!(
            record.introduced.map(|month| month.to_string()).as_deref(),
            result["date_of_introduction"].as_str()
        );
    }
}
