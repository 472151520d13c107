//! Responses that are sent before the request's body has arrived reach the client.

use postcode_edge::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{LONG, Server, ask, rest, send};

const MB: usize = 1 << 20;

/// Sends all of a body and only then reads, as Python's `http.client` does.
async fn send_then_read(stream: &mut TcpStream, head: &str, body: &[u8]) -> String {
    let all = async {
        send(stream, head).await;
        stream.write_all(body).await.expect("the body is taken to its end");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("no reset");
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(LONG, all).await.expect("answered")
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in body.chunks(64 * 1024) {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[tokio::test]
async fn early_refusal_reaches_a_client_that_sends_its_whole_body_first() {
    let server = Server::start(Limits::default()).await;
    for size in [MB, 3 * MB, 20 * MB] {
        let body = vec![b'x'; size];
        let announced = format!("POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n");
        let in_chunks = "POST /refuse HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        for (head, body) in [(announced.as_str(), body.clone()), (in_chunks, chunked(&body))] {
            let answer = send_then_read(&mut server.connect().await, head, &body).await;
            assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with("too large"), "{size}: {answer}");
            assert!(answer.contains("connection: close"), "{answer}");
        }
    }
}

#[tokio::test]
async fn refusal_before_the_program_sees_the_request_reaches_its_client() {
    let server = Server::start(Limits::default()).await;
    let head = format!("POST /refuse HTTP/1.1\r\ncontent-length: {}\r\n\r\n", 3 * MB);
    let answer = send_then_read(&mut server.connect().await, &head, &vec![b'x'; 3 * MB]).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    // hyper itself refuses a header that is too long.
    let head = format!("GET /ok HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(3 * MB));
    let answer = send_then_read(&mut server.connect().await, &head, b"").await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn small_unread_body_leaves_the_connection_open() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    send(&mut stream, "POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n12345").await;
    let mut piece = vec![0; 4096];
    let read = stream.read(&mut piece).await.unwrap();
    let first = String::from_utf8_lossy(&piece[..read]).into_owned();
    assert!(first.starts_with("HTTP/1.1 413") && !first.contains("connection: close"), "{first}");
    assert!(ask(stream, "/ok").await.ends_with("ok"));
}

#[tokio::test]
async fn client_that_waits_to_be_asked_is_refused_before_it_sends_its_body() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    let head = "POST /refuse HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n";
    send(&mut stream, head).await;
    let mut answer = String::new();
    while !answer.ends_with("too large") {
        let mut piece = vec![0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"), "{answer}");
    // It may send the body nonetheless.
    stream.write_all(&vec![b'x'; 1_000_000]).await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn client_that_never_stops_sending_is_closed() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    send(&mut stream, "POST /refuse HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let piece = chunked(&vec![b'x'; MB]);
    let piece = &piece[..piece.len() - 5];
    let mut sent = 0;
    let closed = async {
        while stream.write_all(piece).await.is_ok() {
            sent += 1;
        }
    };
    tokio::time::timeout(LONG, closed).await.expect("closed");
    assert!((64..200).contains(&sent), "{sent} MB");
}
