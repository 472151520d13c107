//! Records as CSV or as a table.

use std::io::{self, Write};

use anyhow::Context;
use postcode_core::{Answer, Postcode, Record};

use super::format::{Format, Table};
use crate::enrich::{Column, Found};

/// The option for the columns of CSV.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Columns {
    /// The columns of --csv, in this order, by the names that `enrich` has
    #[arg(long, short, value_name = "NAMES", requires = "csv")]
    columns: Option<String>,
}

/// Writes records, each with cells in front that the command adds.
pub(crate) struct Records {
    columns: Vec<Column>,
    table: Table,
}

impl Records {
    /// Starts with the columns that were asked for, or the usual ones.
    pub(crate) fn new(
        asked: &Columns,
        format: Format,
        in_front: &[&str],
        usual: &str,
    ) -> anyhow::Result<Self> {
        let names = asked.columns.as_deref().unwrap_or(usual);
        let columns = Column::list(names).map_err(anyhow::Error::msg).context("--columns")?;
        let header = in_front.iter().map(|name| (*name).to_owned());
        let table = Table::new(format, header.chain(columns.iter().map(ToString::to_string)));
        Ok(Self { columns, table })
    }

    /// Adds a record.
    pub(crate) fn record(
        &mut self,
        out: &mut impl Write,
        in_front: Vec<String>,
        record: &Record,
    ) -> io::Result<()> {
        let answer = Answer::from(record.clone());
        self.answer(out, in_front, Some(record.postcode), Some(&answer), None)
    }

    /// Adds any answer, or the reason why a text is not a postcode.
    pub(crate) fn answer(
        &mut self,
        out: &mut impl Write,
        in_front: Vec<String>,
        postcode: Option<Postcode>,
        answer: Option<&Answer>,
        error: Option<&str>,
    ) -> io::Result<()> {
        let found = Found { postcode, answer, error, ..Found::default() };
        let cells = self.columns.iter().map(|column| column.value(&found).to_string());
        self.table.row(out, in_front.into_iter().chain(cells))
    }

    pub(crate) fn flush(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.table.flush(out)
    }
}
