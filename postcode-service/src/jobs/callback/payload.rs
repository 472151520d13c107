//! The body of a callback.

use postcode_core::wire::path;
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
            "job": path::filled(path::JOB, &[&job.id]),
            "result": path::filled(path::JOB_RESULT, &[&job.id]),
        },
    })
    .to_string()
}
