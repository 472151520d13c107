//! `/jobs`: many rows, enriched in the background. Not in postcodes.io.

mod callbacks;
mod caller;
mod json;
mod refusal;
mod result;
mod room;
mod submit;
mod view;
mod watch;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use postcode_core::wire::path;

use super::App;
use super::failure::{Failure, Outcome};
use super::fallback::no_method;
use super::reply::json;
use crate::jobs::job::State as JobState;
use caller::{is_id, no_such_job, tenant, there};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::JOBS, post(submit::submit))
        .route(path::JOB, get(watch::job).delete(cancel))
        .route(path::JOB_EVENTS, get(watch::events))
        .route(path::JOB_RESULT, get(result::result))
        .route(path::CALLBACKS, get(callbacks::list))
        .route(path::CALLBACK_RETRY, post(callbacks::retry))
        // So that a method that is not there, and the preflight of one, is as private as the
        // others.
        .method_not_allowed_fallback(no_method)
}

async fn cancel(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Outcome {
    let store = there(&app).await?;
    is_id(&id)?;
    let job = store.cancel(&tenant(&headers)?, &id).await?.ok_or_else(no_such_job)?;
    app.jobs.changed(&id);
    if job.state != JobState::Cancelled {
        let text = format!("The job has {} and can't be cancelled", job.state);
        return Err(Failure::new(StatusCode::CONFLICT, text, "job_ended"));
    }
    json(&view::of(&app, &*store, &job).await?)
}
