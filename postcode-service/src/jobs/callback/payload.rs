//! The body of a callback.

use serde_json::json;

use crate::jobs::job::{Job, shown};

/// `job.succeeded` or `job.failed`, with where to go on.
pub(crate) fn of(job: &Job) -> String {
    json!({
        "type": format!("job.{}", job.state),
        "timestamp": job.finished_at.and_then(shown),
        "data": {
            "id": job.id,
            "state": job.state,
            "done": job.done,
            "total": job.total,
            "reason": job.reason,
            "job": format!("/jobs/{}", job.id),
            "result": format!("/jobs/{}/result", job.id),
        },
    })
    .to_string()
}
