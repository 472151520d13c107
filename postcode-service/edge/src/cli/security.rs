//! The options for authentication and TLS.

use std::path::PathBuf;

use clap::{Args, Command};

use crate::security::{Security, SecurityOptions};

/// The options of a server for authentication and TLS.
///
/// Their environment variables begin with the prefix of the program:
/// [`with_environment`](Self::with_environment) names them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Who may use it")]
pub struct SecurityArgs {
    /// The tokens that callers must have, each with its scopes: `token new` makes the file. It is
    /// read again on SIGHUP. Pages and health checks need no token
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Listen without tokens on an address that other machines can reach. Anyone who reaches it may
    /// do everything
    #[arg(long)]
    allow_unauthenticated: bool,
    /// Speak TLS: the certificate in PEM, followed by those between it and its authority. Read
    /// again on SIGHUP
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The authorities (PEM) of client certificates, which take the place of tokens: see `token new
    /// --certificate`
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
}

impl SecurityArgs {
    /// Names the environment variables of these options in a command that has them, such as
    /// `POSTCODE_TLS_CERT` for the prefix `POSTCODE`.
    #[must_use]
    pub fn with_environment(command: Command, prefix: &str) -> Command {
        let ids = ["tokens", "allow_unauthenticated", "tls_cert", "tls_key", "tls_client_ca"];
        ids.into_iter().fold(command, |command, id| {
            // clap keeps names for the life of the program. There are five.
            let name: &'static str = format!("{prefix}_{}", id.to_ascii_uppercase()).leak();
            command.mut_arg(id, |arg| arg.env(name))
        })
    }

    /// Returns the tokens file.
    #[must_use]
    pub fn tokens(&self) -> Option<&std::path::Path> {
        self.tokens.as_deref()
    }

    /// Returns whether callers on other machines are expected: there are tokens, or the server may
    /// listen without.
    #[must_use]
    pub fn expects_strangers(&self) -> bool {
        self.tokens.is_some() || self.allow_unauthenticated
    }

    /// Reads the files that the options name.
    ///
    /// # Errors
    /// Which option can't be used, and why.
    pub fn open(&self) -> Result<Security, String> {
        Security::open(SecurityOptions {
            tokens: self.tokens.clone(),
            allow_unauthenticated: self.allow_unauthenticated,
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            tls_client_ca: self.tls_client_ca.clone(),
        })
    }
}
