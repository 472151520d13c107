//! `POST /jobs`: rows come in.

use postcode_core::wire::path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use bytes::Bytes;
use futures::StreamExt;
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Body as _;
use postcode_edge::{MediaType, Place};
use postcode_tables::packed::Packing;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::super::App;
use super::super::bulk::body;
use super::super::enrich::{Kind, coding, limited, plan};
use super::super::failure::{Failure, Outcome};
use super::super::own_time::{OwnTime, UPLOAD};
use super::super::params::Params;
use super::caller::{MAX_KEY, no_such_job, tenant, word};
use super::room::{memory, place};
use super::view;
use crate::enrich::{Format, decoded, short};
use crate::jobs::job::{NewJob, PRIORITIES, USUAL_PRIORITY, now};
use crate::jobs::store::Submitted;
use crate::jobs::submission::{self, Texts};

/// Bytes of a body in JSON, which is read whole.
const MAX_JSON: usize = 16 << 20;
/// How long it may take.
const JSON_TIME: Duration = Duration::from_secs(120);
const JSON: &str = "application/json";
/// The header that identifies a repeated request.
const KEY: &str = "idempotency-key";

/// The options of a job, without its rows.
#[derive(Debug, Default)]
struct Asked {
    priority: Option<String>,
    run_at: Option<String>,
    callback_url: Option<String>,
}

impl Asked {
    const NAMES: [&str; 3] = ["priority", "run_at", "callback_url"];

    fn of(params: &Params, body: &mut Map<String, Value>) -> Result<Self, Failure> {
        let mut asked = Self::default();
        for name in Self::NAMES {
            let in_body = match body.remove(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(_) => {
                    return Err(Failure::bad_request(format!("{name} is neither a text nor a number")));
                }
            };
            let in_query = params.get(name).map(String::from);
            if in_body.is_some() && in_query.is_some() {
                return Err(Failure::bad_request(format!(
                    "{name} is given in the body and in the query: give it once"
                )));
            }
            *asked.slot(name) = in_body.or(in_query);
        }
        Ok(asked)
    }

    /// Adds the options to a digest.
    fn digest(&self, digest: &mut Sha256) {
        for option in [&self.priority, &self.run_at, &self.callback_url] {
            digest.update([u8::from(option.is_some())]);
            digest.update(option.as_deref().unwrap_or_default());
            digest.update([0]);
        }
    }

    fn slot(&mut self, name: &str) -> &mut Option<String> {
        match name {
            "priority" => &mut self.priority,
            "run_at" => &mut self.run_at,
            _ => &mut self.callback_url,
        }
    }

    fn job(
        self,
        app: &App,
        tenant: String,
        format: &'static str,
        key: Option<&String>,
    ) -> Result<NewJob, Failure> {
        let priority = self.priority.as_deref().map_or(Ok(USUAL_PRIORITY), |text| {
            let number = text.parse::<i64>().ok().filter(|number| PRIORITIES.contains(number));
            let wrong = || format!("priority: {} is not a number from 0 to 9", short(text));
            number.ok_or_else(|| Failure::bad_request(wrong()))
        })?;
        let run_at = match &self.run_at {
            None => now(),
            Some(text) => {
                let wrong = |why: String| Failure::bad_request(format!("run_at: {} {why}", short(text)));
                let time = text.parse::<jiff::Timestamp>();
                let time = time.map_err(|_| wrong("is not a time: write 2026-01-31T06:00:00Z".to_owned()))?;
                let ahead = app.jobs.limits().ahead;
                let last = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX).saturating_add(now());
                if time.as_millisecond() > last {
                    let ahead = humantime::format_duration(ahead);
                    return Err(wrong(format!("is later than {ahead} from now")));
                }
                time.as_millisecond().max(now())
            }
        };
        if let Some(url) = &self.callback_url {
            let wrong = |why: &str| {
                Failure::bad_request(format!("callback_url: {} can't be called: {why}", short(url)))
            };
            let callbacks = app.jobs.callbacks();
            let callbacks =
                callbacks.ok_or_else(|| wrong("this server has no secret to sign callbacks with"))?;
            if !callbacks.signs_for(&tenant) {
                return Err(wrong("this server has no secret to sign your callbacks with"));
            }
            callbacks.check(url).map_err(|why| wrong(&why))?;
        }
        let (id, key) = (submission::id(), key.cloned());
        Ok(NewJob { id, tenant, format, priority, run_at, callback_url: self.callback_url, key })
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    params: Params,
    time: OwnTime,
    request: Request,
) -> Outcome {
    let tenant = tenant(request.headers())?;
    let key = word(request.headers(), KEY, MAX_KEY)?;
    let place = place(app.jobs.uploads(), params.client(), "uploads")?;
    let is_json = is_json(request.headers())?;
    let kind = if is_json { None } else { Some(Kind::of(request.headers()).map_err(also_json)?) };
    let coding = coding(request.headers())?;
    let store = app.jobs.store().await?;
    time.allow(UPLOAD);
    // Compared if the key is used again: what the request means, however it is written.
    let mut asked_by = Sha256::new();
    asked_by.update(meaning(request.uri().query().unwrap_or_default()));
    asked_by.update([0, u8::from(is_json), u8::from(kind.is_some_and(|kind| kind.format == Format::Csv))]);
    let (job, submitted) = match kind {
        Some(kind) => {
            let edition = app.edition();
            let (plan, left_out) = plan(kind, &params, app.jobs.limits().upload, edition.info())?;
            let asked = Asked::of(&params, &mut Map::new())?;
            asked.digest(&mut asked_by);
            let job = asked.job(&app, tenant, kind.format.name(), key.as_ref())?;
            let seen = Arc::new(Mutex::new(asked_by));
            let hash = seen.clone();
            let rows = limited(request.into_body().into_data_stream(), app.jobs.limits().upload);
            let rows = place.counted(rows).map(|bytes| bytes.map_err(std::io::Error::other));
            let rows = decoded(rows.boxed(), coding);
            let rows = rows.inspect(move |bytes: &std::io::Result<Bytes>| {
                if let Ok(bytes) = bytes {
                    hash.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
                }
            });
            let key = move || {
                let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
                key.map(|key| (key, hex(&seen.finalize())))
            };
            let notes = left_out.into_iter().collect();
            let submitted = submission::file(&app.jobs, &store, &job, plan, notes, rows, key).await?;
            (job, submitted)
        }
        None => {
            let announced = request.body().size_hint().upper().filter(|_| coding == Packing::Plain);
            let bytes = announced.unwrap_or(u64::MAX).min(MAX_JSON as u64) as u32;
            let _memory = memory(app.jobs.json_bytes(), bytes)?;
            let late = |_| Failure::bad_request("The body came too slowly: send it faster, or less of it");
            let request = counted(request, &place);
            let bytes =
                tokio::time::timeout(JSON_TIME, body::whole(request, MAX_JSON)).await.map_err(late)??;
            let Posted { postcodes, mut rest } = posted(&bytes)?;
            drop(bytes);
            postcodes.lines().for_each(|lines| asked_by.update(lines));
            let asked = Asked::of(&params, &mut rest)?;
            asked.digest(&mut asked_by);
            let job = asked.job(&app, tenant, "postcodes", key.as_ref())?;
            let key = key.map(|key| (key, hex(&asked_by.finalize())));
            let query = params.only(&["extended", "filter"]);
            let submitted = submission::postcodes(&app.jobs, &store, &job, query, postcodes, key).await?;
            (job, submitted)
        }
    };
    let id = match submitted {
        Submitted::New => {
            app.jobs.changed(&job.id);
            job.id
        }
        Submitted::Same(id) => id,
        Submitted::Other => {
            let text = "The Idempotency-Key was used for another request: give each request its own";
            return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, text, "idempotency_key_reused"));
        }
    };
    let job = store.job(&job.tenant, &id).await?.ok_or_else(no_such_job)?;
    let mut response = view::accepted(view::of(&app, &*store, &job).await?)?;
    if let Ok(location) = HeaderValue::try_from(path::filled(path::JOB, &[&id])) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Returns the parameters of a query in a fixed order, without those that may be in the body too.
