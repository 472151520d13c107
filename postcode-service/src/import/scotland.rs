//! The Scottish Postcode Directory: small users and large users, with header or without.

use postcode_core::dataset::DatasetBuilder;
use postcode_core::{Outcode, Postcode, ScottishArea, ScottishPostcode};

use super::columns::key;
use super::lines::Splitter;
use super::row::Refusal;
use super::scottish_columns::{Held, find, layout};

const CONSTITUENCY: Held = Held::Area(ScottishArea::ScottishParliamentaryConstituency);

/// The positions of the columns in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    postcode: usize,
    deleted: usize,
    constituency: usize,
    /// The other columns that exist.
    others: Vec<(Held, usize)>,
    /// Cells of a row.
    cells: usize,
    pub(super) header: bool,
}

impl Directory {
    /// Detects the layout from a file's first line. A row without a header begins with the
    /// postcode, the outcode, the sector and two dates. Files of large users then have the linked
    /// small user's postcode.
    pub(super) fn of<S: AsRef<str>>(cells: &[S]) -> Option<Self> {
        let cell = |at: usize| cells.get(at).map_or("", AsRef::as_ref);
        let keys: Vec<String> = cells.iter().map(|name| key(name.as_ref())).collect();
        let named = |name: &str| keys.iter().position(|key| key == name);
        if let (Some(postcode), Some(deleted)) = (named("postcode"), named("dateofdeletion")) {
            let mut others = find(cells);
            let constituency = others.iter().find(|(held, _)| *held == CONSTITUENCY)?.1;
            others.retain(|(held, _)| *held != CONSTITUENCY);
            return Some(Self { postcode, deleted, constituency, others, cells: cells.len(), header: true });
        }
        let date = |text: &str| text.is_empty() || text.split(['/', ' ']).count() >= 3;
        let begins = cell(0).parse::<Postcode>().is_ok()
            && cell(1).parse::<Outcode>().is_ok()
            && cell(2).starts_with(cell(1))
            && !cell(3).is_empty()
            && date(cell(3))
            && date(cell(4));
        if cells.len() < 30 || !begins {
            return None;
        }
        let number = |at: usize| !cell(at).is_empty() && cell(at).bytes().all(|b| b.is_ascii_digit());
        let large = !(number(5) && number(6));
        let constituency = if large { 14 } else { 13 };
        // Only a row that looks like the layout it is taken for: another order of columns would
        // give wrong codes in silence.
        let begins = |at: usize, with: &str| cell(at).is_empty() || cell(at).starts_with(with);
        let expected = |others: &[(Held, usize)]| {
            others.iter().all(|(held, at)| match held {
                Held::Area(ScottishArea::CouncilArea) => begins(*at, "S12"),
                Held::Area(ScottishArea::DataZone | ScottishArea::DataZone2011) => begins(*at, "S01"),
                Held::Area(ScottishArea::TravelToWorkArea) => begins(*at, "S22") || begins(*at, "K01"),
                _ => true,
            })
        };
        let mut others = layout(cells.len(), large).map(|names| find(&names)).unwrap_or_default();
        others.retain(|(held, _)| *held != CONSTITUENCY);
        others = if expected(&others) { others } else { Vec::new() };
        Some(Self { postcode: 0, deleted: 4, constituency, others, cells: cells.len(), header: false })
    }

    /// Returns the names of the columns for messages.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names = vec![""; self.cells];
        names[self.postcode] = "Postcode";
        names[self.deleted] = "DateOfDeletion";
        names[self.constituency] = CONSTITUENCY.label();
        self.others.iter().for_each(|(held, at)| names[*at] = held.label());
        names
    }

    /// Adds the entry of a line. Returns false if the line is ignored: a terminated postcode, or
    /// the smaller part of one that is split between two areas (`EH1 1AAB`). The larger part, `EH1
    /// 1AAA`, is kept without the letter.
    pub(super) fn read(&self, line: &Splitter, builder: &mut DatasetBuilder) -> Result<bool, Refusal> {
        let refuse = |column, reason: String| Err(Refusal { column: Some(column), reason: reason.into() });
        if line.count() != self.cells {
            let reason = format!("{} cells where the first line has {}", line.count(), self.cells);
            return Err(Refusal { column: None, reason: reason.into() });
        }
        if !line.cell(self.deleted).is_empty() {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(line.cell(self.postcode));
        let parsed = |text: &str| text.parse::<Postcode>();
        let postcode = match parsed(&text) {
            Ok(postcode) => postcode,
            Err(error) => match text.char_indices().last() {
                Some((at, last)) if last.is_ascii_uppercase() && parsed(&text[..at]).is_ok() => {
                    match parsed(&text[..at]) {
                        Ok(postcode) if last == 'A' => postcode,
                        _ => return Ok(false),
                    }
                }
                _ => return refuse(self.postcode, error.to_string()),
            },
        };
        let code = line.cell(self.constituency);
        let well_formed = code.len() == 9 && code[0] == b'S' && code[1..].iter().all(u8::is_ascii_digit);
        let code = std::str::from_utf8(code).ok().filter(|_| well_formed);
        if code.is_none() && !line.cell(self.constituency).is_empty() {
            return refuse(self.constituency, "not the code of a constituency, such as S16000074".to_owned());
        }
        let mut entry = ScottishPostcode::new(postcode, None, code.map(str::to_owned));
        for (held, at) in &self.others {
            if let Err(reason) = put(&mut entry, *held, line.cell(*at)) {
                return refuse(*at, reason);
            }
        }
        match builder.push_scottish(&entry) {
            Ok(()) => Ok(true),
            Err(error) => refuse(self.postcode, error.message().to_owned()),
        }
    }
}

