//! The steps of a walk, and when each is done.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::layers::promotion::{Evidence, Stage, evidence_below};
use crate::{Error, Result};

/// The most steps of a walk.
const MOST_STEPS: usize = 32;
/// The most times that a walk begins again.
const MOST_RETRIES: u32 = 100;

/// A walk: the steps of a promotion, each with what must be shown before the next one.
///
/// A program reads it from a file such as
///
/// ```toml
/// chance = "1%"
///
/// [[step]]
/// stage = "shadow"
/// share = "20%"
/// compared = 1000
/// differences = "1%"
///
/// [[step]]
/// stage = "canary"
/// share = "10%"
/// errors = "1%"
/// slow = "5%"
/// at_least = "10m"
/// at_most = "1d"
/// otherwise = "back"
///
/// [[step]]
/// stage = "remote-with-fallback"
/// calls = 1000
/// ```
///
/// In code it is created by [`new`](Self::new). [`check`](Self::check) finds what is wrong:
///
/// ```
/// use postcode_core::layers::Stage;
/// use postcode_core::layers::walk::{Walk, WalkStep};
///
/// let mut shadow = WalkStep::new(Stage::Shadow, Some(0.2));
/// shadow.compared = 1_000;
/// Walk::new(vec![shadow]).check()?;
/// assert!(Walk::new(Vec::new()).check().is_err()); // a walk needs a step
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Walk {
    /// The chance that one limit of one step counts as kept although it is not. Default: 0.01.
    #[serde(default = "one_percent", with = "share")]
    pub chance: f64,
    /// How often the walk begins again after the guard has stepped back. Default: 0.
    #[serde(default)]
    pub retries: u32,
    /// The pause before it begins again. Default: 1 min.
    #[serde(default = "minute", with = "time")]
    pub pause: Duration,
    /// The steps, in order.
    #[serde(rename = "step")]
    pub steps: Vec<WalkStep>,
}

/// A step of a [`Walk`]: a stage, and what must be shown in it.
///
/// Created by [`new`](Self::new). [`decide`](Self::decide) says what to do next:
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::walk::{Decision, WalkStep};
/// use postcode_core::layers::{Evidence, Stage};
///
/// let mut step = WalkStep::new(Stage::Canary, Some(0.1));
/// step.calls = 1_000;
/// let mut seen = Evidence::default();
/// seen.asked = 400;
/// let (decision, criteria) = step.decide(&seen, Duration::from_secs(60), 0.01);
/// assert_eq!((decision, criteria[0].shown), (Decision::Hold, false));
/// seen.asked = 1_000;
/// assert_eq!(step.decide(&seen, Duration::from_secs(90), 0.01).0, Decision::Forward);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WalkStep {
    /// The stage.
    pub stage: Stage,
    /// The share of calls for `shadow` and `canary`, 0 to 1. `None` leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_share")]
    pub share: Option<f64>,
    /// Calls to the new implementation, at least.
    #[serde(default)]
    pub calls: u64,
    /// Comparisons, at least.
    #[serde(default)]
    pub compared: u64,
    /// The share of failed calls that must be shown to be kept below.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_share")]
    pub errors: Option<f64>,
    /// The share of different answers that must be shown to be kept below.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_share")]
    pub differences: Option<f64>,
    /// The share of calls slower than the guard's `slow` that must be shown to be kept below. With 1 %
    /// it is the 99th percentile that must be below `slow`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_share")]
    pub slow: Option<f64>,
    /// The time in the stage, at least.
    #[serde(default, with = "time")]
    pub at_least: Duration,
    /// The time after which the step counts as not shown. `None` waits.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_time")]
    pub at_most: Option<Duration>,
    /// The end of a step that is not shown in that time.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// The end of a step that is not shown in its time.
///
/// ```
/// use postcode_core::layers::walk::Otherwise;
///
/// assert_eq!(Otherwise::default(), Otherwise::Hold);
/// assert_eq!(serde_json::to_string(&Otherwise::Back)?, "\"back\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// The promotion stays in the stage, and the walk ends.
    #[default]
    Hold,
    /// The promotion goes back to a stage in which the old implementation answers, and the walk ends.
    Back,
}

/// The decision about a step at one look.
///
/// ```
/// use postcode_core::layers::walk::Decision;
///
/// fn is_over(decision: Decision) -> bool {
///     matches!(decision, Decision::GiveUp | Decision::Back)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// All is shown: to the next step.
    Forward,
    /// Not all is shown yet: stay.
    Hold,
    /// The time is over, and the step says [`Otherwise::Hold`].
    GiveUp,
    /// The time is over, and the step says [`Otherwise::Back`].
    Back,
}

