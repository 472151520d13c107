//! Compresses responses for clients that ask for it (RFC 9110, sections 8.4 and 12.5.3).
//!
//! Only a body whose length is known is compressed, and in one go, so that the response keeps its
//! `Content-Length`. A body that comes piece by piece is left alone: its pieces must not wait for
//! each other.
//!
//! A compressed representation is another one than the plain one, so it has another entity tag:
//! `"7"` becomes `"7-gzip"`. The suffix is taken off again when a client sends the tag back, so
//! that handlers never see it.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Body;
use tokio::sync::Semaphore;

/// Fewer bytes fit into one packet with their header anyway.
const LEAST_COMPRESSED: u64 = 1 << 10;
/// More bytes are sent as they are.
const MOST: u64 = 64 << 20;
/// Bytes that are compressed between two turns of other tasks.
const BETWEEN_TURNS: usize = 64 << 10;
/// The quality of Brotli, 0 to 11. From 5 on it takes several times as long.
const BROTLI_QUALITY: u32 = 4;
/// The window of Brotli, as a power of 2.
const BROTLI_WINDOW: u32 = 20;

/// A content coding that a response can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

impl Coding {
    /// In the order of preference: the fastest first.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Returns the coding that a client accepts most, and prefers to none.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let lists: Vec<_> =
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
        let given: Vec<(String, f32)> =
            lists.iter().flat_map(|list| list.split(',')).filter_map(weighed).collect();
        let weight = |wanted: &str| given.iter().find(|(name, _)| name == wanted).map(|(_, weight)| *weight);
        let mut best: Option<(Self, f32)> = None;
        for coding in Self::ALL {
            let weight = weight(coding.name()).or_else(|| weight("*")).unwrap_or(0.0);
            if weight > best.map_or(0.0, |(_, other)| other) {
                best = Some((coding, weight));
            }
        }
        // A client that names `identity` may prefer it.
        let identity = weight("identity").unwrap_or(0.0);
        best.filter(|(_, weight)| *weight >= identity).map(|(coding, _)| coding)
    }
}

/// Reads an item of `Accept-Encoding`. Returns a coding and its weight, which is 1 by default.
fn weighed(item: &str) -> Option<(String, f32)> {
    let mut parts = item.split(';');
    let name = parts.next()?.trim().to_ascii_lowercase();
    let name = if name == "x-gzip" { "gzip".to_owned() } else { name };
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
    });
    (!name.is_empty()).then(|| (name, weight.unwrap_or(1.0)))
}

/// Holds what a request says about the form of its response.
#[derive(Clone, Debug)]
pub struct Accepted {
    coding: Option<Coding>,
    /// A `HEAD` has the header of a `GET` and no body.
    is_head: bool,
    /// `If-None-Match` as it was sent.
    known: Option<HeaderValue>,
}

impl Accepted {
    /// Reads what a client accepts, and takes the suffixes of [`Compression`] off the entity tags
    /// that it sends.
    pub fn of<B>(request: &mut Request<B>) -> Self {
        let is_head = request.method() == Method::HEAD;
        let headers = request.headers_mut();
        let known = headers.get(IF_NONE_MATCH).cloned();
        for name in [IF_MATCH, IF_NONE_MATCH, IF_RANGE] {
            if headers.get_all(&name).iter().any(is_suffixed) {
                let plain: Vec<HeaderValue> = headers.get_all(&name).iter().map(without_suffix).collect();
                headers.remove(&name);
                for value in plain {
                    headers.append(&name, value);
                }
            }
        }
        Self { coding: Coding::of(headers), is_head, known }
    }
}

fn is_suffixed(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    Coding::ALL.iter().any(|coding| {
        let suffix = format!("-{}\"", coding.name());
        bytes.windows(suffix.len()).any(|window| window == suffix.as_bytes())
    })
}

fn without_suffix(value: &HeaderValue) -> HeaderValue {
    let Ok(text) = value.to_str() else { return value.clone() };
    let mut text = text.to_owned();
    for coding in Coding::ALL {
        text = text.replace(&format!("-{}\"", coding.name()), "\"");
    }
    HeaderValue::from_str(&text).unwrap_or_else(|_| value.clone())
}

