//! Access control: every route needs its scope, tokens come and go, and no server is open by
//! accident.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which clippy takes for production")]

use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{Method, Request};
use postcode_edge::{Access, NewToken, Scope};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::jobs::Jobs;
use postcode_service::server::{Frontend, Options};
use serde_json::Value;

use crate::common::{self, Answer, routes_in_sources};
use crate::program::{Server, dataset, program, text};

fn token(file: &Path, scopes: &[Scope], tenant: Option<&str>) -> String {
    let tenant = tenant.map(str::to_owned);
    NewToken { scopes: scopes.to_vec(), tenant, ..NewToken::default() }.add_to(file).unwrap().1.unwrap()
}

async fn api(access: Access) -> Api {
    Api::with_access(
        Edition::of(Arc::new(common::small())).await.unwrap(),
        Limits::default(),
        Jobs::off(),
        access,
    )
}

async fn ask(frontend: &Frontend, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = frontend.call(request.body(Body::empty()).unwrap()).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Returns the scope that a route should need. This repeats the program's table on purpose.
fn meant(method: &str, path: &str) -> Option<Scope> {
    match path {
        "/promotion/plan" if method != "PUT" => Some(Scope::Fleet),
        "/promotion/fleet" => Some(Scope::Fleet),
        "/promotion/plan" => Some(Scope::Admin),
        "/"
        | "/docs"
        | "/docs/guides/{guide}"
        | "/ping"
        | "/ready"
        | "/openapi.json"
        | "/.well-known/api-catalog" => None,
        "/metrics" => Some(Scope::Metrics),
        "/dataset" | "/dataset/signature" => Some(Scope::Dataset),
        _ if path == "/jobs" || path.starts_with("/jobs/") => Some(Scope::Jobs),
        "/outcodes/{outcode}/streets" => Some(Scope::Addresses),
        _ if path.starts_with("/addresses") || path.starts_with("/v1/") || path.ends_with("/addresses") => {
            Some(Scope::Addresses)
        }
        _ => Some(Scope::Lookup),
    }
}

#[tokio::test]
async fn every_route_needs_its_scope() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let of = |scopes: &[Scope]| format!("Bearer {}", token(&file, scopes, None));
    let right: Vec<_> = Scope::ALL.iter().map(|scope| (*scope, of(&[*scope]))).collect();
    let wrong: Vec<_> = Scope::ALL
        .iter()
        .map(|scope| (*scope, of(&Scope::ALL.into_iter().filter(|other| other != scope).collect::<Vec<_>>())))
        .collect();
    let of_scope =
        |all: &[(Scope, String)], scope| all.iter().find(|(other, _)| *other == scope).unwrap().1.clone();
    let frontend = Frontend::new(api(Access::from_file(&file).unwrap()).await, &Options::default());

    let described = ask(&frontend, "GET", "/openapi.json", &[]).await.json();
    let described = described["paths"].as_object().unwrap();
    let routes = routes_in_sources();
    for path in &routes {
        assert!(described.contains_key(path), "{path} is not in the table of routes, so no token opens it");
    }
    let mut operations = Vec::new();
    for (path, methods) in described {
        operations.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    assert!(routes.len() > 40 && operations.len() > routes.len(), "{operations:?}");

    for (method, route) in operations {
        let path: String = route
            .split('/')
            .skip(1)
            .map(|part| {
                let part = match part {
                    "{longitude}" | "{latitude}" => "0",
                    "{guide}" => "curl",
                    "{id}" => "0190a5a0-0000-7000-8000-000000000000",
                    _ if part.starts_with('{') => "AB101AB",
                    part => part,
                };
                format!("/{part}")
            })
            .collect();
        let method = method.to_uppercase();
        for method in if method == "GET" { vec!["GET", "HEAD"] } else { vec![&*method] } {
            let what = format!("{method} {route}");
            let Some(scope) = meant(method, &route) else {
                assert_eq!(ask(&frontend, method, &path, &[]).await.status, 200, "{what}");
                continue;
            };
            let denied = ask(&frontend, method, &path, &[]).await;
            assert_eq!(denied.status, 401, "{what}");
            assert!(denied.header("www-authenticate").starts_with("Bearer realm="), "{what}");
            assert_eq!(denied.json()["code"], "token_required", "{what}");
            let denied = ask(&frontend, method, &path, &[("authorization", &of_scope(&wrong, scope))]).await;
            assert_eq!(denied.status, 403, "{what}");
            assert_eq!(denied.json()["code"], "scope_missing", "{what}");
            assert!(denied.header("www-authenticate").contains(&format!("scope=\"{scope}\"")), "{what}");
            let allowed = ask(&frontend, method, &path, &[("authorization", &of_scope(&right, scope))]).await;
            assert!(allowed.status != 401 && allowed.status != 403, "{what}: {}", allowed.status);
        }
    }
}

#[tokio::test]
async fn token_that_is_not_valid_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let good = token(&file, &[Scope::Lookup], None);
    let frontend = Frontend::new(api(Access::from_file(&file).unwrap()).await, &Options::default());
    let altered = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { "1" } else { "0" });
    for value in [format!("Bearer {altered}"), format!("Basic {good}"), "Bearer".to_owned(), good.clone()] {
        let denied = ask(&frontend, "GET", "/postcodes/AB101AB", &[("authorization", &value)]).await;
        assert_eq!((denied.status.as_u16(), &denied.json()["code"]), (401, &Value::from("token_invalid")));
        assert!(!text(&denied.body).contains(&good[4..]), "{}", text(&denied.body));
    }
    let bearer = format!("bearer {good}");
    let allowed = ask(&frontend, "GET", "/POSTCODES/ab101ab/", &[("authorization", &bearer)]).await;
    assert_eq!(allowed.status, 200, "the scheme is written in any case, and the path too");
}

