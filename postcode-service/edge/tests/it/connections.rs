//! Connections that are many, slow, or without a request.

use std::time::Duration;

use postcode_edge::Limits;
use tokio::net::TcpStream;

use crate::server::{LONG, Server, ask, get, rest, send};

/// Few places, and all of them for any client.
fn few(connections: usize) -> Limits {
    let mut limits = Limits::default();
    limits.connections = connections;
    limits.reserved = 1;
    limits
}

/// Asks until it is answered: floods take a moment to be recognised.
async fn answered(server: &Server) {
    let asking = async {
        while !ask(server.connect().await, "/ok").await.ends_with("ok") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, asking).await.expect("answered");
}

async fn flood(server: &Server, many: usize, bytes: &str) -> Vec<TcpStream> {
    let mut flood = Vec::new();
    for _ in 0..many {
        let mut stream = server.connect().await;
        send(&mut stream, bytes).await;
        flood.push(stream);
    }
    flood
}

#[tokio::test]
async fn flood_of_idle_connections_leaves_a_place_for_an_honest_request() {
    let server = Server::start(few(8)).await;
    let _flood = flood(&server, 40, "").await;
    for _ in 0..10 {
        assert!(ask(server.connect().await, "/ok").await.ends_with("ok"));
    }
}

#[tokio::test]
async fn idle_connection_that_has_waited_longest_is_closed_first() {
    let server = Server::start(few(2)).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    for stream in [&mut first, &mut second] {
        send(stream, "GET /ok HTTP/1.1\r\nhost: x\r\n\r\n").await;
        server.requests(1).await;
    }
    assert!(ask(server.connect().await, "/ok").await.ends_with("ok"));
    assert!(rest(&mut first).await.ends_with("ok"), "it was closed after its answer");
    send(&mut second, &get("/ok")).await;
    assert_eq!(rest(&mut second).await.matches("HTTP/1.1 200").count(), 2, "it was kept");
}

#[tokio::test]
async fn flood_of_unfinished_headers_leaves_a_place_for_an_honest_request() {
    let server = Server::start(few(8)).await;
    let _flood = flood(&server, 40, "GET /ok HTTP/1.1\r\nhost: ").await;
    for _ in 0..10 {
        assert!(ask(server.connect().await, "/ok").await.ends_with("ok"));
    }
}

#[tokio::test]
async fn flood_of_slow_bodies_leaves_a_place_for_an_honest_request() {
    // Any speed at all will do, so that only the scarcity of places ends them.
    let mut limits = few(8);
    limits.patience = Duration::from_secs(2);
    limits.least_speed = 0;
    let server = Server::start(limits).await;
    let head = "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
    let mut slow = flood(&server, 8, head).await;
    server.requests(8).await;
    let trickle = tokio::spawn(async move {
        loop {
            for stream in &mut slow {
                // Those that have lost their place are closed.
                let _ = tokio::io::AsyncWriteExt::write_all(stream, b"x").await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    answered(&server).await;
    trickle.abort();
}

#[tokio::test]
async fn body_that_stops_coming_is_an_error_after_its_patience() {
    let mut limits = few(8);
    limits.patience = Duration::from_millis(50);
    let server = Server::start(limits).await;
    let mut slow = server.connect().await;
    send(&mut slow, "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx").await;
    let answer = rest(&mut slow).await;
    assert!(answer.contains("408") && answer.ends_with("the body came too slowly"), "{answer}");
}

#[tokio::test]
async fn header_that_stops_coming_is_closed_after_its_patience() {
    let mut limits = few(8);
    limits.patience = Duration::from_millis(50);
    limits.header = LONG * 10;
    let server = Server::start(limits).await;
    let mut slow = server.connect().await;
    send(&mut slow, "GET /ok HTTP/1.1\r\nho").await;
    assert!(!rest(&mut slow).await.contains("200"));
}

#[tokio::test]
async fn address_with_too_many_connections_hurts_only_itself() {
    let mut limits = few(100);
    limits.per_address = Some(2);
    let server = Server::start(limits).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect_from("127.0.0.2").await;
        send(&mut stream, &get("/hang")).await;
        busy.push(stream);
    }
    server.requests(2).await;
    assert_eq!(ask(server.connect_from("127.0.0.2").await, "/ok").await, "", "closed");
    assert!(ask(server.connect_from("127.0.0.3").await, "/ok").await.ends_with("ok"));
    drop(busy);
}

#[tokio::test]
async fn reserved_place_answers_vital_requests_and_refuses_others() {
    let server = Server::start(few(1)).await;
    let mut busy = server.connect().await;
    send(&mut busy, &get("/hang")).await;
    server.requests(1).await;
    let refused = ask(server.connect().await, "/ok").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("connection: close"), "{refused}");
    // An idle one does not keep the reserved place.
    let _idle = server.connect().await;
    for _ in 0..3 {
        assert!(ask(server.connect().await, "/ping").await.ends_with("ok"));
    }
    drop(busy);
    answered(&server).await;
}

#[tokio::test]
async fn streamed_answer_is_sent_to_its_end_at_shutdown() {
    let mut limits = few(8);
    limits.drain = LONG;
    let mut server = Server::start(limits).await;
    let mut reader = server.connect().await;
    send(&mut reader, &get("/stream")).await;
    server.requests(1).await;
    let chunks = server.chunks.take().unwrap();
    chunks.send("first").await.unwrap();
    server.begin_stop().await;
    // Longer than a connection without a request is given.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    chunks.send("last").await.unwrap();
    drop(chunks);
    let answer = rest(&mut reader).await;
    assert!(answer.contains("first") && answer.ends_with("4\r\nlast\r\n0\r\n\r\n"), "{answer}");
    server.stopped().await;
}

#[tokio::test]
async fn upload_is_received_to_its_end_at_shutdown() {
    let mut limits = few(8);
    limits.drain = LONG;
    let mut server = Server::start(limits).await;
    let mut sender = server.connect().await;
    send(&mut sender, "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345").await;
    server.requests(1).await;
    server.begin_stop().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    send(&mut sender, "67890").await;
    let answer = rest(&mut sender).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("10"), "{answer}");
    server.stopped().await;
}

#[tokio::test]
async fn request_without_exactly_one_host_is_refused() {
    let server = Server::start(few(8)).await;
    for headers in ["", "host: a\r\nHost: a\r\n", "host: a b\r\n", "host: user@a\r\n"] {
        let mut stream = server.connect().await;
        send(&mut stream, &format!("GET /ok HTTP/1.1\r\n{headers}\r\n")).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("BadHost"), "{headers:?}: {answer}");
    }
    let mut old = server.connect().await;
    send(&mut old, "GET /ok HTTP/1.0\r\n\r\n").await;
    assert!(rest(&mut old).await.starts_with("HTTP/1.0 200"));
}

#[tokio::test]
async fn client_behind_a_trusted_proxy_is_the_one_it_names() {
    let mut limits = few(8);
    limits.proxies = "127.0.0.2".parse().unwrap();
    let server = Server::start(limits).await;
    let request =
        "GET /client HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 192.0.2.7\r\n\r\n";
    for (from, client) in [("127.0.0.2", "192.0.2.7"), ("127.0.0.3", "127.0.0.3")] {
        let mut stream = server.connect_from(from).await;
        send(&mut stream, request).await;
        let answer = rest(&mut stream).await;
        assert!(answer.ends_with(client), "{from}: {answer}");
    }
}
