//! `/jobs`: many rows, enriched in the background. Not in postcodes.io.

mod callbacks;
mod result;
mod submit;
mod view;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use postcode_core::ErrorKind;
use postcode_core::wire::path;
use postcode_edge::{ClientKey, Place, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::App;
use super::bulk::no_method;
use super::guard::TENANT;
use super::reply::{Failure, Outcome, json};
use crate::jobs::job::{Job, State as JobState};
use crate::jobs::store::{self, Store};
use crate::jobs::{self, submission};
pub(super) use watch::wait;

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

/// The longest name of a tenant, and the longest key of a request, in bytes.
const MAX_TENANT: usize = 64;
const MAX_KEY: usize = 255;

/// Returns the tenant in the caller's token, or the one that the operator's proxy sets. Callers
/// without a tenant are one tenant. The guard has already checked the header.
fn tenant(headers: &HeaderMap) -> Result<String, Failure> {
    Ok(word(headers, TENANT, MAX_TENANT)?.unwrap_or_default())
}

/// Returns a header that must consist of visible ASCII characters.
fn word(headers: &HeaderMap, name: &str, most: usize) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Failure::bad_request(format!("The header {name} appears more than once. Send it once")));
    }
    let text = value.to_str().unwrap_or_default().trim();
    if (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return Ok(Some(text.to_owned()));
    }
    Err(Failure::bad_request(format!("The header {name} is not of 1 to {most} ASCII characters")))
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

/// Returns the database, if it exists.
async fn there(app: &App) -> Result<Arc<dyn Store>, Failure> {
    app.jobs.store_if_there().await?.ok_or_else(no_such_job)
}

/// Returns a job of the calling tenant.
async fn find(store: &dyn Store, headers: &HeaderMap, id: &str) -> Result<Job, Failure> {
    is_id(id)?;
    store.job(&tenant(headers)?, id).await?.ok_or_else(no_such_job)
}

/// Rejects an id that is not a UUID, without asking the database.
fn is_id(text: &str) -> Result<(), Failure> {
    uuid::Uuid::try_parse(text).map(drop).map_err(|_| no_such_job())
}

fn no_such_job() -> Failure {
    Failure::not_found("There is no such job. It may have expired", "job_not_found")
}

/// Reserves memory for a body that is read whole.
fn memory(bytes: Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, Failure> {
    bytes.try_acquire_many_owned(count).map_err(|_| too_many("uploads of JSON"))
}

/// Takes a place in a pool.
fn place(places: &Pool, client: ClientKey, what: &str) -> Result<Arc<Place>, Failure> {
    places.enter(client).map(Arc::new).map_err(|_| too_many(what))
}

fn too_many(what: &str) -> Failure {
    let text = format!("Too many {what} at once. Try again in a moment");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code()).retryable(Some(1))
}

impl From<jobs::Error> for Failure {
    fn from(error: jobs::Error) -> Self {
        match error {
            jobs::Error::Off => Self::new(
                StatusCode::NOT_IMPLEMENTED,
                "Jobs are switched off on this server",
                ErrorKind::NotSupported.code(),
            ),
            jobs::Error::NoRoom => no_room(),
            jobs::Error::Unavailable(why) => unavailable(&why),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::TooMany { .. } => {
                let text = format!("Too many jobs: {error}. Wait for some to end, or cancel them");
                Self::new(StatusCode::TOO_MANY_REQUESTS, text, "too_many_jobs").retryable(Some(10))
            }
            store::Error::TooManyInAll => {
                let text = format!("Too many jobs: {error}. Try again later");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, text, "too_many_jobs").retryable(Some(30))
            }
            store::Error::Full { .. } | store::Error::TenantFull { .. } => {
                let text =
                    format!("No more rows can be accepted: {error}. Results are cleared when they expire");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, text, "storage_full").retryable(Some(600))
            }
            store::Error::LowDisk => {
                let text = format!("No rows can be accepted: {error}");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, text, "insufficient_storage").retryable(Some(60))
            }
            error if error.is_no_room() => {
                tracing::error!(%error, "jobs can't be stored");
                no_room()
            }
            store::Error::Cleared => {
                Self::bad_request("The rows came too slowly and were cleared. Send them again")
            }
            other => unavailable(&other.to_string()),
        }
    }
}

fn no_room() -> Failure {
    let text = "The disk of the jobs is full: nothing was stored. Try again when there is room";
    Failure::new(StatusCode::INSUFFICIENT_STORAGE, text, "insufficient_storage").retryable(Some(5))
}

/// Builds the error. The cause goes to the log only, because it may name hosts and files.
fn unavailable(why: &str) -> Failure {
    tracing::error!(why, "jobs are not available");
    let text = "Jobs are not available: their database can't be used now. The log says why";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Unavailable.code()).retryable(Some(5))
}

impl From<submission::Error> for Failure {
    fn from(error: submission::Error) -> Self {
        match error {
            submission::Error::Rows(error) => error.into(),
            submission::Error::Store(error) => error.into(),
            submission::Error::TooManyRows(_) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string(), "payload_too_large")
            }
            submission::Error::Recipe(_) => Self::internal(error.to_string()),
        }
    }
}
