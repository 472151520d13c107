//! Listeners: a TCP port or a Unix socket, by one code path.

use std::fmt;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::tls::Tls;
use crate::{Access, Peer, Stream};

/// `127.0.0.1:8080`, `[::1]:0`, `localhost:8080` or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Host and port.
    Tcp(String),
    /// The socket's path.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.is_empty() {
                true => Err("unix: has no path: write unix:/run/postcode.sock".to_owned()),
                false => Ok(Self::Unix(path.into())),
            };
        }
        if text.contains("://") {
            return Err("a server listens on HOST:PORT or unix:PATH: leave the scheme out".to_owned());
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                if host.contains(':') && !host.starts_with('[') {
                    return Err(format!("an IPv6 address is written in brackets: [{host}]:{port}"));
                }
                Ok(Self::Tcp(text.to_owned()))
            }
            _ => {
                Err("write HOST:PORT, such as 127.0.0.1:8080 (0 takes any free port), or unix:PATH"
                    .to_owned())
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A socket that takes connections. A Unix socket's file is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    tls: Option<Tls>,
    access: Access,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_file(&self.0)
            && e.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.0.display(), error = %e, "the socket file could not be removed");
        }
    }
}

impl From<Kind> for Listener {
    fn from(kind: Kind) -> Self {
        Self { kind, tls: None, access: Access::open() }
    }
}

impl Listener {
    /// Binds the address. Removes a socket file first that nothing listens on any more.
    ///
    /// # Errors
    /// The system's error: the port is in use, the address is not of this machine, or the path is
    /// not a socket.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => Ok(Kind::Tcp(TcpListener::bind(address.as_str()).await?).into()),
            Address::Unix(path) => {
                remove_stale(path).await?;
                Ok(Kind::Unix(UnixListener::bind(path)?, SocketFile(path.clone())).into())
            }
        }
    }

    /// Uses TLS on TCP connections. A Unix socket is unchanged: [`Security`](crate::Security)
    /// refuses it.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        match self.kind {
            Kind::Tcp(_) => Self { tls: Some(tls), ..self },
            Kind::Unix(..) => self,
        }
    }

    /// Identifies callers by their tokens, so that limits count by caller. The program checks their
    /// rights.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Returns the access rules of this listener.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns the TLS settings of this listener.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Tells whether it is a Unix socket.
    pub fn is_unix(&self) -> bool {
        matches!(self.kind, Kind::Unix(..))
    }

    /// Tells whether only this machine can reach it: a loopback address or a Unix socket.
    pub fn is_local(&self) -> bool {
        match &self.kind {
            Kind::Tcp(listener) => {
                listener.local_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback())
            }
            Kind::Unix(..) => true,
        }
    }

    /// Returns the URL for clients: `http://127.0.0.1:8080`, `https://127.0.0.1:8443` or
    /// `unix:PATH`.
    ///
    /// # Errors
    /// Fails if the system does not tell the port.
    pub fn url(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(match &self.kind {
            // `SocketAddr` writes IPv6 in brackets.
            Kind::Tcp(listener) => format!("{scheme}://{}", listener.local_addr()?),
            Kind::Unix(_, file) => format!("unix:{}", file.0.display()),
        })
    }

    /// Takes the next connection.
    ///
    /// # Errors
    /// The system's error. Some concern only this connection, others pass when files are closed.
    /// [`serve`](crate::serve) continues after either.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        Ok(match &self.kind {
            Kind::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Small answers must not wait for an acknowledgement of earlier ones.
                let _ = stream.set_nodelay(true);
                (Stream::Tcp(stream), Peer::tcp(address))
            }
            Kind::Unix(listener, _) => (Stream::Unix(listener.accept().await?.0), Peer::default()),
        })
    }
}

/// Prints the URL, like [`Listener::url`].
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url().map_err(|_| fmt::Error)?)
    }
}

async fn remove_stale(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "a file with that name exists and is not a socket",
        ));
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens on that socket")),
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_the_error_says_how_to_write_them() {
        for text in ["127.0.0.1:0", "[::1]:8080", "localhost:80"] {
            assert_eq!(text.parse(), Ok(Address::Tcp(text.to_owned())));
        }
        assert_eq!("unix:/run/x".parse(), Ok(Address::Unix("/run/x".into())));
        for text in ["", "8080", ":8080", "::1:8080", "host:99999", "http://127.0.0.1:80", "unix:"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_socket_file_is_taken_over_only_if_nothing_listens_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let address = Address::Unix(path.clone());
        let first = Listener::bind(&address).await.unwrap();
        assert_eq!(Listener::bind(&address).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert!(path.exists(), "the refused one must not remove it");
        drop(first);
        assert!(!path.exists());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "left behind, as by a killed server");
        Listener::bind(&address).await.unwrap();
        std::fs::write(&path, "a file").unwrap();
        assert_eq!(Listener::bind(&address).await.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"a file");
    }
}
