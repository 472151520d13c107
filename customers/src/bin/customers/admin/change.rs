//! The body of `PUT /promotion`.

use axum::extract::Request;
use axum::http::StatusCode;
use customers::server::Problem;
use customers::server::json::{self, Expected, kind};
use postcode_core::layers::Stage;
use serde_json::{Map, Value};

/// The largest body, in bytes: many times the size of a valid one.
const MAX_BODY: usize = 4096;

#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) stage: Stage,
    /// The new share. `None` leaves it as it is.
    pub(super) share: Option<f64>,
}

pub(super) async fn read(request: Request) -> Result<Change, Problem> {
    // Browsers send this content type to another site only after a preflight request, and this
    // listener never allows one.
    let expected =
        Expected { types: &["application/json"], max: MAX_BODY, code: "invalid_promotion", form: FORM };
    let object = json::object(request, expected).await?;
    parse(object)
        .map_err(|detail| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_promotion", detail))
}

const FORM: &str = r#"an object such as {"stage":"shadow","share":0.1}"#;

fn parse(mut object: Map<String, Value>) -> Result<Change, String> {
    let stage = match object.remove("stage") {
        Some(Value::String(name)) => name.parse().map_err(|error: postcode_core::Error| error.to_string())?,
        Some(other) => return Err(format!("stage is {}: give {FORM}", kind(&other))),
        None => return Err(format!("stage is missing: give {FORM}")),
    };
    let share = match object.remove("share") {
        None | Some(Value::Null) => None,
        Some(Value::Number(share)) => share.as_f64(),
        Some(other) => return Err(format!("share is {}: give a number from 0 to 1", kind(&other))),
    };
    // A typing error in "share" must not change the stage with an unintended share.
    match object.keys().next() {
        Some(name) => Err(format!("{name:?} is not a field: give {FORM}")),
        None => Ok(Change { stage, share }),
    }
}
