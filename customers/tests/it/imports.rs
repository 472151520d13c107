//! CSV files of customers, over the router and both databases.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use std::sync::Arc;

use crate::databases::{Database, on_both};
use crate::lookups::{Mode, Switch};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use customers::{Customers, MAX_IMPORTS, server};
use futures::FutureExt;
use http_body_util::BodyExt;
use postcode_core::ErrorKind;
use serde_json::{Value, json};
use tower::ServiceExt;

const HEADER: &str = "name,email,postcode,address\n";

struct Bench {
    customers: Customers,
    router: Router,
    lookup: Arc<Switch>,
    // Dropped last.
    _database: Database,
}

impl Bench {
    async fn on(database: Database) -> Self {
        let lookup = Arc::new(Switch::new(Mode::Answers));
        let customers = Customers::new(database.open().await, lookup.clone());
        let router = server::router(customers.clone());
        Self { customers, router, lookup, _database: database }
    }

    async fn ask(&self, request: Request<Body>) -> (u16, String) {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        (head.status.as_u16(), text)
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn send(&self, key: Option<&str>, file: impl Into<Body>) -> (u16, Value) {
        let mut request = Request::post("/imports").header("content-type", "text/csv");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let (status, text) = self.ask(request.body(file.into()).unwrap()).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    async fn import(&self, id: &Value) -> Value {
        let (status, text) = self.get(&format!("/imports/{}", id.as_str().unwrap())).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn report(&self, id: &Value, query: &str) -> Vec<String> {
        let (status, text) = self.get(&format!("/imports/{}/report{query}", id.as_str().unwrap())).await;
        assert_eq!(status, 200, "{text}");
        text.lines().map(str::to_owned).collect()
    }

    async fn work(&self) {
        while self.customers.import_some().await.unwrap() {}
    }

    async fn count(&self, query: &str) -> usize {
        let (_, text) = self.get(&format!("/customers?limit=1000{query}")).await;
        serde_json::from_str::<Value>(&text).unwrap()["items"].as_array().unwrap().len()
    }
}

on_both! { crate::databases::Database::file();
    each_row_is_an_account_or_says_why_not,
    headings_mean_what_the_request_says,
    it_is_taken_up_where_it_was_left,
    it_is_cancelled,
    one_key_is_one_import,
    what_is_no_file_of_customers_is_refused,
    of_files_on_their_way_there_are_two,
    files_of_other_tools_are_taken_and_optional_fields_lose_no_row,
    without_the_lookup_the_accounts_are_made_all_the_same,
    rows_that_failed_come_back_to_be_mended,
    rows_that_failed_are_deleted_on_request,
    a_file_is_read_however_it_is_written,
    sheet_and_place_of_the_headings_are_what_the_request_says,
}

async fn sheet_and_place_of_the_headings_are_what_the_request_says(database: Database) {
    let bench = Bench::on(database).await;
    let book = postcode_testing::workbook(&[
        vec!["Members of 2024"],
        vec!["", "Name", "Email", "Postcode", "Address"],
        vec!["0", "Ada", "ada@example.com", "SW1A 1AA", "1 The Mall"],
    ]);
    let post = async |path: &str, body: Vec<u8>| {
        let request = Request::post(path).header("content-type", "text/csv").body(Body::from(body)).unwrap();
        let (status, text) = bench.ask(request).await;
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, seen) = post("/imports/preview?sheet=Kunden", book.clone()).await;
    assert_eq!((status, &seen["problem"]), (200, &Value::Null), "{seen}");
    assert_eq!(seen["notes"], json!(["the sheet \"Kunden\" of a workbook, as CSV"]));
    assert_eq!(seen["columns"][1], json!({ "heading": "Name", "column": "name" }));
    for path in ["/imports?sheet=Andere", "/imports/preview?sheet=Andere"] {
        let (status, refused) = post(path, book.clone()).await;
        assert_eq!((status, &refused["code"]), (422, &json!("invalid_import")), "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains("its sheets are \"Kunden\""), "{refused}");
    }
    let (status, import) = post("/imports?sheet=Kunden", book).await;
    assert_eq!((status, &import["total"]), (202, &json!(1)), "{import}");
    bench.work().await;
    assert_eq!(bench.import(&import["id"]).await["created"], 1);
    let report = bench.report(&import["id"], "").await;
    assert!(report[1].starts_with("3,created,"), "{report:?}");

    let rows = b"Bob,bob@example.com,M1 1AE,2 High St\nEve,nobody,M1 1AE,5 High St\n".to_vec();
    let (status, refused) = post("/imports", rows.clone()).await;
    assert_eq!(status, 422);
    assert!(refused["detail"].as_str().unwrap().contains("give header=none"), "{refused}");
    let map = "map=1=name&map=2=email&map=3=postcode&map=4=address";
    let (status, import) = post(&format!("/imports?header=none&{map}"), rows).await;
    assert_eq!((status, &import["total"]), (202, &json!(2)), "{import}");
    bench.work().await;
    assert_eq!(bench.import(&import["id"]).await["created"], 1);
    let report = bench.report(&import["id"], "").await;
    assert!(report[1].starts_with("1,created,") && report[2].starts_with("2,failed,"), "{report:?}");
    // Mended, it is sent with the same meanings. It has headings now.
    let (_, failed) = bench.get(&format!("/imports/{}/failed", import["id"].as_str().unwrap())).await;
    assert!(failed.starts_with("1,2,3,4,import_line,import_reason\nEve,nobody,"), "{failed}");
    let mended = failed.replace("nobody", "eve@example.com").into_bytes();
    let (status, again) = post(&format!("/imports?{map}"), mended).await;
    assert_eq!((status, &again["total"]), (202, &json!(1)), "{again}");
    bench.work().await;
    assert_eq!((bench.import(&again["id"]).await["created"].clone(), bench.count("").await), (json!(1), 3));
    let (status, wrong) = post("/imports?header=2", Vec::new()).await;
    assert_eq!((status, &wrong["code"]), (400, &json!("invalid_query")), "{wrong}");
}

async fn rows_that_failed_come_back_to_be_mended(database: Database) {
    let bench = Bench::on(database).await;
    let file = "\u{feff}E-mail;Name;Post Code;Address;Notes\r\n\
                ada@example.com;\"Ada; Countess\";sw1a1aa;1 The Mall;\r\n\
                bob@example.com;Bob;nonsense;\"2 High St\nLeeds\";=\"x\"\r\n\
                ADA@example.com;Ada;M1 1AE;1 The Mall\r\n\
                eve@example.com;Eve;M1 1AE;5 High St;x;y\r\n";
    let (_, import) = bench.send(None, file).await;
    bench.work().await;
    let path = format!("/imports/{}/failed", import["id"].as_str().unwrap());
    let (status, failed) = bench.get(&path).await;
    assert_eq!(status, 200, "{failed}");
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(failed.as_bytes());
    let headings: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(headings, ["E-mail", "Name", "Post Code", "Address", "Notes", "import_line", "import_reason"]);
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(rows[0][..6], ["bob@example.com", "Bob", "nonsense", "2 High St\nLeeds", "=\"x\"", "3"]);
    assert!(rows[0][6].contains("nonsense"), "{rows:?}");
    assert_eq!(rows[1][..6], ["ADA@example.com", "Ada", "M1 1AE", "1 The Mall", "", "5"]);
    assert!(rows[1][6].contains("another account"), "{rows:?}");
    assert_eq!((&*rows[2][5], &*rows[2][7]), ("6", "y"), "{rows:?}");
    // Mended, it is sent as it came.
    let mended = failed.replace("nonsense,", "M1 1AE,");
    let (status, again) = bench.send(None, mended).await;
    assert_eq!((status, &again["total"]), (202, &json!(3)), "{again}");
    bench.work().await;
    assert_eq!(bench.import(&again["id"]).await["created"], 1);
    let (_, failed_again) = bench.get(&format!("/imports/{}/failed", again["id"].as_str().unwrap())).await;
    assert_eq!(failed_again.matches("import_reason").count(), 1, "{failed_again}");
    // The data of a person who is erased is in no list.
    let report = bench.report(&import["id"], "?outcome=created").await;
    bench.customers.erase(report[1].split(',').nth(2).unwrap().parse().unwrap()).await.unwrap();
    let (_, failed) = bench.get(&path).await;
    assert!(!failed.contains("ADA@example.com") && failed.contains("bob@example.com"), "{failed}");
    let unknown = bench.get("/imports/018f0000-0000-7000-8000-000000000000/failed").await;
    assert_eq!(unknown.0, 404);
}

async fn rows_that_failed_are_deleted_on_request(database: Database) {
    let bench = Bench::on(database).await;
    let file =
        format!("{HEADER}Ada,ada@example.com,nonsense,1 The Mall\nBob,bob@example.com,M1 1AE,2 High St\n");
    let (_, import) = bench.send(None, file).await;
    bench.work().await;
    let path = format!("/imports/{}/failed", import["id"].as_str().unwrap());
    assert!(bench.get(&path).await.1.contains("ada@example.com"));
    let delete = async |path: &str| bench.ask(Request::delete(path).body(Body::empty()).unwrap()).await.0;
    assert_eq!(delete(&path).await, 204);
    let (status, failed) = bench.get(&path).await;
    assert!(status == 200 && failed.lines().count() == 1, "{failed}");
    // Which rows failed is still known, and not why: the reason may quote the row.
    assert_eq!(bench.report(&import["id"], "?outcome=failed").await[1], "2,failed,,");
    assert_eq!(bench.import(&import["id"]).await["failed"], 1);
    assert_eq!(delete("/imports/018f0000-0000-7000-8000-000000000000/failed").await, 404);
}

async fn a_file_is_read_however_it_is_written(database: Database) {
    let bench = Bench::on(database).await;
    for (n, way) in postcode_testing::WAYS.iter().enumerate() {
        let emails = [format!("zoe{n}@example.com"), format!("bob{n}@example.com")];
        let rows = [
            vec!["name", "email", "postcode", "address", "notes"],
            vec!["Zoë", &emails[0], "SW1A\u{a0}1AA", "1 High St", "a, b; \"c\"\td|e"],
            vec!["Bob", &emails[1], "=\"M1 1AE\"", "2 High St", "one\r\ntwo\rthree\nfour"],
        ];
        let (status, import) = bench.send(None, way.write(&rows)).await;
        assert_eq!((status, &import["total"]), (202, &json!(2)), "{}: {import}", way.name);
        bench.work().await;
        assert_eq!(bench.import(&import["id"]).await["created"], 2, "{}", way.name);
        let report = bench.report(&import["id"], "").await;
        assert!(report[1..].iter().all(|row| row.ends_with(',')), "{}: {report:?}", way.name);
        assert_eq!(bench.count("&district=westminster").await, n + 1, "{}", way.name);
        assert_eq!(bench.count("&name=zoe").await.min(1), 1, "{}", way.name);
    }
}

async fn headings_mean_what_the_request_says(database: Database) {
    let bench = Bench::on(database).await;
    let file = "Kunde,Mail,PLZ,Ort,Fax,Nr\nAda,ada@example.com,M1 1AE,1 High St,7,42\n";
    let ask = async |path: &str| {
        let request = Request::post(path).header("content-type", "text/csv").header("idempotency-key", "k");
        let (status, text) = bench.ask(request.body(file.into()).unwrap()).await;
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, seen) = ask("/imports/preview?map=Kunde=name").await;
    assert_eq!(status, 200, "{seen}");
    let columns = json!([
        { "heading": "Kunde", "column": "name" },
        { "heading": "Mail", "column": "email" },
        { "heading": "PLZ", "column": null },
        { "heading": "Ort", "column": null },
        { "heading": "Fax", "column": null },
        { "heading": "Nr", "column": null },
    ]);
    assert_eq!(seen["columns"], columns);
    assert_eq!(seen["rows"], json!([["Ada", "ada@example.com", "M1 1AE", "1 High St", "7", "42"]]));
    assert_eq!(seen["missing"], json!(["postcode", "address"]));
    assert!(seen["problem"].as_str().unwrap().contains("\"PLZ\" is not a column"));
    let (status, refused) = ask("/imports?map=Kunde=name").await;
    assert_eq!((status, &refused["code"]), (422, &json!("invalid_import")));

    let query = "map=Kunde=name&map=plz%3Dpostcode&map=Ort=address&map=Nr=reference:erp&others=ignore";
    assert_eq!(ask(&format!("/imports/preview?{query}")).await.1["problem"], Value::Null);
    let (status, import) = ask(&format!("/imports?{query}")).await;
    assert_eq!(status, 202, "{import}");
    assert_eq!(ask(&format!("/imports?{query}")).await.1["id"], import["id"], "the same once more");
    let (status, other) = ask("/imports?map=Kunde=name&map=plz=postcode&map=Ort=address&others=ignore").await;
    assert_eq!((status, &other["code"]), (422, &json!("idempotency_key_reused")), "another mapping");
    bench.work().await;
    let (_, text) = bench.get("/customers").await;
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all["items"][0]["references"], json!([{ "system": "erp", "id": "42" }]));
    assert_eq!(all["items"][0]["notes"], Value::Null);

    for query in ["map=Kunde", "map=Kunde=colour", "map=A=name&map=a=email", "others=maybe", "colour=blue"] {
        for path in ["/imports", "/imports/preview"] {
            let (status, body) = ask(&format!("{path}?{query}")).await;
            assert_eq!((status, &body["code"]), (400, &json!("invalid_query")), "{path}?{query}: {body}");
        }
    }
    // The key was used, but a mapping of a heading that the file does not have is refused first.
    let (status, body) = ask(&format!("/imports?{query}&map=Tel=phone")).await;
    assert_eq!(status, 422, "{body}");
    assert!(body["detail"].as_str().unwrap().contains("no column \"tel\""), "{body}");
}

async fn each_row_is_an_account_or_says_why_not(database: Database) {
    let bench = Bench::on(database).await;
    let file = format!(
        "{HEADER}Ada,ada@example.com,sw1a1aa,1 The Mall|London\n\
         Bob,ADA@example.com,M1 1AE,2 High St\n\
         ,c@example.com,nonsense,x\n\
         Dan,dan@example.com,M1 1AE,x,y\n\
         Eve,eve@example.com,M1 1AE,5 High St\n"
    );
    let (status, import) = bench.send(None, file).await;
    assert_eq!((status, &import["state"], &import["total"]), (202, &json!("queued"), &json!(5)), "{import}");
    bench.work().await;
    let done = bench.import(&import["id"]).await;
    assert_eq!(
        (&done["state"], &done["created"], &done["failed"]),
        (&json!("succeeded"), &json!(2), &json!(3)),
        "{done}"
    );
    assert!(done["finished_at"].is_string());
    let report = bench.report(&import["id"], "").await;
    assert_eq!(report[0], "line,outcome,customer_id,message");
    assert_eq!(report.len(), 6);
    assert!(report[1].starts_with("2,created,") && report[5].starts_with("6,created,"), "{report:?}");
    let failed = bench.report(&import["id"], "?outcome=failed").await;
    assert!(failed[1].contains("another account has this email address"), "{failed:?}");
    assert!(failed[2].contains("name") && failed[2].contains("nonsense"), "{failed:?}");
    assert!(failed[3].starts_with("5,failed,,") && failed[3].contains("5 fields: give 4"), "{failed:?}");
    assert_eq!(bench.count("&district=westminster").await, 1);
    // A row whose account exists creates none.
    let (_, again) = bench.send(None, format!("{HEADER}Ada,ada@example.com,sw1a1aa,1 The Mall\n")).await;
    bench.work().await;
    assert_eq!(bench.import(&again["id"]).await["failed"], 1);
    assert!(!bench.report(&again["id"], "").await[1].contains("ada@example.com"));
    assert_eq!(bench.count("").await, 2);
    // After erasure the report does not lead to the account.
    bench.customers.erase(report[1].split(',').nth(2).unwrap().parse().unwrap()).await.unwrap();
    assert_eq!(bench.report(&import["id"], "").await[1], "2,created,,");
}

fn rows(count: usize) -> String {
    let row = |n: usize| format!("Row {n},row{n}@example.com,M1 1AE,{n} High St\n");
    HEADER.to_owned() + &(0..count).map(row).collect::<String>()
}

async fn it_is_taken_up_where_it_was_left(database: Database) {
    let bench = Bench::on(database).await;
    let (_, import) = bench.send(None, rows(450)).await;
    assert!(bench.customers.import_some().await.unwrap());
    let now = bench.import(&import["id"]).await;
    assert_eq!((&now["state"], &now["created"]), (&json!("running"), &json!(200)), "{now}");
    // Two at once, as after a restart while the old process is still alive: each row is done once.
    let (one, two) = tokio::join!(bench.work(), bench.work());
    ((), ()) = (one, two);
    let now = bench.import(&import["id"]).await;
    assert_eq!(
        (&now["state"], &now["created"], &now["failed"]),
        (&json!("succeeded"), &json!(450), &json!(0))
    );
    assert_eq!(bench.count("").await, 450);
}

async fn it_is_cancelled(database: Database) {
    let bench = Bench::on(database).await;
    let (_, import) = bench.send(None, rows(450)).await;
    assert!(bench.customers.import_some().await.unwrap());
    let path = format!("/imports/{}", import["id"].as_str().unwrap());
    let (status, text) = bench.ask(Request::delete(&path).body(Body::empty()).unwrap()).await;
    assert_eq!(status, 200, "{text}");
    bench.work().await;
    let now = bench.import(&import["id"]).await;
    assert_eq!((&now["state"], &now["created"]), (&json!("cancelled"), &json!(200)), "{now}");
    assert_eq!(bench.count("").await, 200, "what was made stays");
}

async fn one_key_is_one_import(database: Database) {
    let bench = Bench::on(database).await;
    let (_, first) = bench.send(Some("march"), rows(3)).await;
    let (status, again) = bench.send(Some("march"), rows(3)).await;
    assert_eq!((status, &again["id"]), (202, &first["id"]));
    let (status, other) = bench.send(Some("march"), rows(4)).await;
    assert_eq!((status, &other["code"]), (422, &json!("idempotency_key_reused")));
    bench.work().await;
    assert_eq!(bench.count("").await, 3);
    let (_, list) = bench.get("/imports").await;
    assert_eq!(serde_json::from_str::<Value>(&list).unwrap()["items"].as_array().unwrap().len(), 1);
}

async fn what_is_no_file_of_customers_is_refused(database: Database) {
    let bench = Bench::on(database).await;
    for (file, why) in [
        ("", "column name is missing"),
        (HEADER, "no rows"),
        ("name,email,postcode,adress\na,b,c,d\n", "\\\"adress\\\" is not a column"),
    ] {
        let (status, problem) = bench.send(None, file).await;
        assert_eq!((status, &problem["code"]), (422, &json!("invalid_import")), "{problem}");
        assert!(problem.to_string().contains(why), "{problem}");
    }
    let json =
        Request::post("/imports").header("content-type", "application/json").body("{}".into()).unwrap();
    assert_eq!(bench.ask(json).await.0, 415);
    for path in ["/imports/x", "/imports/018f0000-0000-7000-8000-000000000000", "/imports/x/report"] {
        let (status, text) = bench.get(path).await;
        assert!(status == 404 && text.contains("import_not_found"), "{path}: {text}");
    }
    for n in 0..MAX_IMPORTS {
        assert_eq!(bench.send(None, rows(1)).await.0, 202, "{n}");
    }
    let (status, problem) = bench.send(None, rows(1)).await;
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_imports")));
}

async fn of_files_on_their_way_there_are_two(database: Database) {
    let bench = Bench::on(database).await;
    let hanging = || {
        let body = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let request = Request::post("/imports").header("content-type", "text/csv").body(body).unwrap();
        Box::pin(bench.ask(request))
    };
    let (mut one, mut two) = (hanging(), hanging());
    assert!(futures::poll!(&mut one).is_pending() && futures::poll!(&mut two).is_pending());
    let (status, problem) = bench.send(None, rows(1)).await;
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_imports")), "{problem}");
    drop(one);
    assert_eq!(bench.send(None, rows(1)).await.0, 202);
}

/// Polls an upload until it waits for the thread that unpacks and reads files, and drops it.
async fn give_up(bench: &Bench, request: Request<Body>) {
    let mut asked = std::pin::pin!(bench.ask(request));
    for _ in 0..20 {
        assert!(futures::poll!(&mut asked).is_pending());
        tokio::task::yield_now().await;
    }
}

#[test]
fn upload_of_a_client_that_has_gone_keeps_its_place_until_the_file_is_read() {
    // All blocking work is on one thread, which the test occupies.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let bench = Bench::on(Database::file()).await;
        let packed = postcode_testing::gzip(rows(1).as_bytes());
        for (path, file) in [
            ("/imports", packed.clone()),
            ("/imports/preview", packed),
            ("/imports", rows(1).into()),
            ("/imports/preview", rows(1).into()),
        ] {
            let request = || Request::post(path).header("content-type", "text/csv").body(file.clone().into());
            let (release, released) = std::sync::mpsc::channel::<()>();
            let occupied = tokio::task::spawn_blocking(move || released.recv());
            give_up(&bench, request().unwrap()).await;
            give_up(&bench, request().unwrap()).await;
            let third = bench.ask(request().unwrap()).now_or_never();
            let (status, text) = third.expect("an answer without a free thread");
            assert!(status == 429 && text.contains("too_many_imports"), "{path}: {status} {text}");
            drop(release);
            occupied.await.unwrap().unwrap_err();
            // Work begins in its order, so this is after that of both uploads.
            tokio::task::spawn_blocking(|| ()).await.unwrap();
            let (status, text) = bench.ask(request().unwrap()).await;
            assert!(status == 200 || status == 202, "{path}: {status} {text}");
        }
    });
}

