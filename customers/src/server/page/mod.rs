//! The web page for accounts, and the routes that only it needs.
//!
//! Plain files, compiled in. There is no build step, and the content policy allows nothing from
//! elsewhere. `plain` is the pages for browsers without JavaScript.

mod plain;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use postcode_core::Postcode;
use serde::{Deserialize, Serialize};

use super::App;
use super::problem::Problem;
use super::query::{self, Asked};
use super::served::served;
use super::sign_in;
use crate::{AddressCheck, AddressOffer, AddressStatus, Customers, Error, FieldError, Map};

/// The default number of completions.
const COMPLETIONS: usize = 8;
/// The default radius of a map in metres.
const RADIUS: f64 = 500.0;

/// Returns the routes of the page.
///
/// | | | |
/// |---|---|---|
/// | `GET /` | | the page |
/// | `GET /postcodes?prefix=SW1A1&limit=8` | `limit` 1 to 20 | `{"items":["SW1A 1AA",…]}` |
/// | `GET /postcodes/{postcode}` | | the lookup's answer now |
/// | `GET /postcodes/{postcode}/addresses?skip=&limit=` | `limit` 1 to 100 | the addresses to choose from |
/// | `GET /list`, `/new`, `/edit/{id}`, `/account/{id}`, `/import` | | the pages without JavaScript |
/// | `GET /postcodes/{postcode}/map?radius=500` | metres, 100 to 5000 | the postcodes around it |
pub(super) fn routes() -> Router<App> {
    let file = |kind: &'static str, text: &'static str| get(async move || served(kind, text));
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("index.html")))
        .route("/page.css", file("text/css; charset=utf-8", include_str!("page.css")))
        .route("/page.js", file("text/javascript; charset=utf-8", include_str!("page.js")))
        .route("/sign-in.js", file("text/javascript; charset=utf-8", sign_in::SCRIPT))
        .route("/map.js", file("text/javascript; charset=utf-8", include_str!("map.js")))
        .route("/postcodes", get(complete))
        .route("/postcodes/{postcode}", get(look_up))
        .route("/postcodes/{postcode}/map", get(map))
        .route("/postcodes/{postcode}/addresses", get(offer))
        .merge(plain::routes())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Completion {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    limit: String,
}

#[derive(Serialize)]
struct Completions {
    items: Vec<Postcode>,
}

async fn complete(State(app): State<App>, query: Asked<Completion>) -> Result<Json<Completions>, Problem> {
    let Query(Completion { prefix, limit }) = query.map_err(query::refused)?;
    let limit = query::number("limit", &limit, COMPLETIONS)?;
    Ok(Json(Completions { items: app.customers.complete(&prefix, limit).await? }))
}

#[derive(Serialize)]
struct LookedUp {
    postcode: Postcode,
    #[serde(flatten)]
    check: AddressCheck,
    /// About a postcode that the data does not cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

async fn look_up(State(app): State<App>, path: Named) -> Result<Json<LookedUp>, Problem> {
    let postcode = postcode(path)?;
    let check = app.customers.look_up(postcode).await?;
    let advice = match check.status {
        AddressStatus::NotCovered => app.customers.advice(postcode).await,
        _ => None,
    };
    Ok(Json(LookedUp { postcode, check, advice }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extent {
    #[serde(default)]
    radius: String,
}

async fn map(State(app): State<App>, path: Named, query: Asked<Extent>) -> Result<Json<Map>, Problem> {
    let Query(Extent { radius }) = query.map_err(query::refused)?;
    let postcode = postcode(path)?;
    let radius = query::number("radius", &radius, RADIUS)?;
    let map = app.customers.map(postcode, radius).await?;
    map.map(Json).ok_or_else(|| Problem::no_map(postcode))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paged {
    #[serde(default)]
    skip: String,
    #[serde(default)]
    limit: String,
}

async fn offer(
    State(app): State<App>,
    path: Named,
    query: Asked<Paged>,
) -> Result<Json<AddressOffer>, Problem> {
    let Query(Paged { skip, limit }) = query.map_err(query::refused)?;
    let postcode = postcode(path)?;
    let (skip, limit) =
        (query::number("skip", &skip, 0)?, query::number("limit", &limit, Customers::MAX_OFFERED)?);
    Ok(Json(app.customers.offer(postcode, skip, limit).await?))
}

/// The value in a path, which may be invalid UTF-8.
type Named = Result<Path<String>, PathRejection>;

fn postcode(path: Named) -> Result<Postcode, Problem> {
    let wrong = |rejection: PathRejection| Error::Listing(format!("a postcode: {}", rejection.body_text()));
    let Path(text) = path.map_err(wrong)?;
    text.parse::<Postcode>().map_err(|error| {
        let problem = Problem::from(Error::Listing(format!("a postcode of {text:?}: {error}")));
        let suggestion = error.suggestion().map(|suggestion| suggestion.to_string());
        problem.about(FieldError { field: "postcode".to_owned(), message: error.to_string(), suggestion })
    })
}
