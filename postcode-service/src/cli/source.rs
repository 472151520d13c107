//! `--source`: where a lookup's answers come from.

use std::sync::Arc;

use anyhow::Context;
use postcode_core::{Connector, PostcodeLookup};

/// The option that all lookup commands have.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// The source of answers: embedded:, file:/path/uk.postcodes, http://host:port, https://host (a
    /// postcode-service or any postcodes.io server), unix:/run/postcode.sock or
    /// replica:http://host:port
    #[arg(
        long,
        value_name = "URL",
        env = "POSTCODE_SOURCE",
        hide_env_values = true,
        default_value = "embedded:"
    )]
    source: String,
    /// Print on standard error how --source is set up, with all defaults
    #[arg(long)]
    verbose: bool,
}

impl Source {
    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn PostcodeLookup>> {
        let source = Connector::new(&self.source).context("--source")?;
        if self.verbose {
            eprintln!("source: {source}");
        }
        source.connect().await.context("--source")
    }
}
