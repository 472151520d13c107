//! Compares every answer of two sources: each postcode, outcode and place.

mod addresses;
mod sample;

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::proof::Tree;
use crate::{Error, ErrorKind};
use anyhow::{Context, Result, anyhow, bail};
use futures::stream::{self, StreamExt};
use postcode_core::dataset::Dataset;
use postcode_core::wire::{RecordView, Shape};
use postcode_core::{
    Answer, Connector, DatasetInfo, Local, Lookups, MAX_LIMIT, Outcode, Postcode, PostcodeLookupExt, Region,
    Replica, unit,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;

#[cfg(feature = "cli")]
pub(crate) use addresses::add_pages;
pub use addresses::{AddressCounts, AddressOptions, AddressSide, prove_addresses};
pub use sample::{SampleCounts, SampleOptions, sample};

/// Outcodes or places that one task asks for, one after the other.
const ONE_BY_ONE: usize = 32;

/// A source of answers.
#[derive(Clone, Debug)]
pub struct Side {
    lookup: Arc<dyn Lookups>,
    /// All postcodes that it has, if it is in this process.
    dataset: Option<Dataset>,
    info: DatasetInfo,
}

/// How much is asked for at once.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Postcodes in one call.
    pub batch: usize,
    /// Calls at once.
    pub at_once: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch: 400, at_once: 4 }
    }
}

/// The result: how much was compared and how much of it differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Postcodes, live and terminated.
    pub postcodes: u64,
    /// Outcodes.
    pub outcodes: u64,
    /// Populated places.
    pub places: u64,
    /// Postcodes, outcodes and places with different answers.
    pub different: u64,
}

impl Counts {
    fn all(&self) -> u64 {
        self.postcodes + self.outcodes + self.places
    }
}

/// A question with two different answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The postcode, the outcode or the code of the place.
    pub query: String,
    /// The fields that differ, in the names of the HTTP API.
    pub fields: Vec<Field>,
}

/// A field with two different values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// The name, such as `codes.admin_ward`.
    pub name: String,
    /// The value of the first source.
    pub one: Value,
    /// The value of the other source.
    pub other: Value,
}

/// `SW1A 1AA  quality: 1 | 3; status: "live" | "terminated"`
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8}", self.query)?;
        for (n, Field { name, one, other }) in self.fields.iter().enumerate() {
            let before = if n == 0 { "  " } else { "; " };
            write!(f, "{before}{name}: {one} | {other}")?;
        }
        Ok(())
    }
}

impl Difference {
    /// Returns the difference of two answers as texts. Long ones differ somewhere in the middle, so they are shown from
    /// just before that.
    pub(crate) fn of_texts(query: String, texts: [&str; 2]) -> Self {
        let [one, other] = texts;
        let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        let [one, other] =
            texts.map(|text| text.chars().skip(same.saturating_sub(40)).take(160).collect::<String>().into());
        Self { query, fields: vec![Field { name: "answer".to_owned(), one, other }] }
    }
}

impl Side {
    /// Opens a source by its URL. The data of a replica is what its service had at this moment.
    ///
    /// # Errors
    /// Returns the errors of [`Connector::connect`] and of [`of`](Self::of).
    pub async fn open(url: &str) -> Result<Self, Error> {
        match Self::in_process(url).await? {
            Some(side) => Ok(side),
            None => {
                let lookup = async { Connector::new(url)?.connect().await };
                Self::of(lookup.await.map_err(of_lookup)?).await
            }
        }
    }

