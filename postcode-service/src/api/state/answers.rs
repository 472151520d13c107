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

    /// Counts an answer until it is sent, or refuses it if too many bytes are in transmission.
    pub(in crate::api) async fn hold(&self, response: Response) -> Response {
        let Some(len) = response.body().size_hint().exact().filter(|len| *len >= SMALL) else {
            return response;
        };
        // A response longer than the limit is sent alone.
        let units = u32::try_from(len.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.all);
        let (mut parts, body) = response.into_parts();
        let Ok(permit) = self.units.clone().try_acquire_many_owned(units) else {
            let text = "Too many long answers are being sent at once. Try again in a moment, or ask for less";
            let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code());
            let mut refused = failure.retryable(Some(1)).into_response();
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

struct Held {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
