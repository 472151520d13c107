//! Compressed answers: asks for them where they pay, and unpacks them.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderValue, header};

use super::address::Address;
use crate::{Error, ErrorKind, Result};

/// An answer of fewer records fits into a few packets, compressed or not.
const MANY: usize = 16;

/// Returns the codings to ask for. Compression costs both sides time, so it pays only for long
/// answers that come from another machine.
///
/// Without the header a server may choose any coding (RFC 9110, section 12.5.3), so it is always
/// sent.
pub(super) fn wanted(address: &Address, records: usize) -> HeaderValue {
    HeaderValue::from_static(if records >= MANY && !address.is_near() { "gzip" } else { "identity" })
}

/// Unpacks an answer, also one that was not asked for in this form. It may be `limit` bytes long.
pub(super) fn unpacked(response: http::Response<Bytes>, limit: usize) -> Result<http::Response<Bytes>> {
    let Some(coding) = response.headers().get(header::CONTENT_ENCODING) else { return Ok(response) };
    let coding = coding.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    let most = limit as u64 + 1;
    let (mut parts, packed) = response.into_parts();
    let mut plain = Vec::new();
    let read = match &*coding {
        "identity" | "" => return Ok(http::Response::from_parts(parts, packed)),
        "gzip" | "x-gzip" => MultiGzDecoder::new(&*packed).take(most).read_to_end(&mut plain),
        "deflate" => ZlibDecoder::new(&*packed).take(most).read_to_end(&mut plain),
        _ => {
            let coding: String = coding.chars().take(40).collect();
            let message = format!("the answer has the Content-Encoding {coding:?}, which was not asked for");
            return Err(Error::new(ErrorKind::Protocol, message));
        }
    };
    match read {
        Ok(len) if len <= limit => {
            parts.headers.remove(header::CONTENT_ENCODING);
            parts.headers.remove(header::CONTENT_LENGTH);
            Ok(http::Response::from_parts(parts, plain.into()))
        }
        Ok(_) => {
            let message = format!(
                "the answer unpacks to more than {limit} bytes, more than any valid answer to this request"
            );
            Err(Error::new(ErrorKind::Protocol, message))
        }
        Err(error) => {
            let message = format!("the answer can't be unpacked ({coding}): {error}");
            Err(Error::new(ErrorKind::Protocol, message).with_source(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::http(url.parse().unwrap()).unwrap()
    }

    fn answer(coding: &'static str, body: Vec<u8>) -> http::Response<Bytes> {
        http::Response::builder().header(header::CONTENT_ENCODING, coding).body(body.into()).unwrap()
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        flate2::bufread::GzEncoder::new(plain, flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
        packed
    }

    #[test]
    fn long_answers_of_other_machines_are_asked_for_compressed() {
        for (url, records, due) in [
            ("http://api.example:8080", 100, "gzip"),
            ("https://192.0.2.1/base", 100, "gzip"),
            ("http://api.example", 1, "identity"),
            ("http://localhost:8080", 100, "identity"),
            ("http://127.0.0.1:8080", 100, "identity"),
            ("http://[::1]:8080", 100, "identity"),
        ] {
            assert_eq!(wanted(&address(url), records), due, "{url} {records}");
        }
        assert_eq!(wanted(&Address::unix("/run/socket".into()), 100), "identity");
    }

    #[test]
    fn compressed_answers_are_unpacked_within_their_limit() {
        let plain = b"{\"status\":200}".repeat(100);
        let unpacked_body =
            |coding, body, limit| unpacked(answer(coding, body), limit).map(|it| it.into_body());
        assert_eq!(unpacked_body("gzip", gzip(&plain), plain.len()).unwrap(), plain);
        assert_eq!(unpacked_body("identity", plain.clone(), plain.len()).unwrap(), plain);
        for (coding, body, limit, word) in [
            ("gzip", gzip(&plain), plain.len() - 1, "more than 1399 bytes"),
            ("gzip", plain.clone(), 10_000, "can't be unpacked"),
            ("br", plain.clone(), 10_000, "not asked for"),
        ] {
            let error = unpacked_body(coding, body, limit).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.message().contains(word), "{error}");
        }
        let kept = unpacked(answer("gzip", gzip(&plain)), plain.len()).unwrap();
        assert!(!kept.headers().contains_key(header::CONTENT_ENCODING));
    }
}
