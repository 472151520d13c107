//! Counts events in a sliding window of time.

use std::time::Duration;

use tokio::time::Instant;

const SLOTS: u32 = 10;

/// `N` counters over a sliding window of time, in ten slots. Each slot is reset as the window moves
/// past it.
#[derive(Debug)]
pub(super) struct Window<const N: usize> {
    slot: Duration,
    began: Instant,
    counts: [[u32; N]; SLOTS as usize],
    /// The slot that `counts` was last written in, counted from the beginning.
    at: u64,
}

impl<const N: usize> Window<N> {
    pub(super) fn new(length: Duration) -> Self {
        let slot = (length / SLOTS).max(Duration::from_millis(1));
        Self { slot, began: Instant::now(), counts: [[0; N]; SLOTS as usize], at: 0 }
    }

    /// Resets all counters.
    pub(super) fn clear(&mut self) {
        self.counts = [[0; N]; SLOTS as usize];
    }

    /// Adds to the counters and returns their sums over the window.
    pub(super) fn add(&mut self, add: [bool; N]) -> [u32; N] {
        self.add_counts(add.map(u32::from))
    }

    /// Adds counts to the counters and returns their sums over the window.
    pub(super) fn add_counts(&mut self, add: [u32; N]) -> [u32; N] {
        let now = (self.began.elapsed().as_nanos() / self.slot.as_nanos()) as u64;
        for passed in (self.at + 1..=now).take(SLOTS as usize) {
            self.counts[(passed % u64::from(SLOTS)) as usize] = [0; N];
        }
        self.at = now;
        let current = &mut self.counts[(now % u64::from(SLOTS)) as usize];
        for (count, add) in current.iter_mut().zip(add) {
            *count = count.saturating_add(add);
        }
        let mut sums = [0; N];
        for slot in &self.counts {
            for (sum, count) in sums.iter_mut().zip(slot) {
                *sum = u32::saturating_add(*sum, *count);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_window_is_forgotten() {
        let mut window = Window::new(Duration::from_secs(10));
        assert_eq!(window.add([true, false]), [1, 0]);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(window.add([true, true]), [2, 1]);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(window.add([false, false]), [1, 1], "the first is ten seconds old");
        tokio::time::advance(Duration::from_secs(1_000_000)).await;
        assert_eq!(window.add([false, true]), [0, 1]);
        window.clear();
        assert_eq!(window.add([false, false]), [0, 0]);
        assert_eq!(window.add_counts([u32::MAX, 7]), [u32::MAX, 7]);
        assert_eq!(window.add([true, true]), [u32::MAX, 8]);
    }
}
