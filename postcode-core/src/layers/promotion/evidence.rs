//! Evidence that may be looked at after every call.
//!
//! A limit on a share in a window is a test that is repeated with each call. Each look is another
//! chance of a false alarm, so that a guard that only counts steps back from a service that is as
//! good as the library. The tests of this module hold at all looks together. The chance that one
//! ever says something false is at most its `chance`, however long it runs and whenever it is read.
//!
//! # Where the formulas come from
//!
//! - A test is a bet. The wealth `Π (1 + λ (x − m))` of a gambler who bets that the mean of `x` is
//!   above `m` does not grow on average if it is not. Wealth of `1 / chance` is therefore reached with
//!   at most that chance, at any time. This is Ville's inequality (1939). The bets are those of
//!   I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", Journal
//!   of the Royal Statistical Society B 86 (2024), arXiv:2010.09686.
//! - Nobody knows the right size of the bet. The wealth is split over several sizes, which is the
//!   method of mixtures: H. Robbins, "Statistical methods related to the law of the iterated
//!   logarithm", Annals of Mathematical Statistics 41 (1970).
//! - A fault may begin after a million good calls, which have cost the gambler everything. A part of
//!   the wealth is kept back and is bet anew from each call on: J. Shin, A. Ramdas and A. Rinaldo,
//!   "E-detectors: a nonparametric framework for sequential change detection", New England Journal of
//!   Statistics in Data Science (2023), arXiv:2203.03532. Here the parts sum to one, so that the chance
//!   holds for all time and not only on average for a time.
//! - Whether a quantile is above a time is whether the share of longer calls is above a limit. For one
//!   quantile, one such test holds for all times together: S. Howard and A. Ramdas, "Sequential estimation of
//!   quantiles with applications to A/B testing and best-arm identification", Bernoulli 28 (2022),
//!   arXiv:1906.09712.
//! - [`Interval`] is the predictable plug-in empirical-Bernstein confidence sequence, theorem 2 of
//!   the first paper.
//!
//! They assume that the mean of the next value, given all before it, is not above the limit. The
//! values need not be independent and may change their distribution at any time.

use std::f64::consts::E;

use serde::{Deserialize, Serialize};

/// The sizes of bets that are tried at once, each half of the previous one.
const SIZES: usize = 8;
/// The part of the wealth that is bet from the first value on. The rest is for later beginnings.
const AT_ONCE: f64 = 0.8;
/// The part of the wealth that is bet in the size for the rise that is looked for, if there is one.
const AIMED: f64 = 0.75;
/// Wealth does not matter above this, and must not become infinite.
const RICH: f64 = 1e200;

/// The state of a test, without its limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gained {
    pub(super) count: u64,
    squares: f64,
    begun: Vec<f64>,
    anew: Vec<f64>,
}

/// A test of the hypothesis that the mean of some values is at most `limit`.
#[derive(Clone, Debug)]
pub(super) struct Test {
    limit: f64,
    /// The largest bet with which no value can lead to ruin.
    largest: f64,
    /// The excess over the limit that the first bet is sized for.
    aim: Option<f64>,
    count: u64,
    squares: f64,
    begun: [f64; SIZES + 1],
    anew: [f64; SIZES + 1],
    /// The inverse logarithm from which the next part for a later beginning follows.
    kept: f64,
}

impl Test {
    /// Tests whether a share, the mean of values 0 and 1, is at most `limit`.
    pub(super) fn of_share(limit: f64) -> Self {
        // A limit of exactly 0 is refuted by one value. So is this one.
        let limit = limit.clamp(1e-6, 1.0);
        Self::new(limit, 1.0 / limit, None)
    }

    /// Tests whether the mean of differences from −1 to 1 is at most `limit`. It is most sensitive to
    /// differences of `aim`.
    pub(super) fn of_differences(limit: f64, aim: f64) -> Self {
        let limit = limit.clamp(0.0, 1.0);
        Self::new(limit, 1.8 / (1.0 + limit), Some((aim - limit).max(1e-4)))
    }

    fn new(limit: f64, largest: f64, aim: Option<f64>) -> Self {
        let aimed = if aim.is_some() { AIMED } else { 0.0 };
        let mut begun = [(1.0 - aimed) * AT_ONCE / SIZES as f64; SIZES + 1];
        begun[SIZES] = aimed * AT_ONCE;
        Self { limit, largest, aim, count: 0, squares: 0.0, begun, anew: [0.0; SIZES + 1], kept: 1.0 }
    }

