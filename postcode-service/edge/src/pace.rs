//! How slow a client may be.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// An account of time. A client may delay us for the grace time in all. Bytes that move earn it
/// time again, as much as they take at the least speed. So a client that stops is found after the
/// grace time, and so is one that trickles.
///
/// The least speed doubles with each minute, up to [`RISES`] times, so that no client keeps a place
/// for days.
#[derive(Debug)]
pub(crate) struct Pace {
    grace: Duration,
    /// Bytes a second; 0 for any speed.
    least: u64,
    left: Duration,
    began: Instant,
    waiting: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// How often the least speed doubles: to 64 times.
const RISES: u32 = 6;
const RISE: Duration = Duration::from_secs(60);

impl Pace {
    pub(crate) fn new(grace: Duration, least: u64) -> Self {
        Self { grace, least, left: grace, began: Instant::now(), waiting: None, timer: None }
    }

    /// Resets the account.
    pub(crate) fn restart(&mut self) {
        (self.left, self.began, self.waiting) = (self.grace, Instant::now(), None);
    }

    /// Bytes have moved.
    pub(crate) fn moved(&mut self, bytes: usize) {
        let now = Instant::now();
        if let Some(since) = self.waiting.take() {
            self.left = self.left.saturating_sub(now - since);
        }
        let rises = u32::try_from((now - self.began).as_secs() / RISE.as_secs()).unwrap_or(RISES).min(RISES);
        let earned = match self.least << rises {
            0 => self.grace,
            speed => Duration::from_secs_f64(bytes as f64 / speed as f64),
        };
        self.left = (self.left + earned).min(self.grace);
    }

    /// Called while the client delays us. Ready if it has done so for too long.
    pub(crate) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let due = match self.waiting {
            Some(_) => None,
            None => {
                let now = Instant::now();
                self.waiting = Some(now);
                Some(now + self.left)
            }
        };
        let timer = match (&mut self.timer, due) {
            (Some(timer), Some(due)) => {
                timer.as_mut().reset(due);
                timer
            }
            (Some(timer), None) => timer,
            (none, due) => none.insert(Box::pin(sleep_until(due.unwrap_or_else(Instant::now)))),
        };
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const GRACE: Duration = Duration::from_secs(10);

    /// Returns how long a client is tolerated that sends that many bytes at a time, with a pause
    /// before each.
    async fn kept(bytes: usize, pause: Duration, most: u32) -> Option<Duration> {
        let mut pace = Pace::new(GRACE, 1024);
        let began = Instant::now();
        for _ in 0..most {
            tokio::select! {
                () = poll_fn(|cx| pace.poll_late(cx)) => return Some(began.elapsed()),
                () = tokio::time::sleep(pause) => {}
            }
            pace.moved(bytes);
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_trickles_loses_its_place_after_the_grace_time() {
        let late = kept(1, Duration::from_secs(1), 1000).await.unwrap();
        assert!((GRACE..GRACE * 2).contains(&late), "{late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn client_at_the_least_speed_loses_its_place_when_the_speed_has_risen() {
        let late = kept(1024, Duration::from_secs(1), 1000).await.unwrap();
        assert!((RISE..RISE * 2).contains(&late), "{late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn fast_client_keeps_its_place() {
        assert_eq!(kept(128 * 1024, Duration::from_secs(1), 3_600).await, None);
    }
}