fn with_suffix(etag: &HeaderValue, coding: Coding) -> Option<HeaderValue> {
    let opaque = etag.to_str().ok()?.strip_suffix('"')?;
    HeaderValue::from_str(&format!("{opaque}-{}\"", coding.name())).ok()
}

/// Compresses responses, a few at a time.
#[derive(Clone, Debug)]
pub struct Compression {
    turns: Arc<Semaphore>,
}

impl Default for Compression {
    /// Creates one that compresses on half of the processors at most.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::new(cores.div_ceil(2))
    }
}

impl Compression {
    /// Creates one that compresses so many responses at once. Others are sent as they are.
    pub fn new(at_once: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))) }
    }

    /// Compresses a response if that is asked for and worth it. Returns whether it did.
    pub async fn apply<B>(&self, accepted: Accepted, response: Response<B>) -> (Response<B>, bool)
    where
        B: Body<Data = Bytes> + From<Bytes>,
    {
        let (mut parts, body) = response.into_parts();
        if parts.status == StatusCode::NOT_MODIFIED {
            vary(&mut parts.headers);
            // The tag of the representation that the client has.
            if let (Some(coding), Some(etag), Some(known)) =
                (accepted.coding, parts.headers.get(ETAG), accepted.known)
                && let Some(tag) = with_suffix(etag, coding)
                && known.as_bytes().windows(tag.len()).any(|window| window == tag.as_bytes())
            {
                parts.headers.insert(ETAG, tag);
            }
            return (Response::from_parts(parts, body), false);
        }
        if !is_compressible(parts.status, &parts.headers) {
            return (Response::from_parts(parts, body), false);
        }
        let announced = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let length = if accepted.is_head { announced } else { body.size_hint().exact() };
        // The pieces of a body without a length must not wait.
        let Some(length) = length else { return (Response::from_parts(parts, body), false) };
        vary(&mut parts.headers);
        let Some(coding) = accepted.coding.filter(|_| (LEAST_COMPRESSED..=MOST).contains(&length)) else {
            return (Response::from_parts(parts, body), false);
        };
        if accepted.is_head {
            // The length of the body that a GET would have is not known.
            parts.headers.remove(CONTENT_LENGTH);
            mark(&mut parts.headers, coding);
            return (Response::from_parts(parts, body), false);
        }
        let Ok(_turn) = self.turns.try_acquire() else { return (Response::from_parts(parts, body), false) };
        let Some(plain) = whole(body).await else {
            // The error of a broken body must reach the server, which cuts the connection.
            parts.status = StatusCode::INTERNAL_SERVER_ERROR;
            parts.headers.remove(CONTENT_LENGTH);
            return (Response::from_parts(parts, B::from(Bytes::new())), false);
        };
        match compressed(coding, &plain).await {
            Ok(small) if small.len() < plain.len() => {
                parts.headers.remove(CONTENT_LENGTH);
                mark(&mut parts.headers, coding);
                (Response::from_parts(parts, B::from(small)), true)
            }
            _ => (Response::from_parts(parts, B::from(plain)), false),
        }
    }
}

/// Marks a response as compressed.
fn mark(headers: &mut HeaderMap, coding: Coding) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    if let Some(tag) = headers.get(ETAG).and_then(|etag| with_suffix(etag, coding)) {
        headers.insert(ETAG, tag);
    }
}

