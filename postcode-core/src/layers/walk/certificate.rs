//! The certificate that a walk leaves, and how it is derived again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::plan::{Criterion, Decision, Walk};
use crate::layers::promotion::{Causes, Evidence, Example, Grounds, Guard, LatencySummary, Stage};
use crate::wire::Digest;
use crate::{Error, Result};

/// The version of certificates.
const VERSION: u32 = 2;

/// Why the plan was changed.
///
/// ```
/// use postcode_core::layers::walk::Cause;
///
/// assert_eq!(serde_json::to_string(&Cause::TakenOver)?, "\"taken-over\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// The walk began, or began again after a pause.
    Began,
    /// All criteria of the step were shown. After the last step the stage stays.
    Shown,
    /// The step was not shown in its time, and the promotion went back.
    NotShown,
    /// The step was not shown in its time, and the promotion stays.
    GaveUp,
    /// The guard stepped back.
    Guard,
    /// Someone else changed the stage or the share. The walk ended there.
    TakenOver,
}

/// A change of the plan, or the end of the walk.
///
/// ```
/// use postcode_core::layers::walk::Move;
///
/// fn line(step: &Move) -> String {
///     format!("{}. {} to {}: {}", step.revision, step.from, step.to, step.reason)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Counts the moves from 1.
    pub revision: u64,
    /// The time, in milliseconds since the beginning of 1970 (UTC).
    pub at_ms: u64,
    /// Why.
    pub cause: Cause,
    /// The stage before.
    pub from: Stage,
    /// The stage after.
    pub to: Stage,
    /// The share after, 0 to 1.
    pub share: f64,
    /// The reason in words.
    pub reason: String,
    /// The observations in the stage before.
    pub evidence: Evidence,
    /// The criteria of the step that was left, and what the observations say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// The observations by which the guard stepped back, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Grounds>,
}

/// How a walk ended.
///
/// ```
/// use postcode_core::layers::walk::Outcome;
///
/// fn exit_code(outcome: Outcome) -> u8 {
///     if outcome == Outcome::Done { 0 } else { 1 }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All steps were shown.
    Done,
    /// The guard stepped back, and no retry was left.
    SteppedBack,
    /// A step was not shown in its time.
    NotShown,
    /// Someone else changed the plan.
    TakenOver,
}

/// The cost of one step.
///
/// ```
/// use postcode_core::layers::walk::Walked;
///
/// /// Returns how much more processor time a call takes after the walk.
/// fn more_cpu_us(walked: &Walked) -> Option<f64> {
///     Some(walked.after.cpu_us_a_call? - walked.before.cpu_us_a_call?)
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// The stage of the step.
    pub stage: Stage,
    /// Calls of the consumer in it.
    pub calls: u64,
    /// The length of the step.
    pub seconds: f64,
    /// Processor time of the whole consumer for each call, in microseconds. `None` if the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_us_a_call: Option<f64>,
    /// Resident memory of the consumer at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<f64>,
    /// The latencies of the old implementation until then.
    pub old: LatencySummary,
    /// The latencies of the new one.
    pub new: LatencySummary,
}

/// The differences that comparisons found.
///
/// ```
/// use postcode_core::layers::walk::Differences;
///
/// let mut found = Differences::default();
/// (found.compared, found.matched) = (10_000, 10_000);
/// assert_eq!(found.causes.code, 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differences {
    /// Comparisons since the start of the program.
    pub compared: u64,
    /// Those with equal answers.
    pub matched: u64,
    /// Those with different answers.
    pub mismatched: u64,
    /// Those with different answers, by cause. Only `code` counts for the guard and the walk.
    pub causes: Causes,
    /// The first differences.
    pub examples: Vec<Example>,
}

/// A walk that has ended.
///
/// ```
/// use postcode_core::layers::walk::Walked;
///
/// fn seconds(walked: &Walked) -> Option<u64> {
///     let (first, last) = (walked.moves.first()?, walked.moves.last()?);
///     Some((last.at_ms - first.at_ms) / 1000)
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walked {
    /// How it ended.
    pub outcome: Outcome,
    /// The plan's revisions with their times.
    pub moves: Vec<Move>,
    /// The differences that comparisons found.
    pub differences: Differences,
    /// The cost of the first step.
    pub before: Cost,
    /// The cost of the last step.
    pub after: Cost,
}

/// One of the two implementations of a certificate.
///
/// ```
/// use postcode_core::layers::walk::CertifiedSide;
///
/// fn have_equal_answers(old: &CertifiedSide, new: &CertifiedSide) -> bool {
///     old.root.is_some() && old.root == new.root
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertifiedSide {
    /// Where its answers come from, without secrets.
    pub source: String,
    /// The edition of its data.
    pub edition: String,
    /// The fingerprint of its data.
    pub fingerprint: String,
    /// The hash of all its answers. `None` if it has none, or could not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Digest>,
}

