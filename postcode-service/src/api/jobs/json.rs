//! The body of `POST /jobs` in JSON, which is read whole.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use hyper::body::Body as _;
use postcode_edge::{BoxError, ClientKey, MediaType, Place};
use postcode_tables::packed::Packing;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use sha2::{Digest, Sha256};

use super::super::App;
use super::super::bulk::body;
use super::super::enrich::coding;
use super::super::failure::Failure;
use super::room::{memory, no_memory};
use crate::enrich::short;
use crate::jobs::submission::Texts;

/// Bytes of a body in JSON.
const MAX_JSON: usize = 16 << 20;
/// How long it may take.
const JSON_TIME: Duration = Duration::from_secs(120);
const JSON: &str = "application/json";

/// The fields of a body besides the postcodes, as texts.
pub(super) type Fields = BTreeMap<&'static str, String>;

/// A body that was read.
pub(super) struct Read {
    pub(super) postcodes: Texts,
    /// All other fields.
    pub(super) rest: Fields,
    /// The digest of the request, with the postcodes.
    pub(super) hashed: Sha256,
    /// Holds its part of the memory for bodies of JSON.
    pub(super) _memory: Arc<Place>,
}

/// Reads a body and adds its postcodes to a digest. Memory is reserved for the bytes that have come,
/// not for those that are announced.
pub(super) async fn read(
    app: &App,
    client: ClientKey,
    request: Request,
    place: &Arc<Place>,
    mut hashed: Sha256,
) -> Result<Read, Failure> {
    let coding = coding(request.headers())?;
    let memory = memory(app.jobs.json_bytes(), client)?;
    let receiving = body::received(counted(request, place, &memory), MAX_JSON);
    let bytes = tokio::select! {
        received = tokio::time::timeout(JSON_TIME, receiving) => received.map_err(|_| late())??,
        () = memory.lost() => return Err(late()),
    };
    if !memory.keep() {
        return Err(late());
    }
    if coding != Packing::Plain {
        memory.grow(MAX_JSON).map_err(|_| no_memory())?;
    }
    let bytes = body::unpacked(bytes, coding, MAX_JSON).await?;
    let held = memory.clone();
    // Megabytes of JSON keep a thread busy for a while, whether or not the client still waits.
    let reading = tokio::task::spawn_blocking(move || {
        let _held = held;
        let Posted { postcodes, rest } = posted(&bytes)?;
        postcodes.lines().for_each(|lines| hashed.update(lines));
        Ok((postcodes, rest, hashed))
    });
    let read: Result<_, Failure> = reading.await.map_err(|error| Failure::internal(error.to_string()))?;
    let (postcodes, rest, hashed) = read?;
    Ok(Read { postcodes, rest, hashed, _memory: memory })
}

fn late() -> Failure {
    Failure::bad_request("The body came too slowly: send it faster, or less of it")
}

/// Returns the request with a body whose bytes are counted for its place, and take memory as they
/// come. Keeps the body if its announced length is too large.
fn counted(request: Request, place: &Arc<Place>, memory: &Arc<Place>) -> Request {
    if request.body().size_hint().lower() > MAX_JSON as u64 {
        return request;
    }
    let memory = memory.clone();
    request.map(|body| {
        let bytes = place.counted(body.into_data_stream());
        Body::from_stream(bytes.map(move |bytes| {
            let bytes = bytes?;
            memory.moved(bytes.len());
            memory.grow(bytes.len())?;
            Ok::<_, BoxError>(bytes)
        }))
    })
}

/// Returns whether the body is JSON, in an encoding that can be read.
pub(super) fn is_json(headers: &HeaderMap) -> Result<bool, Failure> {
    let Some(media) = MediaType::of(headers).filter(|media| media.name() == JSON) else { return Ok(false) };
    match media.is_utf8() {
        true => Ok(true),
        false => {
            let charset = short(media.charset().unwrap_or_default());
            let text = format!("JSON in the charset {charset} can't be read: send it in UTF-8");
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text, "unsupported_media_type"))
        }
    }
}

/// A body in JSON.
struct Posted {
    postcodes: Texts,
    /// All other fields.
    rest: Fields,
}

/// Reads the postcodes straight into the parts of a job, because as JSON values they would take
/// many times their size. Reports an item that is not a text, with its index.
fn posted(bytes: &[u8]) -> Result<Posted, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        postcodes: Texts,
        priority: Option<Scalar>,
        run_at: Option<Scalar>,
        callback_url: Option<Scalar>,
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let body: Body = serde_json::from_slice(bytes).map_err(|error| {
        Failure::bad_request(format!(
            "The JSON of the body is not such as {{\"postcodes\":[\"SW1A 1AA\"]}}: {error}"
        ))
    })?;
    let Body { postcodes, priority, run_at, callback_url } = body;
    let asked = [("priority", priority), ("run_at", run_at), ("callback_url", callback_url)];
    let rest = asked.into_iter().filter_map(|(name, value)| Some((name, value?.0))).collect();
    Ok(Posted { postcodes, rest })
}

/// A text or a number. An array or object is refused at its beginning, because its values would take many times its size
/// in memory.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures::FutureExt;

    use super::*;

    #[test]
    fn body_of_empty_texts_takes_no_more_memory_than_its_size() {
        let body = format!("{{\"postcodes\":[{}\"\"]}}", "\"\",".repeat(2_000_000));
        let Posted { postcodes, .. } = posted(body.as_bytes()).unwrap();
        assert_eq!(postcodes.rows(), 2_000_001);
        assert!(postcodes.memory() < body.len() + body.len() / 4, "{} of {}", postcodes.memory(), body.len());
    }

    #[test]
    fn option_that_is_an_array_is_refused_at_its_beginning() {
        for option in ["[[],[", "{\"a\":", "true"] {
            // The text ends there, so an error about its end would be of a reader that has gone on.
            let body = format!("{{\"postcodes\":[],\"priority\":{option}");
            let response = posted(body.as_bytes()).err().unwrap().respond(None);
            let body = to_bytes(response.into_body(), usize::MAX).now_or_never().unwrap().unwrap();
            let text = String::from_utf8_lossy(&body);
            assert!(text.contains("expected a text or a number"), "{option}: {text}");
        }
        let Posted { rest, .. } = posted(b"{\"postcodes\":[],\"priority\":3,\"run_at\":null}").unwrap();
        assert_eq!(rest, BTreeMap::from([("priority", "3".to_owned())]));
    }

    #[test]
    fn texts_become_lines_of_json_in_parts() {
        let texts: Vec<String> = (0..4_100).map(|n| format!("M1 1A{n}\n\u{2028}\"é")).collect();
        let body = serde_json::json!({ "postcodes": texts, "priority": 3 }).to_string();
        let Posted { postcodes, rest } = posted(body.as_bytes()).unwrap();
        assert_eq!(rest["priority"], "3");
        let lines: Vec<String> = postcodes
            .into_parts()
            .flat_map(|(rows, input)| {
                let lines: Vec<String> = input
                    .split(|byte| *byte == b'\n')
                    .filter(|line| !line.is_empty())
                    .map(|line| serde_json::from_slice(line).unwrap())
                    .collect();
                assert_eq!(rows, lines.len() as i64);
                lines
            })
            .collect();
        assert_eq!(lines, texts);
    }
}
