//! Simulates the guard, with seeds: how often it steps back without cause, and how soon with one.
//!
//! `cargo test -p postcode-core --all-features --lib simulation -- --nocapture` prints the tables.

use std::time::Duration;

use fastrand::Rng;

use super::evidence::{Interval, Test, evidence_below};
use super::guard::Simulated;
use super::limits::{FOR_EACH_LIMIT, Guard};
use super::quantile::{Times, at_least, at_most, difference_us};

/// The guard before it had evidence: the share of the last 3,000 calls, thirty seconds at a hundred
/// calls a second, with the limits of then.
#[derive(Default)]
struct Counting {
    slots: [[u32; 2]; 10],
    calls: usize,
}

impl Counting {
    fn steps_back(&mut self, failed: bool) -> bool {
        let slot = self.calls / 300 % 10;
        if self.calls.is_multiple_of(300) {
            self.slots[slot] = [0; 2];
        }
        self.calls += 1;
        self.slots[slot][0] += 1;
        self.slots[slot][1] += u32::from(failed);
        let [all, failed] = self.slots.iter().fold([0; 2], |sum, slot| [sum[0] + slot[0], sum[1] + slot[1]]);
        all >= 20 && f64::from(failed) / f64::from(all) > 0.05
    }
}

/// Returns whether a call with this error rate fails.
fn fails(rng: &mut Rng, rate: f64) -> bool {
    rng.f64() < rate
}

/// Returns the number of calls to the new side after which each of the two guards steps back: the
/// one that counts and the one with evidence. Between two of them there are `olds` calls to the old side.
fn steps_back_after(
    seed: u64,
    old: f64,
    new: impl Fn(u32) -> f64,
    olds: u32,
    calls: u32,
) -> [Option<u32>; 2] {
    let mut rng = Rng::with_seed(seed);
    let (mut counting, mut evidence) = (Counting::default(), Simulated::default());
    let mut found = [None; 2];
    for call in 1..=calls {
        let old_failed = (0..olds).map(|_| u32::from(fails(&mut rng, old))).sum();
        let failed = fails(&mut rng, new(call));
        if counting.steps_back(failed) && found[0].is_none() {
            found[0] = Some(call);
        }
        if evidence.steps_back(failed, olds, old_failed) {
            found[1] = Some(call);
            break;
        }
    }
    found
}

/// Runs simulations with the seeds from 1 on, on two threads.
fn runs<T: Send>(count: u64, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let run = &run;
    std::thread::scope(|scope| {
        let halves: Vec<_> = [0, 1]
            .map(|half| {
                scope.spawn(move || (1..=count).filter(|n| n % 2 == half).map(run).collect::<Vec<T>>())
            })
            .into();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    })
}

fn median(mut found: Vec<u32>) -> u32 {
    found.sort_unstable();
    found[found.len() / 2]
}

#[test]
fn at_equal_sides_a_step_back_is_rarer_than_one_in_a_hundred() {
    const RUNS: u64 = 100;
    println!("false steps back in {RUNS} walks of 100,000 calls at equal sides");
    println!("{:>8} {:>15} {:>15}", "errors", "counting", "evidence");
    for rate in [0.005, 0.02, 0.049] {
        let found = runs(RUNS, |seed| steps_back_after(seed, rate, |_| rate, 1, 100_000));
        let false_steps = [0, 1].map(|guard| found.iter().filter(|run| run[guard].is_some()).count());
        println!("{:>6.1} % {:>15} {:>15}", rate * 100.0, false_steps[0], false_steps[1]);
        assert!(false_steps[1] as u64 * 100 <= RUNS, "{rate}: {false_steps:?}");
    }
}

/// Returns the divergence of a share from another one: how many nats a call tells on average against the other.
fn divergence(share: f64, other: f64) -> f64 {
    let part = |share: f64, other: f64| if share > 0.0 { share * (share / other).ln() } else { 0.0 };
    part(share, other) + part(1.0 - share, 1.0 - other)
}

