//! Removes what is kept of the rows of imports that failed.

use super::Store;
use super::database::{Transaction, sql};
use crate::ImportId;
use crate::error::StoreError;

impl Store {
    /// Removes the cells and reasons of the rows that have failed so far. Returns false if it found no such import.
    pub(crate) async fn delete_failed_rows(&self, id: ImportId) -> Result<bool, StoreError> {
        // Locks the import, so that its rows are not done meanwhile.
        const LOCK: &str = "UPDATE imports SET bytes = bytes WHERE id = $1 RETURNING seq";
        const COUNT: &str = "UPDATE imports SET bytes = bytes - (SELECT coalesce(sum(octet_length(original)), 0) \
             FROM import_rows WHERE import = $1 AND outcome = 'failed') WHERE seq = $1";
        const DELETE: &str = "UPDATE import_rows SET original = NULL, email_key = NULL, message = NULL \
             WHERE import = $1 AND outcome = 'failed'";
        let mut transaction = self.writer()?.begin().await?;
        let found = transaction.fetch(sql(LOCK).bind(id.to_string())).await?;
        let Some(row) = found.first() else { return Ok(false) };
        let seq: i64 = row.get("seq")?;
        transaction.execute(sql(COUNT).bind(seq)).await?;
        transaction.execute(sql(DELETE).bind(seq)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Removes the cells and reasons of all rows with that email address, which is in lower case.
pub(super) async fn erase_rows(transaction: &mut Transaction, email: &str) -> Result<(), StoreError> {
    const FIND: &str = "SELECT DISTINCT import FROM import_rows WHERE email_key = $1 ORDER BY import";
    // Locks the import, so that its rows are not done meanwhile.
    const LOCK: &str = "UPDATE imports SET bytes = bytes WHERE seq = $1";
    const COUNT: &str = "UPDATE imports SET bytes = bytes - (SELECT coalesce(sum(octet_length(original)), 0) \
         FROM import_rows WHERE import = $1 AND email_key = $2) WHERE seq = $1";
    const ERASE: &str = "UPDATE import_rows SET original = NULL, email_key = NULL, message = NULL \
         WHERE import = $1 AND email_key = $2";
    let found = transaction.fetch(sql(FIND).bind(email.to_owned())).await?;
    for row in &found {
        let seq: i64 = row.get("import")?;
        transaction.execute(sql(LOCK).bind(seq)).await?;
        transaction.execute(sql(COUNT).bind(seq).bind(email.to_owned())).await?;
        transaction.execute(sql(ERASE).bind(seq).bind(email.to_owned())).await?;
    }
    Ok(())
}
