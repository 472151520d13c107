//! The beginning of a file: how it is written, and what its columns are.

use postcode_tables::packed::Options;
use postcode_tables::title::{Signs, Title, Way};
use postcode_tables::{Dialect, Encoding, Quoting, Scanner, blank, has_row_names, trimmed};

use super::csv::{Header, plain};
use super::reading::{self, Cell};
use super::rows::{MARK, Rows};
use super::{Error, Format, MAX_PREFIX, POSTCODE_NAMES, Plan, csv, guess, premises, short};

impl Rows<'_> {
    /// Finds out how the file is written, and writes its header with the names of the new columns.
    pub(super) async fn begin(&mut self, head: &mut Vec<u8>) -> Result<(), Error> {
        if self.plan.prefix.len() > MAX_PREFIX {
            return Err(Error::Invalid(format!(
                "a prefix of more than {MAX_PREFIX} bytes: give a shorter one"
            )));
        }
        let options = Options {
            sheet: self.plan.sheet.clone(),
            origin: self.plan.origin.clone(),
            ..Options::default()
        };
        self.input.open(options, &mut self.notes).await?;
        let opened = self.notes.join("; ");
        self.begin_text(head).await.map_err(|error| match error {
            // Another sheet may be meant.
            Error::Invalid(why) if !opened.is_empty() => Error::Invalid(format!("{why} ({opened})")),
            other => other,
        })
    }

    async fn begin_text(&mut self, head: &mut Vec<u8>) -> Result<(), Error> {
        self.find_encoding();
        if self.plan.format != Format::Csv {
            return self.begin_objects(head).await;
        }
        if self.input.rest().starts_with(MARK) {
            self.input.take(MARK.len(), head);
        }
        loop {
            while blank(self.input.rest()).is_none() && self.input.more(self.line).await? {}
            match blank(self.input.rest()) {
                Some(blank) if blank > 0 => self.input.take(blank, head),
                _ => break,
            }
            self.line += 1;
        }
        if self.input.rest().trim_ascii().is_empty() {
            return Err(Error::Invalid("the file is empty: give CSV with a header".to_owned()));
        }
        let (sample, whole) = self.input.sample();
        let mut dialect = Dialect::with(self.plan.delimiter, self.plan.quoting, sample, whole);
        if dialect.quoting == Quoting::Backslash && self.plan.quoting.is_none() {
            self.notes.push(
                "quotes within cells have a backslash before them: --quote (over HTTP quote) names another way"
                    .to_owned(),
            );
        }
        if dialect.preamble > 0 {
            self.input.take(dialect.preamble, head);
            self.line += 1;
        }
        if self.plan.no_header {
            return self.begin_without_header(&dialect).await;
        }
        let (sample, whole) = self.input.sample();
        let is_found = self.plan.delimiter.is_none() && dialect.preamble == 0;
        let way = Way { dialect, encoding: self.told.encoding, is_found };
        if let Some(title) = Title::find(sample, whole, &way, |cells| signs(cells, &self.plan)) {
            dialect.delimiter = title.delimiter;
            self.input.take(title.bytes, head);
            self.line += title.lines;
            self.notes.push(format!(
                "the names of the columns are in line {}: what stands above is kept as it is",
                self.line
            ));
        }
        self.begin_table(&dialect, head).await
    }

    /// Reads the header of a table.
    async fn begin_table(&mut self, dialect: &Dialect, head: &mut Vec<u8>) -> Result<(), Error> {
        let mut scanner = Scanner::of(dialect);
        let len = self.first_row(&mut scanner).await?;
        let mut row = Vec::new();
        self.input.take(len, &mut row);
        self.line += scanner.lines();
        self.notes.extend(self.told.notice(&row, self.line));
        let mut names = csv::texts(&row, &scanner, self.told.encoding);
        let (below, whole) = self.input.sample();
        let row_names = has_row_names(&row, &scanner, below, whole);
        if row_names {
            names.insert(0, String::new());
            self.notes.push(
                "each row begins with a name of the row, as R writes it: the first column gets an empty heading"
                    .to_owned(),
            );
        }
        let postcode = self.postcode_column(&names, dialect)?;
        let address = premises::columns(&names, &self.plan).map_err(Error::Invalid)?;
        let header = self.header_of(dialect, (names.len(), postcode, row_names), address, &names);
        header.write(&row, &names, (&self.plan, self.told.encoding), head).map_err(Error::Invalid)?;
        self.names = trimmed(&row).to_owned();
        self.csv = Some((header, scanner));
        Ok(())
    }

    /// Numbers the columns of a table whose first line is a row. It is read again as one.
    async fn begin_without_header(&mut self, dialect: &Dialect) -> Result<(), Error> {
        let mut scanner = Scanner::of(dialect);
        let len = self.first_row(&mut scanner).await?;
        let first = self.input.rest().get(..len).unwrap_or_default();
        let first = csv::texts(first, &scanner, self.told.encoding);
        let (sample, whole) = self.input.sample();
        let columns = guess::width(sample, whole, dialect).unwrap_or(first.len());
        let names: Vec<String> = (1..=columns).map(|n| n.to_string()).collect();
        self.notes.push(format!("the columns are called 1 to {columns}, and no header is written"));
        let postcode = self.postcode_column(&names, dialect)?;
        if let Some(cell) = first.get(postcode).filter(|cell| POSTCODE_NAMES.contains(&&*plain(cell))) {
            self.notes.push(format!(
                "the first row has {} where postcodes stand: if it names the columns, leave out --no-header (over HTTP \
                 header=none)",
                short(cell)
            ));
        }
        let address = premises::numbered(&names, &first, postcode, &self.plan).map_err(Error::Invalid)?;
        let header = self.header_of(dialect, (columns, postcode, false), address, &names);
        self.csv = Some((header, scanner));
        Ok(())
    }

    /// Scans the first row, without taking it. Returns its length.
    async fn first_row(&mut self, scanner: &mut Scanner) -> Result<usize, Error> {
        let len = self.whole_row(scanner).await?;
        match self.input.rest().get(..len).unwrap_or_default().contains(&0) {
            true => Err(Error::Invalid(
                "the first line holds NUL bytes, as no text does: save the file as CSV in UTF-8".to_owned(),
            )),
            false => Ok(len),
        }
    }

    /// Finds the column of the postcodes by its name, or by the rows that come next.
    fn postcode_column(&mut self, names: &[String], dialect: &Dialect) -> Result<usize, Error> {
        let named = csv::named(names, &self.plan).map_err(Error::Invalid)?;
        let (rest, whole) = self.input.sample();
        let context = (&*self.plan, self.told.encoding);
        if let Some(postcode) = named {
            let elsewhere = guess::elsewhere(rest, whole, (names, postcode), dialect, context);
            self.notes.extend(csv::namesakes(names, postcode));
            self.notes.extend(elsewhere);
            return Ok(postcode);
        }
        let (found, told) = guess::column(rest, whole, names, dialect, context).map_err(Error::Invalid)?;
        let name = names.get(found).map(|name| short(name)).unwrap_or_default();
        self.notes.push(format!("the postcodes are in the column {name}, {told}"));
        if !self.plan.no_header && guess::may_be_row(names, found) {
            self.notes.push(
                "the first line is read as the names of the columns: if it is a row, add --no-header (over HTTP \
                 header=none)"
                    .to_owned(),
            );
        }
        Ok(found)
    }

    fn header_of(
        &mut self,
        dialect: &Dialect,
        (fields, postcode, row_names): (usize, usize, bool),
        address: Option<Vec<usize>>,
        names: &[String],
    ) -> Header {
        self.notes.extend(address.as_ref().map(|address| premises::note(names, address)));
        let Dialect { delimiter, quoting, .. } = *dialect;
        Header { delimiter, quoting, postcode, fields, row_names, address: address.unwrap_or_default() }
    }

    fn find_encoding(&mut self) {
        let (sample, whole) = self.input.sample();
        let found = Encoding::of(sample, whole);
        // "UTF-16" does not say which byte comes first; a mark does.
        let marked = found.certain && found.encoding.is_wide();
        let named = self.plan.encoding.filter(|named| !(named.is_wide() && marked));
        self.told.encoding = named.unwrap_or(found.encoding);
        self.told.settled = named.is_some() || !found.ascii;
        let guessed = if named.is_none() && !found.certain {
            ", which is a guess: --encoding names another"
        } else {
            ""
        };
        match self.told.encoding {
            Encoding::Utf8 => {}
            // JSON is UTF-8, whatever it came in.
            Encoding::Windows1252 if self.plan.format != Format::Csv => {
                self.input.convert(Encoding::Windows1252);
                self.told.encoding = Encoding::Utf8;
                self.notes.push(format!("read as Windows-1252{guessed}; written in UTF-8"));
            }
            Encoding::Windows1252 => {
                self.notes.push(format!("read and written as Windows-1252{guessed}"));
            }
            wide => {
                self.input.convert(wide);
                self.notes.push(format!("read and written as {wide}{guessed}"));
            }
        }
    }
}

/// Returns what the cells of a row say about the table: the names of the columns are above the first postcode.
fn signs(cells: &[String], plan: &Plan) -> Signs {
    let is_postcode =
        |n: &usize| cells.get(*n).is_some_and(|cell| matches!(reading::read(cell, plan), Cell::Postcode(_)));
    let values = (0..cells.len()).filter(is_postcode).collect();
    Signs { named: csv::named(cells, plan).ok().flatten(), values }
}
