//! Honest connections at a constant rate of arrival.
//!
//! A request is due even if the previous one has not been answered, and its time counts from when
//! it was due. So all requests of a second in which the server stops show the delay (no coordinated
//! omission).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

/// How long after it was due a request may be answered.
const PATIENCE: Duration = Duration::from_secs(5);
const PATHS: [&str; 4] =
    ["/postcodes/SW1A1AA", "/postcodes/M11AE", "/postcodes/EH11YZ", "/postcodes/CF101BH"];

type Body = Empty<hyper::body::Bytes>;

/// The load of the honest connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) rate: u32,
    pub(crate) window: Duration,
}

/// The outcome of a request.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Requests that were due.
    pub(crate) due: u64,
    /// Answered with 200.
    pub(crate) answered: u64,
    /// Answered with 429 or 503.
    pub(crate) refused: u64,
    /// Answered with another status, or not answered.
    pub(crate) failed: u64,
    /// Microseconds from when they were due, for those that were answered.
    pub(crate) latency: Histogram<u64>,
}

impl Counts {
    fn none() -> Result<Self> {
        let longest = u64::try_from(PATIENCE.as_micros())? * 2;
        let latency = Histogram::new_with_bounds(1, longest, 3)?;
        Ok(Self { due: 0, answered: 0, refused: 0, failed: 0, latency })
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.due += other.due;
        self.answered += other.answered;
        self.refused += other.refused;
        self.failed += other.failed;
        self.latency.add(&other.latency).context("the histograms can't be added")
    }
}

impl Load {
    /// Sends requests for the whole window, and waits for the last answers.
    pub(crate) fn run(self, name: &str) -> Result<Counts> {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..self.connections).map(|_| mpsc::unbounded_channel()).unzip();
        // A separate thread: the timer of the runtime has a resolution of a millisecond, longer
        // than most answers take.
        let pace = std::thread::Builder::new().name("pace".to_owned()).spawn(move || self.pace(&senders))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counts = runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            receivers.into_iter().for_each(|due| drop(tasks.spawn(connection(self.address, due))));
            let mut counts = Counts::none()?;
            while let Some(of_one) = tasks.join_next().await {
                counts.add(&of_one??)?;
            }
            Ok::<_, anyhow::Error>(counts)
        });
        pace.join().map_err(|_| anyhow!("{name}: the thread that paces panicked"))?;
        counts
    }

    /// Tells one connection after the other that a request is due.
    fn pace(self, connections: &[mpsc::UnboundedSender<Instant>]) {
        let (began, gap) = (Instant::now(), Duration::from_secs(1) / self.rate);
        for (n, connection) in (0..).zip(connections.iter().cycle()) {
            let due = began + gap * n;
            if due - began >= self.window {
                return;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // Sending fails only if the connection's task has failed, which it reports itself.
            let _ = connection.send(due);
        }
    }
}

async fn connection(address: SocketAddr, mut requests: mpsc::UnboundedReceiver<Instant>) -> Result<Counts> {
    let mut counts = Counts::none()?;
    let mut kept = None;
    let mut paths = PATHS.iter().cycle();
    while let Some(due) = requests.recv().await {
        counts.due += 1;
        let path = paths.next().copied().unwrap_or("/ping");
        let until = tokio::time::Instant::from_std(due + PATIENCE);
        let answer = timeout_at(until, ask(address, kept.take(), path)).await;
        match answer {
            Ok(Ok((sender, status))) => {
                kept = sender;
                match status {
                    StatusCode::OK => {
                        counts.answered += 1;
                        counts.latency.saturating_record(u64::try_from(due.elapsed().as_micros())?.max(1));
                    }
                    StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => counts.refused += 1,
                    _ => counts.failed += 1,
                }
            }
            Ok(Err(_)) | Err(_) => counts.failed += 1,
        }
    }
    Ok(counts)
}

/// Sends one request on the kept connection or on a new one. Returns the connection if it can be
/// kept.
async fn ask(
    address: SocketAddr,
    kept: Option<SendRequest<Body>>,
    path: &str,
) -> Result<(Option<SendRequest<Body>>, StatusCode)> {
    let mut sender = match ready(kept).await {
        Some(sender) => sender,
        None => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            sender
        }
    };
    let request = Request::get(path).header("host", address.to_string()).body(Empty::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    response.into_body().collect().await?;
    Ok((Some(sender), status))
}

/// Returns the connection, unless the server has closed it in the meantime.
async fn ready(kept: Option<SendRequest<Body>>) -> Option<SendRequest<Body>> {
    let mut sender = kept?;
    sender.ready().await.ok().map(|()| sender)
}
