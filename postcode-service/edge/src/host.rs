//! The Host header (RFC 9112, section 3.2).

use http::header::HOST;
use http::uri::Authority;
use http::{Request, Version};

/// Checks that there is exactly one readable Host header (HTTP/1.0 needs none).
///
/// # Errors
/// A message for the client.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), &'static str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < Version::HTTP_11 => Ok(()),
        (None, _) => Err("The Host header is missing: HTTP/1.1 needs one"),
        (Some(_), Some(_)) => Err("There are two Host headers: send one"),
        // Empty for a target without an authority.
        (Some(host), None) => match host.to_str() {
            Ok("") => Ok(()),
            Ok(host) if host.parse::<Authority>().is_ok_and(|it| !it.as_str().contains('@')) => Ok(()),
            _ => Err("The Host header is not a host and port"),
        },
    }
}
