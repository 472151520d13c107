//! The stages of a promotion.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The stage of a promotion from an old implementation (a library in the process) to a new one (a
/// service).
///
/// [`as_str`](Self::as_str) names it:
///
/// ```
/// use postcode_core::layers::Stage;
///
/// assert_eq!(Stage::RemoteWithFallback.as_str(), "remote-with-fallback");
/// assert!(Stage::Local < Stage::Remote); // in the order of a promotion
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The old implementation answers.
    Local,
    /// The old implementation answers. A share of the calls is also sent to the new one, in the
    /// background, and compared.
    Shadow,
    /// The new implementation answers a share of the calls, and the old one if it fails. Answers
    /// are compared in the background.
    Canary,
    /// The new implementation answers, and the old one if it fails.
    RemoteWithFallback,
    /// The new implementation answers.
    Remote,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 5] =
        [Self::Local, Self::Shadow, Self::Canary, Self::RemoteWithFallback, Self::Remote];

    /// Returns the name in options and in JSON, such as `remote-with-fallback`.
    ///
    /// ```
    /// use postcode_core::layers::Stage;
    ///
    /// assert_eq!(Stage::ALL.map(Stage::as_str), ["local", "shadow", "canary", "remote-with-fallback", "remote"]);
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::RemoteWithFallback => "remote-with-fallback",
            Self::Remote => "remote",
        }
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == s).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(format!("stage {s:?}: give one of {names}"))
        })
    }
}

/// A stage and its share, which together decide how one call is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) stage: Stage,
    /// The share, in units of 1 / [`u32::MAX`].
    share: u32,
    /// Counts the changes, so that results of an earlier plan are recognised.
    revision: u32,
}

impl Plan {
    /// Stage `local`, with a share of a tenth for the next stage.
    pub(super) const LOCAL: Self = Self { stage: Stage::Local, share: u32::MAX / 10, revision: 0 };

    pub(super) fn new(stage: Stage, share: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::invalid(format!("a share of {share}: give 0 to 1")));
        }
        Ok(Self { stage, share: (share * f64::from(u32::MAX)).round() as u32, revision: 0 })
    }

    /// Returns the same plan in another stage.
    pub(super) fn with_stage(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// Returns the plan as one word.
    pub(super) fn word(self) -> u64 {
        u64::from(self.stage as u8) << 56 | u64::from(self.revision & REVISION) << 32 | u64::from(self.share)
    }

    /// Reads a plan from its word.
    pub(super) fn from_word(word: u64) -> Self {
        let stage = Stage::ALL[((word >> 56) as usize).min(Stage::ALL.len() - 1)];
        Self { stage, revision: (word >> 32) as u32 & REVISION, share: word as u32 }
    }

    /// Returns the share, 0 to 1, to six digits.
    pub(super) fn share(self) -> f64 {
        (f64::from(self.share) / f64::from(u32::MAX) * 1e6).round() / 1e6
    }

    /// Returns whether the call with this number, or the key with this hash, is in the share. What is
    /// in a share is in every larger one. The choice looks random, so that
    /// no pattern in the calls affects it, and is the same in every run.
    pub(super) fn samples(self, number: u64) -> bool {
        // The finaliser of splitmix64 (Steele, Lea and Flood, 2014).
        let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let chance = ((z ^ (z >> 31)) >> 32) as u32;
        self.share == u32::MAX || chance < self.share
    }
}

/// The plan of all calls that begin now: one atomic word, read and changed without locks.
#[derive(Debug)]
pub(super) struct CurrentPlan(AtomicU64);

/// The bits of a revision, which wraps around after 16 million changes.
const REVISION: u32 = 0x00ff_ffff;

impl CurrentPlan {
    pub(super) fn new(plan: Plan) -> Self {
        Self(AtomicU64::new(plan.word()))
    }

    pub(super) fn get(&self) -> Plan {
        Plan::from_word(self.0.load(SeqCst))
    }

    /// Changes the stage, and the share if one is given. Returns the previous plan.
    pub(super) fn set(&self, stage: Stage, share: Option<f64>) -> Result<Plan> {
        let given = share.map(|share| Plan::new(stage, share)).transpose()?;
        let next = |word_before| {
            let before = Plan::from_word(word_before);
            let share = given.map_or(before.share, |plan| plan.share);
            Some(Plan { stage, share, revision: before.revision + 1 }.word())
        };
        let (Ok(before) | Err(before)) = self.0.fetch_update(SeqCst, SeqCst, next);
        Ok(Plan::from_word(before))
    }

    /// Changes the stage if the plan is still `from`.
    pub(super) fn change(&self, from: Plan, stage: Stage) -> bool {
        let to = Plan { stage, revision: from.revision + 1, ..from };
        self.0.compare_exchange(from.word(), to.word(), SeqCst, SeqCst).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_have_one_name_everywhere() {
        for stage in Stage::ALL {
            assert_eq!(stage.to_string().parse::<Stage>().unwrap(), stage);
            assert_eq!(serde_json::to_string(&stage).unwrap(), format!("\"{stage}\""));
        }
        let error = "Remote".parse::<Stage>().unwrap_err().to_string();
        assert!(error.contains("\"Remote\"") && error.contains("remote-with-fallback"), "{error}");
    }

    #[test]
    fn a_share_is_that_share_of_the_calls_without_a_pattern() {
        for share in [0.0, 0.001, 0.1, 0.5, 0.999, 1.0] {
            let plan = Plan::new(Stage::Shadow, share).unwrap();
            assert_eq!(plan.share(), share);
            for every in [1, 2, 7] {
                let sampled = (0..100_000).filter(|n| plan.samples(n * every)).count() as f64 / 100_000.0;
                let exact = share == 0.0 || share == 1.0;
                assert!((sampled - share).abs() <= if exact { 0.0 } else { 0.005 }, "{share}: {sampled}");
            }
        }
        for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Plan::new(Stage::Shadow, share).is_err(), "{share}");
        }
    }

    #[test]
    fn a_change_from_a_plan_that_is_gone_is_none() {
        let current = CurrentPlan::new(Plan::new(Stage::Local, 0.25).unwrap());
        let local = current.get();
        current.set(Stage::Canary, Some(0.5)).unwrap();
        assert!(!current.change(local, Stage::Remote));
        let canary = current.get();
        current.set(Stage::Canary, None).unwrap();
        assert!(!current.change(canary, Stage::Local), "setting the same stage again still makes a new plan");
        assert!(current.change(current.get(), Stage::Shadow));
        assert_eq!((current.get().stage, current.get().share()), (Stage::Shadow, 0.5));
        assert!(current.set(Stage::Remote, Some(2.0)).is_err());
        assert_eq!(current.get().stage, Stage::Shadow);
    }
}
