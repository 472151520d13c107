//! How many files, and so connections, the system allows.

use crate::Limits;

/// Open files other than connections: databases, the dataset, outgoing calls.
const OTHERS: u64 = 128;

/// Raises the limit of open files to what the system allows, and lowers the connections to what
/// that limit allows.
pub(crate) fn fit(limits: &mut Limits) {
    let allowed = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            return;
        }
    };
    tracing::info!(files = allowed, "open files are limited");
    let wanted = (limits.connections + limits.reserved) as u64;
    // At least half of the files are for connections, however few there are.
    let most = allowed.saturating_sub(OTHERS).max(allowed / 2);
    if wanted > most {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        limits.reserved = limits.reserved.min(most / 4);
        let connections = (most - limits.reserved).max(1);
        tracing::warn!(
            asked = limits.connections,
            connections,
            files = allowed,
            "fewer connections than asked for: raise the limit of open files (LimitNOFILE=, ulimit -Hn)"
        );
        limits.connections = connections;
    }
}