/// A file that took part: the program, or its data.
///
/// ```
/// use postcode_core::layers::walk::CertifiedFile;
/// use postcode_core::wire::Digest;
///
/// let file = CertifiedFile { name: "uk.postcodes".to_owned(), bytes: 48_000_000, sha256: Digest([0xab; 32]) };
/// println!("{} {}", file.sha256, file.name); // as `sha256sum` writes it
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertifiedFile {
    /// The name of the file, without its folder.
    pub name: String,
    /// The length of the file.
    pub bytes: u64,
    /// The SHA-256 of the file.
    pub sha256: Digest,
}

/// The moves of a walk and their reasons, so that they can be derived again elsewhere.
///
/// Created by [`new`](Self::new). [`to_text`](Self::to_text) writes it, [`from_text`](Self::from_text) reads it, and
/// [`check`](Self::check) derives it again:
///
/// ```
/// use postcode_core::Result;
/// use postcode_core::layers::walk::Certificate;
///
/// /// Reads a certificate, and derives its decisions again.
/// fn checked(text: &str) -> Result<Certificate> {
///     let certificate = Certificate::from_text(text)?;
///     certificate.check()?;
///     assert_eq!(certificate.to_text()?, text);
///     Ok(certificate)
/// }
/// assert!(checked("{}").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The version of this form.
    pub version: u32,
    /// The program that walked, with its version.
    pub program: String,
    /// The files that took part.
    pub files: Vec<CertifiedFile>,
    /// The old implementation.
    pub old: CertifiedSide,
    /// The new implementation.
    pub new: CertifiedSide,
    /// The guard's limits.
    pub guard: Guard,
    /// The steps.
    pub walk: Walk,
    /// The walk itself.
    pub walked: Walked,
}

/// A certificate with the hash of its compact JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    certificate: Certificate,
    sha256: Digest,
}

impl Certificate {
    /// Creates a certificate of the current version, without files. `sides` are the old and the new
    /// implementation.
    ///
    /// ```
    /// # use postcode_core::layers::walk::{Cause, CertifiedSide, Cost, Differences, Move, Outcome, Walk, WalkStep, Walked};
    /// # use postcode_core::layers::{Evidence, Guard, LatencySummary, Stage};
    /// # let side = |source: &str| CertifiedSide { source: source.to_owned(), edition: "May 2025".to_owned(), fingerprint: "8f3a".to_owned(), root: None };
    /// # let (old, new) = (side("embedded:"), side("http://127.0.0.1:8080"));
    /// # let mut shadow = WalkStep::new(Stage::Shadow, Some(0.2));
    /// # shadow.compared = 1_000;
    /// # let walk = Walk::new(vec![shadow]);
    /// # let moved = |revision, cause, from, to| Move {
    /// #     revision, at_ms: 1_764_342_000_000, cause, from, to, share: 0.2, reason: "of an example".to_owned(),
    /// #     evidence: Evidence::default(), criteria: Vec::new(), grounds: None,
    /// # };
    /// # let moves = vec![moved(1, Cause::Began, Stage::Local, Stage::Shadow), moved(2, Cause::TakenOver, Stage::Shadow, Stage::Local)];
    /// # let times = LatencySummary { count: 0, p50_us: None, p90_us: None, p99_us: None };
    /// # let cost = |stage| Cost { stage, calls: 0, seconds: 60.0, cpu_us_a_call: None, memory_bytes: None, old: times, new: times };
    /// # let (before, after) = (cost(Stage::Local), cost(Stage::Shadow));
    /// # let walked = Walked { outcome: Outcome::TakenOver, moves, differences: Differences::default(), before, after };
    /// use postcode_core::layers::walk::Certificate;
    ///
    /// let certificate = Certificate::new("orders 1.0".to_owned(), [old, new], Guard::default(), walk, walked);
    /// assert_eq!((certificate.version, &*certificate.old.source), (2, "embedded:"));
    /// assert!(certificate.files.is_empty()); // the caller adds them
    /// ```
    pub fn new(program: String, sides: [CertifiedSide; 2], guard: Guard, walk: Walk, walked: Walked) -> Self {
        let [old, new] = sides;
        Self { version: VERSION, program, files: Vec::new(), old, new, guard, walk, walked }
    }

