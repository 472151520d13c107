//! The callbacks of jobs.

use async_trait::async_trait;

use super::{Database, Tx, begin};
use crate::jobs::callback::{host, payload};
use crate::jobs::job::{Job, now};
use crate::jobs::store::{Callback, Callbacks, Error};

/// The most callbacks that all processes send to one host at once.
const OF_A_HOST: i64 = 4;
/// The same for one tenant: a tenant with many hosts that hang leaves places for others.
const OF_A_TENANT: i64 = 16;

/// Queues the callback of a job that has ended, if its caller asked for one.
pub(super) async fn announce(tx: &mut Tx, job: &Job) -> Result<(), Error> {
    let Some(url) = &job.callback_url else { return Ok(()) };
    // Of the job, and so the same however often the message is sent.
    let id = format!("msg_{}", job.id);
    let now = now();
    sqlx::query(
        "INSERT INTO job_callbacks (id, job, tenant, url, state, body, created_at, next_at, pending_since, host) \
         VALUES ($1, $2, $3, $4, 'pending', $5, $6, $6, $6, $7)",
    )
    .bind(&id)
    .bind(&job.id)
    .bind(&job.tenant)
    .bind(url)
    .bind(payload::of(job))
    .bind(now)
    .bind(host(url))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

#[async_trait]
impl Callbacks for Database {
    async fn claim_callbacks(&self, most: i64, lease: i64) -> Result<Vec<Callback>, Error> {
        let now = now();
        // If nothing is due, write nothing.
        let due: Option<(i64,)> = sqlx::query_as(
            "SELECT CAST(1 AS BIGINT) FROM job_callbacks WHERE state = 'pending' AND next_at <= $1 AND leased_until <= $1 LIMIT 1",
        )
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = begin(&self.pool).await?;
        // One process after the other: two at once would each fill the places of a host.
        sqlx::query("UPDATE job_clock SET epoch = epoch WHERE id = 1").execute(&mut *tx).await?;
        // Of each host as many as it has places, tenants in turn; of those the first of each
        // tenant, then the second …
        let claimed = sqlx::query_as(
            "WITH under_way AS (SELECT host, tenant FROM job_callbacks WHERE state = 'pending' AND leased_until > $1), \
             own AS (SELECT c.id, c.tenant, c.host, c.next_at, \
             ROW_NUMBER() OVER (PARTITION BY c.tenant, c.host ORDER BY c.next_at, c.id) \
             + (SELECT COUNT(*) FROM under_way u WHERE u.tenant = c.tenant AND u.host = c.host) AS nth \
             FROM job_callbacks c WHERE c.state = 'pending' AND c.next_at <= $1 AND c.leased_until <= $1), \
             due AS (SELECT o.id, o.tenant, o.next_at, ROW_NUMBER() OVER (PARTITION BY o.host ORDER BY o.nth, o.next_at, o.id) \
             + (SELECT COUNT(*) FROM under_way u WHERE u.host = o.host) AS of_host FROM own o), \
             turns AS (SELECT d.id, d.next_at, ROW_NUMBER() OVER (PARTITION BY d.tenant ORDER BY d.next_at, d.id) \
             + (SELECT COUNT(*) FROM under_way u WHERE u.tenant = d.tenant) AS of_tenant FROM due d WHERE d.of_host <= $2) \
             UPDATE job_callbacks SET leased_until = $3 WHERE state = 'pending' AND id IN \
             (SELECT t.id FROM turns t WHERE t.of_tenant <= $4 ORDER BY t.of_tenant, t.next_at, t.id LIMIT $5) RETURNING *",
        )
        .bind(now)
        .bind(OF_A_HOST)
        .bind(now.saturating_add(lease))
        .bind(OF_A_TENANT)
        .bind(most)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(claimed)
    }

    async fn hold_callbacks(&self, callback: &Callback, until: i64, too_old: i64) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        sqlx::query(
            "UPDATE job_callbacks SET state = 'dead', ended_at = $1, error = 'it could not be reached', leased_until = 0 \
             WHERE host = $2 AND tenant = $5 AND state = 'pending' AND pending_since < $3 AND (leased_until <= $1 OR id = $4)",
        )
        .bind(now())
        .bind(&callback.host)
        .bind(too_old)
        .bind(&callback.id)
        .bind(&callback.tenant)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE job_callbacks SET next_at = $1, leased_until = 0 WHERE host = $2 AND tenant = $5 AND state = 'pending' \
             AND next_at < $1 AND (leased_until <= $3 OR id = $4)",
        )
        .bind(until)
        .bind(&callback.host)
        .bind(now())
        .bind(&callback.id)
        .bind(&callback.tenant)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn callback_delivered(&self, id: &str) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        sqlx::query(
            "UPDATE job_callbacks SET state = 'delivered', attempts = attempts + 1, ended_at = $1, error = NULL, leased_until = 0 \
             WHERE id = $2 AND state = 'pending'",
        )
        .bind(now())
        .bind(id)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn callback_failed(&self, id: &str, why: &str, again: Option<i64>) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        let (state, now) = (if again.is_some() { "pending" } else { "dead" }, now());
        sqlx::query(
            "UPDATE job_callbacks SET state = $1, attempts = attempts + 1, error = $2, next_at = $3, ended_at = $4, \
             leased_until = 0 \
             WHERE id = $5 AND state = 'pending'",
        )
        .bind(state)
        .bind(why)
        .bind(again.unwrap_or(now))
        .bind(again.is_none().then_some(now))
        .bind(id)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn callback_of(&self, job: &str) -> Result<Option<Callback>, Error> {
        Ok(sqlx::query_as("SELECT * FROM job_callbacks WHERE job = $1")
            .bind(job)
            .fetch_optional(&self.pool)
            .await?)
    }

    async fn callbacks(
        &self,
        tenant: &str,
        state: Option<&str>,
        after: &str,
        most: i64,
    ) -> Result<Vec<Callback>, Error> {
        Ok(sqlx::query_as(
            "SELECT * FROM job_callbacks WHERE tenant = $1 AND ($2 = '' OR state = $2) AND id > $3 \
             ORDER BY id LIMIT $4",
        )
        .bind(tenant)
        .bind(state.unwrap_or_default())
        .bind(after)
        .bind(most)
        .fetch_all(&self.pool)
        .await?)
    }

    async fn revive_callback(&self, tenant: &str, id: &str) -> Result<Option<bool>, Error> {
        let mut tx = begin(&self.pool).await?;
        let revived = sqlx::query(
            "UPDATE job_callbacks SET state = 'pending', attempts = 0, next_at = $1, pending_since = $1, ended_at = NULL, \
             leased_until = 0 \
             WHERE tenant = $2 AND id = $3 AND state = 'dead'",
        )
        .bind(now())
        .bind(tenant)
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if revived.rows_affected() == 1 {
            tx.commit().await?;
            return Ok(Some(true));
        }
        let there: Option<(String,)> =
            sqlx::query_as("SELECT state FROM job_callbacks WHERE tenant = $1 AND id = $2")
                .bind(tenant)
                .bind(id)
                .fetch_optional(&mut *tx)
                .await?;
        Ok(there.map(|_| false))
    }
}
