//! The addresses of postcodes, by number, in a region and near a point: `/postcodes/{postcode}/addresses`,
//! `/addresses`. Not in postcodes.io.

mod attributed;
mod ideal;
mod proof;
mod suggest;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use postcode_addresses::lookup::wire::{AnswerBody, NeighbourBody, NumberBody};
use postcode_addresses::lookup::{
    AddressLookup, LocalAddresses, MAX_ADDRESS_BATCH, MAX_ADDRESS_NEIGHBOURS, MAX_ADDRESS_PAGE,
    MAX_ADDRESS_RADIUS,
};
use postcode_addresses::{AddressAnswer, AddressNumber};
use postcode_core::wire::{code, path};
use postcode_core::{AreaKind, Location, Nearest, Origin, Outcode, Postcode, Region, Sector, Within};
use serde_json::{Map, Value};

use attributed::{answer, listed};

use super::App;
use super::bulk::body;
use super::failure::{Failure, Outcome};
use super::params::Params;
use super::region;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::POSTCODE_ADDRESSES, get(of_postcode))
        .route(path::OUTCODE_STREETS, get(streets))
        .route(path::ADDRESSES, post(bulk))
        .route(path::ADDRESSES_INFO, get(info))
        .route(path::ADDRESSES_PROOF, get(proof::proof))
        .route(path::ADDRESSES_NEAREST, get(nearest))
        .route(path::ADDRESSES_WITHIN, get(within))
        .route(path::ADDRESS, get(by_number))
        .merge(ideal::routes())
        .merge(suggest::routes())
        .route_layer(from_fn(not_kept))
}

/// Returns whether a path or route is one of addresses, which are licensed and about somebody's home.
pub(super) fn is_licensed(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (first, _, third) = (parts.next(), parts.next(), parts.next());
    let is = |part: Option<&str>, name: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(name));
    is(first, "addresses") || is(first, "v1") || is(first, "postcodes") && is(third, "addresses")
}

/// Addresses are licensed: nothing on the way keeps them.
async fn not_kept(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// Reads `limit` or `skip`.
fn number(params: &Params, name: &str, least: usize, most: usize) -> Result<Option<usize>, Failure> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let number = text.trim().parse::<usize>().ok().filter(|number| (least..=most).contains(number));
    let wrong = || Failure::bad_request(format!("Invalid {name} submitted. Give {least} to {most}"));
    number.map(Some).ok_or_else(wrong)
}

fn not_found() -> Failure {
    Failure::not_found("Postcode not found", code::POSTCODE_NOT_FOUND)
}

const NOT_COVERED: &str = "The address data has no addresses in this outcode";

async fn of_postcode(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let addresses = app.addresses.get()?;
    let postcode: Postcode =
        text.parse().map_err(|_| Failure::not_found("Invalid postcode", code::INVALID_POSTCODE))?;
    let limit = number(&params, "limit", 1, MAX_ADDRESS_PAGE)?.unwrap_or(MAX_ADDRESS_PAGE);
    let skip = number(&params, "skip", 0, MAX_SKIP)?.unwrap_or(0);
    match addresses.address_page(postcode, skip, limit).await? {
        AddressAnswer::Unknown => Err(not_found()),
        AddressAnswer::NotCovered => Err(not_found().not_covered(NOT_COVERED)),
        found => answer(&addresses, AnswerBody::new(postcode.spaced().as_str(), Some(&found)), None),
    }
}

async fn streets(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let addresses = app.addresses.get()?;
    let outcode: Outcode =
        text.parse().map_err(|_| Failure::not_found("Outcode not found", code::OUTCODE_NOT_FOUND))?;
    let limit = number(&params, "limit", 1, MAX_ADDRESS_PAGE)?.unwrap_or(MAX_ADDRESS_PAGE);
    let skip = number(&params, "skip", 0, MAX_SKIP)?.unwrap_or(0);
    let page = addresses.streets(outcode, skip, limit).await?;
    let found = page.map_or(AddressAnswer::NotCovered, AddressAnswer::Found);
    answer(&addresses, AnswerBody::new(outcode.to_string(), Some(&found)), None)
}

/// A postcode has at most that many addresses.
const MAX_SKIP: usize = 100_000;