    /// Adds a value.
    pub(super) fn add(&mut self, value: f64) {
        let excess = value - self.limit;
        // The parts for beginnings at the values 1, 2, … sum to one: they are the differences of
        // 1 / ln(e + n), which falls from 1 to 0.
        let kept = 1.0 / (E + (self.count + 1) as f64).ln();
        let part = (self.kept - kept) * (1.0 - AT_ONCE);
        self.kept = kept;
        let aimed = if self.aim.is_some() { AIMED } else { 0.0 };
        let mut size = self.largest;
        for bet in 0..SIZES {
            size /= 2.0;
            let factor = 1.0 + size * excess;
            let part = part * (1.0 - aimed) / SIZES as f64;
            self.begun[bet] = (self.begun[bet] * factor).min(RICH);
            self.anew[bet] = ((self.anew[bet] + part) * factor).min(RICH);
        }
        if let Some(aim) = self.aim {
            let factor = 1.0 + self.aimed_size(aim) * excess;
            self.begun[SIZES] = (self.begun[SIZES] * factor).min(RICH);
            self.anew[SIZES] = ((self.anew[SIZES] + part * aimed) * factor).min(RICH);
        }
        self.squares += value * value;
        self.count += 1;
    }

    /// Adds many values whose order is not known, each as often as the second number says.
    ///
    /// The bets are sized before the first of these values, so their product does not depend on the
    /// order. What is kept for later beginnings is bet from the next values on. So the bound on the
    /// chance holds as it does for single values.
    pub(super) fn add_many(&mut self, values: &[(f64, f64)]) {
        let count: f64 = values.iter().map(|(_, times)| times).sum();
        if count <= 0.0 {
            return;
        }
        // In logarithms, because powers of large counts leave the range of numbers.
        let factor = |size: f64| {
            let logs = values.iter().map(|(value, times)| times * (size * (value - self.limit)).ln_1p());
            logs.sum::<f64>().exp().min(RICH)
        };
        let seen = self.count as f64;
        let kept = 1.0 / (E + seen + count).ln();
        let part = (self.kept - kept) * (1.0 - AT_ONCE);
        let aimed = if self.aim.is_some() { AIMED } else { 0.0 };
        let mut factors = [1.0; SIZES + 1];
        let mut size = self.largest;
        for of_size in &mut factors[..SIZES] {
            size /= 2.0;
            *of_size = factor(size);
        }
        if let Some(aim) = self.aim {
            factors[SIZES] = factor(self.aimed_size(aim));
        }
        for (bet, factor) in factors.into_iter().enumerate() {
            let share = if bet == SIZES { aimed } else { (1.0 - aimed) / SIZES as f64 };
            self.begun[bet] = (self.begun[bet] * factor).min(RICH);
            self.anew[bet] = (self.anew[bet] * factor).min(RICH) + part * share;
        }
        self.kept = kept;
        self.squares += values.iter().map(|(value, times)| value * value * times).sum::<f64>();
        self.count = self.count.saturating_add(count as u64);
    }

    /// Returns the bet that grows fastest if the excess is `aim`, by the variance so far.
    fn aimed_size(&self, aim: f64) -> f64 {
        let variance = (0.02 * 50.0 + self.squares) / (50.0 + self.count as f64);
        (aim / (variance + aim * aim)).min(self.largest / 2.0)
    }

    /// Returns what the test has gathered.
    pub(super) fn gained(&self) -> Gained {
        let Self { count, squares, begun, anew, .. } = self;
        Gained { count: *count, squares: *squares, begun: begun.to_vec(), anew: anew.to_vec() }
    }

    /// Continues from what another test with these limits had gathered. `None` if it is not from such a test.
    pub(super) fn after(self, gained: &Gained) -> Option<Self> {
        let Gained { count, squares, begun, anew } = gained;
        let positive = |all: &Vec<f64>| all.iter().all(|wealth| (0.0..=RICH).contains(wealth));
        let valid = (0.0..=*count as f64).contains(squares) && positive(begun) && positive(anew);
        let (begun, anew) = (begun.as_slice().try_into().ok()?, anew.as_slice().try_into().ok()?);
        let kept = 1.0 / (E + *count as f64).ln();
        valid.then_some(Self { count: *count, squares: *squares, begun, anew, kept, ..self })
    }

    /// Returns the evidence against the hypothesis: the wealth of who bet 1 against it. If the
    /// hypothesis holds, it reaches `1 / chance` with at most that chance.
    pub(super) fn evidence(&self) -> f64 {
        self.begun.iter().chain(&self.anew).sum()
    }
}

/// Returns the evidence, from the counts alone, that a share is below `limit`: what a bet of 1 against
/// "`count` of `of` have a share of at least `limit`" has become.
///
/// If the share is not below the limit, this reaches `1 / chance` with at most that chance, at any
/// number of looks.
///
/// ```
/// use postcode_core::layers::evidence_below;
///
/// // No failure in a thousand calls: is the share of failures below 1 %?
/// assert!(evidence_below(0.01, 0, 1000) > 100.0); // with a chance of 1 %, yes
/// assert!(evidence_below(0.01, 0, 100) < 100.0); // after a hundred, not yet
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evidence_below(limit: f64, count: u64, of: u64) -> f64 {
    if !(limit > 0.0 && limit <= 1.0) || count > of {
        return 0.0;
    }
    if limit == 1.0 {
        // Every share below 1 shows itself with the first value that does not count.
        return if count < of { RICH } else { 1.0 };
    }
    let (hits, rest) = (count as f64, (of - count) as f64);
    // The likelihood ratio of a smaller share, for eight smaller shares.
    let ratio = |part: f64| {
        let share = limit * part;
        let of_hits = if count == 0 { 0.0 } else { hits * part.ln() };
        (of_hits + rest * ((1.0 - share) / (1.0 - limit)).ln()).exp()
    };
    let sum: f64 = (0..SIZES).map(|eighth| ratio(eighth as f64 / SIZES as f64)).sum();
    (sum / SIZES as f64).min(RICH)
}

