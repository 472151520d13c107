//! Accounts in an SQLite file.

use std::str::FromStr;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::failure::{corrupt, failed};
use super::file::DatabaseFile;
use super::{Cursor, Due, Page};
use crate::check::Checked;
use crate::error::StoreError;
use crate::input::Details;
use crate::{AddressCheck, AddressStatus, Customer, CustomerId};

type Result<T> = std::result::Result<T, StoreError>;

/// Customer accounts in a database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection: SQLite has one writer at a time, and waiting in our own queue is fair.
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
    /// None for one in memory.
    pub(super) file: Option<DatabaseFile>,
}

macro_rules! columns {
    () => {
        "id, name, email, postcode, address_lines, address_status, \
         admin_district, region, country, latitude, longitude, created_at, updated_at, revision"
    };
}

impl Store {
    pub(crate) async fn insert(&self, details: &Details, checked: &Checked) -> Result<Customer> {
        const SQL: &str = concat!(
            "INSERT INTO customers (id, created_at, updated_at, name, email, postcode, address_lines, \
             address_status, admin_district, region, country, latitude, longitude, check_after) \
             VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING ",
            columns!()
        );
        let query =
            sqlx::query(SQL).bind(CustomerId::generate().to_string()).bind(Timestamp::now().as_microsecond());
        read(details_of(query, details, checked)?.fetch_one(self.writer()?).await.map_err(failed)?)
    }

