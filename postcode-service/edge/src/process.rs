//! Measures what this process takes of the machine, for metrics.

use std::fmt::Write;
use std::fs;

/// Clock ticks of `/proc` in a second. Linux fixes the number for programs.
const TICKS: f64 = 100.0;

/// The format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0, in which a counter's family has no `_total`.
    OpenMetrics,
}

/// Returns the metrics of this process by the names that Prometheus's clients use: processor time,
/// memory, open files, start. A figure that the system does not tell is left out.
#[must_use]
pub fn process_metrics(format: MetricsFormat) -> String {
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        let Some(value) = value else { return };
        let total = if kind == "counter" { "_total" } else { "" };
        let family = if format == MetricsFormat::Prometheus { total } else { "" };
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "# HELP {name}{family} {help}\n# TYPE {name}{family} {kind}\n{name}{total} {value}\n"
        );
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program is in brackets and may hold spaces. The state follows as field 3.
    let fields: Vec<f64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect())
        .unwrap_or_default();
    let field = |number: usize| fields.get(number - 3).copied();
    let processor = field(14).zip(field(15)).map(|(user, system)| (user + system) / TICKS);
    add("process_cpu_seconds", "counter", "Processor time of all threads in seconds", processor);
    add(
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory in bytes",
        status("VmRSS:").map(|kb| kb * 1024.0),
    );
    add("process_threads", "gauge", "Threads", status("Threads:"));
    let open = fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
    add("process_open_fds", "gauge", "Open file descriptors", open);
    add("process_max_fds", "gauge", "The most file descriptors that may be open", limit());
    let started = boot().zip(field(22)).map(|(boot, ticks)| boot + ticks / TICKS);
    add("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970", started);
    text
}

fn status(key: &str) -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

fn limit() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn boot() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{MetricsFormat, process_metrics};

    #[test]
    fn every_figure_is_there_and_plausible() {
        let text = process_metrics(MetricsFormat::OpenMetrics);
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
            line.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
        };
        assert!(value("process_cpu_seconds_total") >= 0.0);
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_threads") >= 1.0);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        // The second of the boot is rounded.
        assert!(value("process_start_time_seconds") <= now + 2.0);
        assert!(text.contains("# TYPE process_cpu_seconds counter"));
        let other = process_metrics(MetricsFormat::Prometheus);
        assert!(other.contains("# TYPE process_cpu_seconds_total counter"));
    }
}
