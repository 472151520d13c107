//! Decides which addresses may be called: those of the public internet, and those that the operator
//! allows in addition. A webhook is a request that an outsider can make this server send, so it must
//! not reach the operator's own network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The longest address, in bytes.
const MAX_URL: usize = 2_048;

/// Refused addresses by IANA's registry of special-purpose addresses: private, documentation,
/// protocols (AS112, AMT, the relays of 6to4), multicast, and reserved. Also the host of Azure's
/// machines, which is among public addresses but only answers the machine itself.
const REFUSED_V4: [Ipv4Net; 19] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(168, 63, 129, 16, 32),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    v4(192, 52, 193, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(192, 175, 48, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// All public addresses are in here,
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// except protocols (Teredo, AMT and AS112 among them), documentation, 6to4, which could lead to
/// any IPv4 address, and the network of the 6bone, which was given back.
const REFUSED_V6: [Ipv6Net; 6] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(s: [u16; 8], bits: u8) -> Ipv6Net {
    let address = std::net::Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    Ipv6Net::new_assert(address, bits)
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !REFUSED_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// A host or a network that may be called although it is not public, or must not be although it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// A name, whatever it resolves to.
    Host(String),
    /// Addresses.
    Net(IpNet),
}

impl FromStr for Allow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_start_matches('[').trim_end_matches(']');
        if let Ok(net) = text.parse() {
            return Ok(Self::Net(net));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Net(address.into()));
        }
        match Host::parse(text) {
            Ok(Host::Domain(name)) if !name.contains('/') => Ok(Self::Host(name)),
            _ => Err("write the name of a host, an address or a network, such as 10.1.0.0/16".to_owned()),
        }
    }
}

/// Decides which URLs may be called, when one is given and each time that it is called.
///
/// It is also the resolver of names for an HTTP client, so that a connection goes to an address that was checked.
#[derive(Clone, Debug)]
pub struct WebhookGuard {
    allow: Vec<Allow>,
    /// The refused hosts; they are checked before the allowed ones.
    deny: Vec<Allow>,
}

/// Returns whether an address is in one of these networks.
fn holds(list: &[Allow], address: IpAddr) -> bool {
    list.iter().any(|it| matches!(it, Allow::Net(net) if net.contains(&address)))
}

/// Returns whether a name is one of these hosts.
fn names(list: &[Allow], name: &str) -> bool {
    let name = name.trim_end_matches('.');
    list.iter()
        .any(|it| matches!(it, Allow::Host(host) if host.trim_end_matches('.').eq_ignore_ascii_case(name)))
}

impl WebhookGuard {
    /// Creates a guard that allows the public internet and `allow`, and never `deny`.
    pub fn new(allow: Vec<Allow>, deny: Vec<Allow>) -> Self {
        Self { allow, deny }
    }

    /// `known`: its name is allowed.
    fn allows(&self, address: IpAddr, known: bool) -> bool {
        let address = address.to_canonical();
        !holds(&self.deny, address) && (known || is_public(address) || holds(&self.allow, address))
    }

    /// Returns whether the operator allows this host by name or by address, whatever the port.
    fn names_host(&self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Domain(name)) => names(&self.allow, name),
            Some(Host::Ipv4(address)) => holds(&self.allow, address.into()),
            Some(Host::Ipv6(address)) => holds(&self.allow, address.to_canonical()),
            None => false,
        }
    }

    /// Checks what can be checked before a name is resolved.
    ///
    /// # Errors
    /// The reason why the URL may not be called.
    pub fn check(&self, text: &str) -> Result<Url, String> {
        if text.len() > MAX_URL {
            return Err(format!("it is longer than {MAX_URL} bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err("it contains control characters".to_owned());
        }
        let url = Url::parse(text).map_err(|e| format!("it is not a URL: {e}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it is neither http:// nor https://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it contains a user name or a password".to_owned());
        }
        let allowed = match url.host() {
            None => return Err("it has no host".to_owned()),
            Some(Host::Ipv4(address)) => self.allows(address.into(), false),
            Some(Host::Ipv6(address)) => self.allows(address.into(), false),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                let local = name.eq_ignore_ascii_case("localhost")
                    || name.to_ascii_lowercase().ends_with(".localhost");
                !names(&self.deny, name) && (!local || names(&self.allow, name))
            }
        };
        if !allowed {
            return Err(NOT_PUBLIC.to_owned());
        }
        // Below 1024 are mail, remote shells and the like, which a request could be made to speak
        // to.
        let port = url.port_or_known_default().unwrap_or_default();
        if !matches!(port, 80 | 443 | 1024..) && !self.names_host(&url) {
            return Err(format!("port {port} is not allowed for callbacks: use 80, 443 or one from 1024"));
        }
        Ok(url)
    }
}

