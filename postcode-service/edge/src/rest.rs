//! The rest of a request's body when the program has answered without it.
//!
//! A server that answers early and closes at once resets the connection while the client still
//! sends. Many clients then never see the answer. So the rest is read and thrown away, within
//! bounds, and the connection is closed in stages (RFC 9112, section 9.6): our side first, then the
//! whole when the client has closed its side.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

use crate::places::State;

/// The most bytes discarded from one body, and again from one connection after our side is closed.
const REST_BYTES: u64 = 64 << 20;
/// How long the rest of a body is read, and again a connection after our side is closed.
const REST_TIME: Duration = Duration::from_secs(30);
/// Bytes in one read.
const PIECE: usize = 16 * 1024;

/// The unread rest of the body of a connection's request.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    left: Mutex<Left>,
    handed_over: Notify,
}

#[derive(Debug, Default)]
enum Left {
    /// The body was read to its end, or is empty.
    #[default]
    Nothing,
    /// The program does not want it.
    Unread(Incoming),
    /// It is being discarded.
    BeingRead,
    /// It will not be read, so the connection can't have another request.
    GivenUp,
}

impl Rest {
    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a request.
    pub(crate) fn begin(&self) {
        *self.left() = Left::Nothing;
    }

    /// Takes over a body that the program dropped before its end.
    pub(crate) fn hand_over(&self, body: Incoming) {
        *self.left() = Left::Unread(body);
        self.handed_over.notify_one();
    }

    /// Gives up the rest of a body: the client was told not to send it, or it is too slow.
    pub(crate) fn give_up(&self) {
        *self.left() = Left::GivenUp;
    }

    /// Returns whether a rest has not been read yet, or will not be.
    pub(crate) fn is_left(&self) -> bool {
        !matches!(*self.left(), Left::Nothing)
    }

    /// Discards what is handed over. Never ready: it runs concurrently with its connection.
    pub(crate) async fn discard(&self, state: &State) {
        loop {
            self.handed_over.notified().await;
            let body = match std::mem::replace(&mut *self.left(), Left::BeingRead) {
                Left::Unread(body) => body,
                other => {
                    *self.left() = other;
                    continue;
                }
            };
            let ended = tokio::time::timeout(REST_TIME, read_to_end(body)).await;
            if matches!(ended, Ok(true)) {
                self.begin();
                state.rest_is_read();
            } else {
                self.give_up();
            }
        }
    }
}

/// Returns whether its end came within [`REST_BYTES`].
async fn read_to_end(body: Incoming) -> bool {
    let mut body = pin!(body);
    let mut bytes = 0_u64;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(frame) = frame else { return false };
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        if bytes > REST_BYTES {
            return false;
        }
    }
    true
}

/// Closes our side of a connection, and then reads on until the client closes its side.
pub(crate) async fn close_in_stages<T: AsyncRead + AsyncWrite + Unpin>(stream: T) {
    let _ = tokio::time::timeout(REST_TIME, async {
        let mut stream = stream;
        if Pin::new(&mut stream).shutdown().await.is_err() {
            return;
        }
        let (mut bytes, mut piece) = (0_u64, vec![0; PIECE]);
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            bytes += read as u64;
            if bytes > REST_BYTES {
                return;
            }
        }
    })
    .await;
}
