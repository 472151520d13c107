//! Answers in the compact encoding, for clients that ask for it by `Accept`.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE, ETAG, VARY};
use postcode_core::wire::EDITION_HEADER;
use postcode_core::wire::compact::{CompactList, CompactWrite, MEDIA_TYPE};

use super::failure::{Failure, Outcome};
use super::state::Edition;

/// A list that is written item by item, so that other requests have a turn while a long one is written
/// and its deadline can end it.
pub(super) struct CompactResult<T> {
    list: CompactList<T>,
    next_turn: usize,
}

impl<T: CompactWrite> CompactResult<T> {
    /// Bytes that are written between two turns of others: a few hundred records.
    const BETWEEN_TURNS: usize = 16 << 10;

    pub(super) fn new() -> Self {
        Self { list: CompactList::new(), next_turn: Self::BETWEEN_TURNS }
    }

    pub(super) async fn push(&mut self, item: &T) -> Result<(), Failure> {
        self.list.push(item)?;
        if self.list.len() >= self.next_turn {
            self.next_turn = self.list.len() + Self::BETWEEN_TURNS;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Finishes the response, without ETag, as for POST.
    pub(super) fn finish(self, edition: &Edition) -> Outcome {
        Ok(response(edition, self.list.finish()?))
    }
}

/// Builds the response to a GET from items, with the ETag of this encoding.
pub(super) async fn cached<T: CompactWrite>(edition: &Edition, items: &[T]) -> Outcome {
    let mut list = CompactResult::new();
    for item in items {
        list.push(item).await?;
    }
    Ok(tagged(edition, list.finish(edition)?))
}

/// Builds a response without ETag from the bytes of an answer.
pub(super) fn response(edition: &Edition, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    // Room for what all answers have.
    headers.reserve(12);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(EDITION_HEADER, edition.fingerprint.clone());
    varying(response)
}

/// Adds the ETag of this encoding, which differs from that of the JSON: a cache that holds both must not
/// take one for the other.
pub(super) fn tagged(edition: &Edition, mut response: Response) -> Response {
    let tag = edition.etag.to_str().ok().and_then(|tag| tag.strip_suffix('"'));
    let tag = tag.and_then(|tag| HeaderValue::from_str(&format!("{tag}-compact\"")).ok());
    tag.into_iter().for_each(|tag| drop(response.headers_mut().insert(ETAG, tag)));
    response
}

/// Says to caches that the answer depends on `Accept`. For both encodings.
pub(super) fn varying(mut response: Response) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_name(ACCEPT));
    response
}
