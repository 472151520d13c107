//! Asserts each difference between the two modes, so that the list stays true. Answers never
//! differ.

use std::error::Error as _;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures::task::noop_waker_ref;
use postcode_core::conformance::Fixture;
use postcode_core::remote::Transport;
use postcode_core::{
    AreaKind, Areas, Error, ErrorKind, Local, OwnedArea, Postcode, PostcodeLookup, PostcodeLookupExt, Record,
    Remote, Result, connect,
};

use crate::conformance::implementations::memory;
use crate::conformance::in_memory::Duplex;

fn postcode() -> Postcode {
    "M1 1AD".parse().unwrap()
}

/// A transport to a service that fails in one way.
#[derive(Debug)]
struct Always(fn() -> Result<http::Response<bytes::Bytes>>);

#[async_trait]
impl Transport for Always {
    async fn send(&self, _: http::Request<bytes::Bytes>, _: usize) -> Result<http::Response<bytes::Bytes>> {
        self.0()
    }
}

fn remote(answer: fn() -> Result<http::Response<bytes::Bytes>>) -> Remote {
    Remote::builder("http://service?retries=0").transport(Always(answer)).build().unwrap()
}

/// Checks that some kinds of errors come only from a remote lookup. In process an open lookup fails
/// on bad input only. A service can be away, slow, busy, or not a postcode-service at all.
#[tokio::test]
async fn only_a_remote_one_fails_for_the_moment() {
    for (answer, kind) in [
        (
            (|| Err(Error::new(ErrorKind::Unavailable, "refused"))) as fn() -> Result<_>,
            ErrorKind::Unavailable,
        ),
        (|| Err(Error::new(ErrorKind::Timeout, "no connection")), ErrorKind::Timeout),
        (
            || Ok(http::Response::builder().status(503).body(bytes::Bytes::new()).unwrap()),
            ErrorKind::Overloaded,
        ),
        (|| Ok(http::Response::new(bytes::Bytes::from_static(b"<html>"))), ErrorKind::Protocol),
    ] {
        let error = remote(answer).get(postcode()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(memory().get(postcode()).await.is_ok());
    }
}

/// Checks that a missing file is an error of `connect`, and a missing service one of the first
/// call.
#[tokio::test]
async fn a_local_one_fails_when_it_is_opened_and_a_remote_one_when_it_is_asked() {
    let error = connect("file:/nowhere/uk.postcodes").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Dataset);
    let nobody = postcode_testing::Nobody::new();
    let url = format!("{}?retries=0", nobody.url());
    let error = connect(&url).await.unwrap().get(postcode()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

/// Checks that errors of equal kind have different texts: a remote one names method, URL and
/// request.
#[tokio::test]
async fn an_error_of_the_service_names_the_request() {
    let refusing = remote(|| {
        let body =
            r#"{"status":400,"error":"no","code":"invalid_input","request_id":"r-1","retryable":false}"#;
        let response = http::Response::builder().status(400).header("content-type", "application/json");
        Ok(response.body(bytes::Bytes::from_static(body.as_bytes())).unwrap())
    });
    let error = refusing.outcode("M1".parse().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::InvalidInput, Some("r-1")));
    assert!(error.to_string().starts_with("GET http://service/outcodes/M1"), "{error}");
    let error = memory().autocomplete("M1", 0).await.unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::InvalidInput, None));
    assert_eq!(error.to_string(), "a limit of 0: give 1 to 100");
}

/// Checks that the chain of causes ends at the process: the cause in the service is in its log,
/// with the request's id.
#[tokio::test]
async fn the_causes_of_a_failed_service_stay_there() {
    let failing = remote(|| {
        let body = r#"{"status":500,"error":"Internal error","code":"internal","retryable":false}"#;
        let response = http::Response::builder().status(500).header("content-type", "application/json");
        Ok(response.body(bytes::Bytes::from_static(body.as_bytes())).unwrap())
    });
    let error = failing.get(postcode()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.source().is_none());
    let local = Local::open("/nowhere/uk.postcodes").unwrap_err();
    assert!(local.source().is_some(), "the system's error is here");
}