async fn without_the_lookup_the_accounts_are_made_all_the_same(database: Database) {
    let bench = Bench::on(database).await;
    bench.lookup.set(Mode::Fails(ErrorKind::Unavailable));
    bench.send(None, rows(30)).await;
    bench.work().await;
    assert_eq!(bench.count("&status=pending").await, 30);
    bench.lookup.set(Mode::Answers);
    assert_eq!(bench.customers.resolve_pending().await.unwrap(), 30);
    assert_eq!(bench.count("&status=verified").await, 30);
}

async fn files_of_other_tools_are_taken_and_optional_fields_lose_no_row(database: Database) {
    let bench = Bench::on(database).await;
    let table = "Name;E-mail;Post Code;Address Line 1;Phone\rAda;ada@example.com;sw1a1aa;1 The Mall\r;;;;\r\
                 Bob;bob@example.com;M1 1AE;2 High St;12\r";
    let packed = postcode_testing::gzip(table.as_bytes());
    let request = |coding: Option<&str>, kind: &str, body: Vec<u8>| {
        let mut request = Request::post("/imports").header("content-type", kind);
        if let Some(coding) = coding {
            request = request.header("content-encoding", coding);
        }
        request.body(Body::from(body)).unwrap()
    };
    let (status, text) = bench.ask(request(Some("compress"), "text/csv", packed.clone())).await;
    assert_eq!(status, 415, "{text}");
    let (status, text) = bench.ask(request(Some("gzip"), "text/csv", table.into())).await;
    assert!(status == 422 && text.contains("can't be unpacked"), "{status} {text}");
    let (status, text) = bench.ask(request(Some("gzip"), "application/vnd.ms-excel", packed)).await;
    assert_eq!(status, 202, "{text}");
    let import: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(import["total"], 2, "the row of delimiters does not count");
    bench.work().await;
    let report = bench.report(&import["id"], "").await;
    assert!(report[1].starts_with("2,created,") && report[1].ends_with(','), "{report:?}");
    assert!(report[2].starts_with("4,created,") && report[2].contains("left out: phone"), "{report:?}");
}
