//! An example of a difference between the two implementations, and its cause.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::RowName;

/// The cause of a difference between the two implementations.
///
/// [`as_str`](Self::as_str) names it:
///
/// ```
/// use postcode_core::layers::Cause;
///
/// assert_eq!(Cause::ALL.map(|cause| cause.as_str()), ["edition", "noise", "code"]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The two answered from different editions. With a
    /// [predictor](super::Promotion::explain_with), also: the old code with the new data gives the new
    /// answer.
    Edition,
    /// The old implementation answered differently when it was asked again.
    Noise,
    /// Anything else: one edition and different answers. Only these count for the guard.
    #[default]
    Code,
}

impl Cause {
    /// All causes, in order.
    pub const ALL: [Self; 3] = [Self::Edition, Self::Noise, Self::Code];

    /// Returns the name in JSON and metrics.
    ///
    /// ```
    /// use postcode_core::layers::Cause;
    ///
    /// assert_eq!(Cause::Noise.as_str(), "noise");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edition => "edition",
            Self::Noise => "noise",
            Self::Code => "code",
        }
    }
}

impl Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A call that the two implementations answered differently.
///
/// ```
/// use postcode_core::layers::Example;
///
/// fn line(example: &Example) -> String {
///     format!("{}: {} became {} ({})", example.query, example.old, example.new, example.cause.as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The row that the call went by.
    #[serde(default)]
    pub row: RowName,
    /// The cause of the difference.
    #[serde(default)]
    pub cause: Cause,
    /// The method.
    #[serde(default)]
    pub method: String,
    /// The fields that differ, as in [`FieldDifferences`](super::FieldDifferences).
    #[serde(default)]
    pub fields: Vec<String>,
    /// The call. For a batch, its first postcode with a different answer.
    pub query: String,
    /// The part of the old implementation's answer that differs.
    pub old: String,
    /// The same part of the new implementation's answer.
    pub new: String,
}

impl Example {
    /// Keeps only the differing lines of two long texts, joined to one line.
    pub(super) fn new(query: String, old: &str, new: &str) -> Self {
        let (mut old, mut new): (Vec<_>, Vec<_>) = (lines(old), lines(new));
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        // The line before the first difference says which field it is in.
        let same = same.saturating_sub(1);
        old.drain(..same);
        new.drain(..same);
        while old.len() > 1 && new.len() > 1 && old.last() == new.last() {
            old.pop();
            new.pop();
        }
        let (old, new) = (short(&old), short(&new));
        Self {
            row: RowName::Default,
            cause: Cause::Code,
            method: String::new(),
            fields: Vec::new(),
            query,
            old,
            new,
        }
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

fn short(lines: &[&str]) -> String {
    const LONGEST: usize = 240;
    let text = lines.join(" ");
    let text = text.trim_end_matches(',');
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;

    #[test]
    fn an_example_shows_the_field_that_differs() {
        let one = Record::live("M1 1AD".parse().unwrap());
        let mut other = one.clone();
        other.quality = Some(3);
        let example = Example::new("q".into(), &format!("{one:#?}"), &format!("{other:#?}"));
        assert_eq!(example.old, "status: Live, quality: None");
        assert_eq!(example.new, "status: Live, quality: Some( 3, )");
        let long = Example::new("q".into(), &"é".repeat(10_000), "");
        assert!(long.old.chars().count() <= 241);
        assert_eq!(Example::new("q".into(), "same", "same").old, "same");
    }
}
