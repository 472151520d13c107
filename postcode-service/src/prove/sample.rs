//! Compares the answers to random questions of the methods whose questions can't be listed.
//!
//! This is a sample and not a proof: [`SampleCounts::bound`] says how many of such questions may still have different
//! answers.

use std::io;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use futures::stream::{self, StreamExt};
use postcode_core::dataset::Dataset;
use postcode_core::layers::{PlainCall, PlainOrigin, PlainRegion};
use postcode_core::{MAX_LIMIT, Postcode};
use serde::Serialize;
use tokio::task::JoinHandle;

use super::{Difference, Side, asked};
use crate::{Error, ErrorKind};

/// How sure the stated bound is.
const CONFIDENCE: f64 = 0.95;

/// How many questions are drawn, and how.
#[derive(Clone, Copy, Debug)]
pub struct SampleOptions {
    /// The number of questions.
    pub questions: u32,
    /// The seed. The same one draws the same questions from the same data.
    pub seed: u64,
    /// Questions at once.
    pub at_once: usize,
}

/// The result of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SampleCounts {
    /// Questions that both sides answered.
    pub questions: u64,
    /// Questions with different answers.
    pub different: u64,
}

impl SampleCounts {
    /// Returns the share of such questions below which those with different answers are, with 95 % confidence. `None` if
    /// some were found.
    ///
    /// ```
    /// use postcode_service::prove::SampleCounts;
    ///
    /// let seen = SampleCounts { questions: 10_000, different: 0 };
    /// assert!(seen.bound().is_some_and(|bound| (0.000_299..0.000_300).contains(&bound)));
    /// ```
    pub fn bound(&self) -> Option<f64> {
        (self.different == 0 && self.questions > 0)
            .then(|| 1.0 - (1.0 - CONFIDENCE).powf(1.0 / self.questions as f64))
    }
}

/// Draws questions about what a dataset has.
struct Draw {
    rng: Rng,
    dataset: Dataset,
    postcodes: Vec<Postcode>,
    /// The names of places; none if one of the sides has no places.
    places: Vec<String>,
}

impl Draw {
    fn new(side: &Side, seed: u64, with_places: bool) -> Result<Self> {
        let dataset = side.dataset.clone().context("it does not list its postcodes")?;
        let postcodes: Vec<Postcode> = side.postcodes().collect();
        if postcodes.is_empty() {
            bail!("there are no postcodes to ask about");
        }
        let places = dataset.iter_places().filter(|_| with_places).map(|place| place.name_1).collect();
        Ok(Self { rng: Rng::with_seed(seed), dataset, postcodes, places })
    }

    /// Returns the point of a postcode, moved by up to five kilometres, if it has one.
    fn point(&mut self, postcode: Postcode) -> Option<[f64; 2]> {
        let location = self.dataset.get(postcode).record()?.location?;
        Some(
            [location.latitude(), location.longitude()].map(|degrees| degrees + (self.rng.f64() - 0.5) * 0.1),
        )
    }

    /// Returns a radius in metres from 10 to `most`, as likely small as large.
    fn radius(&mut self, most: f64) -> f64 {
        (10.0 * (most / 10.0).powf(self.rng.f64())).round()
    }

    /// Returns the beginning of a text, at least a character of it.
    fn beginning(&mut self, text: &str) -> String {
        let count = text.chars().count();
        text.chars().take(self.rng.usize(1..=count.max(1))).collect()
    }
}

impl Iterator for Draw {
    type Item = PlainCall;

    fn next(&mut self) -> Option<PlainCall> {
        let postcode = *self.postcodes.get(self.rng.usize(0..self.postcodes.len()))?;
        let (limit, point) = (self.rng.usize(1..=MAX_LIMIT), self.point(postcode));
        let kinds = if self.places.is_empty() { 5 } else { 6 };
        Some(match self.rng.u8(0..kinds) {
            0 => {
                let point = point.filter(|_| self.rng.bool());
                let to = point.map_or_else(|| PlainOrigin::Named(postcode.to_string()), PlainOrigin::Point);
                PlainCall::Nearest { to, limit, radius: self.radius(2_000.0) }
            }
            1 => {
                let to = PlainOrigin::Named(postcode.outcode().to_string());
                PlainCall::NearestOutcodes { to, limit, radius: self.radius(25_000.0) }
            }
            2 => {
                let region = match point {
                    Some(centre) => PlainRegion::Circle { centre, radius: self.radius(5_000.0) },
                    None => PlainRegion::Sector(postcode.sector().to_string()),
                };
                PlainCall::Within { region, limit }
            }
            3 => PlainCall::Autocomplete { text: self.beginning(&postcode.compact()), limit },
            4 => PlainCall::Search { text: self.beginning(&postcode.to_string()), limit },
            _ => {
                let name = self.rng.choice(&self.places).cloned()?;
                PlainCall::Places { text: self.beginning(&name), limit }
            }
        })
    }
}

/// Asks two sources, of which at least one is in this process, the same random questions of the methods that `prove` can't
/// ask everything: `nearest`, `nearest_outcodes`, `within`, `autocomplete`, `search` and `places`. `found` is told each
/// difference in the order of the questions, and `progress` the counts so far.
///
/// # Errors
/// An error if a source fails or its edition changes meanwhile. Also the errors of `found`.
pub async fn sample(
    sides: [Side; 2],
    options: SampleOptions,
    found: impl FnMut(&Difference) -> io::Result<()>,
    progress: impl FnMut(&SampleCounts),
) -> Result<SampleCounts, Error> {
    sampled(sides, options, found, progress).await.map_err(Error::of(ErrorKind::Lookup))
}

async fn sampled(
    sides: [Side; 2],
    options: SampleOptions,
    mut found: impl FnMut(&Difference) -> io::Result<()>,
    mut progress: impl FnMut(&SampleCounts),
) -> Result<SampleCounts> {
    let SampleOptions { questions, seed, at_once } = options;
    let with_places = sides.iter().all(|side| side.info.places > 0);
    let listing = sides.iter().find(|side| side.dataset.is_some());
    let listing = listing.context(
        "neither source lists its postcodes: give one that is in this process, as embedded:, file:PATH or replica:URL",
    )?;
    let draw = Draw::new(listing, seed, with_places)?;
    let sides = Arc::new(sides);
    let mut answered = stream::iter(draw.take(questions as usize))
        .map(|question| Asking(tokio::spawn(compare(sides.clone(), question))))
        .map(async |mut task: Asking| (&mut task.0).await)
        .buffered(at_once.max(1));
    let mut counts = SampleCounts::default();
    while let Some(answer) = answered.next().await {
        counts.questions += 1;
        if let Some(difference) = answer.context("a task of the comparison failed")?? {
            counts.different += 1;
            found(&difference)?;
        }
        progress(&counts);
    }
    Ok(counts)
}

/// A task that is stopped when its handle is dropped.
struct Asking(JoinHandle<Result<Option<Difference>>>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn compare(sides: Arc<[Side; 2]>, question: PlainCall) -> Result<Option<Difference>> {
    let [one, other] = &*sides;
    let (left, right) = tokio::try_join!(
        asked(one, &question, question.answer(&*one.lookup)),
        asked(other, &question, question.answer(&*other.lookup))
    )?;
    Ok((left != right).then(|| Difference::of_texts(question.to_string(), [&left, &right])))
}
