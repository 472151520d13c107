//! Messages to those who wait for a job.

use apalis::prelude::{TaskBuilder, TaskId};
use async_trait::async_trait;
use ulid::Ulid;

use super::schedule::second;
use super::{Database, Tx, begin, push};
use crate::jobs::callback::payload;
use crate::jobs::job::{Job, now};
use crate::jobs::store::{CALLBACKS, Callback, Callbacks, Error};

/// The job has ended: whoever asked to be told is told.
pub(super) async fn announce(tx: &mut Tx, job: &Job) -> Result<(), Error> {
    let Some(url) = &job.callback_url else { return Ok(()) };
    // Of the job, and so the same however often the message is sent.
    let id = format!("msg_{}", job.id);
    let now = now();
    sqlx::query(
        "INSERT INTO job_callbacks (id, job, tenant, url, state, body, created_at, next_at) \
         VALUES ($1, $2, $3, $4, 'pending', $5, $6, $6)",
    )
    .bind(&id)
    .bind(&job.id)
    .bind(&job.tenant)
    .bind(url)
    .bind(payload::of(job))
    .bind(now)
    .execute(&mut **tx)
    .await?;
    enqueue(tx, &id, 0).await
}

/// A task to send it, not before that time.
pub(super) async fn enqueue(tx: &mut Tx, id: &str, run_at: i64) -> Result<(), Error> {
    let task = Ulid::generate().to_string();
    let args = serde_json::to_vec(id).map_err(|e| Error::Queue(e.to_string()))?;
    let builder = TaskBuilder::new(args).task_id(TaskId::from_string(task.as_str())).max_attempts(100);
    let builder = if run_at > 0 { builder.run_at_timestamp(second(run_at)) } else { builder };
    push(tx, CALLBACKS, builder.build()).await?;
    sqlx::query("UPDATE job_callbacks SET task = $1 WHERE id = $2")
        .bind(task)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[async_trait]
impl Callbacks for Database {
    async fn pending_callback(&self, id: &str) -> Result<Option<Callback>, Error> {
        Ok(sqlx::query_as("SELECT * FROM job_callbacks WHERE id = $1 AND state = 'pending'")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?)
    }

    async fn callback_delivered(&self, id: &str) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        sqlx::query(
            "UPDATE job_callbacks SET state = 'delivered', attempts = attempts + 1, ended_at = $1, error = NULL \
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
        let changed = sqlx::query(
            "UPDATE job_callbacks SET state = $1, attempts = attempts + 1, error = $2, next_at = $3, ended_at = $4 \
             WHERE id = $5 AND state = 'pending'",
        )
        .bind(state)
        .bind(why)
        .bind(again.unwrap_or(now))
        .bind(again.is_none().then_some(now))
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if let (1, Some(again)) = (changed.rows_affected(), again) {
            enqueue(&mut tx, id, again).await?;
        }
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
            "UPDATE job_callbacks SET state = 'pending', attempts = 0, next_at = $1, ended_at = NULL \
             WHERE tenant = $2 AND id = $3 AND state = 'dead'",
        )
        .bind(now())
        .bind(tenant)
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if revived.rows_affected() == 1 {
            enqueue(&mut tx, id, 0).await?;
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