/// Returns the evidence, from the counts alone, that a share is above `limit`: what a bet of 1 against
/// "`count` of `of` have a share of at most `limit`" has become. It grows with `count`.
///
/// If the share is not above the limit, this reaches `1 / chance` with at most that chance, at any
/// number of looks.
pub(super) fn evidence_above(limit: f64, count: u64, of: u64) -> f64 {
    if !(0.0..1.0).contains(&limit) || count > of {
        return 0.0;
    }
    let limit = limit.max(1e-6);
    let (hits, rest) = (count as f64, (of - count) as f64);
    let mut size = 1.0 / limit;
    let mut sum = 0.0;
    for _ in 0..SIZES {
        size /= 2.0;
        let log = hits * (size * (1.0 - limit)).ln_1p() + rest * (-size * limit).ln_1p();
        sum += log.exp() / SIZES as f64;
    }
    sum.min(RICH)
}

/// A confidence sequence for the mean of differences from −1 to 1.
#[derive(Clone, Debug)]
pub(super) struct Interval {
    chance: f64,
    count: u64,
    sum: f64,
    /// The sum of squared distances from the mean so far, for the variance.
    spread: f64,
    bets: f64,
    weighted: f64,
    cost: f64,
    within: [f64; 2],
}

impl Interval {
    /// Creates an interval that ever excludes the mean with at most this chance.
    pub(super) fn new(chance: f64) -> Self {
        Self {
            chance,
            count: 0,
            sum: 0.0,
            spread: 0.0,
            bets: 0.0,
            weighted: 0.0,
            cost: 0.0,
            within: [-1.0, 1.0],
        }
    }

    /// Adds a difference.
    pub(super) fn add(&mut self, difference: f64) {
        let value = f64::midpoint(difference, 1.0);
        let before = self.count as f64;
        let mean = (0.5 + self.sum) / (1.0 + before);
        let variance = (0.25 + self.spread) / (1.0 + before);
        let next = before + 1.0;
        let bet = (2.0 * (2.0 / self.chance).ln() / (variance * next * (1.0 + next).ln())).sqrt().min(0.75);
        let off = value - mean;
        self.cost += off * off * (-(1.0 - bet).ln() - bet);
        self.bets += bet;
        self.weighted += bet * value;
        self.count += 1;
        self.sum += value;
        self.spread += (value - (0.5 + self.sum) / (1.0 + next)).powi(2);
        let centre = self.weighted / self.bets;
        let half = ((2.0 / self.chance).ln() + self.cost) / self.bets;
        // All intervals hold together, so that their intersection does.
        let [low, high] = self.within;
        self.within = [low.max(2.0 * (centre - half) - 1.0), high.min(2.0 * (centre + half) - 1.0)];
    }

    /// Returns the least and the greatest mean that the values allow, or `None` before the first.
    pub(super) fn bounds(&self) -> Option<[f64; 2]> {
        (self.count > 0).then_some(self.within)
    }
}

/// The observations since the plan was last changed, and what they say.
///
/// ```
/// use postcode_core::layers::Evidence;
///
/// let mut seen = Evidence::default();
/// (seen.asked, seen.failed) = (1_000, 2);
/// assert_eq!(seen.failed as f64 / seen.asked as f64, 0.002);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Evidence {
    /// Calls to the new implementation.
    pub asked: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that took longer than the guard's [`slow`](super::Guard::slow).
    pub slow: u64,
    /// Calls to the old implementation, in stages where both are called.
    pub old_asked: u64,
    /// Those that failed.
    pub old_failed: u64,
    /// Comparisons of two answers.
    pub compared: u64,
    /// Those that count as differences.
    pub mismatched: u64,
    /// The least and the greatest difference, new minus old, between the shares of failed calls that
    /// the observations allow. Both hold at every look. `None` without calls to both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rise: Option<[f64; 2]>,
    /// The least and the greatest difference, new minus old, in microseconds, between the times that the
    /// guard's [`quantile`](super::Guard::quantile) of the calls take. Both hold at every look. `None` until
    /// enough calls of both are timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slower_us: Option<[f64; 2]>,
}

impl Evidence {
    /// Returns the sums of the counts of two observations. Intervals can't be added.
    pub(in crate::layers) fn plus(&self, other: &Self) -> Self {
        Self {
            asked: self.asked.saturating_add(other.asked),
            failed: self.failed.saturating_add(other.failed),
            slow: self.slow.saturating_add(other.slow),
            old_asked: self.old_asked.saturating_add(other.old_asked),
            old_failed: self.old_failed.saturating_add(other.old_failed),
            compared: self.compared.saturating_add(other.compared),
            mismatched: self.mismatched.saturating_add(other.mismatched),
            rise: None,
            slower_us: None,
        }
    }
}
