//! The audit trail.

use serde_json::{Map, Value};

use super::database::{Transaction, sql};
use super::{Cursor, Store, rows};
use crate::audit::{Action, AuditEntry};
use crate::error::StoreError;
use crate::{Customer, CustomerId};

/// Some of an account's history, and where it goes on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AuditPage {
    /// The changes, oldest first.
    pub items: Vec<AuditEntry>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// Writes what was done to the account, as it is after it.
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
    transaction.execute(statement).await.map(drop)
}

impl Store {
    /// The history of an account, oldest change first; also of one that is erased.
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
        let mut found = self.readers.fetch(statement).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|row| row.get("seq")).transpose()?;
        let entry = |row| {
            Ok(AuditEntry {
                at: rows::time(row, "at")?,
                actor: row.get("actor")?,
                action: row.get("action")?,
                revision: row.get("revision")?,
                changes: rows::json(row, "changes")?,
            })
        };
        let items = found.iter().map(entry).collect::<Result<_, StoreError>>()?;
        Ok(AuditPage { items, next: last.map(|after| Cursor { after }) })
    }
}
