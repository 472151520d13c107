//! Times on the command line.

use std::time::Duration;

/// Parses a duration of up to a day.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let time = humantime::parse_duration(text).map_err(|e| format!("{e}: write 10s, 500ms or 2m"))?;
    if time <= LONGEST { Ok(time) } else { Err("give at most 24h".to_owned()) }
}

/// Parses a duration of up to a year.
pub(super) fn long_time(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    let time = humantime::parse_duration(text).map_err(|e| format!("{e}: write 7d, 12h or 30m"))?;
    if time <= LONGEST { Ok(time) } else { Err("give at most 366d".to_owned()) }
}

/// Parses a duration of up to a day, and not of nothing.
pub(super) fn positive(text: &str) -> Result<Duration, String> {
    time(text).and_then(|time| if time.is_zero() { Err("give more than 0s".to_owned()) } else { Ok(time) })
}
