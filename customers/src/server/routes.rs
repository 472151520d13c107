//! The HTTP API, route by route.

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::problem::Problem;
use super::{body, imports, page};
use crate::{Customer, CustomerId, Customers, Error};

/// Customers of a page, unless the caller says how many.
const PAGE: usize = 50;

type Answer<T> = Result<T, Problem>;

/// The HTTP API over these customers, to be served by [`serve`](super::serve) or within another router.
///
/// | | | |
/// |---|---|---|
/// | `POST /customers` | `{"name","email","postcode","address_lines":[…]}` | 201, `Location`, the customer |
/// | `GET /customers?limit=&cursor=` | 50 unless `limit` says 1 to 1000 | `{"items":[…],"next_cursor":…}` |
/// | `GET /customers/{id}` | | the customer |
/// | `PUT /customers/{id}` | as `POST` | the customer |
/// | `PATCH /customers/{id}` | some of it | the customer |
/// | `DELETE /customers/{id}` | | 204 |
/// | `GET /health` | the process runs | 200 |
/// | `GET /ready` | and its database answers | 200 or 503 |
///
/// Many customers at once:
///
/// | | | |
/// |---|---|---|
/// | `POST /imports` | `text/csv`: a line of column names, and a line a customer | 202, `Location`, the import |
/// | `GET /imports` | | the last ones |
/// | `GET /imports/{id}` | | the import: how far it is |
/// | `GET /imports/{id}/report?outcome=failed` | | CSV: what became of each row, or of those |
/// | `DELETE /imports/{id}` | | the import, cancelled: accounts that it made stay |
///
/// The page for people at `/`, and what it asks for:
///
/// | | | |
/// |---|---|---|
/// | `GET /postcodes?prefix=SW1A1&limit=8` | `limit` 1 to 20 | `{"items":["SW1A 1AA",…]}`: live postcodes that begin so |
/// | `GET /postcodes/{postcode}` | | what the lookup says of it now |
/// | `GET /postcodes/{postcode}/map?radius=500` | metres, 100 to 5000 | the postcodes around it, for a map |
///
/// Errors are `application/problem+json` (RFC 9457) with a `code` that never changes: `invalid_json` and
/// `invalid_query` 400, `customer_not_found` and `not_found` 404, `method_not_allowed` 405, `request_timeout`
/// 408, `conflict` 409, `too_large` 413, `unsupported_media_type` 415, `invalid_customer` 422 (with a list
/// `errors` of `field` and `message`), `store_failed` 500, `store_busy` 503.
pub fn router(customers: Customers) -> Router {
    Router::new()
        .route("/customers", get(list).post(create))
        .route("/customers/{id}", get(read).put(replace).patch(patch).delete(delete))
        .route("/health", get(async || Json(json!({ "status": "ok" }))))
        .route("/ready", get(ready))
        .merge(imports::routes())
        .merge(page::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(customers)
}

async fn create(State(customers): State<Customers>, request: Request) -> Answer<Response> {
    let customer = customers.create(body::customer(request).await?).await?;
    let location = [(header::LOCATION, format!("/customers/{}", customer.id))];
    Ok((StatusCode::CREATED, location, Json(customer)).into_response())
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    limit: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Serialize)]
struct Items {
    items: Vec<Customer>,
    next_cursor: Option<String>,
}

async fn list(
    State(customers): State<Customers>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Answer<Json<Items>> {
    let wrong = |detail: String| Problem::from(Error::Listing(detail));
    let Query(Listing { limit, cursor }) = query.map_err(|rejection| wrong(rejection.body_text()))?;
    let limit = match limit.as_str() {
        "" => PAGE,
        // A number too large for the type is as wrong as one too large for a page.
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().unwrap_or(usize::MAX),
        other => return Err(wrong(format!("a limit of {other:?}: give a number"))),
    };
    let from = match cursor.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|error| wrong(format!("a cursor of {text:?}: {error}")))?),
    };
    let page = customers.list(limit, from).await?;
    Ok(Json(Items { items: page.items, next_cursor: page.next.map(|cursor| cursor.to_string()) }))
}

/// The customer's id in a path. What is no id is no customer's.
struct Id(CustomerId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Ok(Path(text)) = path else { return Err(Problem::no_customer("with such an id")) };
        text.parse().map(Self).map_err(|error| Problem::no_customer(&format!("{text:?}: {error}")))
    }
}

async fn read(State(customers): State<Customers>, Id(id): Id) -> Answer<Json<Customer>> {
    Ok(Json(customers.get(id).await?))
}

async fn replace(State(customers): State<Customers>, Id(id): Id, request: Request) -> Answer<Json<Customer>> {
    Ok(Json(customers.replace(id, body::customer(request).await?).await?))
}

async fn patch(State(customers): State<Customers>, Id(id): Id, request: Request) -> Answer<Json<Customer>> {
    Ok(Json(customers.patch(id, body::patch(request).await?).await?))
}

async fn delete(State(customers): State<Customers>, Id(id): Id) -> Answer<StatusCode> {
    customers.delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn ready(State(customers): State<Customers>) -> Answer<Json<Value>> {
    match customers.ready().await {
        Ok(()) => Ok(Json(json!({ "status": "ready" }))),
        Err(error) => {
            tracing::error!(%error, "not ready");
            let detail = "the account database does not answer; the server's log says why";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail))
        }
    }
}

async fn no_route(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is nothing at {}", uri.path()))
}

async fn no_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}: see the Allow header", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
