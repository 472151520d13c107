//! How long a request wants to wait for news.

use std::time::Duration;

use super::failure::Failure;
use super::params::Params;
use crate::enrich::short;

/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// `?wait=30s`, or a number of seconds.
pub(super) fn wait(params: &Params) -> Result<Option<Duration>, Failure> {
    let Some(text) = params.get("wait") else { return Ok(None) };
    let seconds = text.parse().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| humantime::parse_duration(&text).ok()).filter(|wait| *wait <= MAX_WAIT);
    let wrong = || format!("wait: {} is not a time up to 60s: write wait=30s", short(&text));
    wait.map(Some).ok_or_else(|| Failure::bad_request(wrong()))
}
