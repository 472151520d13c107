//! Errors of jobs as failures of the API.

use http::StatusCode;
use postcode_core::ErrorKind;

use crate::api::failure::Failure;
use crate::jobs::store;
use crate::jobs::{self, submission};

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
            store::Error::TooMany { .. }
            | store::Error::TooManyOfAddress { .. }
            | store::Error::JobsShareTaken { .. } => {
                let text = format!("Too many jobs: {error}. Wait for some to end, or cancel them");
                Self::new(StatusCode::TOO_MANY_REQUESTS, text, "too_many_jobs").retryable(Some(10))
            }
            store::Error::TooManyInAll => {
                let text = format!("Too many jobs: {error}. Try again later");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, text, "too_many_jobs").retryable(Some(30))
            }
            store::Error::Full { .. }
            | store::Error::TenantFull { .. }
            | store::Error::BytesShareTaken { .. } => {
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
