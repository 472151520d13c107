//! The accept loop's limits.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use customers::server::{GateLimits, Limits, Listener, serve_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

struct Server {
    address: String,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

async fn start(limits: Limits) -> Server {
    start_with(limits, GateLimits::default()).await
}

async fn start_with(limits: Limits, requests: GateLimits) -> Server {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.to_string().replace("http://", "");
    let router = Router::new()
        .route("/", get(async || "yes"))
        .route("/health", get(async || "well"))
        .route("/never", get(pending::<()>));
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(serve_with(listener, router, limits, requests, async { stopped.await.unwrap() }));
    Server { address, stop, done }
}

async fn ask(stream: &mut TcpStream) {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"yes") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
    }
}

#[tokio::test]
async fn connection_above_the_limit_takes_the_place_of_an_idle_one() {
    let mut limits = Limits::default();
    limits.connections = 1;
    let server = start(limits).await;
    let mut first = TcpStream::connect(&server.address).await.unwrap();
    ask(&mut first).await;
    let mut second = TcpStream::connect(&server.address).await.unwrap();
    ask(&mut second).await;
    assert_eq!(first.read(&mut [0]).await.unwrap(), 0, "closed");
}

#[tokio::test]
async fn request_without_one_host_is_refused() {
    let server = start(Limits::default()).await;
    for headers in ["", "host: a\r\nhost: a\r\n"] {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_host"), "{answer}");
    }
}

#[tokio::test]
async fn a_header_that_does_not_come_ends_its_connection() {
    let mut limits = Limits::default();
    limits.header = Duration::from_millis(20);
    let server = start(limits).await;
    let mut half = TcpStream::connect(&server.address).await.unwrap();
    half.write_all(&REQUEST[..20]).await.unwrap();
    let mut rest = Vec::new();
    // It ends; whether with an answer, and whether by a reset, is the system's.
    let _ = half.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_at_the_deadline() {
    let mut limits = Limits::default();
    limits.drain = Duration::from_millis(20);
    let server = start(limits).await;
    let mut stuck = TcpStream::connect(&server.address).await.unwrap();
    stuck.write_all(b"GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    ask(&mut TcpStream::connect(&server.address).await.unwrap()).await;
    server.stop.send(()).unwrap();
    server.done.await.unwrap();
    let _ = stuck.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn request_above_the_rate_is_refused_with_the_time_to_wait() {
    let mut requests = GateLimits::default();
    requests.address_rate = Some("1/h:2".parse().unwrap());
    let server = start_with(Limits::default(), requests).await;
    for _ in 0..2 {
        ask(&mut TcpStream::connect(&server.address).await.unwrap()).await;
    }
    let mut third = TcpStream::connect(&server.address).await.unwrap();
    third.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    third.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("too_many_requests"), "{answer}");
    let after = answer.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=3601).contains(&after.parse::<u32>().unwrap()), "{after}");
}

#[tokio::test]
async fn requests_above_the_limit_are_refused_and_health_is_not() {
    let mut requests = GateLimits::default();
    requests.in_flight = 1;
    let mut limits = Limits::default();
    limits.drain = Duration::from_millis(20);
    let server = start_with(limits, requests).await;
    let mut stuck = TcpStream::connect(&server.address).await.unwrap();
    stuck.write_all(b"GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let status = async |path: &str| {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer[9..12].to_owned()
    };
    // The first may not have come yet.
    while status("/").await == "200" {
        tokio::task::yield_now().await;
    }
    assert_eq!(status("/").await, "503");
    assert_eq!(status("/health").await, "200");
}
