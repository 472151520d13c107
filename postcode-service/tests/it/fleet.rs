//! The plan of a fleet: many processes follow one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use postcode_core::layers::call::Call;
use postcode_core::layers::fleet::{Fleet, FleetLimits, FleetMember, FleetSnapshot, Following, follow};
use postcode_core::layers::{Around, Guard, Promotion, Stage};
use postcode_core::remote::RemoteFleet;
use postcode_core::{Error, ErrorKind, Local, PostcodeLookupExt, Result, layer};
use postcode_service::api::Api;
use postcode_service::server::{Frontend, Options};
use postcode_testing::until;
use serde_json::{Value, json};

use crate::common::{self, Answer, api_over, get, send};
use crate::program::Server;

const PROCESSES: usize = 50;

/// A service that fails while it is told to.
#[derive(Debug)]
struct Faulty {
    inner: Local,
    failing: AtomicBool,
}

impl Around for Faulty {
    type Inner = Local;

    async fn around<C: Call<Local>>(&self, call: C) -> Result<C::Reply> {
        match self.failing.load(SeqCst) {
            true => Err(Error::new(ErrorKind::Unavailable, "told to fail")),
            false => call.on(&self.inner).await,
        }
    }
}

layer!([] Faulty);

struct Process {
    new: Arc<Faulty>,
    promotion: Promotion,
}

impl Process {
    /// Starts a process that follows the plan of this server.
    fn start(number: usize, url: &str) -> Self {
        let new = Arc::new(Faulty { inner: common::small(), failing: AtomicBool::new(false) });
        let promotion = Promotion::new(Arc::new(common::small()), new.clone());
        let member = FleetMember::new(promotion.clone(), format!("process-{number}")).unwrap();
        let link = RemoteFleet::new(&format!("{url}?timeout=30s&deadline=60s")).unwrap();
        tokio::spawn(follow(Arc::new(member), Arc::new(link), Following::default()));
        Self { new, promotion }
    }

    async fn call(&self) {
        assert!(self.promotion.get_str("M1 1AD").await.unwrap().is_live(), "no call fails");
    }
}

async fn seen(url: &str) -> FleetSnapshot {
    RemoteFleet::new(&format!("{url}?timeout=30s&deadline=60s")).unwrap().snapshot().await.unwrap()
}

async fn acknowledged(url: &str, revision: u64) {
    until(&format!("revision {revision} is acknowledged by all"), async || {
        let all = seen(url).await.acknowledged;
        all.len() == 1 && (all[0].revision, all[0].processes) == (revision, PROCESSES)
    })
    .await;
}

