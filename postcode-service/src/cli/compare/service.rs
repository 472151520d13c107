//! Services that are started for the run, and the metrics of any service.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// How long a service may take to listen, and to tell its metrics.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of metrics that are read.
const MOST_METRICS: u64 = 4 << 20;

/// Keeps the settings of the caller's environment from a program that is started for the run.
pub(super) fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("POSTCODE_") {
            command.env_remove(name);
        }
    }
    command
}

/// A service of the embedded data in a separate process, which ends with this value.
pub(super) struct Service {
    pub(super) url: String,
    process: Child,
}

impl Service {
    pub(super) async fn start(address: &str) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the path of this program")?;
        let mut command = Command::new(program);
        without_settings(&mut command)
            .args(["serve", "--data", "embedded:", "--listen", address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let process = command.spawn().context("a service can't be started")?;
        let mut service = Self { url: String::new(), process };
        let out = service.process.stdout.take().context("a service without output")?;
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).map(|_| line)
        });
        let line = tokio::time::timeout(PATIENCE, read).await.context("the service does not listen")???;
        line.trim_end().strip_prefix("listening on ").unwrap_or_default().clone_into(&mut service.url);
        ensure!(!service.url.is_empty(), "the service on {address} did not start");
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Fails only if it has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the metrics of a service over plain HTTP, if the URL is one and it tells them.
pub(super) async fn metrics_of(url: &str) -> Option<String> {
    let read = async {
        if let Some(rest) = url.strip_prefix("unix:") {
            let path = rest.split('?').next()?.trim_start_matches("//");
            return talk(UnixStream::connect(path).await.ok()?, "localhost").await;
        }
        let host = url.strip_prefix("http://")?.split(['/', '?']).next()?;
        let address = if host.contains("]:") || (host.contains(':') && !host.ends_with(']')) {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        talk(TcpStream::connect(address).await.ok()?, host).await
    };
    tokio::time::timeout(PATIENCE, read).await.ok()?
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str) -> Option<String> {
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(MOST_METRICS).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    answer.starts_with("HTTP/1.1 200 ").then_some(answer)
}

/// Returns the value of a metric without labels.
pub(super) fn metric(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_is_found_by_its_whole_name() {
        let text = "# HELP a b\nprocess_cpu 3\nprocess_cpu_seconds_total 1.5\r\n";
        assert_eq!(metric(text, "process_cpu_seconds_total"), Some(1.5));
        assert_eq!(metric(text, "process_cpu_seconds"), None);
    }

    #[tokio::test]
    async fn source_in_this_process_has_no_metrics() {
        for url in ["embedded:", "file:/x", "https://example.org", "replica:http://127.0.0.1:1"] {
            assert_eq!(metrics_of(url).await, None, "{url}");
        }
    }
}
