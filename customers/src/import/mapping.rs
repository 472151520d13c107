//! Gives meanings to the columns of a file.

use postcode_core::Postcode;
use postcode_tables::title::Signs;

use super::columns::{Column, MAX_COLUMNS, missing, plain};
use crate::{Error, MAX_REFERENCES, Result};

/// Gives meanings to columns of a file whose headings are not recognised, and sets whether other unknown
/// columns are left out. The default recognises headings only.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// use customers::Mapping;
///
/// let file = b"Kunde,email,postcode,address,Rabatt\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square,5\n";
/// let mut mapping = Mapping::default();
/// mapping.set("Kunde", "name")?;
/// mapping.set("Rabatt", "ignore")?;
/// assert_eq!(customers.import_mapped(file.to_vec(), mapping, None).await?.total, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Headings without what tools write differently, and the meanings of their columns.
    columns: Vec<(String, Column)>,
    ignores_others: bool,
    no_header: bool,
}

impl Mapping {
    /// Sets the meaning of the column with that heading: `name`, `name_part` (such as a first name),
    /// `email`, `postcode`, `address`, `address_line`, `phone`, `notes`, `reference:SYSTEM`, or
    /// `ignore` to leave the column out.
    ///
    /// ```
    /// use customers::Mapping;
    ///
    /// let mut mapping = Mapping::default();
    /// mapping.set("Kunde", "name")?;
    /// assert!(mapping.set("kunde", "email").is_err()); // the heading is given twice
    /// assert!(mapping.set("Ort", "place").is_err()); // not a meaning
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Listing`](Error::Listing) if the heading was given before, or the meaning is not one of
    /// these.
    pub fn set(&mut self, heading: &str, meaning: &str) -> Result<()> {
        let shown = |text: &str| text.chars().take(40).collect::<String>();
        let wrong = |what: String| Err(Error::Listing(format!("map: {what}")));
        if self.columns.len() == MAX_COLUMNS {
            return wrong(format!("give at most {MAX_COLUMNS} columns"));
        }
        let Some(column) = Column::meant(meaning) else {
            return wrong(format!(
                "{:?}: give HEADING=COLUMN, with a column of name, name_part, email, postcode, address, address_line, \
                 phone, notes, reference:SYSTEM, ignore",
                shown(meaning)
            ));
        };
        let heading = plain(heading);
        if self.columns.iter().any(|(known, _)| *known == heading) {
            return wrong(format!("the heading {:?} is given twice", shown(&heading)));
        }
        self.columns.push((heading, column));
        Ok(())
    }

    /// Leaves out the columns that are neither mapped nor recognised. Otherwise a file with such a
    /// column is refused.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::Mapping;
    ///
    /// let file = b"name,email,postcode,address,Rabatt\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square,5\n";
    /// assert!(customers.import(file.to_vec(), None).await.is_err()); // the last column is not known
    /// let mut mapping = Mapping::default();
    /// mapping.ignore_others();
    /// assert!(customers.import_mapped(file.to_vec(), mapping, None).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn ignore_others(&mut self) {
        self.ignores_others = true;
    }

    /// Reads the first line of a file as a row. The columns are called `1`, `2`, `3` and so on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::Mapping;
    ///
    /// let file = b"Ada Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let mut mapping = Mapping::default();
    /// mapping.without_header();
    /// for (column, meaning) in [("1", "name"), ("2", "email"), ("3", "postcode"), ("4", "address")] {
    ///     mapping.set(column, meaning)?;
    /// }
    /// assert_eq!(customers.import_mapped(file.to_vec(), mapping, None).await?.total, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn without_header(&mut self) {
        self.no_header = true;
    }

    /// Returns whether the first line has the names of the columns.
    pub(super) fn has_header(&self) -> bool {
        !self.no_header
    }

    /// Returns what the cells of a row say about a file: a title may stand above the names of the columns.
    pub(super) fn signs(&self, cells: &[String]) -> Signs {
        let columns: Vec<_> = cells.iter().map(|cell| self.column(cell)).collect();
        let known: Vec<Column> = columns.iter().flatten().cloned().collect();
        let email = columns.iter().position(|column| *column == Some(Column::Email));
        let values = (0..cells.len()).filter(|n| cells.get(*n).is_some_and(|cell| is_email(cell)));
        Signs { named: email.filter(|_| missing(&known).is_empty()), values: values.collect() }
    }

    /// Returns the meaning of a heading.
    pub(super) fn column(&self, heading: &str) -> Option<Column> {
        let bare = plain(heading);
        let mapped = self.columns.iter().find(|(known, _)| *known == bare).map(|(_, column)| column.clone());
        mapped.or_else(|| Column::named(heading)).or(self.ignores_others.then_some(Column::Ignored))
    }

    /// Returns the meanings of a file's columns.
    ///
    /// # Errors
    /// Fails if one is not known, is there twice, or is missing.
    pub(super) fn columns(&self, headers: &[String], line: u64) -> Result<Vec<Column>> {
        const ALL: &str = "name, email, postcode, address or address_line_1 to address_line_10, phone, notes, \
                           reference:SYSTEM";
        let refused = |what: String| {
            let value = headers.iter().find(|header| is_email(header) || header.parse::<Postcode>().is_ok());
            let advice = value.filter(|_| self.has_header()).map(|value| {
                format!(
                    ". The line has {value:?}, so it seems to be a row: give header=none, and say what each column is \
                     (map=1=name&map=2=email …)"
                )
            });
            let advice = advice.unwrap_or_default();
            Err(Error::BadImport(format!("line {line}: {what}; columns are {ALL}{advice}")))
        };
        if headers.len() > MAX_COLUMNS {
            return refused(format!(
                "the first line has {} columns: give at most {MAX_COLUMNS}",
                headers.len()
            ));
        }
        if let Some(heading) = self.absent(headers) {
            return refused(format!("the file has no column {heading:?}, which is mapped"));
        }
        let mut seen: Vec<String> = Vec::new();
        let mut columns = Vec::new();
        for header in headers {
            let header = header.trim_start_matches('\u{feff}').trim();
            // Ignoring an unknown column would lose its data silently.
            let Some(column) = self.column(header) else {
                return refused(match self.no_header {
                    true => {
                        format!("say what column {header} is (map={header}=COLUMN), or give others=ignore")
                    }
                    false => format!("{header:?} is not a column"),
                });
            };
            if let Some(name) = column.once(header) {
                if seen.contains(&name) {
                    return refused(format!("the column {header:?} appears twice"));
                }
                seen.push(name);
            }
            columns.push(column);
        }
        if let Some(name) = missing(&columns).first() {
            return refused(format!("the column {name} is missing"));
        }
        if columns.iter().filter(|column| matches!(column, Column::Reference(_))).count() > MAX_REFERENCES {
            return refused(format!("more than {MAX_REFERENCES} references"));
        }
        Ok(columns)
    }

    /// Returns a mapped heading that a file does not have.
    pub(super) fn absent<'a>(&'a self, headings: &[String]) -> Option<&'a str> {
        let there: Vec<String> = headings.iter().map(|heading| plain(heading)).collect();
        self.columns
            .iter()
            .map(|(heading, _)| heading.as_str())
            .find(|heading| !there.iter().any(|one| one == heading))
    }

    /// Returns a text that differs for mappings that differ; empty for the default.
    pub(crate) fn text(&self) -> String {
        let columns = self.columns.iter().map(|(heading, column)| format!("{heading}={}\n", column.name()));
        let others = self.ignores_others.then(|| "*".to_owned());
        columns.chain(others).chain(self.no_header.then(|| "#".to_owned())).collect()
    }
}

/// Returns whether a cell is an email address, and so not a name of a column.
fn is_email(cell: &str) -> bool {
    let (before, after) = cell.trim().split_once('@').unwrap_or_default();
    !before.is_empty() && after.contains('.') && !cell.trim().contains(char::is_whitespace)
}
