//! Creating, reading, changing and deleting accounts. Each change is one transaction: the account,
//! its addresses with their pending lookups, the idempotency key, and the audit entry.

use jiff::Timestamp;

use super::database::{Statement, Transaction, sql};
use super::rows::{self, columns, order};
use super::{Once, Store, kept_rows};
use crate::audit::{self, Action};
use crate::draft::Draft;
use crate::error::StoreError;
use crate::fold::folded;
use crate::{Customer, CustomerId, Error};

/// The result of a conditional change.
pub(crate) enum Outcome {
    Done(Box<Customer>),
    /// The account has changed since it was read.
    Stale,
    /// Another request stored the same key in the meantime.
    Repeated,
}

impl Store {
    pub(crate) async fn insert(
        &self,
        draft: &Draft,
        actor: Option<&str>,
        once: Option<&Once>,
    ) -> Result<Outcome, Error> {
        let mut customer = draft.customer.clone();
        let mut transaction = self.writer()?.begin().await?;
        if let Some(once) = once
            && !once.claim(&mut transaction, customer.id, 0).await?
        {
            return Ok(Outcome::Repeated);
        }
        customer.seq = next_places(&mut transaction, 1).await?;
        write(&mut transaction, &customer, &draft.due, actor).await?;
        transaction.commit().await?;
        Ok(Outcome::Done(Box::new(customer)))
    }

