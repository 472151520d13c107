//! TLS on a listener, by rustls: the certificate, its key, and the accepted client certificates.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::access::Fingerprint;
use crate::{Accept, Peer, Stream};

/// The PEM files of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// The authorities of client certificates. Without them no client is asked for a certificate.
    pub client_ca: Option<PathBuf>,
}

/// The certificates and settings of a TLS listener. Cheap to clone; [`reload`](Self::reload) is for
/// all clones.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: TlsFiles,
    /// Replaced as a whole. A new client authority then ends the resumption of sessions of the old
    /// one too.
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file can't be used, and why.
    pub fn open(files: TlsFiles) -> Result<Self, String> {
        let config = ArcSwap::from_pointee(config(&files)?);
        Ok(Self(Arc::new(Shared { files, config })))
    }

    /// Reads the files again. Connections that are open keep the certificate that they began with.
    ///
    /// # Errors
    /// Which file can't be used, and why. The certificate is then as it was.
    pub fn reload(&self) -> Result<(), String> {
        self.0.config.store(Arc::new(config(&self.0.files)?));
        Ok(())
    }
}

/// Does the server's part of the handshake, and identifies the client if it shows a
/// certificate.
impl Accept for Tls {
    type Stream = TlsStream<Stream>;

    async fn accept(&self, stream: Stream, mut peer: Peer) -> io::Result<(Self::Stream, Peer)> {
        let stream = TlsAcceptor::from(self.0.config.load_full()).accept(stream).await?;
        // The authority of the certificate has been checked.
        let chain = stream.get_ref().1.peer_certificates();
        let certificate = chain.and_then(|chain| chain.first());
        peer.identity = certificate.map(|certificate| Fingerprint::of(certificate).to_string().into());
        Ok((stream, peer))
    }
}

/// Returns the fingerprint of the first certificate in a PEM file.
///
/// # Errors
/// The file can't be read or holds no certificate.
pub fn certificate_fingerprint(path: &Path) -> Result<Fingerprint, String> {
    let first = certificates(path)?.into_iter().next();
    first.map(|certificate| Fingerprint::of(&certificate)).ok_or_else(|| no_certificate(path))
}

fn config(files: &TlsFiles) -> Result<ServerConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS can't be set up: {e}"))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| wrong(&e))?;
            }
            // A client without a certificate may have a token.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|e| wrong(&e))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        // Without the reason of the parser, which may quote the file.
        .map_err(|e| match e {
            rustls::pki_types::pem::Error::Io(e) => format!("{}: {e}", files.key.display()),
            _ => format!("{}: there is no private key in PEM in this file", files.key.display()),
        })?;
    let mut config = builder.with_single_cert(chain, key).map_err(|e| {
        format!("{} and {} can't be used together: {e}", files.certificate.display(), files.key.display())
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |e: rustls::pki_types::pem::Error| format!("{}: {e}", path.display());
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if found.is_empty() { Err(no_certificate(path)) } else { Ok(found) }
}

fn no_certificate(path: &Path) -> String {
    format!("{}: there is no certificate in PEM in this file", path.display())
}
