//! Rows come in.

use async_trait::async_trait;

use super::schedule::{Flow, enqueue, schedule};
use super::{Database, Tx, begin, stored};
use crate::jobs::job::{NewJob, NewPart, Received, Slice, now};
use crate::jobs::store::{Bounds, Error, Submissions, Submitted, WINDOW};

#[async_trait]
impl Submissions for Database {
    async fn receive(&self, job: &NewJob, bounds: Bounds) -> Result<bool, Error> {
        let mut tx = begin(&self.pool).await?;
        // Locks this row until the job is written, so that of two concurrent submissions the second
        // counts the first.
        sqlx::query("UPDATE job_clock SET epoch = epoch WHERE id = 1").execute(&mut *tx).await?;
        // A repeated request is not a new job and needs no room for one.
        let known: Option<(i64,)> = sqlx::query_as(
            "SELECT CAST(1 AS BIGINT) FROM job_keys WHERE tenant = $1 AND idempotency_key = $2",
        )
        .bind(&job.tenant)
        .bind(job.key.as_deref().unwrap_or_default())
        .fetch_optional(&mut *tx)
        .await?;
        let address = job.address.as_deref().unwrap_or_default();
        let (in_all, open, of_address): (i64, i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COUNT(CASE WHEN tenant = $1 THEN 1 END), COUNT(CASE WHEN address = $2 THEN 1 END) \
             FROM postcode_jobs WHERE state IN ('receiving', 'queued', 'running')",
        )
        .bind(&job.tenant)
        .bind(address)
        .fetch_one(&mut *tx)
        .await?;
        if known.is_none() {
            if open >= bounds.open_jobs {
                return Err(Error::TooMany { open });
            }
            if job.address.is_some() && of_address >= bounds.open_jobs_of_address {
                return Err(Error::TooManyOfAddress { open: of_address });
            }
            if in_all >= bounds.open_jobs_in_all {
                return Err(Error::TooManyInAll);
            }
            if !bounds.job_is_in_share(open, in_all) {
                return Err(Error::JobsShareTaken { open });
            }
            // No job is without a row.
            stored::check_new(&mut tx, &job.tenant, stored::JOB_BYTES + 1, bounds).await?;
        }
        sqlx::query(
            "INSERT INTO postcode_jobs (id, tenant, state, format, plan, priority, run_at, callback_url, created_at, touched_at, address) \
             VALUES ($1, $2, 'receiving', $3, '', $4, $5, $6, $7, $7, $8)",
        )
        .bind(&job.id)
        .bind(&job.tenant)
        .bind(job.format)
        .bind(job.priority)
        .bind(job.run_at)
        .bind(&job.callback_url)
        .bind(now())
        .bind(address)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(known.is_some())
    }

    async fn add_part(&self, job: &NewJob, part: &NewPart, bounds: Option<Bounds>) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        if let Some(bounds) = bounds {
            stored::check_new(&mut tx, &job.tenant, part.bytes(), bounds).await?;
        }
        let touched = sqlx::query(
            "UPDATE postcode_jobs SET touched_at = $1, bytes = bytes + $2 WHERE id = $3 AND state = 'receiving'",
        )
        .bind(now())
        .bind(part.bytes())
        .bind(&job.id)
        .execute(&mut *tx)
        .await?;
        if touched.rows_affected() == 0 {
            return Err(Error::Cleared);
        }
        sqlx::query(
            "INSERT INTO job_parts (job, number, first_line, row_count, head, input) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&job.id)
        .bind(part.number)
        .bind(part.first_line)
        .bind(part.rows)
        .bind(&part.head)
        .bind(&part.input)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn submit(&self, job: &NewJob, received: &Received) -> Result<Submitted, Error> {
        let mut tx = begin(&self.pool).await?;
        if let Some(earlier) = earlier(&mut tx, job, received).await? {
            forget(&mut tx, &job.id).await?;
            tx.commit().await?;
            return Ok(earlier);
        }
        let now = now();
        let due = job.run_at <= now;
        let first = if due { received.parts.min(WINDOW) } else { 0 };
        let queued = sqlx::query(
            "UPDATE postcode_jobs SET state = 'queued', plan = $1, parts = $2, next_part = $3, total = $4, bytes = $5, \
             created_at = $6, touched_at = $6, notes = $8 WHERE id = $7 AND state = 'receiving'",
        )
        .bind(&received.plan)
        .bind(received.parts)
        .bind(first)
        .bind(received.rows)
        .bind(received.bytes)
        .bind(now)
        .bind(&job.id)
        .bind(&received.notes)
        .execute(&mut *tx)
        .await?;
        if queued.rows_affected() == 0 {
            return Err(Error::Cleared);
        }
        if received.parts == 0 {
            super::slices::end(&mut tx, &job.id, "succeeded", None).await?;
        } else if due {
            let flow = Flow { tenant: &job.tenant, priority: job.priority };
            schedule(&mut tx, &flow, &job.id, 0..first, None).await?;
        } else {
            // Its turn among the others is found when its time has come.
            let slice = Slice { job: job.id.clone(), part: None, tag: 0, epoch: -1 };
            enqueue(&mut tx, &slice, job.run_at).await?;
        }
        tx.commit().await?;
        Ok(Submitted::New)
    }

    async fn discard(&self, job: &str) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        forget(&mut tx, job).await?;
        Ok(tx.commit().await?)
    }
}

/// Returns the job for which the key was used earlier, if any.
async fn earlier(tx: &mut Tx, job: &NewJob, received: &Received) -> Result<Option<Submitted>, Error> {
    let Some((key, request)) = &received.key else { return Ok(None) };
    let inserted = sqlx::query(
        "INSERT INTO job_keys (tenant, idempotency_key, job, request) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant, idempotency_key) DO NOTHING",
    )
    .bind(&job.tenant)
    .bind(key)
    .bind(&job.id)
    .bind(request)
    .execute(&mut **tx)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(None);
    }
    let (id, before): (String, String) =
        sqlx::query_as("SELECT job, request FROM job_keys WHERE tenant = $1 AND idempotency_key = $2")
            .bind(&job.tenant)
            .bind(key)
            .fetch_one(&mut **tx)
            .await?;
    Ok(Some(if before == *request { Submitted::Same(id) } else { Submitted::Other }))
}

/// Removes an unfinished upload. Keeps it if it was accepted in the meantime: a caller whose
/// request failed may have repeated it and been given this job.
async fn forget(tx: &mut Tx, job: &str) -> Result<(), Error> {
    let removed = sqlx::query("DELETE FROM postcode_jobs WHERE id = $1 AND state = 'receiving'")
        .bind(job)
        .execute(&mut **tx)
        .await?;
    if removed.rows_affected() == 1 { remove_rest(tx, job).await } else { Ok(()) }
}

/// Removes everything that belongs to a deleted job. The job's own row is deleted first, because a
/// part that is just being added waits for it.
pub(super) async fn remove_rest(tx: &mut Tx, job: &str) -> Result<(), Error> {
    for statement in [
        "DELETE FROM job_parts WHERE job = $1",
        "DELETE FROM job_keys WHERE job = $1",
        "DELETE FROM job_callbacks WHERE job = $1",
    ] {
        sqlx::query(statement).bind(job).execute(&mut **tx).await?;
    }
    Ok(())
}
