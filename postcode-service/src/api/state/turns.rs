//! Turns of the work on regions, which takes longer than lookups and must hold up neither these nor
//! each other.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_edge::{ClientKey, Place, Pool, Yields};
use tokio::sync::{Notify, Semaphore};

use crate::api::failure::Failure;

/// A few threads, on which all work on regions takes turns: some milliseconds each, in the order in
/// which they came.
///
/// Work that is dropped, because its client has gone or its deadline has passed, ends with its
/// turn.
#[derive(Clone, Debug)]
pub(in crate::api) struct Turns {
    /// The places of requests that work or wait for a turn; one client has at most half of them.
    places: Pool,
    /// The turns of requests at work.
    turns: Arc<Semaphore>,
}

impl Turns {
    /// Creates turns with that many threads and places.
    pub(in crate::api) fn new(threads: usize, places: usize) -> Self {
        // A request keeps its place until it is done, turn by turn.
        let places = Pool::new(places, Yields::Slowest(0));
        Self { places, turns: Arc::new(Semaphore::new(threads)) }
    }

    /// Takes a place among those who work or wait for a turn. Who streams has one among the
    /// downloads instead.
    ///
    /// # Errors
    /// 503 if all are taken.
    pub(in crate::api) fn place(&self, client: ClientKey) -> Result<Place, Failure> {
        self.places.enter(client).map_err(|_| {
            let text = "Too many requests for the postcodes of regions at once. Try again in a moment";
            let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code());
            failure.retryable(Some(1))
        })
    }

    /// Runs work whose polls are turns.
    ///
    /// # Errors
    /// 500 if the work panics.
    pub(in crate::api) async fn work<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let gone = || Failure::internal("the work on a region failed");
        let woken = Arc::new(Woken(Notify::new()));
        let waker = Waker::from(woken.clone());
        let mut work: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(work);
        loop {
            // The semaphore is fair: work that comes back from a turn waits behind all other work.
            let turn = self.turns.clone().acquire_owned().await.map_err(|_| gone())?;
            let waker = waker.clone();
            let done = tokio::task::spawn_blocking(move || {
                let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
                drop(turn);
                (work, polled)
            });
            match done.await.map_err(|_| gone())? {
                (_, Poll::Ready(done)) => return Ok(done),
                (rest, Poll::Pending) => work = rest,
            }
            woken.0.notified().await;
        }
    }
}

/// A waker that records that the work can continue.
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}