    /// Opens a source in this process by its URL. `None` if it is a service.
    ///
    /// # Errors
    /// Returns the errors of [`open`](Self::open).
    pub async fn in_process(url: &str) -> Result<Option<Self>, Error> {
        let local = match url.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest)) {
            Some((scheme, _)) if matches!(scheme.as_str(), "embedded" | "file") => {
                Some(Local::from_url(url).map_err(of_lookup)?)
            }
            Some((scheme, service)) if scheme == "replica" => {
                Some(Local::new(Replica::start(service).await.map_err(of_lookup)?.local().dataset()))
            }
            _ => None,
        };
        match local {
            Some(local) => Self::of_local(local).await.map(Some),
            None => Ok(None),
        }
    }

    /// Uses a lookup that does not list what it has.
    ///
    /// # Errors
    /// An error if it does not tell its edition.
    pub async fn of(lookup: Arc<dyn Lookups>) -> Result<Self, Error> {
        let info = lookup.info().await.context("without an edition and counts nothing can be proved");
        let info = info.map_err(Error::of(ErrorKind::Lookup))?;
        Ok(Self { lookup, dataset: None, info })
    }

    /// Uses a dataset in this process.
    ///
    /// # Errors
    /// None at present.
    pub async fn of_local(local: Local) -> Result<Self, Error> {
        let dataset = Some(local.dataset());
        Ok(Self { dataset, ..Self::of(Arc::new(local)).await? })
    }

    /// Computes the hash of all answers. `None` if it does not list its postcodes.
    ///
    /// # Errors
    /// Returns the errors of [`Tree::build`].
    pub async fn tree(&self, at_once: usize) -> postcode_core::Result<Option<Tree>> {
        match &self.dataset {
            Some(dataset) => Ok(Some(Tree::build(self.lookup.clone(), dataset.clone(), at_once).await?)),
            None => Ok(None),
        }
    }

    /// Returns its edition and counts.
    pub fn info(&self) -> &DatasetInfo {
        &self.info
    }

    /// Returns all postcodes, live and terminated, in order; none if it does not list them.
    fn postcodes(&self) -> impl Iterator<Item = Postcode> + '_ {
        self.dataset.iter().flat_map(Dataset::iter).map(|record| record.postcode)
    }

    fn place_codes(&self) -> impl Iterator<Item = String> + '_ {
        self.dataset.iter().flat_map(Dataset::iter_places).map(|place| place.code)
    }
}

/// A part of the work.
enum Part {
    Postcodes(Vec<Postcode>),
    Outcodes(Vec<Outcode>),
    Places(Vec<String>),
}

/// The result of comparing a part.
#[derive(Default)]
struct Done {
    counts: Counts,
    /// Postcodes that each side does not have.
    missing: [u64; 2],
    differences: Vec<Difference>,
}

/// Compares all answers of two sources, of which at least one is in this process. `found` is told each
/// difference as it is found, in the order of postcodes, outcodes and places. `progress` is told the
/// counts so far, and of how many questions.
///
/// # Errors
/// An error if a source fails or its edition changes meanwhile, or if what only one has can't be
/// counted. Nothing is proved then. Also the errors of `found`.
pub async fn prove(
    sides: [Side; 2],
    options: Options,
    found: impl FnMut(&Difference) -> io::Result<()>,
    progress: impl FnMut(&Counts, u64),
) -> Result<Counts, Error> {
    compared(sides, options, found, progress).await.map_err(Error::of(ErrorKind::Lookup))
}