async fn bulk(State(app): State<App>, request: Request) -> Outcome {
    // One file answers all of it.
    let addresses = app.addresses.get()?.snapshot();
    let body = body::read(request, app.limits).await?;
    let most = app.limits.max_batch.min(MAX_ADDRESS_BATCH);
    match (texts(&body, "postcodes", most)?, texts(&body, "numbers", most)?) {
        (Some(texts), None) => of_postcodes(&addresses, &body, texts).await,
        (None, Some(texts)) => {
            let numbers: Result<Vec<AddressNumber>, _> = texts.iter().map(|text| text.parse()).collect();
            let numbers = numbers?;
            let found = addresses.addresses_by_number(&numbers).await?;
            let item = |(query, found): (&AddressNumber, Vec<_>)| NumberBody {
                query: query.to_string(),
                addresses: found.iter().map(Into::into).collect(),
            };
            answer(&addresses, numbers.iter().zip(found).map(item).collect::<Vec<_>>(), None)
        }
        _ => Err(Failure::bad_request(USAGE)),
    }
}

const USAGE: &str = "Invalid JSON query submitted. Give {\"postcodes\":[\"SW1A 1AA\"]} or \
                     {\"numbers\":[\"udprn:12345678\",\"uprn:123456789012\"]}";

/// Returns the texts of an array.
fn texts(body: &Map<String, Value>, name: &str, most: usize) -> Result<Option<Vec<String>>, Failure> {
    let Some(value) = body.get(name) else { return Ok(None) };
    let items = value.as_array().ok_or_else(|| Failure::bad_request(USAGE))?;
    if items.len() > most {
        let text = format!("Too many {name} submitted. Give at most {most}");
        return Err(Failure::bad_request(text));
    }
    let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    texts.map(Some).ok_or_else(|| Failure::bad_request(USAGE))
}

async fn of_postcodes(addresses: &LocalAddresses, body: &Map<String, Value>, texts: Vec<String>) -> Outcome {
    let number = |name: &str, least: u64, most: usize, default: usize| match body.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => {
            value.as_u64().filter(|it| (least..=most as u64).contains(it)).map(|it| it as usize).ok_or_else(
                || Failure::bad_request(format!("Invalid {name} submitted. Give {least} to {most}")),
            )
        }
    };
    let limit = number("limit", 1, MAX_ADDRESS_PAGE, MAX_ADDRESS_PAGE)?;
    let skip = number("skip", 0, MAX_SKIP, 0)?;
    let parsed: Vec<Option<Postcode>> = texts.iter().map(|text| text.parse().ok()).collect();
    let postcodes: Vec<Postcode> = parsed.iter().copied().flatten().collect();
    let answers = match (skip, &postcodes[..]) {
        (0, _) => one_by_one(addresses, &postcodes).await?,
        (_, [one]) => vec![addresses.address_page(*one, skip, limit).await?],
        _ => return Err(Failure::bad_request("skip is for one postcode. Ask for the next pages one by one")),
    };
    let mut answers = answers.into_iter().map(|answer| match answer {
        AddressAnswer::Found(mut page) => {
            page.addresses.truncate(limit);
            AddressAnswer::Found(page)
        }
        other => other,
    });
    let items = texts.iter().zip(parsed).map(|(text, postcode)| {
        let found = postcode.and_then(|_| answers.next());
        AnswerBody::new(text.as_str(), found.as_ref())
    });
    listed(addresses, items, None).await
}

/// Looks up one postcode at a time. Others have their turn in between, and a request that is not wanted any more
/// ends there.
async fn one_by_one(
    addresses: &LocalAddresses,
    postcodes: &[Postcode],
) -> Result<Vec<AddressAnswer>, Failure> {
    let mut answers = Vec::with_capacity(postcodes.len());
    for postcode in postcodes {
        answers.extend(addresses.addresses(std::slice::from_ref(postcode)).await?);
        tokio::task::yield_now().await;
    }
    Ok(answers)
}

async fn info(State(app): State<App>) -> Outcome {
    let addresses = app.addresses.get()?;
    let coverage = addresses.address_coverage().await?;
    answer(&addresses, coverage, None)
}

