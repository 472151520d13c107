//! Imports: the rows of a file and their outcomes.

use std::collections::{HashMap, HashSet};

use super::database::{Row, Statement, Transaction, Value, sql};
use super::failure::corrupt;
use super::{Store, accounts, rows};
use crate::draft::Draft;
use crate::error::StoreError;
use crate::import::{FailedRow, File, Import, ImportRow, ImportState, MAX_MESSAGE, Said};
use crate::{Error, ImportId, MAX_IMPORTS};

/// Rows in one statement: five values each, within SQLite's limit of 32,766 and PostgreSQL's of
/// 65,535.
const ROWS: usize = 500;
/// How long an ended import is kept, in microseconds: 30 days.
const KEPT: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// How many bytes of rows that wait or failed may be stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportRoom<'a> {
    pub(crate) most: i64,
    /// Who sends a file: half of the bytes are for others. Nobody if empty.
    pub(crate) owner: &'a str,
}

impl ImportRoom<'_> {
    fn check(self, (all, own): (i64, i64), more: i64) -> Result<(), Error> {
        if !self.owner.is_empty() && own.saturating_add(more) > self.most / 2 {
            return Err(Error::ImportShareFull);
        }
        if all.saturating_add(more) > self.most {
            return Err(Error::ImportsFull);
        }
        Ok(())
    }
}

/// Rows that wait to be imported.
pub(crate) struct Waiting {
    /// The place of their import.
    pub(crate) import: i64,
    /// Their line numbers and contents.
    pub(crate) rows: Vec<(i64, Said)>,
}

/// The result of preparing a row.
pub(crate) struct Made {
    pub(crate) line: i64,
    /// The parts of the row that were left out, and why.
    pub(crate) note: Option<String>,
    /// The account to create, or why it can't be created.
    pub(crate) draft: Result<Draft, String>,
}

macro_rules! columns {
    () => {
        "id, name, state, total, created, failed, created_at, finished_at"
    };
}

fn import(row: &Row) -> Result<Import, StoreError> {
    let state: String = row.get("state")?;
    Ok(Import {
        id: rows::parsed(row, "id")?,
        name: row.get("name")?,
        state: ImportState::from_name(&state).ok_or_else(|| corrupt("state", &state))?,
        total: row.get("total")?,
        created: row.get("created")?,
        failed: row.get("failed")?,
        created_at: rows::time(row, "created_at")?,
        finished_at: match row.get::<Option<i64>>("finished_at")? {
            Some(_) => Some(rows::time(row, "finished_at")?),
            None => None,
        },
    })
}

impl Store {
    /// Stores all rows of a file, or none. Refuses it if all rows that are stored would have more than that many
    /// bytes, or those of one owner more than half of them.
    pub(crate) async fn add_import(
        &self,
        id: ImportId,
        file: File,
        actor: Option<&str>,
        key: Option<&str>,
        request: &str,
        room: ImportRoom<'_>,
    ) -> Result<Import, Error> {
        const TURN: &str = "UPDATE import_turn SET turn = turn + 1";
        const CLEAR: &str = "DELETE FROM imports WHERE finished_at < $1";
        const BYTES: &str = "UPDATE imports SET bytes = $2 WHERE seq = $1";
        const OPEN: &str = "SELECT count(*) AS open FROM imports WHERE state IN ('queued', 'running')";
        const SQL: &str = concat!(
            "INSERT INTO imports (id, state, total, created, failed, actor, key, request, created_at, headings, owner, \
             name) VALUES ($1, 'queued', $2, 0, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (key) DO NOTHING RETURNING seq, ",
            columns!()
        );
        let now = crate::draft::now().as_microsecond();
        let mut transaction = self.writer()?.begin().await?;
        transaction.execute(sql(TURN)).await?;
        transaction.execute(sql(CLEAR).bind(now.saturating_sub(KEPT))).await?;
        let open: i64 = match transaction.fetch(sql(OPEN)).await?.first() {
            Some(row) => row.get("open")?,
            None => 0,
        };
        let File { name, headings, rows } = file;
        let failed = rows.iter().filter(|row| row.said.is_err()).count();
        let statement = sql(SQL)
            .bind(id.to_string())
            .bind(rows.len() as i64)
            .bind(failed as i64)
            .bind(actor.map(str::to_owned))
            .bind(key.map(str::to_owned))
            .bind(request);
        let statement =
            statement.bind(now).bind(rows::written("headings", &headings)?).bind(room.owner).bind(name);
        let added = transaction.fetch(statement).await?;
        let Some(row) = added.first() else { return self.same_import(transaction, key, request).await };
        if open >= MAX_IMPORTS as i64 {
            return Err(Error::TooManyImports);
        }
        let (seq, import): (i64, Import) = (row.get("seq")?, import(row)?);
        let stored = stored(&mut transaction, room.owner).await?;
        let mut bytes = 0;
        for some in rows.chunks(ROWS) {
            let (statement, more) = insert_rows(seq, some)?;
            bytes += more;
            room.check(stored, bytes)?;
            transaction.execute(statement).await?;
        }
        transaction.execute(sql(BYTES).bind(seq).bind(bytes)).await?;
        // An import of nothing but invalid rows is already done.
        let import = finish(&mut transaction, seq).await?.unwrap_or(import);
        transaction.commit().await?;
        Ok(import)
    }

