//! Labels of metrics that the programs share.

use http::StatusCode;

/// Returns the class of a status, as metrics have it: `2xx`, `3xx`, `4xx` or `5xx`.
pub fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
