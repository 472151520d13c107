//! Times as options give them.

use std::time::Duration;

/// Parses a duration such as `500ms`, `2s` or `1m`, from a millisecond to an hour.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let time: jiff::SignedDuration =
        text.parse().map_err(|error| format!("{error}; give one such as 500ms or 2s"))?;
    match Duration::try_from(time) {
        Ok(time) if (Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&time) => Ok(time),
        _ => Err("out of range: give 1ms to 1h".into()),
    }
}
