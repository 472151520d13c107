//! Inputs of public reports that are about customers, each by its kind: with an invented example of the kind, and with the
//! recorded one where the shared data is there. The others are in the tests of `postcode-service`.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::pin::Pin;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use customers::{Customers, server};
use serde_json::{Value, json};

use crate::databases::Database;
use crate::lookups::Mode;
use crate::router::{self, Answer, ada, get, raw, send, with};

struct Bench {
    api: Router,
    customers: Customers,
    // Dropped last.
    _database: Database,
}

impl Bench {
    async fn new() -> Self {
        let database = Database::file();
        let (customers, _) = router::customers(&database, Mode::Answers).await;
        Self { api: server::router(customers.clone()), customers, _database: database }
    }

    async fn create(&self, change: Value) -> Answer {
        let mut body = ada("M1 1AE");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        send(&self.api, "POST", "/customers", &body).await
    }

    /// Imports a file; returns the import when it is done.
    async fn imported(&self, file: String) -> Value {
        let request = Request::post("/imports").header("content-type", "text/csv");
        let taken = raw(&self.api, request.body(Body::from(file)).unwrap()).await;
        assert_eq!(taken.status, 202, "{}", taken.text);
        while self.customers.import_some().await.unwrap() {}
        get(&self.api, &format!("/imports/{}", taken.json()["id"].as_str().unwrap())).await.json()
    }

    async fn found(&self, name: &str) -> usize {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let page = get(&self.api, &format!("/customers?name={encoded}")).await;
        page.json()["items"].as_array().unwrap_or_else(|| panic!("{}", page.text)).len()
    }
}

type Checked<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

type Check = for<'a> fn(&'a Bench, &'a str) -> Checked<'a>;

/// Each case with an invented input of its kind. Where the input is a description, it is only compared.
const CASES: &[(&str, &str, Check)] = &[
    ("bug-056", "2 MB JSON to customers", |bench, _| {
        Box::pin(async {
            // That the answer reaches a client which still sends is shown by .ci/refusals and the tests of postcode-edge.
            let request = Request::post("/customers").header("content-type", "application/json");
            let answer = raw(&bench.api, request.body(Body::from(vec![b' '; 2 << 20])).unwrap()).await;
            answer.problem(413, "too_large");
        })
    }),
    ("bug-101", "phone pasted as U+202A 020 7946 0018 U+202C", |bench, input| {
        Box::pin(async move {
            let phone = input.trim_start_matches("phone pasted as ");
            let pasted = phone.replace("U+202A ", "\u{202a}").replace(" U+202C", "\u{202c}");
            let answer = bench.create(json!({ "phone": pasted })).await;
            let digits: String = phone
                .replace("U+202A", "")
                .replace("U+202C", "")
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            let stored =
                answer.json()["phone"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
            assert_eq!(
                stored.trim_start_matches("+44"),
                digits.trim_start_matches("44").trim_start_matches('0')
            );
        })
    }),
    ("bug-103", "2079460018 ; 442079460018 ; ext 7", |bench, input| {
        Box::pin(async move {
            // Which country it is would be a guess.
            for phone in input.split(" ; ") {
                let answer = bench.create(json!({ "phone": phone })).await;
                assert_eq!(answer.status, 422, "{phone}");
                assert_eq!(answer.fields(), ["phone"], "{phone}");
            }
        })
    }),
    ("bug-105", "two accounts 'Zoë', one NFC and one NFD", |bench, _| {
        Box::pin(async {
            for name in ["Zoë", "Zoe\u{308}"] {
                assert_eq!(bench.create(json!({ "name": name })).await.status, 201);
            }
            for name in ["Zoë", "Zoe\u{308}", "zoe"] {
                assert_eq!(bench.found(name).await, 2, "{name}");
            }
        })
    }),
    ("bug-106", "D'Arcy / D’Arcy", |bench, input| {
        Box::pin(async move {
            let names = input.split(" / ");
            for name in names.clone() {
                assert_eq!(bench.create(json!({ "name": name })).await.status, 201);
            }
            for name in names {
                assert_eq!(bench.found(name).await, 2, "{name}");
            }
        })
    }),
    ("bug-107", "a row without its last cells", |bench, _| {
        Box::pin(async {
            let file = "name,email,postcode,address,phone,notes\nA,short@example.com,M1 1AE,1 High St\n";
            let import = bench.imported(file.to_owned()).await;
            assert_eq!((&import["created"], &import["failed"]), (&json!(1), &json!(0)), "{import}");
        })
    }),
    ("bug-109", "',,,' rows", |bench, input| {
        Box::pin(async move {
            let empty = input.split('\'').nth(1).unwrap();
            let file = format!(
                "name,email,postcode,address\nB,rows@example.com,M1 1AE,1 High St\n{empty}\n{empty}\n"
            );
            let import = bench.imported(file).await;
            assert_eq!((&import["total"], &import["created"]), (&json!(1), &json!(1)), "{import}");
        })
    }),
    ("bug-112", "Post Code, E-mail, Address Line 1; ';' or tab CSV", |bench, input| {
        Box::pin(async move {
            let headings = input.split("; ").next().unwrap().replace(", ", ";");
            for (n, delimiter) in [";", "\t"].into_iter().enumerate() {
                let file = format!("Name;{headings}\nC;M1 1AE;head{n}@example.com;1 High St\n");
                let import = bench.imported(file.replace(';', delimiter)).await;
                assert_eq!(import["created"], 1, "{import}");
            }
        })
    }),
    ("bug-113", "the same JSON in another order", |bench, _| {
        Box::pin(async {
            let body = ada("M1 1AE");
            let key = [("idempotency-key", "one")];
            let first = with(&bench.api, "POST", "/customers", &key, &body).await;
            let turned: Vec<String> = body
                .as_object()
                .unwrap()
                .iter()
                .rev()
                .map(|(key, value)| format!("{key:?}:{value}"))
                .collect();
            let request = Request::post("/customers")
                .header("content-type", "application/json")
                .header("idempotency-key", "one");
            let again =
                raw(&bench.api, request.body(Body::from(format!("{{{}}}", turned.join(",")))).unwrap()).await;
            assert_eq!((again.status.as_u16(), &again.json()["id"]), (201, &first.json()["id"]));
        })
    }),
    ("bug-118", "STHL 1ZZ, BFPO 5 as the address's code", |bench, input| {
        Box::pin(async move {
            for postcode in input.split(" as the").next().unwrap().split(", ") {
                let answer = bench.create(json!({ "postcode": postcode })).await;
                assert_eq!(answer.status, 422, "{postcode}: {}", answer.text);
                assert_eq!(answer.fields(), ["postcode"], "{postcode}");
            }
        })
    }),
];

#[tokio::test]
async fn invented_inputs_of_each_reported_kind_are_read_rightly() {
    for (id, input, check) in CASES {
        println!("{id}: {input}");
        check(&Bench::new().await, input).await;
    }
}

#[tokio::test]
async fn recorded_inputs_of_each_report_are_read_rightly() {
    let Some(recorded) = postcode_testing::recorded_files(true) else { return };
    let ours: Vec<&String> = recorded.keys().collect();
    assert_eq!(ours, CASES.iter().map(|(id, ..)| id).collect::<Vec<_>>(), "each case has its check");
    for (id, _, check) in CASES {
        let input = &*recorded[*id];
        println!("{id}: {input}");
        check(&Bench::new().await, input).await;
    }
}
