//! The questions of the benchmarks.

use postcode_core::dataset::Dataset;
use postcode_core::{Postcode, Status};

/// The number of different postcodes in a workload.
const DIFFERENT: usize = 4096;

/// Questions, drawn from the data with a fixed seed.
#[derive(Debug)]
pub struct Questions {
    /// One postcode, repeated.
    pub live: Vec<Postcode>,
    /// Live postcodes from all over the country.
    pub random: Vec<Postcode>,
    /// Terminated postcodes.
    pub terminated: Vec<Postcode>,
    /// Texts of the right format that are not in the data.
    pub missing: Vec<Postcode>,
}

impl Questions {
    /// Draws questions from a dataset.
    pub fn draw(dataset: &Dataset) -> Self {
        let mut rng = fastrand::Rng::with_seed(1);
        let (mut live, mut terminated) = (Vec::new(), Vec::new());
        for record in dataset.iter() {
            match record.status {
                Status::Live => live.push(record.postcode),
                Status::Terminated => terminated.push(record.postcode),
            }
        }
        let mut some = |from: &[Postcode]| -> Vec<Postcode> {
            (0..DIFFERENT).map(|_| from[rng.usize(..from.len())]).collect()
        };
        let random = some(&live);
        let terminated = some(&terminated);
        // Similar to real ones: an unused unit of an existing sector.
        let missing = random
            .iter()
            .filter_map(|postcode| {
                let text = postcode.compact();
                let units = ["ZZ", "YY", "XX", "WW", "UU", "TT", "SS"];
                units.into_iter().find_map(|unit| {
                    let candidate = format!("{}{unit}", &text[..text.len() - 2]).parse().ok()?;
                    dataset.status(candidate).is_none().then_some(candidate)
                })
            })
            .collect();
        Self { live: random.iter().copied().take(1).collect(), random, terminated, missing }
    }
}

/// Goes through items again and again.
#[derive(Debug)]
pub struct Round<'a, T> {
    items: &'a [T],
    at: usize,
}

impl<'a, T> Round<'a, T> {
    /// Creates a round over these items.
    pub fn of(items: &'a [T]) -> Self {
        Self { items, at: 0 }
    }

    /// Returns the next `n` items.
    pub fn next(&mut self, n: usize) -> &'a [T] {
        if self.at + n > self.items.len() {
            self.at = 0;
        }
        let some = &self.items[self.at..self.at + n];
        self.at += n;
        some
    }
}
