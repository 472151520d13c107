//! The state that all readers share: the report, what was seen, and where addresses go.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::detect::Layout;
use super::error::{Error, Result};
use super::locations::Points;
use super::options::Options;
use super::report::{Doubt, FileRead, Report};
use super::rows::{self, Rows};
use super::source::Text;
use crate::format::title_case_address;
use crate::model::{Address, may_have_controls};

/// A UDPRN has at most eight digits.
pub(super) const UDPRN_LIMIT: u64 = 100_000_000;
/// A UPRN has at most twelve digits.
pub(super) const UPRN_LIMIT: u64 = 1_000_000_000_000;
/// How many rows are read between two looks at the stop flag.
const STOP_EVERY: u64 = 4096;

/// Receives addresses.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&Address) -> io::Result<()>;

pub(super) struct Reading<'a> {
    pub(super) report: Report,
    pub(super) options: &'a Options,
    pub(super) seen: Udprns,
    /// The numbers of Multiple Residence children.
    pub(super) children: Udprns,
    pub(super) points: Points,
    /// The last postcode that was checked, and whether it is in use.
    checked: (String, bool),
    sink: Sink<'a>,
    stop: &'a AtomicBool,
}

/// Whether a row was refused, and with which value.
pub(super) type Refusal = (Doubt, String);

impl<'a> Reading<'a> {
    pub(super) fn new(options: &'a Options, sink: Sink<'a>, stop: &'a AtomicBool) -> Self {
        let report = Report { max_refused: options.max_refused, ..Report::default() };
        Self {
            report,
            options,
            seen: Udprns::default(),
            children: Udprns::default(),
            points: Points::default(),
            checked: Default::default(),
            sink,
            stop,
        }
    }

    /// Passes an address on.
    pub(super) fn emit(&mut self, address: &mut Address) -> Result<()> {
        for text in address.texts_mut() {
            if may_have_controls(text) {
                *text = text.replace(char::is_control, " ").trim().to_owned();
            }
        }
        if self.options.title_case {
            title_case_address(address);
        }
        if address.point.is_none()
            && let Some(uprn) = address.uprn
        {
            address.point = self.points.get(uprn);
        }
        *self.report.addresses.entry(address.dataset.as_str()).or_default() += 1;
        self.report.welsh += u64::from(address.welsh.is_some());
        self.report.with_uprn += u64::from(address.uprn.is_some());
        self.report.with_point += u64::from(address.point.is_some());
        (self.sink)(address).map_err(Error::Sink)
    }

    /// Looks whether the postcode is in use.
    pub(super) fn check_postcode(&mut self, postcode: &str, file: &str, line: u64) -> Result<()> {
        let Some(in_use) = &self.options.in_use else { return Ok(()) };
        // Files come sorted, so that most rows have the postcode of the row before.
        if self.checked.0 != postcode {
            postcode.clone_into(&mut self.checked.0);
            self.checked.1 = in_use(postcode);
        }
        if self.checked.1 { Ok(()) } else { self.report.doubt(Doubt::OldPostcode, file, line, postcode) }
    }

    pub(super) fn stopped(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Reads rows until there are no more. Returns how many were not empty.
    fn read_rows(
        &mut self,
        file: &str,
        mut rows: Rows<'_>,
        row: &mut impl FnMut(&mut Self, &mut Rows<'_>) -> Result<std::result::Result<(), Refusal>>,
    ) -> Result<u64> {
        let mut read = 0;
        while rows.next()? {
            if rows.columns() == 1 && rows.bytes(0).is_empty() {
                continue;
            }
            read += 1;
            if u64::is_multiple_of(read, STOP_EVERY) {
                self.stopped()?;
            }
            if let Err((doubt, value)) = row(self, &mut rows)? {
                if doubt == Doubt::Columns && rows.is_cut() {
                    return Err(Error::CutOff { file: file.to_owned(), line: rows.line() });
                }
                self.report.doubt(doubt, file, rows.line(), value)?;
            }
        }
        if rows.encodings.iter().all(|&values| values > 0) {
            let [utf8, latin] = rows.encodings;
            let counts = format_args!("{utf8} values in UTF-8, {latin} in Latin-1");
            self.report.doubt(Doubt::Encodings, file, 0, counts)?;
        }
        Ok(read)
    }

    /// Reads the rows of a delimited file. `row` says why it refuses a row.
    pub(super) fn rows(
        &mut self,
        text: &Text,
        layout: Layout,
        delimiter: u8,
        mut row: impl FnMut(&mut Self, &mut Rows<'_>) -> Result<std::result::Result<(), Refusal>>,
    ) -> Result<()> {
        let file = text.display.as_str();
        let (sending, receiving) = rows::channel();
        // One thread unpacks the file and takes rows apart, this one reads their values.
        let read = std::thread::scope(|scope| {
            let taking =
                scope.spawn(move || text.read(|reader| rows::take_apart(reader, file, delimiter, &sending)));
            let read = self.read_rows(file, Rows::received(receiving), &mut row);
            match taking.join() {
                Ok(taken) => read.and_then(|read| taken.map(|()| read)),
                Err(_) => {
                    let source = io::Error::other("the thread that reads it ended unexpectedly");
                    read.and(Err(Error::Read { file: file.to_owned(), source }))
                }
            }
        })?;
        self.report.files.push(FileRead { file: file.to_owned(), layout, rows: read });
        Ok(())
    }
}

/// Reads a number column of a row.
pub(super) fn number(
    rows: &Rows<'_>,
    column: usize,
    below: u64,
) -> std::result::Result<Option<u64>, Refusal> {
    rows.number(column, below).map_err(|value| (Doubt::Number, value))
}

/// Reads a UDPRN column.
pub(super) fn udprn(rows: &Rows<'_>, column: usize) -> std::result::Result<Option<u32>, Refusal> {
    Ok(number(rows, column, UDPRN_LIMIT)?
        .and_then(|number| u32::try_from(number).ok())
        .filter(|&number| number > 0))
}

/// Reads a UPRN column.
pub(super) fn uprn(rows: &Rows<'_>, column: usize) -> std::result::Result<Option<u64>, Refusal> {
    Ok(number(rows, column, UPRN_LIMIT)?.filter(|&number| number > 0))
}

/// Reads a postcode column.
pub(super) fn postcode(
    rows: &Rows<'_>,
    column: usize,
    address: &mut Address,
) -> std::result::Result<(), Refusal> {
    if crate::postcode::put(rows.bytes(column), &mut address.postcode) {
        Ok(())
    } else {
        Err((Doubt::Postcode, rows.text(column).into_owned()))
    }
}

/// Which UDPRNs were seen: a bit for each, so that 33 million take 12 MB.
#[derive(Default)]
pub(super) struct Udprns {
    words: Vec<u64>,
}

impl Udprns {
    fn place(udprn: u32) -> (usize, u64) {
        ((udprn / 64) as usize, 1 << (udprn % 64))
    }

    /// Adds a UDPRN. Returns whether it is new.
    pub(super) fn insert(&mut self, udprn: u32) -> bool {
        let (word, bit) = Self::place(udprn);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn contains(&self, udprn: u32) -> bool {
        let (word, bit) = Self::place(udprn);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }
}
