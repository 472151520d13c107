//! What a promotion has seen so far.

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::layers::latency::Latencies;

/// What a promotion has seen so far: the numbers from which the next step is decided. Counts are since the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The stage.
    pub stage: Stage,
    /// The share of calls that `shadow` and `canary` take, 0 to 1.
    pub share: f64,
    /// Calls of the caller.
    pub calls: u64,
    /// Calls whose two answers were compared.
    pub compared: u64,
    /// Of these, equal ones.
    pub matched: u64,
    /// Of these, different ones.
    pub mismatched: u64,
    /// The first different ones, one of each question.
    pub examples: Vec<Example>,
    /// Calls to the new implementation that failed.
    pub errors: u64,
    /// Of these, ones that the old implementation then answered.
    pub fallbacks: u64,
    /// Calls that failed for the caller.
    pub failed: u64,
    /// Comparisons that were left out because too many were under way.
    pub skipped: u64,
    /// How long the two implementations take.
    pub latency: Sides,
    /// How often the guard stepped back.
    pub step_backs: u64,
    /// When and why it did the last time.
    pub last_step_back: Option<StepBack>,
}

/// The two implementations' latencies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// Of the old one.
    pub old: LatencySummary,
    /// Of the new one.
    pub new: LatencySummary,
}

/// Latencies of about the last hundred thousand calls that were timed, in microseconds; `None` before the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// How many.
    pub count: u64,
    /// Half of them were faster.
    pub p50_us: Option<f64>,
    /// 90 % of them were faster.
    pub p90_us: Option<f64>,
    /// 99 % of them were faster.
    pub p99_us: Option<f64>,
}

impl From<&Latencies> for LatencySummary {
    fn from(latencies: &Latencies) -> Self {
        let us = |quantile| latencies.quantile(quantile).map(|latency| latency.as_nanos() as f64 / 1e3);
        Self { count: latencies.count(), p50_us: us(0.5), p90_us: us(0.9), p99_us: us(0.99) }
    }
}

/// A call that the two implementations answered differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The call: of a batch, its first postcode with a different answer.
    pub query: String,
    /// What the old implementation said where they differ.
    pub old: String,
    /// What the new one said.
    pub new: String,
}

/// A step back that the guard took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepBack {
    /// When, in seconds since the beginning of 1970 (UTC).
    pub at: u64,
    /// From where.
    pub from: Stage,
    /// To where.
    pub to: Stage,
    /// Why.
    pub reason: String,
}

impl Example {
    /// Of two texts in many lines, only what differs, on one line.
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
        Self { query, old: short(&old), new: short(&new) }
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
