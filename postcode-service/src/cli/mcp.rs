//! `mcp`: the lookups as tools for assistants, over standard input and output.

use anyhow::Context;

use super::source::Source;
use crate::mcp::Server;

/// Offer the lookups to an assistant as tools, over standard input and output.
///
/// An assistant that speaks the Model Context Protocol starts this program itself: write
/// `postcode-service mcp` into its list of servers. The tools only read, and each answer is bounded.
///
/// Exit status: 0 when the assistant ends, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, in the assistant's list of servers:
  {\"mcpServers\": {\"postcodes\": {\"command\": \"postcode-service\", \"args\": [\"mcp\"]}}}")]
pub struct Args {
    #[command(flatten)]
    source: Source,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let server = Server::new(self.source.open().await?);
        server.serve_on(tokio::io::stdin(), tokio::io::stdout()).await.context("the assistant")
    }
}
