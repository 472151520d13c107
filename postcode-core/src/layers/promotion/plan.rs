//! The plan of a promotion: a stage for all calls, and others for methods and cohorts.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::{Error, Result};

macro_rules! names {
    ([] $trait:ident $($method:ident $call:ident $hook:ident $same:ident $arguments:tt -> $reply:ty;)*) => {
        &[$(stringify!($method)),*]
    };
}

/// The methods of the lookup traits of this crate.
pub(super) const METHODS: [&[&str]; 3] = [
    crate::postcode_operations!([names] []),
    crate::place_operations!([names] []),
    crate::scottish_operations!([names] []),
];

/// The methods of `AddressLookup`, a sibling in the crate `postcode-addresses`. A test there compares them.
#[doc(hidden)]
pub const ADDRESS_METHODS: &[&str] =
    &["addresses", "address_page", "addresses_by_number", "nearest_addresses", "streets", "address_coverage"];

/// Returns whether a method tells the edition of the other calls. It has no row, because it goes where those go.
pub(super) fn is_info(method: &str) -> bool {
    matches!(method, "info" | "address_coverage")
}

/// The longest name of a cohort.
const LONGEST: usize = 64;

/// The calls that a row of a [`PromotionPlan`] is for.
///
/// Reads and writes as `default`, the name of a method such as `nearest`, or `cohort:` and a name of 1 to
/// 64 letters, digits, `-`, `_` and `.`.
///
/// ```
/// use postcode_core::layers::RowName;
///
/// assert_eq!("nearest".parse::<RowName>()?, RowName::Method("nearest"));
/// assert_eq!("cohort:import".parse::<RowName>()?, RowName::Cohort("import".into()));
/// assert!("nonsense".parse::<RowName>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RowName {
    /// All calls that no other row is for.
    #[default]
    Default,
    /// Calls of this method, except those of a cohort with a row.
    Method(&'static str),
    /// Calls inside of [`unit::cohort`](crate::unit::cohort) with this name.
    Cohort(Arc<str>),
}

impl Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad("default"),
            Self::Method(name) => f.pad(name),
            Self::Cohort(name) => write!(f, "cohort:{name}"),
        }
    }
}

impl FromStr for RowName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "default" {
            return Ok(Self::Default);
        }
        if let Some(name) = text.strip_prefix("cohort:") {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if name.is_empty() || name.len() > LONGEST || !name.bytes().all(allowed) {
                return Err(Error::invalid(format!(
                    "cohort {name:?}: give 1 to {LONGEST} letters, digits, \"-\", \"_\" and \".\""
                )));
            }
            return Ok(Self::Cohort(name.into()));
        }
        let methods = || METHODS.into_iter().chain([ADDRESS_METHODS]).flatten().filter(|name| !is_info(name));
        methods().find(|name| **name == text).map(|name| Self::Method(name)).ok_or_else(|| {
            let methods: Vec<_> = methods().copied().collect();
            Error::invalid(format!(
                "row {text:?}: give default, cohort:NAME, or one of {}",
                methods.join(", ")
            ))
        })
    }
}

impl Serialize for RowName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RowName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A stage, and the share of calls that `shadow` and `canary` take.
///
/// Parsed from a text, or created by [`new`](Self::new). [`share`](Self::share) reads a share alone:
///
/// ```
/// use postcode_core::layers::{Stage, Step};
///
/// assert_eq!("canary:5%".parse::<Step>()?, Step::new(Stage::Canary, Some(0.05))?);
/// assert!(Step::new(Stage::Canary, Some(5.0)).is_err());
/// assert_eq!(Step::share("10%")?, 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// The share, 0 to 1. `None` keeps the share that there is. A new row begins with the default
    /// row's share.
    pub share: Option<f64>,
}

impl Step {
    /// Creates a step. The share is 0 to 1, and `None` keeps the share that there is.
    ///
    /// ```
    /// use postcode_core::layers::{Stage, Step};
    ///
    /// assert_eq!(Step::new(Stage::Shadow, Some(0.1))?.to_string(), "shadow:0.1");
    /// assert!(Step::new(Stage::Shadow, Some(10.0)).is_err()); // not a percentage
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the share is not from 0 to 1.
    pub fn new(stage: Stage, share: Option<f64>) -> Result<Self> {
        match share {
            Some(share) if !(0.0..=1.0).contains(&share) => {
                Err(Error::invalid(format!("a share of {share}: give 0 to 1")))
            }
            _ => Ok(Self { stage, share }),
        }
    }