/// Returns the fewest calls to the new side with which tests of any form, with the guard's chance and limit, can find
/// a rise, if there are `olds` calls to the old side for each: the mean of those that hold at every look, and
/// the calls with which a test finds half that looks once and knows when.
///
/// Two shares between these two, as far apart as the limit allows, are the hardest to tell from them. A test that
/// holds at every look needs `ln(1 / chance)` nats on average (A. Wald, 1945). The best test that looks once is that
/// of the likelihood ratio (J. Neyman and E. Pearson, 1933), here by the normal approximation.
fn fewest_calls(old: f64, new: f64, olds: f64) -> [f64; 2] {
    let Guard { max_rise, chance, .. } = Guard::default();
    let steps = (1..1_000).map(|step| old + (new - max_rise - old) * f64::from(step) / 1_000.0);
    let told = |low: f64| olds * divergence(old, low) + divergence(new, low + max_rise);
    let hardest = steps.map(|low| (told(low), low)).min_by(|one, other| one.0.total_cmp(&other.0));
    let (nats, low) = hardest.unwrap();
    let variance = (low + max_rise) * (1.0 - low - max_rise) + low * (1.0 - low) / olds;
    // The quantile of the normal distribution at 1 - chance.
    let quantile = 2.3263;
    [(1.0 / chance).ln() / nats, (quantile / (new - old - max_rise)).powi(2) * variance]
}

#[test]
fn a_rise_of_one_point_is_found_nearly_as_soon_as_any_test_can() {
    const RUNS: u64 = 51;
    println!("calls to the new side until a rise of one point is found, in {RUNS} walks");
    println!("  errors  old calls   median     mean  after 10,000  any test: mean  one look: half");
    for (rate, olds) in [(0.0, 1), (0.005, 1), (0.005, 9), (0.02, 1), (0.02, 9), (0.049, 1), (0.049, 9)] {
        let found = |begins: u32| -> Vec<u32> {
            let new = move |call| if call > begins { rate + 0.01 } else { rate };
            let found = runs(RUNS, |seed| steps_back_after(seed, rate, new, olds, begins + 200_000)[1]);
            found.into_iter().map(|calls| calls.unwrap().saturating_sub(begins)).collect()
        };
        let (at_once, later) = (found(0), median(found(10_000)));
        let mean = at_once.iter().map(|calls| f64::from(*calls)).sum::<f64>() / RUNS as f64;
        let half = median(at_once);
        let [of_any, of_one_look] = fewest_calls(rate, rate + 0.01, f64::from(olds));
        println!(
            "{:>6.1} % {olds:>10} {half:>8} {mean:>8.0} {later:>13} {of_any:>15.0} {of_one_look:>15.0}",
            rate * 100.0
        );
        // 3,000 calls are enough where a test that looks once could find half of the rises with them. Elsewhere the
        // guard needs little more than any test must.
        assert!(half <= 3_000 || of_one_look > 3_000.0, "{rate}, {olds}: {half}");
        assert!(mean <= 1.6 * of_any, "{rate}, {olds}: {mean} of {of_any}");
    }
}

#[test]
fn an_outage_after_a_hundred_thousand_good_calls_is_found_at_once() {
    for seed in 1..=5 {
        let mut rng = Rng::with_seed(seed);
        let mut test = Test::of_share(0.05);
        for _ in 0..100_000 {
            test.add(f64::from(u8::from(fails(&mut rng, 0.01))));
        }
        let calls = (1..50).find(|_| {
            test.add(1.0);
            test.evidence() >= 1_000.0
        });
        assert!(calls.is_some_and(|calls| calls <= 15), "{calls:?}");
    }
}

#[test]
fn the_interval_holds_at_every_look_and_narrows() {
    let (old, new) = (0.02, 0.03);
    let runs = runs(100, |seed| {
        let mut rng = Rng::with_seed(seed);
        let mut interval = Interval::new(0.01);
        let mut held = true;
        for _ in 0..20_000 {
            interval
                .add(f64::from(u8::from(fails(&mut rng, new))) - f64::from(u8::from(fails(&mut rng, old))));
            held &= interval.bounds().is_some_and(|[low, high]| low <= new - old && new - old <= high);
        }
        (held, interval.bounds().unwrap())
    });
    assert!(runs.iter().filter(|(held, _)| !held).count() <= 1);
    let widest = runs.iter().map(|(_, [low, high])| high - low).fold(0.0, f64::max);
    assert!(widest < 0.025, "{widest}");
}

