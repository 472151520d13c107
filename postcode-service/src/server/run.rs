//! The accept loop, and its end.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Frontend, Listener, Options, connection};

/// Serves until `stop` is done; then takes no more connections, lets requests under way end within
/// [`Options::drain`], and drops those that do not.
///
/// To tell a load balancer first, call [`Api::set_ready`](crate::api::Api::set_ready) and wait before `stop`.
pub async fn run(
    listener: Listener,
    frontend: Arc<Frontend>,
    options: Options,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(options.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accept = async {
            // A slot first: who can't be served waits in the backlog. The semaphore is never closed.
            let slot = slots.clone().acquire_owned().await;
            (listener.accept().await, slot)
        };
        tokio::select! {
            biased;
            () = stop.as_mut() => break,
            // Ended connections are let go of.
            Some(_) = connections.join_next() => {}
            (stream, slot) = accept => {
                let served = connection::serve(stream, frontend.clone(), options, closing.clone());
                connections.spawn(async move {
                    served.await;
                    drop(slot);
                });
            }
        }
    }
    frontend.api().set_ready(false);
    drop(listener);
    let _ = close.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(options.drain, drained).await.is_err() {
        tracing::warn!(open = connections.len(), "requests did not end in time and were dropped");
        connections.shutdown().await;
    }
}
