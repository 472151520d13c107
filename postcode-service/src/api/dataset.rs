//! `/dataset/info`: edition, source, attribution, size. Not in postcodes.io.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use postcode_core::DatasetInfo;
use postcode_core::wire::path::DATASET_INFO;
use serde::Serialize;

use super::App;
use super::reply::{Outcome, data};

pub(super) fn routes() -> Router<App> {
    Router::new().route(DATASET_INFO, get(info))
}

async fn info(State(app): State<App>) -> Outcome {
    let edition = app.edition();
    let signed = edition.verified.and(edition.file.as_ref()).map(|file| file.signature.is_some());
    let verified = edition.verified.map(|verified| verified.name());
    data(&edition, &Described { info: edition.info(), verified, signed })
}

#[derive(Serialize)]
struct Described<'a> {
    #[serde(flatten)]
    info: &'a DatasetInfo,
    /// `full`, `checksums` or `off`: how much of the data was checked before it was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
}
