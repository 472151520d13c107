//! The progress of checking all addresses against an edition of the postcodes or of the address data.

use super::Store;
use super::database::sql;
use super::pending::{Due, due_columns};
use crate::error::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// The edition that addresses are checked against, and the progress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recheck {
    /// The edition's fingerprint.
    pub(crate) fingerprint: String,
    /// The last address that was checked: its customer's place, and its number.
    pub(crate) after: (i64, i64),
    /// Whether all addresses have been checked.
    pub(crate) done: bool,
}

/// The data that addresses are checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Postcodes,
    Addresses,
}

impl Subject {
    fn as_str(self) -> &'static str {
        match self {
            Self::Postcodes => "postcodes",
            Self::Addresses => "addresses",
        }
    }
}

impl Store {
    /// Returns the progress; `None` if no check has begun.
    pub(crate) async fn recheck(&self, subject: Subject) -> Result<Option<Recheck>> {
        const SQL: &str =
            "SELECT fingerprint, customer, number, done FROM recheck WHERE subject = $1 LIMIT 1";
        let rows = self.readers.fetch(sql(SQL).bind(subject.as_str())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Recheck {
            fingerprint: row.get("fingerprint")?,
            after: (row.get("customer")?, row.get("number")?),
            done: row.get::<i64>("done")? != 0,
        }))
    }

    pub(crate) async fn set_recheck(&self, subject: Subject, recheck: &Recheck) -> Result<()> {
        const SQL: &str =
            "INSERT INTO recheck (subject, fingerprint, customer, number, done) VALUES ($1, $2, $3, $4, $5)";
        let mut transaction = self.writer()?.begin().await?;
        let old = sql("DELETE FROM recheck WHERE subject = $1").bind(subject.as_str());
        transaction.execute(old).await?;
        let statement = sql(SQL)
            .bind(subject.as_str())
            .bind(recheck.fingerprint.clone())
            .bind(recheck.after.0)
            .bind(recheck.after.1)
            .bind(i64::from(recheck.done));
        transaction.execute(statement).await?;
        transaction.commit().await
    }

    /// Returns the next known addresses, including deleted accounts, which may be restored.
    pub(crate) async fn checked_after(&self, after: (i64, i64), limit: usize) -> Result<Vec<Due>> {
        const SQL: &str = concat!(
            "SELECT ",
            due_columns!(),
            " FROM addresses a JOIN customers c ON c.seq = a.customer \
             WHERE (a.customer, a.number) > ($1, $2) AND a.address_status <> 'pending' \
             ORDER BY a.customer, a.number LIMIT $3"
        );
        let statement = sql(SQL).bind(after.0).bind(after.1).bind(limit as i64);
        self.readers.fetch(statement).await?.iter().map(Due::read).collect()
    }
}
