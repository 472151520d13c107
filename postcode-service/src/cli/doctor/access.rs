//! Looks at the address, and at who may use it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::Timestamp;
use postcode_edge::cli::Configuration;
use postcode_edge::{Address, Listener, Security, SecurityOptions, Tokens};

use super::finding::Finding;

/// Days before the end of a token in which it is worth a remark.
const SOON: i64 = 14;

pub(super) async fn look(configuration: &Configuration) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = |key| configuration.get(key).map(Into::into);
    let security = Security::open(SecurityOptions {
        tokens: path("tokens"),
        allow_unauthenticated: configuration.get("allow-unauthenticated") == Some("true"),
        tls_cert: path("tls-cert"),
        tls_key: path("tls-key"),
        tls_client_ca: path("tls-client-ca"),
    });
    let listen = configuration.get("listen").unwrap_or_default();
    match (security, listen.parse::<Address>()) {
        (Err(why), _) => findings.push(Finding::fault("access", why, "The server does not start with this")),
        (_, Err(why)) => {
            findings.push(Finding::fault("address", format!("--listen {listen}: {why}"), "Correct it"))
        }
        (Ok(security), Ok(address)) => findings.push(match Listener::bind(&address).await {
            Err(error) => Finding::fault("address", format!("{listen}: {error}"), in_use(&error, &address)),
            Ok(listener) => match security.protect(listener) {
                Err(why) => Finding::fault("access", why, "The server does not start with this"),
                Ok(listener) if security.access().is_closed() => {
                    Finding::good("access", format!("{listener} is free, and callers need a token"))
                }
                Ok(listener) if listener.is_local() => Finding::good(
                    "access",
                    format!("{listener} is free, and every user of this machine may use it without a token"),
                ),
                Ok(listener) => Finding::remark(
                    "access",
                    format!("{listener} is free, and everybody who can reach it may use it"),
                    "Make sure that something in front of it decides, or give --tokens",
                ),
            },
        }),
    }
    if let Some(file) = configuration.get("tokens") {
        findings.extend(tokens(Path::new(file)));
    }
    findings
}

fn in_use(error: &std::io::Error, address: &Address) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "Another program listens there, perhaps a server that runs already: `postcode-service ping {address}` asks it. \
             --listen takes another address"
        ),
        std::io::ErrorKind::PermissionDenied => {
            "This user may not listen there. Take a port from 1024, or give the unit CAP_NET_BIND_SERVICE"
                .to_owned()
        }
        std::io::ErrorKind::AddrNotAvailable => "No interface of this machine has the address".to_owned(),
        _ => "The server does not start with this".to_owned(),
    }
}

fn tokens(file: &Path) -> Vec<Finding> {
    // A file that can't be read is a finding of the access.
    let Ok(tokens) = Tokens::read(file) else { return Vec::new() };
    let mut findings = Vec::new();
    let now = Timestamp::now();
    let (mut expired, mut soon, mut count) = (Vec::new(), Vec::new(), 0);
    for entry in tokens.entries() {
        count += 1;
        match entry.expires.map(|expires| expires.duration_since(now).as_hours()) {
            Some(hours) if hours < 0 => expired.push(entry.id.clone()),
            Some(hours) if hours < SOON * 24 => soon.push(entry.id.clone()),
            _ => {}
        }
    }
    findings.push(match (count, expired.len() == count) {
        (0, _) => Finding::fault(
            "tokens",
            format!("{}: holds no token, so nobody may use the server", file.display()),
            format!("Make one: token new --scope lookup --file {}", file.display()),
        ),
        (_, true) => Finding::fault(
            "tokens",
            format!("{}: all {count} have expired", file.display()),
            "Make new ones with `token new`, and send SIGHUP",
        ),
        _ => Finding::good("tokens", format!("{}: {count}", file.display())),
    });
    for (ids, what) in [(&expired, "expired"), (&soon, "expire within two weeks")] {
        if !ids.is_empty() && ids.len() < count {
            findings.push(Finding::remark(
                "tokens",
                format!("{what}: {}", ids.join(", ")),
                "Make new ones with `token new`, and remove the old with `token revoke`",
            ));
        }
    }
    let mode = std::fs::metadata(file).map_or(0, |about| about.permissions().mode());
    if mode & 0o022 != 0 {
        findings.push(Finding::fault(
            "tokens",
            format!("{}: others than its owner may write it (mode {:03o})", file.display(), mode & 0o777),
            format!("Anybody could add a token: chmod go-w {}", file.display()),
        ));
    }
    findings
}
