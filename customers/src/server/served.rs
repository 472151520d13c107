//! The headers of everything that the page consists of.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;

/// Returns a file of a page with its headers. The policy allows nothing from elsewhere and no script or style in HTML.
pub fn served(kind: &'static str, text: impl IntoResponse) -> impl IntoResponse {
    // A form can be sent to this site only: the one without JavaScript needs it.
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                  base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The URL of an account must not leak to other sites. `no-referrer` would be stricter, but browsers then send
        // forms with `Origin: null`, which the check for other sites refuses.
        (REFERRER_POLICY, "same-origin"),
        // A new version of the program has a new page.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
