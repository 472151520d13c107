//! The pages for browsers without JavaScript.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use customers::server;
use postcode_core::ErrorKind;
use serde_json::{Value, json};

use crate::databases::Database;
use crate::lookups::Mode;
use crate::router::{Answer, ada, api, customers, get, raw, send};

async fn submit(api: &Router, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    raw(api, request.body(Body::from(body)).unwrap()).await
}

async fn upload(api: &Router, fields: &[(&str, &str)], file: &str) -> Answer {
    let part = |name: &str, more: &str, value: &str| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
    };
    let mut body: String = fields.iter().map(|(name, value)| part(name, "", value)).collect();
    body += &part("file", "; filename=\"new.csv\"\r\nContent-Type: text/csv", file);
    body += "--limit--\r\n";
    let request = Request::post("/import").header("content-type", "multipart/form-data; boundary=limit");
    raw(api, request.body(Body::from(body)).unwrap()).await
}

async fn only(api: &Router) -> Value {
    let all = get(api, "/customers").await.json();
    let items = all["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{all}");
    items[0].clone()
}

const ADA: [(&str, &str); 4] = [
    ("name", "Ada"),
    ("email", "ada@example.com"),
    ("postcode", "SW1A 1AA"),
    ("address_lines", "The Palace"),
];
const BILLING: [(&str, &str); 4] = [
    ("addresses-0-kind", "billing"),
    ("addresses-0-postcode", "m1 1ae"),
    ("addresses-0-address_lines", "1 High Street\r\nMANCHESTER"),
    ("addresses-0-valid_from", "2025-12-01"),
];

#[tokio::test]
async fn form_adds_changes_and_removes_further_addresses() {
    let (api, _) = api(&Database::Memory, Mode::Answers).await;
    assert!(!get(&api, "/new").await.text.contains("Find address"), "there is no address data");
    let more = submit(&api, "/new", &[&ADA[..], &[("do", "add")]].concat()).await;
    assert_eq!(more.status, 200);
    for part in ["<legend>Address 2</legend>", "for=\"addresses-0-postcode\"", "id=\"addresses-0-postcode\""]
    {
        assert!(more.text.contains(part), "{part}: {}", more.text);
    }
    let typo = submit(&api, "/new", &[("postcode", "SWIA 1AA"), ("do", "save")]).await;
    assert_eq!(
        typo.text.to_lowercase().matches("did you mean").count(),
        2,
        "in the list and at the field: {}",
        typo.text
    );
    let wrong = [("addresses-0-postcode", "M1"), ("addresses-0-valid_to", "2025-01-01")];
    let mut fields = [&ADA[..], &BILLING, &[("do", "save")]].concat();
    fields.extend(wrong);
    let refused = submit(&api, "/new", &fields).await;
    assert_eq!(refused.status, 422);
    for part in [
        "<a href=\"#addresses-0-postcode\">Address 2, Postcode</a>",
        "aria-invalid=\"true\" aria-describedby=\"addresses-0-postcode-error\"",
        "id=\"addresses-0-valid_to-error\"",
        "value=\"2025-12-01\"",
    ] {
        assert!(refused.text.contains(part), "{part}: {}", refused.text);
    }
    let saved = submit(&api, "/new", &[&ADA[..], &BILLING, &[("do", "save")]].concat()).await;
    assert_eq!(saved.status, 201, "{}", saved.text);
    assert!(
        saved.text.contains("<dt>Billing</dt><dd>1 High Street\nMANCHESTER\nM1 1AE</dd>"),
        "{}",
        saved.text
    );
    let stored = only(&api).await;
    assert_eq!(stored["addresses"][1]["address_lines"], json!(["1 High Street", "MANCHESTER"]));
    assert_eq!(stored["addresses"][1]["valid_from"], "2025-12-01");

    let path = format!("/edit/{}", stored["id"].as_str().unwrap());
    let form = get(&api, &path).await;
    assert_eq!(form.status, 200);
    for part in [
        "value=\"M1 1AE\"",
        "<option value=\"billing\" selected>",
        "name=\"revision\" value=\"1\"",
        "../page.css",
    ] {
        assert!(form.text.contains(part), "{part}: {}", form.text);
    }
    let read = [("revision", "1"), ("addresses-0-id", "2"), ("do", "save")];
    let changed =
        [&ADA[..], &BILLING, &read, &[("notes", "Rings twice."), ("addresses-0-kind", "previous")]].concat();
    assert_eq!(submit(&api, &path, &changed).await.status, 200);
    let stored = only(&api).await;
    assert_eq!(
        (&stored["addresses"][1]["id"], &stored["addresses"][1]["kind"]),
        (&json!(2), &json!("previous"))
    );
    // Another revision is not overwritten.
    let late = submit(&api, &path, &changed).await;
    assert_eq!(late.status, 412);
    assert!(late.text.contains("Someone else has changed this account"), "{}", late.text);

    let read = [("revision", "2"), ("addresses-0-id", "2")];
    let without = submit(&api, &path, &[&ADA[..], &BILLING, &read, &[("do", "remove-0")]].concat()).await;
    assert!(without.status == 200 && !without.text.contains("Address 2"), "{}", without.text);
    let emptied = [("name", "Ada"), ("email", "ada@example.com"), ("revision", "2"), ("do", "save")];
    let emptied = submit(&api, &path, &emptied).await;
    assert_eq!(emptied.status, 422, "an empty field is not the stored value");
    assert!(emptied.text.contains("<a href=\"#postcode\">Postcode</a>: enter a postcode"));
    let last = submit(&api, &path, &[&ADA[..], &[("revision", "2"), ("do", "save")]].concat()).await;
    assert_eq!(last.status, 200, "{}", last.text);
    assert_eq!(only(&api).await["addresses"].as_array().unwrap().len(), 1);

    for path in ["/edit/nonsense", "/edit/0190a5a0-0000-7000-8000-000000000000"] {
        let missing = get(&api, path).await;
        assert_eq!(missing.status, 404);
        assert!(missing.text.contains("role=\"alert\""));
    }
}