/// Puts a cell where it belongs; blank ones say nothing.
fn put(entry: &mut ScottishPostcode, held: Held, cell: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(cell) else { return Err("not UTF-8".to_owned()) };
    let text = text.trim();
    if text.is_empty() {
        return Ok(());
    }
    let class = |most: u8| match text.parse() {
        Ok(class) if (1..=most).contains(&class) => Ok(Some(class.to_string())),
        _ => Err(format!("not a class from 1 to {most}")),
    };
    match held {
        // Any code that a dataset can hold: what codes of islands or parishes look like is up to
        // the directory.
        Held::Area(area) if text.len() <= 32 && !text.contains(char::is_control) => {
            entry.set(area, None, Some(text.to_owned()));
        }
        Held::Area(_) => {
            return Err("not the code of an area: more than 32 bytes, or control characters".to_owned());
        }
        Held::UrbanRural6 => entry.urban_rural_6_fold = class(6)?,
        Held::UrbanRural8 => entry.urban_rural_8_fold = class(8)?,
        Held::DeprivationRank => {
            let rank = text.parse().map_err(|_| "not a rank, 1 to 65535".to_owned())?;
            entry.scottish_index_of_multiple_deprivation = (rank != 0).then_some(rank);
        }
        Held::Split => match text {
            "Y" | "N" => entry.split_indicator = Some(text.to_owned()),
            _ => return Err("neither Y nor N".to_owned()),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use postcode_core::dataset::Metadata;

    const SMALL: &str = "EH1 1AA,EH1,EH1 1,1/8/1973 00:00:00,,325900,673600,55.9,-3.1,N,S12000036,S14000022,S17000012,S16000104";

    fn row(start: &str, cells: usize) -> String {
        format!("{start}{}", ",".repeat(cells - start.split(',').count()))
    }

    fn directory(line: &str) -> Option<Directory> {
        Directory::of(&line.split(',').collect::<Vec<_>>())
    }

    #[test]
    fn files_are_told_by_their_first_line() {
        let small = directory(&row(SMALL, 57)).unwrap();
        assert_eq!((small.constituency, small.header), (13, false));
        let large = SMALL.replace(",325900", "1/9/1995 00:00:00,EH1 1AB,325900");
        let large = directory(&row(&large, 51)).unwrap();
        assert_eq!(large.constituency, 14);
        let header = "Postcode,PostcodeDistrict,DateOfIntroduction,DateOfDeletion,\
            ScottishParliamentaryConstituency2014Code,ScottishParliamentaryConstituency2021Code";
        let header = directory(header).unwrap();
        assert_eq!((header.postcode, header.deleted, header.constituency), (0, 3, 5));
        for other in ["pcds,dointr", "AB1 0AA,10,385386,801193", "Postcode,DateOfDeletion", ""] {
            assert_eq!(directory(other), None, "{other}");
        }
        assert_eq!(directory(SMALL), None);
    }

    #[test]
    fn rows_that_are_no_more_or_lesser_parts_are_left_out() {
        let small = directory(&row(SMALL, 57)).unwrap();
        let mut builder = DatasetBuilder::new(Metadata::new("Scotland"));
        let mut read = |line: &str| {
            let mut splitter = Splitter::new(&postcode_tables::Dialect::of(b"", true));
            splitter.split(row(line, 57).as_bytes()).unwrap();
            small.read(&splitter, &mut builder).map_err(|refusal| refusal.reason.into_owned())
        };
        assert_eq!(read(SMALL), Ok(true));
        assert!(read(SMALL).unwrap_err().contains("given twice"));
        assert_eq!(read(&SMALL.replace("EH1 1AA", "EH1 1ABA")), Ok(true));
        assert_eq!(read(&SMALL.replace("EH1 1AA", "EH1 1ABB")), Ok(false));
        assert_eq!(read(&SMALL.replace(",,", ",1/9/1995 00:00:00,")), Ok(false));
        assert!(read(&SMALL.replace("EH1 1AA", "nonsense")).is_err());
        assert!(read(&SMALL.replace("S16000104", "16104")).unwrap_err().contains("S16000074"));
        assert!(read("EH1 1AD").is_ok());
    }
}
