//! `/outcodes/{outcode}`, and the outcodes around one or around a point.

use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use axum::routing::get;
use postcode_core::wire::{Shape, code, path};
use postcode_core::{Location, MAX_QUERY, NearestOutcodes, Outcode, OutcodeSummary, ParseError};
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::nearest::{Reach, no_location, point_of_params};
use super::opt_in::extended_only;
use super::params::{Params, is_space};
use super::reply::data;
use super::{App, Edition};

pub(super) fn routes() -> Router<App> {
    let ours = Router::new()
        .route(path::OUTCODE_AUTOCOMPLETE, get(autocomplete))
        .route(path::OUTCODE_VALIDATE, get(validate))
        .route_layer(from_fn(extended_only));
    Router::new()
        .route(path::OUTCODES, get(reverse))
        .route(path::OUTCODE, get(outcode))
        .route(path::OUTCODE_NEAREST, get(nearest))
        .merge(ours)
}

/// Reads an outcode. postcodes.io ignores spaces. By our own rules `E1 6` is a sector.
fn read(text: &str, shape: Shape) -> Result<Outcode, Option<ParseError>> {
    match shape {
        Shape::Extended => text.parse().map_err(Some),
        Shape::Compatible => {
            let compact: String = text.chars().filter(|c| !is_space(*c)).collect();
            compact.parse().map_err(|_| None)
        }
    }
}

async fn find(edition: &Edition, text: &str, shape: Shape) -> Result<OutcodeSummary, Failure> {
    let unknown =
        || Failure::not_found("Outcode not found", code::OUTCODE_NOT_FOUND).by(&edition.fingerprint);
    let outcode = read(text, shape).map_err(|error| match error {
        Some(error) => unknown().explain(&error),
        None => unknown(),
    })?;
    match (edition.lookup.outcode(outcode).await?, edition.advice(&outcode.area())) {
        (Some(summary), _) => Ok(summary),
        (None, Some(advice)) => Err(unknown().not_covered(advice)),
        (None, None) => Err(unknown()),
    }
}

async fn outcode(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    let summary = find(&edition, &text, params.shape()).await?;
    data(&edition, &summary)
}

async fn nearest(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    let summary = find(&edition, &text, params.shape()).await?;
    let query = Reach::of(&params, app.limits).around_outcodes(|| {
        let (latitude, longitude) =
            summary.latitude.zip(summary.longitude).ok_or_else(|| no_location(&edition))?;
        Ok(Location::new(latitude, longitude)?)
    })?;
    around(&edition, query).await
}

async fn reverse(State(app): State<App>, params: Params) -> Outcome {
    let query = Reach::of(&params, app.limits).around_outcodes(|| point_of_params(&params))?;
    around(&app.edition(), query).await
}

/// Lists the outcodes that begin with a text. Not part of postcodes.io.
async fn autocomplete(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    // No outcode begins with a text that is longer than the contract allows.
    let found = match text.len() <= MAX_QUERY {
        true => edition.lookup.outcodes(&text, params.search_limit()).await?,
        false => Vec::new(),
    };
    data(&edition, &found)
}

/// The result of validating an outcode. An `unknown` one has no postcodes in use.
#[derive(Serialize)]
struct Verdict {
    valid: bool,
    status: &'static str,
    outcode: Option<Outcode>,
    /// Why it is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Validates an outcode. Not part of postcodes.io.
async fn validate(State(app): State<App>, Path(text): Path<String>) -> Outcome {
    let edition = app.edition();
    let outcode: Outcode = match text.parse() {
        Ok(outcode) => outcode,
        Err(error) => {
            let reason = Some(ParseError::to_string(&error));
            return data(&edition, &Verdict { valid: false, status: "invalid", outcode: None, reason });
        }
    };
    let valid = edition.lookup.outcode(outcode).await?.is_some();
    let status = match (valid, edition.advice(&outcode.area())) {
        (true, _) => "live",
        (false, Some(_)) => "not_covered",
        (false, None) => "unknown",
    };
    data(&edition, &Verdict { valid, status, outcode: Some(outcode), reason: None })
}

/// Answers null if there are none, as postcodes.io does.
async fn around(edition: &Edition, query: Option<NearestOutcodes>) -> Outcome {
    let found = match query {
        None => Vec::new(),
        Some(query) => edition.lookup.nearest_outcodes(&query).await?.unwrap_or_default(),
    };
    data(edition, &(!found.is_empty()).then_some(found))
}
