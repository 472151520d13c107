//! Looks at the limits of this machine.

use std::fs;

use postcode_edge::cli::Configuration;

use super::finding::Finding;

pub(super) fn look(configuration: &Configuration) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(files(configuration));
    findings.extend(memory());
    findings
}

/// Compares the limit of open files with the connections.
fn files(configuration: &Configuration) -> Option<Finding> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let hard = line.split_whitespace().nth(1)?;
    let wanted = configuration.get("max-connections")?.parse::<u64>().ok()?;
    // A connection is a file; the data, the log and databases need some as well.
    let enough = hard.parse::<u64>().map_or(true, |hard| hard >= wanted + 100);
    Some(if enough {
        Finding::good("limits", format!("{hard} open files are enough for --max-connections {wanted}"))
    } else {
        Finding::remark(
            "limits",
            format!("only {hard} open files are allowed, and --max-connections is {wanted}"),
            "The server takes fewer connections. Raise the hard limit: LimitNOFILE= in the unit, or `ulimit -Hn`",
        )
    })
}

/// Says what memory there is, with the limit of a container.
fn memory() -> Option<Finding> {
    /// Bytes that are enough for the embedded data and some clients.
    const COMFORTABLE: u64 = 256 << 20;
    let about = fs::read_to_string("/proc/meminfo").ok()?;
    let line = about.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let free = line.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let limit =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<u64>().ok());
    let (bytes, whose) = match limit {
        Some(limit) if limit < free => (limit, "the container may take"),
        _ => (free, "are available"),
    };
    let found = format!("{} MiB {whose}", bytes >> 20);
    Some(if bytes >= COMFORTABLE {
        Finding::good("memory", found)
    } else {
        Finding::remark("memory", found, "Give it 256 MiB, or lower --max-answers and --max-in-flight")
    })
}
