//! Checks that requests are for this server, and not from a page of another site.
//!
//! A page on the internet can make its visitor's browser send requests to `127.0.0.1`, and can have
//! its own name resolved to `127.0.0.1` so that the browser lets it read the answers (DNS
//! rebinding). The browser says in `Host` under which name it reached the server, and in `Origin`
//! and `Sec-Fetch-Site` which page asked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use http::header::{HOST, ORIGIN};
use http::{Request, StatusCode, Version};

/// The names that a server answers to.
///
/// Loopback addresses and `localhost` always belong to them, and so does the address listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Accepts any name: a Unix socket has none, and `--host '*'` asks for it.
    any: bool,
    /// Accepts any numeric address. No name can be resolved to it, so rebinding is impossible.
    any_address: bool,
    listened: Option<HostName>,
    given: Vec<HostName>,
}

/// A name or an address of a server, without a port; or `*` for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    /// A name in small letters, without a trailing dot.
    Name(String),
    Address(IpAddr),
}

/// A request that is not answered, and why. Its `Display` is for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    reason: Reason,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Invalid,
    Unknown,
    CrossSite,
}

impl Hosts {
    /// Returns the names of a server that listens on `HOST:PORT` or `unix:PATH`.
    ///
    /// On a Unix socket any name will do: no browser reaches it. On a wildcard address such as
    /// `0.0.0.0` any numeric address is accepted. Other names must be [given](Self::with).
    pub fn listening_on(address: &str) -> Self {
        let any = address.starts_with("unix:");
        let name = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let listened = name.parse::<HostName>().ok().filter(|name| name.0 != Kind::Any);
        let any_address = matches!(&listened, Some(HostName(Kind::Address(ip))) if ip.is_unspecified());
        Self { any, any_address, listened, given: Vec::new() }
    }

    /// Adds names that an operator has given.
    #[must_use]
    pub fn with(mut self, names: impl IntoIterator<Item = HostName>) -> Self {
        self.given.extend(names);
        self.any |= self.given.iter().any(|name| name.0 == Kind::Any);
        self
    }

    /// Checks that a request is for this server.
    ///
    /// # Errors
    /// 400 if the `Host` is missing, repeated (also in the request line) or invalid (RFC 9112
    /// section 3.2); 421 if it is not one of these names.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), NotAllowed> {
        let invalid = |message: String| Err(NotAllowed { reason: Reason::Invalid, message });
        let mut given = request.headers().get_all(HOST).iter();
        let (first, second) = (given.next(), given.next());
        if second.is_some() {
            return invalid("the request has two Host headers: send one".into());
        }
        let in_line = request.uri().authority().map(|authority| authority.as_str());
        let in_header = match first.map(|value| value.to_str()) {
            None if in_line.is_none() && request.version() >= Version::HTTP_11 => {
                return invalid("the request has no Host header: send one".into());
            }
            None => None,
            Some(Ok(text)) => Some(text),
            Some(Err(_)) => return invalid("the Host header is not ASCII".into()),
        };
        // Empty for a target without an authority (RFC 9110 section 7.2): no browser sends that.
        for text in [in_line, in_header].into_iter().flatten().filter(|text| !text.is_empty()) {
            let Some((name, _)) = split(text) else {
                return invalid(format!("the Host {text:?} is not a name or an address with a port"));
            };
            if !self.has(&name) {
                let message = format!(
                    "this server does not answer to the name \"{name}\". If it should, start it with --host {name}"
                );
                return Err(NotAllowed { reason: Reason::Unknown, message });
            }
        }
        Ok(())
    }

    /// Checks that a request was not sent by a page of another site. Programs such as curl send
    /// neither `Origin` nor `Sec-Fetch-Site` and pass. Call it after [`check`](Self::check), which
    /// makes `Host` trustworthy.
    ///
    /// # Errors
    /// 403 if a page of another site sent it.
    pub fn check_same_site<B>(&self, request: &Request<B>) -> Result<(), NotAllowed> {
        let refuse = |message: String| Err(NotAllowed { reason: Reason::CrossSite, message });
        for value in request.headers().get_all("sec-fetch-site") {
            let site = String::from_utf8_lossy(value.as_bytes());
            if !matches!(&*site, "same-origin" | "none") {
                return refuse(format!("a page of another site sent this request (Sec-Fetch-Site: {site})"));
            }
        }
        for value in request.headers().get_all(ORIGIN) {
            let origin = String::from_utf8_lossy(value.as_bytes());
            if !self.is_own(&origin, authority(request)) {
                return refuse(format!(
                    "a page of {origin:?} sent this request. Behind a proxy, pass its Host header on or start this \
                     server with --host NAME"
                ));
            }
        }
        Ok(())
    }

    /// Returns whether the page that sent a request is this server's: its origin has the name under
    /// which the server was reached. A proxy may have changed that name; then it must be one that
    /// the operator gave, on the usual port.
    fn is_own(&self, origin: &str, host: Option<&str>) -> bool {
        let Some(page) = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")) else {
            return false;
        };
        if host.is_some_and(|host| page.eq_ignore_ascii_case(host)) {
            return true;
        }
        matches!(split(page), Some((name, None)) if self.given.contains(&name))
    }

    fn has(&self, name: &HostName) -> bool {
        let by_nature = match &name.0 {
            Kind::Any => false,
            Kind::Name(name) => name == "localhost",
            Kind::Address(ip) => self.any_address || ip.to_canonical().is_loopback(),
        };
        self.any || by_nature || self.listened.as_ref() == Some(name) || self.given.contains(name)
    }
}

