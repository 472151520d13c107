//! From what a cell says to a postcode.

use postcode_core::{Answer, ParseError, ParseReason, PostalCode, Postcode, text};

use super::Plan;
use super::column::Found;

/// The content of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A postcode.
    Postcode(Postcode),
    /// Not a postcode, but there is exactly one that may be meant; and what is wrong with the text.
    Repair(Postcode, String),
    /// Several postcodes, of which only one that is in use may be meant.
    Several {
        postcodes: Box<[Postcode]>,
        /// The error if not exactly one is in use.
        why: String,
        /// Whether they are written with confused characters.
        repaired: bool,
    },
    /// Not a postcode, and why.
    Not(Lack, String),
}

/// The text that is there instead of a postcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// Nothing.
    Blank,
    /// A part of a postcode: an area, an outcode or a sector.
    Partial,
    /// Something else.
    Malformed,
}

impl Cell {
    /// The postcodes to look up.
    pub(super) fn postcodes(&self) -> &[Postcode] {
        match self {
            Self::Postcode(postcode) | Self::Repair(postcode, _) => std::slice::from_ref(postcode),
            Self::Several { postcodes, .. } => postcodes,
            Self::Not(..) => &[],
        }
    }

    /// Puts the cell together with the answers for its postcodes.
    pub(super) fn judge<'a>(&'a self, answers: &'a [Answer]) -> (Found<'a>, Option<Lack>) {
        let found = |error| Found { error, ..Found::default() };
        let answer = answers.first();
        match self {
            Self::Postcode(postcode) => (Found { postcode: Some(*postcode), answer, ..found(None) }, None),
            Self::Repair(postcode, _) if answer.is_some_and(Answer::is_live) => {
                (Found { postcode: Some(*postcode), answer, repaired: true, ..found(None) }, None)
            }
            Self::Several { postcodes, why, repaired } => {
                let mut live = postcodes.iter().zip(answers).filter(|(_, answer)| answer.is_live());
                match (live.next(), live.next()) {
                    (Some((postcode, answer)), None) => {
                        let (postcode, answer, repaired) = (Some(*postcode), Some(answer), *repaired);
                        (Found { postcode, answer, repaired, ..found(None) }, None)
                    }
                    _ => (found(Some(why)), Some(Lack::Malformed)),
                }
            }
            // A repair that is not in use is not what was meant.
            Self::Repair(_, why) => (found(Some(why)), Some(Lack::Malformed)),
            Self::Not(lack, why) => (found(Some(why)), Some(*lack)),
        }
    }

    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::Not(Lack::Malformed, why.into())
    }
}

/// Words that programs write for a missing value, compared in any case; `\N` is MySQL's. `NA` is not a postcode area.
const MISSING: [&str; 8] = ["nan", "null", "none", "na", "n/a", "#n/a", "<na>", "\\n"];

/// Reads the text of a cell.
pub(super) fn read(cell: &str, plan: &Plan) -> Cell {
    if let Ok(postcode) = cell.parse() {
        return Cell::Postcode(postcode);
    }
    let plain = postcode_tables::plain_text(cell);
    let error: ParseError = match plain.parse() {
        Ok(postcode) => return Cell::Postcode(postcode),
        Err(error) => error,
    };
    if MISSING.iter().any(|word| plain.eq_ignore_ascii_case(word)) {
        return Cell::Not(Lack::Blank, format!("{plain:?} stands for a missing value"));
    }
    if plan.find
        && let Some(found) = find(plain)
    {
        return found;
    }
    if plan.repair
        && let Some(meant) = error.suggestion().and_then(|text| text.parse().ok())
    {
        return Cell::Repair(meant, error.to_string());
    }
    if plan.find
        && plan.repair
        && let Some(found) = find_repairs(plain, &error)
    {
        return found;
    }
    let lack = match error.reason() {
        ParseReason::Empty => Lack::Blank,
        ParseReason::OtherKind(PostalCode::Outcode(_) | PostalCode::Sector(_) | PostalCode::Area(_)) => {
            Lack::Partial
        }
        _ => Lack::Malformed,
    };
    Cell::Not(lack, error.to_string())
}

/// The most postcodes of one cell that are looked up. Those of the 2,000 rows of a job's part must fit in one lookup.
const SEVERAL: usize = 4;

/// Finds the postcode in a longer text. Returns `None` if the text contains no postcode.
fn find(text: &str) -> Option<Cell> {
    chosen(text::find(text), "more than one postcode", None)
}

/// Finds what may be a postcode with confused characters in a longer text. `error` says what is wrong with the text.
fn find_repairs(text: &str, error: &ParseError) -> Option<Cell> {
    chosen(text::repairs(text), "more than one possible correction", Some(error))
}

