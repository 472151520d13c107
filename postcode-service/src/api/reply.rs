//! The bodies of answers: the envelope, records, lists.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG};
use postcode_core::wire::{EDITION_HEADER, HasRecords, RecordText, Success};
use serde::Serialize;

use super::failure::{Failure, JSON, Outcome};
use super::state::Edition;

/// `{"status":200,"result":…}` from that edition: the same question will be answered the same until
/// the data changes, which its ETag says.
pub(super) fn data<T: Serialize>(edition: &Edition, result: &T) -> Outcome {
    let mut response = uncached(edition, result)?;
    response.headers_mut().insert(ETAG, edition.etag.clone());
    Ok(response)
}

/// As [`data`], for an answer with records.
pub(super) fn records(edition: &Edition, result: &impl HasRecords) -> Outcome {
    let mut response = uncached_records(edition, result)?;
    response.headers_mut().insert(ETAG, edition.etag.clone());
    Ok(response)
}

/// As [`uncached`], for an answer with records.
pub(super) fn uncached_records(edition: &Edition, result: &impl HasRecords) -> Outcome {
    let mut text = RecordText::new(Vec::with_capacity(2048));
    text.raw("{\"status\":200,\"result\":");
    result.write(&mut text).map_err(not_written)?;
    text.raw("}");
    let mut response = Response::new(Body::from(text.into_bytes()));
    let headers = response.headers_mut();
    // Room for what all answers have.
    headers.reserve(12);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(EDITION_HEADER, edition.fingerprint.clone());
    Ok(response)
}

/// Builds a response without ETag: for random answers and for POST.
pub(super) fn uncached<T: Serialize>(edition: &Edition, result: &T) -> Outcome {
    whole(edition, &Success::new(result))
}

/// Builds a response from a body that has more than a result.
pub(super) fn whole<T: Serialize>(edition: &Edition, body: &T) -> Outcome {
    let mut response = written(body)?;
    response.headers_mut().insert(EDITION_HEADER, edition.fingerprint.clone());
    Ok(response)
}

/// `{"status":200,"result":…}` that has nothing to do with the data.
pub(super) fn json<T: Serialize>(result: &T) -> Outcome {
    written(&Success::new(result))
}

/// `{"status":200,"result":[…]}`, written item by item, so that other requests have a turn while a
/// long one is written and its deadline can end it.
pub(super) struct ResultList {
    text: RecordText,
    is_empty: bool,
    next_turn: usize,
}

impl ResultList {
    /// Bytes that are written between two turns of others.
    const BETWEEN_TURNS: usize = 128 << 10;

    pub(super) fn new() -> Self {
        let mut text = RecordText::of_many(Vec::with_capacity(2048));
        text.raw("{\"status\":200,\"result\":[");
        Self { text, is_empty: true, next_turn: Self::BETWEEN_TURNS }
    }

    pub(super) fn push(&mut self, item: &impl HasRecords) -> Result<(), Failure> {
        self.comma();
        item.write(&mut self.text).map_err(not_written)
    }

    pub(super) fn push_value(&mut self, item: &impl Serialize) -> Result<(), Failure> {
        self.comma();
        self.text.value(item).map_err(not_written)
    }

    fn comma(&mut self) {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.text.raw(",");
        }
    }

    /// Gives other tasks a turn if much has been written since the last one.
    pub(super) async fn give_turn(&mut self) {
        if self.text.len() >= self.next_turn {
            self.next_turn = self.text.len() + Self::BETWEEN_TURNS;
            tokio::task::yield_now().await;
        }
    }

    /// Finishes the response, without ETag, as for POST.
    pub(super) fn finish(mut self, edition: &Edition) -> Outcome {
        self.text.raw("]}");
        let mut bytes = self.text.into_bytes();
        bytes.shrink_to_fit();
        let mut response = ([(CONTENT_TYPE, JSON)], bytes).into_response();
        response.headers_mut().insert(EDITION_HEADER, edition.fingerprint.clone());
        Ok(response)
    }
}

pub(super) fn written<T: Serialize>(body: &T) -> Outcome {
    let mut bytes = Vec::with_capacity(2048);
    serde_json::to_writer(&mut bytes, body).map_err(not_written)?;
    Ok(json_of(bytes))
}

/// Builds the answer of a body that is written.
pub(super) fn json_of(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, JSON)], bytes).into_response()
}

pub(super) fn not_written(error: serde_json::Error) -> Failure {
    Failure::internal(format!("an answer could not be written: {error}"))
}
