//! Simulates the guard, with seeds: how often it steps back without cause, and how soon with one.
//!
//! `cargo test -p postcode-core --all-features --lib simulation -- --nocapture` prints the tables.

use std::time::Duration;

use fastrand::Rng;

use super::evidence::{Interval, Test, evidence_below};
use super::guard::Simulated;
use super::limits::FOR_EACH_LIMIT;
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

/// Returns the median, where a run that found nothing counts as the longest.
fn median(mut found: Vec<Option<u32>>) -> Option<u32> {
    found.sort_by_key(|calls| calls.unwrap_or(u32::MAX));
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

#[test]
fn a_rise_of_one_point_is_found_soon() {
    const RUNS: u64 = 51;
    println!("calls to the new side until a rise of one point is found, median of {RUNS} walks");
    println!("{:>8} {:>15} {:>15} {:>15}", "errors", "old calls each", "from the start", "after 10,000");
    for (rate, olds, within) in [
        (0.0, 1, 3_000),
        (0.005, 1, 3_000),
        (0.005, 9, 3_000),
        (0.02, 1, 6_500),
        (0.02, 9, 3_000),
        (0.049, 1, 10_000),
        (0.049, 9, 7_000),
    ] {
        let found = |begins: u32| {
            let new = move |call| if call > begins { rate + 0.01 } else { rate };
            let found = runs(RUNS, |seed| steps_back_after(seed, rate, new, olds, begins + 40_000)[1]);
            median(found).map(|calls| calls.saturating_sub(begins))
        };
        let (at_once, later) = (found(0), found(10_000));
        let shown = |calls: Option<u32>| calls.map_or("over 40,000".to_owned(), |calls| calls.to_string());
        println!("{:>6.1} % {olds:>15} {:>15} {:>15}", rate * 100.0, shown(at_once), shown(later));
        assert!(at_once.is_some_and(|calls| calls <= within), "{rate}, {olds}: {at_once:?}");
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
        let median = median(found).map_or("-".to_owned(), |calls| calls.to_string());
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
