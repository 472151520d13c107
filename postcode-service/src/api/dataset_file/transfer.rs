//! Sending the file, a few at a time: what downloads it takes nothing from those who look postcodes
//! up.

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

use crate::api::reply::Failure;

/// Bytes handed to the connection at once.
const CHUNK: usize = 128 << 10;
/// How long a client may take to read a chunk: one that stops reading does not keep its place.
pub(in crate::api) const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes a second: a client that is slower loses its place when all are taken.
pub(in crate::api) const SCARCE_SPEED: u64 = 64 << 10;

/// How many downloads run at a time.
#[derive(Clone, Debug)]
pub(in crate::api) struct Downloads(Pool);

impl Downloads {
    pub(in crate::api) fn new(max: usize) -> Self {
        Self(Pool::new(max, Yields::Slowest(SCARCE_SPEED)))
    }

    /// The part of the file, as the client reads it. The bytes are those of the mapping: none are
    /// copied before the connection writes them, and the mapping lives as long as the transfer.
    pub(super) fn send(
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

    /// A body that is written a chunk at a time, no faster than it is read.
    pub(in crate::api) fn channel() -> (mpsc::Sender<std::io::Result<Bytes>>, Body) {
        let (send, receive) = mpsc::channel(1);
        let chunks = stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)));
        (send, Body::from_stream(chunks))
    }
}

/// Hands a chunk over to the client; returns whether it goes on. It does not if it has gone, has
/// stopped reading, or has lost its place.
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

/// Ends when all is sent, when the client has gone, or when it does not read on; an answer that is
/// shorter than its announced length is an error to the client, which can go on from there with a
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
