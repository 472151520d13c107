//! The compiled program, promoted from the country in its process to a service and back, while
//! customers are made.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use crate::http::{Server, exchange, program, send};
use postcode_testing::{Nobody, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service;

const STAGES: [&str; 5] = ["local", "shadow", "canary", "remote-with-fallback", "remote"];

/// Postcodes that both implementations must answer alike: live in three countries, terminated,
/// unknown, not covered.
const POSTCODES: [&str; 7] = ["SW1A 1AA", "EH1 1YZ", "JE2 3AB", "AB1 0AA", "SW1A 9ZZ", "BT1 5GS", "M1 1AE"];

struct Promoted {
    server: Server,
    admin: String,
    _dir: TempDir,
}

impl Promoted {
    async fn start(to: &str, more: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let database = format!("sqlite://{}", dir.path().join("customers.db").display());
        let options = ["--listen", "127.0.0.1:0", "--database", &database, "--lookup-timeout", "30s"];
        // Count only the customers' lookups, not the checks for a new edition.
        let promotion = ["--promote-to", to, "--admin", "127.0.0.1:0", "--recheck-every", "1h"];
        let mut server = Server::start(&[&options[..], &promotion, more].concat()).await;
        let admin = server.said("admin on ").await;
        Self { server, admin, _dir: dir }
    }

    async fn seen(&self) -> Value {
        let (status, seen) = send(&self.admin, "GET", "/promotion", None).await.unwrap();
        assert_eq!(status, 200, "{seen}");
        seen
    }

    async fn set(&self, change: Value) -> (u16, Value) {
        send(&self.admin, "PUT", "/promotion", Some(&change)).await.unwrap()
    }

    async fn end(self) {
        assert_eq!(self.server.end("TERM").await, (Some(0), String::new()));
    }
}

/// Creates a customer. Returns the program's answer, without id, times and the unique email
/// address.
async fn make(address: &str, postcode: &str) -> Value {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let email = format!("a{}@example.com", MADE.fetch_add(1, SeqCst));
    let new = json!({ "name": "Ada", "email": email, "postcode": postcode, "address_lines": ["1 High St"] });
    let (status, mut made) = send(address, "POST", "/customers", Some(&new)).await.unwrap();
    assert_eq!(status, 201, "{made}");
    for of_its_own in ["id", "email", "created_at", "updated_at"] {
        assert!(made.as_object_mut().unwrap().remove(of_its_own).is_some(), "{made}");
    }
    made
}

async fn answers(address: &str) -> String {
    let mut all = String::new();
    for postcode in POSTCODES {
        all += &format!("{}\n", make(address, postcode).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn started_in_any_stage_it_answers_the_same_to_the_byte() {
    let service = service::start().await;
    let mut expected = None;
    for stage in STAGES {
        let promoted =
            Promoted::start(&service, &["--stage", stage, "--share", "50%", "--guard", "off"]).await;
        let answers = answers(&promoted.server.address).await;
        assert!(answers.contains("\"admin_district\":\"Westminster\"") && answers.contains("\"terminated\""));
        assert_eq!(*expected.get_or_insert(answers.clone()), answers, "{stage}");
        let mut seen = promoted.seen().await;
        assert_eq!(
            (&seen["stage"], &seen["share"], &seen["failed"]),
            (&json!(stage), &json!(0.5), &json!(0))
        );
        // In shadow the new implementation is asked outside the customers' path.
        while stage != "local" && seen["latency"]["new"]["count"] == 0 {
            seen = promoted.seen().await;
        }
        assert_eq!(seen["latency"]["new"]["count"] == 0, stage == "local", "{seen}");
        promoted.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stepped_through_all_stages_under_load_nothing_fails_and_all_is_equal() {
    let promoted = Promoted::start(&service::start().await, &["--share", "0.5", "--guard", "off"]).await;
    let address = promoted.server.address.clone();
    let expected: Arc<Vec<Value>> = Arc::new({
        let mut expected = Vec::new();
        for postcode in POSTCODES {
            expected.push(make(&address, postcode).await);
        }
        expected
    });
    let (made, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..4 {
        let (address, expected, made, done) = (address.clone(), expected.clone(), made.clone(), done.clone());
        clients.spawn(async move {
            for n in client.. {
                if done.load(SeqCst) {
                    break;
                }
                let n = n % POSTCODES.len();
                assert_eq!(make(&address, POSTCODES[n]).await, expected[n]);
                made.fetch_add(1, SeqCst);
            }
        });
    }
    // There and back, and from one end to the other.
    let walk = STAGES.iter().chain(STAGES.iter().rev()).chain(&["remote", "local", "canary"]);
    for stage in walk {
        let (status, now) = promoted.set(json!({ "stage": stage })).await;
        assert_eq!((status, &now["stage"], &now["share"]), (200, &json!(stage), &json!(0.5)), "{now}");
        let begun = made.load(SeqCst);
        while made.load(SeqCst) < begun + 40 {
            assert!(clients.try_join_next().is_none(), "a client failed: see above");
            tokio::task::yield_now().await;
        }
    }
    done.store(true, SeqCst);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    // Comparisons are made off the customers' path, and may end after the calls.
    until("some comparisons, all of them ended", async || {
        let seen = promoted.seen().await;
        for nothing in ["mismatched", "failed", "step_backs"] {
            assert_eq!(seen[nothing], 0, "{nothing}: {seen}");
        }
        seen["compared"].as_u64().unwrap() > 20 && seen["compared"] == seen["matched"]
    })
    .await;
    let seen = promoted.seen().await;
    assert_eq!(seen["examples"], json!([]));
    for side in ["old", "new"] {
        for quantile in ["p50_us", "p90_us", "p99_us"] {
            assert!(seen["latency"][side][quantile].as_f64().unwrap() > 0.0, "{seen}");
        }
    }
    promoted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_service_is_gone_the_old_side_answers_and_the_guard_steps_back() {
    let options = ["--stage", "remote-with-fallback", "--share", "100%"];
    let nobody = Nobody::new();
    let promoted = Promoted::start(&nobody.url(), &options).await;
    let address = &promoted.server.address;
    let expected = make(address, POSTCODES[0]).await;
    assert_eq!(expected["address_status"], "verified");
    // From remote-with-fallback to shadow, and from there to local.
    while promoted.seen().await["stage"] != "local" {
        assert_eq!(make(address, POSTCODES[0]).await, expected);
    }
    let seen = promoted.seen().await;
    assert_eq!((&seen["step_backs"], &seen["failed"]), (&json!(2), &json!(0)), "{seen}");
    assert!(seen["fallbacks"].as_u64().unwrap() >= 20, "{seen}");
    let step = &seen["last_step_back"];
    assert_eq!((&step["from"], &step["to"]), (&json!("shadow"), &json!("local")));
    assert!(step["reason"].as_str().unwrap().contains("calls to the new implementation failed"), "{step}");
    // And forward once more, by hand.
    assert_eq!(promoted.set(json!({ "stage": "canary", "share": 1 })).await.0, 200);
    assert_eq!(make(address, POSTCODES[0]).await, expected);
    promoted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_makes_no_sense_is_refused_and_changes_nothing() {
    let nobody = Nobody::new();
    let promoted = Promoted::start(&nobody.url(), &["--stage", "shadow", "--share", "0"]).await;
    let admin = &promoted.admin;
    let json_type = ("content-type", "application/json");
    let here = admin.trim_start_matches("http://");
    let port = here.rsplit_once(':').unwrap().1;
    let rebound = format!("evil.example:{port}");
    let page = format!("http://{rebound}");
    for (headers, body, status, code) in [
        (vec![json_type], "{", 400, "invalid_json"),
        (vec![json_type], "[]", 422, "invalid_promotion"),
        (vec![json_type], "{}", 422, "stage is missing"),
        (vec![json_type], r#"{"stage":"Remote"}"#, 422, "give one of local, shadow"),
        (vec![json_type], r#"{"stage":1}"#, 422, "stage is a number"),
        (vec![json_type], r#"{"stage":"remote","share":1.5}"#, 422, "a share of 1.5: give 0 to 1"),
        (vec![json_type], r#"{"stage":"remote","share":"10%"}"#, 422, "share is a text"),
        (vec![json_type], r#"{"row":"nearby","stage":"remote"}"#, 422, "give default, cohort:NAME"),
        (vec![json_type], r#"{"plan":"local,nearest"}"#, 422, "give ROW=STAGE"),
        (vec![json_type], r#"{"stage":"remote","shares":0.1}"#, 422, "\\\"shares\\\" is not a field"),
        (vec![], r#"{"stage":"remote"}"#, 415, "unsupported_media_type"),
        (vec![("content-type", "text/plain")], r#"{"stage":"remote"}"#, 415, "unsupported_media_type"),
        (vec![json_type, ("origin", "http://evil.example")], r#"{"stage":"remote"}"#, 403, "cross_site"),
        (vec![json_type, ("origin", "null")], r#"{"stage":"remote"}"#, 403, "cross_site"),
        (vec![json_type, ("sec-fetch-site", "same-site")], r#"{"stage":"remote"}"#, 403, "cross_site"),
        (
            vec![json_type, ("host", &rebound), ("origin", &page)],
            r#"{"stage":"remote"}"#,
            421,
            "evil.example",
        ),
    ] {
        let mut headers = headers;
        if !headers.iter().any(|(name, _)| *name == "host") {
            headers.push(("host", here));
        }
        let (got, content, text) = exchange(admin, "PUT", "/promotion", &headers, body).await.unwrap();
        assert_eq!((got, &*content), (status, "application/problem+json"), "{body}: {text}");
        assert!(text.contains(code), "{body}: {text}");
    }
    let large = format!("{{\"stage\":\"remote\"{}}}", " ".repeat(5000));
    let (status, _, text) =
        exchange(admin, "PUT", "/promotion", &[("host", here), json_type], &large).await.unwrap();
    assert_eq!(status, 413, "{text}");
    assert_eq!(send(admin, "POST", "/promotion", None).await.unwrap().0, 405);
    assert_eq!(send(admin, "GET", "/nowhere", None).await.unwrap().0, 404);
    let seen = promoted.seen().await;
    assert_eq!((&seen["stage"], &seen["share"]), (&json!("shadow"), &json!(0.0)));

    // The page itself may.
    let own = [("host", here), json_type, ("origin", admin), ("sec-fetch-site", "same-origin")];
    let body = r#"{"stage":"local","share":0.25}"#;
    let (status, content, text) = exchange(admin, "PUT", "/promotion", &own, body).await.unwrap();
    assert_eq!((status, &*content), (200, "application/json"), "{text}");
    let seen = promoted.seen().await;
    assert_eq!((&seen["stage"], &seen["share"]), (&json!("local"), &json!(0.25)));
    assert_eq!(seen["sources"]["old"], "embedded:");
    assert!(
        seen["sources"]["new"].as_str().unwrap().starts_with(&format!("{} timeout=1s", nobody.url())),
        "{seen}"
    );
    promoted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn method_is_moved_by_one_option_or_one_request_while_the_others_stay() {
    let options = ["--stage", "local,lookup=shadow:100%,cohort:import=remote", "--share", "25%"];
    let promoted = Promoted::start(&service::start().await, &options).await;
    let (address, admin) = (&promoted.server.address, &promoted.admin);
    make(address, "SW1A 1AA").await;
    let row = |seen: &Value, name: &str| {
        let rows = seen["rows"].as_array().unwrap();
        rows.iter().find(|row| row["row"] == name).cloned().unwrap()
    };
    let seen = promoted.seen().await;
    assert_eq!(seen["plan"], "local:0.25,lookup=shadow:1,cohort:import=remote:0.25");
    assert_eq!((&seen["stage"], &seen["share"]), (&json!("local"), &json!(0.25)));
    // In `remote` the service has all the time that the customers wait, however busy the machine is.
    let step = json!({ "row": "within", "stage": "remote" });
    let (status, seen) = promoted.set(step).await;
    assert_eq!((status, &seen["stage"]), (200, &json!("local")));
    // The checks of a customer look up, and the map around a postcode asks for the postcodes within a circle too.
    let path = "/postcodes/SW1A1AA/map?radius=300";
    let (status, _, text) = exchange(address, "GET", path, &[("host", "localhost")], "").await.unwrap();
    assert_eq!(status, 200, "{text}");
    let seen = promoted.seen().await;
    let within = row(&seen, "within");
    assert!(within["calls"].as_u64().unwrap() > 0, "{seen}");
    assert_eq!(within["latency"]["new"]["count"], within["calls"], "{seen}");
    assert_eq!((&within["held"], &within["errors"]), (&json!(0), &json!(0)), "{seen}");
    assert_eq!(row(&seen, "default")["latency"]["new"]["count"], 0, "{seen}");
    let (status, _, text) = exchange(admin, "GET", "/metrics", &[("host", "localhost")], "").await.unwrap();
    assert_eq!(status, 200);
    for line in [
        "postcode_promotion_row_stage{row=\"within\",stage=\"remote\"} 1",
        "postcode_promotion_row_stage{row=\"default\",stage=\"local\"} 1",
        "postcode_promotion_row_share{row=\"lookup\"} 1",
        "postcode_promotion_row_held_total{row=\"within\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    let (_, seen) = promoted.set(json!({ "row": "within", "stage": "default" })).await;
    assert_eq!(row(&seen, "within")["active"], false);
    let (_, seen) = promoted.set(json!({ "plan": "shadow" })).await;
    assert_eq!(seen["plan"], "shadow:0.25");
    promoted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_page_and_health_are_there() {
    let promoted = Promoted::start(&service::start().await, &["--stage", "shadow", "--share", "100%"]).await;
    let (address, admin) = (&promoted.server.address, &promoted.admin);
    make(address, "SW1A 1AA").await;
    while promoted.seen().await["compared"] == 0 {
        tokio::task::yield_now().await;
    }
    let get = async |path| exchange(admin, "GET", path, &[("host", "localhost")], "").await.unwrap();
    let (status, content, text) = get("/metrics").await;
    assert_eq!((status, &*content), (200, "text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "postcode_promotion_stage{stage=\"shadow\"} 1",
        "postcode_promotion_stage{stage=\"remote\"} 0",
        "postcode_promotion_share 1",
        "postcode_promotion_calls_total 1",
        "postcode_promotion_compared_total{result=\"matched\"} 1",
        "postcode_promotion_compared_total{result=\"mismatched\"} 0",
        "postcode_promotion_mismatched_total{cause=\"code\"} 0",
        "# TYPE postcode_promotion_latency_seconds gauge",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    assert!(text.contains("postcode_promotion_latency_seconds{side=\"new\",quantile=\"0.99\"} "), "{text}");
    let (status, content, page) = get("/").await;
    assert_eq!((status, &*content), (200, "text/html; charset=utf-8"));
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing from elsewhere");
    assert_eq!(get("/health").await.0, 200);
    assert_eq!(send(address, "GET", "/promotion", None).await.unwrap().0, 404, "not for the public");
    promoted.end().await;
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let nobody = Nobody::new();
    let nobody = &*nobody.url();
    for (options, says) in [
        (&["--stage", "shadow"][..], "--promote-to"),
        (&["--admin", "127.0.0.1:0"], "--promote-to"),
        (&["--promote-to", "nowhere"], "--promote-to: \"nowhere\" has no scheme"),
        (&["--promote-to", nobody, "--stage", "far"], "give one of local, shadow"),
        (&["--promote-to", nobody, "--stage", "local,nearby=remote"], "row \"nearby\": give default"),
        (&["--promote-to", nobody, "--share", "10"], "give 0% to 100%"),
        (&["--promote-to", nobody, "--guard", "errors"], "errors=: give 0% to 100%"),
        (&["--promote-to", nobody, "--admin", "nonsense"], "write HOST:PORT"),
        (&["--promote-to", "http://a?colour=blue"], "unknown option \"colour\""),
        (&["--explain-with", "embedded:"], "--promote-to"),
        (&["--promote-to", nobody, "--explain-with", "nowhere"], "--explain-with: \"nowhere\" has no scheme"),
    ] {
        let dir = TempDir::new().unwrap();
        let database = format!("sqlite://{}", dir.path().join("customers.db").display());
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &database];
        let output = program(&[&serve[..], options].concat()).output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{options:?}");
        assert!(stderr.contains(says), "{options:?}: {stderr}");
        assert_eq!(output.stdout, b"", "{options:?}");
    }
}
