//! The JSON of a job.

use postcode_core::wire::Success;
use postcode_core::wire::path;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::App;
use super::super::failure::{Failure, Outcome};
use super::super::reply::written;
use crate::jobs::job::{Job, shown};
use crate::jobs::store::{Callback, Store};

pub(super) async fn of(app: &App, store: &dyn Store, job: &Job) -> Result<Value, Failure> {
    let callback = match &job.callback_url {
        Some(url) => Some(match store.callback_of(&job.id).await? {
            Some(callback) => shown_callback(&callback),
            None => json!({ "url": url, "state": "waiting" }),
        }),
        None => None,
    };
    let keep = i64::try_from(app.jobs.limits().keep.as_millis()).unwrap_or(i64::MAX);
    let result = path::filled(path::JOB_RESULT, &[&job.id]);
    Ok(json!({
        "id": job.id,
        "state": job.state,
        "format": job.format,
        "priority": job.priority,
        "done": job.done,
        "total": job.total,
        "created_at": shown(job.created_at),
        "run_at": shown(job.run_at),
        "started_at": job.started_at.and_then(shown),
        "finished_at": job.finished_at.and_then(shown),
        "cleared_at": job.finished_at.and_then(|time| shown(time.saturating_add(keep))),
        "reason": job.reason,
        // Written by the program itself.
        "notes": serde_json::from_str::<Vec<String>>(&job.notes).unwrap_or_default(),
        "callback": callback,
        "result": (job.state == crate::jobs::State::Succeeded).then_some(result),
    }))
}

pub(super) fn shown_callback(callback: &Callback) -> Value {
    json!({
        "id": callback.id,
        "job": callback.job,
        "url": callback.url,
        "state": callback.state,
        "attempts": callback.attempts,
        "error": callback.error,
        "created_at": shown(callback.created_at),
        "next_at": (callback.state == "pending").then(|| shown(callback.next_at)),
        "ended_at": callback.ended_at.and_then(shown),
    })
}

/// Builds the response 202 Accepted.
pub(super) fn accepted<T: Serialize>(result: T) -> Outcome {
    let mut response = written(&Success { status: 202, result })?;
    *response.status_mut() = http::StatusCode::ACCEPTED;
    Ok(response)
}