/// Says to caches that the response depends on what the client accepts.
fn vary(headers: &mut HeaderMap) {
    let named = |value: &HeaderValue| {
        let mut names = value.to_str().unwrap_or_default().split(',').map(str::trim);
        names.any(|name| name == "*" || name.eq_ignore_ascii_case("accept-encoding"))
    };
    if !headers.get_all(VARY).iter().any(named) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// Returns whether compression is allowed and likely to help.
fn is_compressible(status: StatusCode, headers: &HeaderMap) -> bool {
    let has = |name| headers.contains_key(name);
    if !status.is_success() || status == StatusCode::PARTIAL_CONTENT || status == StatusCode::NO_CONTENT {
        return false;
    }
    // Parts of a file are parts of the plain one.
    if has(CONTENT_ENCODING) || has(CONTENT_RANGE) || has(ACCEPT_RANGES) {
        return false;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(CACHE_CONTROL).to_ascii_lowercase().contains("no-transform") {
        return false;
    }
    let kind = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    // Our own types are lower case, so they are not copied.
    let kind = match kind.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(kind.to_ascii_lowercase()),
        false => Cow::Borrowed(kind),
    };
    let is_text = kind.starts_with("text/") && kind != "text/event-stream";
    is_text
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || kind.ends_with("+postcard")
        || matches!(
            &*kind,
            "application/json"
                | "application/x-ndjson"
                | "application/javascript"
                | "application/xml"
                | "application/openmetrics-text"
        )
}

/// Reads a body whose bytes are in memory.
async fn whole<B: Body<Data = Bytes>>(body: B) -> Option<Bytes> {
    let mut body = pin!(body);
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.ok()?;
        let Ok(data) = frame.into_data() else { continue };
        // Most bodies are one piece, which is not copied.
        match first.take() {
            None if all.is_empty() => first = Some(data),
            before => {
                all.extend_from_slice(&before.unwrap_or_default());
                all.extend_from_slice(&data);
            }
        }
    }
    Some(first.unwrap_or_else(|| all.freeze()))
}

