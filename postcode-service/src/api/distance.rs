//! `/postcodes/{postcode}/distance/{other}`: metres between two postcodes. Not in postcodes.io.

use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use axum::routing::get;
use http::StatusCode;
use postcode_core::wire::code;
use postcode_core::wire::path;
use postcode_core::{Answer, Location, Postcode, PostcodeLookup};
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::opt_in::extended_only;
use super::reply::data;
use super::{App, Edition};
use crate::enrich::short;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::DISTANCE, get(distance)).route_layer(from_fn(extended_only))
}

#[derive(Serialize)]
struct Distance {
    from: Postcode,
    to: Postcode,
    /// Metres along the WGS84 ellipsoid.
    distance: f64,
}

async fn distance(State(app): State<App>, Path((from, to)): Path<(String, String)>) -> Outcome {
    let edition = app.edition();
    let (from, to) = (parse(&from)?, parse(&to)?);
    // One batch, so that both are of one edition.
    let answers = edition.lookup.lookup(&[from, to]).await?;
    let [one, other] = answers.as_slice() else {
        return Err(Failure::internal("a batch of two came back with another number of answers"));
    };
    let (one, other) = (location(&edition, from, one)?, location(&edition, to, other)?);
    data(&edition, &Distance { from, to, distance: one.distance(other) })
}

fn parse(text: &str) -> Result<Postcode, Failure> {
    text.parse().map_err(|error| {
        let advice = format!("{}: {error}", short(text));
        Failure::not_found("Invalid postcode", code::INVALID_POSTCODE).advise(advice)
    })
}

/// Returns the location of a postcode, live or terminated.
fn location(edition: &Edition, postcode: Postcode, answer: &Answer) -> Result<Location, Failure> {
    let failure = |status, what: &str, code| {
        Failure::new(status, format!("{postcode} {what}"), code).by(&edition.fingerprint)
    };
    match answer {
        Answer::Live(record) | Answer::Terminated(record) => record
            .location
            .ok_or_else(|| failure(StatusCode::NOT_FOUND, "has no location", code::NO_LOCATION)),
        Answer::Unknown => Err(failure(StatusCode::NOT_FOUND, "not found", code::POSTCODE_NOT_FOUND)),
        Answer::NotCovered => Err(failure(StatusCode::NOT_FOUND, "not found", code::POSTCODE_NOT_FOUND)
            .not_covered(edition.advice_for(postcode))),
    }
}
