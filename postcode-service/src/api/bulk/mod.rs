//! `/postcodes` itself: bulk lookup and bulk reverse geocoding by POST, search and reverse
//! geocoding by GET.

mod beside;
pub(super) mod body;
mod form;
mod geolocations;
mod surrogates;
mod values;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use postcode_core::wire::compact::{CompactItem, CompactNeighbours};
use postcode_core::wire::{BulkItem, Field, FilteredView, HasRecords, RecordText, RecordView, Shape, path};
use postcode_core::{Answer, Nearest, Postcode, PostcodeLookup};
use serde::Serialize;
use serde_json::{Map, Value};

use super::compact::{CompactResult, varying};
use super::failure::{Failure, Outcome};
use super::params::Params;
use super::reply::{ResultList, not_written};
use super::syntax::{Reading, read};
use super::view::View;
use super::{App, Edition, nearest, search};

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::POSTCODES, get(query).post(post)).merge(beside::routes())
}

async fn query(State(app): State<App>, params: Params) -> Outcome {
    let edition = app.edition();
    match nearest::of_params(&edition, &params, app.limits).await {
        Some(outcome) => outcome,
        None => search::search(&edition, &params).await,
    }
}

async fn post(State(app): State<App>, params: Params, request: Request) -> Outcome {
    let mut body = body::read(request, app.limits).await?;
    let max = app.limits.max_batch;
    let edition = app.edition();
    if let Some(postcodes) = body::take(&mut body, "postcodes") {
        postcodes_of(&edition, &params, body::list(postcodes, "postcodes", max)?).await
    } else if let Some(geolocations) = body::take(&mut body, "geolocations") {
        geolocations_of(&app, &edition, &params, body::list(geolocations, "locations", max)?).await
    } else {
        Err(Failure::bad_request(body::NO_QUERY))
    }
}

/// An item of a bulk answer, filtered or not.
enum Item<'a> {
    Whole(BulkItem<RecordView<'a>>),
    Filtered(Filtered<'a>),
}

#[derive(Serialize)]
struct Filtered<'a> {
    query: &'a str,
    result: Option<FilteredView<'a>>,
}

impl HasRecords for Item<'_> {
    fn write(&self, text: &mut RecordText) -> serde_json::Result<()> {
        match self {
            Self::Whole(item) => item.write(text),
            Self::Filtered(item) => text.value(item),
        }
    }
}

async fn postcodes_of(edition: &Edition, params: &Params, entries: Vec<Value>) -> Outcome {
    // Drop everything but strings, as postcodes.io does.
    let texts: Vec<&str> = entries.iter().filter_map(Value::as_str).collect();
    let wanted = Wanted::of(params);
    let read = Read::new(texts, wanted.view.shape);
    let answers = edition.lookup.lookup(&read.postcodes).await?;
    if params.wants_compact() {
        let mut list = CompactResult::new();
        for (query, answer) in read.answers(&answers) {
            list.push(&CompactItem { query, answer }).await?;
        }
        return list.finish(edition);
    }
    let mut list = ResultList::new();
    for item in read.items(&answers, &wanted) {
        list.push(&item)?;
        list.give_turn().await;
    }
    list.finish(edition).map(varying)
}

#[cfg(feature = "jobs")]
/// Writes the items of a bulk answer as lines.
///
/// # Errors
/// Fails if the lookup fails.
pub(crate) async fn lines(
    lookup: &dyn PostcodeLookup,
    query: &str,
    texts: &[String],
) -> Result<Vec<u8>, postcode_core::Error> {
    let wanted = Wanted::of(&Params::parse(Some(query)));
    let mut out = RecordText::of_many(Vec::with_capacity(texts.len() * 1024));
    for texts in texts.chunks(LINES_AT_ONCE) {
        let read = Read::new(texts.iter().map(String::as_str).collect(), wanted.view.shape);
        let answers = lookup.lookup(&read.postcodes).await?;
        for item in read.items(&answers, &wanted) {
            item.write(&mut out).map_err(|e| {
                let text = "an answer could not be written";
                postcode_core::Error::new(postcode_core::ErrorKind::Internal, text).with_source(e)
            })?;
            out.raw("\n");
        }
    }
    Ok(out.into_bytes())
}

#[cfg(feature = "jobs")]
/// Looked up in one call, of many lines.
const LINES_AT_ONCE: usize = 1_000;

/// How the items are to look.
struct Wanted {
    view: View,
    filter: Option<Vec<Field>>,
}

impl Wanted {
    fn of(params: &Params) -> Self {
        let view = View::of(params);
        let filter = params.filter().filter(|_| view.shape == Shape::Compatible);
        Self { view, filter }
    }
}

/// Texts, and the postcodes among them.
struct Read<'a> {
    texts: Vec<(&'a str, Reading)>,
    postcodes: Vec<Postcode>,
}