/// Returns the name and port that a request is for. The request line takes precedence over the
/// header (RFC 9112 section 3.2.2).
fn authority<B>(request: &Request<B>) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST)?.to_str().ok(),
    }
}

/// `name`, `name:80`, `[::1]:80`: the name, and the port if there is one.
fn split(authority: &str) -> Option<(HostName, Option<&str>)> {
    let at = match authority.rfind(':') {
        // Within brackets it is part of the address.
        Some(at) if !authority[at..].contains(']') => at,
        _ => authority.len(),
    };
    let (name, port) = authority.split_at(at);
    let port = port.strip_prefix(':').filter(|port| !port.is_empty());
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return None;
    }
    // Only a name in brackets may hold a colon.
    if name.contains(':') && !name.starts_with('[') {
        return None;
    }
    let name = name.parse::<HostName>().ok().filter(|name| name.0 != Kind::Any)?;
    Some((name, port))
}

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self(Kind::Any));
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self(Kind::Address(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
        if name.is_empty() || name.len() > 253 || !name.bytes().all(fits) {
            return Err(format!(
                "{text:?} is not a host name: give a name or an address without scheme and port, such as \
                 customers.example, or * for any"
            ));
        }
        Ok(Self(Kind::Name(name)))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Any => f.write_str("*"),
            Kind::Name(name) => f.write_str(name),
            Kind::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Kind::Address(address) => address.fmt(f),
        }
    }
}

impl NotAllowed {
    /// Returns the status to answer with.
    pub fn status(&self) -> StatusCode {
        match self.reason {
            Reason::Invalid => StatusCode::BAD_REQUEST,
            Reason::Unknown => StatusCode::MISDIRECTED_REQUEST,
            Reason::CrossSite => StatusCode::FORBIDDEN,
        }
    }

    /// Returns the code that clients decide by. It never changes.
    pub fn code(&self) -> &'static str {
        match self.reason {
            Reason::Invalid => "invalid_host",
            Reason::Unknown => "host_not_allowed",
            Reason::CrossSite => "cross_site",
        }
    }
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotAllowed {}

