//! The queue is worked on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use apalis::prelude::{Attempt, Data, PollSnapshot, PollStrategy, PollWith, WorkerBuilder, WorkerBuilderExt};
use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Interval, MissedTickBehavior};

use super::{Database, storage};
use crate::jobs::job::Slice;
use crate::jobs::store::{Error, Handler, Queue, SLICES, Turn};

#[async_trait]
impl Queue for Database {
    async fn work_on_slices(
        &self,
        turn: Turn,
        handler: Handler<Slice>,
        stop: BoxFuture<'static, ()>,
    ) -> Result<(), Error> {
        self.work(SLICES, 1, &turn, handler, stop).await.map_err(Error::Queue)
    }
}

/// Wraps a handler in a named type, because the queue finds its data by type.
struct Does<T>(Handler<T>);

impl<T> Clone for Does<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

async fn handle<T: 'static>(args: T, attempt: Attempt, does: Data<Does<T>>) -> Result<(), Error> {
    let does: &Does<T> = &does;
    (does.0)(args, attempt.current()).await
}

impl Database {
    /// Not an async function: the compiler can't prove that the queue's future is `Send` unless it
    /// is boxed first.
    fn work<T>(
        &self,
        queue: &str,
        at_once: usize,
        turn: &Turn,
        handler: Handler<T>,
        stop: BoxFuture<'static, ()>,
    ) -> BoxFuture<'static, Result<(), String>>
    where
        T: Serialize + DeserializeOwned + Send + Sync + Unpin + 'static,
    {
        let backend = PollWith::new(storage::<T>(&self.pool, queue, turn), Looks::new(turn));
        // Take one slice at a time and fetch none ahead: a slice fetched early would go before one
        // whose turn is earlier.
        let worker = WorkerBuilder::new(turn.name.as_str())
            .backend(backend)
            .data(Does(handler))
            .concurrency(at_once)
            .build(handle::<T>);
        let worked = worker.run_until(stop.map(Ok::<(), std::io::Error>));
        worked.map_err(|e| e.to_string()).boxed()
    }
}

/// Decides when the queue is polled: at intervals, and when this process has queued a task.
struct Looks {
    now_and_then: Interval,
    nudge: Arc<tokio::sync::Notify>,
    nudged: Pin<Box<OwnedNotified>>,
}

impl Looks {
    fn new(turn: &Turn) -> Self {
        let mut now_and_then = tokio::time::interval(turn.poll);
        now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            now_and_then,
            nudge: turn.nudge.clone(),
            nudged: Box::pin(turn.nudge.clone().notified_owned()),
        }
    }
}

impl PollStrategy for Looks {
    /// Polls until nothing is ready, so that the next task wakes the worker.
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut ready = false;
        while self.now_and_then.poll_tick(cx).is_ready() {
            ready = true;
        }
        while self.nudged.as_mut().poll(cx).is_ready() {
            self.nudged = Box::pin(self.nudge.clone().notified_owned());
            ready = true;
        }
        if ready { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