/// Checks that an error after our own retries is marked. In process nothing is ever retried.
#[tokio::test]
async fn only_a_remote_error_can_be_persistent() {
    let busy = Always(|| Err(Error::new(ErrorKind::Unavailable, "refused")));
    let remote = Remote::builder("http://service?retries=1").transport(busy).build().unwrap();
    let error = remote.get(postcode()).await.unwrap_err();
    assert!(error.is_persistent() && !error.is_transient());
    let refused = memory().autocomplete("M1", 0).await.unwrap_err();
    assert!(!refused.is_persistent() && !refused.is_transient());
}

/// Checks that a local call is ready at the first poll, and a remote one waits.
#[tokio::test]
async fn a_local_call_never_waits() {
    let mut context = Context::from_waker(noop_waker_ref());
    let local = Arc::new(memory());
    let asked = [postcode()];
    let mut call = local.lookup(&asked);
    assert!(matches!(call.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    let remote = Duplex::over(local.clone()).await.remote();
    let mut call = remote.lookup(&asked);
    assert!(call.as_mut().poll(&mut context).is_pending());
}

/// Checks that a local call needs no runtime, and a remote one needs tokio's.
#[test]
fn a_local_call_needs_no_runtime() {
    let answer = futures::executor::block_on(memory().get(postcode())).unwrap();
    assert!(answer.is_live());
}

/// Checks that a running call keeps its edition in process. Over HTTP the service may change its
/// data between two requests of one batch. Requests of the old edition are repeated, and if the
/// data never stops changing the batch is `Unavailable` rather than mixed.
#[tokio::test]
async fn a_service_that_never_stops_changing_its_data_is_unavailable() {
    #[derive(Debug)]
    struct Restless(Duplex, std::sync::atomic::AtomicU64);

    #[async_trait]
    impl Transport for Restless {
        async fn send(
            &self,
            request: http::Request<bytes::Bytes>,
            limit: usize,
        ) -> Result<http::Response<bytes::Bytes>> {
            let n = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut response = self.0.send(request, limit).await?;
            let edition = http::HeaderValue::from_str(&format!("edition-{n}")).unwrap();
            response.headers_mut().insert(postcode_core::wire::EDITION_HEADER, edition);
            Ok(response)
        }
    }
    let local = Arc::new(memory());
    let duplex = Duplex::over(local.clone()).await;
    let remote = Remote::builder("http://service?batch=1&retries=0&deadline=60s")
        .timeout(Duration::from_secs(60))
        .transport(Restless(duplex, 0.into()))
        .build()
        .unwrap();
    let asked = ["M1 1AD", "M1 1AE", "M2 1AA"].map(|text| text.parse().unwrap());
    assert!(local.lookup(&asked).await.is_ok());
    let error = remote.lookup(&asked).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("different editions"), "{error}");
}

/// Checks what only a dataset can hold: an alias of areas other than [`AreaKind::Ccg`] and
/// [`AreaKind::Nuts`], and a name of an output area. The wire format of postcodes.io has no place
/// for them. No source has any.
#[tokio::test]
async fn what_the_model_has_no_use_for_does_not_go_over_the_wire() {
    let all = AreaKind::ALL.map(|kind| {
        let area = OwnedArea { code: Some("A1".into()), name: Some("name".into()), alias: Some("B2".into()) };
        (kind, area)
    });
    let mut record = Record::live(postcode());
    record.areas = Areas::owned(all);
    let fixture = Fixture::new(Fixture::small().info().clone(), [record]);
    let local = Arc::new(Local::new(fixture.dataset().unwrap()));
    let remote = Duplex::over(local.clone()).await.remote();
    let (here, there) = (local.get(postcode()).await.unwrap(), remote.get(postcode()).await.unwrap());
    for kind in AreaKind::ALL {
        let (here, there) = (here.record().unwrap().area(kind), there.record().unwrap().area(kind));
        let (here, there) = (here.unwrap(), there.unwrap());
        assert_eq!((here.code, here.name, here.alias), (Some("A1"), Some("name"), Some("B2")), "{kind:?}");
        let alias = matches!(kind, AreaKind::Ccg | AreaKind::Nuts).then_some("B2");
        let name = (kind != AreaKind::OutputArea21).then_some("name");
        assert_eq!((there.code, there.name, there.alias), (Some("A1"), name, alias), "{kind:?}");
    }
}
