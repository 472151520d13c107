//! Tests batches: how they are split, their edition, and answers that do not match the request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use postcode_core::{Answer, ErrorKind, Postcode, PostcodeLookup, Remote, Result};
use serde_json::{Value, json};

use crate::remote::fake::{Fake, InMemory, Kind, Script, postcode, postcodes};

/// Returns different postcodes, of which the fake knows one in ten.
fn many(count: usize) -> Vec<Postcode> {
    let letters = b"ABDEFGHJLNPQRSTUWXYZ";
    (0..count)
        .map(|i| match i % 10 {
            9 => postcode("M1 1AD"),
            _ => {
                let unit = [letters[i / 10 % 20], letters[i / 200 % 20]];
                postcode(&format!("AB3{} {}{}{}", i / 4000, i % 10, unit[0] as char, unit[1] as char))
            }
        })
        .collect()
}

#[tokio::test]
async fn a_batch_is_split_and_joined_in_order() {
    for (count, batch, requests) in [(1, 100, 1), (100, 100, 1), (101, 100, 2), (1050, 100, 11), (25, 1, 25)]
    {
        let fake = Fake::new(Kind::PostcodeService);
        let asked = many(count);
        let answers = fake.remote_with(&format!("?batch={batch}")).lookup(&asked).await.unwrap();
        let expected: Vec<_> = asked.iter().map(|postcode| fake.answer(*postcode)).collect();
        assert_eq!(answers, expected);
        assert_eq!(fake.requests().len(), requests, "{count} by {batch}");
    }
}

#[tokio::test]
async fn a_batch_larger_than_the_server_takes_says_what_to_do() {
    let fake = Fake::new(Kind::PostcodeService);
    let error = fake.remote_with("?batch=1000").lookup(&many(101)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let message = error.to_string();
    assert!(message.contains("Too many postcodes") && message.contains("lower option batch"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_run_at_a_time_than_allowed() {
    for allowed in [1, 3] {
        let fake = Fake::new(Kind::PostcodeService);
        let inner = Arc::new(InMemory(fake.router()));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let script = Script::new(move |_, request| {
            let (inner, running, most) = (Arc::clone(&inner), Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                postcode_core::remote::Transport::send(&*inner, request, usize::MAX).await
            }
        });
        let remote = script.remote_with(&format!("?batch=10&concurrency={allowed}"));
        let _ = remote.lookup(&many(95)).await;
        assert_eq!(seen.load(Ordering::SeqCst), allowed);
    }
}

/// Creates a fake whose edition is a function of the number of the request.
fn changing(edition: impl Fn(usize) -> String + Send + Sync + 'static) -> (Arc<Fake>, Remote) {
    let fake = Fake::new(Kind::PostcodeService);
    let inner = InMemory(fake.router());
    let (inner, shared) = (Arc::new(inner), Arc::clone(&fake));
    let one_by_one = Arc::new(tokio::sync::Mutex::new(()));
    let script = Script::new(move |n, request| {
        let (inner, fake, turn) = (Arc::clone(&inner), Arc::clone(&shared), Arc::clone(&one_by_one));
        let edition = edition(n);
        async move {
            let _turn = turn.lock().await;
            *fake.edition.lock().unwrap() = edition;
            postcode_core::remote::Transport::send(&*inner, request, usize::MAX).await
        }
    });
    let remote = Remote::builder("http://fake?batch=10").transport(script).build().unwrap();
    (fake, remote)
}

#[tokio::test]
async fn a_new_edition_between_requests_is_asked_for_again() {
    let (fake, remote) = changing(|n| if n < 3 { "one".to_owned() } else { "two".to_owned() });
    let asked = many(50);
    let answers = remote.lookup(&asked).await.unwrap();
    assert_eq!(answers.len(), 50);
    assert_eq!(fake.requests().len(), 5 + 3, "the three of the old edition again");
}

#[tokio::test]
async fn editions_that_never_agree_are_an_error() {
    let (fake, remote) = changing(|n| format!("edition {n}"));
    let error = remote.lookup(&many(40)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_persistent());
    assert!(error.to_string().contains("different editions (edition "), "{error}");
    // All but the last one are requested again, three times.
    assert_eq!(fake.requests().len(), 4 + 3 * 3);
}

/// Creates a server that changes the right answer to a batch with a function.
fn answering(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Remote {
    let change = Arc::new(Mutex::new(change));
    Script::new(move |_, request: Request<Bytes>| {
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let mut items: Vec<Value> = asked["postcodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| json!({"query": text, "status": "live", "result": {"postcode": text}}))
            .collect();
        change.lock().unwrap()(&mut items);
        let body = json!({"status": 200, "result": items}).to_string();
        let response =
            Response::builder().header("content-type", "application/json").body(Bytes::from(body)).unwrap();
        std::future::ready(Ok(response))
    })
    .remote_with("")
}

async fn three(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Result<Vec<Answer>> {
    answering(change).lookup(&postcodes(&["AB10 1AB", "AB10 1AF", "M1 1AD"])).await
}

#[tokio::test]
async fn answers_that_do_not_fit_are_a_protocol_error() {
    assert_eq!(three(|_| {}).await.unwrap().len(), 3);
    type Change = fn(&mut Vec<Value>);
    let changes: [(&str, Change); 9] = [
        ("the request was for 3 postcodes, but the response has 2", |items| {
            items.pop();
        }),
        ("the request was for 3 postcodes, but the response has 4", |items| items.push(items[0].clone())),
        ("the request was for \"AB10 1AF\", but the response has \"M1 1AD\"", |items| items.swap(1, 2)),
        ("but the response has \"AB101AB\"", |items| items[0]["query"] = "AB101AB".into()),
        ("the request was for AB10 1AB, but the response is for AB10 9ZZ", |items| {
            items[0]["result"]["postcode"] = "AB10 9ZZ".into()
        }),
        ("sent an invalid", |items| items[0]["result"]["postcode"] = "nonsense".into()),
        ("status \"live\" and no record", |items| items[0]["result"] = Value::Null),
        ("status \"asleep\"", |items| items[0]["status"] = "asleep".into()),
        ("one status and its record with another", |items| {
            items[0]["result"]["status"] = "terminated".into();
        }),
    ];
    for (says, change) in changes {
        let error = three(change).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{says}");
        let message = error.to_string();
        assert!(message.starts_with("POST http://fake:8080/prefix/postcodes?extended=true: "), "{message}");
        assert!(message.contains(says), "{says}: {message}");
    }
}
