//! `/ping`: the process answers. `/ready`: it wants requests, and can store jobs if it keeps any.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::header::ETAG;
use http::{HeaderValue, StatusCode};
use postcode_core::ErrorKind;
use postcode_core::dataset::Verify;
use postcode_core::wire::path;
use serde::Serialize;

use super::App;
use super::failure::{Failure, Outcome};
use super::reply::{json, written};

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::PING, get(ping)).route(path::READY, get(ready))
}

/// The tag that Express computes from this constant body.
const PONG: HeaderValue = HeaderValue::from_static("W/\"1e-BL4KfOLj1GQI2sBRLFfz/qTaxxI\"");

async fn ping() -> Outcome {
    let mut response = json(&"pong")?;
    response.headers_mut().insert(ETAG, PONG);
    Ok(response)
}

async fn ready(State(app): State<App>) -> Outcome {
    if !app.ready.load(Ordering::Relaxed) {
        return Err(not_ready("Service not ready. It is shutting down"));
    }
    // The log says why.
    if app.jobs.ready().await.is_err() {
        return Err(not_ready("Service not ready. Jobs can't be stored. Lookups are answered"));
    }
    is_ready(&app)
}

fn not_ready(text: &'static str) -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Unavailable.code()).retryable(Some(1))
}

/// Answers `/ready`, and reports if the data was never checked.
fn is_ready(app: &App) -> Outcome {
    #[derive(Serialize)]
    struct Ready {
        status: u16,
        result: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        verify: Option<&'static str>,
    }
    let verify = app.edition().verified.filter(|verified| *verified == Verify::Off).map(Verify::name);
    written(&Ready { status: 200, result: "Ready", verify })
}
