//! Access control: every route needs its scope, and a change is recorded under the token's name.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::collections::BTreeSet;
use std::path::Path;

use axum::Router;
use customers::server::{self, Access};
use postcode_edge::{NewToken, Scope};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::databases::Database;
use crate::lookups::Mode;
use crate::router::{ada, customers, get, with};

fn token(file: &Path, scopes: &[Scope], id: &str) -> String {
    let new = NewToken { scopes: scopes.to_vec(), id: Some(id.to_owned()), ..NewToken::default() };
    format!("Bearer {}", new.add_to(file).unwrap().1.unwrap())
}

async fn api(database: &Database, access: Access) -> Router {
    let mut options = server::Options::default();
    options.access = access;
    server::router_with(customers(database, Mode::Answers).await.0, options)
}

/// Returns the scope that a route should need. This repeats the program's table on purpose.
fn meant(method: &str, route: &str) -> Option<Scope> {
    match (method, route) {
        (
            _,
            "/" | "/page.css" | "/page.js" | "/sign-in.js" | "/map.js" | "/health" | "/ready" | "/docs"
            | "/openapi.json",
        ) => None,
        (_, "/metrics") => Some(Scope::Metrics),
        (_, "/customers/{id}/erase") => Some(Scope::CustomersErase),
        ("GET" | "HEAD", _) if !route.ends_with("/restore") => Some(Scope::CustomersRead),
        // Without JavaScript, GET asks before anything is erased.
        (_, "/account/{id}/erase") => Some(Scope::CustomersErase),
        _ => Some(Scope::CustomersWrite),
    }
}

/// Collects the literal paths of `.route("…"` in the sources of the server.
pub(crate) fn routes() -> BTreeSet<String> {
    fn collect(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source: String = std::fs::read_to_string(&path).unwrap().split_whitespace().collect();
                let routes = source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
                found.extend(routes.map(str::to_owned));
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server"), &mut found);
    found
}

#[tokio::test]
async fn every_route_needs_its_scope() {
    let (folder, database) = (TempDir::new().unwrap(), Database::file());
    let file = folder.path().join("tokens");
    let right = |scope: Scope| token(&file, &[scope], &format!("only-{}", scope as u8));
    let wrong = |scope: Scope| {
        let others: Vec<_> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        token(&file, &others, &format!("all-but-{}", scope as u8))
    };
    let tokens = [Scope::CustomersRead, Scope::CustomersWrite, Scope::CustomersErase, Scope::Metrics]
        .map(|scope| (scope, right(scope), wrong(scope)));
    let api = api(&database, Access::from_file(&file).unwrap()).await;
    let routes = routes();
    assert!(routes.len() >= 20, "{routes:?}");
    let mut asked = 0;
    for route in &routes {
        let path = route
            .replace("{id}", "0190a5a0-0000-7000-8000-000000000000")
            .replace("{number}", "1")
            .replace("{postcode}", "SW1A1AA");
        // Refused before the lookup is asked, because the test is about access only.
        let path = match &**route {
            "/postcodes" => format!("{path}?limit=0"),
            "/postcodes/{postcode}/map" => format!("{path}?radius=1"),
            _ => path,
        };
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            let what = format!("{method} {route}");
            let ask = async |headers: &[(&str, &str)]| with(&api, method, &path, headers, &json!({})).await;
            let Some(scope) = meant(method, route) else {
                let answer = ask(&[]).await;
                assert!([200, 405].contains(&answer.status.as_u16()), "{what}: {}", answer.status);
                continue;
            };
            let (_, right, wrong) = tokens.iter().find(|(of, ..)| *of == scope).unwrap();
            let allowed = ask(&[("authorization", right)]).await;
            assert!(![401, 403].contains(&allowed.status.as_u16()), "{what}: {}", allowed.text);
            if allowed.status == 405 {
                continue;
            }
            asked += 1;
            let denied = ask(&[]).await;
            assert_eq!(denied.status, 401, "{what}");
            assert!(denied.header("www-authenticate").starts_with("Bearer realm="), "{what}");
            let lacking = ask(&[("authorization", wrong)]).await;
            assert_eq!(lacking.status, 403, "{what}");
            assert!(lacking.header("www-authenticate").contains(&format!("scope=\"{scope}\"")), "{what}");
            if method != "HEAD" {
                denied.problem(401, "token_required");
                lacking.problem(403, "scope_missing");
            }
        }
    }
    assert!(asked >= 25, "{asked} operations need a scope");
}

#[tokio::test]
async fn change_is_done_by_whom_the_token_names() {
    let (folder, database) = (TempDir::new().unwrap(), Database::file());
    let file = folder.path().join("tokens");
    let clerk = token(&file, &[Scope::CustomersRead, Scope::CustomersWrite], "clerk");
    let clerk = ("authorization", &*clerk);
    let closed = api(&database, Access::from_file(&file).unwrap()).await;
    let made = with(&closed, "POST", "/customers", &[clerk], &ada("SW1A 1AA")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let history = format!("/customers/{}/history", made.json()["id"].as_str().unwrap());
    let seen = with(&closed, "GET", &history, &[clerk], &Value::Null).await.json();
    assert_eq!(seen["items"][0]["actor"], "clerk");
    let said = |actor| ("customers-actor", actor);
    let same = with(&closed, "POST", "/customers", &[clerk, said("clerk")], &ada("SW1A 1AA")).await;
    assert_eq!(same.status, 201);
    let other = with(&closed, "POST", "/customers", &[clerk, said("boss")], &ada("SW1A 1AA")).await;
    other.problem(403, "actor_not_allowed");
    let twice = [clerk, said("clerk"), said("clerk")];
    with(&closed, "POST", "/customers", &twice, &ada("SW1A 1AA")).await.problem(400, "invalid_header");

    // Without tokens a proxy says it, once.
    let open = api(&database, Access::open()).await;
    let made = with(&open, "POST", "/customers", &[said("boss")], &ada("SW1A 1AA")).await.json();
    let seen = get(&open, &format!("/customers/{}/history", made["id"].as_str().unwrap())).await.json();
    assert_eq!(seen["items"][0]["actor"], "boss");
    let twice = [said("boss"), said("clerk")];
    with(&open, "POST", "/customers", &twice, &ada("SW1A 1AA")).await.problem(400, "invalid_header");
}
