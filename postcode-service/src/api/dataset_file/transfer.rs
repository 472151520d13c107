//! Sending the file, a few at a time: what downloads it takes nothing from those who look postcodes up.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_core::dataset::Dataset;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::api::reply::Failure;

/// Bytes handed to the connection at once.
const CHUNK: usize = 128 << 10;
/// How long a client may take to read a chunk: one that stops reading does not keep its place.
pub(in crate::api) const PATIENCE: Duration = Duration::from_secs(30);

/// How many downloads run at a time.
#[derive(Clone, Debug)]
pub(in crate::api) struct Downloads(Arc<Semaphore>);

impl Downloads {
    pub(in crate::api) fn new(max: usize) -> Self {
        Self(Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))))
    }

    /// The part of the file, as the client reads it. The bytes are those of the mapping: none are copied before
    /// the connection writes them, and the mapping lives as long as the transfer.
    pub(super) fn send(&self, dataset: Dataset, part: Range<usize>) -> Result<Body, Failure> {
        let place = self.place()?;
        let bytes = Bytes::from_owner(File(dataset)).slice(part);
        let (send, body) = Self::channel();
        tokio::spawn(pump(bytes, send, place));
        Ok(body)
    }

    /// A place among those that download, kept until it is dropped.
    pub(in crate::api) fn place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        self.0.clone().try_acquire_owned().map_err(|_| {
            let text = "Too many downloads of the dataset at once. Try again in a moment";
            let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code());
            failure.retryable(Some(1))
        })
    }

    /// A body that is written a chunk at a time, no faster than it is read.
    pub(in crate::api) fn channel() -> (mpsc::Sender<std::io::Result<Bytes>>, Body) {
        let (send, receive) = mpsc::channel(1);
        let chunks = stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)));
        (send, Body::from_stream(chunks))
    }
}

struct File(Dataset);

impl AsRef<[u8]> for File {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Ends when all is sent, when the client has gone, or when it does not read on; an answer that is shorter than its
/// announced length is an error to the client, which can go on from there with a `Range`.
async fn pump(mut rest: Bytes, send: mpsc::Sender<std::io::Result<Bytes>>, place: OwnedSemaphorePermit) {
    while !rest.is_empty() {
        let chunk = rest.split_to(CHUNK.min(rest.len()));
        match tokio::time::timeout(PATIENCE, send.send(Ok(chunk))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    drop(place);
}
