//! The options for authentication and TLS.

use std::path::PathBuf;

use postcode_edge::{Security, SecurityOptions};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Who may use it")]
pub(super) struct SecurityArgs {
    /// The tokens that callers must have, each with its scopes: `postcode-service token new` makes
    /// the file. It is read again on SIGHUP. /, /ping and /ready need no token
    #[arg(long, value_name = "FILE", env = "POSTCODE_TOKENS")]
    tokens: Option<PathBuf>,
    /// Listen without tokens on an address that other machines can reach. Anyone who reaches it may
    /// use it
    #[arg(long, env = "POSTCODE_ALLOW_UNAUTHENTICATED")]
    allow_unauthenticated: bool,
    /// Speak TLS: the certificate in PEM, followed by those between it and its authority. Read
    /// again on SIGHUP
    #[arg(long, value_name = "FILE", env = "POSTCODE_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", env = "POSTCODE_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// The authorities (PEM) of client certificates, which take the place of tokens: see `token new
    /// --certificate`
    #[arg(long, value_name = "FILE", env = "POSTCODE_TLS_CLIENT_CA")]
    tls_client_ca: Option<PathBuf>,
}

impl SecurityArgs {
    /// Reads the files.
    pub(super) fn open(&self) -> anyhow::Result<Security> {
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
