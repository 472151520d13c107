//! The routes of Ideal Postcodes under `/v1`, so that its clients work with another base URL.

use std::collections::HashSet;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use postcode_addresses::format::Style;
use postcode_addresses::lookup::AddressLookup;
use postcode_addresses::{Address, AddressAnswer, AddressNumber};
use postcode_core::wire::{EDITION_HEADER, path};
use postcode_core::{AreaKind, Postcode, Record};
use serde_json::{Map, Value, json};

use crate::api::App;
use crate::api::failure::{Failure, JSON, Outcome};
use crate::api::params::Params;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::IDEAL_POSTCODE, get(postcode))
        .route(path::IDEAL_UDPRN, get(udprn))
        .route(path::IDEAL_UMPRN, get(umprn))
        .route(path::IDEAL_KEY, get(key))
}

/// Addresses on one page. It can't be set.
pub(super) const PAGE: usize = 100;
/// The most postcodes that are suggested for one that does not exist.
const SUGGESTIONS: usize = 5;

/// Returns an answer with its code and message.
pub(super) fn reply(
    app: &App,
    status: StatusCode,
    code: u16,
    message: &str,
    more: Map<String, Value>,
) -> Outcome {
    let mut body = Map::new();
    body.extend(more);
    body.insert("code".to_owned(), code.into());
    body.insert("message".to_owned(), message.into());
    let addresses = app.addresses.ideal()?;
    let file = addresses.file();
    let attribution = &file.metadata().attribution;
    if status == StatusCode::OK && !attribution.is_empty() {
        body.insert("attribution".to_owned(), attribution.as_str().into());
    }
    let body = serde_json::to_vec(&Value::Object(body))
        .map_err(|e| Failure::internal(format!("an answer could not be written: {e}")))?;
    let mut response: Response = (status, [(CONTENT_TYPE, JSON)], body).into_response();
    if let Ok(fingerprint) = file.fingerprint().parse() {
        response.headers_mut().insert(EDITION_HEADER, fingerprint);
    }
    Ok(response)
}

/// Returns a JSON object.
pub(super) fn object<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

async fn postcode(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let addresses = app.addresses.ideal()?;
    let page = match params.get("page") {
        None => 0,
        Some(text) => match text.trim().parse::<usize>().ok().filter(|page| *page <= 1_000) {
            Some(page) => page,
            None => {
                let message = "Invalid page. Give a number from 0";
                return reply(&app, StatusCode::BAD_REQUEST, 4000, message, Map::new());
            }
        },
    };
    let found = match text.parse::<Postcode>() {
        Ok(postcode) => Some((postcode, addresses.address_page(postcode, page * PAGE, PAGE).await?)),
        Err(_) => None,
    };
    let Some((postcode, AddressAnswer::Found(found))) = found else {
        let suggestions = suggestions(&app, &text).await?;
        let more = object([("suggestions", suggestions.into())]);
        return reply(&app, StatusCode::NOT_FOUND, 4040, "Postcode Not Found", more);
    };
    let record = record(&app, postcode).await?;
    let filter = params.get("filter");
    let filter = filter.as_deref().map(names);
    let listed = found.addresses.iter().map(|address| body(address, record.as_ref(), filter.as_ref()));
    let more = object([
        ("result", listed.collect()),
        ("total", found.total.into()),
        ("page", page.into()),
        ("limit", PAGE.into()),
    ]);
    reply(&app, StatusCode::OK, 2000, "Success", more)
}

async fn udprn(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    by_number(app, "udprn", &text, (4044, "No UDPRN found"), params).await
}

async fn umprn(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    // The document of the API says 4044 here too. The recorded reply and the published clients have 4046.
    by_number(app, "umprn", &text, (4046, "No UMPRN found"), params).await
}

