//! Which requests are answered: by the name that they are for, and by the page that sent them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use axum::body::{Body, to_bytes};
use http::{Method, Request};
use postcode_edge::Hosts;
use postcode_service::server::{Frontend, Options};

use crate::common;
use crate::common::Answer;

async fn frontend() -> Frontend {
    let hosts = Hosts::listening_on("127.0.0.1:8080").with(["postcodes.example".parse().unwrap()]);
    Frontend::new(common::api_over(common::small()).await, &Options::default()).answering_to(hosts)
}

async fn ask(frontend: &Frontend, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let (parts, body) = frontend.call(request.body(Body::empty()).unwrap()).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// The routes that any page may read, and those that none may.
const OPEN: [(&str, &str); 6] = [
    ("GET", "/"),
    ("GET", "/postcodes/AB101AB"),
    ("POST", "/postcodes"),
    ("OPTIONS", "/postcodes"),
    ("GET", "/ping"),
    ("GET", "/nowhere"),
];
const PRIVATE: [(&str, &str); 8] = [
    ("GET", "/metrics"),
    ("GET", "/METRICS/"),
    ("POST", "/jobs"),
    ("GET", "/jobs/callbacks"),
    ("GET", "/JOBS/callbacks/"),
    ("POST", "/jobs/callbacks/1/retry"),
    ("DELETE", "/jobs/1"),
    ("GET", "/jobs/nowhere/at/all"),
];

#[tokio::test]
async fn host_of_another_server_is_refused_on_every_route() {
    let frontend = frontend().await;
    for (method, path) in OPEN.into_iter().chain(PRIVATE) {
        let refused = ask(&frontend, method, path, &[("host", "evil.example:8080")]).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["code"]),
            (421, &"host_not_allowed".into()),
            "{path}"
        );
        assert!(refused.json()["error"].as_str().unwrap().contains("--host evil.example"), "{path}");
        for headers in [&[][..], &[("host", "localhost"), ("host", "localhost")], &[("host", "a b")]] {
            let refused = ask(&frontend, method, path, headers).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.json()["code"]),
                (400, &"invalid_host".into()),
                "{path}"
            );
        }
    }
    for host in ["127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080", "Postcodes.example"] {
        let answer = ask(&frontend, "GET", "/postcodes/AB101AB", &[("host", host)]).await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn page_of_another_site_reads_postcodes_and_nothing_private() {
    let frontend = frontend().await;
    let pages = [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")];
    for page in pages {
        for (method, path) in PRIVATE {
            let refused = ask(&frontend, method, path, &[("host", "localhost"), page]).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.json()["code"]),
                (403, &"cross_site".into()),
                "{path}"
            );
        }
        for (method, path) in OPEN {
            let answer = ask(&frontend, method, path, &[("host", "localhost"), page]).await;
            assert_ne!(answer.status.as_u16(), 403, "{path}");
        }
        let read = ask(&frontend, "GET", "/postcodes/AB101AB", &[("host", "localhost"), page]).await;
        assert_eq!((read.status.as_u16(), read.header("access-control-allow-origin")), (200, "*"));
    }
}

#[tokio::test]
async fn types_are_never_guessed_and_private_answers_kept_nowhere() {
    let frontend = frontend().await;
    for host in ["localhost", "evil.example"] {
        for (method, path) in OPEN {
            let answer = ask(&frontend, method, path, &[("host", host)]).await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "", "{path}");
        }
        for (method, path) in PRIVATE {
            let answer = ask(&frontend, method, path, &[("host", host)]).await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
}
