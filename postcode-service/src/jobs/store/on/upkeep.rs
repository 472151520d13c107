//! Maintenance: lost tasks, expired jobs, abandoned uploads.

use async_trait::async_trait;
use futures::TryFutureExt;
use postcode_database::FILLERS;

use super::schedule::{Flow, schedule};
use super::submission::remove_rest;
use super::{Database, begin, queue_time, sql};
use crate::jobs::job::now;
use crate::jobs::store::{CALLBACKS, Census, Error, SLICES, Upkeep};

/// Jobs cleared in one go, so that others get their turn between.
const AT_ONCE: i64 = 100;
/// How long the queue keeps finished tasks, in milliseconds: for an operator who investigates.
const TASKS_KEPT: i64 = 60 * 60 * 1_000;
const WORKERS_KEPT: i64 = 24 * 60 * 60 * 1_000;

#[async_trait]
impl Upkeep for Database {
    async fn restore(&self, untouched_since: i64) -> Result<u64, Error> {
        let mut restored = 0;
        let lost: Vec<(String, i64, String, String, i64)> =
            sqlx::query_as(sql::LOST).bind(untouched_since).fetch_all(&self.pool).await?;
        for (job, part, task, tenant, priority) in lost {
            let mut tx = begin(&self.pool).await?;
            // Another process may do the same just now.
            let mine =
                sqlx::query("UPDATE job_parts SET task = '' WHERE job = $1 AND number = $2 AND task = $3")
                    .bind(&job)
                    .bind(part)
                    .bind(task)
                    .execute(&mut *tx)
                    .await?;
            if mine.rows_affected() == 1 {
                schedule(&mut tx, &Flow { tenant: &tenant, priority }, &job, part..part + 1, None).await?;
                tx.commit().await?;
                restored += 1;
            }
        }
        let late: Vec<(String,)> = sqlx::query_as(
            "SELECT id FROM postcode_jobs WHERE state = 'queued' AND next_part = 0 AND parts > 0 AND run_at < $1 LIMIT 100",
        )
        .bind(untouched_since)
        .fetch_all(&self.pool)
        .await?;
        for (job,) in late {
            self.start(&job).await?;
            restored += 1;
        }
        Ok(restored)
    }

    async fn clear(&self, uploads: i64, ended: i64) -> Result<u64, Error> {
        // Keep a job until its callback is delivered: the receiver will then ask for the result.
        let old: Vec<(String,)> = sqlx::query_as(
            "SELECT id FROM postcode_jobs j WHERE (state = 'receiving' AND touched_at < $1) \
             OR (state IN ('succeeded', 'failed', 'cancelled') AND finished_at < $2 AND NOT EXISTS \
             (SELECT 1 FROM job_callbacks c WHERE c.job = j.id AND c.state = 'pending')) LIMIT $3",
        )
        .bind(uploads)
        .bind(ended)
        .bind(AT_ONCE)
        .fetch_all(&self.pool)
        .await?;
        let mut cleared = 0;
        for (job,) in &old {
            let mut tx = begin(&self.pool).await?;
            // Check again: an upload may have ended in the meantime, or a callback been retried by
            // request.
            let removed = sqlx::query(
                "DELETE FROM postcode_jobs WHERE id = $3 AND ((state = 'receiving' AND touched_at < $1) \
                 OR (state IN ('succeeded', 'failed', 'cancelled') AND finished_at < $2 AND NOT EXISTS \
                 (SELECT 1 FROM job_callbacks c WHERE c.job = postcode_jobs.id AND c.state = 'pending')))",
            )
            .bind(uploads)
            .bind(ended)
            .bind(job)
            .execute(&mut *tx)
            .await?;
            if removed.rows_affected() == 1 {
                remove_rest(&mut tx, job).await?;
                tx.commit().await?;
                cleared += 1;
            }
        }
        let mut tx = begin(&self.pool).await?;
        // A cancelled job does not need its rows and its plan, and no caller can read a partial result.
        sqlx::query(
            "UPDATE job_parts SET input = NULL, output = NULL, head = $1 \
             WHERE (input IS NOT NULL OR output IS NOT NULL OR LENGTH(head) > 0) AND job IN \
             (SELECT id FROM postcode_jobs WHERE state IN ('cancelled', 'failed'))",
        )
        .bind(Vec::<u8>::new())
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE postcode_jobs SET bytes = 0, output_bytes = 0, plan = '' WHERE state IN ('cancelled', 'failed') \
             AND bytes + output_bytes > 0",
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM job_flows WHERE finish <= (SELECT now FROM job_clock WHERE id = 1)")
            .execute(&mut *tx)
            .await?;
        for (statement, kept) in [(sql::CLEAR_TASKS, TASKS_KEPT), (sql::CLEAR_WORKERS, WORKERS_KEPT)] {
            sqlx::query(statement)
                .bind(SLICES)
                .bind(CALLBACKS)
                .bind(queue_time(now() - kept))
                .execute(&mut *tx)
                .await?;
        }
        if let Some(shrink) = sql::SHRINK {
            sqlx::query(shrink).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(cleared)
    }

    async fn count(&self) -> Result<Census, Error> {
        let (queued, running, pending, dead) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM postcode_jobs WHERE state = 'queued'), \
             (SELECT COUNT(*) FROM postcode_jobs WHERE state = 'running'), \
             (SELECT COUNT(*) FROM job_callbacks WHERE state = 'pending'), \
             (SELECT COUNT(*) FROM job_callbacks WHERE state = 'dead')",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Census { queued, running, pending, dead })
    }

    async fn ready(&self) -> Result<(), String> {
        let write = async {
            let mut tx = begin(&self.pool).await?;
            let [one, other] = FILLERS;
            sqlx::query("UPDATE job_readiness SET filler = CASE WHEN filler = $1 THEN $2 ELSE $1 END")
                .bind(one)
                .bind(other)
                .execute(&mut *tx)
                .await?;
            tx.commit().await
        };
        self.readiness.check(write.map_err(|e| e.to_string())).await
    }
}