async fn by_number(app: App, kind: &str, text: &str, missing: (u16, &str), params: Params) -> Outcome {
    let addresses = app.addresses.ideal()?;
    let found = match AddressNumber::parse(kind, text) {
        Ok(number) => addresses.addresses_by_number(&[number]).await?.into_iter().flatten().next(),
        Err(_) => None,
    };
    let Some(address) = found else {
        let (code, message) = missing;
        return reply(&app, StatusCode::NOT_FOUND, code, message, Map::new());
    };
    let record = match address.postcode.parse() {
        Ok(postcode) => record(&app, postcode).await?,
        Err(_) => None,
    };
    let filter = params.get("filter");
    let result = body(&address, record.as_ref(), filter.as_deref().map(names).as_ref());
    reply(&app, StatusCode::OK, 2000, "Success", object([("result", result)]))
}

/// Clients ask at the start whether their key may be used. Keys of this server are tokens, and are checked before.
async fn key(State(app): State<App>) -> Outcome {
    let contexts = json!([{ "iso_3": "GBR", "iso_2": "GB", "description": "United Kingdom", "emoji": "🇬🇧" }]);
    let result = json!({ "available": true, "context": "GBR", "contexts": contexts });
    reply(&app, StatusCode::OK, 2000, "Success", object([("result", result)]))
}

/// Returns the record of an address's postcode.
pub(super) async fn record(app: &App, postcode: Postcode) -> Result<Option<Record>, Failure> {
    let answer = app.edition().lookup().lookup_one(postcode).await?;
    Ok(answer.record().cloned())
}

/// Returns near postcodes that are in use and have addresses, the most likely first.
async fn suggestions(app: &App, text: &str) -> Result<Vec<String>, Failure> {
    let edition = app.edition();
    let lookup = edition.lookup();
    let mut near: Vec<Postcode> = Vec::new();
    if let Err(error) = text.parse::<Postcode>() {
        near.extend(error.suggestion().and_then(|text| text.as_str().parse::<Postcode>().ok()));
    }
    let compact: String = text.chars().filter(char::is_ascii_alphanumeric).take(7).collect();
    // Others of the same sector: what was typed without its last characters.
    for cut in 1..=2 {
        if compact.len() >= 5 + cut && near.len() < SUGGESTIONS {
            let prefix = &compact[..compact.len() - cut];
            near.extend(lookup.autocomplete(prefix, SUGGESTIONS).await.unwrap_or_default());
        }
    }
    let mut suggested: Vec<String> = Vec::new();
    let file = app.addresses.ideal()?.file();
    for postcode in near {
        let text = postcode.to_string();
        if suggested.len() < SUGGESTIONS && !suggested.contains(&text) && file.get(postcode)?.is_some() {
            suggested.push(text);
        }
    }
    Ok(suggested)
}

/// Returns the id of an address: its dataset and its number there. Empty if it has none.
pub(super) fn id(address: &Address) -> String {
    let dataset = address.dataset.as_str();
    let number = match address.dataset {
        postcode_addresses::Dataset::MultipleResidence => address.umprn.map(u64::from),
        postcode_addresses::Dataset::AddressBase | postcode_addresses::Dataset::Ngd => address.uprn,
        _ => address.udprn.map(u64::from),
    };
    number.map_or_else(String::new, |number| format!("{dataset}_{number}"))
}

/// Country, its codes, and whether its grid references are sent.
fn nation(postcode: &str, record: Option<&Record>) -> (String, &'static str, &'static str, bool) {
    match postcode.get(..2).unwrap_or_default() {
        "JE" => ("Jersey".to_owned(), "JEY", "JE", false),
        "GY" => ("Guernsey".to_owned(), "GGY", "GG", false),
        "IM" => ("Isle of Man".to_owned(), "IMN", "IM", false),
        _ => (record.and_then(Record::country).unwrap_or_default().to_owned(), "GBR", "GB", true),
    }
}

/// Returns the names of a filter. They are read once for all addresses.
pub(super) fn names(filter: &str) -> HashSet<&str> {
    filter.split(',').map(str::trim).collect()
}

