//! The Scottish Postcode Directory: small users and large users, with header or without.

use postcode_core::dataset::DatasetBuilder;
use postcode_core::{Outcode, Postcode};

use super::columns::{key, vintage};
use super::lines::Splitter;
use super::row::Refusal;

/// Where the columns are that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    postcode: usize,
    deleted: usize,
    constituency: usize,
    /// Cells of a row.
    cells: usize,
    pub(super) header: bool,
}

impl Directory {
    /// By the first line of a file. A row without header has its postcode, the outcode and the sector in front and then
    /// two dates; files of large users have the linked small user's postcode after them.
    pub(super) fn of<S: AsRef<str>>(cells: &[S]) -> Option<Self> {
        let cell = |at: usize| cells.get(at).map_or("", AsRef::as_ref);
        let keys: Vec<String> = cells.iter().map(|name| key(name.as_ref())).collect();
        let find = |name: &str| keys.iter().position(|key| key == name);
        if let (Some(postcode), Some(deleted)) = (find("postcode"), find("dateofdeletion")) {
            // The newest boundaries; postcodes.io 18 has those of 2014, which the column without a newer year is of.
            let newest = keys.iter().enumerate().filter_map(|(at, key)| {
                let year = key.strip_prefix("scottishparliamentaryconstituency")?.strip_suffix("code")?;
                let year = if year.is_empty() { 0 } else { vintage("20##", year)? };
                Some((year, at))
            });
            let (_, constituency) = newest.max()?;
            return Some(Self { postcode, deleted, constituency, cells: cells.len(), header: true });
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
        let constituency = if number(5) && number(6) { 13 } else { 14 };
        Some(Self { postcode: 0, deleted: 4, constituency, cells: cells.len(), header: false })
    }

    /// What the columns are called in messages.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names = vec![""; self.cells];
        names[self.postcode] = "Postcode";
        names[self.deleted] = "DateOfDeletion";
        names[self.constituency] = "ScottishParliamentaryConstituencyCode";
        names
    }

    /// Adds the entry of a line; false if it is not wanted: a postcode that is no more, or the lesser part of one that is
    /// split between two areas (`EH1 1AAB`; of the greater, `EH1 1AAA`, the letter is left out).
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
        match builder.push_scottish(postcode, code) {
            Ok(()) => Ok(true),
            Err(error) => refuse(self.postcode, error.message().to_owned()),
        }
    }
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
            let mut splitter = Splitter::new();
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