#[tokio::test]
async fn form_has_at_most_as_many_addresses_as_a_customer() {
    let (api, _) = api(&Database::Memory, Mode::Answers).await;
    let last = [("addresses-18-postcode", "M1 1AE"), ("do", "add")];
    let full = submit(&api, "/new", &[&ADA[..], &last].concat()).await;
    assert_eq!(full.status, 422);
    assert!(full.text.contains("20 addresses at most"));
    let beyond = [("addresses-20-postcode", "M1 1AE"), ("addresses-x-kind", "other"), ("do", "add")];
    let form = submit(&api, "/new", &[&ADA[..], &beyond].concat()).await;
    assert!(form.status == 200 && form.text.contains("Address 2<") && !form.text.contains("Address 3<"));
}

#[tokio::test]
async fn list_sorts_counts_and_goes_on() {
    let (api, _) = api(&Database::Memory, Mode::Answers).await;
    for (n, name) in ["Zoë <b>", "Ada", "Bob"].into_iter().enumerate() {
        let mut new = ada("SW1A 1AA");
        new["name"] = json!(name);
        assert_eq!(send(&api, "POST", "/customers", &new).await.status, 201, "{n}");
    }
    let page = get(&api, "/list?sort=name&limit=2&q=example").await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"));
    assert!(page.text.contains("<p class=\"dim\">3 accounts</p>"), "{}", page.text);
    let order = ["Ada</a>", "Bob</a>"].map(|name| page.text.find(name).unwrap());
    assert!(order[0] < order[1] && !page.text.contains("Zo"), "{}", page.text);
    assert!(page.text.contains(
        "<th scope=\"col\" aria-sort=\"ascending\"><a href=\"list?q=example&amp;limit=2&amp;sort=-name\">"
    ));
    let next = page.text.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let next = get(&api, &format!("/{}", next.replace("&amp;", "&"))).await;
    assert!(next.text.contains("Zoë &lt;b&gt;</a>") && !next.text.contains("rel=\"next\""), "{}", next.text);

    let wrong = get(&api, "/list?near=nowhere&radius=5000").await;
    assert_eq!(wrong.status, 400);
    for part in ["<a href=\"#near\">", "aria-describedby=\"near-error\"", "value=\"nowhere\""] {
        assert!(wrong.text.contains(part), "{part}: {}", wrong.text);
    }
    assert!(get(&api, "/list?near=&radius=5000").await.text.contains("3 accounts"));
    assert!(get(&api, "/list?q=nobody").await.text.contains("No account matches"));
    let unknown = get(&api, "/list?colour=blue").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.text.contains("Colour: unknown parameter `colour`, expected one of"), "{}", unknown.text);
}