    /// Removes one import that ended long ago. Returns false if it found no such import.
    pub(crate) async fn forget_import(&self) -> Result<bool, StoreError> {
        // Look first: a read does not wait for other writers.
        const OLD: &str = "SELECT seq FROM imports WHERE finished_at < $1 ORDER BY seq LIMIT 1";
        let before = crate::draft::now().as_microsecond().saturating_sub(KEPT);
        let found = self.readers.fetch(sql(OLD).bind(before)).await?;
        let Some(row) = found.first() else { return Ok(false) };
        let statement = sql("DELETE FROM imports WHERE seq = $1").bind(row.get::<i64>("seq")?);
        self.writer()?.execute(statement).await?;
        Ok(true)
    }

    /// Returns the import that was created with that key.
    async fn same_import(
        &self,
        mut transaction: Transaction,
        key: Option<&str>,
        request: &str,
    ) -> Result<Import, Error> {
        const SQL: &str = concat!("SELECT request, ", columns!(), " FROM imports WHERE key = $1");
        let found = transaction.fetch(sql(SQL).bind(key.map(str::to_owned))).await?;
        match found.first() {
            Some(row) if row.get::<String>("request")? == request => Ok(import(row)?),
            _ => Err(Error::KeyReused),
        }
    }

    pub(crate) async fn get_import(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM imports WHERE id = $1");
        let found = self.readers.fetch(sql(SQL).bind(id.to_string())).await?;
        found.first().map(import).transpose()
    }