#[tokio::test]
async fn two_tenant_headers_are_refused_and_a_token_speaks_for_its_tenant_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let acme = format!("Bearer {}", token(&file, &[Scope::Jobs], Some("acme")));
    let nobody = format!("Bearer {}", token(&file, &[Scope::Jobs], None));
    let closed = Frontend::new(api(Access::from_file(&file).unwrap()).await, &Options::default());
    let open = Frontend::new(api(Access::open()).await, &Options::default());
    let status = async |frontend: &Frontend, headers: &[(&str, &str)]| {
        ask(frontend, "GET", "/jobs/callbacks", headers).await.status.as_u16()
    };
    // Jobs are off here: 501 means that the guard let the request through.
    let (a, b, acme_header) =
        (("postcode-tenant", "a"), ("postcode-tenant", "b"), ("postcode-tenant", "acme"));
    let let_in = status(&open, &[]).await;
    assert!(![400, 401, 403].contains(&let_in), "{let_in}");
    assert_eq!(status(&open, &[a]).await, let_in);
    assert_eq!(status(&open, &[a, b]).await, 400);
    assert_eq!(status(&open, &[a, a]).await, 400);
    let (acme, nobody) = (("authorization", &*acme), ("authorization", &*nobody));
    assert_eq!(status(&closed, &[acme]).await, let_in);
    assert_eq!(status(&closed, &[acme, acme_header]).await, let_in);
    assert_eq!(status(&closed, &[acme, a]).await, 403);
    assert_eq!(status(&closed, &[acme, acme_header, a]).await, 400);
    assert_eq!(status(&closed, &[nobody, a]).await, 403);
    assert_eq!(status(&closed, &[nobody]).await, let_in);
    let refused = ask(&closed, "GET", "/jobs/callbacks", &[acme, a]).await;
    assert_eq!(refused.json()["code"], "tenant_not_allowed");
}

#[tokio::test]
async fn cross_origin_preflight_needs_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    token(&file, &[Scope::Lookup], None);
    let api = api(Access::from_file(&file).unwrap()).await;
    let request = Request::builder().method(Method::OPTIONS).uri("/postcodes").body(Body::empty()).unwrap();
    assert_eq!(common::send(&api, request).await.status, 204);
}

