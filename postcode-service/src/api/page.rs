//! `/`: a page for people to look a postcode up. It uses the API below it and loads nothing from
//! elsewhere. `/.well-known/api-catalog` (RFC 9727): links for programs.

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LINK};

use super::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/", get(page)).route("/.well-known/api-catalog", get(catalog))
}

/// A set of links (RFC 9264), relative to its own URL, because the server does not know its public
/// URL.
const CATALOG: &str = concat!(
    r#"{"linkset":[{"anchor":"../","service-doc":[{"href":"../","type":"text/html"}],"#,
    r#""service-desc":[{"href":"../openapi.json","type":"application/json"}],"#,
    r#""status":[{"href":"../ready","type":"application/json"}]}]}"#
);
const LINK_TO_CATALOG: &str = r#"</.well-known/api-catalog>; rel="api-catalog""#;

async fn catalog() -> impl IntoResponse {
    let kind = r#"application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727""#;
    ([(CONTENT_TYPE, kind), (LINK, LINK_TO_CATALOG), (CACHE_CONTROL, "public, max-age=3600")], CATALOG)
}

async fn page() -> impl IntoResponse {
    let headers = [
        (CACHE_CONTROL, "public, max-age=0"),
        (LINK, LINK_TO_CATALOG),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ];
    (headers, Html(include_str!("page.html")))
}
