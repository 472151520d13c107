//! The dataset in the simplest form: a sorted map that is scanned.

use std::collections::BTreeMap;

use crate::dataset::{Dataset, Row};
use crate::{Location, Outcode, Postcode, Status};

pub(super) struct Oracle(pub(super) BTreeMap<String, Row>);

impl Oracle {
    /// Keyed by the spaced form.
    pub(super) fn new<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        Self(rows.map(|row| (row.postcode.to_string(), row.clone())).collect())
    }

    fn live(&self) -> impl Iterator<Item = &Row> {
        self.0.values().filter(|row| row.status == Status::Live)
    }

    pub(super) fn assert_lookup(&self, dataset: &Dataset, postcode: Postcode) {
        let answer = dataset.get(postcode);
        match self.0.get(&postcode.to_string()) {
            None => assert_eq!(answer.status(), "unknown", "{postcode}"),
            Some(row) => {
                let record = answer.into_record().unwrap_or_else(|| panic!("{postcode} is not found"));
                assert_eq!(record.postcode, postcode);
                assert_eq!(record.status, row.status, "{postcode}");
                assert_eq!(record.grid, row.grid, "{postcode}");
                assert_eq!(record.location, row.location, "{postcode}");
                assert_eq!((record.quality, record.user_type), (row.quality, row.user_type));
                assert_eq!((record.introduced, record.terminated), (row.introduced, row.terminated));
                assert_eq!(record.deprivation_rank, row.deprivation_rank);
            }
        }
    }

    pub(super) fn autocomplete(&self, prefix: &str, limit: usize) -> Vec<Postcode> {
        let prefix = prefix.split_whitespace().collect::<String>().to_uppercase();
        self.live()
            .map(|row| row.postcode)
            .filter(|postcode| postcode.compact().starts_with(&prefix))
            .take(limit)
            .collect()
    }

    /// The algorithm of API.md 3.3, literally.
    pub(super) fn search(&self, query: &str, limit: usize) -> Vec<Postcode> {
        let text = query.to_uppercase().trim().to_owned();
        let compact: String = text.split_whitespace().collect();
        let keep = |window: Vec<Postcode>| -> Vec<Postcode> {
            let kept: Vec<_> = window.into_iter().filter(|p| p.compact().contains(&compact)).collect();
            match kept.iter().find(|p| p.compact() == compact.as_str()) {
                Some(exact) => vec![*exact],
                None => kept,
            }
        };
        let spaced = |from: String| {
            keep(self.live().map(|r| r.postcode).filter(|p| p.to_string() >= from).take(limit).collect())
        };
        let mut kept = Vec::new();
        if text
            .parse::<Outcode>()
            .is_ok_and(|outcode| outcode.to_string() == text && text != "GIR" && text != "NPT")
        {
            kept = spaced(format!("{text} "));
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        if kept.is_empty() && words.len() == 2 {
            kept = spaced(words.join(" "));
        }
        if kept.is_empty() {
            let mut all: Vec<(String, Postcode)> =
                self.live().map(|r| (r.postcode.compact().to_string(), r.postcode)).collect();
            all.sort();
            kept = keep(all.into_iter().filter(|(c, _)| *c >= text).map(|(_, p)| p).take(limit).collect());
        }
        kept
    }

    pub(super) fn nearest(&self, origin: Location, limit: usize, radius: f64) -> Vec<(Postcode, f64)> {
        let mut found: Vec<(Postcode, f64)> = self
            .live()
            .filter_map(|row| Some((row.postcode, row.location?)))
            // A degree is at least 110 km; distances are expensive.
            .filter(|(_, at)| (at.latitude() - origin.latitude()).abs() <= radius / 110_000.0)
            .map(|(postcode, at)| (postcode, origin.distance(at)))
            .filter(|(_, metres)| *metres <= radius)
            .collect();
        found.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found
    }
}
