//! The metadata of a dataset: edition, licence, and which areas it does not cover.

use std::collections::BTreeSet;

use super::format::Format;
use crate::months::MONTHS;

/// The month of an edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month {
    pub(super) year: u16,
    /// 1 to 12; 0 if only the year is known.
    month: u8,
}

impl Month {
    /// Parses a file's name: `ONSPD_NOV_2025_UK.csv`, `onspd_2025-09.csv`, `nov2025`.
    pub(super) fn in_name(name: &str) -> Option<Self> {
        let parts: Vec<&str> = split_kinds(name).collect();
        let year_at = parts.iter().position(|part| year(part).is_some())?;
        let year = year(parts[year_at])?;
        let number =
            |part: &&str| part.parse().ok().filter(|_| part.len() == 2).filter(|n| (1..=12).contains(n));
        let named = |part: &&str| {
            let part = part.to_ascii_lowercase();
            MONTHS.iter().position(|month| {
                let month = month.to_ascii_lowercase();
                part == month || part == month[..3]
            })
        };
        let before = year_at.checked_sub(1).and_then(|at| named(&parts[at]));
        let month = before.map(|at| at as u8 + 1).or_else(|| number(parts.get(year_at + 1)?));
        Some(Self { year, month: month.unwrap_or(0) })
    }

    /// Parses OS's `metadata.txt`: `COPYRIGHT DATE: 20231110`.
    pub(super) fn in_metadata(text: &str) -> Option<Self> {
        let line =
            text.lines().find(|line| line.trim_start().to_ascii_uppercase().starts_with("COPYRIGHT DATE"))?;
        let date: String = line.chars().filter(char::is_ascii_digit).collect();
        let year = year(date.get(..4)?)?;
        let month = date.get(4..6).and_then(|month| month.parse().ok()).filter(|n| (1..=12).contains(n));
        Some(Self { year, month: month.unwrap_or(0) })
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match usize::from(self.month).checked_sub(1).and_then(|at| MONTHS.get(at)) {
            Some(month) => write!(f, "{month} {}", self.year),
            None => write!(f, "{}", self.year),
        }
    }
}

fn year(part: &str) -> Option<u16> {
    part.parse().ok().filter(|year| part.len() == 4 && (1990..=2200).contains(year))
}

/// Splits a name into runs of letters and runs of digits.
fn split_kinds(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(|part| {
        let cut = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let (letters, digits) = part.split_at(cut);
        [letters, digits].into_iter().filter(|part| !part.is_empty())
    })
}

/// Returns the first year in an edition's name.
pub(super) fn year_of(edition: &str) -> Option<u16> {
    split_kinds(edition).find_map(year)
}

/// Returns the name of an edition: `ONSPD November 2025`.
pub(super) fn name(format: Format, month: Option<Month>) -> String {
    match month {
        Some(month) => format!("{format} {month}"),
        None => format.to_string(),
    }
}

/// Returns whether an attribution contains the year that the licences require.
pub(super) fn has_year(attribution: &str) -> bool {
    split_kinds(attribution).any(|part| year(part).is_some())
}

/// Returns the advice if neither `--edition` nor a file's name contains the year.
pub(super) fn without_year(edition: Option<&str>, format: Format) -> String {
    let who = match edition {
        Some(edition) => format!("--edition {edition:?} has no year, and the file names have none either"),
        None => "the file names do not contain the year of the edition".to_owned(),
    };
    format!(
        "{who}: the attribution that the licences ask for is published without a year; \
         give it, such as --edition \"{format} November 2025\""
    )
}

/// Returns the attribution that the licences require, with the edition's year.
pub(super) fn attribution(format: Format, year: Option<u16>) -> String {
    let year = year.map_or_else(String::new, |year| format!(" {year}"));
    let os = format!("Contains OS data © Crown copyright and database right{year}");
    let mail = format!("Contains Royal Mail data © Royal Mail copyright and database right{year}");
    match format {
        Format::CodePointOpen => {
            format!(
                "{os}, {mail}, Contains National Statistics data © Crown copyright and database right{year}"
            )
        }
        _ => format!(
            "{os}. {mail}. Source: Office for National Statistics licensed under the Open Government Licence v.3.0."
        ),
    }
}

/// Returns the attribution that National Records of Scotland require, to be appended.
pub(super) fn scottish_attribution(year: Option<u16>) -> String {
    let year = year.map_or_else(String::new, |year| format!(" {year}"));
    format!(" Contains NRS data © Crown copyright and database right{year}.")
}