async fn put(url: &str, plan: &str, if_revision: u64) -> Value {
    let body = json!({ "plan": plan, "if_revision": if_revision }).to_string();
    postcode_core::remote::tls_provider();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let request = client.put(format!("{url}/promotion/plan")).header("content-type", "application/json");
    serde_json::from_str(&request.body(body).send().await.unwrap().text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_processes_follow_one_put_under_load_and_step_back_on_their_sum() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.json");
    let options =
        ["--listen", "127.0.0.1:0", "--fleet", file.to_str().unwrap(), "--fleet-guard", "errors=1%"];
    let server = Server::start(&options);
    let url = server.address.clone();
    let processes: Arc<Vec<Process>> = Arc::new((0..PROCESSES).map(|n| Process::start(n, &url)).collect());
    acknowledged(&url, 0).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..PROCESSES {
        let (processes, done) = (processes.clone(), done.clone());
        callers.spawn(async move {
            while !done.load(SeqCst) {
                processes[number].call().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    for (revision, plan) in [(1, "shadow:20%"), (2, "canary:50%"), (3, "remote-with-fallback")] {
        assert_eq!(put(&url, plan, revision - 1).await["result"]["revision"], revision);
        acknowledged(&url, revision).await;
    }
    done.store(true, SeqCst);
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }

    // Two faults of fifty calls in each. For one process that is chance.
    put(&url, "remote-with-fallback", 3).await;
    acknowledged(&url, 4).await;
    for process in &*processes {
        for call in 0..50 {
            process.new.failing.store(call % 25 == 24, SeqCst);
            process.call().await;
        }
        process.new.failing.store(false, SeqCst);
    }
    acknowledged(&url, 5).await;
    let now = seen(&url).await.plan;
    assert_eq!(now.plan.to_string(), "shadow:0.5");
    assert!(now.step_backs[0].reason.contains("failed in all processes"), "{now:?}");
    for process in &*processes {
        let seen = process.promotion.snapshot();
        assert_eq!(
            (seen.stage, seen.step_backs, seen.failed),
            (Stage::Shadow, 0, 0),
            "by the plan, not alone"
        );
    }

    // The server is killed. The processes go on, and it begins where the plan was.
    assert_eq!(server.end("KILL").0, None);
    processes[0].call().await;
    let address = url.strip_prefix("http://").unwrap();
    let again = Server::start(&["--listen", address, "--fleet", file.to_str().unwrap()]);
    assert_eq!(again.address, url);
    acknowledged(&url, 5).await;
    assert_eq!(put(&url, "local", 5).await["result"]["revision"], 6);
    acknowledged(&url, 6).await;
    assert!(processes.iter().all(|process| process.promotion.stage() == Stage::Local));
    assert_eq!(again.end("TERM").0, Some(0), "waits for a newer plan don't delay the end");
}

async fn change(api: &Api, method: Method, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    send(api, request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn plan_is_read_changed_and_refused_with_reasons() {
    let api = api_over(common::small()).await;
    let missing = get(&api, "/promotion/plan").await;
    assert_eq!((missing.status.as_u16(), &missing.json()["code"]), (501, &json!("not_supported")));
    let mut limits = FleetLimits::default();
    limits.processes = 1;
    api.serve_fleet(Fleet::new(Some(Guard::default()), limits));

    let none = get(&api, "/promotion/plan").await.json();
    assert_eq!(none["result"], json!({ "revision": 0, "plan": "local:0.1", "at": 0 }));
    let set = change(&api, Method::PUT, "/promotion/plan", r#"{"plan":"canary:20%","if_revision":0}"#).await;
    assert_eq!((set.status.as_u16(), &set.json()["result"]["plan"]), (200, &json!("canary:0.2")));
    for (body, status, code, says) in [
        (r#"{"plan":"remote","if_revision":0}"#, 409, "revision_moved", "revision 1 by now, and not 0"),
        (r#"{"plan":"far"}"#, 422, "invalid_promotion", "stage"),
        (r#"{"plan":"remote","if_revison":0}"#, 422, "invalid_promotion", "if_revison"),
        ("{}", 422, "invalid_promotion", "plan"),
        ("{", 400, "invalid_input", "not valid JSON"),
    ] {
        let refused = change(&api, Method::PUT, "/promotion/plan", body).await;
        let answer = refused.json();
        assert_eq!((refused.status.as_u16(), &answer["code"]), (status, &json!(code)), "{body}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(says), "{body}: {answer}");
    }
    let large = format!("{{\"plan\":\"{}\"}}", "x".repeat(16 << 10));
    assert_eq!(change(&api, Method::PUT, "/promotion/plan", &large).await.status, 413);
    let form = Request::put("/promotion/plan").body(Body::from(r#"{"plan":"local"}"#)).unwrap();
    assert_eq!(send(&api, form).await.status, 415, "a page of another site can send that");

    // A wait that is over at once, and one that is not a wait.
    let newer = get(&api, "/promotion/plan?newer_than=0&wait=60s").await.json();
    assert_eq!(newer["result"]["revision"], 1);
    for query in ["newer_than=x", "newer_than=-1", "newer_than=1&wait=61s", "newer_than=1&wait=soon"] {
        assert_eq!(get(&api, &format!("/promotion/plan?{query}")).await.status, 400, "{query}");
    }
    let waiting = tokio::spawn({
        let api = api.clone();
        async move { get(&api, "/promotion/plan?newer_than=1&wait=60s").await.json() }
    });
    change(&api, Method::PUT, "/promotion/plan", r#"{"plan":"shadow"}"#).await;
    assert_eq!(waiting.await.unwrap()["result"]["revision"], 2);

    let report = |process: &str| {
        json!({ "process": process, "revision": 2, "plan": "shadow:0.2", "rows": [{
            "row": "default", "stage": "shadow", "calls": 7,
            "observed": { "asked": 1, "failed": 0, "slow": 0, "old_asked": 6, "old_failed": 0, "compared": 1, "mismatched": 0 },
        }] })
        .to_string()
    };
    let taken = change(&api, Method::POST, "/promotion/fleet", &report("a")).await;
    assert_eq!(taken.json()["result"], json!({ "revision": 2, "next_ms": 1000 }));
    let full = change(&api, Method::POST, "/promotion/fleet", &report("b")).await;
    assert_eq!((full.status.as_u16(), full.header("retry-after")), (503, "15"));
    let wrong = change(&api, Method::POST, "/promotion/fleet", &report("a b")).await;
    assert_eq!((wrong.status.as_u16(), &wrong.json()["code"]), (422, &json!("invalid_promotion")));
    let fleet = get(&api, "/promotion/fleet").await.json();
    assert_eq!(fleet["result"]["acknowledged"], json!([{ "revision": 2, "processes": 1 }]));
    assert_eq!(fleet["result"]["processes"][0]["rows"][0]["calls"], 7);
    assert_eq!(fleet["result"]["refused"], 1);
    let metrics = Frontend::new(api.clone(), &Options::default());
    let metrics = metrics.call(Request::get("/metrics").body(Body::empty()).unwrap()).await.into_body();
    let metrics =
        String::from_utf8(axum::body::to_bytes(metrics, usize::MAX).await.unwrap().to_vec()).unwrap();
    for line in ["postcode_fleet_revision 2", "postcode_fleet_processes{state=\"current\"} 1"] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }

    // The end of the server ends the waits.
    let waiting = tokio::spawn({
        let api = api.clone();
        async move { get(&api, "/promotion/plan?newer_than=2&wait=60s").await.json() }
    });
    tokio::task::yield_now().await;
    api.set_ready(false);
    assert_eq!(waiting.await.unwrap()["result"]["revision"], 2);
}
