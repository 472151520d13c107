//! From codes to names: the lists in ONS's `Documents` folder, and what is built in where there are none.

use std::collections::HashMap;

use anyhow::Result;
use postcode_core::AreaKind;
use postcode_core::dataset::DatasetBuilder;

use super::columns::{key, vintage};
use super::doubts::{Finding, Findings, Listed};
use super::garbled::{self, Wrong};
use super::row::Areas;

/// Bytes of a list at most; the names of all output areas would be less.
pub(super) const MAX_LIST: usize = 64 << 20;

/// What the code column of a list is called, and which areas the list names. `#` is a digit of a year.
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
        ("spc##cd", SCOTTISH),
    ]
};

/// No kind of area: the constituencies of the Scottish Parliament, which the Scottish Postcode Directory has.
const SCOTTISH: &[AreaKind] = &[];

/// The columns of the list of territorial levels: any code first, then the code and name of level 3.
const LEVEL_3: [(&str, &str); 2] = [("itl3##cd", "itl3##nm"), ("nuts3##cd", "nuts3##nm")];

/// How a list is to be read, by its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    kinds: &'static [AreaKind],
    year: u16,
    code: usize,
    name: usize,
    alias: Option<usize>,
}

impl List {
    /// `None` if the header is not of a list that is of use.
    pub(super) fn of<S: AsRef<str>>(header: &[S]) -> Option<Self> {
        let keys: Vec<String> = header.iter().map(|name| key(name.as_ref())).collect();
        let find =
            |pattern: &str| keys.iter().enumerate().find_map(|(at, key)| Some((at, vintage(pattern, key)?)));
        for (code, name) in LEVEL_3 {
            if let (Some((alias, year)), Some((name, _))) = (find(code), find(name)) {
                return Some(Self { kinds: &[AreaKind::Nuts], year, code: 0, name, alias: Some(alias) });
            }
        }
        // The first column says what the list is of; later ones may be of larger areas.
        let first = keys.first()?;
        let (kinds, year, pattern) =
            LISTS.iter().find_map(|(pattern, kinds)| Some((*kinds, vintage(pattern, first)?, *pattern)))?;
        let base = first.strip_suffix("cd").or_else(|| first.strip_suffix("ind"))?;
        // As the code column is called, or without the year: RUC21IND and RUC21NM, CTRY12CD and CTRYNM.
        let undated = pattern.trim_end_matches("cd").trim_end_matches('#');
        let (name, _) = find(&format!("{base}nm")).or_else(|| find(&format!("{undated}nm")))?;
        // The short code of the health service.
        let alias =
            (kinds == [AreaKind::Ccg]).then(|| find(&format!("{base}cdh"))).flatten().map(|(at, _)| at);
        Some(Self { kinds, year, code: 0, name, alias })
    }
}

impl List {
    /// Whether it is a list all the same, of areas that a dataset does not hold: `OA11CD`, `WZ11CD,WZ11NM`.
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
struct Name {
    name: Option<Box<str>>,
    alias: Option<Box<str>>,
    year: u16,
    wrong: Option<Box<Garbled>>,
}

/// Where a name stands that is in a wrong encoding, or whose code is.
#[derive(Clone, Debug)]
struct Garbled {
    wrong: Wrong,
    file: String,
    line: u64,
    text: String,
}

/// The names of areas, by kind and code.
#[derive(Debug)]
pub(super) struct Names {
    kinds: [HashMap<Box<str>, Name>; AreaKind::ALL.len()],
    /// Those of the Scottish Parliament's constituencies.
    scottish: HashMap<Box<str>, Name>,
    /// Of which there was a list.
    pub(super) listed: Listed,
}

impl Names {
    pub(super) fn new() -> Self {
        let listed = Listed { lists: 0, kinds: [false; AreaKind::ALL.len()], scottish: false };
        Self { kinds: std::array::from_fn(|_| HashMap::new()), scottish: HashMap::new(), listed }
    }

