//! The logs of long-running commands.

use std::io::IsTerminal;

use anyhow::Context;
use clap::ValueEnum;
use postcode_edge::log::{self, Format, Guard};
use tracing_subscriber::EnvFilter;

#[derive(Debug, clap::Args)]
pub(super) struct Log {
    /// The log filter, such as debug or info,access=debug (a line for each request) [default:
    /// RUST_LOG]
    #[arg(long, value_name = "FILTER", env = "POSTCODE_LOG")]
    log: Option<String>,
    /// How to log
    #[arg(long, env = "POSTCODE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// Text for people
    Text,
    /// One JSON object a line
    Json,
}

impl Log {
    /// Starts the log. It ends when the guard is dropped.
    pub(super) fn start(&self) -> anyhow::Result<Guard> {
        let rust_log = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
        let filter = self.log.clone().or(rust_log).unwrap_or_else(|| "info".to_owned());
        let filter = EnvFilter::try_new(&filter).with_context(|| format!("--log {filter:?}"))?;
        let format = match self.log_format {
            LogFormat::Text => Format::Text { ansi: std::io::stderr().is_terminal() },
            LogFormat::Json => Format::Json,
        };
        log::start(filter, format, std::io::stderr()).context("the log could not be started")
    }
}
