//! The query parameters of listings: filters and cursors.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::pieces::Asker;
use super::query::{Asked, refused, wrong};
use super::{Answer, App};
use crate::{Cursor, Customer, Filter};

/// The default number of customers on a page.
const PAGE: usize = 50;
/// The default radius in metres.
const RADIUS: f64 = 1_000.0;

/// The query of a history page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    #[serde(default)]
    limit: String,
    #[serde(default)]
    cursor: String,
}

impl Paging {
    pub(super) fn limit(&self) -> Answer<usize> {
        limit(&self.limit)
    }

    pub(super) fn cursor(&self) -> Answer<Option<Cursor>> {
        cursor(&self.cursor)
    }
}

/// The query of a page of customers. An empty parameter counts as absent. An unknown one is
/// refused: ignoring it would list customers that were not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listing {
    pub(super) limit: String,
    pub(super) cursor: String,
    pub(super) q: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) postcode: String,
    pub(super) outcode: String,
    pub(super) district: String,
    pub(super) status: String,
    pub(super) near: String,
    pub(super) radius: String,
    pub(super) updated_since: String,
    pub(super) deleted: String,
    pub(super) sort: String,
    pub(super) total: String,
}

/// A customer in a listing.
#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    customer: Customer,
    /// The distance in metres, to the decimetre, because a postcode's location is no more exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_m: Option<f64>,
}

#[derive(Serialize)]
struct Items {
    items: Vec<Item>,
    next_cursor: Option<String>,
    /// How many match, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    /// Whether there are no more than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_exact: Option<bool>,
}

pub(super) async fn list(State(app): State<App>, asker: Asker, query: Asked<Listing>) -> Answer<Response> {
    let Query(listing) = query.map_err(refused)?;
    let (limit, from) = listing.paging()?;
    let counts = yes("total", &listing.total)?;
    let filter = listing.filter()?;
    let _turn = app.listing_turn(asker).await?;
    let page = app.customers.search(&filter, limit, from).await?;
    let total = if counts { Some(app.customers.count(&filter).await?) } else { None };
    let mut distances = page.distances.into_iter().map(|metres| (metres * 10.0).round() / 10.0);
    let items =
        page.items.into_iter().map(|customer| Item { customer, distance_m: distances.next() }).collect();
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    let (total, total_exact) = (total.map(|total| total.count), total.map(|total| total.exact));
    Ok(Json(Items { items, next_cursor, total, total_exact }).into_response())
}

impl Listing {
    /// Returns the limit and the cursor.
    pub(super) fn paging(&self) -> Answer<(usize, Option<Cursor>)> {
        Ok((limit(&self.limit)?, cursor(&self.cursor)?))
    }

    pub(super) fn filter(self) -> Answer<Filter> {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let radius = parsed::<f64>("radius", &self.radius)?;
        let near = parsed("near", &self.near)?;
        if radius.is_some() && near.is_none() {
            return Err(wrong("radius: needs a postcode to search around: give near=POSTCODE too".into()));
        }
        Ok(Filter {
            deleted: yes("deleted", &self.deleted)?,
            sort: parsed("sort", &self.sort)?.unwrap_or_default(),
            outcode: parsed("outcode", &self.outcode)?,
            status: parsed("status", &self.status)?,
            updated_since: parsed("updated_since", &self.updated_since)?,
            near: near.map(|postcode| (postcode, radius.unwrap_or(RADIUS))),
            text: some(self.q),
            name: some(self.name),
            email: some(self.email),
            postcode: some(self.postcode),
            district: some(self.district),
        })
    }
}

fn yes(name: &str, text: &str) -> Answer<bool> {
    match text {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        other => Err(wrong(format!("{name}: {other:?}: give true or false"))),
    }
}

/// Parses a parameter whose type explains its errors.
fn parsed<T>(name: &str, text: &str) -> Answer<Option<T>>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    if text.is_empty() {
        return Ok(None);
    }
    let shown: String = text.chars().take(40).collect();
    text.parse().map(Some).map_err(|error| wrong(format!("{name}: {shown:?}: {error}")))
}

fn limit(text: &str) -> Answer<usize> {
    match text {
        "" => Ok(PAGE),
        // A number too large for the type gets the same error as one too large for a page.
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Ok(digits.parse().unwrap_or(usize::MAX)),
        other => Err(wrong(format!("a limit of {other:?}: give a number"))),
    }
}

fn cursor(text: &str) -> Answer<Option<Cursor>> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|error| wrong(format!("a cursor of {text:?}: {error}"))),
    }
}
