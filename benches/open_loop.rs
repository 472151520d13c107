//! Requests at a constant rate of arrival.
//!
//! A request is due even if the previous one has not been answered, and its time counts from when
//! it was due. So all requests of a second in which the server stops show the delay (no coordinated
//! omission).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Mutex, mpsc};
use tokio::time::{timeout, timeout_at};

/// How long after it was due a request may be answered.
const PATIENCE: Duration = Duration::from_secs(5);

type Body = Full<Bytes>;

/// A request that is sent again and again.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The path.
    pub path: String,
    /// The JSON of a `POST`; none for a `GET`.
    pub body: Option<Bytes>,
}

impl Ask {
    /// A `GET` of this path.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), body: None }
    }

    fn request(&self, host: &str) -> Result<Request<Body>> {
        let request = Request::builder().uri(&self.path).header("host", host);
        Ok(match &self.body {
            None => request.body(Full::default())?,
            Some(body) => request
                .method("POST")
                .header("content-type", "application/json")
                .body(Full::new(body.clone()))?,
        })
    }
}

/// A load of requests.
#[derive(Clone, Debug)]
pub struct Load {
    /// The address of the server.
    pub address: SocketAddr,
    /// The number of connections.
    pub connections: usize,
    /// Requests a second of all connections together.
    pub rate: u32,
    /// How long requests are sent.
    pub window: Duration,
    /// The requests of each connection, in turn.
    pub asks: Arc<[Ask]>,
}

/// The outcome of a request.
#[derive(Debug)]
pub struct Counts {
    /// Requests that were due.
    pub due: u64,
    /// Answered with 200.
    pub answered: u64,
    /// Answered with 429 or 503.
    pub refused: u64,
    /// Answered with another status, or not answered in time.
    pub failed: u64,
    /// Microseconds from when they were due, for those that were answered.
    pub latency: Histogram<u64>,
    /// Microseconds from when they were sent, for those that were refused.
    pub refusal: Histogram<u64>,
}

impl Counts {
    fn none() -> Result<Self> {
        let longest = u64::try_from(PATIENCE.as_micros())? * 2;
        let latency = Histogram::new_with_bounds(1, longest, 3)?;
        Ok(Self { due: 0, answered: 0, refused: 0, failed: 0, refusal: latency.clone(), latency })
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.due += other.due;
        self.answered += other.answered;
        self.refused += other.refused;
        self.failed += other.failed;
        self.refusal.add(&other.refusal).context("the histograms can't be added")?;
        self.latency.add(&other.latency).context("the histograms can't be added")
    }
}

impl Load {
    /// Sends requests for the whole window, which begins when all have tried to connect, and waits
    /// for the last answers. A request that is due takes the connection that has been free longest.
    ///
    /// # Errors
    /// A connection or a thread can't be started.
    pub fn run(&self, name: &str) -> Result<Counts> {
        let (due, requests) = mpsc::unbounded_channel();
        let requests = Arc::new(Mutex::new(requests));
        let (connected, begin) = std::sync::mpsc::channel();
        // A separate thread: the timer of the runtime has a resolution of a millisecond, longer
        // than most answers take.
        let (rate, window) = (self.rate, self.window);
        let pace = std::thread::Builder::new().name("pace".to_owned());
        let pace = pace.spawn(move || {
            // Without connections nothing is due.
            if begin.recv().is_ok() {
                self::pace(rate, window, &due);
            }
        })?;
        let barrier = Arc::new(Barrier::new(self.connections));
        let of_one = |n| connection(self.clone(), n, (barrier.clone(), connected.clone()), requests.clone());
        let counts = all((0..self.connections).map(of_one));
        drop(connected);
        pace.join().map_err(|_| anyhow!("{name}: the thread that paces panicked"))?;
        counts
    }

    /// Sends the next request of each connection as soon as the previous one is answered, for the
    /// whole window, which begins when all are connected. The answers in a second are the capacity.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_closed(&self) -> Result<Counts> {
        let begin = Arc::new(Barrier::new(self.connections));
        all((0..self.connections).map(|n| closed(self.clone(), n, begin.clone())))
    }
}

