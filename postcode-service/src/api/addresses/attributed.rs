//! Answers from a file of addresses, with the attribution that its licence demands.

use axum::response::Response;
use http::HeaderValue;
use postcode_addresses::lookup::LocalAddresses;
use postcode_core::Postcode;
use postcode_core::wire::EDITION_HEADER;
use serde::Serialize;

use crate::api::failure::Outcome;
use crate::api::reply::{json_of, not_written, written};

/// `{"status":200,"result":…,"attribution":…}`
#[derive(Serialize)]
struct Attributed<'a, T> {
    status: u16,
    result: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Option<Postcode>>,
    attribution: &'a str,
}

/// Answers from this data: attribution in the body, fingerprint in the header.
pub(super) fn answer<T: Serialize>(
    addresses: &LocalAddresses,
    result: T,
    next: Option<Option<Postcode>>,
) -> Outcome {
    let file = addresses.file();
    let attribution = &file.metadata().attribution;
    let response = written(&Attributed { status: 200, result, next, attribution })?;
    Ok(from_edition(addresses, response))
}

/// Answers with a list whose items are written one at a time. Others have their turn in between.
pub(super) async fn listed<T: Serialize>(
    addresses: &LocalAddresses,
    items: impl Iterator<Item = T>,
    next: Option<Option<Postcode>>,
) -> Outcome {
    let file = addresses.file();
    let attribution = &file.metadata().attribution;
    let end = serde_json::to_vec(&Attributed { status: 200, result: [(); 0], next, attribution });
    let end = end.map_err(not_written)?;
    let at = end.windows(2).position(|pair| pair == b"[]").unwrap_or_default() + 1;
    let (begin, end) = end.split_at(at);
    let mut bytes = begin.to_vec();
    for (n, item) in items.enumerate() {
        if n > 0 {
            bytes.push(b',');
        }
        serde_json::to_writer(&mut bytes, &item).map_err(not_written)?;
        tokio::task::yield_now().await;
    }
    bytes.extend_from_slice(end);
    Ok(from_edition(addresses, json_of(bytes)))
}

/// Adds the fingerprint of the file.
fn from_edition(addresses: &LocalAddresses, mut response: Response) -> Response {
    // Hexadecimal digits are always a valid header value.
    if let Ok(fingerprint) = HeaderValue::from_str(addresses.file().fingerprint()) {
        response.headers_mut().insert(EDITION_HEADER, fingerprint);
    }
    response
}