/// A criterion of a step, and what the observations say about it.
///
/// ```
/// use postcode_core::layers::walk::Criterion;
///
/// fn line(criterion: &Criterion) -> String {
///     format!("{}: {} of {}, limit {}", criterion.name, criterion.count, criterion.of, criterion.limit)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// The name in the file: `calls`, `compared`, `errors`, `differences`, `slow` or `at_least`.
    pub name: String,
    /// The limit.
    pub limit: f64,
    /// The number that counts.
    pub count: u64,
    /// The number that it is a part of.
    pub of: u64,
    /// The evidence that the limit is kept: how many to one. At least 1 / chance shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<f64>,
    /// Whether that is enough.
    pub shown: bool,
}

impl WalkStep {
    /// Creates a step of a stage with nothing to show, which [`Walk::check`] refuses: set what must be shown.
    ///
    /// ```
    /// use postcode_core::layers::Stage;
    /// use postcode_core::layers::walk::{Walk, WalkStep};
    ///
    /// let mut step = WalkStep::new(Stage::Canary, Some(0.1));
    /// let error = Walk::new(vec![step.clone()]).check().unwrap_err();
    /// assert!(error.to_string().contains("nothing to show"));
    /// step.errors = Some(0.01); // fewer than one call in a hundred fails
    /// assert!(Walk::new(vec![step]).check().is_ok());
    /// ```
    pub fn new(stage: Stage, share: Option<f64>) -> Self {
        Self {
            stage,
            share,
            calls: 0,
            compared: 0,
            errors: None,
            differences: None,
            slow: None,
            at_least: Duration::ZERO,
            at_most: None,
            otherwise: Otherwise::Hold,
        }
    }

    /// Decides what to do after this time in the stage. `chance` is [that of the walk](Walk::chance).
    ///
    /// Call it at any time and as often as you like: the evidence holds at all looks together.
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::layers::walk::{Decision, Otherwise, WalkStep};
    /// use postcode_core::layers::{Evidence, Stage};
    ///
    /// let mut step = WalkStep::new(Stage::Canary, Some(0.1));
    /// (step.errors, step.otherwise) = (Some(0.01), Otherwise::Back);
    /// step.at_most = Some(Duration::from_secs(3600));
    /// let mut seen = Evidence::default();
    /// (seen.asked, seen.failed) = (100, 5);
    /// let decide = |minutes: u64| step.decide(&seen, Duration::from_secs(60 * minutes), 0.01).0;
    /// assert_eq!((decide(10), decide(60)), (Decision::Hold, Decision::Back));
    /// ```
    pub fn decide(&self, evidence: &Evidence, took: Duration, chance: f64) -> (Decision, Vec<Criterion>) {
        let mut criteria = Vec::new();
        let mut least = |name: &str, limit: u64, count: u64| {
            if limit > 0 {
                criteria.push(Criterion {
                    name: name.to_owned(),
                    limit: limit as f64,
                    count,
                    of: count,
                    evidence: None,
                    shown: count >= limit,
                });
            }
        };
        least("calls", self.calls, evidence.asked);
        least("compared", self.compared, evidence.compared);
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        least("at_least", millis(self.at_least), millis(took));
        for (name, limit, count, of) in [
            ("errors", self.errors, evidence.failed, evidence.asked),
            ("differences", self.differences, evidence.mismatched, evidence.compared),
            ("slow", self.slow, evidence.slow, evidence.asked),
        ] {
            let Some(limit) = limit else { continue };
            let found = evidence_below(limit, count, of);
            criteria.push(Criterion {
                name: name.to_owned(),
                limit,
                count,
                of,
                evidence: Some(found),
                shown: found >= 1.0 / chance,
            });
        }
        let decision = if criteria.iter().all(|criterion| criterion.shown) {
            Decision::Forward
        } else if self.at_most.is_none_or(|longest| took < longest) {
            Decision::Hold
        } else if self.otherwise == Otherwise::Back {
            Decision::Back
        } else {
            Decision::GiveUp
        };
        (decision, criteria)
    }

