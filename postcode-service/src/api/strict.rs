//! Strict mode: an unknown parameter is an error, where postcodes.io ignores it.
//!
//! `?strict=true` enables it for one request, `serve --strict` for all, and `?strict=false` then
//! disables it.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use postcode_core::wire::Keys;

use super::App;
use super::description::ROUTES;
use super::failure::Failure;
use super::params::{Params, truth};
use crate::enrich::short;

pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let params = Params::parse(request.uri().query());
    let strict = params.first("strict").map_or(app.limits.strict, |value| truth(value) != Some(false));
    let route = request.extensions().get::<MatchedPath>();
    if let (true, Some(route)) = (strict, route)
        && let Err(failure) = known(route.as_str(), request.method(), &params)
    {
        return failure.into_response();
    }
    next.run(request).await
}

fn known(path: &str, method: &Method, params: &Params) -> Result<(), Failure> {
    let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
    let Some(route) = ROUTES.iter().find(|route| route.path == path && route.method == method) else {
        return Ok(());
    };
    if let Some(name) = params.names().find(|name| !route.all_params().any(|known| known == *name)) {
        let mut all: Vec<&str> = route.all_params().collect();
        all.sort_unstable();
        return Err(refuse("parameter", name, &all));
    }
    if route.params.contains(&"filter")
        && let Some(list) = params.get("filter")
        && let Some(name) = Keys::list(&list).unknown().next()
    {
        return Err(refuse("name in filter", name, &Keys::ALL));
    }
    Ok(())
}

/// The longest name that is compared with the known ones, in bytes. They have at most 36.
const LONGEST_NAME: usize = 64;

/// Builds the error for an unknown name, with a suggestion.
fn refuse(what: &str, name: &str, known: &[&str]) -> Failure {
    let typed = if name.len() <= LONGEST_NAME { name.to_lowercase() } else { String::new() };
    let alike = known.iter().map(|known| (strsim::jaro_winkler(&typed, known), known));
    let nearest = alike.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let meant = nearest.filter(|(alike, _)| *alike > 0.7);
    let meant = meant.map_or(String::new(), |(_, meant)| format!(": did you mean {meant:?}?"));
    Failure::bad_request(format!("Unknown {what} {}{meant}", short(name)))
        .advise(format!("Known are {}", known.join(", ")))
}