#[tokio::test]
async fn import_asks_for_the_columns_at_their_fields_and_takes_the_file_once() {
    let (customers, _) = customers(&Database::Memory, Mode::Answers).await;
    let api = server::router(customers.clone());
    let form = get(&api, "/import").await;
    let key = form.text.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let file = "Kunde;E-Mail;PLZ;Anschrift;Fax\r\nAda;ada@example.com;M1 1AE;1 High St;7\r\n";
    let refused = upload(&api, &[("key", key), ("map-name", "Kunde")], file).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    for part in [
        "<a href=\"#map-postcode\">Postcode</a>: write the heading of the column with it. The file has: Kunde, E-Mail, PLZ",
        "id=\"map-address-error\"",
        "value=\"Kunde\"",
        "<a href=\"#others\">Leave out the other columns</a>: not known: PLZ, Anschrift, Fax",
    ] {
        assert!(refused.text.contains(part), "{part}: {}", refused.text);
    }
    let columns = [
        ("map-name", "Kunde"),
        ("map-postcode", "plz"),
        ("map-address", "Anschrift"),
        ("others", "ignore"),
        ("key", key),
    ];
    for _ in 0..2 {
        let taken = upload(&api, &columns, file).await;
        assert_eq!((taken.status.as_u16(), taken.header("location")), (303, "import"), "{}", taken.text);
    }
    while customers.import_some().await.unwrap() {}
    assert_eq!(only(&api).await["postcode"], "M1 1AE");
    let done = get(&api, "/import").await;
    let row = "<td>new.csv</td><td>done</td><td>1 of 1 made, 0 failed</td>";
    assert!(done.text.contains(row), "{}", done.text);
    assert_eq!(get(&api, "/imports").await.json()["items"][0]["name"], "new.csv");
    assert_eq!(upload(&api, &[], "").await.status, 422);
    let plain = Request::post("/import").header("content-type", "multipart/form-data");
    assert_eq!(raw(&api, plain.body(Body::from("x")).unwrap()).await.status, 400);
}

#[tokio::test]
async fn import_preview_shows_the_first_rows_and_stores_nothing() {
    let (customers, _) = customers(&Database::Memory, Mode::Answers).await;
    let api = server::router(customers.clone());
    let file =
        "Full Name,email,postcode,address,Fax\r\n<Ada>,ada@example.com,M1 1AE,1 High St,7\r\n,,M1,,\r\n";
    let preview = upload(&api, &[("others", "ignore"), ("do", "preview")], file).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    for part in [
        "Full Name<br><span class=\"dim\">name</span>",
        "Fax<br><span class=\"dim\">left out</span>",
        "<td>&lt;Ada&gt;</td><td>ada@example.com</td>",
        "The file can be imported.",
        "id=\"others\" name=\"others\" type=\"checkbox\" value=\"ignore\" checked",
    ] {
        assert!(preview.text.contains(part), "{part}: {}", preview.text);
    }
    assert!(get(&api, "/imports").await.json()["items"].as_array().unwrap().is_empty());
    // A column without a meaning is shown as such, next to the error at its field.
    let unknown = upload(&api, &[("do", "preview")], file).await;
    assert_eq!(unknown.status, 422);
    assert!(unknown.text.contains("Fax<br><span class=\"dim\">not known</span>"), "{}", unknown.text);
    assert!(unknown.text.contains("id=\"others-error\"") && !unknown.text.contains("can be imported"));

    assert_eq!(upload(&api, &[("others", "ignore")], file).await.status, 303);
    while customers.import_some().await.unwrap() {}
    let done = get(&api, "/import").await;
    assert!(
        done.text.contains("<td>done, some rows failed</td><td>1 of 2 made, 1 failed</td>"),
        "{}",
        done.text
    );
}

