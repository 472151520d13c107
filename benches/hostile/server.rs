//! The server under test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::program::Program;

/// How long it may take to start, and to answer again after a mix.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on the loopback. One that was started here ends when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    kind: Program,
    child: Option<(Child, TempDir)>,
}

impl Server {
    /// Starts a program on a free port, with its data in a temporary folder.
    pub(crate) fn start(kind: Program, program: &Path, arguments: &[String]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let program =
            program.canonicalize().with_context(|| format!("{}: can't be started", program.display()))?;
        let mut child = Command::new(&program)
            .args(kind.arguments(folder.path()))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            // Logs are not measured or read.
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{}: can't be started", program.display()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let mut server =
            Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), kind, child: Some((child, folder)) };
        let address = line.trim().strip_prefix("listening on http://");
        let address = address
            .with_context(|| format!("{}: its first line has no address: {line:?}", program.display()))?;
        server.address = address.parse()?;
        ensure!(server.answers_again(), "{}: no answer to {} for {PATIENCE:?}", server.address, kind.ping());
        Ok(server)
    }

    /// Uses a server that is already running.
    pub(crate) fn running(kind: Program, address: SocketAddr) -> Result<Self> {
        ensure!(address.ip().is_loopback(), "{address}: only a server on the loopback is attacked");
        ensure!(address.is_ipv4(), "{address}: give an IPv4 address");
        let server = Self { address, kind, child: None };
        ensure!(server.answers_again(), "{}: no answer to {} for {PATIENCE:?}", server.address, kind.ping());
        Ok(server)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a 200 of the cheapest path, for a limited time.
    pub(crate) fn answers_again(&self) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.ping().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }

    fn ping(&self) -> Result<String> {
        ask(self.address, &format!("GET {}", self.kind.ping()), "", "")
    }

    /// Reads the memory of the program several times a second, until the result is requested.
    pub(crate) fn watch_memory(&self) -> Memory {
        let (most, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        if let Some((child, _)) = &self.child {
            let status = PathBuf::from(format!("/proc/{}/status", child.id()));
            let (most, stop) = (most.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    most.fetch_max(resident(&status).unwrap_or(0), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(200));
                }
            });
        }
        Memory { most, stop }
    }
}

/// Returns the kilobytes in memory, if the system reports them as Linux does.
fn resident(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The most memory that the program had.
pub(crate) struct Memory {
    most: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Memory {
    /// Returns the most memory in megabytes; 0 if unknown.
    pub(crate) fn most(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.most.load(Ordering::Relaxed) / 1_000
    }
}

/// Sends one request on a new connection, and returns the answer with its head.
pub(crate) fn ask(address: SocketAddr, line: &str, kind: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(if body.is_empty() { Duration::from_secs(5) } else { PATIENCE }))?;
    write!(stream, "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n")?;
    if !body.is_empty() {
        write!(stream, "Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len())?;
    }
    write!(stream, "\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