const NOT_PUBLIC: &str = "its address is not on the public internet, and the operator does not allow it";

/// The connection is made to the addresses that are checked here, not to those of a second look.
impl Resolve for WebhookGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let known = names(&self.allow, name.as_str());
        let guard = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| guard.allows(address.ip(), known)).collect();
            if allowed.is_empty() {
                return Err(Box::<dyn std::error::Error + Send + Sync>::from(Refused));
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NOT_PUBLIC)
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_called() {
        let guard = WebhookGuard::new(Vec::new(), Vec::new());
        for url in
            ["https://example.com/x", "http://8.8.8.8", "http://[2606:4700::1111]/", "https://a.b:8443/?q=1"]
        {
            assert!(guard.check(url).is_ok(), "{url}");
        }
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "http://100.64.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://172.31.255.255/",
            "http://192.168.1.1/",
            "http://192.0.2.1/",
            "http://198.18.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[fc00::1]/",
            "http://[fe80::1]/",
            "http://[ff02::1]/",
            "http://[2001:db8::1]/",
            "http://[2002:a00:1::]/",
            "http://168.63.129.16/",
            "http://192.31.196.1/",
            "http://192.52.193.1/",
            "http://192.175.48.1/",
            "http://[2620:4f:8000::1]/",
            "http://[2001:4:112::1]/",
            "http://[3ffe::1]/",
            "http://[5f00::1]/",
            "http://[100::1]/",
            "http://example.com:25/",
            "http://example.com:22/",
            "https://8.8.8.8:1023/",
            "http://[2606:4700::1111]:6/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://x.localhost/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user:pw@example.com/",
            "example.com",
            "",
        ] {
            assert!(guard.check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_operator_can_allow_more() {
        let allow = ["10.1.0.0/16", "127.0.0.1", "localhost", "fd00::/8"].map(|text| text.parse().unwrap());
        let guard = WebhookGuard::new(allow.to_vec(), Vec::new());
        for url in ["http://10.1.2.3/", "http://127.0.0.1:1/", "http://localhost/", "http://[fd00::1]/"] {
            assert!(guard.check(url).is_ok(), "{url}");
        }
        for url in ["http://10.2.0.1/", "http://127.0.0.2/", "http://[::1]/"] {
            assert!(guard.check(url).is_err(), "{url}");
        }
        assert!("a/b".parse::<Allow>().is_err());
        // On any port.
        assert!(guard.check("http://10.1.2.3:25/").is_ok() && guard.check("http://10.2.0.1:25/").is_err());
    }

    #[tokio::test]
    async fn denied_host_or_network_is_refused_even_if_it_is_allowed() {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Allow>>();
        let guard = WebhookGuard::new(
            list(&["10.1.0.0/16", "localhost"]),
            list(&["8.8.8.0/24", "10.1.2.3", "db.example", "127.0.0.0/8", "::1"]),
        );
        for url in ["http://8.8.8.8/", "http://10.1.2.3/", "http://DB.example./", "http://[::ffff:8.8.8.8]/"]
        {
            assert!(guard.check(url).is_err(), "{url}");
        }
        for url in ["http://8.8.4.4/", "http://10.1.2.4/", "http://x.db.example/"] {
            assert!(guard.check(url).is_ok(), "{url}");
        }
        assert!(guard.resolve("localhost".parse().unwrap()).await.is_err(), "its addresses are denied");
    }

    #[tokio::test]
    async fn what_a_name_resolves_to_is_checked_too() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(WebhookGuard::new(Vec::new(), Vec::new()).resolve(name()).await.is_err());
        let allowed = WebhookGuard::new(vec!["localhost".parse().unwrap()], Vec::new());
        assert!(allowed.resolve(name()).await.unwrap().next().is_some());
    }
}
