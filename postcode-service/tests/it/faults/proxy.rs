//! A proxy that produces faults on request: one request and one answer at a time on each
//! connection.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::faults::service::Aside;

/// The faults that the proxy adds to each answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Passes it on.
    None,
    /// Passes it on after a while.
    Delay,
    /// Closes without a word.
    Drop,
    /// Resets the connection in the middle of the body.
    Reset,
    /// Closes in the middle of the body.
    CutBody,
    /// Half of the JSON, as if that were all.
    CutJson,
    /// An HTML page, as of a proxy in between.
    WrongType,
    /// Answers 503 with a `Retry-After` longer than any deadline.
    Busy,
    /// Takes the request and never answers.
    Tarpit,
    /// Sends one byte at a time.
    Drip,
    /// Answers one request of a connection and is deaf to the others: a connection that a firewall
    /// forgot.
    Deaf,
    /// Closes after each answer, without having said so.
    HalfClosed,
    /// No HTTP at all.
    Garbage,
}

impl Fault {
    pub(crate) const ALL: [Self; 13] = {
        use Fault::*;
        [None, Delay, Drop, Reset, CutBody, CutJson, WrongType, Busy, Tarpit, Drip, Deaf, HalfClosed, Garbage]
    };
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

impl FromStr for Fault {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let fault = Self::ALL.into_iter().find(|fault| fault.to_string() == text);
        fault.ok_or_else(|| format!("no such fault: {text:?}"))
    }
}

/// The proxy.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _aside: Aside,
}

struct Shared {
    to: String,
    fault: Mutex<Fault>,
    open: AtomicUsize,
    requests: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy in front of the service at `http://HOST:PORT`.
    pub(crate) fn before(service: &str) -> Self {
        let shared = Arc::new(Shared {
            to: service.strip_prefix("http://").unwrap().to_owned(),
            fault: Mutex::new(Fault::None),
            open: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let accepting = shared.clone();
        let (url, _aside) = Aside::start(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(accept(listener, accepting));
            url
        });
        Self { url, shared, _aside }
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// Returns the number of connections that clients hold open.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(SeqCst)
    }

    /// Returns the number of requests received.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(SeqCst)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = shared.clone();
        shared.open.fetch_add(1, SeqCst);
        tokio::spawn(async move {
            // Broken connections are its purpose.
            let _ = serve(client, &shared).await;
            shared.open.fetch_sub(1, SeqCst);
        });
    }
}

async fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut upstream = None;
    for n in 0.. {
        let Some(request) = message(&mut client).await? else { return Ok(()) };
        shared.requests.fetch_add(1, SeqCst);
        let fault = *shared.fault.lock().unwrap();
        match fault {
            Fault::Drop => return Ok(()),
            Fault::Tarpit => return gone(&mut client).await,
            Fault::Deaf if n > 0 => return gone(&mut client).await,
            Fault::Delay => sleep(Duration::from_millis(50)).await,
            _ => {}
        }
        let upstream = match &mut upstream {
            Some(upstream) => upstream,
            none => none.insert(TcpStream::connect(&*shared.to).await?),
        };
        upstream.write_all(&request).await?;
        let Some(answer) = message(upstream).await? else { return Ok(()) };
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |at| at + 4);
        let body = &answer[head..];
        let middle = head + body.len() / 2;
        match fault {
            Fault::Reset => {
                client.write_all(&answer[..middle]).await?;
                sleep(Duration::from_millis(20)).await;
                client.set_zero_linger()?;
                return Ok(());
            }
            Fault::CutBody => {
                client.write_all(&answer[..middle]).await?;
                return Ok(());
            }
            Fault::CutJson => {
                let half = &body[..body.len() / 2];
                client.write_all(&response("200 OK", "application/json", "", half)).await?;
            }
            Fault::WrongType => {
                let page = b"<html><body>Welcome to the hotel's network</body></html>";
                client.write_all(&response("200 OK", "text/html", "", page)).await?;
            }
            Fault::Busy => {
                let busy = response("503 Service Unavailable", "text/plain", "retry-after: 120\r\n", b"busy");
                client.write_all(&busy).await?;
            }
            Fault::Drip => {
                for byte in &answer {
                    client.write_all(&[*byte]).await?;
                    sleep(Duration::from_millis(50)).await;
                }
            }
            Fault::Garbage => {
                client.write_all(b"220 mail.example.com ESMTP\r\n").await?;
                return gone(&mut client).await;
            }
            _ => client.write_all(&answer).await?,
        }
        if fault == Fault::HalfClosed {
            return Ok(());
        }
    }
    Ok(())
}

fn response(status: &str, content_type: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Waits until the other side goes away.
async fn gone(stream: &mut TcpStream) -> io::Result<()> {
    let mut some = [0; 1024];
    while stream.read(&mut some).await? > 0 {}
    Ok(())
}

/// Reads one HTTP message, with its body if its length is given; `None` at the end.
async fn message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut all = Vec::new();
    let mut some = [0; 8192];
    loop {
        if let Some(head) = all.windows(4).position(|end| end == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&all[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length = length.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
            if all.len() >= head + 4 + length {
                return Ok(Some(all));
            }
        }
        match stream.read(&mut some).await? {
            0 => return Ok(None),
            n => all.extend_from_slice(&some[..n]),
        }
    }
}
