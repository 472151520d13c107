//! The limits of a guard as text.

use std::str::FromStr;
use std::time::Duration;

use super::limits::Guard;
use super::plan::Step;
use crate::{Error, Result};

/// The units of a time, the longer names first.
const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Reads `on` for the defaults, or limits such as
/// `errors=5%,mismatches=1%,slow=500ms,slow_share=5%,rise=0.1%,slower=250ms,quantile=95%,chance=1%,window=30s,min_calls=20`. Limits that
/// are left out keep their default.
///
/// ```
/// use postcode_core::layers::Guard;
///
/// let guard: Guard = "errors=2%,min_calls=5".parse()?;
/// assert_eq!((guard.max_errors, guard.min_calls, guard.max_slow), (0.02, 5, 0.05));
/// # Ok::<(), postcode_core::Error>(())
/// ```
impl FromStr for Guard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut guard = Self::default();
        if text == "on" {
            return Ok(guard);
        }
        for limit in text.split(',') {
            let (name, value) = limit.split_once('=').unwrap_or((limit, ""));
            let (name, value) = (name.trim(), value.trim());
            let wrong = |error: Error| Error::invalid(format!("{name}={value}: {error}"));
            match name {
                "errors" => guard.max_errors = Step::share(value).map_err(wrong)?,
                "mismatches" => guard.max_mismatches = Step::share(value).map_err(wrong)?,
                "slow" => guard.slow = time(value).map_err(wrong)?,
                "slow_share" => guard.max_slow = Step::share(value).map_err(wrong)?,
                "rise" => guard.max_rise = Step::share(value).map_err(wrong)?,
                "slower" => guard.max_slower = time(value).map_err(wrong)?,
                "quantile" => guard.quantile = Step::share(value).map_err(wrong)?,
                "chance" => guard.chance = Step::share(value).map_err(wrong)?,
                "window" => guard.window = time(value).map_err(wrong)?,
                "min_calls" => {
                    let calls = value.parse().ok().filter(|calls| *calls > 0);
                    guard.min_calls = calls.ok_or_else(|| wrong(Error::invalid("give a number from 1")))?;
                }
                other => {
                    return Err(Error::invalid(format!(
                        "{other:?}: give on, off, or a list of errors, mismatches, slow, slow_share, rise, slower, \
                         quantile, chance, window, min_calls"
                    )));
                }
            }
        }
        if !(0.01..=0.999).contains(&guard.quantile) {
            return Err(Error::invalid("quantile: give 1% to 99.9%, such as 95%"));
        }
        if guard.chance == 0.0 {
            return Err(Error::invalid("chance: give more than 0%, such as 1%"));
        }
        Ok(guard)
    }
}

/// The guard of an option of a program: `off` for none, else what a [`Guard`] is read from.
///
/// ```
/// use postcode_core::layers::{Guard, Guarding};
///
/// assert_eq!("on".parse::<Guarding>()?, Guarding(Some(Guard::default())));
/// assert_eq!("off".parse::<Guarding>()?, Guarding(None));
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guarding(pub Option<Guard>);

impl FromStr for Guarding {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "off" { Ok(Self(None)) } else { text.parse().map(|guard| Self(Some(guard))) }
    }
}

/// Reads a time from a millisecond to an hour.
fn time(text: &str) -> Result<Duration> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let digits = number.trim_end().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = number.trim_end().parse::<f64>().ok().filter(|_| digits);
    number
        .zip(unit)
        .and_then(|(number, (_, seconds))| Duration::try_from_secs_f64(number * seconds).ok())
        .filter(|time| (Duration::from_millis(1)..=Duration::from_secs(3600)).contains(time))
        .ok_or_else(|| Error::invalid("give a time from 1ms to 1h, such as 500ms or 2s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_wrong_ones_say_what_to_write() {
        assert_eq!("on".parse::<Guard>().unwrap(), Guard::default());
        let guard: Guard =
            "errors=2%, slow=20ms,min_calls=5,window=1.5m,rise=0.005,chance=0.1%,slower=1s,quantile=99%"
                .parse()
                .unwrap();
        assert_eq!((guard.max_errors, guard.slow, guard.min_calls), (0.02, Duration::from_millis(20), 5));
        assert_eq!((guard.max_rise, guard.chance, guard.window), (0.005, 0.001, Duration::from_secs(90)));
        assert_eq!((guard.max_slower, guard.quantile), (Duration::from_secs(1), 0.99));
        assert_eq!(guard.max_mismatches, Guard::default().max_mismatches);
        for (text, says) in [
            ("", "give on, off, or a list"),
            ("error=1%", "\"error\""),
            ("errors=5", "errors=5: give 0% to 100%"),
            ("slow=fast", "slow=fast"),
            ("slow=0ms", "1ms to 1h"),
            ("slow=1e3s", "1ms to 1h"),
            ("window=2h", "1ms to 1h"),
            ("min_calls=0", "from 1"),
            ("chance=0%", "more than 0%"),
            ("quantile=100%", "1% to 99.9%"),
            ("slower=2h", "1ms to 1h"),
        ] {
            let error = text.parse::<Guard>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn guards_are_on_off_or_limits() {
        let guard = |text: &str| text.parse::<Guarding>();
        assert_eq!(guard("on").unwrap(), Guarding(Some(Guard::default())));
        assert_eq!(guard("off").unwrap(), Guarding(None));
        let Guarding(Some(some)) = guard("rise=0.5%,chance=0.1%").unwrap() else { panic!() };
        assert_eq!((some.max_rise, some.chance), (0.005, 0.001));
        let Guarding(Some(some)) = guard("errors=2%, slow=20ms,min_calls=5").unwrap() else { panic!() };
        assert_eq!((some.max_errors, some.slow, some.min_calls), (0.02, Duration::from_millis(20), 5));
        assert_eq!(some.max_mismatches, Guard::default().max_mismatches);
        for (text, says) in [
            ("", "give on, off, or a list"),
            ("error=1%", "\"error\""),
            ("errors=5", "errors=5: give 0% to 100%"),
            ("slow=fast", "slow=fast"),
            ("min_calls=0", "from 1"),
            ("chance=0%", "more than 0%"),
        ] {
            assert!(guard(text).unwrap_err().to_string().contains(says), "{text}");
        }
    }
}