/// Returns the cell for the postcodes of a text. `several` says what is wrong if they differ, and `error` what is wrong with
/// the text if they are repairs.
fn chosen(all: impl Iterator<Item = text::Found>, several: &str, error: Option<&ParseError>) -> Option<Cell> {
    let mut found: Vec<Postcode> = Vec::new();
    for text::Found { postcode, .. } in all {
        if !found.contains(&postcode) {
            found.push(postcode);
        }
        if found.len() > SEVERAL {
            break;
        }
    }
    Some(match (&found[..], error) {
        ([], _) => return None,
        ([one], None) => Cell::Postcode(*one),
        ([one], Some(error)) => Cell::Repair(*one, error.to_string()),
        ([first, second, ..], _) => {
            let why = format!("{several}: {first} and {second}");
            if found.len() > SEVERAL {
                return Some(Cell::malformed(why));
            }
            Cell::Several { postcodes: found.into(), why, repaired: error.is_some() }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Column, Format};
    use super::*;

    fn plan(repair: bool, find: bool) -> Plan {
        let columns = Column::list("status").unwrap_or_default();
        Plan { repair, find, ..Plan::new(Format::Csv, columns) }
    }

    fn shown(cell: &Cell) -> String {
        match cell {
            Cell::Postcode(postcode) => postcode.to_string(),
            Cell::Repair(postcode, _) => format!("{postcode}?"),
            Cell::Several { postcodes, repaired: false, .. } => format!("{} postcodes", postcodes.len()),
            Cell::Several { postcodes, .. } => format!("{} postcodes?", postcodes.len()),
            Cell::Not(lack, _) => format!("{lack:?}"),
        }
    }

    #[test]
    fn cells_are_told_apart() {
        for (text, expected) in [
            ("SW1A 1AA", "SW1A 1AA"),
            ("=\"SW1A 1AA\"", "SW1A 1AA"),
            ("'sw1a1aa", "SW1A 1AA"),
            (" ", "Blank"),
            ("SW1A", "Partial"),
            ("SW1A 1", "Partial"),
            ("SWIA OAA", "Malformed"),
            ("1 The Mall, London SW1A 1AA", "Malformed"),
        ] {
            assert_eq!(shown(&read(text, &plan(false, false))), expected, "{text}");
        }
    }

    #[test]
    fn repair_and_find_are_asked_for() {
        assert_eq!(shown(&read("SWIA OAA", &plan(true, false))), "SW1A 0AA?");
        assert_eq!(shown(&read("SW1A", &plan(true, true))), "Partial");
        let address = "1 The Mall, London SW1A 1AA";
        assert_eq!(shown(&read(address, &plan(true, true))), "SW1A 1AA");
        assert_eq!(shown(&read("SW1A 1AA, UK", &plan(false, true))), "SW1A 1AA");
        let several = read("SW1A 1AA or M1 1AE", &plan(false, true));
        let Cell::Several { postcodes: both, why, .. } = several else { panic!() };
        assert_eq!((both.len(), &*why), (2, "more than one postcode: SW1A 1AA and M1 1AE"));
        let many = (1..=9).map(|n| format!("M1 {n}AE ")).collect::<String>();
        assert_eq!(shown(&read(&many, &plan(false, true))), "Malformed");
    }

    #[test]
    fn postcode_with_a_typing_error_is_found_and_repaired_in_a_longer_cell() {
        let address = "10 Downing St, SW1A OAA London";
        assert_eq!(shown(&read(address, &plan(true, true))), "SW1A 0AA?");
        assert_eq!(shown(&read("SW1A OAA or MI 1AE", &plan(true, true))), "2 postcodes?");
        // A postcode without an error counts.
        assert_eq!(shown(&read("SW1A OAA or M1 1AE", &plan(true, true))), "M1 1AE");
        for plan in [plan(true, false), plan(false, true)] {
            assert_eq!(shown(&read(address, &plan)), "Malformed");
        }
    }

    #[test]
    fn word_for_a_missing_value_is_blank() {
        for text in
            ["nan", "NaN", "NULL", "null", "None", "NA", "N/A", "#N/A", "<NA>", "\\N", " na ", "=\"NaN\""]
        {
            assert_eq!(shown(&read(text, &plan(true, true))), "Blank", "{text}");
        }
        for (text, expected) in [("NE", "Partial"), ("SW1A", "Partial"), ("nothing", "Malformed")] {
            assert_eq!(shown(&read(text, &plan(false, false))), expected, "{text}");
        }
        assert!("NA".parse::<PostalCode>().is_err());
    }

    #[test]
    fn floor_in_an_address_is_not_half_of_a_postcode() {
        assert_eq!(shown(&read("Flat B1 2nd Floor, Leeds", &plan(false, true))), "Malformed");
        assert_eq!(shown(&read("FLAT B1, 2ND FLOOR, B1 2ND FLOOR", &plan(false, true))), "Malformed");
        assert_eq!(shown(&read("Flat B1 2nd Floor, Leeds LS1 4DY", &plan(false, true))), "LS1 4DY");
    }
}
