//! The routes of single accounts.

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::conditions::{Given, etag, has};
use super::listing::Paging;
use super::pieces::{self, Asker, Piece};
use super::problem::Problem;
use super::query::{Asked, refused};
use super::{Answer, App, body};
use crate::{AuditEntry, Cursor, Customer, CustomerId, Customers};

/// The most history entries in one piece of an export.
const PAGE: usize = 100;
/// The most pieces of one export. A longer history continues at a cursor.
const MAX_PAGES: usize = 1_000;

/// The customer's id in a path. An invalid id is answered like an unknown one.
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

/// Builds the response with the customer and its entity tag.
pub(super) fn answer(customer: &Customer) -> impl IntoResponse + use<> {
    ([etag(customer.revision)], Json(customer.clone()))
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
    Ok(answer(&given.deliberate()?.customers.restore(id).await?).into_response())
}

pub(super) async fn erase(given: Given, Id(id): Id) -> Answer<StatusCode> {
    given.deliberate()?.into_changing()?.erase(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct History {
    items: Vec<AuditEntry>,
    next_cursor: Option<String>,
}

pub(super) async fn history(
    State(app): State<App>,
    Id(id): Id,
    asker: Asker,
    query: Asked<Paging>,
) -> Answer<Response> {
    let Query(paging) = query.map_err(refused)?;
    let (limit, cursor) = (paging.limit()?, paging.cursor()?);
    let _turn = app.listing_turn(asker).await?;
    let page = app.customers.history(id, limit, cursor).await?;
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    Ok(Json(History { items: page.items, next_cursor }).into_response())
}

/// All stored data about one person, except the history, which is written after it.
#[derive(Serialize)]
struct Export {
    exported_at: String,
    revision: i64,
    customer: Customer,
}

/// The progress of an export.
struct Exporting {
    customers: Customers,
    id: CustomerId,
    /// The bytes to write before the next entry.
    before: Vec<u8>,
    from: Option<Cursor>,
    pages: usize,
}

pub(super) async fn export(State(app): State<App>, Id(id): Id, asker: Asker) -> Answer<Response> {
    let customer = app.customers.get_any(id).await?;
    let turn = app.turn(asker)?;
    let export = Export {
        exported_at: format!("{:.6}", jiff::Timestamp::now()),
        revision: customer.revision,
        customer,
    };
    let mut before = written(&export)?;
    // Remove the closing brace: the history follows in the same object.
    before.pop();
    before.extend_from_slice(b",\"history\":[");
    let exporting = Exporting { customers: app.customers, id, before, from: None, pages: 0 };
    let name = format!("attachment; filename=\"customer-{id}.json\"");
    let headers =
        [(header::CONTENT_DISPOSITION, name), (header::CONTENT_TYPE, "application/json".to_owned())];
    Ok((headers, pieces::body(turn, exporting, Exporting::next)).into_response())
}

impl Exporting {
    async fn next(mut self) -> Piece<Self> {
        let page = self.customers.history(self.id, PAGE, self.from).await?;
        let mut piece = std::mem::take(&mut self.before);
        for entry in &page.items {
            piece.extend(written(entry)?);
            piece.push(b',');
        }
        (self.from, self.pages) = (page.next, self.pages + 1);
        if self.from.is_some() && self.pages < MAX_PAGES {
            return Ok((piece, Some(self)));
        }
        if piece.last() == Some(&b',') {
            piece.pop();
        }
        // The cursor where the history continues, if it is too long for one response.
        let next = written(&self.from.map(|cursor| cursor.to_string()))?;
        piece.extend_from_slice(b"],\"history_next_cursor\":");
        piece.extend(next);
        piece.push(b'}');
        Ok((piece, None))
    }
}

fn written(value: &impl Serialize) -> Answer<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an export could not be written");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "export_failed", "the export could not be written")
    })
}
