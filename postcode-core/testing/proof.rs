//! Proofs that are stronger the longer they run.

use std::time::{Duration, Instant};

/// A test that repeats something: always a small number of times, and more if there is time.
///
/// Without any variable it runs the small number. A variable such as `POSTCODE_TEST_KILLS` sets the
/// number to run. With `POSTCODE_TEST_SECONDS` it continues after the small number until that time
/// has passed or the full size is reached.
#[derive(Debug)]
pub struct Proof {
    what: &'static str,
    least: u64,
    full: u64,
    until: Option<Instant>,
    began: Instant,
    done: u64,
    /// When the last step of a growing proof began.
    step: Instant,
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value:?}: give a number")))
}

impl Proof {
    /// Begins a proof. `what` names the things that are counted.
    pub fn new(what: &'static str, variable: &str, small: u64, full: u64) -> Self {
        let (given, seconds) = (number(variable), number("POSTCODE_TEST_SECONDS"));
        let began = Instant::now();
        let full = given.unwrap_or(full);
        let least = if seconds.is_none() && given.is_some() { full } else { small.min(full) };
        let until = seconds.map(|seconds| began + Duration::from_secs(seconds));
        Self { what, least, full, until, began, done: 0, step: began }
    }

    fn left(&self) -> Duration {
        self.until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }

    /// Returns whether to run it once more.
    pub fn goes_on(&mut self) -> bool {
        let more = self.done < self.least || (self.done < self.full && !self.left().is_zero());
        self.done += u64::from(more);
        more
    }

    /// Returns the next size, for work that starts again at each size: first the small one, then
    /// sizes that should fit in the remaining time, judged by the last one.
    pub fn grow(&mut self) -> Option<u64> {
        let took = self.step.elapsed();
        let next = match self.done {
            0 => self.least,
            done => {
                let times = self.left().div_duration_f64(took.max(Duration::from_millis(1)));
                // Leaves some time unused, and avoids a step for little gain.
                if times < 3.0 || done >= self.full {
                    return None;
                }
                ((done as f64 * (times * 0.7).min(10.0)) as u64).min(self.full)
            }
        };
        (self.done, self.step) = (next, Instant::now());
        Some(next)
    }

    /// Reports which size ran.
    pub fn end(self) {
        let Self { what, done, full, began, .. } = self;
        crate::say(&format!("proof: {done} of {full} {what} in {:.0?}", began.elapsed()));
    }
}
