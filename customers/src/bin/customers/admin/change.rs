//! The body of `PUT /promotion`.

use axum::extract::Request;
use axum::http::StatusCode;
use customers::server::Problem;
use customers::server::json::{self, Expected, kind};
use postcode_core::layers::Stage;
use serde_json::{Map, Value};

/// Many times what a change takes.
const MAX_BODY: usize = 4096;

#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) stage: Stage,
    /// `None`: as it is.
    pub(super) share: Option<f64>,
}

pub(super) async fn read(request: Request) -> Result<Change, Problem> {
    // The content type is also what makes a browser ask first before it sends this from another site, which is never allowed.
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
    // A typing error in "share" must not move the stage with another share than was meant.
    match object.keys().next() {
        Some(name) => Err(format!("there is no {name:?}: give {FORM}")),
        None => Ok(Change { stage, share }),
    }
}
