//! The address of a service: one form for requests, and one without secrets for display.

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{Error, Result};

/// The base address of a service. `Display` shows no secret.
#[derive(Clone)]
pub(super) struct Address {
    /// `http://host:port/prefix`, without user, password and final slash: paths are appended to it.
    pub(super) base: String,
    /// The socket to connect to, instead of the host in `base`.
    pub(super) socket: Option<PathBuf>,
    /// The value of the `Authorization` header.
    pub(super) authorization: Option<HeaderValue>,
}

impl Address {
    pub(super) fn http(mut url: Url) -> Result<Self> {
        let authorization = basic(&url)?;
        // These fail only for URLs without a host, and http: URLs always have one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let base = url.as_str().trim_end_matches('/').to_owned();
        base.parse::<http::Uri>()
            .map_err(|e| Error::invalid(format!("{base}: {e}: percent-encode its path")).with_source(e))?;
        Ok(Self { base, socket: None, authorization })
    }

    pub(super) fn unix(socket: PathBuf) -> Self {
        // The server sees this host in the Host header.
        Self { base: "http://localhost".to_owned(), socket: Some(socket), authorization: None }
    }

    /// Returns whether the service is on this machine, as far as the address tells.
    pub(super) fn is_near(&self) -> bool {
        let host = self.base.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let host = host.unwrap_or_default();
        let number = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        self.socket.is_some()
            || host.eq_ignore_ascii_case("localhost")
            || number.is_ok_and(|number| number.is_loopback())
    }

    pub(super) fn is_tls(&self) -> bool {
        self.base.starts_with("https:")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(socket) => write!(f, "unix:{}", socket.display()),
            None => f.write_str(&self.base),
        }
    }
}

/// `Basic` authorization (RFC 7617) from the user and password of a URL.
fn basic(url: &Url) -> Result<Option<HeaderValue>> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let mut pair = percent_decode_str(url.username()).collect::<Vec<u8>>();
    if pair.contains(&b':') {
        return Err(Error::invalid("a user with a colon in its name can't be sent as Basic authorization"));
    }
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    secret(&format!("Basic {}", STANDARD.encode(pair))).map(Some)
}

/// Creates a header value that is marked sensitive, so that it is never printed.
pub(super) fn secret(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Error::invalid("the authorization holds a line break or control character: remove it")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
