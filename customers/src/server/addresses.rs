//! The routes of an account's addresses. Their entity tag is the account's.

use axum::Json;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::accounts::Id;
use super::conditions::{Given, etag};
use super::problem::Problem;
use super::{Answer, App, body};
use crate::{Address, Customer, Error};

/// The address's number in a path. An invalid number is answered like an unknown one.
pub(super) struct Number(i64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        #[derive(Deserialize)]
        struct Named {
            number: String,
        }
        let path = Path::<Named>::from_request_parts(parts, state).await;
        let text = path.map(|Path(Named { number })| number).unwrap_or_default();
        // One address has one URL: no sign, no leading zeros.
        match text.parse::<i64>() {
            Ok(number) if number > 0 && number.to_string() == text => Ok(Self(number)),
            _ => {
                let detail = format!("there is no address {text:?}: the id of an address is a number");
                Err(Problem::new(StatusCode::NOT_FOUND, "address_not_found", detail))
            }
        }
    }
}

#[derive(Serialize)]
struct Addresses {
    items: Vec<Address>,
}

pub(super) async fn list(State(app): State<App>, Id(id): Id) -> Answer<Response> {
    let customer = app.customers.get(id).await?;
    Ok(([etag(customer.revision)], Json(Addresses { items: customer.addresses })).into_response())
}

pub(super) async fn read(State(app): State<App>, Id(id): Id, Number(number): Number) -> Answer<Response> {
    Ok(answer(&app.customers.get(id).await?, number)?.into_response())
}

pub(super) async fn add(given: Given, Id(id): Id, request: Request) -> Answer<Response> {
    let key = given.key.clone();
    let customers = given.into_changing()?;
    let new = body::address(request).await?;
    let (customer, number) = customers.add_address(id, new, key.as_deref()).await?;
    let location = [(header::LOCATION, format!("/customers/{id}/addresses/{number}"))];
    Ok((StatusCode::CREATED, location, answer(&customer, number)?).into_response())
}

pub(super) async fn replace(
    given: Given,
    Id(id): Id,
    Number(number): Number,
    request: Request,
) -> Answer<Response> {
    let customers = given.into_changing()?;
    let customer = customers.replace_address(id, number, body::address(request).await?).await?;
    Ok(answer(&customer, number)?.into_response())
}

pub(super) async fn remove(given: Given, Id(id): Id, Number(number): Number) -> Answer<Response> {
    let customer = given.into_changing()?.remove_address(id, number).await?;
    Ok((StatusCode::NO_CONTENT, [etag(customer.revision)]).into_response())
}

fn answer(customer: &Customer, number: i64) -> Answer<impl IntoResponse + use<>> {
    let address = customer.address(number).cloned().ok_or(Error::NoAddress(customer.id, number))?;
    Ok(([etag(customer.revision)], Json(address)))
}