    fn check(&self) -> Result<()> {
        let stage = self.stage;
        let wrong = |what: String| Err(Error::invalid(format!("step {stage}: {what}")));
        if self.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return wrong("share: give 0% to 100%".to_owned());
        }
        for (name, limit) in [("errors", self.errors), ("differences", self.differences), ("slow", self.slow)]
        {
            if limit.is_some_and(|limit| !(limit > 0.0 && limit <= 1.0)) {
                return wrong(format!("{name}: give more than 0%, at most 100%"));
            }
        }
        let calls_new = self.errors.is_some() || self.slow.is_some() || self.calls > 0;
        if stage == Stage::Local && (calls_new || self.differences.is_some() || self.compared > 0) {
            return wrong(
                "the new implementation is not called: only at_least and at_most can be given".to_owned(),
            );
        }
        let compares = matches!(stage, Stage::Shadow | Stage::Canary);
        if !compares && (self.differences.is_some() || self.compared > 0) {
            return wrong(
                "nothing is compared: give compared and differences in shadow and canary".to_owned(),
            );
        }
        if !(calls_new || self.differences.is_some() || self.compared > 0 || self.at_least > Duration::ZERO) {
            return wrong(
                "nothing to show: give calls, compared, errors, differences, slow or at_least".to_owned(),
            );
        }
        if self.at_most.is_some_and(|longest| longest < self.at_least) {
            return wrong("at_most is less than at_least".to_owned());
        }
        Ok(())
    }
}

impl Walk {
    /// Creates a walk with a chance of 1 %, no retries, and a pause of a minute.
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::layers::Stage;
    /// use postcode_core::layers::walk::{Walk, WalkStep};
    ///
    /// let walk = Walk::new(vec![WalkStep::new(Stage::Shadow, Some(0.2))]);
    /// assert_eq!((walk.chance, walk.retries, walk.pause), (0.01, 0, Duration::from_secs(60)));
    /// ```
    pub fn new(steps: Vec<WalkStep>) -> Self {
        Self { chance: one_percent(), retries: 0, pause: minute(), steps }
    }

    /// Checks that the steps can be walked.
    ///
    /// ```
    /// use postcode_core::layers::Stage;
    /// use postcode_core::layers::walk::{Walk, WalkStep};
    ///
    /// let step = |stage| {
    ///     let mut step = WalkStep::new(stage, None);
    ///     step.calls = 1_000;
    ///     step
    /// };
    /// assert!(Walk::new(vec![step(Stage::Canary), step(Stage::Remote)]).check().is_ok());
    /// let error = Walk::new(vec![step(Stage::Remote), step(Stage::Canary)]).check().unwrap_err();
    /// assert!(error.to_string().contains("give a later stage"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the step and what to give.
    pub fn check(&self) -> Result<()> {
        if !(self.chance > 0.0 && self.chance < 1.0) {
            return Err(Error::invalid("chance: give more than 0% and less than 100%"));
        }
        if self.retries > MOST_RETRIES {
            return Err(Error::invalid(format!("retries: give at most {MOST_RETRIES}")));
        }
        if self.steps.is_empty() || self.steps.len() > MOST_STEPS {
            return Err(Error::invalid(format!("give 1 to {MOST_STEPS} steps")));
        }
        self.steps.iter().try_for_each(WalkStep::check)?;
        for pair in self.steps.windows(2) {
            let [before, after] = pair else { continue };
            let grows = before.stage < after.stage
                || before.stage == after.stage && after.share.unwrap_or(0.0) > before.share.unwrap_or(1.0);
            if !grows {
                return Err(Error::invalid(format!(
                    "step {} after {}: give a later stage, or a larger share",
                    after.stage, before.stage
                )));
            }
        }
        Ok(())
    }
}

fn one_percent() -> f64 {
    0.01
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

/// A share or a time in a file: a text such as `10%` or `10m`, or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

fn share_of(written: &Written) -> std::result::Result<f64, String> {
    let share = match written {
        Written::Number(number) => Some(*number),
        Written::Text(text) => match text.strip_suffix('%') {
            Some(percent) => percent.trim_end().parse::<f64>().ok().map(|percent| percent / 100.0),
            None => text.parse().ok(),
        },
    };
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "give 0% to 100%, or 0 to 1".to_owned())
}