#[test]
fn a_share_below_its_limit_is_shown_by_the_counts_and_one_at_the_limit_is_not() {
    // (1 / 0.99)^n / 8 and the smaller terms: a hundred to one after some 600 calls without a fault.
    assert!(evidence_below(0.01, 0, 500) < 100.0);
    assert!(evidence_below(0.01, 0, 700) >= 100.0);
    assert!(evidence_below(0.01, 20, 2_000) < 2.0);
    assert!(evidence_below(0.05, 20, 2_000) > 1e6);
    assert_eq!(evidence_below(0.0, 0, 1_000), 0.0);
    assert_eq!(evidence_below(0.1, 2, 1), 0.0);
    let shown = runs(300, |seed| {
        let mut rng = Rng::with_seed(seed);
        let mut count = 0;
        (1..5_000).any(|of| {
            count += u64::from(fails(&mut rng, 0.02));
            evidence_below(0.02, count, of) >= 100.0
        })
    });
    assert!(shown.iter().filter(|shown| **shown).count() <= 3);
}

/// Draws the time of a call: log-normal around a millisecond, with one in a hundred ten times as long.
fn time(rng: &mut Rng, added: Duration) -> Duration {
    let normal = (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos();
    let tail = if rng.f64() < 0.01 { 10.0 } else { 1.0 };
    Duration::from_secs_f64(0.001 * (0.5 * normal).exp() * tail) + added
}

/// The rise of a quantile that is allowed here.
const ALLOWED: Duration = Duration::from_millis(2);

/// The part of the guard's chance that each of the two bounds has.
const CHANCE: f64 = 0.01 * FOR_EACH_LIMIT / 2.0;

/// Returns the number of calls to each side until the 95th percentile of the new one is shown to be more than
/// [`ALLOWED`] above the old one, if `added` makes each of its calls longer.
fn slower_after(seed: u64, added: Duration, calls: u32) -> Option<u32> {
    let mut rng = Rng::with_seed(seed);
    let (new, old) = (Times::new(), Times::new());
    (1..=calls).find(|call| {
        new.add(time(&mut rng, added));
        old.add(time(&mut rng, Duration::ZERO));
        let bounds = || {
            let new = at_least(&new.counts(), 0.95, CHANCE)?;
            let old = at_most(&old.counts(), 0.95, CHANCE)?;
            (new.time().saturating_sub(old.time()) > ALLOWED).then_some(())
        };
        call % 32 == 0 && bounds().is_some()
    })
}

#[test]
fn slower_quantile_is_found_and_one_at_the_limit_is_not() {
    const RUNS: u64 = 100;
    println!(
        "walks of 20,000 calls to each side, of {RUNS}, in which the 95th percentile is shown to be 2 ms slower"
    );
    println!("{:>12} {:>8} {:>15}", "really", "walks", "calls, median");
    for (added, all) in [(0, false), (2_000, false), (3_000, true), (4_000, true), (10_000, true)] {
        let found = runs(RUNS, |seed| slower_after(seed, Duration::from_micros(added), 20_000));
        let shown = found.iter().flatten().count() as u64;
        let median =
            if all { median(found.into_iter().flatten().collect()).to_string() } else { "-".to_owned() };
        println!("{:>9} ms {shown:>8} {median:>15}", added as f64 / 1e3);
        assert!(if all { shown == RUNS } else { shown * 100 <= RUNS }, "{added} us: {shown}");
    }
}

#[test]
fn interval_of_a_quantiles_difference_holds_at_every_look() {
    let added = Duration::from_millis(1);
    let runs = runs(60, |seed| {
        let mut rng = Rng::with_seed(seed);
        let (new, old) = (Times::new(), Times::new());
        let (mut held, mut last) = (true, None);
        for call in 1..=8_000 {
            new.add(time(&mut rng, added));
            old.add(time(&mut rng, Duration::ZERO));
            if call % 20 == 0 {
                last = difference_us(&new.counts(), &old.counts(), 0.95, 0.01);
                held &= last.is_none_or(|[low, high]| low <= 1_000.0 && 1_000.0 <= high);
            }
        }
        (held, last.unwrap())
    });
    assert!(runs.iter().all(|(held, _)| *held));
    let widest = runs.iter().map(|(_, [low, high])| high - low).fold(0.0, f64::max);
    assert!(widest < 2_500.0, "{widest}");
}
