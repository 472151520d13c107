//! Previous constituencies, taken from an edition that is older than the last change of boundaries.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Result, ensure};
use postcode_core::dataset::{Dataset, DatasetBuilder, Row};
use postcode_core::{AreaKind, Postcode};

use super::row::Areas;

/// An older edition, and the names of its constituencies that were met.
pub(super) struct Before {
    dataset: Dataset,
    /// The kind under which the older edition has them. An edition with both passes its previous
    /// ones on.
    kind: AreaKind,
    names: BTreeMap<String, String>,
}

impl Before {
    /// # Errors
    /// If it has no constituencies.
    pub(super) fn of(dataset: Dataset) -> Result<Self> {
        let has = |kind: AreaKind| dataset.metadata().columns.contains(&format!("{kind:?}"));
        let kinds = [AreaKind::ParliamentaryConstituencyBefore, AreaKind::ParliamentaryConstituency];
        let kind = kinds.into_iter().find(|kind| has(*kind));
        ensure!(kind.is_some(), "--boundaries-before: {} has no constituencies", dataset.info().edition);
        let kind = kind.unwrap_or(AreaKind::ParliamentaryConstituency);
        Ok(Self { dataset, kind, names: BTreeMap::new() })
    }

    /// Sets a row's previous constituency if the row has none. Returns false if the older edition
    /// has none.
    pub(super) fn set(
        &mut self,
        row: &mut Row,
        areas: &mut Areas,
        builder: &mut DatasetBuilder,
    ) -> Result<bool, &'static str> {
        let Some(record) = self.record(row.postcode) else { return Ok(false) };
        let Some(area) = record.area(self.kind) else { return Ok(false) };
        let Some(code) = area.code else { return Ok(false) };
        if let Some(name) = area.name.filter(|_| !self.names.contains_key(code)) {
            self.names.insert(code.to_owned(), name.to_owned());
        }
        row.areas.set(areas.id(builder, AreaKind::ParliamentaryConstituencyBefore, code.as_bytes())?);
        Ok(true)
    }

    fn record(&self, postcode: Postcode) -> Option<postcode_core::Record> {
        self.dataset.get(postcode).into_record()
    }

    /// Returns the names, after checking that the edition is older than a change.
    pub(super) fn into_names(self, areas: &Areas) -> Result<BTreeMap<String, String>> {
        let now: HashSet<&str> = areas.codes(AreaKind::ParliamentaryConstituency).collect();
        let mut before = areas.codes(AreaKind::ParliamentaryConstituencyBefore);
        ensure!(
            now.is_empty() || before.any(|code| !now.contains(code)),
            "--boundaries-before: {} has the same constituencies as this edition: give an older edition",
            self.dataset.info().edition
        );
        Ok(self.names)
    }
}
