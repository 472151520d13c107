//! `/jobs/callbacks`: delivered, pending and dead callbacks.

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::super::App;
use super::super::failure::{Failure, Outcome};
use super::super::params::Params;
use super::super::reply::written;
use super::caller::tenant;
use super::view;
use crate::enrich::short;

/// The largest page.
const MOST: usize = 100;
const STATES: [&str; 3] = ["pending", "delivered", "dead"];

#[derive(Serialize)]
struct Page {
    status: u16,
    result: Vec<Value>,
    next: Option<String>,
}

pub(super) async fn list(State(app): State<App>, params: Params, headers: HeaderMap) -> Outcome {
    let tenant = tenant(&headers)?;
    let state = params.get("state");
    if let Some(state) = state.as_deref().filter(|state| !STATES.contains(state)) {
        let text = format!("state: {} is not one of {}", short(state), STATES.join(", "));
        return Err(Failure::bad_request(text));
    }
    let limit = params.get("limit").map_or(Ok(MOST), |text| {
        let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
        number.ok_or_else(|| Failure::bad_request(format!("limit: give a number from 1 to {MOST}")))
    })?;
    let Some(store) = app.jobs.store_if_there().await? else {
        return written(&Page { status: 200, result: Vec::new(), next: None });
    };
    let cursor = params.get("cursor").unwrap_or_default();
    if cursor.chars().any(char::is_control) {
        return Err(Failure::bad_request("cursor: give the `next` of a page as it is"));
    }
    let mut found = store.callbacks(&tenant, state.as_deref(), &cursor, limit as i64 + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    written(&Page { status: 200, result: found.iter().map(view::shown_callback).collect(), next })
}

/// Retries a dead callback.
pub(super) async fn retry(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Outcome {
    let store = app.jobs.store_if_there().await?.ok_or_else(no_such_callback)?;
    match store.revive_callback(&tenant(&headers)?, &id).await? {
        Some(true) => {
            app.jobs.changed(&id);
            view::accepted(serde_json::json!({ "id": id, "state": "pending" }))
        }
        Some(false) => {
            let text = "The callback is not dead: it was delivered, or will be tried again";
            Err(Failure::new(StatusCode::CONFLICT, text, "callback_not_dead"))
        }
        None => Err(no_such_callback()),
    }
}

fn no_such_callback() -> Failure {
    Failure::not_found("There is no such callback", "callback_not_found")
}
