//! The accept loop: TCP and Unix sockets alike, bounded in connections and time, and it ends.
//!
//! Not `axum::serve`: there (axum 0.8.9) a half-sent header keeps a graceful shutdown waiting for ever.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;
use tracing::{debug, info, warn};

/// What the server bounds.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once; more wait in the listen queue.
    pub connections: usize,
    /// How long a connection may take to send a request's header, or stay idle before it.
    pub header: Duration,
    /// How long a client may take nothing of an answer that is being sent, before its connection is closed.
    pub send: Duration,
    /// How long requests in flight may take to finish once the server is asked to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (header, send, drain) =
            (Duration::from_secs(30), Duration::from_secs(30), Duration::from_secs(10));
        Self { connections: 1024, header, send, drain }
    }
}

/// A bound socket. Its `Display` is where clients reach it: `http://127.0.0.1:8081` or `unix:PATH`.
#[derive(Debug)]
pub struct Listener(Socket);

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    /// Binds `HOST:PORT` (port 0: any that is free) or `unix:PATH`.
    ///
    /// # Errors
    /// The system's: in use, not permitted, no such address. A socket file that a dead process left behind
    /// is replaced; one that is answered, and any other file, is not.
    pub async fn bind(address: &str) -> io::Result<Self> {
        match address.strip_prefix("unix:") {
            None => match TcpListener::bind(address).await {
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    Err(io::Error::new(ErrorKind::InvalidInput, "give HOST:PORT or unix:PATH"))
                }
                bound => Ok(Self(Socket::Tcp(bound?))),
            },
            Some("") => Err(io::Error::new(ErrorKind::InvalidInput, "no path after unix:")),
            Some(path) => {
                remove_stale(Path::new(path)).await?;
                Ok(Self(Socket::Unix(UnixListener::bind(path)?, path.into())))
            }
        }
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.0 {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Socket::Unix(listener, _) => Box::new(listener.accept().await?.0),
        })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Socket::Tcp(listener) => write!(f, "http://{}", listener.local_addr().map_err(|_| fmt::Error)?),
            Socket::Unix(_, path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Socket::Unix(_, path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

async fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "the file exists and is no socket"));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
    }
}

/// Serves until `stop`, then accepts no more, lets requests in flight finish within the limit,
/// and cuts off those that don't.
pub async fn serve(listener: Listener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let draining = watch::Sender::new(false);
    let permits = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((permit, listener.accept().await?))
        };
        let accepted = tokio::select! { biased; () = &mut stop => break, accepted = next => accepted };
        match accepted {
            Ok((permit, stream)) => {
                let draining = draining.subscribe();
                connections.spawn(connection(stream, router.clone(), limits, draining, permit));
            }
            // Out of file descriptors, mostly: that passes when a connection ends, not by asking at once.
            Err(error) => {
                warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    draining.send_replace(true);
    info!("stopping: requests in flight finish");
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, finished).await.is_err() {
        warn!(connections = connections.len(), "cut off at the deadline");
        connections.shutdown().await;
    }
}

async fn connection(
    stream: Box<dyn Stream>,
    router: Router,
    limits: Limits,
    mut draining: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    // Held once here, once by the service, and once by each response that is not written yet.
    let busy = Arc::new(());
    let held = busy.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, held) = (router.clone(), held.clone());
        async move {
            let response = router.oneshot(request.map(Body::new)).await?;
            Ok::<_, Infallible>(response.map(|body| {
                body.map_frame(move |frame| {
                    let _held = &held;
                    frame
                })
            }))
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.send));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    let asked_to_stop = tokio::select! {
        result = connection.as_mut() => { ended(result); false }
        _ = draining.wait_for(|draining| *draining) => true,
    };
    if asked_to_stop {
        connection.as_mut().graceful_shutdown();
        // What has not sent a whole header by now has no request to lose.
        while let Err(_elapsed) =
            tokio::time::timeout(Duration::from_millis(500), connection.as_mut()).await.map(ended)
        {
            if Arc::strong_count(&busy) == 2 {
                break;
            }
        }
    }
}

fn ended(result: hyper::Result<()>) {
    if let Err(error) = result {
        debug!(%error, "connection ended");
    }
}