    /// Returns the text of its file: JSON, with a hash of all of it.
    ///
    /// ```
    /// # use postcode_core::layers::walk::{Cause, CertifiedSide, Cost, Differences, Move, Outcome, Walk, WalkStep, Walked};
    /// # use postcode_core::layers::{Evidence, Guard, LatencySummary, Stage};
    /// # let side = |source: &str| CertifiedSide { source: source.to_owned(), edition: "May 2025".to_owned(), fingerprint: "8f3a".to_owned(), root: None };
    /// # let (old, new) = (side("embedded:"), side("http://127.0.0.1:8080"));
    /// # let mut shadow = WalkStep::new(Stage::Shadow, Some(0.2));
    /// # shadow.compared = 1_000;
    /// # let walk = Walk::new(vec![shadow]);
    /// # let moved = |revision, cause, from, to| Move {
    /// #     revision, at_ms: 1_764_342_000_000, cause, from, to, share: 0.2, reason: "of an example".to_owned(),
    /// #     evidence: Evidence::default(), criteria: Vec::new(), grounds: None,
    /// # };
    /// # let moves = vec![moved(1, Cause::Began, Stage::Local, Stage::Shadow), moved(2, Cause::TakenOver, Stage::Shadow, Stage::Local)];
    /// # let times = LatencySummary { count: 0, p50_us: None, p90_us: None, p99_us: None };
    /// # let cost = |stage| Cost { stage, calls: 0, seconds: 60.0, cpu_us_a_call: None, memory_bytes: None, old: times, new: times };
    /// # let (before, after) = (cost(Stage::Local), cost(Stage::Shadow));
    /// # let walked = Walked { outcome: Outcome::TakenOver, moves, differences: Differences::default(), before, after };
    /// use postcode_core::layers::walk::Certificate;
    ///
    /// # let certificate = Certificate::new("orders 1.0".to_owned(), [old, new], Guard::default(), walk, walked);
    /// let text = certificate.to_text()?;
    /// assert!(text.contains("\"program\": \"orders 1.0\"") && text.contains("\"sha256\""));
    /// assert_eq!(Certificate::from_text(&text)?, certificate);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) if it can't be written as JSON.
    pub fn to_text(&self) -> Result<String> {
        let failed = |error: serde_json::Error| {
            Error::new(crate::ErrorKind::Internal, "a certificate can't be written as JSON")
                .with_source(error)
        };
        let sha256 = Digest(Sha256::digest(serde_json::to_vec(self).map_err(failed)?).into());
        let sealed = Sealed { certificate: self.clone(), sha256 };
        let mut text = serde_json::to_string_pretty(&sealed).map_err(failed)?;
        text.push('\n');
        Ok(text)
    }

    /// Parses the text of a file, which must be exactly as [`to_text`](Self::to_text) writes it.
    ///
    /// ```
    /// # use postcode_core::layers::walk::{Cause, CertifiedSide, Cost, Differences, Move, Outcome, Walk, WalkStep, Walked};
    /// # use postcode_core::layers::{Evidence, Guard, LatencySummary, Stage};
    /// # let side = |source: &str| CertifiedSide { source: source.to_owned(), edition: "May 2025".to_owned(), fingerprint: "8f3a".to_owned(), root: None };
    /// # let (old, new) = (side("embedded:"), side("http://127.0.0.1:8080"));
    /// # let mut shadow = WalkStep::new(Stage::Shadow, Some(0.2));
    /// # shadow.compared = 1_000;
    /// # let walk = Walk::new(vec![shadow]);
    /// # let moved = |revision, cause, from, to| Move {
    /// #     revision, at_ms: 1_764_342_000_000, cause, from, to, share: 0.2, reason: "of an example".to_owned(),
    /// #     evidence: Evidence::default(), criteria: Vec::new(), grounds: None,
    /// # };
    /// # let moves = vec![moved(1, Cause::Began, Stage::Local, Stage::Shadow), moved(2, Cause::TakenOver, Stage::Shadow, Stage::Local)];
    /// # let times = LatencySummary { count: 0, p50_us: None, p90_us: None, p99_us: None };
    /// # let cost = |stage| Cost { stage, calls: 0, seconds: 60.0, cpu_us_a_call: None, memory_bytes: None, old: times, new: times };
    /// # let (before, after) = (cost(Stage::Local), cost(Stage::Shadow));
    /// # let walked = Walked { outcome: Outcome::TakenOver, moves, differences: Differences::default(), before, after };
    /// use postcode_core::layers::walk::Certificate;
    ///
    /// # let certificate = Certificate::new("orders 1.0".to_owned(), [old, new], Guard::default(), walk, walked);
    /// let changed = certificate.to_text()?.replace("orders 1.0", "orders 2.0");
    /// let error = Certificate::from_text(&changed).unwrap_err();
    /// assert!(error.to_string().starts_with("the file was changed"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the text is not a certificate, has another version,
    /// or was changed, even by one character.
    pub fn from_text(text: &str) -> Result<Self> {
        let sealed: Sealed = serde_json::from_str(text)
            .map_err(|error| Error::invalid(format!("not a certificate of a walk: {error}")))?;
        let Sealed { certificate, sha256 } = sealed;
        if certificate.version != VERSION {
            return Err(Error::invalid(format!(
                "version {}: this program reads {VERSION}",
                certificate.version
            )));
        }
        let expected = certificate.to_text()?;
        if expected != text {
            let found = Digest(Sha256::digest(serde_json::to_vec(&certificate).unwrap_or_default()).into());
            return Err(Error::invalid(if found == sha256 {
                "the file is not as it was written: its spaces or its numbers were changed".to_owned()
            } else {
                format!("the file was changed: its contents have the SHA-256 {found}, and it says {sha256}")
            }));
        }
        Ok(certificate)
    }

