//! `GET /postcodes/{postcode}` without the router, for requests that ask for nothing else.
//!
//! Nearly all requests of a busy service are of this form. The router and its layers cost several
//! times as much as the lookup, and change nothing in these answers. A test compares both ways.

use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_LENGTH, IF_NONE_MATCH};
use http::{HeaderValue, Method, Request};
use hyper::body::Body as HttpBody;
use postcode_core::Postcode;
use postcode_core::wire::{IF_EDITION_HEADER, path};
use postcode_edge::Need;

use super::description::need;
use super::view::View;
use super::{App, RequestId, guard, postcode, syntax};

/// The scope that the route needs.
static NEED: LazyLock<Option<Need>> = LazyLock::new(|| need(path::POSTCODE, &Method::GET));

/// A request that asks for one postcode and for nothing else.
#[derive(Debug)]
pub(super) struct Plain {
    postcode: Postcode,
    view: &'static View,
    request_id: Option<RequestId>,
}

impl Plain {
    /// Returns the request, or `None` to leave it to the router.
    pub(super) fn of(app: &App, request: &Request<Body>) -> Option<Self> {
        let (postcode, view) = asked(request)?;
        // The router explains a refusal.
        guard::check_access(app, request.headers(), request.extensions(), *NEED).ok()?;
        Some(Self { postcode, view, request_id: request.extensions().get().cloned() })
    }

    /// Answers it.
    pub(super) async fn answer(self, app: &App) -> Response {
        let edition = app.edition();
        let answer = edition.lookup.lookup_one(self.postcode).await;
        let outcome = answer
            .map_err(Into::into)
            .and_then(|answer| postcode::outcome(&edition, self.postcode, answer, self.view));
        match outcome {
            Ok(mut response) => {
                let length = response.body().size_hint().exact();
                let headers = response.headers_mut();
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                // As the router does.
                if let Some(length) = length {
                    headers.insert(CONTENT_LENGTH, length.into());
                }
                response
            }
            Err(failure) => failure.respond(self.request_id.as_ref()),
        }
    }
}

/// Returns the postcode that a request asks for, if nothing else in it could change the answer but
/// the shape.
fn asked(request: &Request<Body>) -> Option<(Postcode, &'static View)> {
    let headers = request.headers();
    if *request.method() != Method::GET
        || headers.contains_key(IF_NONE_MATCH)
        || headers.contains_key(IF_EDITION_HEADER)
    {
        return None;
    }
    let view = match request.uri().query() {
        None => &View::COMPATIBLE,
        // What our own client asks for.
        Some("extended=true") => &View::EXTENDED,
        Some(_) => return None,
    };
    let text = request.uri().path().strip_prefix(path::POSTCODES)?.strip_prefix('/')?;
    let (outcode, incode) = text.split_once("%20").unwrap_or((text, ""));
    Some((syntax::usual(outcode, incode)?, view))
}

#[cfg(test)]
mod tests {
    use postcode_core::wire::Shape;

    use super::*;

    #[test]
    fn only_plain_requests_are_taken() {
        let asked = |method: &str, uri: &str| {
            asked(&Request::builder().method(method).uri(uri).body(Body::empty()).unwrap())
                .map(|(postcode, view)| (postcode.to_string(), view.shape))
        };
        for (uri, postcode, shape) in [
            ("/postcodes/SW1A1AA", "SW1A 1AA", Shape::Compatible),
            ("/postcodes/sw1a%201aa", "SW1A 1AA", Shape::Compatible),
            ("http://localhost/postcodes/m11ae?extended=true", "M1 1AE", Shape::Extended),
        ] {
            assert_eq!(asked("GET", uri), Some((postcode.to_owned(), shape)), "{uri}");
            assert_eq!(asked("HEAD", uri), None);
        }
        for uri in [
            "/postcodes/SW1A1AA?",
            "/postcodes/SW1A1AA?extended=true&filter=postcode",
            "/postcodes/SW1A1AA?callback=f",
            "/postcodes/SW1A1AA/",
            "/postcodes/SW1A1AA/validate",
            "/Postcodes/SW1A1AA",
            "/postcodes/SW1A%20%201AA",
            "/postcodes/SW1A1%20AA",
            "/postcodes/SW1A%201AA%20",
            "/postcodes/QQ9Q9QQ",
            "/postcodes/GIR0AA",
            "/postcodes/",
            "/postcodes",
        ] {
            assert_eq!(asked("GET", uri), None, "{uri}");
        }
    }
}
