//! The client's credentials from files that may change while it runs: a token and a client
//! certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::time::Instant;

use super::address::secret;
use crate::{Error, Result};

/// How often a file's modification time is checked.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The most bytes of a token file.
const LONGEST: u64 = 8 << 10;

/// A file that holds a token. It is read again when it changes, and when a server refuses the token.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    /// Marked sensitive, so that it is never printed.
    authorization: HeaderValue,
    changed: Stamp,
    looked: Instant,
}

impl TokenFile {
    /// Reads the file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let known = Mutex::new(read(path)?);
        Ok(Self { path: path.to_owned(), known })
    }

    /// Returns the value of the `Authorization` header.
    pub(super) fn authorization(&self) -> HeaderValue {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked.elapsed() >= LOOK_AGAIN {
            known.looked = Instant::now();
            if stamp(&self.path) != known.changed
                && let Ok(new) = read(&self.path)
            {
                // A file that can't be read now is probably being replaced: the token stays.
                *known = new;
            }
        }
        known.authorization.clone()
    }

    /// Reads the file again after a server refused a token. Returns the new token if it differs.
    pub(super) fn after_refusal(&self, refused: &HeaderValue) -> Option<HeaderValue> {
        let new = read(&self.path).ok()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = new;
        (known.authorization != refused).then(|| known.authorization.clone())
    }
}

/// The time of a file's last change and its length; `None` if the file can't be looked at.
pub(super) type Stamp = Option<(SystemTime, u64)>;

pub(super) fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<Known> {
    let wrong = |why: &dyn std::fmt::Display| Error::invalid(format!("token_file={}: {why}", path.display()));
    // The time is read first, so that a change after it is noticed the next time.
    let changed = stamp(path);
    if changed.is_some_and(|(_, length)| length > LONGEST) {
        return Err(wrong(&format_args!("the file is longer than {LONGEST} bytes, so it is not a token")));
    }
    let text = fs::read_to_string(path).map_err(|e| wrong(&e))?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(wrong(&"the file does not hold one token, and nothing else"));
    }
    Ok(Known { authorization: secret(&format!("Bearer {token}"))?, changed, looked: Instant::now() })
}

/// Reads a client certificate and its key, both in PEM.
pub(super) fn identity(certificate: &Path, key: &Path) -> Result<reqwest::Identity> {
    let read = |name: &str, path: &Path| {
        fs::read(path).map_err(|e| Error::invalid(format!("{name}={}: {e}", path.display())))
    };
    let mut pem = read("client_key", key)?;
    pem.push(b'\n');
    pem.extend(read("client_cert", certificate)?);
    // Without the cause, which may quote the key.
    reqwest::Identity::from_pem(&pem).map_err(|_| {
        Error::invalid(format!(
            "client_cert={} and client_key={} are not a certificate and its key in PEM",
            certificate.display(),
            key.display()
        ))
    })
}

/// Reads certificates to trust, in PEM.
pub(super) fn authorities(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| Error::invalid(format!("ca_file={}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn token_file_that_changes_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "first\n").unwrap();
        let file = TokenFile::open(&path).unwrap();
        assert_eq!(file.authorization(), "Bearer first");
        assert!(file.authorization().is_sensitive() && !format!("{file:?}").contains("first"));
        fs::write(&path, "the-second").unwrap();
        assert_eq!(file.authorization(), "Bearer first", "the file was checked a moment ago");
        tokio::time::advance(LOOK_AGAIN).await;
        assert_eq!(file.authorization(), "Bearer the-second");
    }

    #[tokio::test]
    async fn token_file_is_read_again_when_a_server_refuses_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "first").unwrap();
        let file = TokenFile::open(&path).unwrap();
        let first = file.authorization();
        assert_eq!(file.after_refusal(&first), None);
        fs::write(&path, "second").unwrap();
        assert_eq!(file.after_refusal(&first).unwrap(), "Bearer second");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(file.after_refusal(&first), None);
        assert_eq!(file.authorization(), "Bearer second", "the token stays while the file is away");
    }

    /// A server that accepts one token, and counts its requests.
    #[derive(Debug)]
    struct Wants(&'static str, std::sync::atomic::AtomicUsize);

    #[async_trait::async_trait]
    impl crate::remote::Transport for std::sync::Arc<Wants> {
        async fn send(
            &self,
            request: http::Request<bytes::Bytes>,
            _: usize,
        ) -> Result<http::Response<bytes::Bytes>> {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let token = &request.headers()[http::header::AUTHORIZATION];
            assert!(token.is_sensitive());
            let (status, body) = match token == self.0 {
                true => (200, r#"{"status":200,"result":["SW1A"]}"#),
                false => (401, r#"{"status":401,"error":"The token is not valid","code":"token_invalid"}"#),
            };
            let response =
                http::Response::builder().status(status).header("content-type", "application/json");
            Ok(response.body(body.into()).unwrap())
        }
    }

    #[tokio::test]
    async fn call_is_sent_again_with_a_new_token_and_not_with_the_refused_one() {
        use crate::{ErrorKind, PostcodeLookup, Remote};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "old").unwrap();
        let server = std::sync::Arc::new(Wants("Bearer new", 0.into()));
        let asked = || server.1.swap(0, std::sync::atomic::Ordering::Relaxed);
        let remote = Remote::builder(&format!("http://a?token_file={}", path.display()));
        let remote = remote.transport(server.clone()).build().unwrap();
        let error = remote.outcodes("SW", 1).await.unwrap_err();
        assert_eq!((error.kind(), asked()), (ErrorKind::Protocol, 1), "{error}");
        assert!(error.to_string().contains("401") && !error.to_string().contains("old"), "{error}");
        fs::write(&path, "new").unwrap();
        assert!(remote.outcodes("SW", 1).await.is_ok());
        assert_eq!(asked(), 2, "once refused, once with the new token");
        assert!(remote.outcodes("SW", 1).await.is_ok());
        assert_eq!(asked(), 1);
    }

    #[test]
    fn files_that_prove_who_one_is_are_checked_before_they_are_used() {
        use crate::Remote;
        for (url, says) in [
            ("http://a?client_cert=c&client_key=k", "does not use TLS"),
            ("unix:/run/s?ca_file=c", "does not use TLS"),
            ("https://a?client_cert=c", "belong together"),
            ("https://user:hunter2@a?token_file=t", "can't be sent together"),
            ("http://a?token_file=", "give the path of a file"),
            ("http://a?token_file=/no/such/file", "token_file=/no/such/file: "),
        ] {
            let error = Remote::new(url).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidInput);
            assert!(
                error.to_string().contains(says) && !error.to_string().contains("hunter2"),
                "{url}: {error}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, "none").unwrap();
        let error = Remote::new(&format!("https://a?ca_file={}", path.display())).unwrap_err();
        assert!(error.to_string().contains("ca.pem: there is no certificate in it"), "{error}");
        let shown = crate::Connector::new("https://a?token_file=/etc/token").unwrap().to_string();
        assert!(shown.ends_with(" proxy=none token_file=/etc/token"), "{shown}");
    }

    #[test]
    fn token_file_that_holds_no_token_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for text in ["", "\n", "two words", "hunter2\nhunter3", "hunter2\u{7f}"] {
            fs::write(&path, text).unwrap();
            let error = TokenFile::open(&path).unwrap_err();
            assert!(error.to_string().contains("token") && !error.to_string().contains("hunter2"), "{error}");
        }
    }
}
