//! Suggestions for an address that is being typed, as Ideal Postcodes makes them for its form plug-ins.
//!
//! The file is ordered by postcode, so the text must hold a postcode or the beginning of one. Its other words choose
//! among the addresses there.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use http::StatusCode;
use postcode_addresses::format::{Style, title_case};
use postcode_addresses::lookup::AddressLookup;
use postcode_addresses::matching::is_completion;
use postcode_addresses::{Address, AddressAnswer, AddressNumber, LocalAddresses};
use postcode_core::wire::path;
use postcode_core::{Postcode, text};
use serde_json::{Map, Value, json};

use super::ideal::{PAGE, body, id, names, object, record, reply};
use crate::api::App;
use crate::api::failure::{Failure, Outcome};
use crate::api::params::Params;

/// The longest text that is completed, in characters. It can't be set.
const MAX_TYPED: usize = 150;
/// The most suggestions of one answer. It can't be set.
const MAX_HITS: usize = 100;
/// The number of suggestions if the request names none.
const HITS: usize = 10;
/// The most postcodes whose addresses are looked at for one answer. It can't be set.
const MAX_POSTCODES: usize = 10;
/// The most addresses that are looked at for one answer. It can't be set.
const MAX_LOOKED_AT: usize = 2_000;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::IDEAL_SUGGEST, get(suggest)).route(path::IDEAL_RESOLVE, get(resolve))
}

async fn suggest(State(app): State<App>, params: Params) -> Outcome {
    let addresses = app.addresses.ideal()?.snapshot();
    let typed = params.get("query").unwrap_or_default();
    let wrong = |message: &str| reply(&app, StatusCode::BAD_REQUEST, 4000, message, Map::new());
    if typed.chars().count() > MAX_TYPED {
        return wrong("Invalid query. Give at most 150 characters");
    }
    let limit = match params.get("limit").map(|text| text.trim().parse::<usize>()) {
        None => HITS,
        Some(Ok(limit)) if (1..=MAX_HITS).contains(&limit) => limit,
        Some(_) => return wrong("Invalid limit. Give a number from 1 to 100"),
    };
    let context = params.get("context").unwrap_or_default();
    let is_here = ["", "GBR", "GB"].iter().any(|name| context.eq_ignore_ascii_case(name));
    let hits = if is_here { hits(&app, &addresses, &typed, limit).await? } else { Vec::new() };
    let result = json!({ "hits": hits });
    reply(&app, StatusCode::OK, 2000, "Success", object([("result", result)]))
}

async fn hits(
    app: &App,
    addresses: &LocalAddresses,
    typed: &str,
    limit: usize,
) -> Result<Vec<Value>, Failure> {
    let (postcodes, rest) = meant(app, typed).await?;
    let (mut hits, mut looked_at) = (Vec::new(), 0);
    for postcode in postcodes {
        let mut skip = 0;
        while let AddressAnswer::Found(page) = addresses.address_page(postcode, skip, PAGE).await? {
            for address in &page.addresses {
                let hit = hit(address);
                let line = hit.get("suggestion").and_then(Value::as_str).unwrap_or_default();
                if is_completion(line, &rest) && hit.get("id").is_some_and(|id| id != "") {
                    hits.push(hit);
                }
                if hits.len() == limit {
                    return Ok(hits);
                }
            }
            skip += page.addresses.len();
            looked_at += page.addresses.len();
            if looked_at >= MAX_LOOKED_AT {
                return Ok(hits);
            }
            if page.addresses.is_empty() || skip >= page.total {
                break;
            }
            // Others have their turn between two pages.
            tokio::task::yield_now().await;
        }
    }
    Ok(hits)
}

/// Returns the postcodes that a text may mean, and the text without what it says of them.
async fn meant(app: &App, typed: &str) -> Result<(Vec<Postcode>, String), Failure> {
    if let Some(found) = text::find(typed).last() {
        let (before, after) = (typed.get(..found.range.start), typed.get(found.range.end..));
        let rest = [before.unwrap_or_default(), after.unwrap_or_default()].join(" ");
        return Ok((vec![found.postcode], rest));
    }
    // The beginning of a postcode: the last two words (`SW1A 1`), or the last one (`SW1A`).
    let words: Vec<&str> = typed.split_whitespace().collect();
    let edition = app.edition();
    for taken in [2, 1] {
        let Some((rest, last)) = words.len().checked_sub(taken).map(|at| words.split_at(at)) else {
            continue;
        };
        let prefix = last.concat();
        let is_outcode = prefix.starts_with(|c: char| c.is_ascii_alphabetic())
            && prefix.chars().all(|c| c.is_ascii_alphanumeric())
            && prefix.chars().any(|c| c.is_ascii_digit());
        if is_outcode {
            let postcodes = edition.lookup().autocomplete(&prefix, MAX_POSTCODES).await?;
            if !postcodes.is_empty() {
                return Ok((postcodes, rest.join(" ")));
            }
        }
    }
    Ok((Vec::new(), String::new()))
}

fn hit(address: &Address) -> Value {
    let outcode = address.postcode.split(' ').next().unwrap_or_default();
    let lines = address.format(Style::Ideal).lines;
    let town = title_case(&address.post_town);
    let parts = lines.iter().map(String::as_str).chain([town.as_str(), outcode]);
    let suggestion = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let mut urls = Map::new();
    let mut hit = object([("id", id(address).into()), ("suggestion", suggestion.into())]);
    for (name, route, number) in
        [("udprn", path::IDEAL_UDPRN, address.udprn), ("umprn", path::IDEAL_UMPRN, address.umprn)]
    {
        if let Some(number) = number {
            urls.insert(name.to_owned(), path::filled(route, &[&number]).into());
            hit.insert(name.to_owned(), number.into());
        }
    }
    hit.insert("urls".to_owned(), urls.into());
    hit.into()
}

async fn resolve(State(app): State<App>, Path(suggestion): Path<String>, params: Params) -> Outcome {
    let addresses = app.addresses.ideal()?;
    let found = match number(&suggestion) {
        Some(number) => addresses.addresses_by_number(&[number]).await?.into_iter().flatten().collect(),
        None => Vec::new(),
    };
    let Some(address) = found.iter().find(|address| id(address) == suggestion) else {
        return reply(&app, StatusCode::NOT_FOUND, 4040, "No address found", Map::new());
    };
    let record = match address.postcode.parse() {
        Ok(postcode) => record(&app, postcode).await?,
        Err(_) => None,
    };
    let result = body(address, record.as_ref(), params.get("filter").as_deref().map(names).as_ref());
    reply(&app, StatusCode::OK, 2000, "Success", object([("result", result)]))
}

/// Returns the number in the id of a suggestion, such as `paf_12345678`.
fn number(suggestion: &str) -> Option<AddressNumber> {
    let (dataset, digits) = suggestion.split_once('_')?;
    let kind = match dataset {
        "mr" => "umprn",
        "ab" | "ngd" => "uprn",
        _ => "udprn",
    };
    AddressNumber::parse(kind, digits).ok()
}