#[tokio::test]
async fn form_asks_once_about_a_postcode_that_is_unknown_or_terminated() {
    let (api, lookup) = api(&Database::Memory, Mode::Answers).await;
    for (postcode, why) in
        [("ze9 9zz", "ZE9 9ZZ is not a known postcode"), ("DN55 1PT", "is no longer in use")]
    {
        let email = format!("{}@example.com", postcode.replace(' ', ""));
        let asked =
            [("name", "Ada"), ("email", &*email), ("postcode", postcode), ("address_lines", "1 High St")];
        let question = submit(&api, "/new", &asked).await;
        assert_eq!(question.status, 422);
        assert!(
            question.text.contains(why) && question.text.contains("press Save again"),
            "{}",
            question.text
        );
        assert!(question.text.contains(&format!("name=\"kept\" value=\"{postcode}\"")), "{}", question.text);
        let kept = [&asked[..], &[("kept", postcode)]].concat();
        assert_eq!(submit(&api, "/new", &kept).await.status, 201);
    }
    // Without the lookup the account is taken as it is.
    lookup.set(Mode::Fails(ErrorKind::Unavailable));
    let pending = [
        ("name", "Bob"),
        ("email", "bob@example.com"),
        ("postcode", "ZE9 9ZZ"),
        ("address_lines", "1 High St"),
    ];
    assert_eq!(submit(&api, "/new", &pending).await.status, 201);
}

#[tokio::test]
async fn account_is_shown_deleted_restored_and_erased_by_buttons() {
    let (api, _) = api(&Database::Memory, Mode::Answers).await;
    let saved =
        submit(&api, "/new", &[&ADA[..], &BILLING, &[("phone", "020 7946 0018"), ("do", "save")]].concat())
            .await;
    assert_eq!(saved.status, 201, "{}", saved.text);
    let id = only(&api).await["id"].as_str().unwrap().to_owned();
    let at = |what: &str| format!("/account/{id}{what}");
    let page = get(&api, &at("")).await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"));
    for part in [
        "<h2>Ada</h2>",
        "<dt>Phone</dt><dd>020 7946 0018</dd>",
        "<dt>Postcode</dt><dd><span class=\"status verified\">in use</span></dd>",
        "<dt>Billing</dt><dd>1 High Street\nMANCHESTER\nM1 1AE</dd>",
        ": created</li>",
        &format!("action=\"../account/{id}/delete\""),
        &format!("href=\"../customers/{id}/export\""),
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("Erase"), "only a deleted account can be erased here");

    let changed = [("revision", "1"), ("do", "save"), ("notes", "Rings <twice>.")];
    assert_eq!(submit(&api, &format!("/edit/{id}"), &[&ADA[..], &changed].concat()).await.status, 200);
    let page = get(&api, &at("")).await;
    assert!(page.text.contains("<li>notes: nothing → Rings &lt;twice&gt;.</li>"), "{}", page.text);
    assert!(
        page.text.contains("<li>address lines: 1 High Street, MANCHESTER → nothing</li>"),
        "{}",
        page.text
    );

    let late = submit(&api, &at("/delete"), &[("revision", "1")]).await;
    assert_eq!(late.status, 412);
    assert!(
        late.text.contains("It is shown as it is now") && late.text.contains("../../page.css"),
        "{}",
        late.text
    );
    assert_eq!(submit(&api, &at("/delete"), &[]).await.status, 400);
    let deleted = submit(&api, &at("/delete"), &[("revision", "2")]).await;
    assert_eq!((deleted.status.as_u16(), deleted.header("location")), (303, &*format!("../{id}")));
    assert_eq!(get(&api, &format!("/customers/{id}")).await.status, 404);
    let page = get(&api, &at("")).await;
    assert!(
        page.text.contains("<dt>Deleted</dt>") && page.text.contains(">Erase for good</a>"),
        "{}",
        page.text
    );
    assert!(get(&api, "/list?deleted=true").await.text.contains(&format!("href=\"account/{id}\"")));

    let restored = submit(&api, &at("/restore"), &[("revision", "3")]).await;
    assert_eq!(restored.status, 303);
    assert_eq!(only(&api).await["id"], *id);
    assert_eq!(submit(&api, &at("/delete"), &[("revision", "4")]).await.status, 303);
    let question = get(&api, &at("/erase")).await;
    assert!(question.text.contains("Nothing can bring them back"), "{}", question.text);
    assert_eq!(get(&api, &at("")).await.status, 200, "a question erases nothing");
    let erased = submit(&api, &at("/erase"), &[("revision", "5")]).await;
    assert_eq!((erased.status.as_u16(), erased.header("location")), (303, "../../list?deleted=true"));
    for path in [at(""), at("/erase"), "/account/nonsense".to_owned()] {
        let missing = get(&api, &path).await;
        assert_eq!(missing.status, 404);
        assert!(missing.text.contains("There is no customer"), "{}", missing.text);
    }
}
