//! `/postcodes/{postcode}/validate`: yes or no as postcodes.io says it, and with `?extended=true`
//! why.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use postcode_core::wire::Shape;
use postcode_core::wire::path;
use postcode_core::{PostcodeLookupExt, Validity};
use serde::Serialize;

use super::App;
use super::failure::Outcome;
use super::params::Params;
use super::reply::data;
use super::syntax::{Reading, read};
use crate::meant::hint;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::POSTCODE_VALIDATE, get(validate))
}

/// The result of validating a postcode.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    valid: bool,
    status: &'static str,
    /// The normalised form, if it is valid.
    postcode: Option<String>,
    /// Why it is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<&Validity> for Verdict {
    fn from(validity: &Validity) -> Self {
        Self {
            valid: validity.is_live(),
            status: validity.status(),
            postcode: validity.postcode().map(|postcode| postcode.to_string()),
            reason: match validity {
                Validity::Invalid(error) => Some(error.to_string()),
                Validity::Unknown(postcode) => hint(*postcode),
                _ => None,
            },
        }
    }
}

async fn validate(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let edition = app.edition();
    if params.shape() == Shape::Extended {
        let validity = edition.lookup.validate_all(&[&text]).await?;
        return data(&edition, &validity.first().map(Verdict::from));
    }
    let live = match read(&text, Shape::Compatible) {
        Reading::Postcode(postcode) => edition.lookup.get(postcode).await?.is_live(),
        Reading::NoSuch | Reading::Invalid(_) => false,
    };
    data(&edition, &live)
}
