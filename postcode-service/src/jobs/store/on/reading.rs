//! Jobs are looked at.

use async_trait::async_trait;

use super::{Database, begin};
use crate::jobs::job::{Job, now};
use crate::jobs::store::{Error, Reading};

#[async_trait]
impl Reading for Database {
    async fn job(&self, tenant: &str, id: &str) -> Result<Option<Job>, Error> {
        Ok(sqlx::query_as(
            "SELECT * FROM postcode_jobs WHERE tenant = $1 AND id = $2 AND state <> 'receiving'",
        )
        .bind(tenant)
        .bind(id)
        .fetch_optional(&self.pool)
        .await?)
    }

    async fn cancel(&self, tenant: &str, id: &str) -> Result<Option<Job>, Error> {
        let mut tx = begin(&self.pool).await?;
        let cancelled: Option<Job> = sqlx::query_as(
            "UPDATE postcode_jobs SET state = 'cancelled', finished_at = $1, touched_at = $1, address = '' \
             WHERE tenant = $2 AND id = $3 AND state IN ('queued', 'running') RETURNING *",
        )
        .bind(now())
        .bind(tenant)
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
        if cancelled.is_none() {
            drop(tx);
            return self.job(tenant, id).await;
        }
        tx.commit().await?;
        Ok(cancelled)
    }

    async fn lengths(&self, id: &str) -> Result<Vec<i64>, Error> {
        let lengths: Vec<(i64,)> =
            sqlx::query_as("SELECT COALESCE(output_length, 0) FROM job_parts WHERE job = $1 ORDER BY number")
                .bind(id)
                .fetch_all(&self.pool)
                .await?;
        Ok(lengths.into_iter().map(|(length,)| length).collect())
    }

    async fn output(&self, id: &str, number: i64) -> Result<Option<Vec<u8>>, Error> {
        let output: Option<(Option<Vec<u8>>,)> =
            sqlx::query_as("SELECT output FROM job_parts WHERE job = $1 AND number = $2")
                .bind(id)
                .bind(number)
                .fetch_optional(&self.pool)
                .await?;
        Ok(output.and_then(|(output,)| output))
    }
}
