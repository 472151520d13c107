//! `/scotland/postcodes/{postcode}`.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use postcode_core::wire::{Shape, code, path};
use postcode_core::{Answer, PostcodeLookupExt};

use super::failure::{Failure, Outcome};
use super::params::Params;
use super::reply::data;
use super::syntax::{Reading, read};
use super::{App, postcode};

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::SCOTTISH_POSTCODE, get(scottish))
}

async fn scottish(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    let asked = match read(&text, params.shape()) {
        Reading::Postcode(postcode) => postcode,
        Reading::NoSuch => return Err(postcode::unknown().by(&edition.fingerprint)),
        Reading::Invalid(error) => return Err(Failure::invalid_postcode(error)),
    };
    if let Some(entry) = edition.lookup.scottish_postcode(asked).await? {
        return match params.shape() {
            Shape::Extended => data(&edition, &entry),
            Shape::Compatible => data(&edition, &entry.compatible()),
        };
    }
    match edition.lookup.get(asked).await? {
        Answer::Live(_) => {
            let text = "Postcode exists in ONSPD but not in SPD";
            Err(Failure::not_found(text, code::NOT_SCOTTISH).by(&edition.fingerprint))
        }
        Answer::NotCovered => {
            Err(postcode::unknown().by(&edition.fingerprint).not_covered(edition.advice_for(asked)))
        }
        Answer::Terminated(_) | Answer::Unknown => Err(postcode::unknown().by(&edition.fingerprint)),
    }
}