/// An address as Ideal Postcodes writes it: all keys are there, and what is unknown is an empty text.
pub(super) fn body(address: &Address, record: Option<&Record>, filter: Option<&HashSet<&str>>) -> Value {
    let text = |text: &str| Value::from(text.trim());
    let or_empty = |value: Option<Value>| value.unwrap_or_else(|| "".into());
    let (outward, inward) = address.postcode.split_once(' ').unwrap_or((&address.postcode, ""));
    let formatted = address.format(Style::Ideal);
    let premise = formatted.premise.clone();
    let mut lines = formatted.fit(3);
    lines.resize(3, String::new());
    let point = address.point.unwrap_or_default();
    let location = record.and_then(|record| record.location);
    let longitude = point.geographic.map(|at| at.longitude).or(location.map(|at| at.longitude()));
    let latitude = point.geographic.map(|at| at.latitude).or(location.map(|at| at.latitude()));
    let (country, iso, iso_2, has_grid) = nation(&address.postcode, record);
    let reference = record.and_then(|record| record.grid).filter(|_| has_grid);
    let eastings = point.grid.map(|at| json!(at.eastings)).or(reference.map(|at| json!(at.eastings)));
    let northings = point.grid.map(|at| json!(at.northings)).or(reference.map(|at| json!(at.northings)));
    let area = |kind: AreaKind| {
        record
            .and_then(|record| record.areas.get(kind))
            .and_then(|area| area.name)
            .unwrap_or_default()
            .to_owned()
    };
    let district = area(AreaKind::AdminDistrict);
    let county = area(AreaKind::AdminCounty);
    let county = if county.is_empty() { district.clone() } else { county };
    let pairs = [
        ("id", id(address).into()),
        ("dataset", address.dataset.as_str().into()),
        ("language", "en".into()),
        ("postcode", address.postcode.as_str().into()),
        ("postcode_inward", inward.into()),
        ("postcode_outward", outward.into()),
        ("post_town", text(&address.post_town)),
        ("dependant_locality", text(&address.dependent_locality)),
        ("double_dependant_locality", text(&address.double_dependent_locality)),
        ("thoroughfare", text(&address.thoroughfare)),
        ("dependant_thoroughfare", text(&address.dependent_thoroughfare)),
        ("building_number", text(&address.building_number)),
        ("building_name", text(&address.building_name)),
        ("sub_building_name", text(&address.sub_building)),
        ("po_box", text(&address.po_box)),
        ("department_name", text(&address.department)),
        ("organisation_name", text(&address.organisation)),
        ("udprn", or_empty(address.udprn.map(Value::from))),
        ("umprn", or_empty(address.umprn.map(Value::from))),
        ("uprn", address.uprn.map_or_else(String::new, |uprn| uprn.to_string()).into()),
        ("postcode_type", address.kind.map_or("", |kind| kind.as_str()).into()),
        ("su_organisation_indicator", (if address.organisation_indicator { "Y" } else { "" }).into()),
        ("delivery_point_suffix", text(&address.delivery_point_suffix)),
        ("line_1", lines[0].as_str().into()),
        ("line_2", lines[1].as_str().into()),
        ("line_3", lines[2].as_str().into()),
        ("premise", premise.into()),
        ("longitude", or_empty(longitude.map(Value::from))),
        ("latitude", or_empty(latitude.map(Value::from))),
        ("eastings", or_empty(eastings)),
        ("northings", or_empty(northings)),
        ("country", country.into()),
        ("country_iso", iso.into()),
        ("country_iso_2", iso_2.into()),
        ("traditional_county", "".into()),
        ("administrative_county", county.clone().into()),
        ("postal_county", "".into()),
        ("county", county.into()),
        ("county_code", "".into()),
        ("district", district.into()),
        ("ward", area(AreaKind::AdminWard).into()),
    ];
    let pairs = pairs.into_iter().filter(|(name, _)| filter.is_none_or(|kept| kept.contains(name)));
    Value::Object(pairs.map(|(name, value)| (name.to_owned(), value)).collect())
}
