//! One connection, from accept to close.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use postcode_edge::Stream;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::metrics::Counted;
use super::{Frontend, Options};

/// At shutdown, how long a connection without a request may take to send what is left of its last answer. A
/// header that is still coming is not waited for.
const FLUSH: Duration = Duration::from_millis(500);

/// Serves the connection until it ends, or until `closing` says true and its request is answered.
pub(super) async fn serve(
    stream: Stream,
    frontend: Arc<Frontend>,
    options: Options,
    mut closing: watch::Receiver<bool>,
) {
    let _open = Counted::new(&frontend.metrics.connections);
    let answering = Arc::new(AtomicUsize::new(0));
    let service = service_fn(|request| {
        let (frontend, answering) = (frontend.clone(), Answering::begin(&answering));
        async move {
            let response = frontend.call(request).await;
            drop(answering);
            Ok::<_, Infallible>(response)
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(options.send_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_header_size(options.max_header)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let closes = async { drop(closing.wait_for(|closing| *closing).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closes => {
            connection.as_mut().graceful_shutdown();
            loop {
                tokio::select! {
                    ended = connection.as_mut() => break ended,
                    () = tokio::time::sleep(FLUSH) => {
                        if answering.load(Ordering::Acquire) == 0 {
                            break Ok(());
                        }
                    }
                }
            }
        }
    };
    if let Err(e) = ended {
        // Clients that vanish, send no HTTP, or send too much or too slowly.
        tracing::debug!(error = %e, "a connection ended in an error");
    }
}

/// A request of this connection is being answered.
struct Answering(Arc<AtomicUsize>);

impl Answering {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
