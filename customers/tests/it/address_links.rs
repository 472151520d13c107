//! Addresses that are chosen from address data: offered, linked, and checked against a new edition.
#![cfg(feature = "server")]

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use customers::{CustomerPatch, Customers, LinkStatus, NewCustomer, server};
use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
use postcode_addresses::lookup::conformance;
use postcode_addresses::{
    Address, AddressAnswer, AddressCoverage, AddressLookup, AddressNeighbour, AddressNumber, AddressPage,
    LocalAddresses,
};
use postcode_core::{Error, ErrorKind, Local, Nearest, Outcode, Postcode, PostcodeLookup, Result};
use serde_json::{Value, json};

use crate::databases::{Database, on_both};
use crate::router::{Answer, get, raw, send};

/// The invented addresses of the conformance suite, which can be switched off.
#[derive(Debug)]
struct Book {
    local: LocalAddresses,
    off: AtomicBool,
}

impl Book {
    fn answers(&self) -> Result<&LocalAddresses> {
        match self.off.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Unavailable, "no route to it")),
            false => Ok(&self.local),
        }
    }

    fn switch(&self, on: bool) {
        self.off.store(!on, Ordering::SeqCst);
    }
}

#[async_trait]
impl AddressLookup for Book {
    async fn addresses(&self, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
        self.answers()?.addresses(postcodes).await
    }

    async fn address_page(&self, postcode: Postcode, skip: usize, limit: usize) -> Result<AddressAnswer> {
        self.answers()?.address_page(postcode, skip, limit).await
    }

    async fn addresses_by_number(&self, numbers: &[AddressNumber]) -> Result<Vec<Vec<Address>>> {
        self.answers()?.addresses_by_number(numbers).await
    }

    async fn nearest_addresses(&self, query: &Nearest) -> Result<Option<Vec<AddressNeighbour>>> {
        self.answers()?.nearest_addresses(query).await
    }

    async fn streets(&self, outcode: Outcode, skip: usize, limit: usize) -> Result<Option<AddressPage>> {
        self.answers()?.streets(outcode, skip, limit).await
    }

    async fn address_coverage(&self) -> Result<AddressCoverage> {
        self.answers()?.address_coverage().await
    }
}

fn postcodes() -> Arc<dyn PostcodeLookup> {
    Arc::new(Local::new(conformance::postcodes().unwrap()))
}

/// Returns a file of these addresses.
fn edition(name: &str, addresses: &[Address]) -> AddressFile {
    let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new(name)).unwrap();
    let mut sorted = addresses.to_vec();
    sorted.sort_by(|a, b| a.postcode.cmp(&b.postcode));
    for address in &sorted {
        writer.push(address).unwrap();
    }
    AddressFile::from_bytes(writer.finish().unwrap().0.into_inner()).unwrap()
}

async fn with_book(database: &Database) -> (Customers, Arc<Book>) {
    let local = LocalAddresses::new(conformance::file().unwrap()).with_postcodes(postcodes());
    let book = Arc::new(Book { local, off: AtomicBool::new(false) });
    let customers = Customers::new(database.open().await, postcodes())
        .with_addresses(book.clone())
        // The test is not about how long a busy machine takes.
        .with_lookup_timeout(std::time::Duration::from_secs(60));
    (customers, book)
}

fn new(email: &str, postcode: &str, id: Option<&str>) -> NewCustomer {
    NewCustomer {
        name: "Ada".into(),
        email: format!("{email}@example.com"),
        postcode: postcode.into(),
        address_lines: vec!["7 Ash Road".into(), "EXAMPLETON".into()],
        address_id: id.map(str::to_owned),
        ..NewCustomer::default()
    }
}

fn link(customer: &customers::Customer) -> Option<(String, LinkStatus)> {
    assert_eq!(customer.link, customer.addresses[0].link);
    customer.link.map(|link| (link.id.to_string(), link.status))
}

fn linked(id: &str, status: LinkStatus) -> Option<(String, LinkStatus)> {
    Some((id.to_owned(), status))
}