async fn compared(
    sides: [Side; 2],
    options: Options,
    mut found: impl FnMut(&Difference) -> io::Result<()>,
    mut progress: impl FnMut(&Counts, u64),
) -> Result<Counts> {
    if sides.iter().all(|side| side.dataset.is_none()) {
        bail!(
            "neither source lists its postcodes: give one that is in this process, as embedded:, file:PATH or replica:URL"
        );
    }
    let sides = Arc::new(sides);
    let [one, other] = &*sides;
    let total = |count: fn(&DatasetInfo) -> u64| count(&one.info).max(count(&other.info));
    let outcodes = outcodes(&sides);
    let questions =
        total(|info| info.live + info.terminated) + outcodes.len() as u64 + total(|info| info.places);

    let with_places = one.info.places > 0 && other.info.places > 0;
    let postcodes = parts(merged(one.postcodes(), other.postcodes()), options.batch).map(Part::Postcodes);
    let codes = with_places.then(|| {
        let mut codes: Vec<String> = one.place_codes().chain(other.place_codes()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    });
    let all = postcodes
        .chain(parts(outcodes.into_iter(), ONE_BY_ONE).map(Part::Outcodes))
        .chain(parts(codes.into_iter().flatten(), ONE_BY_ONE).map(Part::Places));
    let mut done = stream::iter(all)
        .map(|part| Task(tokio::spawn(compare(sides.clone(), part))))
        .map(async |mut task: Task| (&mut task.0).await)
        .buffered(options.at_once.max(1));

    let mut counts = Counts::default();
    let mut missing = [0; 2];
    while let Some(part) = done.next().await {
        let part: Done = part.context("a task of the comparison failed")??;
        counts.postcodes += part.counts.postcodes;
        counts.outcodes += part.counts.outcodes;
        counts.places += part.counts.places;
        counts.different += part.differences.len() as u64;
        missing.iter_mut().zip(part.missing).for_each(|(sum, more)| *sum += more);
        part.differences.iter().try_for_each(&mut found)?;
        progress(&counts, questions.max(counts.all()));
    }
    let mut tell = |difference: Difference| {
        counts.different += 1;
        found(&difference)
    };
    for (n, missing) in missing.into_iter().enumerate() {
        let side = &sides[n];
        // Of the outcodes asked about, the ones it has. It also reports how many it has in all.
        let known = counts.postcodes - missing;
        let more = (side.info.live + side.info.terminated).saturating_sub(known);
        if side.dataset.is_some() || more == 0 {
            continue;
        }
        let mut unlisted = more;
        for (postcode, status) in live_only_at(side, &sides[1 - n]).await? {
            unlisted = unlisted.saturating_sub(1);
            tell(presence(postcode.to_string(), n, status))?;
        }
        if unlisted > 0 {
            tell(presence(
                format!("{unlisted} more postcodes, which a service does not list"),
                n,
                "terminated",
            ))?;
        }
    }
    if one.info.places != other.info.places {
        let fields = vec![Field {
            name: "count".to_owned(),
            one: one.info.places.into(),
            other: other.info.places.into(),
        }];
        tell(Difference { query: "places".to_owned(), fields })?;
    }
    let not_covered = [one, other].map(|side| json!(side.info.not_covered));
    if not_covered[0] != not_covered[1] {
        let [one, other] = not_covered;
        let fields = vec![Field { name: "areas".to_owned(), one, other }];
        tell(Difference { query: "not covered".to_owned(), fields })?;
    }
    Ok(counts)
}

fn of_lookup(error: postcode_core::Error) -> Error {
    Error::of(ErrorKind::Lookup)(error.into())
}

/// A task that is stopped when its handle is dropped.
struct Task(JoinHandle<Result<Done>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks both sides, each at the edition that it had at the beginning.
async fn compare(sides: Arc<[Side; 2]>, part: Part) -> Result<Done> {
    let [one, other] = &*sides;
    let mut done = Done::default();
    match part {
        Part::Postcodes(postcodes) => {
            let (left, right) = tokio::try_join!(lookup(one, &postcodes), lookup(other, &postcodes))?;
            done.counts.postcodes = postcodes.len() as u64;
            for (postcode, (left, right)) in postcodes.iter().zip(left.iter().zip(&right)) {
                done.missing[0] += u64::from(left.record().is_none());
                done.missing[1] += u64::from(right.record().is_none());
                if left != right {
                    let answers = [answer_fields(left)?, answer_fields(right)?];
                    done.differences.push(difference(postcode.to_string(), answers));
                }
            }
        }
        Part::Outcodes(outcodes) => {
            for outcode in outcodes {
                let (left, right) = tokio::try_join!(
                    asked(one, outcode, one.lookup.outcode(outcode)),
                    asked(other, outcode, other.lookup.outcode(outcode))
                )?;
                done.counts.outcodes += 1;
                if left != right {
                    done.differences.push(difference(outcode.to_string(), [fields(&left)?, fields(&right)?]));
                }
            }
        }
        Part::Places(codes) => {
            for code in codes {
                let (left, right) = tokio::try_join!(
                    asked(one, &code, one.lookup.place(&code)),
                    asked(other, &code, other.lookup.place(&code))
                )?;
                done.counts.places += 1;
                if left != right {
                    done.differences.push(difference(code, [fields(&left)?, fields(&right)?]));
                }
            }
        }
    }
    Ok(done)
}

async fn lookup(side: &Side, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
    let first = postcodes.first().map(Postcode::to_string).unwrap_or_default();
    let what = format!("{} postcodes from {first} on", postcodes.len());
    let answers = asked(side, what, side.lookup.lookup(postcodes)).await?;
    if answers.len() != postcodes.len() {
        bail!("{} answers to a batch of {} postcodes from {first} on", answers.len(), postcodes.len());
    }
    Ok(answers)
}

/// Makes a call at the edition of the beginning.
async fn asked<T>(
    side: &Side,
    what: impl fmt::Display,
    call: impl Future<Output = postcode_core::Result<T>>,
) -> Result<T> {
    let answer = unit::at_edition(&side.info.fingerprint, call).await;
    answer.map_err(|error| anyhow!(error).context(format!("nothing is proved: {what}")))
}

/// Returns the fields of an answer, with its status.
fn answer_fields(answer: &Answer) -> Result<Map<String, Value>> {
    let mut all = match answer.record() {
        Some(record) => fields(&RecordView::new(record, Shape::Extended))?,
        None => Map::new(),
    };
    all.insert("status".to_owned(), answer.status().into());
    Ok(all)
}

/// Returns the fields of an object, and those of objects in it as `codes.admin_ward`.
fn fields(answer: &impl Serialize) -> Result<Map<String, Value>> {
    let mut flat = Map::new();
    match serde_json::to_value(answer)? {
        Value::Object(all) => {
            for (name, value) in all {
                match value {
                    Value::Object(inner) => {
                        flat.extend(inner.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
                    }
                    value => drop(flat.insert(name, value)),
                }
            }
        }
        value => drop(flat.insert("exists".to_owned(), json!(!value.is_null()))),
    }
    Ok(flat)
}

fn difference(query: String, [one, other]: [Map<String, Value>; 2]) -> Difference {
    let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let value = |of: &Map<String, Value>, name: &String| of.get(name).cloned().unwrap_or_default();
    let fields = names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name))
        .map(|name| Field { name: name.clone(), one: value(&one, name), other: value(&other, name) })
        .collect();
    Difference { query, fields }
}

/// Returns the difference of something that only the side with this number has.
fn presence(query: String, side: usize, status: &str) -> Difference {
    let mut values = [json!("unknown"), json!("unknown")];
    values[side] = json!(status);
    let [one, other] = values;
    Difference { query, fields: vec![Field { name: "status".to_owned(), one, other }] }
}

/// Returns the live postcodes of a service that the other side does not have.
async fn live_only_at(service: &Side, other: &Side) -> Result<Vec<(Postcode, &'static str)>> {
    let mut only = Vec::new();
    for outcode in service_outcodes(service).await? {
        let mut pages = service.lookup.pages(Region::Outcode(outcode));
        while let Some(records) = asked(service, outcode, pages.next()).await? {
            let has =
                |postcode| other.dataset.as_ref().is_some_and(|data| data.get(postcode).record().is_some());
            let live = records.into_iter().map(|record| record.postcode);
            only.extend(live.filter(|postcode| !has(*postcode)).map(|postcode| (postcode, "live")));
        }
    }
    only.sort_unstable();
    Ok(only)
}

/// Returns all outcodes of a service with live postcodes.
async fn service_outcodes(service: &Side) -> Result<Vec<Outcode>> {
    const LONGEST: usize = 4;
    let mut all = Vec::new();
    let mut open = vec![String::new()];
    while let Some(beginning) = open.pop() {
        let call = service.lookup.outcodes(&beginning, MAX_LIMIT);
        let found = asked(service, format_args!("outcodes from {beginning:?}"), call).await?;
        if found.len() < MAX_LIMIT || beginning.len() == LONGEST {
            all.extend(found);
        } else {
            open.extend(('A'..='Z').chain('0'..='9').map(|next| format!("{beginning}{next}")));
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn outcodes(sides: &[Side; 2]) -> Vec<Outcode> {
    let mut all = Vec::new();
    for side in sides {
        let mut last = None;
        for outcode in side.postcodes().map(|postcode| postcode.outcode()) {
            if last.replace(outcode) != Some(outcode) {
                all.push(outcode);
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Merges two lists in order, without duplicates.
fn merged(
    one: impl Iterator<Item = Postcode>,
    other: impl Iterator<Item = Postcode>,
) -> impl Iterator<Item = Postcode> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek().copied(), other.peek().copied()) {
        (Some(left), Some(right)) => {
            let next = left.min(right);
            one.next_if_eq(&next);
            other.next_if_eq(&next);
            Some(next)
        }
        (Some(_), None) => one.next(),
        (None, _) => other.next(),
    })
}

fn parts<T>(mut all: impl Iterator<Item = T>, size: usize) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let part: Vec<T> = all.by_ref().take(size.max(1)).collect();
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_lists_are_in_order_and_have_each_once() {
        let list =
            |texts: &[&str]| -> Vec<Postcode> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let (one, other) = (list(&["AB1 0AA", "M1 1AD", "M1 1AF"]), list(&["M1 1AD", "M1 1AE", "ZE1 0AA"]));
        let all: Vec<_> = merged(one.into_iter(), other.into_iter()).collect();
        assert_eq!(all, list(&["AB1 0AA", "M1 1AD", "M1 1AE", "M1 1AF", "ZE1 0AA"]));
        let sizes: Vec<_> = parts(all.into_iter(), 2).map(|part| part.len()).collect();
        assert_eq!(sizes, [2, 2, 1]);
    }

    #[test]
    fn difference_names_the_fields_that_differ() {
        let fields = |value: Value| fields(&value).unwrap();
        let one = fields(json!({ "a": 1, "codes": { "ward": "E1", "lsoa": "E2" }, "b": null }));
        let other = fields(json!({ "a": 1, "codes": { "ward": "E9", "lsoa": "E2" }, "b": 2 }));
        let told = difference("M1 1AD".to_owned(), [one, other]).to_string();
        assert_eq!(told, "M1 1AD    b: null | 2; codes.ward: \"E1\" | \"E9\"");
    }
}
