//! The reasons of a guard to step back, so that it can be derived again elsewhere.

use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Gained, Test, evidence_above, evidence_below};
use super::limits::{FOR_EACH_LIMIT, FOR_RISE, Guard, LOOKED_FOR};
use super::quantile::LatencyBound;

/// At least this many of a test's last values are kept, and at most twice as many.
const KEPT: usize = 512;
/// How far two computations of the same evidence may be apart: the logarithms of two machines may differ in
/// their last digits, and thousands of factors are multiplied.
const ROUNDING: f64 = 1e-9;

/// The limit of a [`Guard`] that was exceeded.
///
/// ```
/// use postcode_core::layers::Limit;
///
/// assert_eq!(serde_json::to_string(&Limit::Errors)?, "\"errors\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Limit {
    /// The share of failed calls.
    Errors,
    /// The share of comparisons that differ.
    Differences,
    /// The share of slow calls.
    Slow,
    /// The share of failed calls above that of the old implementation.
    Rise,
    /// A quantile of the latencies above that of the old implementation.
    Latency,
}

/// Calls to the new implementation and those of them that failed, then the same of the old one. For a share:
/// one, and whether it counts.
pub(super) type Pair = [u32; 4];

/// Returns what a pair is for a test.
fn value(pair: Pair) -> f64 {
    let share = |part: u32, whole: u32| if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) };
    share(pair[1], pair[0]) - share(pair[3], pair[2])
}

/// A test with its last values.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    test: Test,
    sums: [u64; 4],
    latest: Vec<Pair>,
    /// The test and the sums before `latest`, and those before the second half of it.
    before: [(Test, [u64; 4]); 2],
}

impl Recorded {
    pub(super) fn new(test: Test) -> Self {
        let before = [(test.clone(), [0; 4]), (test.clone(), [0; 4])];
        Self { test, sums: [0; 4], latest: Vec::new(), before }
    }

    /// Adds one value of a share.
    pub(super) fn add_one(&mut self, counts: bool) {
        self.add([1, u32::from(counts), 0, 0]);
    }

    /// Adds a value.
    pub(super) fn add(&mut self, pair: Pair) {
        if self.latest.len() == 2 * KEPT {
            self.latest.drain(..KEPT);
            self.before.swap(0, 1);
        }
        if self.latest.len() == KEPT {
            self.before[1] = (self.test.clone(), self.sums);
        }
        self.test.add(value(pair));
        self.latest.push(pair);
        for (sum, add) in self.sums.iter_mut().zip(pair) {
            *sum += u64::from(add);
        }
    }

    pub(super) fn evidence(&self) -> f64 {
        self.test.evidence()
    }

    /// Returns the grounds that this test is.
    pub(super) fn grounds(&self, limit: Limit, window: Option<[u32; 2]>) -> Grounds {
        let (test, sums) = &self.before[0];
        let gained = test.gained();
        let is_later = gained.count > 0;
        let earlier = is_later.then_some(Earlier { sums: *sums, gained });
        let is_share = limit != Limit::Rise;
        Grounds {
            limit,
            window,
            evidence: Some(self.evidence()),
            earlier,
            runs: if is_share { runs(&self.latest) } else { Vec::new() },
            pairs: if is_share { Vec::new() } else { self.latest.clone() },
            latency: None,
        }
    }
}

/// Returns the lengths of the runs of values that do not count and that do, by turns.
fn runs(values: &[Pair]) -> Vec<u32> {
    let (mut runs, mut counts) = (vec![0], 0);
    for value in values {
        if value[1] != counts {
            runs.push(0);
            counts = value[1];
        }
        if let Some(last) = runs.last_mut() {
            *last += 1;
        }
    }
    runs
}

/// The state of a test before the values that are recorded one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    sums: [u64; 4],
    gained: Gained,
}

