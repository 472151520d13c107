//! Proofs that are better the longer they go on.

use std::time::{Duration, Instant};

/// A test that repeats something: a small number of times always, and up to its full size as long as there is time.
///
/// Without any variable it does the small number. A variable of its own, such as `POSTCODE_TEST_KILLS`, sets the full
/// size, which is then done. With `POSTCODE_TEST_SECONDS` it goes on from the small number until so many seconds are
/// over or the full size is done.
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
    /// Begins one. `what` says what is counted.
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

    /// Whether to do it once more.
    pub fn goes_on(&mut self) -> bool {
        let more = self.done < self.least || (self.done < self.full && !self.left().is_zero());
        self.done += u64::from(more);
        more
    }

    /// The next size, for what is done anew at each size: the small one, then sizes that should be done in the time
    /// left, by the time that the last one took.
    pub fn grow(&mut self) -> Option<u64> {
        let took = self.step.elapsed();
        let next = match self.done {
            0 => self.least,
            done => {
                let times = self.left().div_duration_f64(took.max(Duration::from_millis(1)));
                // Not quite all of the time, and not one step for little.
                if times < 3.0 || done >= self.full {
                    return None;
                }
                ((done as f64 * (times * 0.7).min(10.0)) as u64).min(self.full)
            }
        };
        (self.done, self.step) = (next, Instant::now());
        Some(next)
    }

    /// Says which size ran.
    pub fn end(self) {
        let Self { what, done, full, began, .. } = self;
        crate::say(&format!("proof: {done} of {full} {what} in {:.0?}", began.elapsed()));
    }
}
