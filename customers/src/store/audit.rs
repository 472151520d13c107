//! The audit trail.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::database::{Row, Transaction, sql};
use super::{Cursor, Store, rows};
use crate::audit::{Action, AuditEntry};
use crate::error::StoreError;
use crate::{Customer, CustomerId};

/// Entries of an account's history that keep old and new values. Older ones keep field names only.
const MAX_VALUES: i64 = 1_000;
/// The most entries of an account's history, without its creation.
const MAX_ENTRIES: i64 = 10_000;
/// How many revisions pass between two checks of these limits.
const EVERY: i64 = 100;
/// The approximate most bytes of changes on one page. Pages of long changes have fewer entries.
const MAX_BYTES: usize = 1 << 20;

/// A page of an account's history.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// let ada = customers.create(ada).await?;
/// customers.delete(ada.id).await?;
/// let first = customers.history(ada.id, 1, None).await?;
/// let second = customers.history(ada.id, 1, first.next).await?;
/// assert_eq!((&*second.items[0].action, second.next), ("deleted", None));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AuditPage {
    /// The changes, oldest first.
    pub items: Vec<AuditEntry>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<Cursor>,
}

/// Writes an entry for a change to the account, given as it is after the change.
pub(super) async fn record(
    transaction: &mut Transaction,
    after: &Customer,
    action: Action,
    actor: Option<&str>,
    changes: &Map<String, Value>,
) -> Result<(), StoreError> {
    let (id, revision) = (after.id, after.revision);
    let at = crate::draft::now().max(after.updated_at).as_microsecond();
    write(transaction, id, revision, at, action, actor, changes).await
}

pub(super) async fn write(
    transaction: &mut Transaction,
    id: CustomerId,
    revision: i64,
    at: i64,
    action: Action,
    actor: Option<&str>,
    changes: &Map<String, Value>,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO audit (customer_id, at, actor, action, revision, changes) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let statement = sql(SQL)
        .bind(id.to_string())
        .bind(at)
        .bind(actor.map(str::to_owned))
        .bind(action.as_str())
        .bind(revision)
        .bind(rows::written("changes", changes)?);
    transaction.execute(statement).await?;
    if revision % EVERY == 0 { shorten(transaction, id).await } else { Ok(()) }
}

/// Limits the history of an account that has changed very often: see [`AuditEntry::changes`].
async fn shorten(transaction: &mut Transaction, id: CustomerId) -> Result<(), StoreError> {
    const NTH: &str = "SELECT seq FROM audit WHERE customer_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2";
    // Matches the text around values only: a field's name can't contain it.
    const WITH_VALUES: &str = "SELECT seq, changes FROM audit WHERE customer_id = $1 AND seq <= $2 \
         AND changes LIKE '%\"from\":%' ORDER BY seq LIMIT $3";
    const REPLACE: &str = "UPDATE audit SET changes = $2 WHERE seq = $1";
    const DELETE: &str = "DELETE FROM audit WHERE customer_id = $1 AND seq <= $2 AND action <> 'created'";
    let id = id.to_string();
    let nth = async |transaction: &mut Transaction, n: i64| -> Result<Option<i64>, StoreError> {
        let found = transaction.fetch(sql(NTH).bind(id.clone()).bind(n)).await?;
        found.first().map(|row| row.get("seq")).transpose()
    };
    if let Some(last) = nth(transaction, MAX_ENTRIES).await? {
        transaction.execute(sql(DELETE).bind(id.clone()).bind(last)).await?;
    }
    if let Some(last) = nth(transaction, MAX_VALUES).await? {
        let statement = sql(WITH_VALUES).bind(id.clone()).bind(last).bind(2 * EVERY);
        for row in transaction.fetch(statement).await? {
            let mut changes: Map<String, Value> = rows::json(&row, "changes")?;
            changes.values_mut().for_each(|values| *values = Value::Object(Map::new()));
            let seq: i64 = row.get("seq")?;
            transaction.execute(sql(REPLACE).bind(seq).bind(rows::written("changes", &changes)?)).await?;
        }
    }
    Ok(())
}

impl Store {
    /// Returns the history of an account, oldest change first, also of an erased one.
    pub(crate) async fn history(
        &self,
        id: CustomerId,
        limit: usize,
        from: Option<Cursor>,
    ) -> Result<AuditPage, StoreError> {
        const SQL: &str = "SELECT seq, at, actor, action, revision, changes FROM audit \
             WHERE customer_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let after = from.map_or(0, |cursor| cursor.after);
        let statement = sql(SQL).bind(id.to_string()).bind(after).bind(limit as i64 + 1);
        let (mut found, mut bytes, mut more) = (Vec::new(), 0, false);
        let take = |row: Row| {
            more = found.len() == limit || bytes > MAX_BYTES;
            if more {
                return Ok(ControlFlow::Break(()));
            }
            bytes += row.get::<String>("changes")?.len();
            found.push(row);
            Ok(ControlFlow::Continue(()))
        };
        self.scans.each(statement, take).await?;
        let last = found.last().filter(|_| more).map(|row: &Row| row.get("seq")).transpose()?;
        let entry = |row: &Row| {
            Ok(AuditEntry {
                at: rows::time(row, "at")?,
                actor: row.get("actor")?,
                action: row.get("action")?,
                revision: row.get("revision")?,
                changes: rows::json(row, "changes")?,
            })
        };
        let items = found.iter().map(entry).collect::<Result<_, StoreError>>()?;
        Ok(AuditPage { items, next: last.map(|after| Cursor { after, key: None }) })
    }
}
