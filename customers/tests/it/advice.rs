//! Advice of the compiled program, from a probe of this machine.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use crate::http::{Server, exchange, send};
use crate::service;
use serde_json::{Value, json};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn advice_predicts_each_place_that_can_be_probed_and_says_stay() {
    let service = service::start().await;
    let dir = TempDir::new().unwrap();
    let database = format!("sqlite://{}", dir.path().join("customers.db").display());
    let options = ["--listen", "127.0.0.1:0", "--database", &database, "--lookup-timeout", "30s"];
    let promotion = ["--promote-to", &service, "--admin", "127.0.0.1:0", "--probe-time", "200ms"];
    let mut server = Server::start(&[&options[..], &promotion].concat()).await;
    let admin = server.said("admin on ").await;
    for number in 0..8 {
        let email = format!("a{number}@example.com");
        let new =
            json!({ "name": "Ada", "email": email, "postcode": "SW1A 1AA", "address_lines": ["1 High St"] });
        let (status, made) = send(&server.address, "POST", "/customers", Some(&new)).await.unwrap();
        assert_eq!(status, 201, "{made}");
    }

    let path = "/promotion/advice?processes=2&machines=3";
    let (status, advice) = send(&admin, "GET", path, None).await.unwrap();
    assert_eq!(status, 200, "{advice}");
    assert_eq!((&advice["now"], &advice["deployment"]["machines"]), (&json!("embedded"), &json!(3.0)));
    let predictions = advice["predictions"].as_array().unwrap();
    let places: Vec<&Value> = predictions.iter().map(|prediction| &prediction["place"]).collect();
    assert_eq!(places, ["embedded", "file", "replica", "unix", "tcp"], "{advice}");
    let measured: Vec<&Value> = predictions.iter().map(|prediction| &prediction["measured"]).collect();
    assert_eq!(measured, [true, false, false, false, true]);
    for prediction in predictions {
        for number in ["p50_us", "p99_us", "cpu_us", "memory_bytes", "month"] {
            assert!(prediction[number].as_f64().is_some_and(|number| number > 0.0), "{number}: {prediction}");
        }
    }
    // Equal calls: a cache would have answered all but the first.
    let saved = advice["savings"][0]["cache"][1].as_f64().unwrap();
    assert!(saved > 0.5, "{advice}");

    // Asked for again, the machine is not probed again.
    let (_, again) = send(&admin, "GET", "/promotion/advice", None).await.unwrap();
    assert_eq!(again["probe"], advice["probe"]);
    let (status, problem) = send(&admin, "GET", "/promotion/advice?processes=none", None).await.unwrap();
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_deployment")));

    let local = [("host", "localhost")];
    let (status, content, page) = exchange(&admin, "GET", "/advice?machines=3", &local, "").await.unwrap();
    assert_eq!((status, &*content), (200, "text/html; charset=utf-8"), "{page}");
    for part in
        ["<th scope=\"row\">embedded</th>", "name=\"machines\" inputmode=\"decimal\" value=\"3\"", "lookup"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script"));
    assert_eq!(server.end("TERM").await, (Some(0), String::new()));
}