    /// Parses a share, such as `10%` or `0.1`. Returns 0 to 1.
    ///
    /// ```
    /// use postcode_core::layers::Step;
    ///
    /// assert_eq!((Step::share("2.5%")?, Step::share("0.025")?), (0.025, 0.025));
    /// assert!(Step::share("101%").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for any other text.
    pub fn share(text: &str) -> Result<f64> {
        let share = match text.strip_suffix('%') {
            Some(percent) => percent.trim_end().parse::<f64>().map(|percent| percent / 100.0),
            None => text.parse(),
        };
        match share {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
            _ => Err(Error::invalid("give 0% to 100%, or 0 to 1")),
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stage.fmt(f)?;
        match self.share {
            Some(share) => write!(f, ":{share}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Step {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (stage, share) = match text.split_once(':') {
            Some((stage, share)) => {
                let share = Self::share(share.trim())
                    .map_err(|error| Error::invalid(format!("share {:?}: {error}", share.trim())))?;
                (stage, Some(share))
            }
            None => (text, None),
        };
        Self::new(stage.trim().parse()?, share)
    }
}

/// The stages of a [`Promotion`](super::Promotion): one for all calls, and others for some methods and
/// cohorts.
///
/// Reads and writes as the stage of all calls and then `row=stage`, each with a share if you give one:
///
/// ```
/// use postcode_core::layers::{PromotionPlan, Stage};
///
/// // `nearest` goes to the new implementation, a fifth of the imports is compared, and the rest stays.
/// let plan: PromotionPlan = "local,nearest=remote-with-fallback,cohort:import=shadow:20%".parse()?;
/// assert_eq!(plan.default.stage, Stage::Local);
/// assert_eq!(plan.rows[&"cohort:import".parse()?].share, Some(0.2));
/// assert_eq!(plan.to_string(), "local,nearest=remote-with-fallback,cohort:import=shadow:0.2");
/// # Ok::<(), postcode_core::Error>(())
/// ```
///
/// A cohort's row is for all its calls. Otherwise a method's row is for its calls, and the default row
/// for the rest.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PromotionPlan {
    /// The step of all calls that no row is for.
    pub default: Step,
    /// The other rows.
    pub rows: BTreeMap<RowName, Step>,
}

impl PromotionPlan {
    /// Creates a plan without rows.
    ///
    /// ```
    /// use postcode_core::layers::{PromotionPlan, Stage, Step};
    ///
    /// let plan = PromotionPlan::new(Step::new(Stage::Shadow, Some(0.1))?);
    /// assert_eq!(plan.to_string(), "shadow:0.1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(default: Step) -> Self {
        Self { default, rows: BTreeMap::new() }
    }

    /// Adds or replaces a row.
    ///
    /// ```
    /// use postcode_core::layers::{PromotionPlan, Stage, Step};
    ///
    /// let plan = PromotionPlan::new(Step::new(Stage::Local, None)?)
    ///     .with("nearest".parse()?, Step::new(Stage::Remote, None)?);
    /// assert_eq!(plan.to_string(), "local,nearest=remote");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with(mut self, row: RowName, step: Step) -> Self {
        match row {
            RowName::Default => self.default = step,
            row => drop(self.rows.insert(row, step)),
        }
        self
    }
}

impl Serialize for PromotionPlan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PromotionPlan {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Display for PromotionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.default.fmt(f)?;
        self.rows.iter().try_for_each(|(row, step)| write!(f, ",{row}={step}"))
    }
}

impl FromStr for PromotionPlan {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Not repeated, because it may have a password.
        if text.contains("://") || text.contains('@') {
            return Err(Error::invalid("an address is not a stage: give one such as canary:20%"));
        }
        let mut items = text.split(',').map(str::trim);
        let first = items.next().unwrap_or_default();
        let mut plan = Self::new(first.strip_prefix("default=").unwrap_or(first).parse()?);
        for item in items {
            let Some((row, step)) = item.split_once('=') else {
                return Err(Error::invalid(format!("{item:?}: give ROW=STAGE, such as nearest=canary:20%")));
            };
            let row = row.trim().parse()?;
            if row == RowName::Default || plan.rows.contains_key(&row) {
                return Err(Error::invalid(format!("row {row} is there twice")));
            }
            plan.rows.insert(row, step.trim().parse()?);
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_read_as_they_are_written() {
        for (text, written) in [
            ("local", "local"),
            ("default=local:50%", "local:0.5"),
            ("canary:0.25 , nearest = remote", "canary:0.25,nearest=remote"),
            (
                "shadow,cohort:a.b-c_1=local:0,places=canary:1",
                "shadow,places=canary:1,cohort:a.b-c_1=local:0",
            ),
        ] {
            let plan: PromotionPlan = text.parse().unwrap();
            assert_eq!(plan.to_string(), written);
            assert_eq!(written.parse::<PromotionPlan>().unwrap(), plan);
        }
    }

    #[test]
    fn invalid_plans_say_what_to_write() {
        for (text, says) in [
            ("", "give one of local, shadow"),
            ("far", "stage \"far\""),
            ("nearest=local", "stage \"nearest=local\""),
            ("local,nearest", "give ROW=STAGE"),
            ("local,nearby=shadow", "give default, cohort:NAME, or one of lookup, lookup_one, outcode"),
            ("local,info=remote", "row \"info\""),
            ("local,cohort:=shadow", "cohort \"\""),
            ("local,cohort:a b=shadow", "letters, digits"),
            ("local,nearest=shadow,nearest=canary", "row nearest is there twice"),
            ("local,default=shadow", "row default is there twice"),
            ("local,nearest=shadow:150%", "share \"150%\": give 0% to 100%"),
            ("local:x", "share \"x\""),
        ] {
            let error = text.parse::<PromotionPlan>().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(says), "{text:?}: {error}");
        }
        assert!(Step::new(Stage::Canary, Some(f64::NAN)).is_err());
        let row: RowName = serde_json::from_str("\"cohort:beta\"").unwrap();
        assert_eq!(
            (row.to_string(), serde_json::to_string(&row).unwrap()),
            ("cohort:beta".into(), "\"cohort:beta\"".into())
        );
    }
}
