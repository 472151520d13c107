//! Walks the steps.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::certificate::{Cause, Cost, Differences, Move, Outcome, Walked, back};
use super::plan::{Criterion, Decision, Walk};
use crate::layers::promotion::{Evidence, Grounds, Promotable, Promotion, RowSnapshot, Stage};
use crate::{Error, Result};

/// How often the evidence is looked at. The tests hold at any number of looks.
const LOOK: Duration = Duration::from_millis(100);

/// The resources that a process has used until now, if the system tells them.
///
/// ```
/// use postcode_core::layers::walk::Used;
///
/// let not_known = Used::default();
/// assert_eq!(not_known.cpu_seconds, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// Processor time in seconds.
    pub cpu_seconds: Option<f64>,
    /// Resident memory.
    pub memory_bytes: Option<f64>,
}

/// Walks the default row of a promotion through the steps until it has ended. Other rows stay. `used` tells what this process has used, and
/// `tell` is told each move at once.
///
/// While it walks, a change of stage by someone else ends it: the promotion then stays where that put it.
///
/// ```
/// # async fn example(promotion: postcode_core::layers::Promotion) -> postcode_core::Result<()> {
/// use postcode_core::layers::Stage;
/// use postcode_core::layers::walk::{Outcome, Used, Walk, WalkStep, walk};
///
/// let mut shadow = WalkStep::new(Stage::Shadow, Some(0.2));
/// shadow.compared = 1_000;
/// let walked = walk(&promotion, &Walk::new(vec![shadow]), Used::default, |step| println!("{}", step.reason)).await?;
/// if walked.outcome == Outcome::Done {
///     println!("{} moves", walked.moves.len());
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the walk is not valid or the promotion has no
/// guard. Nothing is changed then.
pub async fn walk<S: Promotable>(
    promotion: &Promotion<S>,
    walk: &Walk,
    used: impl Fn() -> Used,
    tell: impl FnMut(&Move),
) -> Result<Walked> {
    walk.check()?;
    if promotion.evidence().is_none() {
        return Err(Error::invalid("a walk needs the guard: turn it on"));
    }
    let mut walker = Walker {
        promotion,
        walk,
        used,
        tell,
        moves: Vec::new(),
        clock: (SystemTime::now(), Instant::now()),
        costs: [None, None],
    };
    let outcome = walker.run().await?;
    let seen = promotion.snapshot();
    let differences = Differences {
        compared: seen.compared,
        matched: seen.matched,
        mismatched: seen.mismatched,
        causes: seen.causes,
        examples: seen.examples.clone(),
    };
    let Walker { moves, costs: [before, after], .. } = walker;
    let (Some(before), Some(after)) = (before, after) else {
        return Err(Error::new(crate::ErrorKind::Internal, "a walk without steps"));
    };
    Ok(Walked { outcome, moves, differences, before, after })
}

struct Walker<'a, S: Promotable, U, T> {
    promotion: &'a Promotion<S>,
    walk: &'a Walk,
    used: U,
    tell: T,
    moves: Vec<Move>,
    /// The time of day and the clock when the walk began, so that times never go back.
    clock: (SystemTime, Instant),
    costs: [Option<Cost>; 2],
}

/// The end of a step.
enum End {
    Shown(Found),
    NotShown(Decision, Found),
    Guard(Stage),
    TakenOver,
}

/// The observations that a decision was made on.
#[derive(Default)]
struct Found {
    /// When. `None` for now.
    at_ms: Option<u64>,
    evidence: Evidence,
    criteria: Vec<Criterion>,
    grounds: Option<Grounds>,
}

impl Found {
    fn only(evidence: Evidence) -> Self {
        Self { evidence, ..Self::default() }
    }
}

/// The state at the beginning of a step.
struct Entered {
    at: Instant,
    at_ms: u64,
    calls: u64,
    used: Used,
    step_backs: u64,
    /// The plan as it should be now.
    plan: (Stage, f64),
}

