//! Names for codes: from the lists in ONS's folder `Documents`, or built-in ones.

use std::collections::HashMap;

use anyhow::Result;
use postcode_core::dataset::DatasetBuilder;
use postcode_core::{AreaKind, ScottishArea};
use postcode_tables::records::{self, Records, Wanted};

use super::columns::{key, vintage};
use super::doubts::{Finding, Findings, Listed};
use super::garbled::{self, Wrong};
use super::lines::{MAX_CELLS, MAX_LINE};
use super::row::Areas;
use super::scottish_columns;

/// Bytes of a list at most; the names of all output areas would be less.
pub(super) const MAX_LIST: usize = 64 << 20;

/// The name of a list's code column, and the areas that the list names. `#` is a digit of a year.
const LISTS: &[(&str, &[AreaKind])] = {
    use AreaKind::*;
    &[
        ("ctry##cd", &[Country]),
        ("hlth##cd", &[HealthAuthority]),
        ("hlthau##cd", &[HealthAuthority]),
        ("hlthaucd", &[HealthAuthority]),
        ("eer##cd", &[EuropeanElectoralRegion]),
        ("pco##cd", &[PrimaryCareTrust]),
        ("pct##cd", &[PrimaryCareTrust]),
        ("pctcd", &[PrimaryCareTrust]),
        ("rgn##cd", &[Region]),
        ("gor##cd", &[Region]),
        ("pcon##cd", &[ParliamentaryConstituency, ParliamentaryConstituencyBefore]),
        ("lad##cd", &[AdminDistrict]),
        ("laua##cd", &[AdminDistrict]),
        ("parncp##cd", &[Parish]),
        ("par##cd", &[Parish]),
        ("cty##cd", &[AdminCounty]),
        ("wd##cd", &[AdminWard]),
        ("ced##cd", &[CountyElectoralDivision]),
        ("sicbl##cd", &[Ccg]),
        ("ccg##cd", &[Ccg]),
        ("pfa##cd", &[PoliceForceArea]),
        ("nhser##cd", &[NhsRegion]),
        ("ttwa##cd", &[TravelToWorkArea]),
        ("npark##cd", &[NationalPark]),
        ("park##cd", &[NationalPark]),
        ("bua##cd", &[BuiltUpArea]),
        ("icb##cd", &[IntegratedCareBoard]),
        ("stp##cd", &[IntegratedCareBoard]),
        ("cal##cd", &[CancerAlliance]),
        ("calncv##cd", &[CancerAlliance]),
        ("lsoa11cd", &[Lsoa11]),
        ("msoa11cd", &[Msoa11]),
        ("lsoa21cd", &[Lsoa21]),
        ("msoa21cd", &[Msoa21]),
        ("ruc11ind", &[RuralUrban11]),
        ("ru11ind", &[RuralUrban11]),
        ("ruc21ind", &[RuralUrban21]),
        ("ru21ind", &[RuralUrban21]),
        ("lep##cd", &[LocalEnterprisePartnership1, LocalEnterprisePartnership2]),
    ]
};

/// The same, of areas that the Scottish Postcode Directory has and ONSPD has not. National Records
/// of Scotland's own lists are called as the directory's columns
/// (`ElectoralWard2022Code,ElectoralWard2022Name`).
const SCOTTISH_LISTS: &[(&str, ScottishArea)] = &[
    ("spc##cd", ScottishArea::ScottishParliamentaryConstituency),
    ("spr##cd", ScottishArea::ScottishParliamentaryRegion),
    ("hscp##cd", ScottishArea::IntegrationAuthority),
    ("ia##cd", ScottishArea::IntegrationAuthority),
];

/// The columns of the list of territorial levels: any code first, then the code and name of level
/// 3.
const LEVEL_3: [(&str, &str); 2] = [("itl3##cd", "itl3##nm"), ("nuts3##cd", "nuts3##nm")];

/// The layout of a list, from its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    kinds: &'static [AreaKind],
    /// The area of the Scottish Postcode Directory that the list is for, if it is for that only.
    scottish: Option<ScottishArea>,
    year: u16,
    code: usize,
    name: usize,
    alias: Option<usize>,
}

