//! Accounts, one at a time.

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::conditions::{Given, etag, has};
use super::listing::Paging;
use super::problem::Problem;
use super::query::{Asked, refused};
use super::{Answer, App, body};
use crate::{AuditEntry, Customer, CustomerId, Page};

/// Pages of its history in one export, at most: what goes beyond has a cursor.
const EXPORT_PAGES: usize = 100;

/// The customer's id in a path. What is no id is no customer's.
pub(super) struct Id(pub(super) CustomerId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let path = Path::<Named>::from_request_parts(parts, state).await;
        let Ok(Path(Named { id })) = path else { return Err(Problem::no_customer("with such an id")) };
        id.parse().map(Self).map_err(|error| Problem::no_customer(&format!("{id:?}: {error}")))
    }
}

/// The customer with its entity tag. Asked for again each time: it is a person's, and changes.
pub(super) fn answer(customer: &Customer) -> impl IntoResponse + use<> {
    ([etag(customer.revision)], [(header::CACHE_CONTROL, "private, no-cache")], Json(customer.clone()))
}

pub(super) async fn create(given: Given, request: Request) -> Answer<Response> {
    let new = body::customer(request).await?;
    let customer = match &given.key {
        Some(key) => given.customers.create_once(key, new).await?,
        None => given.customers.create(new).await?,
    };
    let location = [(header::LOCATION, format!("/customers/{}", customer.id))];
    Ok((StatusCode::CREATED, location, answer(&customer)).into_response())
}

pub(super) async fn read(State(app): State<App>, Id(id): Id, headers: HeaderMap) -> Answer<Response> {
    let customer = app.customers.get(id).await?;
    if has(&headers, customer.revision)? {
        return Ok((StatusCode::NOT_MODIFIED, [etag(customer.revision)]).into_response());
    }
    Ok(answer(&customer).into_response())
}

pub(super) async fn replace(given: Given, Id(id): Id, request: Request) -> Answer<Response> {
    let customers = given.into_changing()?;
    Ok(answer(&customers.replace(id, body::customer(request).await?).await?).into_response())
}

pub(super) async fn patch(given: Given, Id(id): Id, request: Request) -> Answer<Response> {
    let customers = given.into_changing()?;
    Ok(answer(&customers.patch(id, body::patch(request).await?).await?).into_response())
}

pub(super) async fn delete(given: Given, Id(id): Id) -> Answer<StatusCode> {
    given.into_changing()?.delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn restore(given: Given, Id(id): Id) -> Answer<Response> {
    Ok(answer(&given.customers.restore(id).await?).into_response())
}

pub(super) async fn erase(given: Given, Id(id): Id) -> Answer<StatusCode> {
    given.into_changing()?.erase(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct History {
    items: Vec<AuditEntry>,
    next_cursor: Option<String>,
}

pub(super) async fn history(State(app): State<App>, Id(id): Id, query: Asked<Paging>) -> Answer<Response> {
    let Query(paging) = query.map_err(refused)?;
    let page = app.customers.history(id, paging.limit()?, paging.cursor()?).await?;
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    Ok(Json(History { items: page.items, next_cursor }).into_response())
}

/// All that is stored of one person.
#[derive(Serialize)]
struct Export {
    exported_at: String,
    revision: i64,
    customer: Customer,
    history: Vec<AuditEntry>,
    /// Where the history goes on, in the one case that it is too long for one answer.
    history_next_cursor: Option<String>,
}

pub(super) async fn export(State(app): State<App>, Id(id): Id) -> Answer<Response> {
    let customer = app.customers.get_any(id).await?;
    let (mut history, mut from) = (Vec::new(), None);
    for _ in 0..EXPORT_PAGES {
        let page = app.customers.history(id, Page::MAX, from).await?;
        history.extend(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let name = format!("attachment; filename=\"customer-{id}.json\"");
    let headers =
        [(header::CONTENT_DISPOSITION, name), (header::CACHE_CONTROL, "private, no-store".to_owned())];
    let export = Export {
        exported_at: format!("{:.6}", jiff::Timestamp::now()),
        revision: customer.revision,
        customer,
        history,
        history_next_cursor: from.map(|cursor| cursor.to_string()),
    };
    Ok((headers, Json(export)).into_response())
}
