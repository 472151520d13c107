//! The peer of a connection, and the client of a request.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// The other end of a connection. An extension of each of its requests.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// The address of the client; none on a Unix socket.
    pub address: Option<SocketAddr>,
    /// The identity that its TLS certificate proves, if it has one: the SHA-256 of the certificate
    /// in hexadecimal.
    pub identity: Option<Arc<str>>,
}

impl Peer {
    /// Creates a peer with that address and no identity.
    pub fn tcp(address: SocketAddr) -> Self {
        Self { address: Some(address), identity: None }
    }

    /// Returns its address, IPv4 as IPv4 also on a socket that takes both.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.map(|address| address.ip().to_canonical())
    }
}

/// The address that a request comes from: the peer's, or what a trusted proxy says. An extension of
/// each request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Client(Option<IpAddr>);

impl Client {
    /// Creates the client at that address; none for a Unix socket.
    pub fn new(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| address.to_canonical()))
    }

    /// Returns the address, if there is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.0
    }

    /// Returns what limits per address count by: an IPv4 address, or the /64 of an IPv6 address,
    /// which usually is one customer's. None for a Unix socket.
    pub fn network(&self) -> Option<IpAddr> {
        self.0.map(|address| match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }

    /// Returns whether the peer is this machine: a Unix socket or a loopback address.
    pub fn is_local(&self) -> bool {
        self.0.is_none_or(|address| address.is_loopback())
    }
}

/// Marks a request that came through a proxy which is trusted to say for whom it speaks. An
/// extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxy;

/// The caller of a request, as found by a layer that checks tokens or certificates. Stored in the
/// request's extensions; limits count by it instead of the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller(pub Arc<str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_of_one_network_are_one_client() {
        let network = |text: &str| Client::new(Some(text.parse().unwrap())).network().unwrap();
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
