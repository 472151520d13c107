//! Limits the memory of answers in transmission.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use hyper::body::Body as HttpBody;
use postcode_core::ErrorKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::failure::Failure;

/// Answers of fewer bytes are not counted.
const SMALL: u64 = 64 << 10;
/// The bytes that one permit allows.
const UNIT: u64 = 1 << 10;

/// Limits the bytes of long responses in memory, until their clients have read them.
#[derive(Clone, Debug)]
pub(in crate::api) struct Answers {
    units: Arc<Semaphore>,
    all: u32,
}

impl Answers {
    pub(in crate::api) fn new(bytes: u64) -> Self {
        let all = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Reserves bytes for an answer before it is made, or refuses it. Without this, many long answers would grow at
    /// the same time.
    pub(in crate::api) fn reserve(&self, bytes: u64) -> Result<Reserved, Failure> {
        let units = if bytes < SMALL { 0 } else { self.units_of(bytes) };
        let permit = self.units.clone().try_acquire_many_owned(units).map_err(|_| too_many())?;
        Ok(Reserved(Arc::new(permit)))
    }

    fn units_of(&self, bytes: u64) -> u32 {
        // A response longer than the limit is sent alone.
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.all)
    }

    /// Counts an answer until it is sent, or refuses it if too many bytes are in transmission.
    pub(in crate::api) async fn hold(&self, mut response: Response) -> Response {
        // From now on the true length is counted instead.
        drop(response.extensions_mut().remove::<Reserved>());
        let Some(len) = response.body().size_hint().exact().filter(|len| *len >= SMALL) else {
            return response;
        };
        let (mut parts, body) = response.into_parts();
        let Ok(permit) = self.units.clone().try_acquire_many_owned(self.units_of(len)) else {
            let mut refused = too_many().into_response();
            parts.extensions.extend(std::mem::take(refused.extensions_mut()));
            *refused.extensions_mut() = parts.extensions;
            return refused;
        };
        match to_bytes(body, usize::MAX).await {
            Ok(bytes) => {
                Response::from_parts(parts, Body::from(Bytes::from_owner(Held { bytes, _permit: permit })))
            }
            Err(error) => Failure::internal(format!("an answer could not be read: {error}")).into_response(),
        }
    }
}

fn too_many() -> Failure {
    let text = "Too many long answers are being sent at once. Try again in a moment, or ask for less";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code()).retryable(Some(1))
}

/// The bytes reserved for an answer until it is made. The answer carries it as an extension.
#[derive(Clone, Debug)]
pub(in crate::api) struct Reserved(
    #[expect(dead_code, reason = "it counts while it lives")] Arc<OwnedSemaphorePermit>,
);

struct Held {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_counted_before_an_answer_is_made_and_until_it_is_sent() {
        let answers = Answers::new(1 << 20);
        let reserved = answers.reserve(768 << 10).unwrap();
        assert!(answers.reserve(512 << 10).is_err(), "another is refused before any work");
        let others = answers.reserve(256 << 10).unwrap();
        assert!(answers.reserve(SMALL - 1).is_ok(), "short answers are not counted");
        drop(others);
        let mut response = Response::new(Body::from(vec![0; 600 << 10]));
        response.extensions_mut().insert(reserved);
        let response = answers.hold(response).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(answers.reserve(512 << 10).is_err(), "it is not sent yet");
        drop(response);
        assert!(answers.reserve(512 << 10).is_ok());
        assert!(answers.reserve(1 << 30).is_ok(), "one that is longer than the limit is made alone");
    }
}