impl<S: Promotable, U: Fn() -> Used, T: FnMut(&Move)> Walker<'_, S, U, T> {
    async fn run(&mut self) -> Result<Outcome> {
        let (walk, mut tries) = (self.walk, 0);
        'again: loop {
            let mut leaving = (Cause::Began, Found::default());
            for (number, step) in walk.steps.iter().enumerate() {
                let before = self.promotion.default_row();
                self.promotion.set(step.stage, step.share)?;
                let reason = match number {
                    0 if tries == 0 => "the walk begins".to_owned(),
                    0 => format!("the walk begins again, try {}", tries + 1),
                    _ => "all criteria are shown".to_owned(),
                };
                let (cause, found) = leaving;
                self.moved(cause, [before.stage, step.stage], &reason, found);
                let entered = self.enter(step.stage, before.step_backs);
                let end = self.step(number, &entered).await;
                let used = self.cost(&entered);
                if number == 0 && self.costs[0].is_none() {
                    self.costs[0] = Some(used.clone());
                }
                self.costs[1] = Some(used);
                match end {
                    End::Shown(found) => leaving = (Cause::Shown, found),
                    End::NotShown(decision, found) => {
                        let (cause, to) = match decision {
                            Decision::Back => (Cause::NotShown, back(step.stage)),
                            _ => (Cause::GaveUp, step.stage),
                        };
                        if to != step.stage {
                            self.promotion.set(to, None)?;
                        }
                        self.moved(cause, [step.stage, to], "not shown in its time", found);
                        return Ok(Outcome::NotShown);
                    }
                    End::Guard(to) => {
                        let Some((reason, evidence, grounds)) = self.promotion.last_tripped() else {
                            return Err(Error::new(
                                crate::ErrorKind::Internal,
                                "a step back without a reason",
                            ));
                        };
                        let found = Found { grounds: Some(grounds), ..Found::only(evidence) };
                        self.moved(Cause::Guard, [step.stage, to], &reason, found);
                        if tries == self.walk.retries {
                            return Ok(Outcome::SteppedBack);
                        }
                        tries += 1;
                        sleep(self.walk.pause).await;
                        if self.promotion.stage() > to {
                            return Ok(Outcome::TakenOver);
                        }
                        continue 'again;
                    }
                    End::TakenOver => {
                        let (evidence, _) = self.promotion.evidence().unwrap_or_default();
                        let reason = "someone else changed the plan";
                        let to = self.promotion.stage();
                        self.moved(Cause::TakenOver, [step.stage, to], reason, Found::only(evidence));
                        return Ok(Outcome::TakenOver);
                    }
                }
            }
            let (cause, found) = leaving;
            let stage = walk.steps.last().map_or(Stage::Local, |step| step.stage);
            self.moved(cause, [stage, stage], "all criteria are shown, and this was the last step", found);
            return Ok(Outcome::Done);
        }
    }

    /// Waits until a step has ended.
    async fn step(&self, number: usize, entered: &Entered) -> End {
        let step = &self.walk.steps[number];
        loop {
            sleep(LOOK).await;
            // The evidence first: if the plan is still the walk's afterwards, it belongs to that plan.
            let (evidence, _) = self.promotion.evidence().unwrap_or_default();
            let seen = self.promotion.default_row();
            if seen.step_backs > entered.step_backs && seen.stage < entered.plan.0 {
                return End::Guard(seen.stage);
            }
            if (seen.stage, seen.share) != entered.plan {
                return End::TakenOver;
            }
            let at_ms = self.now_ms();
            let took = Duration::from_millis(at_ms.saturating_sub(entered.at_ms));
            let (decision, criteria) = step.decide(&evidence, took, self.walk.chance);
            let found = Found { at_ms: Some(at_ms), evidence, criteria, grounds: None };
            match decision {
                Decision::Hold => {}
                Decision::Forward => return End::Shown(found),
                decision => return End::NotShown(decision, found),
            }
        }
    }

    fn enter(&self, stage: Stage, step_backs: u64) -> Entered {
        let RowSnapshot { share, .. } = self.promotion.default_row();
        let calls = self.promotion.snapshot().calls;
        let at_ms = self.moves.last().map_or(0, |last| last.at_ms);
        Entered { at: Instant::now(), at_ms, calls, used: (self.used)(), step_backs, plan: (stage, share) }
    }

    fn cost(&self, entered: &Entered) -> Cost {
        let seen = self.promotion.snapshot();
        let used = (self.used)();
        let calls = seen.calls - entered.calls;
        let cpu = used.cpu_seconds.zip(entered.used.cpu_seconds).filter(|_| calls > 0);
        Cost {
            stage: entered.plan.0,
            calls,
            seconds: entered.at.elapsed().as_secs_f64(),
            cpu_us_a_call: cpu.map(|(after, before)| (after - before) * 1e6 / calls as f64),
            memory_bytes: used.memory_bytes,
            old: seen.latency.old,
            new: seen.latency.new,
        }
    }

    /// Records a move, with the share of now.
    fn moved(&mut self, cause: Cause, [from, to]: [Stage; 2], reason: &str, found: Found) {
        let Found { at_ms, evidence, criteria, grounds } = found;
        let RowSnapshot { share, .. } = self.promotion.default_row();
        let made = Move {
            revision: self.moves.len() as u64 + 1,
            at_ms: at_ms.unwrap_or_else(|| self.now_ms()),
            cause,
            from,
            to,
            share,
            reason: reason.to_owned(),
            evidence,
            criteria,
            grounds,
        };
        (self.tell)(&made);
        self.moves.push(made);
    }

    fn now_ms(&self) -> u64 {
        let now = self.clock.0 + self.clock.1.elapsed();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