/// The observations by which a [`Guard`] stepped back.
///
/// The last thousand values of the test that showed it are recorded in their order. For a longer stage there is
/// also what the test had gathered before them.
///
/// ```
/// use postcode_core::layers::{Grounds, Limit};
///
/// fn is_too_slow(grounds: &Grounds) -> bool {
///     matches!(grounds.limit, Limit::Slow | Limit::Latency)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Grounds {
    /// The limit that was exceeded.
    pub limit: Limit,
    /// How many of how many calls or comparisons in the guard's window exceeded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<[u32; 2]>,
    /// The evidence: how many to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<f64>,
    /// The state of the test before its last values. `None` if all its values are below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
    /// For a share: the lengths of the runs of values that do not count and that do, by turns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<u32>,
    /// For a rise: calls to the new implementation and failures, and the same of the old one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<[u32; 4]>,
    /// For the latency: what the new one takes at least and the old one at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<[LatencyBound; 2]>,
}

impl Grounds {
    pub(super) fn of_latency(latency: [LatencyBound; 2]) -> Self {
        let limit = Limit::Latency;
        let latency = Some(latency);
        Self {
            limit,
            window: None,
            evidence: None,
            earlier: None,
            runs: Vec::new(),
            pairs: Vec::new(),
            latency,
        }
    }

    /// Derives again that the guard had to step back, and its reason in words.
    pub(in crate::layers) fn check(
        &self,
        guard: &Guard,
        seen: &Evidence,
        reason: &str,
    ) -> Result<(), &'static str> {
        let held = match self.limit {
            Limit::Latency => self.check_latency(guard, seen)?,
            Limit::Rise => {
                self.check_rise(guard, seen)?;
                rise_reason(guard, seen)
            }
            _ => self.check_share(guard, seen)?,
        };
        if held == reason { Ok(()) } else { Err("the guard's reason does not follow from the observations") }
    }

    fn check_share(&self, guard: &Guard, seen: &Evidence) -> Result<String, &'static str> {
        let (limit, part, whole) = match self.limit {
            Limit::Errors => (guard.max_errors, seen.failed, seen.asked),
            Limit::Differences => (guard.max_mismatches, seen.mismatched, seen.compared),
            _ => (guard.max_slow, seen.slow, seen.asked),
        };
        let is_over = |window: &[u32; 2]| {
            let [count, of] = window.map(u64::from);
            of >= u64::from(guard.min_calls)
                && count as f64 > limit * of as f64
                && count <= part
                && of <= whole
        };
        let window = self.window.filter(is_over).ok_or("the window does not exceed the guard's limit")?;
        let values = self.runs.iter().enumerate().flat_map(|(at, length)| {
            std::iter::repeat_n([1, (at % 2) as u32, 0, 0], (*length as usize).min(2 * KEPT))
        });
        let sums = self.derive(Test::of_share(limit), values.take(2 * KEPT + 1), FOR_EACH_LIMIT, guard)?;
        if sums != [whole, part, 0, 0] || !self.pairs.is_empty() || self.latency.is_some() {
            return Err("the guard's observations do not add up");
        }
        share_reason(self.limit, guard, window).ok_or("the guard has no such limit")
    }

    fn check_rise(&self, guard: &Guard, seen: &Evidence) -> Result<(), &'static str> {
        let test = Test::of_differences(guard.max_rise, LOOKED_FOR);
        let values = self.pairs.iter().copied().take(2 * KEPT + 1);
        let sums = self.derive(test, values, FOR_RISE, guard)?;
        // Calls to the new implementation after the last one to the old are not in a pair yet.
        let all = [seen.asked, seen.failed, seen.old_asked, seen.old_failed];
        let is_all = sums[2..] == all[2..] && sums[0] <= all[0] && sums[1] <= all[1];
        if !is_all || !self.runs.is_empty() || self.latency.is_some() || self.window.is_some() {
            return Err("the guard's observations do not add up");
        }
        Ok(())
    }

    fn check_latency(&self, guard: &Guard, seen: &Evidence) -> Result<String, &'static str> {
        let wrong = "the latencies do not follow from the counts";
        let [new, old] = self.latency.ok_or(wrong)?;
        let longer = 1.0 - guard.quantile;
        let found = [evidence_above(longer, new.longer, new.of), evidence_below(longer, old.longer, old.of)];
        let needed = 2.0 / (guard.chance * FOR_EACH_LIMIT);
        let is_shown = close(found[0], new.evidence) && close(found[1], old.evidence);
        let is_enough = found.iter().all(|found| *found >= needed);
        let is_over = new.time().saturating_sub(old.time()) > guard.max_slower;
        let is_all = new.of == seen.asked && new.of >= u64::from(guard.min_calls);
        let only = self.evidence.is_none() && self.window.is_none() && self.earlier.is_none();
        if is_shown && is_enough && is_over && is_all && only && self.runs.is_empty() && self.pairs.is_empty()
        {
            Ok(latency_reason(guard, [&new, &old]))
        } else {
            Err(wrong)
        }
    }

    /// Adds the values to what was gathered before, and returns their sums if the evidence is the recorded
    /// one, and enough.
    fn derive(
        &self,
        mut test: Test,
        values: impl Iterator<Item = Pair>,
        part: f64,
        guard: &Guard,
    ) -> Result<[u64; 4], &'static str> {
        let wrong = "the guard's evidence does not follow from the observations";
        let mut sums = [0; 4];
        if let Some(earlier) = &self.earlier {
            test = test.after(&earlier.gained).ok_or(wrong)?;
            sums = earlier.sums;
        }
        let mut count = 0;
        for pair in values {
            if pair[1] > pair[0] || pair[3] > pair[2] {
                return Err("a part is larger than the whole");
            }
            count += 1;
            test.add(value(pair));
            for (sum, add) in sums.iter_mut().zip(pair) {
                *sum = u64::saturating_add(*sum, u64::from(add));
            }
        }
        let found = test.evidence();
        let is_shown = self.evidence.is_some_and(|recorded| close(recorded, found));
        if count <= 2 * KEPT && is_shown && found * guard.chance * part >= 1.0 {
            Ok(sums)
        } else {
            Err(wrong)
        }
    }
}

