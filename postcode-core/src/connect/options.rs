//! Options of a service's URL that configure the layers around its client.

use crate::layers::{BreakerConfig, HedgeAfter, Resilience};
use crate::remote::config::{duration, number, parse_duration, parse_number};
use crate::{Error, MAX_BATCH, Result};

/// The names of these options.
pub(super) const LAYERS: [&str; 7] =
    ["breaker", "bulkhead", "hedge", "join", "single_flight", "cache", "cache_ttl"];

/// The most calls that may run at once.
const MAX_CALLS: usize = 100_000;
/// 64 GiB.
const MAX_CACHE: usize = 64 << 30;

/// Sets one of [`LAYERS`] from its text in a URL.
pub(super) fn set_layer(layers: &mut Resilience, name: &str, value: &str) -> Result<()> {
    match name {
        "breaker" => layers.breaker = unless_off(value, |value| breaker(name, value))?,
        "bulkhead" => {
            layers.bulkhead =
                unless_off(value, |value| number(name, parse_number(name, value)?, 1..=MAX_CALLS))?;
        }
        "hedge" => layers.hedge = unless_off(value, |value| hedge(name, value))?,
        "join" => {
            layers.join = unless_off(value, |value| number(name, parse_number(name, value)?, 2..=MAX_BATCH))?;
        }
        "single_flight" => {
            layers.single_flight = match value {
                "on" => true,
                "off" => false,
                _ => return Err(Error::invalid(format!("{name}={value:?}: give on or off"))),
            }
        }
        "cache" => {
            layers.cache = unless_off(value, |value| {
                Ok(number(name, parse_number(name, value)?, 1024..=MAX_CACHE)? as u64)
            })?;
        }
        _ => layers.cache_ttl = duration(name, parse_duration(name, value)?)?,
    }
    Ok(())
}

fn unless_off<T>(value: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
    if value == "off" { Ok(None) } else { parse(value).map(Some) }
}

/// Parses `5`, the failures in a row, or `5/1s`, which adds how long the breaker stays open.
fn breaker(name: &str, value: &str) -> Result<BreakerConfig> {
    let (failures, away) = match value.split_once('/') {
        Some((failures, away)) => (failures, Some(away)),
        None => (value, None),
    };
    let failures = failures.parse().map_err(|_| {
        Error::invalid(format!("{name}={value:?}: give off, failures in a row such as 5, or 5/1s"))
    })?;
    let usual = BreakerConfig::default();
    Ok(BreakerConfig {
        // At most 1000, so it fits.
        consecutive: number(name, failures, 1..=1000)? as u32,
        open_for: match away {
            Some(away) => duration(name, parse_duration(name, away)?)?,
            None => usual.open_for,
        },
        ..usual
    })
}

/// Parses `30ms`, or `p95`, a quantile of the previous calls.
fn hedge(name: &str, value: &str) -> Result<HedgeAfter> {
    let Some(percent) = value.strip_prefix('p') else {
        return Ok(HedgeAfter::Fixed(duration(name, parse_duration(name, value)?)?));
    };
    match percent.parse::<f64>() {
        Ok(percent) if (50.0..100.0).contains(&percent) => Ok(HedgeAfter::Quantile(percent / 100.0)),
        _ => Err(Error::invalid(format!("{name}={value:?}: give off, a time such as 30ms, or p50 to p99.9"))),
    }
}