#[tokio::test]
async fn addresses_of_a_postcode_are_offered_with_their_lines_and_number() {
    let (customers, book) = with_book(&Database::Memory).await;
    let api = server::router(customers);
    let offer = get(&api, "/postcodes/ze99aa/addresses").await;
    assert_eq!(offer.status, 200, "{}", offer.text);
    assert_eq!(offer.header("cache-control"), "no-store");
    let offer = offer.json();
    assert_eq!(
        (&offer["postcode"], &offer["status"], &offer["total"]),
        (&json!("ZE9 9AA"), &json!("found"), &json!(12))
    );
    assert_eq!(offer["attribution"], "Invented by the tests");
    let bakery = json!({ "id": "udprn:1007", "lines": ["Example Bakery Ltd", "7 Ash Road", "EXAMPLETON"] });
    assert_eq!((&offer["items"][6], offer["items"].as_array().unwrap().len()), (&bakery, 12));

    let hall = get(&api, "/postcodes/ZE99AD/addresses?skip=100&limit=60").await.json();
    assert_eq!((&hall["total"], hall["items"].as_array().unwrap().len()), (&json!(151), 51));
    // A household has a separate number.
    let room = json!({ "id": "umprn:60000100", "lines": ["Room 100", "Oak Hall", "Elm Lane", "EXAMPLETON"] });
    assert_eq!(hall["items"][0], room);

    for (postcode, status) in
        [("ZE9 9AE", "no_addresses"), ("ZE9 9ZZ", "unknown"), ("AB1 0AA", "not_covered")]
    {
        let offer = get(&api, &format!("/postcodes/{}/addresses", postcode.replace(' ', "%20"))).await.json();
        assert_eq!((&offer["status"], &offer["items"]), (&json!(status), &json!([])), "{postcode}");
    }
    for bad in [
        "ZE99AA/addresses?limit=0",
        "ZE99AA/addresses?limit=101",
        "nonsense/addresses",
        "ZE99AA/addresses?x=1",
    ] {
        get(&api, &format!("/postcodes/{bad}")).await.problem(400, "invalid_query");
    }
    book.switch(false);
    get(&api, "/postcodes/ZE99AA/addresses").await.problem(503, "lookup_unavailable");
}

#[tokio::test]
async fn without_address_data_offers_are_not_supported_and_an_id_waits() {
    let customers = Customers::new(Database::Memory.open().await, postcodes());
    let api = server::router(customers.clone());
    let detail = get(&api, "/postcodes/ZE99AA/addresses").await.problem(501, "not_supported");
    assert!(detail.contains("--addresses"), "{detail}");
    let typed = customers.create(new("typed", "ZE9 9AA", None)).await.unwrap();
    assert_eq!(link(&typed), None);
    let chosen = customers.create(new("chosen", "ZE9 9AA", Some("udprn:1007"))).await.unwrap();
    assert_eq!(link(&chosen), linked("udprn:1007", LinkStatus::Pending));
    assert_eq!(customers.recheck_links().await.unwrap(), 0);
    // An account without a link looks as it always did.
    let body = get(&api, &format!("/customers/{}", typed.id)).await.json();
    assert!(body.get("address_id").is_none() && body["addresses"][0].get("address_id").is_none(), "{body}");
}

async fn an_account_keeps_the_number_and_the_lines_as_they_were_written(database: Database) {
    let (customers, book) = with_book(&database).await;
    for (email, postcode, id, status) in [
        ("listed", "ZE9 9AA", "udprn:1007", LinkStatus::Listed),
        ("uprn", "ZE9 9AA", "UPRN:100000000007", LinkStatus::Listed),
        ("room", "ZE9 9AD", "umprn:60000100", LinkStatus::Listed),
        ("moved", "ZE9 9AE", "udprn:1007", LinkStatus::OtherPostcode),
        ("never", "ZE9 9AA", "udprn:2", LinkStatus::NotListed),
        ("far", "AB1 0AA", "udprn:2", LinkStatus::NotCovered),
    ] {
        let customer = customers.create(new(email, postcode, Some(id))).await.unwrap();
        assert_eq!(link(&customer), linked(&id.to_lowercase(), status), "{email}");
        assert_eq!(customer.address_lines, ["7 Ash Road", "EXAMPLETON"], "{email}");
        assert_eq!(customers.get(customer.id).await.unwrap(), customer);
    }
    let refused = customers.create(new("bad", "ZE9 9AA", Some("1007"))).await.unwrap_err();
    assert!(refused.to_string().starts_with("address_id: "), "{refused}");

    // The account is accepted while the service is away, and checked when it is back.
    book.switch(false);
    let waiting = customers.create(new("waiting", "ZE9 9AA", Some("udprn:1007"))).await.unwrap();
    assert_eq!(link(&waiting), linked("udprn:1007", LinkStatus::Pending));
    assert_eq!(customers.recheck_links().await.unwrap(), 0);
    book.switch(true);
    assert_eq!(customers.recheck_links().await.unwrap(), 1);
    let found = customers.get(waiting.id).await.unwrap();
    assert_eq!((link(&found), found.revision), (linked("udprn:1007", LinkStatus::Listed), 2));
}