impl List {
    /// `None` if the header is not of a useful list.
    pub(super) fn of<S: AsRef<str>>(header: &[S]) -> Option<Self> {
        let keys: Vec<String> = header.iter().map(|name| key(name.as_ref())).collect();
        let find =
            |pattern: &str| keys.iter().enumerate().find_map(|(at, key)| Some((at, vintage(pattern, key)?)));
        for (code, name) in LEVEL_3 {
            if let (Some((alias, year)), Some((name, _))) = (find(code), find(name)) {
                let kinds = &[AreaKind::Nuts];
                return Some(Self { kinds, scottish: None, year, code: 0, name, alias: Some(alias) });
            }
        }
        // The first column says what the list is of; later ones may be of larger areas.
        let first = keys.first()?;
        if let Some((area, year)) = scottish_columns::area_of_list(first) {
            let (name, _) = find(&format!("{}name", first.strip_suffix("code")?))?;
            return Some(Self { kinds: &[], scottish: Some(area), year, code: 0, name, alias: None });
        }
        let lists = LISTS.iter().map(|(pattern, kinds)| (*pattern, *kinds, None));
        let scottish = SCOTTISH_LISTS.iter().map(|(pattern, area)| (*pattern, &[][..], Some(*area)));
        let (kinds, scottish, year, pattern) = lists
            .chain(scottish)
            .find_map(|(pattern, kinds, area)| Some((kinds, area, vintage(pattern, first)?, pattern)))?;
        let base = first.strip_suffix("cd").or_else(|| first.strip_suffix("ind"))?;
        // As the code column is called, or without the year: RUC21IND and RUC21NM, CTRY12CD and
        // CTRYNM.
        let undated = pattern.trim_end_matches("cd").trim_end_matches('#');
        let (name, _) = find(&format!("{base}nm")).or_else(|| find(&format!("{undated}nm")))?;
        // The short code of the health service.
        let alias =
            (kinds == [AreaKind::Ccg]).then(|| find(&format!("{base}cdh"))).flatten().map(|(at, _)| at);
        Some(Self { kinds, scottish, year, code: 0, name, alias })
    }
}

impl List {
    /// Returns the layout of the same list with so many columns in front of it.
    pub(super) fn behind(self, columns: usize) -> Self {
        let alias = self.alias.map(|at| at + columns);
        Self { code: self.code + columns, name: self.name + columns, alias, ..self }
    }

    /// Returns whether it is a list of areas that a dataset does not contain: `OA11CD`,
    /// `WZ11CD,WZ11NM`.
    pub(super) fn is_of_others<S: AsRef<str>>(header: &[S]) -> bool {
        let ends = |at: usize, ends: &[&str]| {
            let name = header.get(at).map(|name| key(name.as_ref())).unwrap_or_default();
            ends.iter().any(|end| {
                name.strip_suffix(end).is_some_and(|base| base.ends_with(|c: char| c.is_ascii_digit()))
            })
        };
        Self::of(header).is_none() && ends(0, &["cd", "ind"]) && (1..header.len()).any(|at| ends(at, &["nm"]))
    }
}

#[derive(Debug)]
pub(super) struct Name {
    pub(super) name: Option<Box<str>>,
    pub(super) alias: Option<Box<str>>,
    year: u16,
    pub(super) wrong: Option<Box<Garbled>>,
}

/// The place of a name or code in a wrong encoding.
#[derive(Clone, Debug)]
pub(super) struct Garbled {
    wrong: Wrong,
    file: String,
    line: u64,
    text: String,
}

/// The names of areas, by kind and code.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) kinds: [HashMap<Box<str>, Name>; AreaKind::ALL.len()],
    /// Names of areas that the Scottish Postcode Directory has and ONSPD does not have.
    pub(super) scottish: [HashMap<Box<str>, Name>; ScottishArea::ALL.len()],
    /// The kinds of areas for which there was a list.
    pub(super) listed: Listed,
}

impl Names {
    pub(super) fn new() -> Self {
        let listed = Listed { lists: 0, kinds: [false; AreaKind::ALL.len()], scottish: false };
        let (kinds, scottish) =
            (std::array::from_fn(|_| HashMap::new()), std::array::from_fn(|_| HashMap::new()));
        Self { kinds, scottish, listed }
    }