impl Default for Hosts {
    /// Returns the names of a server that listens on a loopback address.
    fn default() -> Self {
        let listened = Some(HostName(Kind::Address(Ipv4Addr::LOCALHOST.into())));
        Self { any: false, any_address: false, listened, given: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::get("/customers");
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
    }

    fn status(hosts: &Hosts, headers: &[(&str, &str)]) -> u16 {
        hosts.check(&request(headers)).map_or_else(|refused| refused.status().as_u16(), |()| 200)
    }

    fn named(names: &[&str]) -> Vec<HostName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn host_that_is_not_of_the_server_is_refused() {
        let local = Hosts::listening_on("127.0.0.1:8081");
        for host in [
            "127.0.0.1",
            "127.0.0.1:8081",
            "127.0.0.1:9",
            "localhost",
            "LocalHost:80",
            "localhost.",
            "[::1]:80",
            "127.8.8.8",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(status(&local, &[("host", host)]), 200, "{host}");
        }
        for host in
            ["evil.example", "evil.example:8081", "localhost.evil.example", "192.168.1.2:8081", "0.0.0.0"]
        {
            assert_eq!(status(&local, &[("host", host)]), 421, "{host}");
        }
        let refused = local.check(&request(&[("host", "evil.example:80")])).unwrap_err();
        assert_eq!(refused.code(), "host_not_allowed");
        assert!(refused.to_string().contains("--host evil.example"), "{refused}");
    }

    #[test]
    fn host_that_is_missing_double_or_invalid_is_refused() {
        let any = Hosts::listening_on("unix:/run/x").with(named(&["*"]));
        assert_eq!(status(&any, &[]), 400);
        assert_eq!(status(&any, &[("host", "a"), ("host", "a")]), 400);
        assert_eq!(status(&any, &[("host", "")]), 200);
        for host in [":80", "a b", "a:b", "a:99999", "::1", "http://a", "a/b", "*", "a,b", "[::1"] {
            assert_eq!(status(&any, &[("host", host)]), 400, "{host:?}");
        }
        let mut old = request(&[]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(any.check(&old), Ok(()), "HTTP/1.0 has no Host");
    }

    #[test]
    fn name_in_the_request_line_is_checked_as_well_as_the_header() {
        let local = Hosts::default();
        let line = |uri: &str, host: &str| {
            let request = Request::get(uri).header("host", host).body(()).unwrap();
            local.check(&request).map_err(|refused| refused.status().as_u16())
        };
        assert_eq!(line("http://localhost:8081/customers", "localhost:8081"), Ok(()));
        assert_eq!(line("http://evil.example/customers", "localhost"), Err(421));
        assert_eq!(line("http://localhost/customers", "evil.example"), Err(421));
    }

    #[test]
    fn names_of_a_server_are_those_listened_on_and_given() {
        let named_address = Hosts::listening_on("customers.example:8081");
        assert_eq!(status(&named_address, &[("host", "customers.example:8081")]), 200);
        let one = Hosts::listening_on("10.0.0.5:80");
        assert_eq!(status(&one, &[("host", "10.0.0.5")]), 200);
        assert_eq!(status(&one, &[("host", "10.0.0.6")]), 421);
        for wildcard in ["0.0.0.0:80", "[::]:80"] {
            let all = Hosts::listening_on(wildcard);
            assert_eq!(status(&all, &[("host", "192.168.1.2:9")]), 200, "{wildcard}");
            assert_eq!(status(&all, &[("host", "[2001:db8::1]")]), 200, "{wildcard}");
            assert_eq!(status(&all, &[("host", "customers")]), 421, "{wildcard}");
            let given = all.with(named(&["Customers", "api.example"]));
            assert_eq!(status(&given, &[("host", "customers:80")]), 200);
            assert_eq!(status(&given, &[("host", "api.example.")]), 200);
            assert_eq!(status(&given, &[("host", "evil.example")]), 421);
        }
        let any = Hosts::default().with(named(&["*"]));
        assert_eq!(status(&any, &[("host", "evil.example")]), 200);
        assert_eq!(status(&Hosts::listening_on("unix:/run/x"), &[("host", "evil.example")]), 200);
    }

    #[test]
    fn page_of_another_site_is_refused() {
        let hosts = Hosts::default().with(named(&["customers.example"]));
        let check = |headers: &[(&str, &str)]| {
            let headers: Vec<_> = [("host", "127.0.0.1:8081")].iter().chain(headers).copied().collect();
            hosts.check_same_site(&request(&headers)).map_err(|refused| refused.code())
        };
        for own in [
            &[][..],
            &[("origin", "http://127.0.0.1:8081")],
            &[("origin", "https://127.0.0.1:8081"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            // Behind a proxy that sends its own Host.
            &[("origin", "https://customers.example")],
        ] {
            assert_eq!(check(own), Ok(()), "{own:?}");
        }
        for other in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "http://127.0.0.1:3000")],
            &[("origin", "http://127.0.0.1")],
            &[("origin", "https://customers.example:3000")],
            &[("origin", "file://customers.example")],
            &[("origin", "http://127.0.0.1:8081"), ("origin", "http://evil.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(check(other), Err("cross_site"), "{other:?}");
        }
    }

    #[test]
    fn name_with_a_port_or_scheme_is_not_an_option() {
        for text in ["a:80", "http://a", "", ".", "a b", "a/b", &"a".repeat(254)] {
            assert!(text.parse::<HostName>().unwrap_err().contains("without scheme and port"), "{text}");
        }
        for text in ["a", "a.b-c_d", "10.0.0.1", "[::1]", "::1", "*"] {
            text.parse::<HostName>().unwrap();
        }
    }
}