/// Returns whether two computations of one piece of evidence agree.
pub(in crate::layers) fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= ROUNDING * one.abs().max(other.abs())
}

/// Returns the reason in words why a share stepped back.
pub(super) fn share_reason(limit: Limit, guard: &Guard, [part, whole]: [u32; 2]) -> Option<String> {
    let (what, limit) = match limit {
        Limit::Errors => ("calls to the new implementation failed".to_owned(), guard.max_errors),
        Limit::Differences => ("comparisons differed".to_owned(), guard.max_mismatches),
        Limit::Slow => {
            (format!("calls to the new implementation took longer than {:?}", guard.slow), guard.max_slow)
        }
        Limit::Rise | Limit::Latency => return None,
    };
    let share = f64::from(part) / f64::from(whole);
    Some(format!("{part} of the last {whole} {what} ({:.1} %, limit {} %)", share * 100.0, limit * 100.0))
}

pub(super) fn rise_reason(guard: &Guard, seen: &Evidence) -> String {
    format!(
        "{} of {} calls to the new implementation failed and {} of {} to the old (more than {} points apart; by \
         chance in less than {:.1} % of all walks)",
        seen.failed,
        seen.asked,
        seen.old_failed,
        seen.old_asked,
        guard.max_rise * 100.0,
        guard.chance * FOR_RISE * 100.0
    )
}

pub(super) fn latency_reason(guard: &Guard, [new, old]: [&LatencyBound; 2]) -> String {
    format!(
        "{} % of the calls to the new implementation take {:?} or more and those to the old at most {:?} (more than \
         {:?} apart)",
        guard.quantile * 100.0,
        new.time(),
        old.time(),
        guard.max_slower
    )
}
