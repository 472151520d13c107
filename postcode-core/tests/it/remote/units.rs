//! Tests that the client demands the edition that its caller demands.

use std::future::ready;

use bytes::Bytes;
use http::Response;
use postcode_core::{ErrorKind, PostcodeLookup, unit};

use crate::remote::fake::{Script, postcode};

fn answer(status: u16, edition: &str, body: &str) -> Response<Bytes> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.header("postcode-edition", edition).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

const UNKNOWN: &str = r#"{"status":200,"result":[{"query":"AB10 1AB","status":"unknown","result":null}]}"#;

#[tokio::test(start_paused = true)]
async fn request_says_which_edition_its_caller_demands() {
    let script = Script::new(|_, request| {
        let demanded = request.headers().get("if-edition").map(|value| value.to_str().unwrap());
        let info = request.uri().path().ends_with("/dataset/info");
        assert_eq!(demanded, if info { None } else { Some("one") });
        let moved = r#"{"status":412,"error":"it has moved","code":"edition_moved","retryable":false}"#;
        ready(Ok(answer(412, "two", moved)))
    });
    let seen = script.seen.clone();
    let remote = script.remote();
    unit::at_edition("one", async {
        let error = remote.lookup(&[postcode("AB10 1AB")]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EditionMoved, "{error}");
        assert!(!error.is_transient() && error.to_string().contains("it has moved"), "{error}");
        let _ = remote.info().await;
    })
    .await;
    assert_eq!(seen.lock().unwrap().len(), 2, "a moved edition is not asked for again");
}

#[tokio::test(start_paused = true)]
async fn answer_of_an_older_server_from_another_edition_is_refused() {
    let script = Script::new(|_, _| ready(Ok(answer(200, "two", UNKNOWN))));
    let remote = script.remote();
    let lookup = [postcode("AB10 1AB")];
    let error = unit::at_edition("one", remote.lookup(&lookup)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EditionMoved);
    assert!(error.to_string().contains("\"two\""), "{error}");
    assert!(unit::at_edition("two", remote.lookup(&lookup)).await.is_ok());
    assert!(remote.lookup(&lookup).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn demand_that_no_header_can_hold_is_an_error_and_sends_nothing() {
    let script = Script::new(|_, _| ready(Ok(answer(200, "two", UNKNOWN))));
    let seen = script.seen.clone();
    let remote = script.remote();
    let error = unit::at_edition("a\nb", remote.lookup(&[postcode("AB10 1AB")])).await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
    assert!(seen.lock().unwrap().is_empty());
}
