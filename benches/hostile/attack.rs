//! Hostile connections, written as raw bytes so that they use little processor time next to the
//! server.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::mixes::Mix;
use crate::program::Program;

/// The repeated behaviour of a hostile connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attack {
    Idle,
    KeptAlive,
    SlowHeaders,
    SlowBodies,
    Garbage,
    NewConnections,
    Bulk,
    BulkPlaces,
    Polygons,
    Forms,
    UnroutedPosts,
    SlowReaders,
    LongPaths,
    Uploads,
    JobUploads,
    Downloads,
    Near,
    Search,
    Creations,
    Imports,
}

use Attack::*;

/// The number of loopback addresses of hostile connections, so that limits by address separate them
/// from honest ones.
const SOURCES: usize = 9;
/// How long a connection may take to open before it is tried again.
const CONNECT: Duration = Duration::from_secs(5);
/// The pause between the bytes of slow connections.
const SLOW: Duration = Duration::from_secs(1);
/// How often a silent connection checks whether it is still open.
const HOLD: Duration = Duration::from_secs(1);

impl Attack {
    /// Returns the rounds a second of all connections of this kind together. Without a rate, a
    /// closed connection is opened again after a second.
    fn rate(self) -> Option<f64> {
        match self {
            Garbage => Some(4_500.0),
            LongPaths => Some(2_000.0),
            NewConnections => Some(1_000.0),
            Bulk | Creations => Some(200.0),
            Forms => Some(20.0),
            BulkPlaces | Polygons | Near | Search => Some(8.0),
            Idle | KeptAlive | SlowHeaders | SlowBodies | UnroutedPosts | SlowReaders | Uploads
            | JobUploads | Downloads | Imports => None,
        }
    }

    /// Returns the bytes that it sends first.
    fn opening(self, target: Target, rng: &mut fastrand::Rng) -> Vec<u8> {
        let Target { host, program } = target;
        let head =
            |line: &str, more: &str| format!("{line} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").into_bytes();
        let post = |path: &str, kind: &str, body: &str| {
            let more = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
            [head(&format!("POST {path}"), &more), body.as_bytes().to_vec()].concat()
        };
        let slow = |path: &str, kind: &str, start: &str| {
            let more = format!("Content-Type: {kind}\r\nContent-Length: 100000\r\n");
            [head(&format!("POST {path}"), &more), start.as_bytes().to_vec()].concat()
        };
        match self {
            Idle => Vec::new(),
            KeptAlive => head(&format!("GET {}", program.ping()), ""),
            SlowHeaders => format!("GET /postcodes/SW1A1AA HTTP/1.1\r\nHost: {host}\r\n").into_bytes(),
            SlowBodies => slow(program.json(), "application/json", "{\"postcodes\":["),
            Garbage => (0..512).map(|_| rng.u8(..)).collect(),
            NewConnections => head(&format!("GET {}", program.ping()), "Connection: close\r\n"),
            Bulk => post("/postcodes", "application/json", &bulk(rng)),
            BulkPlaces => post(
                "/postcodes?extended=true&limit=1000&radius=20000",
                "application/json",
                &bulk_places(rng),
            ),
            Polygons => post("/within", "application/json", &zigzag()),
            Forms => post(program.form(), "application/x-www-form-urlencoded", &form()),
            UnroutedPosts => slow(program.unrouted(), "application/json", "{"),
            SlowReaders => post("/postcodes?extended=true", "application/json", &bulk(rng)).repeat(20),
            LongPaths => {
                head(&format!("GET {}/{}", program.unrouted(), "x".repeat(15_000)), "Connection: close\r\n")
            }
            Uploads => slow("/enrich?columns=status", "text/csv", "postcode\nSW1A 1AA\n"),
            JobUploads => slow("/jobs", "text/csv", "postcode\nSW1A 1AA\n"),
            Downloads => head("GET /dataset", ""),
            Near => head("GET /customers?near=SW1A1AA&radius=500000&limit=1000", ""),
            // Nothing matches, so every account is looked at.
            Search => head(&format!("GET /customers?q=nobody{}&total=true", rng.u32(..)), ""),
            Creations => post("/customers", "application/json", &account(rng)),
            Imports => {
                slow("/imports", "text/csv", "name,email,postcode,address\nA,a@example.org,SW1A 1AA,1 Road\n")
            }
        }
    }