    pub(crate) async fn get(&self, id: CustomerId) -> Result<Option<Customer>> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM customers WHERE id = ?1");
        let row = sqlx::query(SQL).bind(id.to_string()).fetch_optional(&self.readers).await;
        row.map_err(failed)?.map(read).transpose()
    }

    pub(crate) async fn list(&self, limit: usize, from: Option<Cursor>) -> Result<Page> {
        const SQL: &str =
            concat!("SELECT seq, ", columns!(), " FROM customers WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        // One more than asked for tells whether there is a next page.
        let mut rows = sqlx::query(SQL)
            .bind(from.map_or(0, |cursor| cursor.after))
            .bind(limit as i64 + 1)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more).map(|row| row.try_get("seq")).transpose().map_err(failed)?;
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Page { items, next: last.map(|after| Cursor { after }) })
    }

    /// Stores a change of the customer as it was at that revision; `None` if it is so no more.
    pub(crate) async fn update(
        &self,
        id: CustomerId,
        revision: i64,
        details: &Details,
        checked: &Checked,
    ) -> Result<Option<Customer>> {
        const SQL: &str = concat!(
            "UPDATE customers SET revision = revision + 1, name = ?3, email = ?4, postcode = ?5, \
             address_lines = ?6, address_status = ?7, admin_district = ?8, region = ?9, country = ?10, \
             latitude = ?11, longitude = ?12, check_after = ?13, updated_at = max(updated_at, ?14) \
             WHERE id = ?1 AND revision = ?2 RETURNING ",
            columns!()
        );
        let query = details_of(sqlx::query(SQL).bind(id.to_string()).bind(revision), details, checked)?
            .bind(Timestamp::now().as_microsecond());
        query.fetch_optional(self.writer()?).await.map_err(failed)?.map(read).transpose()
    }

    /// Deletes the customer; whether there was one.
    pub(crate) async fn delete(&self, id: CustomerId) -> Result<bool> {
        let deleted = sqlx::query("DELETE FROM customers WHERE id = ?1")
            .bind(id.to_string())
            .execute(self.writer()?)
            .await
            .map_err(failed)?;
        Ok(deleted.rows_affected() > 0)
    }

    /// The pending addresses to ask for now, those that wait longest first.
    pub(crate) async fn due(&self, limit: usize) -> Result<Vec<Due>> {
        const SQL: &str = "SELECT id, revision, postcode FROM customers \
             WHERE address_status = 'pending' AND check_after <= ?1 ORDER BY check_after, seq LIMIT ?2";
        let rows = sqlx::query(SQL)
            .bind(Timestamp::now().as_microsecond())
            .bind(limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let due = |row: &SqliteRow| {
            Ok(Due {
                id: parsed(row, "id")?,
                revision: row.try_get("revision").map_err(failed)?,
                postcode: parsed(row, "postcode")?,
            })
        };
        rows.iter().map(due).collect()
    }

    /// Makes every pending address due.
    pub(crate) async fn all_due(&self) -> Result<()> {
        const SQL: &str = "UPDATE customers SET check_after = ?1 \
             WHERE address_status = 'pending' AND check_after > ?1";
        sqlx::query(SQL)
            .bind(Timestamp::now().as_microsecond())
            .execute(self.writer()?)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Stores what became of pending addresses, of those customers that have not changed since they were
    /// read, in one transaction. How many are pending no more.
    pub(crate) async fn settle(&self, outcomes: impl Iterator<Item = (Due, Checked)>) -> Result<usize> {
        const RESOLVE: &str = "UPDATE customers SET revision = revision + 1, \
             address_status = ?3, admin_district = ?4, region = ?5, country = ?6, latitude = ?7, longitude = ?8, \
             check_after = NULL, updated_at = max(updated_at, ?9) WHERE id = ?1 AND revision = ?2";
        // Nothing that a reader of the customer sees: no new revision.
        const DEFER: &str = "UPDATE customers SET check_after = ?3 WHERE id = ?1 AND revision = ?2";
        let mut resolved = 0;
        let mut transaction = self.writer()?.begin().await.map_err(failed)?;
        for (due, Checked { check, due: again }) in outcomes {
            let query = sqlx::query(if again.is_some() { DEFER } else { RESOLVE })
                .bind(due.id.to_string())
                .bind(due.revision);
            let query = match again {
                Some(again) => query.bind(again.as_microsecond()),
                None => check_of(query, check).bind(Timestamp::now().as_microsecond()),
            };
            let rows = query.execute(&mut *transaction).await.map_err(failed)?.rows_affected();
            resolved += if again.is_none() { rows as usize } else { 0 };
        }
        transaction.commit().await.map_err(failed)?;
        Ok(resolved)
    }
}

type Query = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn details_of(query: Query, details: &Details, checked: &Checked) -> Result<Query> {
    let lines = serde_json::to_string(&details.address_lines)
        .map_err(|error| StoreError::new("address lines can't be written as JSON").with_source(error))?;
    let query = query
        .bind(details.name.clone())
        .bind(details.email.clone())
        .bind(details.postcode.to_string())
        .bind(lines);
    Ok(check_of(query, checked.check.clone()).bind(checked.due.map(Timestamp::as_microsecond)))
}

fn check_of(query: Query, check: AddressCheck) -> Query {
    query
        .bind(check.status.as_str())
        .bind(check.admin_district)
        .bind(check.region)
        .bind(check.country)
        .bind(check.latitude)
        .bind(check.longitude)
}

fn read(row: SqliteRow) -> Result<Customer> {
    let row = &row;
    let text = |column| row.try_get::<Option<String>, _>(column).map_err(failed);
    let number = |column| row.try_get::<Option<f64>, _>(column).map_err(failed);
    let time = |column| {
        let microseconds = row.try_get(column).map_err(failed)?;
        Timestamp::from_microsecond(microseconds)
            .map_err(|error| corrupt(column, microseconds).with_source(error))
    };
    let lines: String = row.try_get("address_lines").map_err(failed)?;
    let status: String = row.try_get("address_status").map_err(failed)?;
    Ok(Customer {
        id: parsed(row, "id")?,
        name: row.try_get("name").map_err(failed)?,
        email: row.try_get("email").map_err(failed)?,
        postcode: parsed(row, "postcode")?,
        address_lines: serde_json::from_str(&lines)
            .map_err(|error| corrupt("address_lines", &lines).with_source(error))?,
        check: AddressCheck {
            status: AddressStatus::from_name(&status).ok_or_else(|| corrupt("address_status", &status))?,
            admin_district: text("admin_district")?,
            region: text("region")?,
            country: text("country")?,
            latitude: number("latitude")?,
            longitude: number("longitude")?,
        },
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
        revision: row.try_get("revision").map_err(failed)?,
    })
}

fn parsed<T>(row: &SqliteRow, column: &str) -> Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.try_get(column).map_err(failed)?;
    text.parse().map_err(|error: T::Err| corrupt(column, &text).with_source(error))
}