    /// Adds a list, of that file. Of two names for a code that of the newer list stays, of equally new ones the first.
    pub(super) fn add(&mut self, list: &List, bytes: &[u8], file: &str) -> Result<(), csv::Error> {
        let text = decode(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row)? {
            let cell = |at: usize| row.get(at).map(str::trim).filter(|text| !text.is_empty());
            let Some(code) = cell(list.code) else { continue };
            let line = row.position().map_or(0, csv::Position::line);
            let wrong = [list.code, list.name].into_iter().filter_map(cell).find_map(|text| {
                let (file, text) = (file.to_owned(), text.to_owned());
                garbled::wrong(&text).map(|wrong| Garbled { wrong, file, line, text })
            });
            // Where lists were put one after the other with their byte-order marks.
            let code = code.trim_start_matches('\u{feff}');
            let wrong = wrong.map(Box::new);
            let add = |names: &mut HashMap<Box<str>, Name>| {
                if names.get(code).is_none_or(|known| known.year < list.year) {
                    let name = cell(list.name).map(Box::from);
                    let alias = list.alias.and_then(cell).map(Box::from);
                    names.insert(code.into(), Name { name, alias, year: list.year, wrong: wrong.clone() });
                }
            };
            if list.kinds == SCOTTISH {
                add(&mut self.scottish);
            }
            list.kinds.iter().for_each(|kind| add(&mut self.kinds[*kind as usize]));
        }
        self.listed.lists += 1;
        self.listed.scottish |= list.kinds == SCOTTISH;
        list.kinds.iter().for_each(|kind| self.listed.kinds[*kind as usize] = true);
        Ok(())
    }

    /// Built-in names of countries, regions and districts, for those of the three that no list was of.
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

    /// Names of constituencies of before a change of boundaries, from an older edition; those of lists come first.
    pub(super) fn add_before(&mut self, names: impl IntoIterator<Item = (String, String)>) {
        for (code, name) in names {
            let name = || Name { name: Some(name.into()), alias: None, year: 0, wrong: None };
            self.kinds[AreaKind::ParliamentaryConstituencyBefore as usize]
                .entry(code.into())
                .or_insert_with(name);
        }
    }

    /// How many names are in a wrong encoding, or were published in one as some of ONS's are, in use or not.
    pub(super) fn garbled(&self) -> usize {
        self.kinds.iter().chain([&self.scottish]).flatten().filter(|(_, name)| name.wrong.is_some()).count()
    }