    /// Returns the bytes that it then sends once a second; empty for nothing.
    fn drip(self) -> &'static [u8] {
        match self {
            SlowHeaders => b"X-Padding: a\r\n",
            SlowBodies => b" ",
            Uploads | JobUploads => b"M1 1AE\n",
            Imports => b"B,b@example.org,M1 1AE,2 Road\n",
            _ => b"",
        }
    }

    /// Opens one connection and attacks until the server closes it.
    async fn round(self, target: Target, source: usize, rng: &mut fastrand::Rng) -> std::io::Result<()> {
        let mut stream = connect(target.host, source).await?;
        stream.write_all(&self.opening(target, rng)).await?;
        match self {
            Garbage | NewConnections | LongPaths => drop(timeout(HOLD, read_all(&mut stream)).await),
            Bulk | BulkPlaces | Polygons | Forms | Near | Search | Creations => read_one(&mut stream).await?,
            Downloads => loop {
                sleep(SLOW).await;
                if stream.read(&mut [0; 2_000]).await? == 0 {
                    return Ok(());
                }
            },
            // It does not read, so the answers fill the buffers. Writing shows when the connection
            // is closed.
            SlowReaders => {
                while stream.take_error()?.is_none() {
                    sleep(SLOW).await;
                    if stream.try_write(b"\r\n").is_err_and(|e| e.kind() != std::io::ErrorKind::WouldBlock) {
                        return Ok(());
                    }
                }
            }
            Idle | KeptAlive | UnroutedPosts | SlowHeaders | SlowBodies | Uploads | JobUploads | Imports => {
                loop {
                    // Waits until the next byte is due, and notices in the meantime if the server
                    // closes.
                    match timeout(SLOW, stream.read(&mut [0; 1_024])).await {
                        Ok(Ok(0)) => return Ok(()),
                        Ok(read) => drop(read?),
                        Err(_) => stream.write_all(self.drip()).await?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// The server that is attacked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) host: SocketAddr,
    pub(crate) program: Program,
}

async fn connect(host: SocketAddr, source: usize) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Otherwise the ports of closed connections would run out.
    socket.set_zero_linger()?;
    let last = u8::try_from(source % SOURCES).unwrap_or_default() + 2;
    // Only Linux has all of 127.0.0.0/8; elsewhere all connections come from the same address.
    let _ = socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0));
    timeout(CONNECT, socket.connect(host)).await.map_err(|_| std::io::ErrorKind::TimedOut)?
}

async fn read_all(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Reads one answer without parsing it: until the server has sent nothing for a moment.
async fn read_one(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut read = stream.read(&mut buffer).await?;
    while read > 0 {
        read = match timeout(HOLD, stream.read(&mut buffer)).await {
            Ok(read) => read?,
            Err(_) => 0,
        };
    }
    Ok(())
}

fn bulk(rng: &mut fastrand::Rng) -> String {
    let letter = |n: u32| char::from_digit(n % 6 + 10, 16).unwrap_or('a').to_ascii_uppercase();
    let postcodes: Vec<_> = (0..100)
        .map(|_| {
            format!("\"M{} {}{}{}\"", rng.u8(1..30), rng.u8(1..9), letter(rng.u32(..)), letter(rng.u32(..)))
        })
        .collect();
    format!("{{\"postcodes\":[{}]}}", postcodes.join(","))
}

fn bulk_places(rng: &mut fastrand::Rng) -> String {
    let points: Vec<_> =
        (0..100).map(|_| format!("{{\"longitude\":-0.{},\"latitude\":51.5}}", rng.u16(100..300))).collect();
    format!("{{\"geolocations\":[{}]}}", points.join(","))
}

/// Returns a polygon over the country and back on the same path, which contains nothing.
fn zigzag() -> String {
    let there: Vec<_> = (0..450)
        .map(|n| format!("[{},{}]", if n % 2 == 0 { -6.0 } else { 1.7 }, 50.0 + f64::from(n) / 50.0))
        .collect();
    let corners: Vec<_> = there.iter().chain(there.iter().rev()).map(String::as_str).collect();
    format!("{{\"polygon\":[{}]}}", corners.join(","))
}

fn form() -> String {
    let mut form = String::new();
    for n in 0..3_000 {
        let _ = write!(form, "postcodes%5B{n}%5D=SW1A1AA&");
    }
    form
}

fn account(rng: &mut fastrand::Rng) -> String {
    let email = format!("{}@example.org", rng.u64(..));
    format!(
        "{{\"name\":\"A\",\"email\":\"{email}\",\"postcode\":\"SW1A 1AA\",\"address_lines\":[\"1 Road\"]}}"
    )
}

/// The hostile connections of one mix, on a separate thread and runtime.
pub(crate) struct Hostile {
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<()>>,
    rounds: Arc<AtomicU64>,
}

impl Hostile {
    /// Opens the connections, and returns when most had their first turn.
    pub(crate) fn start(target: Target, mix: &'static Mix, connections: usize) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let rounds = Arc::new(AtomicU64::new(0));
        let counted = rounds.clone();
        let thread = std::thread::Builder::new().name(mix.name.to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(target, mix, connections, &counted, stopped));
            Ok(())
        })?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(Self { stop, thread, rounds })
    }

    /// Closes the connections, and returns how many were opened.
    pub(crate) fn stop(self) -> Result<u64> {
        let _ = self.stop.send(true);
        self.thread
            .join()
            .map_err(|_| anyhow!("the hostile connections panicked"))?
            .context("the hostile connections")?;
        Ok(self.rounds.load(Ordering::Relaxed))
    }
}

async fn run(
    target: Target,
    mix: &Mix,
    connections: usize,
    rounds: &Arc<AtomicU64>,
    mut stop: watch::Receiver<bool>,
) {
    let shares: usize = mix.parts.iter().map(|(_, share)| share).sum();
    let mut tasks = tokio::task::JoinSet::new();
    for (attack, share) in mix.parts {
        let count = connections * share / shares.max(1);
        let pause = attack.rate().map_or(1.0, |rate| count as f64 / rate);
        for n in 0..count {
            let (attack, rounds) = (*attack, rounds.clone());
            tasks.spawn(async move {
                let mut rng = fastrand::Rng::with_seed(n as u64);
                // Spread over the pause, so that they do not all come at once, again and again.
                sleep(Duration::from_secs_f64(pause.min(30.0) * n as f64 / count as f64)).await;
                loop {
                    let began = tokio::time::Instant::now();
                    rounds.fetch_add(1, Ordering::Relaxed);
                    // A refusal by the server is part of the result.
                    let _ = attack.round(target, n, &mut rng).await;
                    tokio::time::sleep_until(began + Duration::from_secs_f64(pause)).await;
                    if attack.rate().is_none() {
                        sleep(SLOW).await;
                    }
                }
            });
        }
    }
    let _ = stop.wait_for(|stop| *stop).await;
    tasks.shutdown().await;
}
