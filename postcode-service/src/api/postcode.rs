//! `/postcodes/{postcode}`: lookup and autocomplete.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use postcode_core::wire::{ORDER, ORDER_PREFIX, Shape, code, path};
use postcode_core::{Answer, Postcode};

use super::failure::{Failure, Outcome};
use super::params::Params;
use super::reply::{data, records};
use super::syntax::{Reading, read};
use super::view::View;
use super::{App, Edition, search};
use crate::meant::hint;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::POSTCODE, get(lookup)).route(path::POSTCODE_AUTOCOMPLETE, get(autocomplete))
}

/// "Postcode not found".
pub(super) fn unknown() -> Failure {
    Failure::not_found("Postcode not found", code::POSTCODE_NOT_FOUND)
}

async fn lookup(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let shape = params.shape();
    let edition = app.edition();
    let postcode = match read(&text, shape) {
        Reading::Postcode(postcode) => postcode,
        Reading::NoSuch => return Err(unknown().by(&edition.fingerprint)),
        Reading::Invalid(error) => return Err(Failure::invalid_postcode(error)),
    };
    outcome(&edition, postcode, edition.lookup.lookup_one(postcode).await?, &View::of(&params))
}

/// Builds the response to the answer of a lookup.
pub(super) fn outcome(edition: &Edition, postcode: Postcode, answer: Answer, view: &View) -> Outcome {
    match answer {
        Answer::Live(record) => records(edition, &view.record(&record)),
        Answer::Terminated(record) => Err(unknown().by(&edition.fingerprint).terminated(record, view.shape)),
        Answer::Unknown => {
            let failure = unknown().by(&edition.fingerprint);
            // The answers of postcodes.io stay as they are.
            let hint = (view.shape == Shape::Extended).then(|| hint(postcode)).flatten();
            Err(match hint {
                Some(hint) => failure.advise(hint),
                None => failure,
            })
        }
        Answer::NotCovered => {
            Err(unknown().by(&edition.fingerprint).not_covered(edition.advice_for(postcode)))
        }
    }
}

async fn autocomplete(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    let limit = params.search_limit();
    if params.first(ORDER) == Some(ORDER_PREFIX) {
        let postcodes = edition.lookup.autocomplete(&text, limit).await?;
        return data(&edition, &(!postcodes.is_empty()).then_some(postcodes));
    }
    let records = search::find(&edition, &text, limit).await?;
    let postcodes: Vec<_> = records.iter().map(|record| record.postcode).collect();
    data(&edition, &(!postcodes.is_empty()).then_some(postcodes))
}
