//! The server loop on real sockets: bytes in, bytes out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use crate::common;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use postcode_core::layers::Around;
use postcode_core::layers::call::{Call, LookupCall};
use postcode_core::{Local, Result, layer};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Address, Frontend, Listener, Options, run};
use postcode_testing::GENEROUS;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// A lookup that never answers for `ZE1 9ZZ`, panics for `ZE1 9XX`, and answers the rest.
#[derive(Debug)]
struct Moody {
    inner: Local,
    asked: Arc<Notify>,
}

impl Around for Moody {
    type Inner = Local;

    async fn around<C: Call<Local>>(&self, call: C) -> Result<C::Reply> {
        call.on(&self.inner).await
    }

    async fn around_lookup<C: LookupCall<Local>>(&self, call: C) -> Result<C::Reply> {
        for postcode in call.postcodes() {
            match &*postcode.compact() {
                "ZE19ZZ" => {
                    self.asked.notify_one();
                    std::future::pending::<()>().await;
                }
                "ZE19XX" => panic!("as if there were a bug"),
                _ => {}
            }
        }
        self.around(call).await
    }
}

layer!([] Moody);

struct Server {
    url: String,
    asked: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

async fn frontend(options: &Options) -> (Arc<Frontend>, Arc<Notify>) {
    let asked = Arc::new(Notify::new());
    let lookup = Moody { inner: common::small(), asked: asked.clone() };
    let api = Api::new(Edition::of(Arc::new(lookup)).await.unwrap(), Limits::default());
    (Arc::new(Frontend::new(api, options)), asked)
}

async fn start_on(address: &Address, options: Options) -> Server {
    let (frontend, asked) = frontend(&options).await;
    let listener = Listener::bind(address).await.unwrap();
    let url = listener.url().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(run(listener, frontend, options, async {
        let _ = stopped.await;
    }));
    Server { url, asked, stop: Some(stop), running }
}

async fn start(options: Options) -> Server {
    start_on(&"127.0.0.1:0".parse().unwrap(), options).await
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.strip_prefix("http://").unwrap()).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_all(&mut stream).await
    }

    /// Asks it to stop and waits until it has.
    async fn stop(mut self) {
        self.begin_stop();
        // Far longer than it takes: a hang is a failure and not a hanging test.
        tokio::time::timeout(GENEROUS, self.running).await.expect("stopped").unwrap();
    }

    fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is an end too.
    let _ = tokio::time::timeout(GENEROUS, stream.read_to_end(&mut bytes)).await.expect("closed");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n").into_bytes()
}