impl<'a> Read<'a> {
    fn new(texts: Vec<&'a str>, shape: Shape) -> Self {
        let texts: Vec<_> = texts.into_iter().map(|text| (text, read(text, shape))).collect();
        let postcode = |(_, reading): &(_, Reading)| match reading {
            Reading::Postcode(postcode) => Some(*postcode),
            _ => None,
        };
        let postcodes = texts.iter().filter_map(postcode).collect();
        Self { texts, postcodes }
    }

    /// Each text with its answer; `None` if it is not a postcode.
    fn answers<'b>(&'b self, answers: &'b [Answer]) -> impl Iterator<Item = (&'b str, Option<&'b Answer>)> {
        let mut answers = answers.iter();
        self.texts.iter().map(move |&(query, reading)| {
            let answer = match reading {
                Reading::Postcode(_) => answers.next(),
                Reading::NoSuch => Some(&Answer::Unknown),
                Reading::Invalid(_) => None,
            };
            (query, answer)
        })
    }

    fn items<'b>(&'b self, answers: &'b [Answer], wanted: &'b Wanted) -> impl Iterator<Item = Item<'b>> {
        self.answers(answers).map(move |(query, answer)| match &wanted.filter {
            None => {
                let mut item = BulkItem::new(query, answer, wanted.view.shape);
                item.result = item.result.map(|record| record.only(wanted.view.only()));
                Item::Whole(item)
            }
            Some(fields) => {
                let record = answer.filter(|answer| answer.is_live()).and_then(Answer::record);
                let result = record.map(|record| FilteredView::new(record, fields));
                Item::Filtered(Filtered { query, result })
            }
        })
    }
}

/// The neighbours of one location.
struct Located<'a> {
    query: &'a Map<String, Value>,
    found: &'a [postcode_core::Neighbour],
    filter: Option<&'a [Field]>,
    view: &'a View,
}

impl HasRecords for Located<'_> {
    fn write(&self, text: &mut RecordText) -> serde_json::Result<()> {
        text.raw("{\"query\":");
        text.value(self.query)?;
        text.raw(",\"result\":");
        match self.filter {
            _ if self.found.is_empty() => text.raw("null"),
            None => text.list(self.found.iter().map(|it| self.view.neighbour(it)))?,
            // The distance can't be asked for, and so is dropped.
            Some(fields) => {
                let views: Vec<_> =
                    self.found.iter().map(|it| FilteredView::new(&it.record, fields)).collect();
                text.value(&views)?;
            }
        }
        text.raw("}");
        Ok(())
    }
}

/// The most bytes that a postcode takes in an answer.
const BYTES_OF_A_POSTCODE: u64 = 2 << 10;

async fn geolocations_of(app: &App, edition: &Edition, params: &Params, entries: Vec<Value>) -> Outcome {
    let limits = app.limits;
    let (view, filter) = (View::of(params), params.filter());
    let (shape, filter) = (view.shape, filter.filter(|_| view.shape == Shape::Compatible));
    let defaults = geolocations::defaults(params);
    // All are checked before any is answered: one that makes no sense fails the request.
    let queries = entries
        .into_iter()
        .map(|entry| geolocations::read(entry, &defaults, shape, limits))
        .collect::<Result<Vec<_>, Failure>>()?;
    let asked = queries.iter().flat_map(|(_, query)| query).map(|query| query.limit);
    let asked = asked.fold(0, usize::saturating_add);
    let most = limits.max_records;
    if asked > most {
        let text = format!(
            "Too many postcodes asked for: these {} locations ask for up to {asked}, and this server gives up to {most} in \
             one answer. Give a smaller limit, or fewer locations",
            queries.len()
        );
        return Err(Failure::bad_request(text));
    }
    let reserved = app.answers.reserve(BYTES_OF_A_POSTCODE.saturating_mul(asked as u64))?;
    let mut answer = geolocations_found(edition, params, &queries, &view, filter.as_deref()).await?;
    answer.extensions_mut().insert(reserved);
    Ok(answer)
}

async fn geolocations_found(
    edition: &Edition,
    params: &Params,
    queries: &[(Map<String, Value>, Option<Nearest>)],
    view: &View,
    filter: Option<&[Field]>,
) -> Outcome {
    if params.wants_compact() {
        let mut answers = Vec::with_capacity(queries.len());
        for (query, nearest) in queries {
            let found = nearest::neighbours(edition, *nearest).await?;
            answers.push((serde_json::to_string(query).map_err(not_written)?, found));
            tokio::task::yield_now().await;
        }
        let mut list = CompactResult::new();
        for (query, found) in &answers {
            list.push(&CompactNeighbours { query, found }).await?;
        }
        return list.finish(edition);
    }
    let mut list = ResultList::new();
    for (query, nearest) in queries {
        let found = nearest::neighbours(edition, *nearest).await?;
        list.push(&Located { query, found: &found, filter, view })?;
        // Each is up to a millisecond's work: others have a turn after it, and the deadline.
        tokio::task::yield_now().await;
    }
    list.finish(edition).map(varying)
}