/// Returns the licences of the dataset's contents.
pub(super) fn licence(has_northern_ireland: bool) -> String {
    let open = "Open Government Licence v3.0";
    if has_northern_ireland {
        format!(
            "{open}; Northern Ireland (BT) postcodes: Land & Property Services, internal or non-commercial use only"
        )
    } else {
        open.to_owned()
    }
}

/// The postcode areas of the United Kingdom and the Crown dependencies.
const AREAS: &str = "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN \
    EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP \
    NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD \
    WF WN WR WS WV YO ZE";

/// Postcode areas that the source leaves out: those it has no row of, if it is one that leaves
/// areas out. A file of ONSPD or NSPL for the whole country covers all.
pub(super) fn not_covered(partial: bool, present: &BTreeSet<String>) -> Vec<String> {
    if !partial {
        return Vec::new();
    }
    AREAS.split_whitespace().filter(|area| !present.contains(*area)).map(str::to_owned).collect()
}

/// Which postcode areas an input covers: of the others nothing can be said, and "unknown" would be
/// wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Covers {
    /// All areas, unless the source leaves some out, or each table has rows of one area only.
    #[default]
    Auto,
    /// All areas: a postcode that is not in the input does not exist.
    All,
    /// The areas that the input has rows of.
    Present,
}

impl Covers {
    /// Returns whether areas without a row are not covered. Code-Point Open (no Northern Ireland,
    /// no Crown dependencies) and this project's extract (no Northern Ireland) always leave some
    /// out. Tables of single areas, as in ONS's `multi_csv`, cover these areas only. A table with
    /// rows of several areas is of the country, or a sample of it.
    pub(super) fn is_partial(self, format: Format, has_status: bool, single_areas: bool) -> bool {
        match self {
            Self::Auto => format == Format::CodePointOpen || has_status || single_areas,
            Self::All => false,
            Self::Present => true,
        }
    }
}

/// Returns the advice for a user who asks for a postcode in an area that is not covered.
pub(super) fn advice(not_covered: &[String], edition: &str) -> Option<String> {
    match not_covered {
        [] => None,
        [bt] if bt == "BT" => Some(format!(
            "Northern Ireland (BT) postcodes are not in this data ({edition}; their licence does not allow it): \
             load ONSPD with `postcode-service import`"
        )),
        areas => Some(format!(
            "this data ({edition}) does not cover the postcode areas {}: for the whole of the UK load ONSPD with \
             `postcode-service import`",
            areas.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_by_file_name() {
        let cases = [
            ("ONSPD_NOV_2025_UK.csv", "November 2025"),
            ("ONSPD_NOV_2025_UK_AB.csv", "November 2025"),
            ("onspd_2020-07.csv", "July 2020"),
            ("NSPL21_AUG_2024_UK.csv", "August 2024"),
            ("uk_postcodes_joined_nov2025.csv.zst", "November 2025"),
            ("codepoint_open_2023_gb.csv.zst", "2023"),
            ("ONS Postcode Directory (May 2024).zip", "May 2024"),
        ];
        for (name, expected) in cases {
            assert_eq!(
                Month::in_name(name).map(|month| month.to_string()).as_deref(),
                Some(expected),
                "{name}"
            );
        }
        assert_eq!(Month::in_name("ab.csv"), None);
        let metadata = "PRODUCT: OS Code-Point Open\r\nCOPYRIGHT DATE: 20231110\r\n";
        assert_eq!(
            Month::in_metadata(metadata).map(|month| month.to_string()).as_deref(),
            Some("November 2023")
        );
    }

    #[test]
    fn attribution_carries_the_year() {
        let text = attribution(Format::Onspd, Some(2025));
        assert!(
            text.starts_with(
                "Contains OS data © Crown copyright and database right 2025. Contains Royal Mail"
            )
        );
        assert!(attribution(Format::CodePointOpen, Some(2023)).ends_with("database right 2023"));
        assert_eq!(year_of("ONSPD November 2025"), Some(2025));
    }

    #[test]
    fn what_is_left_out() {
        let all: BTreeSet<String> = AREAS.split_whitespace().map(str::to_owned).collect();
        assert_eq!(all.len(), 124);
        let mut great_britain = all.clone();
        great_britain.remove("BT");
        assert_eq!(not_covered(true, &great_britain), ["BT"]);
        assert!(not_covered(false, &great_britain).is_empty());
        assert!(advice(&["BT".to_owned()], "x").unwrap().contains("load ONSPD"));
        assert!(advice(&["BT".to_owned(), "JE".to_owned()], "x").unwrap().contains("BT, JE"));
    }
}