    /// Derives the walk again: each decision from the recorded observations and the steps.
    ///
    /// A step back by the guard is derived from the last values of its test, in their order, and what the test had
    /// gathered before them.
    ///
    /// ```
    /// # use postcode_core::layers::walk::{Cause, CertifiedSide, Cost, Differences, Move, Outcome, Walk, WalkStep, Walked};
    /// # use postcode_core::layers::{Evidence, Guard, LatencySummary, Stage};
    /// # let side = |source: &str| CertifiedSide { source: source.to_owned(), edition: "May 2025".to_owned(), fingerprint: "8f3a".to_owned(), root: None };
    /// # let (old, new) = (side("embedded:"), side("http://127.0.0.1:8080"));
    /// # let mut shadow = WalkStep::new(Stage::Shadow, Some(0.2));
    /// # shadow.compared = 1_000;
    /// # let walk = Walk::new(vec![shadow]);
    /// # let moved = |revision, cause, from, to| Move {
    /// #     revision, at_ms: 1_764_342_000_000, cause, from, to, share: 0.2, reason: "of an example".to_owned(),
    /// #     evidence: Evidence::default(), criteria: Vec::new(), grounds: None,
    /// # };
    /// # let moves = vec![moved(1, Cause::Began, Stage::Local, Stage::Shadow), moved(2, Cause::TakenOver, Stage::Shadow, Stage::Local)];
    /// # let times = LatencySummary { count: 0, p50_us: None, p90_us: None, p99_us: None };
    /// # let cost = |stage| Cost { stage, calls: 0, seconds: 60.0, cpu_us_a_call: None, memory_bytes: None, old: times, new: times };
    /// # let (before, after) = (cost(Stage::Local), cost(Stage::Shadow));
    /// # let walked = Walked { outcome: Outcome::TakenOver, moves, differences: Differences::default(), before, after };
    /// use postcode_core::layers::walk::Certificate;
    ///
    /// # let mut certificate = Certificate::new("orders 1.0".to_owned(), [old, new], Guard::default(), walk, walked);
    /// assert!(certificate.check().is_ok());
    /// certificate.walked.outcome = Outcome::Done;
    /// assert!(certificate.check().unwrap_err().to_string().contains("does not follow from the moves"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the first move that does not follow.
    pub fn check(&self) -> Result<()> {
        self.walk.check()?;
        let moves = &self.walked.moves;
        let wrong = |at: &Move, what: &str| {
            Err(Error::invalid(format!("move {} ({} to {}): {what}", at.revision, at.from, at.to)))
        };
        let steps = &self.walk.steps;
        // The step that the walk is in, and how often it began.
        let (mut current, mut begun): (Option<usize>, u32) = (None, 0);
        let mut ended = None;
        let mut before: Option<&Move> = None;
        for this in moves {
            if ended.is_some() {
                return wrong(this, "the walk had ended");
            }
            let number = before.map_or(1, |before| before.revision + 1);
            if this.revision != number || before.is_some_and(|before| before.at_ms > this.at_ms) {
                return wrong(this, "revisions and times must grow");
            }
            // In the pause after a step back the guard may step back once more.
            let follows = |before: &Move| {
                before.to == this.from || before.cause == Cause::Guard && this.from < before.to
            };
            if !before.is_none_or(follows) {
                return wrong(this, "the move before ended in another stage");
            }
            if this.grounds.is_some() != (this.cause == Cause::Guard) {
                return wrong(this, "only the guard steps back, and always with its observations");
            }
            check_counts(&this.evidence).or_else(|what| wrong(this, what))?;
            match (this.cause, current) {
                (Cause::Began, None) => {
                    begun += 1;
                    if this.to != steps[0].stage || begun > self.walk.retries + 1 {
                        return wrong(this, "the walk does not begin so");
                    }
                    current = Some(0);
                }
                (Cause::Began, Some(_)) | (_, None) => return wrong(this, "not in a step"),
                (Cause::Shown | Cause::NotShown | Cause::GaveUp, Some(at)) => {
                    let took =
                        Duration::from_millis(this.at_ms - before.map_or(this.at_ms, |before| before.at_ms));
                    let (decision, criteria) = steps[at].decide(&this.evidence, took, self.walk.chance);
                    if !same(&criteria, &this.criteria) {
                        return wrong(this, "the criteria do not follow from the observations");
                    }
                    let (expected, to) = match this.cause {
                        Cause::Shown => {
                            (Decision::Forward, steps.get(at + 1).map_or(this.from, |next| next.stage))
                        }
                        Cause::NotShown => (Decision::Back, back(this.from)),
                        _ => (Decision::GiveUp, this.from),
                    };
                    if decision != expected || this.to != to {
                        return wrong(this, "the decision does not follow from the observations");
                    }
                    match this.cause {
                        Cause::Shown if at + 1 < steps.len() => current = Some(at + 1),
                        Cause::Shown => ended = Some(Outcome::Done),
                        _ => ended = Some(Outcome::NotShown),
                    }
                }
                (Cause::Guard, Some(_)) => {
                    if ![back(this.from), back(back(this.from))].contains(&this.to) || this.to >= this.from {
                        return wrong(this, "the guard does not step back so");
                    }
                    let Some(grounds) = &this.grounds else {
                        return wrong(this, "the guard had no reason");
                    };
                    grounds
                        .check(&self.guard, &this.evidence, &this.reason)
                        .or_else(|what| wrong(this, what))?;
                    current = None;
                    if begun > self.walk.retries {
                        ended = Some(Outcome::SteppedBack);
                    }
                }
                (Cause::TakenOver, Some(_)) => ended = Some(Outcome::TakenOver),
            }
            let kept = before.map(|before| before.share);
            let share = match (this.cause, current) {
                (Cause::Began | Cause::Shown, Some(at)) if ended.is_none() => steps[at].share.or(kept),
                (Cause::Guard | Cause::TakenOver, _) => None,
                _ => kept,
            };
            // A plan keeps shares to six digits.
            if share.is_some_and(|share| (share - this.share).abs() > 1e-6) {
                return wrong(this, "the share is not that of the step");
            }
            before = Some(this);
        }
        // Only the last of several steps back ends the walk, and a walk may be taken over in a pause.
        let outcome = match (ended, current) {
            (None, None) if before.is_some_and(|last| last.cause == Cause::Guard) => Some(Outcome::TakenOver),
            (ended, _) => ended,
        };
        if outcome != Some(self.walked.outcome) {
            return Err(Error::invalid(format!(
                "the outcome {:?} does not follow from the moves",
                self.walked.outcome
            )));
        }
        let seen = &self.walked.differences;
        let compared: u64 = moves.iter().map(|one| one.evidence.compared).sum();
        let causes = seen.causes.edition + seen.causes.noise + seen.causes.code;
        if seen.matched + seen.mismatched != seen.compared
            || causes > seen.mismatched
            || compared > seen.compared
        {
            return Err(Error::invalid("the comparisons do not add up"));
        }
        Ok(())
    }
}

fn check_counts(evidence: &Evidence) -> std::result::Result<(), &'static str> {
    let parts = [
        (evidence.failed, evidence.asked),
        (evidence.slow, evidence.asked),
        (evidence.old_failed, evidence.old_asked),
        (evidence.mismatched, evidence.compared),
    ];
    if parts.iter().all(|(part, whole)| part <= whole) {
        Ok(())
    } else {
        Err("a part is larger than the whole")
    }
}

/// Returns whether two computations of the criteria agree.
fn same(one: &[Criterion], other: &[Criterion]) -> bool {
    let close = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => crate::layers::promotion::close(one, other),
        (one, other) => one == other,
    };
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            let without = |criterion: &Criterion| Criterion { evidence: None, ..criterion.clone() };
            close(one.evidence, other.evidence) && without(one) == without(other)
        })
}

/// Returns the stage in which the old implementation answers again.
pub(super) fn back(stage: Stage) -> Stage {
    match stage {
        Stage::Local | Stage::Shadow => Stage::Local,
        Stage::Canary | Stage::RemoteWithFallback | Stage::Remote => Stage::Shadow,
    }
}
