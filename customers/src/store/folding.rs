//! Makes the search keys of names again that an earlier version stored.

use super::Store;
use super::database::sql;
use crate::error::StoreError;
use crate::fold::folded;

/// Accounts in one transaction.
const AT_ONCE: i64 = 1_000;

impl Store {
    /// Folds the names of all accounts that an earlier version stored. If it is interrupted, the
    /// next start continues it.
    pub(super) async fn fold_names(&self) -> Result<(), StoreError> {
        const READ: &str = "SELECT seq, name, name_key FROM customers WHERE seq > $1 ORDER BY seq LIMIT $2";
        const WRITE: &str = "UPDATE customers SET name_key = $1 WHERE seq = $2 AND name = $3";
        loop {
            let rows = self.readers.fetch(sql("SELECT done FROM folding LIMIT 1")).await?;
            let Some(row) = rows.first() else { return Ok(()) };
            let done: i64 = row.get("done")?;
            if done == i64::MAX {
                return Ok(());
            }
            let rows = self.readers.fetch(sql(READ).bind(done).bind(AT_ONCE)).await?;
            let mut next = i64::MAX;
            let mut transaction = self.writer()?.begin().await?;
            for row in &rows {
                let (seq, name): (i64, String) = (row.get("seq")?, row.get("name")?);
                next = seq;
                let key = folded(&name);
                if key != row.get::<String>("name_key")? {
                    transaction.execute(sql(WRITE).bind(key).bind(seq).bind(name)).await?;
                }
            }
            transaction.execute(sql("UPDATE folding SET done = $1").bind(next)).await?;
            transaction.commit().await?;
        }
    }
}
