//! The questions for the process of one source.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a source may take to open, and to answer its last calls.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The questions for one source, as its process reads them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) url: String,
    pub(super) time_ms: u64,
    pub(super) postcodes: Vec<String>,
}
