//! The compiled program walks from the country in its process to a service by itself.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::{Arc, Mutex};

use postcode_core::Local;
use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::layers::Stage;
use postcode_core::layers::walk::{Cause, Certificate, Outcome};
use postcode_testing::{Nobody, until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http::{Server, exchange, program, send};
use crate::service;

/// A webhook that keeps what it is sent. It refuses the first request, which must be sent again.
struct Hook {
    url: String,
    got: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/moves", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let keep = got.clone();
        tokio::spawn(async move {
            let mut first = true;
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = String::new();
                let mut buffer = [0; 4096];
                let body = loop {
                    let read = stream.read(&mut buffer).await.unwrap();
                    assert!(read > 0, "{text}");
                    text += std::str::from_utf8(&buffer[..read]).unwrap();
                    if let Some((_, body)) = text.split_once("\r\n\r\n")
                        && let Ok(body) = serde_json::from_str::<Value>(body)
                    {
                        break body;
                    }
                };
                assert!(text.starts_with("POST /moves HTTP/1.1\r\n"), "{text}");
                is_signed(&text);
                let status =
                    if std::mem::take(&mut first) { "503 Service Unavailable" } else { "204 No Content" };
                if status.starts_with("204") {
                    keep.lock().unwrap().push(body);
                }
                let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, got }
    }
}

const NEW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0=";

/// Verifies a request with either of the two secrets, as a receiver that has not changed yet does.
fn is_signed(request: &str) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap().1.to_owned()
    };
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let mut signed: Vec<String> = header("webhook-signature").split(' ').map(str::to_owned).collect();
    let mut expected = Vec::new();
    for secret in [NEW_SECRET, OLD_SECRET] {
        let secrets: postcode_edge::webhook::WebhookSecrets = secret.parse().unwrap();
        expected.push(secrets.sign("", &id, timestamp.parse().unwrap(), body.as_bytes()).unwrap());
    }
    signed.sort();
    expected.sort();
    assert_eq!(signed, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn program_walks_by_itself_tells_each_move_and_leaves_a_signed_certificate() {
    let (hook, dir) = (Hook::start().await, TempDir::new().unwrap());
    let mut builder = DatasetBuilder::new(Metadata::new("2025-11"));
    builder.push(&Row::live("SW1A 1AA".parse().unwrap())).unwrap();
    let dataset = builder.build().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("one.postcodes"), dataset.as_bytes()).unwrap();
    let old = format!("file:{}", path("one.postcodes"));
    let service = service::listing(Local::new(dataset)).await;
    let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    std::fs::write(path("walk.key"), pair.sk.to_box(None).unwrap().into_string()).unwrap();
    std::fs::write(path("hook.secret"), format!("{NEW_SECRET} {OLD_SECRET}\n")).unwrap();
    std::fs::write(
        path("walk.toml"),
        format!(
            r#"
            webhook = "{}"
            webhook_allow = ["127.0.0.1"]
            webhook_secret_file = "{}"
            certificate = "{}"
            signing_key = "{}"
            [[step]]
            stage = "local"
            at_least = "10ms"
            [[step]]
            stage = "shadow"
            share = "100%"
            compared = 20
            differences = "50%"
            [[step]]
            stage = "canary"
            share = "100%"
            errors = "50%"
            [[step]]
            stage = "remote-with-fallback"
            calls = 10
            "#,
            hook.url,
            path("hook.secret"),
            path("walk.json"),
            path("walk.key")
        ),
    )
    .unwrap();
    let database = format!("sqlite://{}", path("customers.db"));
    let file = path("walk.toml");
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--database",
        &database,
        "--lookup-timeout",
        "30s",
        "--recheck-every",
        "1h",
        "--postcodes",
        &old,
        "--promote-to",
        &service,
        "--admin",
        "127.0.0.1:0",
        "--walk",
        &file,
    ];
    let mut server = Server::start(&options).await;
    let admin = server.said("admin on ").await;
    let mut made = 0;
    while !std::path::Path::new(&path("walk.json")).exists() {
        let new = json!({ "name": "Ada", "email": format!("a{made}@example.com"), "postcode": "SW1A 1AA",
                          "address_lines": ["1 High St"] });
        let (status, answer) = send(&server.address, "POST", "/customers", Some(&new)).await.unwrap();
        assert_eq!(status, 201, "{answer}");
        made += 1;
    }
    let (_, seen) = send(&admin, "GET", "/promotion", None).await.unwrap();
    assert_eq!((&seen["stage"], &seen["failed"]), (&json!("remote-with-fallback"), &json!(0)), "{seen}");
    let get = async |path: &str| exchange(&admin, "GET", path, &[("host", "localhost")], "").await.unwrap();
    until("the certificate is on the page", async || get("/walk/certificate").await.0 == 200).await;
    let (_, content, certified) = get("/walk/certificate").await;
    assert_eq!(
        (content.as_str(), certified),
        ("application/json", std::fs::read_to_string(path("walk.json")).unwrap())
    );
    let (status, content, shown) = get("/walk").await;
    assert!(status == 200 && content.starts_with("text/html"), "{status} {content}");
    for text in [
        "The walk has ended: all steps are shown.",
        "walk/certificate",
        "to one of 100",
        "remote-with-fallback",
    ] {
        assert!(shown.contains(text) && !shown.contains("<script"), "{text}: {shown}");
    }
    until("all moves told", async || hook.got.lock().unwrap().len() == 5).await;
    assert_eq!(server.end("TERM").await, (Some(0), String::new()));

    let text = std::fs::read_to_string(path("walk.json")).unwrap();
    let certificate = Certificate::from_text(&text).unwrap();
    certificate.check().unwrap();
    assert_eq!(certificate.walked.outcome, Outcome::Done);
    let stages: Vec<(Cause, Stage)> =
        certificate.walked.moves.iter().map(|made| (made.cause, made.to)).collect();
    let expected = [
        (Cause::Began, Stage::Local),
        (Cause::Shown, Stage::Shadow),
        (Cause::Shown, Stage::Canary),
        (Cause::Shown, Stage::RemoteWithFallback),
        (Cause::Shown, Stage::RemoteWithFallback),
    ];
    assert_eq!(stages, expected);
    assert!(certificate.walked.before.memory_bytes.is_some_and(|bytes| bytes > 1e6));
    assert_eq!((&certificate.old.source, certificate.old.edition.as_str()), (&old, "2025-11"));
    assert!(certificate.old.root.is_some() && certificate.old.root == certificate.new.root);
    let named: Vec<&str> = certificate.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(named, ["customers", "walk.toml", "one.postcodes"]);
    let signature = std::fs::read_to_string(path("walk.json.minisig")).unwrap();
    let key: postcode_core::dataset::PublicKey = pair.pk.to_base64().parse().unwrap();
    key.verify(text.as_bytes(), &signature).unwrap();
    let told = hook.got.lock().unwrap();
    let revisions: Vec<u64> = told.iter().map(|event| event["data"]["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
    assert_eq!((&told[1]["type"], &told[1]["data"]["to"]), (&json!("promotion.moved"), &json!("shadow")));
}

#[tokio::test]
async fn program_with_a_walk_that_can_not_be_walked_does_not_start() {
    let (nobody, dir) = (Nobody::new(), TempDir::new().unwrap());
    let file = dir.path().join("walk.toml").display().to_string();
    for (text, more, says) in [
        ("[[step]]\nstage = \"canary\"\n", &[][..], "nothing to show"),
        ("webhook = \"http://10.0.0.1\"\n[[step]]\nstage = \"canary\"\ncalls = 1\n", &[], "public internet"),
        ("[[step]]\nstage = \"canary\"\ncalls = 1\n", &["--guard", "off"], "needs the guard"),
    ] {
        std::fs::write(&file, text).unwrap();
        let url = nobody.url();
        let options =
            ["serve", "--listen", "127.0.0.1:0", "--database", "sqlite::memory:", "--promote-to", &url];
        let mut program = program(&[&options[..], &["--walk", &file], more].concat());
        let ended = program.output().await.unwrap();
        let error = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && error.contains(says), "{says}: {error}");
    }
}
