//! `/dataset/info`: edition, source, attribution, size. Not in postcodes.io.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use postcode_core::wire::path::DATASET_INFO;

use super::App;
use super::reply::{Outcome, data};

pub(super) fn routes() -> Router<App> {
    Router::new().route(DATASET_INFO, get(info))
}

async fn info(State(app): State<App>) -> Outcome {
    let edition = app.edition();
    data(&edition, edition.info())
}
