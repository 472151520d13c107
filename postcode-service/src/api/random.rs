//! `/random/postcodes`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use postcode_core::Outcode;
use postcode_core::wire::path;

use super::App;
use super::failure::Outcome;
use super::params::{Params, is_space};
use super::reply::{uncached, uncached_records};
use super::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::RANDOM, get(random))
}

async fn random(State(app): State<App>, params: Params) -> Outcome {
    let edition = app.edition();
    let outcode = match params.get("outcode") {
        None => None,
        Some(text) => {
            let compact: String = text.chars().filter(|c| !is_space(*c)).collect();
            match compact.parse::<Outcode>() {
                Ok(outcode) => Some(outcode),
                // postcodes.io answers null to an invalid outcode.
                Err(_) => return uncached(&edition, &()),
            }
        }
    };
    let record = edition.lookup.random(outcode).await?;
    let view = View::of(&params);
    uncached_records(&edition, &record.as_ref().map(|record| view.record(record)))
}
