//! `/places`, `/places/{code}` and `/random/places`, and the extensions `/find/places` and
//! `/places/{code}/postcodes`.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use postcode_core::wire::{LOCAL_TYPE, WITHIN, code, path};
use postcode_core::{MAX_LIMIT, MAX_QUERY, PlaceQuery, Postcode};

use super::App;
use super::failure::{Failure, Outcome};
use super::params::{Params, is_space};
use super::reply::{data, uncached};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::PLACES, get(search))
        .route(path::PLACE, get(place))
        .route(path::PLACE_POSTCODES, get(postcodes))
        .route(path::FIND_PLACES, get(find))
        .route(path::RANDOM_PLACES, get(random))
}

/// Searches by `query`, or by `q` if that is empty: for places the long name wins.
async fn search(State(app): State<App>, params: Params) -> Outcome {
    let edition = app.edition();
    let Some(text) = params.get("query").or_else(|| params.get("q")) else {
        let text = "No valid query submitted. Remember to include every parameter";
        return Err(Failure::bad_request(text));
    };
    // No place has a name that is longer than the contract allows.
    let text = text.trim_matches(is_space);
    let text = if text.len() > MAX_QUERY { "" } else { text };
    data(&edition, &edition.lookup.places(text, params.places_limit()).await?)
}

async fn place(State(app): State<App>, Path(text): Path<String>) -> Outcome {
    let edition = app.edition();
    let unknown = || Failure::not_found("Place not found", code::PLACE_NOT_FOUND).by(&edition.fingerprint);
    if text.len() > MAX_QUERY {
        return Err(unknown());
    }
    let place = edition.lookup.place(&text).await?.ok_or_else(unknown)?;
    data(&edition, &place)
}

/// Finds places by typed text.
async fn find(State(app): State<App>, params: Params) -> Outcome {
    let edition = app.edition();
    let Some(text) = params.get("q") else {
        return Err(Failure::bad_request(
            "No text to look for: give q, and limit, within and type if you like",
        ));
    };
    let query = PlaceQuery::new(text).limit(strict_limit(&params)?);
    let query = params.get(WITHIN).into_iter().fold(query, PlaceQuery::within);
    let query = params.get(LOCAL_TYPE).into_iter().fold(query, PlaceQuery::local_type);
    data(&edition, &edition.lookup.find_places(&query).await?)
}

/// Lists the postcodes of a place, in pages.
async fn postcodes(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    let unknown = || Failure::not_found("Place not found", code::PLACE_NOT_FOUND).by(&edition.fingerprint);
    let after = match params.get("after") {
        Some(after) => Some(after.parse::<Postcode>().map_err(|error| {
            Failure::bad_request(format!(
                "after={after}: {error}: give the last postcode of the previous page"
            ))
        })?),
        None => None,
    };
    let limit = strict_limit(&params)?;
    if text.len() > MAX_QUERY {
        return Err(unknown());
    }
    // All postcodes of the box are looked at, a quarter of a million for London.
    let lookup = edition.lookup.clone();
    let work = async move { lookup.place_postcodes(&text, after, limit).await };
    let _place = app.regions.place(params.client())?;
    let page = app.regions.work(work).await??.ok_or_else(unknown)?;
    data(&edition, &page)
}

/// Returns the limit of routes that postcodes.io does not have: 10 if absent. Refuses a value that
/// is not a number; the lookup refuses one out of range.
fn strict_limit(params: &Params) -> Result<usize, Failure> {
    let Some(text) = params.get("limit") else { return Ok(10) };
    text.parse()
        .map_err(|_| Failure::bad_request(format!("limit={text}: give a number from 1 to {MAX_LIMIT}")))
}

async fn random(State(app): State<App>) -> Outcome {
    let edition = app.edition();
    uncached(&edition, &edition.lookup.random_place().await?)
}
