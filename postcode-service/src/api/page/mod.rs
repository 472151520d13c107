//! `/`: a page for people. It answers without JavaScript, which only adds completions, copying and
//! the token. It loads nothing from elsewhere. `/.well-known/api-catalog` (RFC 9727): links for
//! programs.

mod answer;
mod map;
mod markup;
mod understand;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LINK, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use postcode_core::wire::path;
use postcode_edge::{Need, Scope};

use super::App;
use super::params::Params;
use markup::escaped;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::HOME, get(page)).route(path::CATALOG, get(catalog))
}

/// A set of links (RFC 9264), relative to its own URL, because the server does not know its public
/// URL.
const CATALOG: &str = concat!(
    r#"{"linkset":[{"anchor":"../","service-doc":[{"href":"../docs","type":"text/html"}],"#,
    r#""service-desc":[{"href":"../openapi.json","type":"application/json"}],"#,
    r#""status":[{"href":"../ready","type":"application/json"}]}]}"#
);
const LINK_TO_CATALOG: &str = r#"</.well-known/api-catalog>; rel="api-catalog""#;

/// The longest text that is read. A pasted address has some lines.
const LONGEST: usize = 1_000;

async fn catalog() -> impl IntoResponse {
    let kind = r#"application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727""#;
    ([(CONTENT_TYPE, kind), (LINK, LINK_TO_CATALOG), (CACHE_CONTROL, "public, max-age=3600")], CATALOG)
}

async fn page(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    request: axum::http::Extensions,
) -> Response {
    let params = Params::parse(query.as_deref());
    let asked = params.get("q").unwrap_or_default();
    let text = &asked[..asked.floor_char_boundary(LONGEST)];
    let radius = params.get("r").and_then(|text| text.parse().ok());
    // The empty page is open to all. An answer needs the scope of a lookup.
    let allowed = app.access.authorise(&headers, &request, Some(Need::Scope(Scope::Lookup)));
    let edition = app.edition();
    let (status, answer) = match allowed {
        Err(_) => (StatusCode::UNAUTHORIZED, answer::Answer::token_needed()),
        Ok(_) if text.trim().is_empty() => (StatusCode::OK, answer::Answer::empty()),
        Ok(_) => {
            let answer = answer::of(&edition, text, radius).await;
            (if answer.failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, answer)
        }
    };
    // Without a text there is nothing to refuse: the page itself asks for the token.
    let status = if text.trim().is_empty() { StatusCode::OK } else { status };
    let info = edition.info();
    let html = include_str!("page.html")
        .replace("{{title}}", &escaped(&answer.title))
        .replace("{{query}}", &escaped(text))
        .replace("{{answer}}", &answer.html)
        .replace("{{edition}}", &escaped(&info.edition))
        .replace("{{live}}", &markup::thousands(info.live))
        .replace("{{terminated}}", &markup::thousands(info.terminated))
        .replace("{{attribution}}", &escaped(&info.attribution));
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                          connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; \
                          frame-ancestors 'none'";
    let fixed: [(HeaderName, HeaderValue); 5] = [
        (CACHE_CONTROL, HeaderValue::from_static("private, max-age=0")),
        (VARY, HeaderValue::from_static("authorization")),
        (LINK, HeaderValue::from_static(LINK_TO_CATALOG)),
        // Linked sites must not learn the query.
        (HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (status, fixed, Html(html)).into_response()
}