#[tokio::test]
async fn an_answer_names_request_and_trace() {
    let server = start(Options::default()).await;
    let answer = server
        .exchange(&get(
            "/postcodes/ZZ11ZZ",
            "x-request-id: mine-1\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.contains("x-request-id: mine-1\r\n"), "{answer}");
    assert!(answer.contains(r#""request_id":"mine-1""#), "{answer}");
    assert!(answer.contains("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let server = start(Options::default()).await;
    let get_answer = server.exchange(&get("/postcodes/AB101AB", "")).await;
    let head =
        server.exchange(b"HEAD /postcodes/AB101AB HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    let length = |answer: &str| {
        let line = answer.lines().find(|line| line.starts_with("content-length: ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no length: {answer}"))
    };
    assert_eq!(length(&head), length(&get_answer));
    server.stop().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(Options::default()).await;
    let mut bytes = Vec::new();
    for path in ["/ping", "/postcodes/AB101AB/validate"] {
        bytes.extend(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes());
    }
    bytes.extend(get("/ready", ""));
    let answers = server.exchange(&bytes).await;
    let at = |text| answers.find(text).unwrap_or_else(|| panic!("{text} is missing: {answers}"));
    assert!(at("pong") < at(r#""result":true"#) && at(r#""result":true"#) < at("Ready"));
    server.stop().await;
}

#[tokio::test]
async fn a_deadline_is_kept_whoever_sets_it() {
    let patient = Options { request_timeout: GENEROUS, ..Options::default() };
    let server = start(patient).await;
    let refused = server.exchange(&get("/postcodes/AB101AB", "postcode-deadline-ms: 0\r\n")).await;
    assert!(refused.starts_with("HTTP/1.1 504") && refused.contains(r#""code":"timeout""#), "{refused}");
    assert!(refused.contains(r#""retryable":true"#), "{refused}");
    let dropped = server.exchange(&get("/postcodes/ZE19ZZ", "postcode-deadline-ms: 20\r\n")).await;
    assert!(dropped.starts_with("HTTP/1.1 504"), "{dropped}");
    let wrong = server.exchange(&get("/postcodes/AB101AB", "postcode-deadline-ms: soon\r\n")).await;
    assert!(wrong.starts_with("HTTP/1.1 400"), "{wrong}");
    server.stop().await;
    let server = start(Options { request_timeout: Duration::from_millis(200), ..Options::default() }).await;
    let dropped = server.exchange(&get("/postcodes/ZE19ZZ", "")).await;
    assert!(dropped.starts_with("HTTP/1.1 504"), "the server's own: {dropped}");
    // A body that never comes is under the same limit.
    let head = "POST /postcodes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    let slow = server.exchange(head.as_bytes()).await;
    assert!(slow.starts_with("HTTP/1.1 504"), "{slow}");
    server.stop().await;
}

#[tokio::test]
async fn a_panic_is_an_answer_and_not_the_end() {
    let server = start(Options::default()).await;
    let answer = server.exchange(&get("/postcodes/ZE19XX", "")).await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains(r#""code":"internal""#), "{answer}");
    assert!(server.exchange(&get("/postcodes/AB101AB", "")).await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test]
async fn too_much_is_shed_and_health_is_not() {
    let options = Options { max_in_flight: 1, drain: Duration::from_millis(100), ..Options::default() };
    let server = start(options).await;
    let mut busy = server.connect().await;
    busy.write_all(&get("/postcodes/ZE19ZZ", "")).await.unwrap();
    server.asked.notified().await;
    let shed = server.exchange(&get("/postcodes/AB101AB", "")).await;
    assert!(shed.starts_with("HTTP/1.1 503") && shed.contains("retry-after: 1\r\n"), "{shed}");
    assert!(shed.contains(r#""code":"overloaded""#) && shed.contains(r#""retryable":true"#), "{shed}");
    for path in ["/ping", "/ready", "/metrics"] {
        assert!(server.exchange(&get(path, "")).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    let metrics = server.exchange(&get("/metrics", "")).await;
    assert!(metrics.contains("postcode_requests_shed_total 1"), "{metrics}");
    assert!(metrics.contains(r#"route="/ping",method="GET",status="2xx""#), "{metrics}");
    server.stop().await;
}

#[tokio::test]
async fn comparisons_are_shed_first_and_counted_apart() {
    let options = Options { max_in_flight: 4, drain: Duration::from_millis(100), ..Options::default() };
    let server = start(options).await;
    let compare = get("/postcodes/AB101AB", "postcode-purpose: comparison\r\n");
    assert!(server.exchange(&compare).await.starts_with("HTTP/1.1 200"));
    let mut busy = [server.connect().await, server.connect().await];
    for busy in &mut busy {
        busy.write_all(&get("/postcodes/ZE19ZZ", "")).await.unwrap();
        server.asked.notified().await;
    }
    let shed = server.exchange(&compare).await;
    assert!(shed.starts_with("HTTP/1.1 503") && shed.contains("retry-after: 1\r\n"), "{shed}");
    for other in ["", "postcode-purpose: prefetch\r\n"] {
        assert!(
            server.exchange(&get("/postcodes/AB101AB", other)).await.starts_with("HTTP/1.1 200"),
            "{other}"
        );
    }
    let metrics = server.exchange(&get("/metrics", "")).await;
    let count = |name: &str, status: &str| {
        let line = format!(
            r#"postcode_{name}_duration_seconds_count{{route="/postcodes/{{postcode}}",method="GET",status="{status}"}} "#
        );
        metrics.lines().find_map(|it| it.strip_prefix(&line)).map(str::to_owned)
    };
    assert_eq!(count("comparison", "2xx").as_deref(), Some("1"), "{metrics}");
    assert_eq!(count("request", "2xx").as_deref(), Some("2"), "{metrics}");
    assert!(metrics.contains("postcode_comparisons_shed_total 1"), "{metrics}");
    assert!(metrics.contains("postcode_requests_shed_total 0"), "{metrics}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_sensible_request_is_refused() {
    let server = start(Options { max_header: 8 * 1024, ..Options::default() }).await;
    // Not more than the server reads, so that it does not reset the connection and lose the answer.
    let mut huge = b"GET /ping HTTP/1.1\r\nhost: x\r\nx: ".to_vec();
    huge.resize(8 * 1024, b'x');
    let refused = server.exchange(&huge).await;
    assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    assert!(server.exchange(b"\0\0\0\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert!(server.exchange(&get("/ping", "")).await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test]
async fn a_header_has_its_time() {
    let server = start(Options { header_timeout: Duration::from_millis(100), ..Options::default() }).await;
    let answer = server.exchange(b"GET /ping HTTP/1.1\r\nhos").await;
    assert!(!answer.contains("200"), "closed: {answer}");
    server.stop().await;
}

#[tokio::test]
async fn connection_over_the_limit_takes_the_place_of_an_idle_one() {
    let server = start(Options { max_connections: 1, ..Options::default() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut some = [0; 16];
    first.read_exact(&mut some).await.unwrap();
    assert!(server.exchange(&get("/postcodes/AB101AB", "")).await.starts_with("HTTP/1.1 200"));
    // It is closed.
    read_all(&mut first).await;
    server.stop().await;
}

#[tokio::test]
async fn health_is_answered_when_all_connections_are_in_use() {
    let options = Options { max_connections: 1, drain: Duration::from_millis(100), ..Options::default() };
    let server = start(options).await;
    let mut busy = server.connect().await;
    busy.write_all(&get("/postcodes/ZE19ZZ", "")).await.unwrap();
    server.asked.notified().await;
    let refused = server.exchange(&get("/postcodes/AB101AB", "")).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1\r\n"), "{refused}");
    for path in ["/ping", "/ready", "/metrics"] {
        assert!(server.exchange(&get(path, "")).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn request_without_one_host_is_refused() {
    let server = start(Options::default()).await;
    for headers in ["", "host: a\r\nhost: a\r\n", "host: a b\r\n"] {
        let answer = server.exchange(format!("GET /ping HTTP/1.1\r\n{headers}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_host"), "{answer}");
    }
    assert!(server.exchange(b"GET /ping HTTP/1.0\r\n\r\n").await.starts_with("HTTP/1.0 200"));
    server.stop().await;
}

#[tokio::test]
async fn a_half_sent_header_does_not_hold_the_end() {
    let server = start(Options { drain: Duration::from_secs(3600), ..Options::default() }).await;
    let mut half = server.connect().await;
    half.write_all(b"GET /ping HTTP/1.1\r\nhost: ").await.unwrap();
    let idle = server.connect().await;
    // So that both have been accepted.
    assert!(server.exchange(&get("/ping", "")).await.contains("pong"));
    server.stop().await;
    assert_eq!(read_all(&mut half).await, "");
    drop(idle);
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let mut server = start(Options {
        request_timeout: Duration::from_millis(700),
        drain: Duration::from_secs(60),
        ..Options::default()
    })
    .await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /postcodes/ZE19ZZ HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    server.asked.notified().await;
    server.begin_stop();
    let answer = read_all(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 504"), "its own end and not ours: {answer}");
    tokio::time::timeout(GENEROUS, server.running).await.expect("stopped").unwrap();
}

#[tokio::test]
async fn what_does_not_end_in_time_is_dropped() {
    let server = start(Options {
        request_timeout: Duration::from_secs(3600),
        drain: Duration::from_millis(100),
        ..Options::default()
    })
    .await;
    let mut busy = server.connect().await;
    busy.write_all(&get("/postcodes/ZE19ZZ", "")).await.unwrap();
    server.asked.notified().await;
    server.stop().await;
    assert_eq!(read_all(&mut busy).await, "");
}

#[tokio::test]
async fn a_unix_socket_is_served_by_the_same_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let server = start_on(&Address::Unix(path.clone()), Options::default()).await;
    assert_eq!(server.url, format!("unix:{}", path.display()));
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(&get("/ping", "")).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("pong"), "{answer}");
    server.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn metrics_are_only_read() {
    let (frontend, _) = frontend(&Options::default()).await;
    let metrics = frontend.call(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(metrics.status(), 200);
    let posted = frontend.call(Request::post("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(posted.status(), 404);
}

/// Asks until the metrics say so.
async fn until_metrics_say(server: &Server, line: &str) {
    let asking = async {
        while !server.exchange(&get("/metrics", "")).await.lines().any(|it| it == line) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect(line);
}

#[tokio::test]
async fn requests_whose_body_is_still_coming_keep_nobody_from_being_served() {
    let options = Options {
        max_in_flight: 2,
        max_waiting: 4,
        request_timeout: Duration::from_secs(3600),
        patience: Duration::from_secs(3600),
        drain: Duration::from_millis(100),
        ..Options::default()
    };
    let server = start(options).await;
    let head =
        "POST /postcodes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(format!("{head}content-length: 50\r\n\r\n{{").as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // The two, and the one that asks.
    until_metrics_say(&server, "postcode_requests_in_flight 3").await;
    assert!(server.exchange(&get("/postcodes/AB101AB", "")).await.starts_with("HTTP/1.1 200"));
    let body = r#"{"postcodes":["AB10 1AB"]}"#;
    let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let answer = server.exchange(whole.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("AB10 1AB"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn requests_above_the_rate_are_refused_and_health_is_not() {
    let options = Options { rate_per_address: Some("1/h:2".parse().unwrap()), ..Options::default() };
    let server = start(options).await;
    for _ in 0..2 {
        assert!(server.exchange(&get("/postcodes/AB101AB", "")).await.starts_with("HTTP/1.1 200"));
    }
    let refused = server.exchange(&get("/postcodes/AB101AB", "")).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains(r#""code":"overloaded""#), "{refused}");
    let after = refused.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=3601).contains(&after.parse::<u32>().unwrap()), "{after}");
    assert!(server.exchange(&get("/ping", "")).await.starts_with("HTTP/1.1 200"));
    until_metrics_say(&server, "postcode_requests_limited_total 1").await;
    server.stop().await;
}

#[tokio::test]
async fn client_with_too_many_requests_at_once_is_refused_and_others_are_not() {
    let options = Options {
        max_in_flight_per_client: Some(1),
        proxies: "127.0.0.1".parse().unwrap(),
        drain: Duration::from_millis(100),
        ..Options::default()
    };
    let server = start(options).await;
    let of = |client: &str| format!("x-forwarded-for: {client}\r\n");
    let mut busy = server.connect().await;
    busy.write_all(&get("/postcodes/ZE19ZZ", &of("192.0.2.1"))).await.unwrap();
    server.asked.notified().await;
    let refused = server.exchange(&get("/postcodes/AB101AB", &of("192.0.2.1"))).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: 1\r\n"), "{refused}");
    let other = server.exchange(&get("/postcodes/AB101AB", &of("192.0.2.2"))).await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn slow_upload_loses_its_place_to_another() {
    let edition = Edition::of(Arc::new(common::small())).await.unwrap();
    let api = Api::new(edition, Limits { max_downloads: 1, ..Limits::default() });
    let upload = |body: Body| {
        let request = Request::post("/enrich").header("content-type", "text/csv").body(body).unwrap();
        let api = api.clone();
        async move { api.call(request).await }
    };
    let stuck = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let slow = tokio::spawn(upload(Body::from_stream(stuck)));
    let rows = || Body::from("postcode\nAB10 1AB\n");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(upload(rows()).await.status(), 503, "the first has only begun");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(upload(rows()).await.status(), 200);
    assert_eq!(slow.await.unwrap().status(), 400);
}