async fn a_link_stays_while_the_address_stays_the_same(database: Database) {
    let (customers, _) = with_book(&database).await;
    let made = customers.create(new("ada", "ZE9 9AA", Some("udprn:1007"))).await.unwrap();
    let stays = linked("udprn:1007", LinkStatus::Listed);
    let patch = |patch: CustomerPatch| customers.patch(made.id, patch);
    let renamed = CustomerPatch { name: Some("Grace".into()), ..Default::default() };
    assert_eq!(link(&patch(renamed).await.unwrap()), stays);
    // A client that does not know the field sends the same address without it.
    let replaced = customers.replace(made.id, new("ada", "ze99aa", None)).await.unwrap();
    assert_eq!(link(&replaced), stays);
    // With the number, lines may be added.
    let lines = vec!["c/o Grace".to_owned(), "7 Ash Road".into(), "EXAMPLETON".into()];
    let id = Some("udprn:1007".to_owned());
    let added = CustomerPatch { address_lines: Some(lines), address_id: id, ..Default::default() };
    assert_eq!(link(&patch(added).await.unwrap()), stays);
    // Other lines are another address.
    let other = CustomerPatch { address_lines: Some(vec!["8 Ash Road".into()]), ..Default::default() };
    assert_eq!(link(&patch(other).await.unwrap()), None);
    let again = CustomerPatch { address_id: Some("udprn:1008".into()), ..Default::default() };
    assert_eq!(link(&patch(again).await.unwrap()), linked("udprn:1008", LinkStatus::Listed));
    let elsewhere = CustomerPatch { postcode: Some("ZE9 9AD".into()), ..Default::default() };
    assert_eq!(link(&patch(elsewhere).await.unwrap()), None);
}

