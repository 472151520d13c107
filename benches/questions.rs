//! What the benchmarks ask.

use postcode_core::dataset::Dataset;
use postcode_core::{Postcode, Status};

/// How many different postcodes a workload goes through.
const DIFFERENT: usize = 4096;

/// The questions, drawn from the country with a fixed seed.
#[derive(Debug)]
pub struct Questions {
    /// One, asked again and again.
    pub live: Vec<Postcode>,
    /// Live ones from all over the country.
    pub random: Vec<Postcode>,
    /// Terminated ones.
    pub terminated: Vec<Postcode>,
    /// None of them is a postcode.
    pub missing: Vec<Postcode>,
}

impl Questions {
    /// From that country.
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
        // Next to real ones: an unused unit of a sector that exists.
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

/// Goes round and round.
#[derive(Debug)]
pub struct Round<'a, T> {
    items: &'a [T],
    at: usize,
}

impl<'a, T> Round<'a, T> {
    /// Through these.
    pub fn of(items: &'a [T]) -> Self {
        Self { items, at: 0 }
    }

    /// The next so many.
    pub fn next(&mut self, n: usize) -> &'a [T] {
        if self.at + n > self.items.len() {
            self.at = 0;
        }
        let some = &self.items[self.at..self.at + n];
        self.at += n;
        some
    }
}