    /// Returns the last hundred imports, newest first.
    pub(crate) async fn imports(&self) -> Result<Vec<Import>, StoreError> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM imports ORDER BY seq DESC LIMIT 100");
        self.readers.fetch(sql(SQL)).await?.iter().map(import).collect()
    }

    pub(crate) async fn cancel_import(&self, id: ImportId) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE imports SET state = 'cancelled', finished_at = $2 \
             WHERE id = $1 AND state IN ('queued', 'running')";
        // The contents of rows are not needed any more.
        const FORGET: &str = "UPDATE import_rows SET said = NULL, original = NULL, email_key = NULL \
             WHERE outcome IS NULL AND said IS NOT NULL AND import \
             IN (SELECT seq FROM imports WHERE id = $1 AND state = 'cancelled')";
        const COUNT: &str = "UPDATE imports SET bytes = (SELECT coalesce(sum(coalesce(octet_length(said), 0) \
             + coalesce(octet_length(original), 0)), 0) FROM import_rows WHERE import = imports.seq) \
             WHERE id = $1 AND state = 'cancelled'";
        let now = crate::draft::now().as_microsecond();
        let mut transaction = self.writer()?.begin().await?;
        transaction.execute(sql(SQL).bind(id.to_string()).bind(now)).await?;
        transaction.execute(sql(FORGET).bind(id.to_string())).await?;
        transaction.execute(sql(COUNT).bind(id.to_string())).await?;
        transaction.commit().await
    }

    pub(crate) async fn import_rows(
        &self,
        id: ImportId,
        outcome: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<ImportRow>, StoreError> {
        const SQL: &str = "SELECT line, outcome, customer_id, message FROM import_rows \
             WHERE import = (SELECT seq FROM imports WHERE id = $1) AND line > $2 \
             AND ($3 = '' OR outcome = $3) ORDER BY line LIMIT $4";
        let statement = sql(SQL).bind(id.to_string()).bind(after).bind(outcome.unwrap_or_default());
        let found = self.scans.fetch(statement.bind(limit as i64)).await?;
        let row = |row: &Row| {
            Ok(ImportRow {
                line: row.get("line")?,
                outcome: row.get("outcome")?,
                customer_id: row.get("customer_id")?,
                message: row.get("message")?,
            })
        };
        found.iter().map(row).collect()
    }

    /// Returns the headings of an import's file. They are empty for an import of an earlier version.
    pub(crate) async fn import_headings(&self, id: ImportId) -> Result<Option<Vec<String>>, StoreError> {
        const SQL: &str = "SELECT headings FROM imports WHERE id = $1";
        let found = self.readers.fetch(sql(SQL).bind(id.to_string())).await?;
        let Some(row) = found.first() else { return Ok(None) };
        Ok(Some(match row.get::<Option<String>>("headings")? {
            Some(_) => rows::json(row, "headings")?,
            None => Vec::new(),
        }))
    }

    pub(crate) async fn failed_rows(
        &self,
        id: ImportId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<FailedRow>, StoreError> {
        const SQL: &str = "SELECT line, original, message FROM import_rows \
             WHERE import = (SELECT seq FROM imports WHERE id = $1) AND line > $2 \
             AND outcome = 'failed' AND original IS NOT NULL ORDER BY line LIMIT $3";
        let statement = sql(SQL).bind(id.to_string()).bind(after).bind(limit as i64);
        let row = |row: &Row| {
            let reason: Option<String> = row.get("message")?;
            Ok(FailedRow {
                line: row.get("line")?,
                cells: rows::json(row, "original")?,
                reason: reason.unwrap_or_default(),
            })
        };
        self.scans.fetch(statement).await?.iter().map(row).collect()
    }

    /// Returns some rows of the oldest import that has rows waiting.
    pub(crate) async fn waiting(&self, limit: usize) -> Result<Option<Waiting>, StoreError> {
        const SQL: &str = "SELECT import, line, said FROM import_rows \
             WHERE import = (SELECT min(seq) FROM imports WHERE state IN ('queued', 'running')) \
             AND outcome IS NULL ORDER BY line LIMIT $1";
        let found = self.readers.fetch(sql(SQL).bind(limit as i64)).await?;
        let Some(first) = found.first() else { return Ok(None) };
        let import = first.get("import")?;
        let said = |row: &Row| Ok((row.get("line")?, rows::json(row, "said")?));
        let rows = found.iter().map(said).collect::<Result<_, StoreError>>()?;
        Ok(Some(Waiting { import, rows }))
    }

    /// Stores the accounts from rows together with the rows' outcomes, in one transaction. Rows
    /// that another process has done in the meantime are left as they are. Returns the import
    /// afterwards; `None` if it was cancelled.
    pub(crate) async fn settle_import(&self, seq: i64, made: Vec<Made>) -> Result<Option<Import>, Error> {
        // Locks the import, so that of several workers one continues at a time and sees the others'
        // work.
        const BEGIN: &str = "UPDATE imports SET state = 'running' \
             WHERE seq = $1 AND state IN ('queued', 'running') RETURNING actor";
        // Of a row that failed the cells are kept, to be mended.
        const DONE: &str = "UPDATE import_rows SET said = NULL, outcome = $3, customer_id = $4, message = $5, \
             original = CASE WHEN $3 = 'failed' THEN original END, \
             email_key = CASE WHEN $3 = 'failed' THEN email_key END WHERE import = $1 AND line = $2";
        const COUNT: &str = "UPDATE imports SET created = created + $2, failed = failed + $3, \
             bytes = CASE WHEN bytes > $4 THEN bytes - $4 ELSE 0 END WHERE seq = $1";
        let mut transaction = self.writer()?.begin().await?;
        let begun = transaction.fetch(sql(BEGIN).bind(seq)).await?;
        let Some(row) = begun.first() else { return Ok(None) };
        let actor: Option<String> = row.get("actor")?;
        let waiting = still_waiting(&mut transaction, seq, &made).await?;
        let made: Vec<Made> = made.into_iter().filter(|made| waiting.contains_key(&made.line)).collect();
        // From here on no other transaction creates an account, so no email is taken between the
        // check and the insert, except by a change of an account. Then this transaction is rolled
        // back and retried.
        let mut place = accounts::next_places(&mut transaction, made.len()).await?;
        let mut taken = taken(&mut transaction, &made).await?;
        let (mut created, mut failed, mut freed) = (0_i64, 0_i64, 0_i64);
        for Made { line, note, draft } in made {
            let done = match draft {
                Err(message) => Err(message),
                Ok(Draft { customer, .. }) if !taken.insert(customer.email.to_lowercase()) => {
                    // Leave the email out: the report must not keep it after the account is erased.
                    Err("another account has this email address".to_owned())
                }
                Ok(Draft { mut customer, due }) => {
                    (customer.seq, place) = (place, place + 1);
                    accounts::write(&mut transaction, &customer, &due, actor.as_deref()).await?;
                    Ok(customer.id.to_string())
                }
            };
            let (outcome, id, message) = match done {
                Ok(id) => ("created", Some(id), note.map(cut)),
                Err(message) => ("failed", None, Some(cut(message))),
            };
            *(if id.is_some() { &mut created } else { &mut failed }) += 1;
            let (said, original) = waiting.get(&line).copied().unwrap_or_default();
            freed += if id.is_some() { said + original } else { said };
            transaction.execute(sql(DONE).bind(seq).bind(line).bind(outcome).bind(id).bind(message)).await?;
        }
        transaction.execute(sql(COUNT).bind(seq).bind(created).bind(failed).bind(freed)).await?;
        let import = finish(&mut transaction, seq).await?;
        transaction.commit().await?;
        Ok(import)
    }
}

/// Cuts a message, which may quote a whole row, to its maximum length.
fn cut(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some(_) => message.chars().take(MAX_MESSAGE - 1).chain(['…']).collect(),
        None => message,
    }
}

