//! Parts are worked on.

use std::time::Duration;

use async_trait::async_trait;

use super::callbacks::announce;
use super::schedule::{Flow, enqueue, schedule};
use super::{Database, Tx, begin, stored};
use crate::jobs::job::{Job, Slice, now};
use crate::jobs::store::{Bounds, Error, Finished, Slices, WINDOW, Work};

#[async_trait]
impl Slices for Database {
    async fn begin(&self, slice: &Slice) -> Result<Option<Work>, Error> {
        let Some(part) = slice.part else {
            self.start(&slice.job).await?;
            return Ok(None);
        };
        let found: Option<(String, String, i64, i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT j.state, j.plan, p.first_line, p.row_count, p.head, p.input \
             FROM job_parts p JOIN postcode_jobs j ON j.id = p.job WHERE p.job = $1 AND p.number = $2 \
             AND p.output IS NULL AND p.input IS NOT NULL AND j.state IN ('queued', 'running')",
        )
        .bind(&slice.job)
        .bind(part)
        .fetch_optional(&self.pool)
        .await?;
        let Some((state, plan, first_line, rows, head, input)) = found else { return Ok(None) };
        if state == "queued" {
            let mut tx = begin(&self.pool).await?;
            sqlx::query(
                "UPDATE postcode_jobs SET state = 'running', started_at = $1 WHERE id = $2 AND state = 'queued'",
            )
            .bind(now())
            .bind(&slice.job)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        }
        Ok(Some(Work { plan, first_line, rows, head, input }))
    }

    async fn finish(
        &self,
        slice: &Slice,
        rows: i64,
        output: &[u8],
        bounds: Bounds,
    ) -> Result<Finished, Error> {
        let Some(part) = slice.part else { return Ok(Finished::NotNeeded) };
        let mut tx = begin(&self.pool).await?;
        let input: Option<(i64,)> = sqlx::query_as(
            "SELECT CAST(COALESCE(LENGTH(input), 0) AS BIGINT) FROM job_parts WHERE job = $1 AND number = $2",
        )
        .bind(&slice.job)
        .bind(part)
        .fetch_optional(&mut *tx)
        .await?;
        // Store the output only if none is stored: a part that was done twice, because a worker was
        // slow or died before it could report, counts once.
        let kept = sqlx::query(
            "UPDATE job_parts SET output = $1, output_length = $2, input = NULL \
             WHERE job = $3 AND number = $4 AND output IS NULL",
        )
        .bind(output)
        .bind(output.len() as i64)
        .bind(&slice.job)
        .bind(part)
        .execute(&mut *tx)
        .await?;
        if kept.rows_affected() == 0 {
            return Ok(Finished::NotNeeded);
        }
        let counted: Option<(String, i64, i64, i64, i64, i64)> = sqlx::query_as(
            "UPDATE postcode_jobs SET done = done + $1, parts_done = parts_done + 1, next_part = next_part + 1, failures = 0, reason = NULL, \
             touched_at = $2, bytes = CASE WHEN bytes > $4 THEN bytes - $4 ELSE 0 END, output_bytes = output_bytes + $5 \
             WHERE id = $3 AND state IN ('queued', 'running') \
             RETURNING tenant, priority, parts, parts_done, next_part, output_bytes",
        )
        .bind(rows)
        .bind(now())
        .bind(&slice.job)
        .bind(input.map_or(0, |(input,)| input))
        .bind(output.len() as i64)
        .fetch_optional(&mut *tx)
        .await?;
        // The job was cancelled in the meantime.
        let Some((tenant, priority, parts, done, next, result)) = counted else {
            return Ok(Finished::NotNeeded);
        };
        let flow = Flow { tenant: &tenant, priority };
        schedule(&mut tx, &flow, &slice.job, (next - 1).min(parts)..next.min(parts), Some(slice)).await?;
        // Others that end a part wait for the row of the clock, which is ours since it was
        // scheduled: no two of them fill the same room.
        if let Some(why) = too_much(&mut tx, &tenant, result, bounds).await? {
            return Ok(Finished::TooMuch(why));
        }
        if done == parts {
            end(&mut tx, &slice.job, "succeeded", None).await?;
        }
        tx.commit().await?;
        Ok(Finished::Kept)
    }

    async fn postpone(&self, slice: &Slice, why: &str, delay: fn(i64) -> Duration) -> Result<i64, Error> {
        let mut tx = begin(&self.pool).await?;
        let failures: Option<(i64,)> = sqlx::query_as(
            "UPDATE postcode_jobs SET failures = failures + 1, reason = $1, touched_at = $2 \
             WHERE id = $3 AND state IN ('queued', 'running') RETURNING failures",
        )
        .bind(why)
        .bind(now())
        .bind(&slice.job)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((failures,)) = failures else { return Ok(0) };
        let delay = i64::try_from(delay(failures).as_millis()).unwrap_or(i64::MAX);
        enqueue(&mut tx, slice, now().saturating_add(delay)).await?;
        tx.commit().await?;
        Ok(failures)
    }

    async fn fail(&self, job: &str, why: &str) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        end(&mut tx, job, "failed", Some(why)).await?;
        Ok(tx.commit().await?)
    }
}

impl Database {
    /// Starts a job whose time has come: queues its first parts, once.
    pub(super) async fn start(&self, job: &str) -> Result<(), Error> {
        let mut tx = begin(&self.pool).await?;
        let started: Option<(String, i64, i64)> = sqlx::query_as(
            "UPDATE postcode_jobs SET next_part = CASE WHEN parts < $1 THEN parts ELSE $1 END, touched_at = $2 \
             WHERE id = $3 AND state = 'queued' AND next_part = 0 RETURNING tenant, priority, next_part",
        )
        .bind(WINDOW)
        .bind(now())
        .bind(job)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((tenant, priority, first)) = started else { return Ok(()) };
        schedule(&mut tx, &Flow { tenant: &tenant, priority }, job, 0..first, None).await?;
        Ok(tx.commit().await?)
    }
}

/// Ends a job that has not ended, and queues its callback.
pub(super) async fn end(tx: &mut Tx, job: &str, state: &str, reason: Option<&str>) -> Result<(), Error> {
    let ended: Option<Job> = sqlx::query_as(
        "UPDATE postcode_jobs SET state = $1, reason = $2, finished_at = $3, touched_at = $3, address = '' \
         WHERE id = $4 AND state IN ('queued', 'running') RETURNING *",
    )
    .bind(state)
    .bind(reason)
    .bind(now())
    .bind(job)
    .fetch_optional(&mut **tx)
    .await?;
    match ended {
        Some(job) => announce(tx, &job).await,
        None => Ok(()),
    }
}

/// Returns why the transaction must be rolled back, if its result exceeds a limit.
async fn too_much(tx: &mut Tx, tenant: &str, result: i64, bounds: Bounds) -> Result<Option<String>, Error> {
    if result > bounds.result {
        return Ok(Some(format!(
            "the result has more than {} bytes, the limit of one job: ask for less about each row, or send the \
             rows in several jobs",
            bounds.result
        )));
    }
    match stored::check_lasting(tx, tenant, bounds).await {
        Ok(()) => Ok(None),
        Err(error @ (Error::TenantFull { .. } | Error::Full { .. })) => Ok(Some(match error {
            Error::TenantFull { .. } => format!(
                "with this result your jobs would hold more than {} bytes, your limit: read other \
                 results, and send the rows again when those are cleared",
                bounds.bytes_of_tenant
            ),
            _ => "with this result the server would exceed its limit: send the rows again later".to_owned(),
        })),
        Err(error) => Err(error),
    }
}
