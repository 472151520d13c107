//! Tests faults of networks and servers over real sockets: each call ends within the deadline with
//! the right error.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use postcode_core::{Error, ErrorKind, Postcode, PostcodeLookup, Remote, Result};
use postcode_testing::{GENEROUS, Nobody, skip};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::remote::fake::postcode;

/// Options for calls that end for another reason than time.
const PATIENT: &str = "timeout=30s&deadline=60s";

const GOOD: &str = r#"{"status":200,"result":[{"query":"AB10 1AB","status":"unknown","result":null}]}"#;

/// Starts a server that runs a function for each connection, with its number.
async fn server<F, A>(with: F) -> SocketAddr
where
    F: Fn(usize, TcpStream) -> A + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for n in 0.. {
            let Ok((stream, _)) = listener.accept().await else { break };
            tokio::spawn(with(n, stream));
        }
    });
    address
}

/// Reads a request to its end, which all our requests have.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while !all.ends_with(b"]}") {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => all.extend_from_slice(&buffer[..n]),
            _ => return false,
        }
    }
    true
}

fn response(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}\r\n{body}")
}

fn good() -> String {
    response(&format!("content-length: {}\r\n", GOOD.len()), GOOD)
}

async fn ask(url: &str) -> Result<()> {
    let remote = Remote::new(url).unwrap();
    let asked: [Postcode; 1] = [postcode("AB10 1AB")];
    let answers = timeout(GENEROUS, remote.lookup(&asked)).await.expect("a call that hangs");
    answers.map(drop)
}

async fn ask_at(address: SocketAddr) -> Error {
    ask_within(address, PATIENT).await
}

/// Calls with short limits, for tests in which only time ends the call. In other tests a busy
/// machine may need longer.
async fn ask_briefly(address: SocketAddr) -> Error {
    ask_within(address, "deadline=600ms&timeout=250ms").await
}

async fn ask_within(address: SocketAddr, options: &str) -> Error {
    let error = ask(&format!("http://{address}?{options}")).await.unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with(&format!("POST http://{address}/postcodes?extended=true: ")), "{message}");
    error
}

/// Starts a server that reads a request, writes this text, and then closes or stays silent.
async fn server_that_says(text: impl Into<Vec<u8>>, then_silent: bool) -> SocketAddr {
    let text = text.into();
    server(move |_, mut stream| {
        let text = text.clone();
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(&text).await;
            if then_silent {
                pending::<()>().await;
            }
        }
    })
    .await
}

async fn says(text: impl Into<Vec<u8>>, then_silent: bool) -> Error {
    ask_at(server_that_says(text, then_silent).await).await
}

/// Returns the error for an answer that is never finished.
async fn falls_silent_after(text: impl Into<Vec<u8>>) -> Error {
    ask_briefly(server_that_says(text, true).await).await
}

