//! `/openapi.json` and `/docs`: the description of the API, for programs and for people.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use postcode_edge::reference;
use serde_json::Value;

use super::problem::Problem;
use super::{Answer, App};

/// Returns the routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/openapi.json", get(openapi)).route("/docs", get(docs))
}

/// Returns the OpenAPI 3.1 document.
fn document() -> Answer<&'static Value> {
    static DOCUMENT: LazyLock<Option<Value>> = LazyLock::new(|| {
        let mut document: Value = serde_json::from_str(include_str!("openapi.json")).ok()?;
        document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
        Some(document)
    });
    DOCUMENT.as_ref().ok_or_else(|| {
        let detail = "the description of the API could not be made";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "description_failed", detail)
    })
}

async fn openapi() -> Answer<Response> {
    Ok(([(CONTENT_TYPE, "application/json")], Json(document()?)).into_response())
}

async fn docs() -> Answer<Response> {
    let page = reference::page(document()?, "./", &[]);
    let headers = [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, reference::POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ];
    Ok((headers, Html(page)).into_response())
}
