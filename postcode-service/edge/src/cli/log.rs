//! The options of the log, and the line that says that a server listens.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::log::{self, Format, Guard};

/// The options of the log of a long-running command.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// The log filter, such as debug or info,access=debug (a line for each request) [default:
    /// RUST_LOG, or info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How to log. With json everything is on one stream, standard error: what text says on
    /// standard output is a line of the log, too
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Text for people
    Text,
    /// One JSON object a line
    Json,
}

impl LogArgs {
    /// Starts the log on standard error. It ends when the guard is dropped.
    ///
    /// # Errors
    /// The filter is not valid, or the log can't be started.
    pub fn start(&self) -> Result<Guard, String> {
        let rust_log = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
        let filter = self.log.clone().or(rust_log).unwrap_or_else(|| "info".to_owned());
        let filter = EnvFilter::try_new(&filter).map_err(|e| format!("--log {filter:?}: {e}"))?;
        let format = match self.log_format {
            LogFormat::Text => Format::Text { ansi: io::stderr().is_terminal() },
            LogFormat::Json => Format::Json,
        };
        log::start(filter, format, io::stderr()).map_err(|e| format!("the log could not be started: {e}"))
    }

    /// Says that a program is ready: on standard output for people and scripts, in the log as JSON.
    ///
    /// # Errors
    /// Standard output can't be written.
    pub fn announce(&self, lines: &[String]) -> Result<(), String> {
        if self.log_format == LogFormat::Json {
            for line in lines {
                tracing::info!("{line}");
            }
            return Ok(());
        }
        // All at once, for readers that take the first line and close.
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| format!("standard output: {e}"))
    }
}
