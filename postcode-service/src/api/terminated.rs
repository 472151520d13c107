//! `/terminated_postcodes/{postcode}`, and the live postcodes around it.

use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use axum::routing::get;
use postcode_core::wire::{Shape, TerminatedBody, code, path};
use postcode_core::{Answer, PostcodeLookupExt, Record};

use super::failure::{Failure, Outcome};
use super::nearest::{Reach, answer, no_location};
use super::opt_in::extended_only;
use super::params::Params;
use super::reply::{data, records};
use super::syntax::{Reading, read};
use super::view::View;
use super::{App, Edition};

pub(super) fn routes() -> Router<App> {
    let ours =
        Router::new().route(path::TERMINATED_NEAREST, get(nearest)).route_layer(from_fn(extended_only));
    Router::new().route(path::TERMINATED, get(terminated)).merge(ours)
}

async fn find(edition: &Edition, text: &str, shape: Shape) -> Result<Record, Failure> {
    let unknown = || {
        Failure::not_found("Terminated postcode not found", code::TERMINATED_NOT_FOUND)
            .by(&edition.fingerprint)
    };
    let postcode = match read(text, shape) {
        Reading::Postcode(postcode) => postcode,
        Reading::NoSuch => return Err(unknown()),
        Reading::Invalid(error) => return Err(Failure::invalid_postcode(error)),
    };
    match edition.lookup.get(postcode).await? {
        Answer::Terminated(record) => Ok(record),
        Answer::NotCovered => Err(unknown().not_covered(edition.advice_for(postcode))),
        Answer::Live(_) | Answer::Unknown => Err(unknown()),
    }
}

async fn terminated(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    let record = find(&edition, &text, params.shape()).await?;
    match params.shape() {
        Shape::Compatible => data(&edition, &TerminatedBody::from(&record)),
        Shape::Extended => records(&edition, &View::of(&params).record(&record)),
    }
}

/// Lists the live postcodes around it. Not part of postcodes.io.
async fn nearest(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    let record = find(&edition, &text, Shape::Extended).await?;
    let origin = || record.location.ok_or_else(|| no_location(&edition));
    let query = Reach::of(&params, app.limits).around(origin)?;
    answer(&edition, query, &params).await
}