async fn nearest(State(app): State<App>, params: Params) -> Outcome {
    let addresses = app.addresses.get()?;
    let degrees = |name: &str| {
        params.get(name).map(|text| {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| {
                Failure::bad_request(format!("Invalid {name} submitted. Give degrees (WGS84)"))
            })
        })
    };
    let origin = match (params.get("postcode"), degrees("lon").transpose()?, degrees("lat").transpose()?) {
        (Some(text), None, None) => {
            let invalid = |_| Failure::not_found("Invalid postcode", code::INVALID_POSTCODE);
            Origin::Postcode(text.parse().map_err(invalid)?)
        }
        (None, Some(longitude), Some(latitude)) => Origin::Location(Location::new(latitude, longitude)?),
        _ => return Err(Failure::bad_request("Give lon and lat in degrees (WGS84), or a postcode")),
    };
    let limit = number(&params, "limit", 1, MAX_ADDRESS_NEIGHBOURS)?.unwrap_or(10);
    let radius = match params.get("radius") {
        None => 100.0,
        Some(text) => {
            let most = MAX_ADDRESS_RADIUS.min(app.limits.max_radius);
            let radius = text.trim().parse::<f64>().ok().filter(|radius| (0.0..=most).contains(radius));
            let wrong = || Failure::bad_request(format!("Invalid radius submitted. Give 0 to {most} metres"));
            radius.ok_or_else(wrong)?
        }
    };
    let _place = app.regions.place(params.client())?;
    let query = Nearest::to(origin).limit(limit).radius(radius);
    let asked = addresses.clone();
    let found = app.regions.work(async move { asked.nearest_addresses(&query).await }).await??;
    let found: Option<Vec<NeighbourBody>> = found.map(|found| found.iter().map(Into::into).collect());
    answer(&addresses, found, None)
}

async fn within(State(app): State<App>, params: Params) -> Outcome {
    // One file answers all of it.
    let addresses = app.addresses.get()?.snapshot();
    let wrong = |what: &str| Failure::bad_request(format!("Invalid {what} submitted"));
    let region = match (params.get("outcode"), params.get("sector"), params.get("area")) {
        (Some(text), None, None) => Region::Outcode(text.parse::<Outcode>().map_err(|_| wrong("outcode"))?),
        (None, Some(text), None) => Region::Sector(text.parse::<Sector>().map_err(|_| wrong("sector"))?),
        (None, None, Some(code)) => {
            let kind = params.get("kind").map(|kind| AreaKind::from_key(&kind).ok_or_else(|| wrong("kind")));
            Region::Area { code: code.into_owned(), kind: kind.transpose()? }
        }
        (None, None, None) => region::of_params(&params, app.limits.max_radius)?,
        _ => return Err(Failure::bad_request("Give one of outcode, sector, area and a shape")),
    };
    let after = params.get("cursor").map(|text| text.parse::<Postcode>().map_err(|_| wrong("cursor")));
    let limit = number(&params, "limit", 1, MAX_ADDRESS_BATCH)?.unwrap_or(20);
    let query = Within::of(region).limit(limit).after(after.transpose()?);
    let edition = app.edition();
    let _place = app.regions.place(params.client())?;
    let page = region::turns::in_turns(&app, &edition, &query).await?;
    let page = page.ok_or_else(|| {
        let text =
            "Area not found. Give an outcode, a sector or the ONS code of an area with postcodes in use";
        Failure::new(StatusCode::NOT_FOUND, text, code::AREA_NOT_FOUND)
    })?;
    let postcodes: Vec<Postcode> = page.records.iter().map(|record| record.postcode).collect();
    let answers = one_by_one(&addresses, &postcodes).await?;
    let items = postcodes.iter().zip(&answers);
    let items = items.map(|(postcode, found)| AnswerBody::new(postcode.spaced().as_str(), Some(found)));
    listed(&addresses, items, Some(page.next)).await
}

async fn by_number(State(app): State<App>, Path((kind, digits)): Path<(String, String)>) -> Outcome {
    let addresses = app.addresses.get()?;
    let number = AddressNumber::parse(&kind, &digits)?;
    let found = addresses.addresses_by_number(&[number]).await?.pop().unwrap_or_default();
    if found.is_empty() {
        let text = "Address not found. Numbers that have no address any more are not in this edition";
        return Err(Failure::new(StatusCode::NOT_FOUND, text, code::ADDRESS_NOT_FOUND));
    }
    let addresses_of = found.iter().map(Into::into).collect();
    answer(&addresses, NumberBody { query: number.to_string(), addresses: addresses_of }, None)
}
