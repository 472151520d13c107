//! The time that decides when results expire. It survives a jump of the system clock.

use std::time::Duration;

use tokio::time::Instant;

/// A clock that is corrected in passing is not one that was set.
const JUMP: i64 = 5 * 60 * 1_000;
/// How long the old time continues after a jump: enough for an operator to see the warning and
/// correct the clock, before results expire unread.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// Compares the time of day with the time that has passed. In milliseconds since 1970.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: i64,
    seen: Instant,
    /// How far the clock was set forward, and when it was last.
    ahead: i64,
    set: Option<Instant>,
}

impl Clock {
    pub(crate) fn new(wall: i64) -> Self {
        Self { wall, seen: Instant::now(), ahead: 0, set: None }
    }

    /// Returns the time to use when the system clock shows `wall`.
    pub(crate) fn now(&mut self, wall: i64) -> i64 {
        let now = Instant::now();
        let passed = i64::try_from(now.duration_since(self.seen).as_millis()).unwrap_or(i64::MAX);
        let jump = wall.saturating_sub(self.wall).saturating_sub(passed);
        (self.wall, self.seen) = (wall, now);
        if jump.abs() > JUMP {
            self.ahead = self.ahead.saturating_add(jump).max(0);
            self.set = Some(now);
            let seconds = jump / 1_000;
            tracing::warn!(seconds, "the clock was set: results are cleared by the old time for a day");
        } else if self.ahead > 0 && self.set.is_some_and(|set| now.duration_since(set) >= GRACE) {
            self.ahead = 0;
            tracing::warn!("the clock was set a day ago: results are cleared by the new time from now on");
        }
        wall.saturating_sub(self.ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: i64 = 7 * 24 * 60 * 60 * 1_000;

    #[tokio::test(start_paused = true)]
    async fn clock_set_forward_by_a_week_is_followed_a_day_later() {
        let mut clock = Clock::new(1_000);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(clock.now(31_000), 31_000);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(clock.now(WEEK + 61_000), 61_000, "as if it had not been set");
        tokio::time::advance(GRACE / 2).await;
        let half = GRACE.as_millis() as i64 / 2;
        assert_eq!(clock.now(WEEK + 61_000 + half), 61_000 + half);
        tokio::time::advance(GRACE / 2).await;
        assert_eq!(clock.now(WEEK + 61_000 + 2 * half), WEEK + 61_000 + 2 * half);
    }

    #[tokio::test(start_paused = true)]
    async fn clock_set_forward_and_back_is_right_at_once() {
        let mut clock = Clock::new(0);
        assert_eq!(clock.now(WEEK), 0);
        assert_eq!(clock.now(0), 0);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(clock.now(30_000), 30_000);
        // Only backwards, so that nothing expires too early.
        assert_eq!(clock.now(-WEEK), -WEEK);
    }

    #[tokio::test(start_paused = true)]
    async fn clock_that_is_corrected_a_little_is_followed() {
        let mut clock = Clock::new(0);
        assert_eq!(clock.now(JUMP), JUMP);
    }
}
