//! How a server is secured, from its options: tokens, TLS, and whether it may be open.

use std::path::PathBuf;

use crate::access::Access;
use crate::listen::Listener;
use crate::tls::{Tls, TlsFiles};

/// The options of a server for authentication and TLS.
#[derive(Clone, Debug, Default)]
pub struct SecurityOptions {
    /// The tokens file.
    pub tokens: Option<PathBuf>,
    /// Listen on any address without tokens.
    pub allow_unauthenticated: bool,
    /// The certificate of the server, in PEM.
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate.
    pub tls_key: Option<PathBuf>,
    /// The authorities of client certificates.
    pub tls_client_ca: Option<PathBuf>,
}

/// Tokens and TLS of a server, opened. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Security {
    access: Access,
    tls: Option<Tls>,
    allow_unauthenticated: bool,
}

impl Security {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// Which option can't be used, and why.
    pub fn open(options: SecurityOptions) -> Result<Self, String> {
        let SecurityOptions { tokens, allow_unauthenticated, tls_cert, tls_key, tls_client_ca } = options;
        let access = match &tokens {
            None => Access::open(),
            Some(path) => Access::from_file(path).map_err(|why| {
                format!("--tokens: {why}. `token new --scope SCOPE --file FILE` makes a token and its file")
            })?,
        };
        if tls_client_ca.is_some() && tokens.is_none() {
            return Err(
                "--tls-client-ca needs --tokens FILE, which says what each client certificate may do: see \
                        `token new --certificate`"
                    .to_owned(),
            );
        }
        let tls = match (tls_cert, tls_key) {
            (Some(certificate), Some(key)) => {
                let files = TlsFiles { certificate, key, client_ca: tls_client_ca };
                Some(Tls::open(files).map_err(|why| format!("TLS: {why}"))?)
            }
            (None, None) if tls_client_ca.is_none() => None,
            _ => return Err("TLS needs both --tls-cert FILE and --tls-key FILE".to_owned()),
        };
        Ok(Self { access, tls, allow_unauthenticated })
    }

    /// Returns the access rules.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns the same without TLS, for a second listener that is a Unix socket.
    #[must_use]
    pub fn without_tls(&self) -> Self {
        Self { tls: None, ..self.clone() }
    }

    /// Secures a listener, or refuses to open it to strangers. Call it before anything is accepted.
    ///
    /// A TCP listener speaks TLS if there is a certificate.
    ///
    /// # Errors
    /// Other machines could reach the listener, and there are no tokens. Or it is a Unix socket and there is a certificate:
    /// TLS over Unix sockets is not supported, because nobody can listen in on them.
    pub fn protect(&self, listener: Listener) -> Result<Listener, String> {
        let listener = match &self.tls {
            Some(_) if listener.is_unix() => {
                return Err(format!(
                    "{listener}: a Unix socket does not speak TLS. Leave out --tls-cert and --tls-key, or listen on HOST:PORT"
                ));
            }
            Some(tls) => listener.with_tls(tls.clone()),
            None => listener,
        };
        let listener = listener.with_access(self.access.clone());
        if self.access.is_closed() || listener.is_local() {
            return Ok(listener);
        }
        let url = listener.url().map_err(|e| e.to_string())?;
        if self.allow_unauthenticated {
            tracing::warn!(%url, "everybody who can reach this address may use it: there are no tokens");
            return Ok(listener);
        }
        Err(format!(
            "other machines can reach {url}, and there are no tokens. Give --tokens FILE (`token new --scope SCOPE \
             --file FILE` makes it), or listen on 127.0.0.1 or a unix: socket. If something in front of the server \
             decides who may use it, give --allow-unauthenticated"
        ))
    }

    /// Reads the tokens and the certificates again, and logs the result. Files that can't be read
    /// change nothing.
    pub fn reload(&self) {
        if self.access.is_closed() {
            match self.access.reload() {
                Ok(tokens) => tracing::info!(tokens, "the tokens were read again"),
                Err(error) => tracing::error!(error, "the tokens can't be read: the old ones stay"),
            }
        }
        if let Some(tls) = &self.tls {
            match tls.reload() {
                Ok(()) => tracing::info!("the certificates were read again"),
                Err(error) => tracing::error!(error, "the certificates can't be read: the old ones stay"),
            }
        }
    }
}