/// Runs the connections on this thread until they end.
fn all<F>(connections: impl Iterator<Item = F>) -> Result<Counts>
where
    F: Future<Output = Result<Counts>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks: tokio::task::JoinSet<_> = connections.collect();
        let mut counts = Counts::none()?;
        while let Some(of_one) = tasks.join_next().await {
            counts.add(&of_one??)?;
        }
        Ok(counts)
    })
}

/// Tells when a request is due.
fn pace(rate: u32, window: Duration, requests: &mpsc::UnboundedSender<Instant>) {
    let (began, gap) = (Instant::now(), Duration::from_secs(1) / rate);
    for n in 0.. {
        let due = began + gap * n;
        if due - began >= window {
            return;
        }
        let early = due.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            std::thread::sleep(early);
        }
        // Sending fails only if the connections' tasks have failed, which they report themselves.
        let _ = requests.send(due);
    }
}

/// Starts in a different place on each connection, so that they don't ask for the same.
fn in_turn(asks: &[Ask], n: usize) -> impl Iterator<Item = &Ask> {
    asks.iter().cycle().skip(n.wrapping_mul(97) % asks.len().max(1))
}

async fn closed(load: Load, n: usize, begin: Arc<Barrier>) -> Result<Counts> {
    let mut asks = in_turn(&load.asks, n);
    let mut kept = None;
    if let Some(ask) = asks.next() {
        kept = send(load.address, kept, ask).await?.0;
    }
    begin.wait().await;
    let mut counts = Counts::none()?;
    let until = Instant::now() + load.window;
    for ask in asks {
        let began = Instant::now();
        if began >= until {
            break;
        }
        counts.due += 1;
        kept = counts.take(send(load.address, kept.take(), ask), began).await?;
    }
    Ok(counts)
}

async fn connection(
    load: Load,
    n: usize,
    (barrier, connected): (Arc<Barrier>, std::sync::mpsc::Sender<()>),
    requests: Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>,
) -> Result<Counts> {
    let mut counts = Counts::none()?;
    let mut asks = in_turn(&load.asks, n);
    let mut kept = None;
    if let Some(ask) = asks.next() {
        let first = timeout(PATIENCE, send(load.address, None, ask)).await;
        kept = first.ok().and_then(Result::ok).and_then(|(kept, _)| kept);
    }
    if barrier.wait().await.is_leader() {
        // Receiving fails only if the thread that paces has panicked, which is reported.
        let _ = connected.send(());
    }
    for ask in asks {
        let Some(due) = requests.lock().await.recv().await else { break };
        counts.due += 1;
        // The one who waited for its answer has given up.
        if due.elapsed() >= PATIENCE {
            counts.failed += 1;
            continue;
        }
        kept = counts.take(send(load.address, kept.take(), ask), due).await?;
    }
    Ok(counts)
}

type Kept = Option<SendRequest<Body>>;

impl Counts {
    /// Waits for the outcome of a request that was due then. Returns the connection if it can be kept.
    async fn take(
        &mut self,
        sent: impl Future<Output = Result<(Kept, StatusCode)>>,
        due: Instant,
    ) -> Result<Kept> {
        let micros =
            |since: Instant| Ok::<_, anyhow::Error>(u64::try_from(since.elapsed().as_micros())?.max(1));
        let began = Instant::now();
        let until = tokio::time::Instant::from_std(due + PATIENCE);
        let Ok(Ok((kept, status))) = timeout_at(until, sent).await else {
            self.failed += 1;
            return Ok(None);
        };
        match status {
            StatusCode::OK => {
                self.answered += 1;
                self.latency.saturating_record(micros(due)?);
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                self.refused += 1;
                self.refusal.saturating_record(micros(began)?);
            }
            _ => self.failed += 1,
        }
        Ok(kept)
    }
}

/// Sends one request on the kept connection or on a new one. Returns the connection if it can be
/// kept.
async fn send(address: SocketAddr, kept: Kept, ask: &Ask) -> Result<(Kept, StatusCode)> {
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
    let response = sender.send_request(ask.request(&address.to_string())?).await?;
    let status = response.status();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok((Some(sender), status))
}

/// Returns the connection, unless the server has closed it in the meantime.
async fn ready(kept: Kept) -> Kept {
    let mut sender = kept?;
    sender.ready().await.ok().map(|()| sender)
}