#[tokio::test]
async fn preflight_on_routes_of_jobs_lets_no_other_origin_in_with_a_token_or_without() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let jobs = format!("Bearer {}", token(&file, &[Scope::Jobs], Some("acme")));
    let frontend = Frontend::new(api(Access::from_file(&file).unwrap()).await, &Options::default());
    let asks = [
        ("origin", "https://other.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    for path in ["/jobs", "/jobs/callbacks", "/jobs/x", "/jobs/x/result", "/jobs/x/events", "/JOBS/"] {
        let with_token = [&asks[..], &[("authorization", &*jobs)]].concat();
        for headers in [&asks[..], &with_token[..]] {
            let answer = ask(&frontend, "OPTIONS", path, headers).await;
            assert_eq!(answer.status, 403, "{path}");
            for header in ["access-control-allow-origin", "access-control-allow-credentials"] {
                assert_eq!(answer.header(header), "", "{path}: {header}");
            }
            assert!(!answer.header("access-control-allow-headers").contains("uthorization"), "{path}");
        }
        // Without an origin there is nothing to allow either.
        let answer = ask(&frontend, "OPTIONS", path, &[]).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    let denied = ask(&frontend, "POST", "/jobs", &asks).await;
    assert!([401, 403].contains(&denied.status.as_u16()), "{}", denied.status);
}

#[test]
fn server_without_tokens_does_not_listen_where_others_can_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let tokens = folder.path().join("tokens");
    let serve = |arguments: &[&str]| {
        program().args(["serve", "--jobs", "none", "--data", &data]).args(arguments).output().unwrap()
    };
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = serve(&["--listen", address]);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("--tokens FILE") && said.contains("--allow-unauthenticated"), "{said}");
        assert!(refused.stdout.is_empty());
    }
    let missing = serve(&["--tokens", tokens.to_str().unwrap()]);
    assert!(text(&missing.stderr).contains("token new"), "{missing:?}");

    let mut server = Server::start(&[
        "--listen",
        "0.0.0.0:0",
        "--jobs",
        "none",
        "--data",
        &data,
        "--allow-unauthenticated",
    ]);
    server.logs("there are no tokens");
    assert_eq!(server.end("TERM").0, Some(0));
    token(&tokens, &[Scope::Lookup], None);
    let tokens = tokens.to_str().unwrap();
    let server =
        Server::start(&["--listen", "0.0.0.0:0", "--jobs", "none", "--data", &data, "--tokens", tokens]);
    assert_eq!(server.end("TERM").0, Some(0));
}

#[test]
fn token_is_made_listed_used_and_revoked_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let file = folder.path().join("tokens");
    let (file, mine) = (file.to_str().unwrap(), folder.path().join("mine"));
    let run =
        |arguments: &[&str]| program().arg("token").args(arguments).args(["--file", file]).output().unwrap();
    let made = run(&[
        "new",
        "--scope",
        "lookup",
        "--scope",
        "jobs",
        "--tenant",
        "acme",
        "--id",
        "one",
        "--expires",
        "90d",
    ]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let secret = text(&made.stdout);
    assert!(secret.starts_with("pct_one_") && secret.lines().count() == 1);
    assert!(!text(&made.stderr).contains(secret.trim()));
    std::fs::write(&mine, &secret).unwrap();
    let listed = text(&run(&["list"]).stdout);
    assert!(listed.starts_with("one\ttoken\tlookup,jobs\tacme\t2"), "{listed}");
    assert_eq!(run(&["new", "--scope", "lookup", "--id", "one"]).status.code(), Some(1), "the id is taken");
    assert_eq!(run(&["new", "--scope", "everything"]).status.code(), Some(2));

    let mut server =
        Server::start(&["--listen", "127.0.0.1:0", "--jobs", "none", "--data", &data, "--tokens", file]);
    let source = format!("{}?token_file={}", server.address, mine.display());
    let lookup = |source: &str| program().args(["lookup", "AB10 1AB", "--source", source]).output().unwrap();
    assert_eq!(lookup(&source).status.code(), Some(0));
    let refused = lookup(&server.address);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("401") && text(&refused.stderr).contains("needs a token"),
        "{refused:?}"
    );

    // A bad file keeps the old tokens.
    let good = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, "one sha256:not-a-hash scopes=lookup\n").unwrap();
    server.signal("HUP");
    server.logs("the old ones stay");
    assert_eq!(lookup(&source).status.code(), Some(0));
    std::fs::write(file, good).unwrap();
    assert_eq!(run(&["revoke", "one"]).status.code(), Some(0));
    assert_eq!(run(&["revoke", "one"]).status.code(), Some(1));
    server.signal("HUP");
    server.logs("the tokens were read again");
    assert_eq!(lookup(&source).status.code(), Some(2));
    let log = server.end_with_log("TERM");
    assert!(!log.contains(&secret.trim()[8..]), "no secret in the log: {log}");
}