/// Reads `500ms`, `2s`, `10m`, `1h`, `1d`. A number is milliseconds.
fn time_of(written: &Written) -> std::result::Result<Duration, String> {
    const UNITS: [(&str, u64); 5] =
        [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    const LONGEST: u64 = 366 * 86_400_000;
    let millis = match written {
        Written::Number(number) => Some(*number as u64).filter(|millis| *millis as f64 == *number),
        Written::Text(text) => {
            let (number, unit) =
                text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
            let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
            number.parse::<u64>().ok().zip(unit).and_then(|(number, (_, each))| number.checked_mul(*each))
        }
    };
    let millis = millis.filter(|millis| *millis <= LONGEST);
    millis.map(Duration::from_millis).ok_or_else(|| "give a time such as 500ms, 10m or 1d".to_owned())
}

mod share {
    use super::{Deserialize, Deserializer, Serializer, Written, share_of};

    pub(super) fn serialize<S: Serializer>(share: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(*share)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        share_of(&Written::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

mod maybe_share {
    use super::{Deserializer, Serialize, Serializer, share};

    pub(super) fn serialize<S: Serializer>(share: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        share.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        share::deserialize(deserializer).map(Some)
    }
}

mod time {
    use super::{Deserialize, Deserializer, Duration, Serializer, Written, time_of};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        time_of(&Written::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

mod maybe_time {
    use super::{Deserializer, Duration, Serializer, time};

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::time::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        time::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(json: &str) -> Result<Walk> {
        let walk: Walk = serde_json::from_str(json).map_err(|error| Error::invalid(error.to_string()))?;
        walk.check()?;
        Ok(walk)
    }

    #[test]
    fn walk_reads_shares_and_times_and_comes_back_as_it_was_written() {
        let read = walk(
            r#"{"chance":"2%","step":[{"stage":"shadow","share":"20%","compared":1000,"differences":"0.5%"},
                {"stage":"canary","share":0.5,"errors":"1%","at_least":"10m","at_most":"1d","otherwise":"back"}]}"#,
        )
        .unwrap();
        assert_eq!((read.chance, read.retries, read.pause), (0.02, 0, Duration::from_secs(60)));
        assert_eq!((read.steps[0].share, read.steps[0].differences), (Some(0.2), Some(0.005)));
        assert_eq!(read.steps[1].at_least, Duration::from_secs(600));
        assert_eq!(read.steps[1].at_most, Some(Duration::from_secs(86_400)));
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(walk(&written).unwrap(), read, "{written}");
    }

    #[test]
    fn invalid_walk_says_what_to_give() {
        for (json, says) in [
            (r#"{"step":[]}"#, "1 to 32 steps"),
            (r#"{"step":[{"stage":"canary"}]}"#, "nothing to show"),
            (r#"{"step":[{"stage":"canary","errors":"0%"}]}"#, "errors: give more than 0%"),
            (r#"{"step":[{"stage":"canary","errors":"101%"}]}"#, "0% to 100%"),
            (r#"{"step":[{"stage":"canary","error":"1%"}]}"#, "unknown field `error`"),
            (r#"{"step":[{"stage":"canary","calls":1,"at_least":"10"}]}"#, "500ms, 10m"),
            (r#"{"step":[{"stage":"remote","calls":1,"compared":1}]}"#, "nothing is compared"),
            (r#"{"step":[{"stage":"local","errors":"1%"}]}"#, "not called"),
            (r#"{"step":[{"stage":"remote","calls":1},{"stage":"canary","calls":1}]}"#, "later stage"),
            (
                r#"{"step":[{"stage":"canary","calls":1,"share":"5%"},{"stage":"canary","calls":1,"share":"5%"}]}"#,
                "larger share",
            ),
            (r#"{"step":[{"stage":"canary","calls":1,"at_least":"2m","at_most":"1m"}]}"#, "at_most is less"),
            (r#"{"chance":"0%","step":[{"stage":"canary","calls":1}]}"#, "chance"),
        ] {
            let error = walk(json).unwrap_err().to_string();
            assert!(error.contains(says), "{json}: {error}");
        }
    }

    #[test]
    fn step_goes_forward_only_when_everything_is_shown() {
        let mut step = WalkStep::new(Stage::Canary, None);
        (step.calls, step.errors, step.differences) = (500, Some(0.02), Some(0.01));
        (step.at_least, step.at_most) = (Duration::from_secs(10), Some(Duration::from_secs(60)));
        let mut seen = Evidence { asked: 900, compared: 300, ..Evidence::default() };
        let at = Duration::from_secs;
        assert_eq!(
            step.decide(&seen, at(20), 0.01).0,
            Decision::Hold,
            "300 equal answers are not enough for 1 %"
        );
        seen.compared = 900;
        let (decision, criteria) = step.decide(&seen, at(20), 0.01);
        assert_eq!(decision, Decision::Forward);
        let names: Vec<&str> = criteria.iter().map(|criterion| criterion.name.as_str()).collect();
        assert_eq!(names, ["calls", "at_least", "errors", "differences"]);
        assert_eq!(step.decide(&seen, at(9), 0.01).0, Decision::Hold);
        seen.mismatched = 20;
        assert_eq!(step.decide(&seen, at(20), 0.01).0, Decision::Hold);
        assert_eq!(step.decide(&seen, at(60), 0.01).0, Decision::GiveUp);
        step.otherwise = Otherwise::Back;
        assert_eq!(step.decide(&seen, at(60), 0.01).0, Decision::Back);
    }
}