#[tokio::test]
async fn addresses_in_a_list_have_links_and_a_customer_can_be_sent_back_as_it_was_read() {
    let (customers, _) = with_book(&Database::Memory).await;
    let api = server::router(customers);
    let body = json!({
        "name": "Ada", "email": "ada@example.com", "postcode": "ZE9 9AA", "address_lines": ["7 Ash Road"],
        "address_id": "udprn:1007",
        "addresses": [{ "kind": "billing", "postcode": "ZE9 9AD", "address_lines": ["Oak Hall"], "address_id": "udprn:52000001" }],
    });
    let made = send(&api, "POST", "/customers", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut made = made.json();
    assert_eq!((&made["address_id"], &made["address_id_status"]), (&json!("udprn:1007"), &json!("listed")));
    assert_eq!(made["addresses"][1]["address_id"], "udprn:52000001");
    let path = format!("/customers/{}", made["id"].as_str().unwrap());
    let back = send(&api, "PUT", &path, &made).await.json();
    assert_eq!(back["addresses"], made["addresses"]);
    made["address_id"] = json!("udprn:1008");
    let changed = send(&api, "PUT", &path, &made).await.json();
    assert_eq!(
        (&changed["address_id"], &changed["addresses"][0]["address_id"]),
        (&json!("udprn:1008"), &json!("udprn:1008"))
    );
    let cleared = send(&api, "PATCH", &path, &json!({ "address_id": null })).await.json();
    assert_eq!((cleared.get("address_id"), cleared["addresses"][0].get("address_id")), (None, None));
    let history = get(&api, &format!("{path}/history")).await.json();
    let last = history["items"].as_array().unwrap().last().unwrap()["changes"].clone();
    assert_eq!(last["addresses/1/address_id"], json!({ "from": "udprn:1008", "to": null }));
    let read_only = json!({ "address_id_status": "listed" });
    assert_eq!(send(&api, "PATCH", &path, &read_only).await.fields(), ["address_id_status"]);
    let bad =
        json!({ "kind": "other", "postcode": "ZE9 9AD", "address_lines": ["1"], "address_id": "toid:1" });
    assert_eq!(send(&api, "POST", &format!("{path}/addresses"), &bad).await.fields(), ["address_id"]);
}

async fn a_new_edition_finds_addresses_that_are_gone_or_have_another_postcode(database: Database) {
    let (customers, book) = with_book(&database).await;
    let mut made = Vec::new();
    for (email, id) in [("gone", "udprn:1003"), ("moved", "udprn:1004"), ("stays", "udprn:1005")] {
        made.push(customers.create(new(email, "ZE9 9AA", Some(id))).await.unwrap());
    }
    made.push(customers.create(new("typed", "ZE9 9AA", None)).await.unwrap());
    assert_eq!(customers.recheck_links().await.unwrap(), 0);

    let mut next = conformance::addresses();
    next.retain(|address| address.udprn != Some(1_003));
    for address in &mut next {
        if address.udprn == Some(1_004) {
            address.postcode = "ZE9 9AE".into();
        }
    }
    book.local.replace(edition("next", &next));
    book.switch(false);
    assert_eq!(customers.recheck_links().await.unwrap(), 0, "nothing is known while the service is away");
    book.switch(true);
    assert_eq!(customers.recheck_links().await.unwrap(), 2);
    assert_eq!(customers.recheck_links().await.unwrap(), 0);
    for (before, status) in made.iter().zip([LinkStatus::NotListed, LinkStatus::OtherPostcode]) {
        let now = customers.get(before.id).await.unwrap();
        assert_eq!((now.link.unwrap().status, now.revision), (status, 2));
        assert_eq!(now.address_lines, before.address_lines);
        let history = customers.history(before.id, 10, None).await.unwrap().items;
        let last = history.last().unwrap();
        assert_eq!((last.action.as_str(), &last.actor), ("rechecked", &None));
        let change = json!({ "addresses/1/address_id_status": { "from": "listed", "to": status.as_str() } });
        assert_eq!(last.changes, change);
    }
    for unchanged in &made[2..] {
        assert_eq!(customers.get(unchanged.id).await.unwrap(), *unchanged);
    }
    // The check of the postcodes has a separate progress.
    assert_eq!(customers.recheck().await.unwrap(), 0);
    assert_eq!(customers.recheck_links().await.unwrap(), 0);
}

on_both! { crate::databases::Database::Memory;
    an_account_keeps_the_number_and_the_lines_as_they_were_written,
    a_link_stays_while_the_address_stays_the_same,
    a_new_edition_finds_addresses_that_are_gone_or_have_another_postcode,
}

async fn submit(api: &Router, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post("/new").header("content-type", "application/x-www-form-urlencoded");
    raw(api, request.body(Body::from(body)).unwrap()).await
}

async fn all(api: &Router) -> Vec<Value> {
    get(api, "/customers").await.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn form_without_javascript_finds_addresses_and_saves_the_chosen_one_once() {
    let (customers, book) = with_book(&Database::Memory).await;
    let api = server::router(customers);
    let empty = get(&api, "/new").await;
    assert_eq!((empty.status.as_u16(), empty.header("cache-control")), (200, "no-store"));
    assert!(empty.header("content-security-policy").contains("form-action 'self'"));
    assert!(!empty.text.contains("<script") && !empty.text.contains("<select"), "{}", empty.text);
    let key = empty.text.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();

    let typed = [("name", "<Ada> & \"Co\""), ("email", "ada@example.com"), ("key", key)];
    let find = [&typed[..], &[("postcode", "ze9 9aa"), ("do", "find")]].concat();
    let found = submit(&api, &find).await;
    assert_eq!(found.status, 200, "{}", found.text);
    assert!(found.text.contains("value=\"&lt;Ada&gt; &amp; &quot;Co&quot;\""), "{}", found.text);
    let option = "udprn:1007\nExample Bakery Ltd\n7 Ash Road\nEXAMPLETON";
    let shown = format!("<option value=\"{option}\">Example Bakery Ltd, 7 Ash Road, EXAMPLETON</option>");
    assert!(found.text.contains(&shown), "{}", found.text);
    assert!(found.text.contains("Invented by the tests"));

    // A mistake elsewhere keeps the choice. Browsers send CRLF.
    let option = option.replace('\n', "\r\n");
    let wrong = [
        ("name", ""),
        ("email", "ada@example.com"),
        ("key", key),
        ("postcode", "ZE9 9AA"),
        ("chosen", &option),
        ("do", "save"),
    ];
    let wrong = submit(&api, &wrong).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text.contains("<a href=\"#name\">Name</a>: enter the customer&#39;s name"),
        "{}",
        wrong.text
    );
    assert!(wrong.text.contains("EXAMPLETON\" selected>"), "{}", wrong.text);

    let save =
        [&typed[..], &[("postcode", "ZE9 9AA"), ("chosen", &option), ("address_lines", ""), ("do", "save")]]
            .concat();
    for _ in 0..2 {
        let saved = submit(&api, &save).await;
        assert_eq!(saved.status, 201, "{}", saved.text);
        assert!(saved.text.contains("&lt;Ada&gt;") && saved.text.contains("7 Ash Road"), "{}", saved.text);
    }
    let [one] = &all(&api).await[..] else { panic!("sent twice it is one account") };
    assert_eq!(one["address_lines"], json!(["Example Bakery Ltd", "7 Ash Road", "EXAMPLETON"]));
    assert_eq!((&one["address_id"], &one["address_id_status"]), (&json!("udprn:1007"), &json!("listed")));

    // Typed lines count. Without the lines of the list it is another address.
    let other = [
        ("name", "B"),
        ("email", "b@example.com"),
        ("postcode", "ZE9 9AA"),
        ("chosen", &option),
        ("address_lines", "9 Ash Road\r\nEXAMPLETON"),
    ];
    assert_eq!(submit(&api, &other).await.status, 201);
    let other = all(&api).await.pop().unwrap();
    assert_eq!(
        (&other["address_lines"], other.get("address_id")),
        (&json!(["9 Ash Road", "EXAMPLETON"]), None)
    );

    for (postcode, says) in [
        ("ZE9 9AE", "has no addresses in the data: type the address below"),
        ("AB1 0AA", "leaves out"),
        ("nonsense", "not a postcode"),
    ] {
        let none = submit(&api, &[("postcode", postcode), ("do", "find")]).await;
        assert_eq!((none.status.as_u16(), none.text.contains("<select")), (200, false), "{postcode}");
        assert!(none.text.contains(says) || postcode == "nonsense", "{postcode}: {}", none.text);
    }
    book.switch(false);
    let away = submit(&api, &find).await;
    assert!(away.status == 200 && away.text.contains("type the address"), "{}", away.text);
    let hall =
        [("name", "C"), ("email", "c@example.com"), ("postcode", "ZE9 9AD"), ("address_lines", "Oak Hall")];
    assert_eq!(submit(&api, &hall).await.status, 201, "manual entry is always possible");
}

#[tokio::test]
async fn form_without_javascript_lists_all_households_of_a_large_postcode() {
    let (customers, _) = with_book(&Database::Memory).await;
    let api = server::router(customers);
    let found = submit(&api, &[("postcode", "ZE9 9AD"), ("do", "find")]).await;
    assert_eq!(found.text.matches("<option").count(), 152, "151 and that for a typed one");
    assert!(found.text.contains("umprn:60000150\n"), "{}", found.text);
}

#[cfg(feature = "bin")]
#[tokio::test]
async fn program_reads_addresses_from_a_file_and_reads_it_again_on_sighup() {
    use crate::http::{Server, send};

    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("uk.addresses");
    let old = conformance::addresses();
    std::fs::write(&path, edition("old", &old).as_bytes()).unwrap();
    let database = format!("sqlite://{}", dir.path().join("customers.db").display());
    let addresses = path.display().to_string();
    let server = Server::start(&[
        "--listen",
        "127.0.0.1:0",
        "--database",
        &database,
        "--addresses",
        &addresses,
        "--lookup-timeout",
        "1m",
        "--recheck-every",
        "10ms",
    ])
    .await;
    let offered = "/postcodes/ZE99AA/addresses?limit=1";
    let (status, offer) = send(&server.address, "GET", offered, None).await.unwrap();
    assert_eq!((status, &offer["items"][0]["id"]), (200, &json!("udprn:1001")), "{offer}");
    let body = json!({ "name": "Ada", "email": "ada@example.com", "postcode": "ZE9 9AA", "address_lines": ["1 Ash Road"],
        "address_id": "udprn:1001" });
    let (status, made) = send(&server.address, "POST", "/customers", Some(&body)).await.unwrap();
    assert_eq!((status, &made["address_id_status"]), (201, &json!("listed")), "{made}");

    let new = dir.path().join("new.addresses");
    std::fs::write(&new, edition("new", &old[1..]).as_bytes()).unwrap();
    std::fs::rename(new, &path).unwrap();
    server.signal("HUP");
    let account = format!("/customers/{}", made["id"].as_str().unwrap());
    loop {
        let (_, now) = send(&server.address, "GET", &account, None).await.unwrap();
        if now["address_id_status"] == "not_listed" {
            assert_eq!(now["address_lines"], json!(["1 Ash Road"]));
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(server.end("TERM").await.0, Some(0));

    let missing = dir.path().join("none.addresses").display().to_string();
    let refused = crate::http::program(&["serve", "--database", &database, "--addresses", &missing])
        .output()
        .await
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--addresses"), "{refused:?}");
}
