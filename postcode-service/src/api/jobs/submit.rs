//! `POST /jobs`: rows come in.

use postcode_core::wire::path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use bytes::Bytes;
use futures::StreamExt;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::super::App;
use super::super::enrich::{Kind, coding, limited, plan};
use super::super::failure::{Failure, Outcome};
use super::super::own_time::{OwnTime, UPLOAD};
use super::super::params::Params;
use super::caller::{MAX_KEY, address, no_such_job, tenant, word};
use super::json::Fields;
use super::room::place;
use super::{json, view};
use crate::enrich::{Format, decoded, short};
use crate::jobs::job::{NewJob, PRIORITIES, USUAL_PRIORITY, now};
use crate::jobs::store::Submitted;
use crate::jobs::submission;

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

    fn of(params: &Params, body: &mut Fields) -> Result<Self, Failure> {
        let mut asked = Self::default();
        for name in Self::NAMES {
            let in_body = body.remove(name);
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
        whose: Whose,
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
            if !callbacks.signs_for(&whose.tenant) {
                return Err(wrong("this server has no secret to sign your callbacks with"));
            }
            callbacks.check(url).map_err(|why| wrong(&why))?;
        }
        let (id, key, Whose { tenant, address }) = (submission::id(), key.cloned(), whose);
        Ok(NewJob { id, tenant, address, format, priority, run_at, callback_url: self.callback_url, key })
    }
}

/// By what the open jobs of a client are counted.
struct Whose {
    tenant: String,
    address: Option<String>,
}

pub(super) async fn submit(
    State(app): State<App>,
    params: Params,
    time: OwnTime,
    request: Request,
) -> Outcome {
    let counts_all = app.jobs.limits().open_jobs_of_address.is_some();
    let address = address(request.extensions(), counts_all);
    let whose = Whose { tenant: tenant(request.headers())?, address };
    let key = word(request.headers(), KEY, MAX_KEY)?;
    let place = place(app.jobs.uploads(), params.client(), "uploads")?;
    let is_json = json::is_json(request.headers())?;
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
            let asked = Asked::of(&params, &mut Fields::new())?;
            asked.digest(&mut asked_by);
            let job = asked.job(&app, whose, kind.format.name(), key.as_ref())?;
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
            let json::Read { postcodes, mut rest, hashed, _memory } =
                json::read(&app, params.client(), request, &place, asked_by).await?;
            let mut asked_by = hashed;
            let asked = Asked::of(&params, &mut rest)?;
            asked.digest(&mut asked_by);
            let job = asked.job(&app, whose, "postcodes", key.as_ref())?;
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

/// Adds JSON to the content types that `/enrich` names in this error.
fn also_json(failure: Failure) -> Failure {
    failure.advise("A job takes text/csv, application/x-ndjson, or application/json with {\"postcodes\":[…]}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_parameters_has_no_meaning() {
        assert_eq!(meaning("b=2&priority=3&a=1"), meaning("a=1&b=2"));
        assert_ne!(meaning("a=1"), meaning("a=2"));
    }
}
