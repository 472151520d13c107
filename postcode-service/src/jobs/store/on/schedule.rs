//! Fair scheduling: start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996), stored in the
//! priority of the queue's tasks.
//!
//! Each tenant has a flow for each priority. A slice starts at the virtual time at which its flow's
//! previous slices end, or now if that is over. The slice then moves the end of its flow by its
//! rows divided by the flow's weight, which doubles with each priority. The queue takes the lowest
//! start first. So ten rows of one tenant do not wait behind a million of another's, and the lowest
//! priority always gets its small share.

use apalis::prelude::{TaskBuilder, TaskId};
use ulid::Ulid;

use super::{Tx, push, sql};
use crate::jobs::job::{PRIORITIES, Slice};
use crate::jobs::store::{Error, SLICES};
use crate::jobs::submission::PART_ROWS;

/// The priority in the queue of the virtual time 0; later ones are lower. The queue's priorities
/// are 32 bits wide.
const FIRST: i64 = i32::MAX as i64;
/// The virtual time at which all times are set back, so that they always fit.
pub(super) const LATE: i64 = 1 << 30;
/// The queue itself retries a task only if this program could not record its result.
const ATTEMPTS: usize = 100;

/// A flow: a tenant and a priority.
pub(super) struct Flow<'a> {
    pub(super) tenant: &'a str,
    pub(super) priority: i64,
}

/// Returns the cost of a part to its flow, from its rows: a full part of the highest priority costs
/// 1.
pub(super) fn cost(rows: i64, priority: i64) -> i64 {
    let slowness = 1_i64 << (PRIORITIES.end() - priority).clamp(0, 62);
    (rows.max(1).saturating_mul(slowness) / PART_ROWS).max(1)
}

/// Puts parts of a job in the queue. `begun` is the slice that was worked on just now, which says
/// what time it is.
pub(super) async fn schedule(
    tx: &mut Tx,
    flow: &Flow<'_>,
    job: &str,
    parts: std::ops::Range<i64>,
    begun: Option<&Slice>,
) -> Result<(), Error> {
    // Lock the row of the clock first, so that all transactions lock in the same order.
    let (now, epoch) = time(tx, begun).await?;
    if parts.is_empty() {
        return Ok(());
    }
    let finish: Option<(i64,)> =
        sqlx::query_as("SELECT finish FROM job_flows WHERE tenant = $1 AND priority = $2")
            .bind(flow.tenant)
            .bind(flow.priority)
            .fetch_optional(&mut **tx)
            .await?;
    let mut tag = finish.map_or(now, |(finish,)| finish.max(now));
    for part in parts {
        let (rows,): (i64,) =
            sqlx::query_as("SELECT row_count FROM job_parts WHERE job = $1 AND number = $2")
                .bind(job)
                .bind(part)
                .fetch_one(&mut **tx)
                .await?;
        enqueue(tx, &Slice { job: job.to_owned(), part: Some(part), tag, epoch }, 0).await?;
        tag += cost(rows, flow.priority);
    }
    sqlx::query(
        "INSERT INTO job_flows (tenant, priority, finish) VALUES ($1, $2, $3) \
         ON CONFLICT (tenant, priority) DO UPDATE SET finish = excluded.finish",
    )
    .bind(flow.tenant)
    .bind(flow.priority)
    .bind(tag)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Queues a task for the slice, to run not before that time (milliseconds since 1970).
pub(super) async fn enqueue(tx: &mut Tx, slice: &Slice, run_at: i64) -> Result<(), Error> {
    let id = Ulid::generate();
    let args = serde_json::to_vec(slice).map_err(|e| Error::Queue(e.to_string()))?;
    let priority = usize::try_from((FIRST - slice.tag).max(0)).unwrap_or(0);
    let task = TaskBuilder::new(args)
        .task_id(TaskId::from_string(id.to_string()))
        .priority(priority)
        .max_attempts(ATTEMPTS);
    let task = if run_at > 0 { task.run_at_timestamp(second(run_at)) } else { task };
    push(tx, SLICES, task.build()).await?;
    if let Some(part) = slice.part {
        sqlx::query("UPDATE job_parts SET task = $1 WHERE job = $2 AND number = $3")
            .bind(id.to_string())
            .bind(&slice.job)
            .bind(part)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Returns the first whole second that is not before that time: the queue has whole seconds only.
pub(super) fn second(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or(0).div_ceil(1_000)
}

/// Returns the virtual time and its epoch, after that slice has begun.
async fn time(tx: &mut Tx, begun: Option<&Slice>) -> Result<(i64, i64), Error> {
    let (tag, epoch) = begun.map_or((0, -1), |slice| (slice.tag, slice.epoch));
    let (now, epoch): (i64, i64) = sqlx::query_as(
        "UPDATE job_clock SET now = CASE WHEN epoch = $1 AND now < $2 THEN $2 ELSE now END \
         WHERE id = 1 RETURNING now, epoch",
    )
    .bind(epoch)
    .bind(tag)
    .fetch_one(&mut **tx)
    .await?;
    if now < LATE {
        return Ok((now, epoch));
    }
    sqlx::query("UPDATE job_clock SET now = 0, epoch = epoch + 1 WHERE id = 1").execute(&mut **tx).await?;
    sqlx::query("UPDATE job_flows SET finish = CASE WHEN finish > $1 THEN finish - $1 ELSE 0 END")
        .bind(now)
        .execute(&mut **tx)
        .await?;
    sqlx::query(sql::SET_BACK).bind(FIRST).bind(now).bind(SLICES).execute(&mut **tx).await?;
    Ok((0, epoch + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_priority_has_twice_the_share_of_the_one_below() {
        assert_eq!(cost(PART_ROWS, 9), 1);
        assert_eq!(cost(PART_ROWS, 5), 16);
        assert_eq!(cost(PART_ROWS, 0), 512);
        assert_eq!(cost(10, 9), 1, "nothing is for nothing");
        assert_eq!(cost(i64::MAX, 0), i64::MAX / PART_ROWS);
    }
}
