//! `/bulk/…`: bulk versions of routes that postcodes.io has for one text only.

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::post;
use postcode_core::wire::{RecordView, Shape, TerminatedBody, path};
use postcode_core::{Outcode, OutcodeSummary, Postcode, PostcodeLookupExt};
use serde::Serialize;
use serde_json::Value;

use super::body::{self, list, take};
use crate::api::failure::{Failure, Outcome};
use crate::api::params::Params;
use crate::api::reply::ResultList;
use crate::api::validate::Verdict;
use crate::api::view::View;
use crate::api::{App, Edition};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::BULK_VALIDATE, post(validate))
        .route(path::BULK_TERMINATED, post(terminated))
        .route(path::BULK_OUTCODES, post(outcodes))
}

#[derive(Serialize)]
struct Item<'a, T> {
    query: &'a str,
    result: T,
}

/// Reads the texts under a key. Unlike postcodes.io it reports an item that is not a text.
async fn read(app: &App, request: Request, key: &str) -> Result<Vec<String>, Failure> {
    let mut body = body::read(request, app.limits).await?;
    let Some(value) = take(&mut body, key) else {
        let text =
            format!("Invalid JSON query submitted. Send an object with an array of texts, {{\"{key}\":[…]}}");
        return Err(Failure::bad_request(text));
    };
    let text = |(n, value)| match value {
        Value::String(text) => Ok(text),
        other => {
            let what = match other {
                Value::Null => "null",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                Value::Array(_) => "an array",
                _ => "an object",
            };
            Err(Failure::bad_request(format!("Invalid data submitted. {key}[{n}] is {what} and not a text")))
        }
    };
    list(value, key, app.limits.max_batch)?.into_iter().enumerate().map(text).collect()
}

/// Builds a list response, and gives other tasks turns in between.
async fn listed<T: Serialize>(edition: &Edition, items: impl Iterator<Item = T>) -> Outcome {
    let mut list = ResultList::new();
    for item in items {
        list.push_value(&item)?;
        drop(item);
        list.give_turn().await;
    }
    list.finish(edition)
}

async fn validate(State(app): State<App>, request: Request) -> Outcome {
    let texts = read(&app, request, "postcodes").await?;
    let edition = app.edition();
    let queries: Vec<&str> = texts.iter().map(String::as_str).collect();
    let verdicts = edition.lookup.validate_all(&queries).await?;
    let item = |(query, validity)| Item { query, result: Verdict::from(validity) };
    listed(&edition, queries.into_iter().zip(&verdicts).map(item)).await
}

#[derive(Serialize)]
#[serde(untagged)]
enum Terminated<'a> {
    Compatible(TerminatedBody),
    Full(RecordView<'a>),
}

async fn terminated(State(app): State<App>, params: Params, request: Request) -> Outcome {
    let texts = read(&app, request, "postcodes").await?;
    let edition = app.edition();
    let view = View::of_our_own(&params);
    let read: Vec<Option<Postcode>> = texts.iter().map(|text| text.parse().ok()).collect();
    let postcodes: Vec<Postcode> = read.iter().flatten().copied().collect();
    let records = edition.lookup.terminated_all(&postcodes).await?;
    let mut records = records.iter();
    let compatible = view.shape == Shape::Compatible && view.only().is_none();
    let items = texts.iter().zip(read).map(|(query, read)| {
        let record = read.and_then(|_| records.next()?.as_ref());
        let result = record.map(|record| match compatible {
            true => Terminated::Compatible(record.into()),
            false => Terminated::Full(view.record(record)),
        });
        Item { query, result }
    });
    listed(&edition, items).await
}

async fn outcodes(State(app): State<App>, request: Request) -> Outcome {
    let texts = read(&app, request, "outcodes").await?;
    let edition = app.edition();
    let read: Vec<Option<Outcode>> = texts.iter().map(|text| text.parse().ok()).collect();
    let outcodes: Vec<Outcode> = read.iter().flatten().copied().collect();
    let mut summaries = edition.lookup.outcode_all(&outcodes).await?.into_iter();
    let items = texts.iter().zip(read).map(|(query, read)| {
        let result: Option<OutcodeSummary> = read.and_then(|_| summaries.next()?);
        Item { query, result }
    });
    listed(&edition, items).await
}
