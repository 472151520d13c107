//! Rows of JSON: how they begin, and one after the other.

use std::sync::Arc;

use postcode_tables::json::{self, ObjectScanner};
use postcode_tables::{SAMPLE, blank};

use super::csv::known;
use super::guess::Keys;
use super::layout::{self, Beginning};
use super::row::{Row, is_end_of_file};
use super::rows::{MARK, Rows};
use super::{Error, Format, MAX_ROW, Plan, premises, short};

/// Returns the keys of the first objects of a file, which `sample` begins with.
fn keys_of(sample: &[u8], whole: bool, mut objects: ObjectScanner, plan: &Plan) -> Keys {
    let mut keys = Keys::default();
    let mut rest = sample.strip_prefix(MARK).unwrap_or(sample);
    if plan.format == Format::Json {
        while let Ok(json::Step::Object(from, to)) = objects.scan(rest, whole) {
            keys.add(rest.get(from..to).unwrap_or_default(), plan);
            rest = rest.get(to..).unwrap_or_default();
            objects.next_object();
            if keys.is_full() {
                break;
            }
        }
        return keys;
    }
    let ended = |line: &&[u8]| whole || line.as_ptr_range().end != rest.as_ptr_range().end;
    for line in rest.split(|byte| matches!(byte, b'\n' | b'\r')).filter(ended) {
        keys.add(line, plan);
        if keys.is_full() {
            break;
        }
    }
    keys
}

impl Rows<'_> {
    /// Finds out how rows of JSON come, and under which key their postcodes are.
    pub(super) async fn begin_objects(&mut self, head: &mut Vec<u8>) -> Result<(), Error> {
        if self.plan.format == Format::Json {
            self.begin_layout(head).await?;
        }
        if self.plan.shape.is_split() {
            return Ok(());
        }
        let mut keys = Keys::default();
        // An object may be longer than what is looked at first.
        for most in [SAMPLE, MAX_ROW] {
            let objects = self.objects.clone();
            let (sample, whole) = self.input.ahead(most).await?;
            keys = keys_of(sample, whole, objects, &self.plan);
            if keys.objects > 0 || whole {
                break;
            }
        }
        if keys.had_nan {
            self.notes.push("NaN and Infinity, which are not JSON, are read and written as null".to_owned());
        }
        if let Some((path, told)) = keys.settle(&self.plan).map_err(Error::Invalid)? {
            self.notes.push(format!("the postcodes are under the key {}, {told}", short(&path)));
            self.plan = Arc::new(Plan { postcode: Some(path), ..(*self.plan).clone() });
        }
        if keys.objects == 0 {
            return Ok(());
        }
        if let Some(address) = premises::paths(keys.paths(), &self.plan).map_err(Error::Invalid)? {
            self.notes.push(format!("the addresses are under the keys {}", known(&address)));
            self.plan = Arc::new(Plan { address, ..(*self.plan).clone() });
        }
        Ok(())
    }

    /// Finds the layout of the file, and takes what stands before its rows.
    async fn begin_layout(&mut self, head: &mut Vec<u8>) -> Result<(), Error> {
        let plan = self.plan.clone();
        let (sample, whole) = self.input.ahead(SAMPLE).await?;
        let mut told = layout::find(sample, whole, &plan).map_err(Error::Invalid)?;
        if matches!(told, Beginning::Nothing) {
            let (sample, whole) = self.input.ahead(MAX_ROW).await?;
            told = layout::find(sample, whole, &plan).map_err(Error::Invalid)?;
        }
        let found = match told {
            Beginning::Objects => return Ok(()),
            Beginning::Nothing => return Err(Error::Invalid(layout::too_late())),
            Beginning::Rows(found) => found,
        };
        let mut taken = Vec::new();
        self.input.take(found.len, &mut taken);
        self.line += memchr::memchr_iter(b'\n', &taken).count() as u64;
        let (at, added) = found.added.unwrap_or_default();
        let (before, after) = taken.split_at_checked(at).unwrap_or((&taken, b""));
        head.extend_from_slice(before);
        head.extend_from_slice(added.as_bytes());
        head.extend_from_slice(after);
        self.notes.push(found.note);
        self.objects = found.shape.scanner(false);
        self.plan = Arc::new(Plan { shape: found.shape, ..(*plan).clone() });
        Ok(())
    }

    /// The next line of JSON, its bytes added to `out`.
    pub(super) async fn line_row(&mut self, out: &mut Vec<u8>) -> Result<Option<Row>, Error> {
        let unclear = |rest: &[u8]| blank(rest).is_none() || is_end_of_file(rest);
        while unclear(self.input.rest()) && self.input.more(self.line).await? {}
        let start = out.len();
        let empty = match blank(self.input.rest()) {
            None if self.input.rest().is_empty() => return Ok(None),
            None => 1,
            Some(_) if is_end_of_file(self.input.rest()) => self.input.rest().len(),
            Some(empty) => empty,
        };
        let len = if empty > 0 { empty } else { self.input.line(self.line).await? };
        self.input.take(len, out);
        self.line += 1;
        let range = start..start + len;
        Ok(Some(if empty > 0 { Row::blank(range) } else { Row::object(range, 0..len) }))
    }

    /// The next row of an array.
    pub(super) async fn object(&mut self, out: &mut Vec<u8>) -> Result<Option<Row>, Error> {
        self.objects.next_object();
        let (from, to) = loop {
            let wrong = |fault| Error::Invalid(format!("line {}: {fault}", self.line));
            match self.objects.scan(self.input.rest(), self.input.ended).map_err(wrong)? {
                json::Step::Object(from, to) => break (from, to),
                json::Step::End(0) => return Ok(None),
                json::Step::End(len) => {
                    let start = out.len();
                    self.input.take(len, out);
                    return Ok(Some(Row::blank(start..start + len)));
                }
                json::Step::Rest(at) => return self.rest_of_layout(at, out).await.map(Some),
                json::Step::More => drop(self.input.more(self.line).await?),
            }
        };
        let bytes = self.input.rest().get(..to).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        let start = out.len();
        self.input.take(to, out);
        self.line += lines;
        Ok(Some(Row::object(start..start + to, from..to)))
    }

    /// Takes what follows the rows of a layout, whose array ends at that place.
    async fn rest_of_layout(&mut self, at: usize, out: &mut Vec<u8>) -> Result<Row, Error> {
        let wrong = |line: u64, why: String| Error::Invalid(format!("line {line}: {why}"));
        while !self.input.ended {
            if self.input.rest().len() > MAX_ROW {
                let why = format!("more than {MAX_ROW} bytes follow the array of rows: take it out first");
                return Err(wrong(self.line, why));
            }
            self.input.more(self.line).await?;
        }
        let rest = self.input.rest();
        let after = rest.get(at + 1..).unwrap_or_default();
        layout::check_rest(self.plan.shape, after).map_err(|why| wrong(self.line, why))?;
        let (start, len) = (out.len(), rest.len());
        self.line += memchr::memchr_iter(b'\n', rest).count() as u64;
        self.input.take(len, out);
        Ok(Row::blank(start..start + len))
    }
}