enum Encoder {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding, expected: usize) -> io::Result<Self> {
        let out = Vec::with_capacity(expected);
        Ok(match coding {
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(out, 1)?),
            Coding::Brotli => {
                let encoder = brotli::CompressorWriter::new(out, 4 << 10, BROTLI_QUALITY, BROTLI_WINDOW);
                Self::Brotli(Box::new(encoder))
            }
            Coding::Gzip => Self::Gzip(GzEncoder::new(out, flate2::Compression::new(4))),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.write_all(bytes),
            Self::Brotli(encoder) => encoder.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

/// Compresses bytes, and gives other tasks a turn in between.
async fn compressed(coding: Coding, plain: &[u8]) -> io::Result<Bytes> {
    let mut encoder = Encoder::new(coding, plain.len() / 6 + 64)?;
    for (n, piece) in plain.chunks(BETWEEN_TURNS).enumerate() {
        if n > 0 {
            tokio::task::yield_now().await;
        }
        encoder.write(piece)?;
    }
    let mut small = encoder.finish()?;
    small.shrink_to_fit();
    Ok(small.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use http_body_util::{BodyExt, Full};

    use super::*;

    const LONG: &str = "{\"postcode\":\"SW1A 1AA\",\"country\":\"England\",\"region\":null}";

    fn accepted(given: &str) -> Accepted {
        Accepted::of(&mut Request::get("/").header(ACCEPT_ENCODING, given).body(()).unwrap())
    }

    fn response(kind: &str, body: String) -> Response<Full<Bytes>> {
        let builder = Response::builder().header(CONTENT_TYPE, kind).header(ETAG, "\"7\"");
        builder.body(Full::from(body)).unwrap()
    }

    async fn sent(given: &str, response: Response<Full<Bytes>>) -> (http::response::Parts, Vec<u8>) {
        let (response, _) = Compression::default().apply(accepted(given), response).await;
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn response_is_compressed_as_asked_and_reads_back() {
        let text = LONG.repeat(5_000);
        for coding in Coding::ALL {
            let (parts, small) =
                sent(coding.name(), response("application/json; charset=utf-8", text.clone())).await;
            assert_eq!(parts.headers[CONTENT_ENCODING], coding.name());
            assert_eq!(parts.headers[VARY], "Accept-Encoding");
            assert_eq!(parts.headers[ETAG], format!("\"7-{}\"", coding.name()));
            assert!(small.len() < text.len() / 10, "{} of {}", small.len(), text.len());
            let mut read = String::new();
            match coding {
                Coding::Zstd => zstd::stream::read::Decoder::new(&*small).unwrap().read_to_string(&mut read),
                Coding::Brotli => brotli::Decompressor::new(&*small, 4096).read_to_string(&mut read),
                Coding::Gzip => flate2::read::GzDecoder::new(&*small).read_to_string(&mut read),
            }
            .unwrap();
            assert_eq!(read, text);
        }
    }

    #[tokio::test]
    async fn response_is_left_as_it_is_if_that_is_better() {
        let text = LONG.repeat(50);
        for (given, kind, text, varies) in [
            ("", "application/json", &*text, true),
            ("identity", "application/json", &*text, true),
            ("gzip;q=0", "application/json", &*text, true),
            ("gzip;q=0.5, identity", "application/json", &*text, true),
            ("deflate", "application/json", &*text, true),
            ("gzip", "application/json", LONG, true),
            ("gzip", "application/octet-stream", &*text, false),
            ("gzip", "application/zip", &*text, false),
            ("gzip", "text/event-stream", &*text, false),
        ] {
            let (parts, body) = sent(given, response(kind, text.to_owned())).await;
            assert!(!parts.headers.contains_key(CONTENT_ENCODING), "{given} {kind}");
            assert_eq!(parts.headers[ETAG], "\"7\"");
            assert_eq!(parts.headers.contains_key(VARY), varies, "{given} {kind}");
            assert_eq!(body, text.as_bytes());
        }
        for (name, value) in
            [(CACHE_CONTROL, "No-Transform"), (CONTENT_ENCODING, "gzip"), (ACCEPT_RANGES, "bytes")]
        {
            let mut plain = response("application/json", text.clone());
            plain.headers_mut().insert(name, HeaderValue::from_static(value));
            let (_, body) = sent("br", plain).await;
            assert_eq!(body, text.as_bytes());
        }
        let busy = Compression::new(0);
        let (kept, done) = busy.apply(accepted("gzip"), response("text/csv", text.clone())).await;
        assert!(!done && !kept.headers().contains_key(CONTENT_ENCODING));
    }

    #[test]
    fn the_coding_that_a_client_prefers_is_chosen() {
        for (given, chosen) in [
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("gzip, deflate, br", Some(Coding::Brotli)),
            ("gzip;q=1.0, br;q=0.8", Some(Coding::Gzip)),
            ("X-GZIP", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("*;q=0.1, zstd;q=0", Some(Coding::Brotli)),
            ("gzip;q=nonsense", None),
            ("gzip;q=0.2, identity;q=0.3", None),
            (",,;", None),
        ] {
            assert_eq!(accepted(given).coding, chosen, "{given}");
        }
    }

    #[tokio::test]
    async fn entity_tag_of_a_compressed_response_comes_back_as_the_plain_one() {
        let mut request = Request::get("/")
            .header(IF_NONE_MATCH, "W/\"3\", \"7-gzip\"")
            .header(IF_MATCH, "\"7-br\"")
            .header(ACCEPT_ENCODING, "gzip")
            .body(())
            .unwrap();
        let accepted = Accepted::of(&mut request);
        assert_eq!(request.headers()[IF_NONE_MATCH], "W/\"3\", \"7\"");
        assert_eq!(request.headers()[IF_MATCH], "\"7\"");
        let mut same = response("application/json", String::new());
        *same.status_mut() = StatusCode::NOT_MODIFIED;
        let (same, _) = Compression::default().apply(accepted, same).await;
        assert_eq!(
            (&same.headers()[ETAG], &same.headers()[VARY]),
            (&"\"7-gzip\"".parse().unwrap(), &"Accept-Encoding".parse().unwrap())
        );
    }

    #[tokio::test]
    async fn head_has_the_header_of_a_get() {
        let mut request = Request::head("/").header(ACCEPT_ENCODING, "br").body(()).unwrap();
        let accepted = Accepted::of(&mut request);
        let mut empty = response("application/json", String::new());
        empty.headers_mut().insert(CONTENT_LENGTH, 5_000.into());
        let (head, _) = Compression::default().apply(accepted, empty).await;
        assert_eq!(
            (head.headers()[CONTENT_ENCODING].as_bytes(), &head.headers()[ETAG]),
            (b"br".as_slice(), &"\"7-br\"".parse::<HeaderValue>().unwrap())
        );
        assert!(!head.headers().contains_key(CONTENT_LENGTH));
    }
}
