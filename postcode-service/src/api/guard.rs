//! Checks who may use a route, and as whom: see [`Access`](postcode_edge::Access).

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use postcode_core::wire::code;
use postcode_edge::{Claim, Denied, Identity, Need, is_from_trusted_proxy, speaks_for};

use super::App;
use super::description::need;
use super::failure::Failure;

/// The header that names the tenant whose jobs a request is about.
pub(super) const TENANT: &str = "postcode-tenant";

/// Lets a request through that has the scope of its route. After it, the tenant's header says what
/// is true.
pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    match let_in(&app, request) {
        Ok(request) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

fn let_in(app: &App, mut request: Request) -> Result<Request, Failure> {
    let route = request.extensions().get::<MatchedPath>();
    let need = route.and_then(|route| need(route.as_str(), request.method()));
    let (tenant, identity) = check_access(app, request.headers(), request.extensions(), need)?;
    if let Some(tenant) = tenant {
        request.headers_mut().insert(HeaderName::from_static(TENANT), tenant);
    }
    if let Some(identity) = identity {
        identity.mark(request.extensions_mut());
    }
    Ok(request)
}

/// Returns the tenant and the caller of a request that may use a route with this need.
pub(super) fn check_access(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    need: Option<Need>,
) -> Result<(Option<HeaderValue>, Option<Identity>), Failure> {
    let identity = app.access.authorise(headers, extensions, need)?;
    let own = identity.as_ref().and_then(|identity| identity.tenant());
    let trusted = is_from_trusted_proxy(extensions);
    let tenant = speaks_for(headers, TENANT, identity.as_ref(), own, trusted)?;
    Ok((tenant, identity))
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::new(denied.status(), denied.to_string(), denied.code()).challenge(denied.challenge())
    }
}

impl From<Claim> for Failure {
    fn from(claim: Claim) -> Self {
        let code = match claim {
            Claim::Twice(_) => code::INVALID_INPUT,
            Claim::NotYours(_) => "tenant_not_allowed",
        };
        Self::new(claim.status(), claim.to_string(), code)
    }
}
