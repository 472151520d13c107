//! Answers from a file of addresses, with the attribution that its licence demands.

use http::HeaderValue;
use postcode_addresses::lookup::LocalAddresses;
use postcode_core::Postcode;
use postcode_core::wire::EDITION_HEADER;
use serde::Serialize;

use crate::api::failure::Outcome;
use crate::api::reply::written;

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
    let mut response = written(&Attributed { status: 200, result, next, attribution })?;
    // Hexadecimal digits are always a valid header value.
    if let Ok(fingerprint) = HeaderValue::from_str(file.fingerprint()) {
        response.headers_mut().insert(EDITION_HEADER, fingerprint);
    }
    Ok(response)
}
