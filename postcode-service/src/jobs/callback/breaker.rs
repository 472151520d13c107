//! Pauses callbacks to hosts that do not answer. Each attempt takes a place for as long as it may
//! take, and one receiver's host may have thousands of messages.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Attempts in a row without an answer after which a host is left alone.
const THRESHOLD: u32 = 5;
/// The first pause; it doubles each time until the host answers.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// Hosts that are remembered.
const HOSTS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<String, Silence>>);

#[derive(Debug, Default)]
struct Silence {
    failures: u32,
    /// How often it was left alone.
    times: u32,
    until: Option<Instant>,
}

impl Breakers {
    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Silence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how long the host must still be left alone.
    pub(super) fn open(&self, host: &str) -> Option<Duration> {
        let until = self.hosts().get(host)?.until?;
        until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    pub(super) fn answered(&self, host: &str) {
        self.hosts().remove(host);
    }

    /// Records that the host gave no answer. Returns the pause if that was once too often.
    pub(super) fn silent(&self, host: &str) -> Option<Duration> {
        let now = Instant::now();
        let mut hosts = self.hosts();
        if hosts.len() >= HOSTS && !hosts.contains_key(host) {
            hosts.retain(|_, silence| silence.until.is_some_and(|until| until > now));
            if hosts.len() >= HOSTS {
                return None;
            }
        }
        let silence = hosts.entry(host.to_owned()).or_default();
        // Attempts that began before it was left alone say nothing new.
        if silence.until.is_some_and(|until| until > now) {
            return None;
        }
        silence.failures = silence.failures.saturating_add(1);
        if silence.failures < THRESHOLD {
            return None;
        }
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(silence.times)).min(LONGEST);
        silence.times = silence.times.saturating_add(1);
        silence.until = Some(now + pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silent_host_is_left_alone_longer_each_time_until_it_answers() {
        let breakers = Breakers::default();
        for _ in 1..THRESHOLD {
            assert_eq!(breakers.silent("a"), None);
        }
        assert_eq!(breakers.open("a"), None);
        assert_eq!(breakers.silent("a"), Some(FIRST));
        assert_eq!((breakers.open("a"), breakers.open("b")), (Some(FIRST), None));
        assert_eq!(breakers.silent("a"), None, "an attempt that was under way");
        tokio::time::advance(FIRST).await;
        assert_eq!(breakers.open("a"), None);
        assert_eq!(breakers.silent("a"), Some(FIRST * 2), "one attempt is enough now");
        tokio::time::advance(FIRST * 2).await;
        breakers.answered("a");
        assert_eq!(breakers.silent("a"), None);
    }

    #[test]
    fn hosts_beyond_the_limit_are_not_remembered() {
        let breakers = Breakers::default();
        for n in 0..2 * HOSTS {
            breakers.silent(&n.to_string());
        }
        assert!(breakers.hosts().len() <= HOSTS);
    }
}
