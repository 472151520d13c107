//! Rate limits by key, in bounded memory.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// A rate limit with a burst: `100/s`, `600/m`, `100/s:500`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Option<Quota>);

impl Rate {
    /// Creates a rate limit from a number a second and a burst.
    pub const fn per_second(many: NonZeroU32, burst: NonZeroU32) -> Self {
        Self(Some(Quota::per_second(many).allow_burst(burst)))
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self(None));
        }
        let parse = || {
            let (rate, burst) = match text.split_once(':') {
                Some((rate, burst)) => (rate, Some(burst.trim().parse::<NonZeroU32>().ok()?)),
                None => (text, None),
            };
            let (many, unit) = rate.split_once('/')?;
            let many = many.trim().parse::<NonZeroU32>().ok()?;
            let seconds = match unit.trim() {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            let every = Duration::from_secs(seconds) / many.get();
            Some(Self(Some(Quota::with_period(every)?.allow_burst(burst.unwrap_or(many)))))
        };
        parse().ok_or_else(|| {
            format!("{text:?} is not a rate: write one such as 100/s, 600/m, 100/s:500 (500 at once), or off")
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("off"),
            Some(quota) => {
                let every = quota.replenish_interval().as_secs_f64();
                write!(f, "{:.0}/m:{}", 60.0 / every, quota.burst_size())
            }
        }
    }
}

/// The most cells in which keys are counted. Two keys in one cell share its rate, which is rare
/// with fewer than some ten thousand clients, and no flood of keys makes the memory grow.
const CELLS: u64 = 1 << 16;
/// The number of checks between two sweeps for unused cells.
const SWEEP: u32 = 1 << 16;

/// A rate limit for each key.
#[derive(Debug)]
pub(crate) struct RateLimits {
    limiter: DefaultKeyedRateLimiter<u16>,
    clock: DefaultClock,
    hasher: RandomState,
    checks: AtomicU32,
}

impl RateLimits {
    pub(crate) fn new(rate: Rate) -> Option<Self> {
        let limiter = RateLimiter::keyed(rate.0?);
        let (clock, hasher) = (DefaultClock::default(), RandomState::new());
        Some(Self { limiter, clock, hasher, checks: AtomicU32::new(0) })
    }

    /// # Errors
    /// How long to wait.
    pub(crate) fn check(&self, key: &impl Hash) -> Result<(), Duration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        let cell = u16::try_from(self.hasher.hash_one(key) % CELLS).unwrap_or_default();
        self.limiter.check_key(&cell).map_err(|not_yet| not_yet.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_or_the_error_shows_one() {
        for (text, shown) in
            [("100/s", "6000/m:100"), ("600/m", "600/m:600"), ("2/s:9", "120/m:9"), ("off", "off")]
        {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), shown);
        }
        for text in ["", "100", "0/s", "-1/s", "1/d", "1/s:", "1/s:0"] {
            assert!(text.parse::<Rate>().unwrap_err().contains("100/s"), "{text}");
        }
    }

    #[test]
    fn each_key_has_its_rate_and_a_flood_of_keys_takes_no_more_memory() {
        let limits = RateLimits::new("1/h:2".parse().unwrap()).unwrap();
        assert!(limits.check(&"a").is_ok() && limits.check(&"a").is_ok());
        let wait = limits.check(&"a").unwrap_err();
        assert!(wait > Duration::from_secs(3000) && wait <= Duration::from_secs(3600), "{wait:?}");
        for key in 0..200_000 {
            let _ = limits.check(&key);
        }
        assert!(limits.limiter.len() <= 1 << 16);
        assert!(limits.check(&"a").is_err(), "the flood did not push it out");
    }
}