/// Returns the bytes of all rows that wait or failed, and of those of one owner. Nothing of other rows is kept but
/// the outcome.
async fn stored(transaction: &mut Transaction, owner: &str) -> Result<(i64, i64), StoreError> {
    const SQL: &str = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes, \
         CAST(coalesce(sum(CASE WHEN owner = $1 THEN bytes ELSE 0 END), 0) AS BIGINT) AS own FROM imports";
    match transaction.fetch(sql(SQL).bind(owner)).await?.first() {
        Some(row) => Ok((row.get("bytes")?, row.get("own")?)),
        None => Ok((0, 0)),
    }
}

/// Returns which of these rows are still not done, with the bytes of what they say and of their cells.
async fn still_waiting(
    transaction: &mut Transaction,
    seq: i64,
    made: &[Made],
) -> Result<HashMap<i64, (i64, i64)>, StoreError> {
    const SQL: &str = "SELECT line, CAST(coalesce(octet_length(said), 0) AS BIGINT) AS said, \
         CAST(coalesce(octet_length(original), 0) AS BIGINT) AS original FROM import_rows WHERE import = $1 AND outcome IS NULL AND line >= $2 AND line <= $3";
    let (Some(first), Some(last)) = (made.first(), made.last()) else { return Ok(HashMap::new()) };
    let found = transaction.fetch(sql(SQL).bind(seq).bind(first.line).bind(last.line)).await?;
    found.iter().map(|row| Ok((row.get("line")?, (row.get("said")?, row.get("original")?)))).collect()
}

