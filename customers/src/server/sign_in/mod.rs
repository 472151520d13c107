//! Signs a person in who opens a page of a server that wants tokens.
//!
//! A browser can't send a token when it opens a page or follows a link. So the pages themselves need none and hold
//! nothing private. Their script asks for the token in a form, keeps it in the tab, and sends it with each request
//! for what the page shows. There is no cookie, so a page of another site can't act for the person.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use postcode_edge::MediaType;

use super::served::served;

/// The script that asks for the token. Pages load it as `sign-in.js`.
pub const SCRIPT: &str = include_str!("sign-in.js");

/// Returns whether a person opens a page. Browsers ask for HTML by name, and programs don't.
pub fn is_opened(request: &Request) -> bool {
    let accepted = request.headers().get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let mut kinds = accepted.flat_map(|accept| accept.split(','));
    matches!(*request.method(), Method::GET | Method::HEAD)
        && kinds.any(|kind| MediaType::parse(kind).name() == "text/html")
}

/// Returns the way from a path to `/`, such as `../`.
pub fn root_of(path: &str) -> String {
    "../".repeat(path.matches('/').count().saturating_sub(1))
}

/// Gives a refusal a page as its body. Its status and its challenge stay.
pub fn refusal_page(refusal: Response, html: String) -> Response {
    let page = served("text/html; charset=utf-8", Body::from(html)).into_response();
    let (status, mut headers) = (refusal.status(), refusal.headers().clone());
    let (parts, body) = page.into_parts();
    headers.extend(parts.headers);
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_opened_by_who_asks_for_html() {
        let opened = |method: &str, accept: &str| {
            let request = Request::builder().method(method).header(ACCEPT, accept);
            is_opened(&request.body(Body::empty()).unwrap())
        };
        assert!(opened("GET", "text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(opened("HEAD", "application/json, text/html;q=0.1"));
        for (method, accept) in [("POST", "text/html"), ("GET", "*/*"), ("GET", "application/json")] {
            assert!(!opened(method, accept), "{method} {accept}");
        }
    }

    #[test]
    fn way_to_the_root_has_a_step_for_each_folder() {
        assert_eq!(["/", "/walk", "/walk/certificate", "/a/b/c"].map(root_of), ["", "", "../", "../../"]);
    }
}
