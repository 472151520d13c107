//! The options that are about who may use the program.

use std::path::PathBuf;

use clap::Args;
use postcode_edge::{Security, SecurityOptions};

#[derive(Args)]
#[command(next_help_heading = "Who may use it")]
pub(crate) struct SecurityArgs {
    /// The tokens that callers must have, each with its scopes: `customers token new` makes the file. It is read again on
    /// SIGHUP. The pages, /health and /ready need no token
    #[arg(long, env = "CUSTOMERS_TOKENS", value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Listen on an address that other machines can reach, without tokens: everybody who reaches it sees and erases all
    #[arg(long, env = "CUSTOMERS_ALLOW_UNAUTHENTICATED")]
    allow_unauthenticated: bool,
    /// Speak TLS, on both listeners: the certificate in PEM, followed by those between it and its authority. Read again
    /// on SIGHUP
    #[arg(long, env = "CUSTOMERS_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, env = "CUSTOMERS_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The authorities (PEM) of client certificates, which take the place of tokens: see `token new --certificate`
    #[arg(long, env = "CUSTOMERS_TLS_CLIENT_CA", value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
}

impl SecurityArgs {
    /// Reads the files.
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