fn meaning(query: &str) -> String {
    let asked = |pair: &&str| !Asked::NAMES.contains(&pair.split('=').next().unwrap_or_default());
    let mut pairs: Vec<&str> = query.split('&').filter(asked).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// Returns the request with a body whose bytes are counted for its place. Keeps its announced
/// length.
fn counted(request: Request, place: &Arc<Place>) -> Request {
    if request.body().size_hint().lower() > MAX_JSON as u64 {
        return request;
    }
    request.map(|body| Body::from_stream(place.counted(body.into_data_stream())))
}

fn is_json(headers: &HeaderMap) -> Result<bool, Failure> {
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

/// Adds JSON to the content types that `/enrich` names in this error.
fn also_json(failure: Failure) -> Failure {
    failure.advise("A job takes text/csv, application/x-ndjson, or application/json with {\"postcodes\":[…]}")
}

/// A body in JSON.
struct Posted {
    postcodes: Texts,
    /// All other fields.
    rest: Map<String, Value>,
}

/// Reads the postcodes straight into the parts of a job, because as JSON values they would take
/// many times their size. Reports an item that is not a text, with its index.
fn posted(bytes: &[u8]) -> Result<Posted, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        postcodes: Texts,
        priority: Option<Value>,
        run_at: Option<Value>,
        callback_url: Option<Value>,
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let body: Body = serde_json::from_slice(bytes).map_err(|error| {
        Failure::bad_request(format!(
            "The JSON of the body is not such as {{\"postcodes\":[\"SW1A 1AA\"]}}: {error}"
        ))
    })?;
    let Body { postcodes, priority, run_at, callback_url } = body;
    let asked = [("priority", priority), ("run_at", run_at), ("callback_url", callback_url)];
    let rest = asked.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Ok(Posted { postcodes, rest })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_of_empty_texts_takes_no_more_memory_than_its_size() {
        let body = format!("{{\"postcodes\":[{}\"\"]}}", "\"\",".repeat(2_000_000));
        let Posted { postcodes, .. } = posted(body.as_bytes()).unwrap();
        assert_eq!(postcodes.rows(), 2_000_001);
        assert!(postcodes.memory() < body.len() + body.len() / 4, "{} of {}", postcodes.memory(), body.len());
    }

    #[test]
    fn order_of_parameters_has_no_meaning() {
        assert_eq!(meaning("b=2&priority=3&a=1"), meaning("a=1&b=2"));
        assert_ne!(meaning("a=1"), meaning("a=2"));
    }

    #[test]
    fn texts_become_lines_of_json_in_parts() {
        let texts: Vec<String> = (0..4_100).map(|n| format!("M1 1A{n}\n\u{2028}\"é")).collect();
        let body = serde_json::json!({ "postcodes": texts, "priority": 3 }).to_string();
        let Posted { postcodes, rest } = posted(body.as_bytes()).unwrap();
        assert_eq!(rest["priority"], 3);
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
