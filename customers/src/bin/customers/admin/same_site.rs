//! Whether a write comes from this listener's own page, or from a program. A page of another site that an operator
//! happens to have open must not move the stage.

use axum::http::{HeaderMap, StatusCode};
use customers::server::Problem;

/// Browsers name the page in `Origin` with every such request; programs such as curl send none.
///
/// The page must be this listener's: `Origin` is what `Host` says. And `Host` must be an address, `localhost` or the
/// name that `--admin` was given: else a site could have its own name resolved to this address (DNS rebinding).
pub(super) fn check(headers: &HeaderMap, given: &str) -> Result<(), Problem> {
    let refuse = |detail: String| Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", detail));
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(site) = text("sec-fetch-site")
        && !matches!(&*site, "same-origin" | "none")
    {
        return refuse(format!("a write from a page of another site ({site})"));
    }
    let Some(origin) = text("origin") else { return Ok(()) };
    let host = text("host").unwrap_or_default();
    let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    if page != Some(&*host) {
        return refuse(format!("a write from a page of {origin:?}, and this is {host:?}"));
    }
    if !is_own(&host, given) {
        return refuse(format!(
            "a write through the name {host:?}: use an address, localhost, or the name that --admin has"
        ));
    }
    Ok(())
}

fn is_own(host: &str, given: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<std::net::IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || name.eq_ignore_ascii_case(given)
}
