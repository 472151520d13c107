//! Streams the dataset file. Concurrent downloads are limited so that they don't slow lookups down.

use std::ops::Range;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_core::dataset::Dataset;
use postcode_edge::{ClientKey, Place, Pool, Yields};
use tokio::sync::mpsc;

use crate::api::failure::Failure;

/// Bytes in one write to the connection.
const CHUNK: usize = 128 << 10;
/// How long a client may take to read a chunk: one that stops reading does not keep its place.
pub(in crate::api) const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes a second: a client that is slower loses its place when all are taken.
pub(in crate::api) const SCARCE_SPEED: u64 = 64 << 10;

/// Limits the number of downloads at once.
#[derive(Clone, Debug)]
pub(in crate::api) struct Downloads(Pool);

impl Downloads {
    pub(in crate::api) fn new(max: usize) -> Self {
        Self(Pool::new(max, Yields::Slowest(SCARCE_SPEED)))
    }

    /// Sends a part of the file as fast as the client reads. The bytes are those of the mapping and
    /// are not copied before the connection writes them. The mapping lives as long as the transfer.
    pub(in crate::api) fn send(
        &self,
        client: ClientKey,
        dataset: Dataset,
        part: Range<usize>,
    ) -> Result<Body, Failure> {
        let place = self.place(client)?;
        let bytes = Bytes::from_owner(File(dataset)).slice(part);
        let (send, body) = Self::channel();
        tokio::spawn(pump(bytes, send, place));
        Ok(body)
    }

    /// A place among those that download, kept until it is dropped.
    pub(in crate::api) fn place(&self, client: ClientKey) -> Result<Place, Failure> {
        self.0.enter(client).map_err(|_| {
            let text = "Too many downloads of the dataset at once. Try again in a moment";
            let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code());
            failure.retryable(Some(1))
        })
    }

    /// Creates a body that is written in chunks, no faster than the client reads.
    pub(in crate::api) fn channel() -> (mpsc::Sender<std::io::Result<Bytes>>, Body) {
        let (send, receive) = mpsc::channel(1);
        let chunks = stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)));
        (send, Body::from_stream(chunks))
    }
}

/// Passes a chunk to the client. Returns false if the client has gone, has stopped reading, or has
/// lost its place.
pub(in crate::api) async fn hand_over(
    send: &mpsc::Sender<std::io::Result<Bytes>>,
    chunk: std::io::Result<Bytes>,
    place: &Place,
) -> bool {
    let (whole, len) = (chunk.is_ok(), chunk.as_ref().map_or(0, Bytes::len));
    let sent = tokio::select! {
        sent = tokio::time::timeout(PATIENCE, send.send(chunk)) => matches!(sent, Ok(Ok(()))),
        () = place.lost() => false,
    };
    place.moved(len);
    sent && whole
}

struct File(Dataset);

impl AsRef<[u8]> for File {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Ends when all is sent, when the client has gone, or when it stops reading. If the answer is
/// shorter than its announced length, the client sees an error and can resume from there with a
/// `Range`.
async fn pump(mut rest: Bytes, send: mpsc::Sender<std::io::Result<Bytes>>, place: Place) {
    while !rest.is_empty() {
        let chunk = rest.split_to(CHUNK.min(rest.len()));
        if !hand_over(&send, Ok(chunk), &place).await {
            break;
        }
    }
    drop(place);
}