    /// Returns the account, deleted or not.
    pub(crate) async fn get(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM customers c JOIN addresses a ON a.customer = c.seq WHERE c.id = $1 ",
            order!()
        );
        let rows = self.readers.fetch(sql(SQL).bind(id.to_string())).await?;
        Ok(rows::customers(&rows)?.pop())
    }

    /// Stores the next state of an account, if it has not changed.
    pub(crate) async fn update(
        &self,
        before: &Customer,
        draft: &Draft,
        action: Action,
        actor: Option<&str>,
        once: Option<&Once>,
    ) -> Result<Outcome, Error> {
        const SQL: &str = "UPDATE customers SET name = $3, name_key = $4, email = $5, email_key = $6, phone = $7, \
             notes = $8, external_references = $9, next_address = $10, revision = $11, updated_at = $12, \
             deleted_at = $13 WHERE seq = $1 AND revision = $2";
        let after = &draft.customer;
        let mut transaction = self.writer()?.begin().await?;
        if let Some(once) = once
            && !once.claim(&mut transaction, after.id, before.next_address).await?
        {
            return Ok(Outcome::Repeated);
        }
        let statement = details(sql(SQL).bind(before.seq).bind(before.revision), after)?
            .bind(after.revision)
            .bind(after.updated_at.as_microsecond())
            .bind(after.deleted_at.map(Timestamp::as_microsecond));
        let updated = transaction.execute(statement).await.map_err(|error| taken(error, &after.email))?;
        if updated == 0 {
            return Ok(Outcome::Stale);
        }
        // There are only a few rows, and all are known, so write them anew.
        transaction.execute(sql("DELETE FROM addresses WHERE customer = $1").bind(before.seq)).await?;
        write_addresses(&mut transaction, after, &draft.due).await?;
        let changes = audit::changes(Some(before), after);
        super::audit::record(&mut transaction, after, action, actor, &changes).await?;
        transaction.commit().await?;
        Ok(Outcome::Done(Box::new(after.clone())))
    }

    /// Marks an account as deleted or restored, if it has not changed.
    pub(crate) async fn mark(
        &self,
        before: &Customer,
        after: &Customer,
        action: Action,
        actor: Option<&str>,
    ) -> Result<bool, Error> {
        const SQL: &str = "UPDATE customers SET revision = $3, updated_at = $4, deleted_at = $5 \
             WHERE seq = $1 AND revision = $2";
        let mut transaction = self.writer()?.begin().await?;
        let statement = sql(SQL)
            .bind(before.seq)
            .bind(before.revision)
            .bind(after.revision)
            .bind(after.updated_at.as_microsecond())
            .bind(after.deleted_at.map(Timestamp::as_microsecond));
        let marked = transaction.execute(statement).await.map_err(|error| taken(error, &after.email))?;
        if marked == 0 {
            return Ok(false);
        }
        super::audit::record(&mut transaction, after, action, actor, &serde_json::Map::new()).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Erases an account for good, if it has not changed. Only the fact, the actor and the time are
    /// kept.
    pub(crate) async fn erase(&self, before: &Customer, actor: Option<&str>) -> Result<bool, StoreError> {
        let id = before.id.to_string();
        let mut transaction = self.writer()?.begin().await?;
        // Rows that failed because the account was there already hold the same person's data. Imports are locked before
        // accounts, as when their rows are done.
        kept_rows::erase_rows(&mut transaction, &before.email.to_lowercase()).await?;
        // The addresses are deleted with it.
        let statement = sql("DELETE FROM customers WHERE seq = $1 AND revision = $2");
        if transaction.execute(statement.bind(before.seq).bind(before.revision)).await? == 0 {
            return Ok(false);
        }
        for statement in [
            "DELETE FROM audit WHERE customer_id = $1",
            "DELETE FROM idempotency WHERE customer_id = $1",
            // The line in the imported file would lead to the person, and the message may quote it.
            "UPDATE import_rows SET customer_id = NULL, message = NULL WHERE customer_id = $1",
        ] {
            transaction.execute(sql(statement).bind(id.clone())).await?;
        }
        let mut erased = before.clone();
        erased.revision += 1;
        let nothing = serde_json::Map::new();
        super::audit::record(&mut transaction, &erased, Action::Erased, actor, &nothing).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Returns the first of `many` places for new accounts. The places stay locked until the end of the
/// transaction, so they are given out in the order of commits, and no account appears behind a
/// cursor that has already passed it.
pub(super) async fn next_places(transaction: &mut Transaction, many: usize) -> Result<i64, StoreError> {
    const NEXT: &str = "UPDATE places SET last = last + $1 RETURNING last";
    let many = many as i64;
    let rows = transaction.fetch(sql(NEXT).bind(many)).await?;
    let row = rows.first().ok_or_else(|| StoreError::new("the database has lost its table of places"))?;
    Ok(row.get::<i64>("last")? - many + 1)
}

/// Writes a new account, its addresses with their pending lookups, and the audit entry.
pub(super) async fn write(
    transaction: &mut Transaction,
    customer: &Customer,
    due: &[Option<Timestamp>],
    actor: Option<&str>,
) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO customers (seq, id, name, name_key, email, email_key, phone, notes, \
         external_references, next_address, revision, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let statement = details(sql(SQL).bind(customer.seq).bind(customer.id.to_string()), customer)?
        .bind(customer.revision)
        .bind(customer.created_at.as_microsecond())
        .bind(customer.updated_at.as_microsecond());
    transaction.execute(statement).await.map_err(|error| taken(error, &customer.email))?;
    write_addresses(transaction, customer, due).await?;
    let changes = audit::changes(None, customer);
    super::audit::record(transaction, customer, Action::Created, actor, &changes).await?;
    Ok(())
}

/// Binds eight values: name, its key, email, its key, phone, notes, references, next address
/// number.
fn details(statement: Statement, customer: &Customer) -> Result<Statement, StoreError> {
    Ok(statement
        .bind(customer.name.clone())
        .bind(folded(&customer.name))
        .bind(customer.email.clone())
        .bind(customer.email.to_lowercase())
        .bind(customer.phone.clone())
        .bind(customer.notes.clone())
        .bind(rows::written("external_references", &customer.references)?)
        .bind(customer.next_address))
}

async fn write_addresses(
    transaction: &mut Transaction,
    customer: &Customer,
    due: &[Option<Timestamp>],
) -> Result<(), StoreError> {
    for (address, due) in customer.addresses.iter().zip(due) {
        transaction.execute(rows::insert_address(customer.seq, address, *due)?).await?;
    }
    Ok(())
}

/// Maps a violation of uniqueness: only the email of an account is unique.
fn taken(error: StoreError, email: &str) -> Error {
    if error.is_taken() { Error::EmailTaken(email.to_owned()) } else { error.into() }
}