    /// Names the areas that are in use. Returns for each kind how many there are and how many have a name; what is wrong with
    /// these names goes to `findings`.
    pub(super) fn apply(
        &self,
        areas: &Areas,
        builder: &mut DatasetBuilder,
        findings: &mut Findings,
    ) -> Result<Vec<(AreaKind, u32, u32)>> {
        let mut wrong = Vec::new();
        for (code, Name { name, wrong: garbled, .. }) in &self.scottish {
            wrong.extend(
                garbled
                    .as_deref()
                    .map(|garbled| ("ScottishParliamentaryConstituency".to_owned(), code.as_ref(), garbled)),
            );
            builder.name_scottish_constituency(code, name.as_deref().unwrap_or_default())?;
        }
        let mut coverage = Vec::new();
        for kind in AreaKind::ALL {
            let (mut used, mut named) = (0, 0);
            for code in areas.codes(kind) {
                used += 1;
                if let Some(Name { name, alias, wrong: garbled, .. }) = self.kinds[kind as usize].get(code) {
                    builder.name_area(kind, code, name.as_deref(), alias.as_deref())?;
                    wrong.extend(garbled.as_deref().map(|garbled| (format!("{kind:?}"), code, garbled)));
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

/// Text in UTF-8 with or without byte-order mark, in UTF-16 with one, or else in Windows-1252, as older editions are.
fn decode(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    let encoding = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => encoding_rs::UTF_8,
        None => encoding_rs::WINDOWS_1252,
    };
    encoding.decode(bytes).0
}

/// In which region and country a district lies, for sources that give districts only.
pub(super) struct Districts {
    above: HashMap<&'static str, (Option<&'static str>, Option<&'static str>)>,
}

impl Districts {
    pub(super) fn new() -> Self {
        let all = postcode_core::names::districts();
        Self { above: all.map(|district| (district.code, (district.region, district.country))).collect() }
    }

    /// The codes of the areas that a district is in. Of a district that is no more only the country is known, by the
    /// letter that ONS codes begin with.
    pub(super) fn above(&self, district: &[u8]) -> impl Iterator<Item = (AreaKind, &'static str)> + use<> {
        let known = std::str::from_utf8(district).ok().and_then(|code| self.above.get(code));
        let (region, country) = known.copied().unwrap_or_else(|| {
            let country = match district.first() {
                Some(b'E') => Some("E92000001"),
                Some(b'N') => Some("N92000002"),
                Some(b'S') => Some("S92000003"),
                Some(b'W') => Some("W92000004"),
                _ => None,
            };
            (None, country)
        });
        region
            .map(|code| (AreaKind::Region, code))
            .into_iter()
            .chain(country.map(|code| (AreaKind::Country, code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<'a>(names: &'a Names, kind: AreaKind, code: &str) -> Option<(&'a str, Option<&'a str>)> {
        let name = names.kinds[kind as usize].get(code)?;
        Some((name.name.as_deref()?, name.alias.as_deref()))
    }

    fn read(lists: &[(&str, &[u8])]) -> Names {
        let mut names = Names::new();
        for (header, rows) in lists {
            let list = List::of(&header.split(',').collect::<Vec<_>>()).expect("a list");
            let mut bytes = header.as_bytes().to_vec();
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(rows);
            names.add(&list, &bytes, "list.csv").unwrap();
        }
        names
    }

    #[test]
    fn codes_names_and_aliases() {
        let names = read(&[
            ("LAD25CD,LAD25NM", b"E06000002,Middlesbrough\r\nE06000019,\"Herefordshire, County of\"\r\n"),
            ("SICBL24CD,SICBL24CDH,SICBL24NM", b"E38000006,02P,NHS South Yorkshire"),
            ("ITL25CD,ITL325CD,ITL325NM", b"S30000026,TLM50,Aberdeen City and Aberdeenshire"),
            ("LAU219CD,LAU219NM,NUTS318CD,NUTS318NM", b"E05000026,Abbey,UKI52,Barking"),
            ("RUC21IND,RUC21NM", b"UN1,Urban"),
            ("LEP21CD,LEP21NM", b"E37000001,Black Country"),
        ]);
        assert_eq!(
            name(&names, AreaKind::AdminDistrict, "E06000019"),
            Some(("Herefordshire, County of", None))
        );
        assert_eq!(name(&names, AreaKind::Ccg, "E38000006"), Some(("NHS South Yorkshire", Some("02P"))));
        let level_3 = Some(("Aberdeen City and Aberdeenshire", Some("TLM50")));
        assert_eq!(name(&names, AreaKind::Nuts, "S30000026"), level_3);
        assert_eq!(name(&names, AreaKind::Nuts, "E05000026"), Some(("Barking", Some("UKI52"))));
        assert_eq!(name(&names, AreaKind::RuralUrban21, "UN1"), Some(("Urban", None)));
        assert!(name(&names, AreaKind::LocalEnterprisePartnership2, "E37000001").is_some());
    }

    #[test]
    fn the_newest_list_wins() {
        let names =
            read(&[("WD25CD,WD25NM", b"E05000001,New"), ("WD22CD,WD22NM", b"E05000001,Old\nE05000002,Gone")]);
        assert_eq!(name(&names, AreaKind::AdminWard, "E05000001"), Some(("New", None)));
        assert_eq!(name(&names, AreaKind::AdminWard, "E05000002"), Some(("Gone", None)));
    }

    #[test]
    fn both_encodings() {
        let names = read(&[
            ("LAD25CD,LAD25NM", "W06000001,Ynys Môn".as_bytes()),
            ("PAR25CD,PAR25NM", b"W04000001,T\xfdn-y-Gongl"),
        ]);
        assert_eq!(name(&names, AreaKind::AdminDistrict, "W06000001"), Some(("Ynys Môn", None)));
        assert_eq!(name(&names, AreaKind::Parish, "W04000001"), Some(("Týn-y-Gongl", None)));
        let mut names = Names::new();
        let list = List::of(&["\u{feff}LAD25CD", "LAD25NM"]).unwrap();
        names.add(&list, "\u{feff}LAD25CD,LAD25NM\nE1,One\n".as_bytes(), "list.csv").unwrap();
        assert_eq!(name(&names, AreaKind::AdminDistrict, "E1"), Some(("One", None)));
    }

    #[test]
    fn what_is_no_list() {
        for header in ["pcds,lad25cd", "LAD25CD", "LAD25CD,POP", "x,LAD25NM", "OA21CD,OA21NM"] {
            assert_eq!(List::of(&header.split(',').collect::<Vec<_>>()), None, "{header}");
        }
        assert!(List::is_of_others(&["WZ11CD", "WZ11NM"]));
        assert_eq!(List::of(&["SPC21CD", "SPC21NM"]).map(|list| list.kinds), Some(SCOTTISH));
        assert!(!List::is_of_others(&["LAD25CD", "LAD25NM"]) && !List::is_of_others(&["pcds", "lad25cd"]));
    }

    #[test]
    fn what_lies_above_a_district() {
        let districts = Districts::new();
        let above = |code: &str| districts.above(code.as_bytes()).map(|(_, code)| code).collect::<Vec<_>>();
        assert_eq!(above("E09000033"), ["E12000007", "E92000001"]);
        assert_eq!(above("S12000033"), ["S92000003"]);
        assert_eq!(above("E07999999"), ["E92000001"]);
        assert!(above("X1").is_empty());
    }
}
