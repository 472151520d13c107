//! Idempotency keys: requests that take effect once, however often they are sent.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Store;
use super::database::{Transaction, sql};
use crate::error::StoreError;
use crate::{CustomerId, Error};

/// The least time for which a key is remembered: longer than any client retries.
const KEPT: Duration = Duration::from_secs(48 * 60 * 60);
/// Expired keys removed with each new one. More than one, so that their number shrinks.
const FORGOTTEN: i64 = 10;

/// A request and the key from its sender.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    key: String,
    /// A digest of the request, so that no second copy of the person's data is kept.
    request: String,
}

/// The effect of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) customer: CustomerId,
    /// The number of the address that it added; 0 if it created the customer.
    pub(crate) number: i64,
}

impl Once {
    /// Creates an entry. The key is unique among requests of one kind.
    pub(crate) fn new(kind: &str, key: &str, request: &impl serde::Serialize) -> Result<Self, Error> {
        let request = super::rows::written("request", request)?;
        let digest = Sha256::digest(request.as_bytes());
        let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { key: format!("{kind} {key}"), request: hex })
    }

    /// Stores the key with its request's effect. Returns false if another request has stored it.
    pub(super) async fn claim(
        &self,
        transaction: &mut Transaction,
        customer: CustomerId,
        number: i64,
    ) -> Result<bool, StoreError> {
        const FORGET: &str = "DELETE FROM idempotency WHERE key IN \
             (SELECT key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
        const SQL: &str = "INSERT INTO idempotency (key, request, customer_id, number, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING";
        let now = crate::draft::now().as_microsecond();
        let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
        transaction.execute(sql(FORGET).bind(now.saturating_sub(kept)).bind(FORGOTTEN)).await?;
        let statement = sql(SQL)
            .bind(self.key.clone())
            .bind(self.request.clone())
            .bind(customer.to_string())
            .bind(number)
            .bind(now);
        Ok(transaction.execute(statement).await? > 0)
    }
}

impl Store {
    /// Returns the effect of the earlier request with that key, if there was one.
    ///
    /// # Errors
    /// [`KeyReused`](Error::KeyReused) if that was a different request.
    pub(crate) async fn recall(&self, once: &Once) -> Result<Option<Done>, Error> {
        const SQL: &str = "SELECT request, customer_id, number FROM idempotency WHERE key = $1";
        let rows = self.readers.fetch(sql(SQL).bind(once.key.clone())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if row.get::<String>("request")? != once.request {
            return Err(Error::KeyReused);
        }
        Ok(Some(Done { customer: super::rows::parsed(row, "customer_id")?, number: row.get("number")? }))
    }
}