    /// Adds a list, of that file. Of two names for a code that of the newer list stays, of equally
    /// new ones the first.
    pub(super) fn add(
        &mut self,
        list: &List,
        bytes: &[u8],
        file: &str,
        delimiter: u8,
    ) -> Result<(), records::Error> {
        let wanted = Wanted {
            delimiter: Some(delimiter),
            encoding: None,
            max_row: MAX_LINE,
            max_cells: MAX_CELLS,
            header: true,
        };
        let mut rows = Records::new(bytes, &wanted).map_err(records::Error::Read)?;
        let mut header = true;
        while let Some(row) = rows.next_record()? {
            if std::mem::take(&mut header) {
                continue;
            }
            let cell = |at: usize| Some(row.text(at).trim().to_owned()).filter(|text| !text.is_empty());
            let Some(code) = cell(list.code) else { continue };
            let line = row.line;
            let wrong = [list.code, list.name].into_iter().filter_map(cell).find_map(|text| {
                garbled::wrong(&text).map(|wrong| Garbled { wrong, file: file.to_owned(), line, text })
            });
            // Where lists were put one after the other with their byte-order marks.
            let code = code.trim_start_matches('\u{feff}');
            let wrong = wrong.map(Box::new);
            let add = |names: &mut HashMap<Box<str>, Name>| {
                if names.get(code).is_none_or(|known| known.year < list.year) {
                    let name = cell(list.name).map(String::into_boxed_str);
                    let alias = list.alias.and_then(cell).map(String::into_boxed_str);
                    names.insert(code.into(), Name { name, alias, year: list.year, wrong: wrong.clone() });
                }
            };
            if let Some(area) = list.scottish {
                add(&mut self.scottish[area as usize]);
            }
            list.kinds.iter().for_each(|kind| add(&mut self.kinds[*kind as usize]));
        }
        self.listed.lists += 1;
        self.listed.scottish |= list.scottish == Some(ScottishArea::ScottishParliamentaryConstituency);
        list.kinds.iter().for_each(|kind| self.listed.kinds[*kind as usize] = true);
        Ok(())
    }

    /// Built-in names of countries, regions and districts, for those of the three that no list was
    /// of.
    pub(super) fn fill_in(&mut self) {
        let mut fill = |kind: AreaKind, names: &mut dyn Iterator<Item = (&'static str, &'static str)>| {
            let known = &mut self.kinds[kind as usize];
            if known.is_empty() {
                self.listed.kinds[kind as usize] = true;
                let name = |name: &str| Name { name: Some(name.into()), alias: None, year: 0, wrong: None };
                known.extend(names.map(|(code, text)| (Box::from(code), name(text))));
            }
        };
        fill(AreaKind::Country, &mut postcode_core::names::countries());
        fill(AreaKind::Region, &mut postcode_core::names::regions());
        let mut districts = postcode_core::names::districts().map(|district| (district.code, district.name));
        fill(AreaKind::AdminDistrict, &mut districts);
    }

    /// Adds names of previous constituencies from an older edition. Names from lists take
    /// precedence.
    pub(super) fn add_before(&mut self, names: impl IntoIterator<Item = (String, String)>) {
        for (code, name) in names {
            let name = || Name { name: Some(name.into()), alias: None, year: 0, wrong: None };
            self.kinds[AreaKind::ParliamentaryConstituencyBefore as usize]
                .entry(code.into())
                .or_insert_with(name);
        }
    }

    /// Returns how many names are in a wrong encoding, in use or not. Some of ONS's were published
    /// so.
    pub(super) fn garbled(&self) -> usize {
        self.kinds.iter().chain(&self.scottish).flatten().filter(|(_, name)| name.wrong.is_some()).count()
    }

    /// Names the areas in use. Returns for each kind how many there are and how many have a name.
    /// Adds errors in these names to `findings`.
    pub(super) fn apply(
        &self,
        areas: &Areas,
        builder: &mut DatasetBuilder,
        findings: &mut Findings,
    ) -> Result<Vec<(AreaKind, u32, u32)>> {
        let mut wrong = self.apply_scottish(builder)?;
        let mut coverage = Vec::new();
        for kind in AreaKind::ALL {
            let (mut used, mut named) = (0, 0);
            for code in areas.codes(kind) {
                used += 1;
                if let Some(Name { name, alias, wrong: garbled, .. }) = self.kinds[kind as usize].get(code) {
                    builder.name_area(kind, code, name.as_deref(), alias.as_deref())?;
                    wrong.extend(garbled.as_deref().map(|garbled| (kind.key().to_owned(), code, garbled)));
                    named += u32::from(name.is_some());
                }
            }
            if used > 0 {
                coverage.push((kind, used, named));
            }
        }
        wrong.sort_by_key(|(_, code, garbled)| (&garbled.file, garbled.line, *code));
        findings.extend(wrong.into_iter().map(|(column, code, garbled)| {
            let place = (garbled.file.as_str(), garbled.line);
            let column = format!("{column} {code}");
            let mut finding = Finding::of_text(garbled.wrong, place, &column, &garbled.text);
            finding.code = Some(code.to_owned());
            finding
        }));
        Ok(coverage)
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
