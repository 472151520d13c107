//! The program where others can reach it: with tokens and TLS, on both listeners, and towards its
//! lookup.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::path::Path;
use std::sync::Arc;

use postcode_edge::{NewToken, Scope, Security, SecurityOptions};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::jobs::Jobs;
use postcode_service::server::{Frontend, Listener, Options, run};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Server, program};

/// Writes ca.pem, server.pem and server.key.
fn certificates(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let server = params.signed_by(&key, &ca).unwrap();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    std::fs::write(folder.join("server.pem"), server.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

fn token(file: &Path, scopes: &[Scope], id: &str) -> String {
    let new = NewToken { scopes: scopes.to_vec(), id: Some(id.to_owned()), ..NewToken::default() };
    new.add_to(file).unwrap().1.unwrap()
}

/// Starts a postcode-service with TLS and the tokens of that file.
async fn service(folder: &Path, tokens: &Path) -> String {
    let security = Security::open(SecurityOptions {
        tokens: Some(tokens.to_owned()),
        tls_cert: Some(folder.join("server.pem")),
        tls_key: Some(folder.join("server.key")),
        ..SecurityOptions::default()
    })
    .unwrap();
    let edition = Edition::of(postcode_core::connect("embedded:").await.unwrap()).await.unwrap();
    let api = Api::with_access(edition, Limits::default(), Jobs::off(), security.access().clone());
    let options = Options::default();
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let listener = security.protect(listener).unwrap();
    let url = listener.url().unwrap();
    let frontend = Arc::new(Frontend::new(api, &options));
    tokio::spawn(run(listener, frontend, options, std::future::pending()));
    url
}

async fn ask(
    client: &Client,
    method: Method,
    url: String,
    token: Option<&str>,
    body: Option<Value>,
) -> (u16, Value) {
    let mut request = client.request(method, url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    (status.as_u16(), serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_over_tls_look_postcodes_up_at_a_service_that_wants_a_token() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    certificates(dir.path());
    let theirs = dir.path().join("their-tokens");
    std::fs::write(path("lookup-token"), token(&theirs, &[Scope::Lookup], "customers")).unwrap();
    let postcodes = service(dir.path(), &theirs).await;
    let postcodes = format!("{postcodes}?token_file={}&ca_file={}", path("lookup-token"), path("ca.pem"));

    let ours = dir.path().join("tokens");
    let clerk = token(&ours, &[Scope::CustomersRead, Scope::CustomersWrite], "clerk");
    let operator = token(&ours, &[Scope::Admin], "operator");
    let database = format!("sqlite://{}", path("customers.db"));
    let mut server = Server::start(&[
        "--listen",
        "127.0.0.1:0",
        "--database",
        &database,
        "--postcodes",
        "embedded:",
        "--promote-to",
        &postcodes,
        "--stage",
        "remote",
        "--admin",
        "127.0.0.1:0",
        "--lookup-timeout",
        "30s",
        "--tokens",
        ours.to_str().unwrap(),
        "--tls-cert",
        &path("server.pem"),
        "--tls-key",
        &path("server.key"),
    ])
    .await;
    let (url, admin) = (server.address.clone(), server.said("admin on ").await);
    assert!(url.starts_with("https://") && admin.starts_with("https://"), "{url} {admin}");

    postcode_core::remote::tls_provider();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(path("ca.pem")).unwrap()).unwrap();
    let client = Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let ada = json!({ "name": "Ada", "email": "ada@example.com", "postcode": "sw1a1aa", "address_lines": ["1 The Mall"] });
    let customers = format!("{url}/customers");
    let (status, refused) = ask(&client, Method::POST, customers.clone(), None, Some(ada.clone())).await;
    assert_eq!((status, &refused["code"]), (401, &json!("token_required")));
    let (status, made) = ask(&client, Method::POST, customers.clone(), Some(&clerk), Some(ada)).await;
    assert_eq!((status, &made["address_status"]), (201, &json!("verified")), "{made}");
    let erase = format!("{customers}/{}/erase", made["id"].as_str().unwrap());
    let (status, refused) = ask(&client, Method::POST, erase, Some(&clerk), Some(json!({}))).await;
    assert_eq!((status, &refused["code"]), (403, &json!("scope_missing")));

    for (path, right, wrong) in
        [("/promotion", &operator, &clerk), ("/metrics", &token(&ours, &[Scope::Metrics], "m"), &operator)]
    {
        let at = format!("{admin}{path}");
        assert_eq!(ask(&client, Method::GET, at.clone(), None, None).await.0, 401, "{path}");
        assert_eq!(ask(&client, Method::GET, at.clone(), Some(wrong), None).await.0, 403, "{path}");
        if path == "/metrics" {
            // The file has a token more than at the start.
            server.signal("HUP");
            let started = std::time::Instant::now();
            while ask(&client, Method::GET, at.clone(), Some(right), None).await.0 != 200 {
                assert!(started.elapsed().as_secs() < 60, "the new token was never accepted");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        } else {
            assert_eq!(ask(&client, Method::GET, at, Some(right), None).await.0, 200, "{path}");
        }
    }
    // A browser gets a page in place of the refusal, and programs what they always got.
    let opened = async |at: String, token: Option<&str>| {
        let request = client.get(at).header("accept", "text/html,*/*;q=0.8");
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        let response = request.send().await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let headers =
            ["content-type", "www-authenticate", "cache-control", "content-security-policy"].map(header);
        (response.status().as_u16(), headers.map(Option::unwrap_or_default), response.text().await.unwrap())
    };
    for (at, part) in [
        (format!("{admin}/walk"), "src=\"sign-in.js\""),
        (format!("{admin}/walk/certificate"), "src=\"../sign-in.js\""),
        (format!("{url}/list"), "href=\"./\""),
        (format!("{url}/edit/x"), "href=\".././\""),
    ] {
        let (status, [kind, challenge, cache, policy], page) = opened(at.clone(), None).await;
        assert_eq!((status, &*kind, &*cache), (401, "text/html; charset=utf-8", "no-store"), "{at}");
        assert!(challenge.starts_with("Bearer realm="), "{at}: {challenge}");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert!(page.contains(part) && !page.contains("Ada"), "{at}: {page}");
    }
    let (status, [_, challenge, ..], _) = opened(format!("{admin}/walk"), Some(&clerk)).await;
    assert_eq!(status, 403);
    assert!(challenge.contains("scope=\"admin\""), "{challenge}");
    let (status, _, page) = opened(format!("{admin}/walk"), Some(&operator)).await;
    assert!(status == 200 && page.contains("<section id=\"walk\">"), "{status} {page}");
    for file in ["/", "/page.css", "/page.js", "/sign-in.js", "/view.js"] {
        assert_eq!(opened(format!("{admin}{file}"), None).await.0, 200, "{file}");
    }
    let move_stage = json!({ "stage": "local" });
    let at = format!("{admin}/promotion");
    assert_eq!(ask(&client, Method::PUT, at.clone(), Some(&clerk), Some(move_stage.clone())).await.0, 403);
    let (status, moved) = ask(&client, Method::PUT, at, Some(&operator), Some(move_stage)).await;
    assert_eq!((status, &moved["stage"]), (200, &json!("local")));
    let shown = moved["sources"]["new"].as_str().unwrap();
    assert!(shown.contains("token_file=") && !shown.contains("pct_"), "{shown}");
    for (at, status) in
        [(format!("{url}/"), 200), (format!("{url}/ready"), 200), (format!("{admin}/health"), 200)]
    {
        assert_eq!(client.get(at).send().await.unwrap().status(), StatusCode::from_u16(status).unwrap());
    }
    assert_eq!(server.end("TERM").await.0, Some(0));
}

#[tokio::test]
async fn customers_without_tokens_do_not_listen_where_others_can_reach_them() {
    let dir = TempDir::new().unwrap();
    let database = format!("sqlite://{}", dir.path().join("customers.db").display());
    let usual = ["serve", "--database", &database];
    let admin = ["--promote-to", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0"];
    for more in [&["--listen", "0.0.0.0:0"][..], &admin] {
        let refused = program(&[&usual, more].concat()).output().await.unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("--tokens FILE") && said.contains("--allow-unauthenticated"), "{said}");
        assert!(refused.stdout.is_empty());
    }
    let server =
        Server::start(&["--database", &database, "--listen", "0.0.0.0:0", "--allow-unauthenticated"]).await;
    assert_eq!(server.end("TERM").await.0, Some(0));
}
