//! `/dataset/info`: edition, source, attribution, size, and extended how complete each field is. Not in postcodes.io.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use postcode_core::DatasetInfo;
use postcode_core::dataset::FieldCoverage;
use postcode_core::wire::Shape;
use postcode_core::wire::path::DATASET_INFO;
use serde::Serialize;

use super::App;
use super::failure::Outcome;
use super::params::Params;
use super::reply::data;

pub(super) fn routes() -> Router<App> {
    Router::new().route(DATASET_INFO, get(info))
}

async fn info(State(app): State<App>, params: Params) -> Outcome {
    let edition = app.edition();
    let fields = match (params.shape(), &edition.file) {
        (Shape::Extended, Some(file)) => Some(file.fields().await?),
        _ => None,
    };
    let signed = edition.verified.and(edition.file.as_ref()).map(|file| file.signature.is_some());
    let verified = edition.verified.map(|verified| verified.name());
    data(&edition, &Described { info: edition.info(), verified, signed, fields })
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
    /// How complete each field is, and where it comes from; extended only.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Vec<FieldCoverage>>,
}
