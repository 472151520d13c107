//! The body of a callback.

use serde_json::json;

use crate::jobs::job::{Job, shown};

/// Builds the body: `job.succeeded` or `job.failed`, with links to the job and its result.
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
