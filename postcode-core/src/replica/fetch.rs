//! The two requests of a replica: the edition on offer, and a range of the file.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::wire::REPR_DIGEST_HEADER;
use crate::wire::path::{DATASET, DATASET_SIGNATURE};
use crate::{Error, ErrorKind, Remote, Result};

/// Bytes of one range: small enough to lose little when a connection breaks.
pub(super) const RANGE_BYTES: u64 = 1 << 20;
/// The time limit of a range: 34 kB a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time limit of the first request: the server may have to read the file for its checksum.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);
/// How often a range is requested if it fails temporarily.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An edition that the service offers.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) etag: HeaderValue,
    pub(super) len: u64,
    /// The SHA-256 of the file, if the server sends it.
    pub(super) sha256: Option<[u8; 32]>,
}

impl Offer {
    /// Returns a text that identifies the edition.
    pub(super) fn name(&self) -> String {
        format!("{:?} {}", self.etag, self.len)
    }
}

/// Returns what the service offers now, or `None` if the known edition is still current.
pub(super) async fn offer(remote: &Remote, known: Option<&HeaderValue>) -> Result<Option<Offer>> {
    let headers: Vec<_> = known.map(|known| (IF_NONE_MATCH, known.clone())).into_iter().collect();
    let expected =
        [StatusCode::OK, StatusCode::NOT_MODIFIED, StatusCode::NOT_FOUND, StatusCode::NOT_IMPLEMENTED];
    let response =
        patiently(|| remote.raw((Method::HEAD, DATASET), &headers, &expected, 0, FIRST_PATIENCE)).await?;
    let said = |what: &str, kind| Error::new(kind, format!("HEAD {remote}{DATASET}: {what}"));
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED => return Ok(None),
        _ => {
            let what =
                "the server offers no dataset file. Is it a postcode-service that loaded its own data?";
            return Err(said(what, ErrorKind::NotSupported));
        }
    }
    let headers = response.headers();
    let protocol = |what: &str| said(what, ErrorKind::Protocol);
    let etag = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    let etag = etag.ok_or_else(|| protocol("no strong ETag, without which ranges can't be put together"))?;
    let len =
        number(headers, &CONTENT_LENGTH).ok_or_else(|| protocol("the server does not say its length"))?;
    let sha256 = match headers.get(REPR_DIGEST_HEADER) {
        Some(digest) => sha256(digest),
        None => None,
    };
    Ok(Some(Offer { etag: etag.clone(), len, sha256 }))
}

/// Downloads the bytes of the file from `start`, at most [`RANGE_BYTES`].
pub(super) async fn range(remote: &Remote, offer: &Offer, start: u64) -> Result<Bytes> {
    let end = offer.len.min(start.saturating_add(RANGE_BYTES));
    let value = |text: String| {
        HeaderValue::try_from(text)
            .map_err(|e| Error::new(ErrorKind::Internal, "the range is not a valid header").with_source(e))
    };
    let headers = [(RANGE, value(format!("bytes={start}-{}", end - 1))?), (IF_MATCH, offer.etag.clone())];
    let expected = [StatusCode::PARTIAL_CONTENT, StatusCode::PRECONDITION_FAILED];
    let limit = RANGE_BYTES as usize;
    let response =
        patiently(|| remote.raw((Method::GET, DATASET), &headers, &expected, limit, PATIENCE)).await?;
    let said = |kind, what: String| Error::new(kind, format!("GET {remote}{DATASET}: {what}"));
    let same = response.headers().get(ETAG).is_none_or(|etag| *etag == offer.etag);
    if response.status() != StatusCode::PARTIAL_CONTENT || !same {
        let what = "the service has a new edition now; the next try downloads it".to_owned();
        return Err(said(ErrorKind::Unavailable, what));
    }
    let due = format!("bytes {start}-{}/{}", end - 1, offer.len);
    let got = response.headers().get(CONTENT_RANGE).map(|range| String::from_utf8_lossy(range.as_bytes()));
    if got.as_deref() != Some(&due) || response.body().len() as u64 != end - start {
        let (len, got) = (response.body().len(), got.as_deref().unwrap_or("no range"));
        return Err(said(
            ErrorKind::Protocol,
            format!("the request was for {due}, but the response is {got}, with {len} bytes"),
        ));
    }
    Ok(response.into_body())
}

/// Downloads the signature of the file. Verifying it later shows whether it belongs to the
/// downloaded edition.
pub(super) async fn signature(remote: &Remote) -> Result<String> {
    /// A signature has about 300 bytes.
    const LONGEST: usize = 8 * 1024;
    let expected = [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::NOT_IMPLEMENTED];
    let response =
        patiently(|| remote.raw((Method::GET, DATASET_SIGNATURE), &[], &expected, LONGEST, PATIENCE)).await?;
    let text =
        String::from_utf8(response.body().to_vec()).ok().filter(|_| response.status() == StatusCode::OK);
    text.ok_or_else(|| {
        let what = format!(
            "GET {remote}{DATASET_SIGNATURE}: a signature is demanded, and the service's file is not signed: sign it \
             with `postcode-service sign`"
        );
        Error::new(ErrorKind::NotSupported, what)
    })
}

/// Repeats an attempt that failed temporarily.
async fn patiently<T, F: Future<Output = Result<T>>>(attempt: impl Fn() -> F) -> Result<T> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(error) if error.is_transient() => {
                let wait = pause.mul_f64(fastrand::f64()).max(error.retry_after().unwrap_or_default());
                if wait > LONGEST_PAUSE {
                    return Err(error);
                }
                tokio::time::sleep(wait).await;
                pause *= 4;
            }
            other => return other,
        }
    }
    attempt().await
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Reads `sha-256=:…:` from a list of digests (RFC 9530 and 9651).
fn sha256(digest: &HeaderValue) -> Option<[u8; 32]> {
    let mut digests = digest.to_str().ok()?.split(',');
    let ours = digests.find_map(|digest| digest.trim().strip_prefix("sha-256=:")?.strip_suffix(':'))?;
    STANDARD.decode(ours).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_among_others() {
        let ours = format!("sha-256=:{}:", STANDARD.encode([7; 32]));
        let read = |text: &str| sha256(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read(&ours), Some([7; 32]));
        assert_eq!(read(&format!("sha-512=:eA==:, {ours}")), Some([7; 32]));
        for none in ["", "sha-256", "sha-256=:x:", "sha-256=:eA==:", "sha-512=:eA==:"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
