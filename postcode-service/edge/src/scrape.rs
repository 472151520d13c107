//! Reads the metrics of another server, without a client library.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// How long a server may take to send its metrics.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of metrics that are read.
const MOST_METRICS: u64 = 4 << 20;

/// Returns the metrics of a server, if its URL is `http://…` or `unix:…` and it sends them within 30 s.
pub async fn metrics_of(url: &str) -> Option<String> {
    let read = async {
        if let Some(rest) = url.strip_prefix("unix:") {
            let path = rest.split('?').next()?.trim_start_matches("//");
            return talk(UnixStream::connect(path).await.ok()?, "localhost", "").await;
        }
        let rest = url.strip_prefix("http://")?.split(['?', '#']).next()?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let address = if host.contains("]:") || (host.contains(':') && !host.ends_with(']')) {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        talk(TcpStream::connect(address).await.ok()?, host, path.trim_end_matches('/')).await
    };
    tokio::time::timeout(PATIENCE, read).await.ok()?
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> Option<String> {
    let request = format!("GET {path}/metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(MOST_METRICS).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    answer.starts_with("HTTP/1.1 200 ").then_some(answer)
}

/// Returns the value of a metric without labels.
pub fn metric(text: &str, name: &str) -> Option<f64> {
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