/// Returns which of the emails belong to other accounts.
async fn taken(transaction: &mut Transaction, made: &[Made]) -> Result<HashSet<String>, StoreError> {
    let drafts = made.iter().filter_map(|made| made.draft.as_ref().ok());
    let values: Vec<Value> = drafts.map(|draft| draft.customer.email.to_lowercase().into()).collect();
    if values.is_empty() {
        return Ok(HashSet::new());
    }
    let listed: Vec<String> = (1..=values.len()).map(|n| format!("${n}")).collect();
    let text = format!(
        "SELECT email_key FROM customers WHERE deleted_at IS NULL AND email_key IN ({})",
        listed.join(", ")
    );
    let found = transaction.fetch(Statement::composed(text, values)).await?;
    found.iter().map(|row| row.get("email_key")).collect()
}

/// Returns the import as it is now, and records its end if all rows are done.
async fn finish(transaction: &mut Transaction, seq: i64) -> Result<Option<Import>, StoreError> {
    const SQL: &str = concat!(
        "UPDATE imports SET \
         state = CASE WHEN created + failed = total THEN 'succeeded' ELSE state END, \
         finished_at = CASE WHEN created + failed = total THEN $2 ELSE finished_at END \
         WHERE seq = $1 RETURNING ",
        columns!()
    );
    let now = crate::draft::now().as_microsecond();
    let found = transaction.fetch(sql(SQL).bind(seq).bind(now)).await?;
    found.first().map(import).transpose()
}

