//! The client's address behind proxies that are trusted to say it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::FORWARDED;
use ipnet::IpNet;

use crate::{Client, Peer};

/// The header in which the proxies name the client.
///
/// Only one is read: a proxy that writes one of them passes the other on as the client sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientHeader {
    /// `X-Forwarded-For`, which nginx, Caddy and HAProxy write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl FromStr for ClientHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("write x-forwarded-for or forwarded".to_owned()),
        }
    }
}

/// The proxies that are believed when they name a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    ranges: Arc<[IpNet]>,
    unix: bool,
    header: ClientHeader,
}

/// `10.0.0.0/8,::1,unix`: ranges or addresses, and `unix` for any client of a Unix socket.
impl FromStr for Proxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut ranges, mut unix) = (Vec::new(), false);
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part.eq_ignore_ascii_case("unix") {
                unix = true;
                continue;
            }
            let range = part.parse::<IpNet>().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
            ranges.push(range.ok_or_else(|| {
                format!("{part:?} is not an address range: write one such as 10.0.0.0/8, ::1, or unix")
            })?);
        }
        Ok(Self { ranges: ranges.into(), unix, header: ClientHeader::default() })
    }
}

impl Proxies {
    /// Returns the same proxies, with the header in which they name the client.
    #[must_use]
    pub fn reading(self, header: ClientHeader) -> Self {
        Self { header, ..self }
    }

    /// Returns whether the peer is one of them.
    pub fn trusts(&self, peer: &Peer) -> bool {
        peer.ip().map_or(self.unix, |address| self.trusts_address(address))
    }

    fn trusts_address(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(&address))
    }

    /// Returns the client: the right-most address in the header that is not a trusted proxy's. What
    /// stands left of it may be made up by the client. If the header ends or is invalid, the last
    /// proxy is the client.
    pub fn client(&self, peer: &Peer, headers: &HeaderMap) -> Client {
        let mut known = peer.ip();
        if !self.trusts(peer) {
            return Client::new(known);
        }
        for hop in self.hops(headers).into_iter().rev() {
            let Some(address) = hop else { break };
            known = Some(address);
            if !self.trusts_address(address) {
                break;
            }
        }
        Client::new(known)
    }

    /// Returns the addresses from left to right; `None` for an unknown or hidden one.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        match self.header {
            ClientHeader::XForwardedFor => {
                let values = headers.get_all("x-forwarded-for").iter();
                values.flat_map(|value| value.as_bytes().split(|b| *b == b',')).map(address).collect()
            }
            ClientHeader::Forwarded => {
                let values = headers.get_all(FORWARDED).iter();
                let elements = values.flat_map(|value| split(value.as_bytes(), b','));
                elements.map(|element| address(for_of(element)?)).collect()
            }
        }
    }
}

/// Splits outside quotes.
fn split(text: &[u8], at: u8) -> Vec<&[u8]> {
    let mut quoted = false;
    text.split(|&b| {
        quoted ^= b == b'"';
        b == at && !quoted
    })
    .collect()
}

/// Returns the value of `for` in an element of `Forwarded`.
fn for_of(element: &[u8]) -> Option<&[u8]> {
    split(element, b';').into_iter().find_map(|pair| {
        let at = pair.iter().position(|b| *b == b'=')?;
        let (name, value) = pair.split_at(at);
        name.trim_ascii().eq_ignore_ascii_case(b"for").then_some(&value[1..])
    })
}

/// Parses an address with or without a port, brackets and quotes.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, header: ClientHeader, peer: Option<&str>, lines: &[(&str, &str)]) -> String {
        let proxies = Proxies { header, ..proxies.parse().unwrap() };
        let peer =
            Peer { address: peer.map(|peer| (peer.parse::<IpAddr>().unwrap(), 1).into()), identity: None };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        proxies.client(&peer, &headers).address().map_or("local".to_owned(), |address| address.to_string())
    }

    #[test]
    fn client_behind_trusted_proxies_is_the_right_most_untrusted_address() {
        use ClientHeader::{Forwarded, XForwardedFor};
        const XFF: &str = "x-forwarded-for";
        let ten = Some("10.0.0.1");
        for (proxies, header, peer, lines, wanted) in [
            ("", XForwardedFor, ten, &[(XFF, "192.0.2.1")][..], "10.0.0.1"),
            ("10.0.0.0/8", XForwardedFor, Some("192.0.2.9"), &[(XFF, "192.0.2.1")], "192.0.2.9"),
            ("10.0.0.0/8", XForwardedFor, ten, &[(XFF, "1.1.1.1, 192.0.2.1, 10.2.3.4")], "192.0.2.1"),
            ("10.0.0.0/8", XForwardedFor, ten, &[(XFF, "1.1.1.1"), (XFF, "192.0.2.1:4711")], "192.0.2.1"),
            ("10.0.0.0/8", XForwardedFor, ten, &[(XFF, "192.0.2.1, nonsense")], "10.0.0.1"),
            ("10.0.0.0/8", XForwardedFor, ten, &[], "10.0.0.1"),
            ("10.0.0.0/8", XForwardedFor, ten, &[("forwarded", "for=192.0.2.1")], "10.0.0.1"),
            ("10.0.0.0/8", XForwardedFor, Some("::ffff:10.0.0.1"), &[(XFF, "192.0.2.1")], "192.0.2.1"),
            ("unix", XForwardedFor, None, &[(XFF, "192.0.2.1")], "192.0.2.1"),
            ("10.0.0.0/8", XForwardedFor, None, &[(XFF, "192.0.2.1")], "local"),
            (
                "::1",
                Forwarded,
                Some("::1"),
                &[("forwarded", "for=\"[2001:db8::1]:4711\";by=x")],
                "2001:db8::1",
            ),
            ("::1", Forwarded, Some("::1"), &[("forwarded", "by=x;For=192.0.2.1, proto=http;for=_h")], "::1"),
            ("::1", Forwarded, Some("::1"), &[("forwarded", "for=1.1.1.1, for=\"192.0.2.1\"")], "192.0.2.1"),
        ] {
            assert_eq!(client(proxies, header, peer, lines), wanted, "{proxies} {peer:?} {lines:?}");
        }
    }

    #[test]
    fn range_that_is_not_one_is_an_error_that_names_it() {
        assert!("10.0.0.0/33".parse::<Proxies>().unwrap_err().contains("10.0.0.0/33"));
    }
}