#[tokio::test]
async fn nothing_listens() {
    let nobody = Nobody::new();
    let error = ask_at(nobody.address).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_persistent());
    assert!(error.to_string().contains("connection refused: is the service running there?"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn no_socket_and_a_file_that_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("postcode.sock");
    let url = format!("unix:{}?retries=0&{PATIENT}", path.display());
    let error = ask(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let message = error.to_string();
    assert!(message.starts_with(&format!("POST unix:{}/postcodes", path.display())), "{message}");
    assert!(message.contains("there is no such socket"), "{message}");
    drop(tokio::net::UnixListener::bind(&path).unwrap());
    let error = ask(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("connection refused"), "{error}");
}

#[tokio::test]
async fn a_tarpit() {
    let error = ask_briefly(
        server(|_, stream| async move {
            pending::<()>().await;
            drop(stream);
        })
        .await,
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_persistent());
}

#[tokio::test]
async fn half_sent_headers() {
    assert_eq!(falls_silent_after("HTTP/1.1 200 OK\r\ncontent-ty").await.kind(), ErrorKind::Timeout);
    assert_eq!(says("HTTP/1.1 200 OK\r\ncontent-ty", false).await.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn closed_without_a_word() {
    assert_eq!(says("", false).await.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_body_that_ends_or_stops_too_early() {
    let half = response("content-length: 1000\r\n", "{\"status\":200,");
    assert_eq!(says(half.clone(), false).await.kind(), ErrorKind::Unavailable);
    assert_eq!(falls_silent_after(half).await.kind(), ErrorKind::Timeout);
    let chunked = response("transfer-encoding: chunked\r\n", "5\r\n{\"sta\r\n");
    assert_eq!(says(chunked.clone(), false).await.kind(), ErrorKind::Unavailable);
    assert_eq!(falls_silent_after(chunked).await.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn reset_in_the_middle_of_the_body() {
    let address = server(|_, mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(response("content-length: 1000\r\n", "{\"status\"").as_bytes()).await;
        sleep(Duration::from_millis(20)).await;
        // Closes with a reset instead of an orderly end.
        let _ = stream.set_zero_linger();
    })
    .await;
    assert_eq!(ask_at(address).await.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn cut_off_json_of_a_whole_body() {
    let half = &GOOD[..40];
    let error = says(response(&format!("content-length: {}\r\n", half.len()), half), true).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("the JSON is cut off"), "{error}");
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    // The client can't know whether that was all, so it is truncated JSON.
    let error = says(response("", &GOOD[..40]), false).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_giant_body() {
    let error = says(response("content-length: 99999999999999\r\n", "{"), true).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("is longer than"), "{error}");
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let address = server(move |_, mut stream| {
        let count = Arc::clone(&count);
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(response("transfer-encoding: chunked\r\n", "").as_bytes()).await;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {
                count.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let error = ask(&format!("http://{address}?{PATIENT}")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(written.load(Ordering::SeqCst) < 64 << 20, "reading stops at the limit");
}

#[tokio::test]
async fn giant_headers() {
    let error = says(response(&format!("x: {}\r\n", "y".repeat(2 << 20)), ""), true).await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

#[tokio::test]
async fn a_slow_drip() {
    let address = server(|_, mut stream| async move {
        read_request(&mut stream).await;
        for byte in good().bytes() {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(ask_briefly(address).await.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn something_that_is_not_http() {
    let error = says("SSH-2.0-OpenSSH_10.0\r\n", true).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("the response is not HTTP"), "{error}");
    assert_eq!(says(vec![0; 100], true).await.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn http_where_tls_was_meant() {
    let address = server(|_, mut stream| async move {
        let mut hello = [0; 64];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        pending::<()>().await;
    })
    .await;
    let remote = Remote::new(&format!("https://{address}?retries=0&{PATIENT}"));
    // A system without any certificates reports that when the client is built.
    let Ok(remote) = remote else { return skip("no certificates on this system") };
    let asked = [postcode("AB10 1AB")];
    let error = timeout(GENEROUS, remote.lookup(&asked)).await.expect("a call that hangs").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    assert!(error.to_string().contains("no secure connection"), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let error = ask("http://postcodes.invalid?retries=0").await.unwrap_err();
    // Without a network the resolver may take longer than the client waits.
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{error}");
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closed() {
    // Each connection gets one answer, without a notice that it closes.
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let address = server(move |_, mut stream| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(good().as_bytes()).await;
        }
    })
    .await;
    // Even if the end of a connection is often noticed only when it is used again.
    let remote = Remote::new(&format!("http://{address}?retry_budget=1&{PATIENT}")).unwrap();
    for _ in 0..20 {
        timeout(GENEROUS, remote.lookup(&[postcode("AB10 1AB")])).await.expect("a call that hangs").unwrap();
    }
    assert!(connections.load(Ordering::SeqCst) >= 20);
}

#[tokio::test]
async fn an_idle_connection_that_no_one_answers_on_any_more() {
    // As behind a firewall that forgot the connection: the first request is answered, later ones
    // vanish.
    let address = server(|_, mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(good().as_bytes()).await;
        pending::<()>().await;
    })
    .await;
    // The first attempt on a new connection may be too slow as well: there are ten more.
    let options = "deadline=1m&timeout=500ms&retries=10&retry_budget=1";
    let remote = Remote::new(&format!("http://{address}?{options}")).unwrap();
    for _ in 0..3 {
        timeout(GENEROUS, remote.lookup(&[postcode("AB10 1AB")])).await.expect("a call that hangs").unwrap();
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let address = server(move |_, mut stream| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            while read_request(&mut stream).await {
                let _ = stream.write_all(good().as_bytes()).await;
            }
        }
    })
    .await;
    let remote = Remote::new(&format!("http://{address}?{PATIENT}")).unwrap();
    for _ in 0..5 {
        remote.lookup(&[postcode("AB10 1AB")]).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let other = server(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        async {}
    })
    .await;
    let redirect =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{other}/\r\ncontent-length: 0\r\n\r\n");
    let error = says(redirect, true).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains(&format!("redirects to \"http://{other}/\"")), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn dropping_a_call_closes_its_connection() {
    let (closed, mut saw) = tokio::sync::mpsc::channel(1);
    let arrived = Arc::new(Notify::new());
    let notify = Arc::clone(&arrived);
    let address = server(move |_, mut stream| {
        let (closed, notify) = (closed.clone(), Arc::clone(&notify));
        async move {
            read_request(&mut stream).await;
            notify.notify_one();
            let mut rest = [0; 16];
            // Ends when the client closes the connection.
            let _ = stream.read(&mut rest).await;
            let _ = closed.send(()).await;
        }
    })
    .await;
    let remote = Remote::new(&format!("http://{address}?deadline=10m&timeout=10m")).unwrap();
    let asked = [postcode("AB10 1AB")];
    tokio::select! {
        ended = remote.lookup(&asked) => panic!("nobody answers: {ended:?}"),
        () = arrived.notified() => {}
    }
    timeout(GENEROUS, saw.recv()).await.expect("the connection stays open").unwrap();
}
