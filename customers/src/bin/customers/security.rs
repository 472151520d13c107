//! The options for authentication and TLS.

use std::path::PathBuf;

use clap::Args;
use postcode_edge::{Security, SecurityOptions};

#[derive(Args)]
#[command(next_help_heading = "Who may use it")]
pub(crate) struct SecurityArgs {
    /// The file of tokens that callers must have, each with its scopes: `customers token new`
    /// writes it. It is read again on SIGHUP. The pages, /health and /ready need no token
    #[arg(long, env = "CUSTOMERS_TOKENS", value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Listen without tokens on an address that other machines can reach. Anyone who reaches it can
    /// read and erase everything
    #[arg(long, env = "CUSTOMERS_ALLOW_UNAUTHENTICATED")]
    allow_unauthenticated: bool,
    /// Serve TLS on both listeners: the certificate in PEM, followed by its intermediate
    /// certificates. Read again on SIGHUP
    #[arg(long, env = "CUSTOMERS_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, env = "CUSTOMERS_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The authorities (PEM) that sign client certificates, which can replace tokens: see `token
    /// new --certificate`
    #[arg(long, env = "CUSTOMERS_TLS_CLIENT_CA", value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
}

impl SecurityArgs {
    /// Reads the files that the options name.
    pub(crate) fn open(&self) -> anyhow::Result<Security> {
        let options = SecurityOptions {
            tokens: self.tokens.clone(),
            allow_unauthenticated: self.allow_unauthenticated,
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            tls_client_ca: self.tls_client_ca.clone(),
        };
        Security::open(options).map_err(anyhow::Error::msg)
    }
}
