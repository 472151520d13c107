//! Services that are started for the run.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

/// How long a service may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

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