/// Inserts many rows with one statement. Also returns the bytes that count for [`ImportRoom`].
fn insert_rows(seq: i64, file: &[crate::import::Row]) -> Result<(Statement, i64), StoreError> {
    let mut bytes = 0;
    let mut text = String::from(
        "INSERT INTO import_rows (import, line, said, outcome, message, original, email_key) VALUES ",
    );
    let mut values: Vec<Value> = vec![seq.into()];
    for crate::import::Row { line, said, original, email_key } in file {
        let (n, comma) = (values.len(), if values.len() == 1 { "" } else { ", " });
        let (said, message) = match said {
            Ok(said) => (Some(rows::written("said", said)?), None),
            Err(message) => (None, Some(cut(message.clone()))),
        };
        bytes += said.as_ref().map_or(0, String::len) + original.len();
        let outcome = if message.is_some() { "'failed'" } else { "NULL" };
        text +=
            &format!("{comma}($1, ${}, ${}, {outcome}, ${}, ${}, ${})", n + 1, n + 2, n + 3, n + 4, n + 5);
        let (original, email_key) = (Some(original.clone()), email_key.clone());
        values.extend([Value::from(*line), said.into(), message.into(), original.into(), email_key.into()]);
    }
    Ok((Statement::composed(text, values), i64::try_from(bytes).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::Mapping;
    use crate::import::read;
    use crate::store::kept_rows::erase_rows;

    /// Returns the bytes as they are counted, and checks that they are right.
    async fn bytes(store: &Store) -> i64 {
        const SQL: &str = "SELECT (SELECT coalesce(sum(bytes), 0) FROM imports) AS counted, \
             coalesce(sum(coalesce(octet_length(said), 0) + coalesce(octet_length(original), 0)), 0) AS stored \
             FROM import_rows";
        let found = store.scans.fetch(sql(SQL)).await.unwrap();
        let (counted, stored): (i64, i64) =
            (found[0].get("counted").unwrap(), found[0].get("stored").unwrap());
        assert_eq!(counted, stored);
        counted
    }

    async fn store() -> (TempDir, Store) {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("customers.db").display());
        let store = Store::open(&url).await.unwrap();
        (dir, store)
    }

    async fn add(store: &Store, key: Option<&str>, most: i64, owner: &str) -> Result<Import, Error> {
        let file = b"name,email,postcode,address\nAda,ada@example.com,M1 1AE,1 High St\n,,,\n";
        let file = read(file, &Mapping::default()).unwrap();
        store.add_import(ImportId::generate(), file, None, key, "request", ImportRoom { most, owner }).await
    }

    #[tokio::test]
    async fn import_above_the_stored_bytes_is_refused_until_waiting_rows_are_cancelled() {
        let (_dir, store) = store().await;
        let first = add(&store, Some("first"), 10_000, "").await.unwrap();
        let one = bytes(&store).await;
        assert!(one > 60, "{one}");
        let refused = add(&store, None, 2 * one - 1, "").await.unwrap_err();
        assert!(matches!(refused, Error::ImportsFull), "{refused}");
        assert!(refused.to_string().contains("1024 MiB"), "{refused}");
        assert_eq!(bytes(&store).await, one, "nothing of it is stored");
        let again = add(&store, Some("first"), one, "").await;
        assert_eq!(again.unwrap(), first, "a repeated upload adds nothing");
        store.cancel_import(first.id).await.unwrap();
        let failed = bytes(&store).await;
        assert!(failed < one, "{failed} of {one}");
        add(&store, None, one + failed, "").await.unwrap();
    }

    #[tokio::test]
    async fn client_has_half_of_the_stored_bytes_of_imports() {
        let (_dir, store) = store().await;
        add(&store, None, 10_000, "192.0.2.1").await.unwrap();
        let most = 3 * bytes(&store).await;
        let refused = add(&store, None, most, "192.0.2.1").await.unwrap_err();
        assert!(matches!(refused, Error::ImportShareFull), "{refused}");
        add(&store, None, most, "192.0.2.2").await.unwrap();
    }

    #[tokio::test]
    async fn rows_that_are_done_give_their_bytes_back() {
        let (_dir, store) = store().await;
        add(&store, None, 10_000, "").await.unwrap();
        let before = bytes(&store).await;
        let Waiting { import, rows } = store.waiting(10).await.unwrap().unwrap();
        let failed = |(line, _)| Made { line, note: None, draft: Err("no".to_owned()) };
        store.settle_import(import, rows.into_iter().map(failed).collect()).await.unwrap();
        let after = bytes(&store).await;
        assert!(0 < after && after < before, "{after} of {before}");
    }

    #[tokio::test]
    async fn rows_that_are_deleted_or_erased_give_their_bytes_back() {
        let (_dir, store) = store().await;
        let file = b"name,email,postcode,address\nAda,Ada@example.com,M1 1AE,1 High St\nBob,bob@example.com,M1 1AE,2 High St\n";
        let file = read(file, &Mapping::default()).unwrap();
        let room = ImportRoom { most: 10_000, owner: "" };
        let import = store.add_import(ImportId::generate(), file, None, None, "request", room).await.unwrap();
        let Waiting { import: seq, rows } = store.waiting(10).await.unwrap().unwrap();
        let failed = |(line, _)| Made { line, note: None, draft: Err("no".to_owned()) };
        store.settle_import(seq, rows.into_iter().map(failed).collect()).await.unwrap();
        let both = bytes(&store).await;
        let mut transaction = store.writer().unwrap().begin().await.unwrap();
        erase_rows(&mut transaction, "ada@example.com").await.unwrap();
        transaction.commit().await.unwrap();
        let other = bytes(&store).await;
        assert!(0 < other && other < both, "{other} of {both}");
        assert_eq!(store.failed_rows(import.id, 0, 10).await.unwrap().len(), 1);
        assert!(store.delete_failed_rows(import.id).await.unwrap());
        assert_eq!(bytes(&store).await, 0);
        assert!(!store.delete_failed_rows(ImportId::generate()).await.unwrap());
    }
}
