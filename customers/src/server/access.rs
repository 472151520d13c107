//! Checks who may use a route, and as whom: see [`Access`].

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderName;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use postcode_edge::{Access, Claim, Denied, Need, Rule, Scope, is_from_trusted_proxy, speaks_for};

use super::conditions::ACTOR;
use super::problem::Problem;
use super::sign_in;

const NOTHING: Need = Need::Nothing;
const METRICS: Need = Need::Scope(Scope::Metrics);
const READ: Need = Need::Scope(Scope::CustomersRead);
const WRITE: Need = Need::Scope(Scope::CustomersWrite);
const ERASE: Need = Need::Scope(Scope::CustomersErase);

/// Lists the scope that each route needs if there are tokens. A route that is missing here is
/// denied.
const TABLE: &[Rule] = &[
    Rule::new("/", NOTHING, NOTHING),
    Rule::new("/page.css", NOTHING, NOTHING),
    Rule::new("/page.js", NOTHING, NOTHING),
    Rule::new("/map.js", NOTHING, NOTHING),
    Rule::new("/sign-in.js", NOTHING, NOTHING),
    Rule::new("/health", NOTHING, NOTHING),
    Rule::new("/ready", NOTHING, NOTHING),
    Rule::new("/docs", NOTHING, NOTHING),
    Rule::new("/openapi.json", NOTHING, NOTHING),
    Rule::new("/metrics", METRICS, METRICS),
    Rule::new("/postcodes", READ, READ),
    Rule::new("/postcodes/{postcode}", READ, READ),
    Rule::new("/postcodes/{postcode}/map", READ, READ),
    Rule::new("/postcodes/{postcode}/addresses", READ, READ),
    Rule::new("/new", READ, WRITE),
    Rule::new("/list", READ, READ),
    Rule::new("/edit/{id}", READ, WRITE),
    Rule::new("/account/{id}", READ, READ),
    Rule::new("/account/{id}/delete", READ, WRITE),
    Rule::new("/account/{id}/restore", WRITE, WRITE),
    Rule::new("/account/{id}/erase", READ, ERASE),
    Rule::new("/import", READ, WRITE),
    Rule::new("/customers", READ, WRITE),
    Rule::new("/customers/{id}", READ, WRITE),
    Rule::new("/customers/{id}/restore", WRITE, WRITE),
    Rule::new("/customers/{id}/erase", ERASE, ERASE),
    Rule::new("/customers/{id}/export", READ, READ),
    Rule::new("/customers/{id}/history", READ, READ),
    Rule::new("/customers/{id}/addresses", READ, WRITE),
    Rule::new("/customers/{id}/addresses/{number}", READ, WRITE),
    Rule::new("/imports", READ, WRITE),
    Rule::new("/imports/preview", WRITE, WRITE),
    Rule::new("/imports/{id}", READ, WRITE),
    Rule::new("/imports/{id}/report", READ, READ),
    Rule::new("/imports/{id}/failed", READ, WRITE),
];

/// Admits a request that has the scope of its route, and sets the header with its actor.
pub(super) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    let root = sign_in::is_opened(&request).then(|| sign_in::root_of(request.uri().path()));
    match (let_in(&access, request), root) {
        (Ok(request), _) => next.run(request).await,
        (Err(problem), Some(root)) => {
            sign_in::refusal_page(problem.into_response(), PAGE.replace("{root}", &root))
        }
        (Err(problem), None) => problem.into_response(),
    }
}

/// The page for a browser that opens a URL without a token. `{root}` leads to the accounts.
const PAGE: &str = include_str!("page/refused.html");

fn let_in(access: &Access, mut request: Request) -> Result<Request, Problem> {
    let route = request.extensions().get::<MatchedPath>();
    let need = route.and_then(|route| Rule::find(TABLE, route.as_str(), request.method()));
    let identity = access.authorise(request.headers(), request.extensions(), need)?;
    let trusted = is_from_trusted_proxy(request.extensions());
    let id = identity.as_ref().map(|identity| identity.id());
    // A trusted proxy acts for people whom only it knows.
    let bound = id.filter(|_| !trusted);
    let actor = speaks_for(request.headers(), ACTOR, identity.as_ref(), bound, trusted)?;
    // The ids of tokens are valid in a header.
    let actor = actor.or_else(|| id?.parse().ok());
    if let Some(actor) = actor {
        request.headers_mut().insert(HeaderName::from_static(ACTOR), actor);
    }
    if let Some(identity) = identity {
        identity.mark(request.extensions_mut());
    }
    Ok(request)
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::new(denied.status(), denied.code(), denied.to_string()).challenge(denied.challenge())
    }
}

impl From<Claim> for Problem {
    fn from(claim: Claim) -> Self {
        let code = match claim {
            Claim::Twice(_) => "invalid_header",
            Claim::NotYours(_) => "actor_not_allowed",
        };
        Self::new(claim.status(), code, claim.to_string())
    }
}
