//! How long a request may take.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use postcode_core::ErrorKind;
use postcode_core::wire::DEADLINE_HEADER;

use crate::api::Failure;

/// Returns the server's limit, or the caller's if that is shorter.
///
/// # Errors
/// 504 if the caller has stopped waiting, 400 if the header is not a number of milliseconds.
pub(super) fn of(headers: &HeaderMap, limit: Duration) -> Result<Duration, Failure> {
    let Some(header) = headers.get(DEADLINE_HEADER) else { return Ok(limit) };
    let millis = header.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
    match millis {
        Some(0) => Err(passed()),
        Some(millis) => Ok(limit.min(Duration::from_millis(millis))),
        None => Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "postcode-deadline-ms is not a number of milliseconds: send one, such as 250",
            ErrorKind::InvalidInput.code(),
        )),
    }
}

/// Builds the error for a deadline that passed before or during the work.
pub(super) fn passed() -> Failure {
    let text = "The request's deadline has passed";
    Failure::new(StatusCode::GATEWAY_TIMEOUT, text, ErrorKind::Timeout.code()).retryable(None)
}
