//! The listener for operators. It shows the promotion and changes its stage.

mod change;
mod fleet;
mod metrics;
mod walk;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use customers::server::{self, Address, HostName, Hosts, Limits, Listener, Problem, served, sign_in};
use postcode_core::layers::{Promotion, Snapshot};
use postcode_edge::{Access, Need, Rule, Scope, Security};
use serde::Serialize;
use serde_json::json;
use tracing::info;

use crate::advice::{self, Adviser};
use crate::fleet::{Followed, Standing};
use crate::walk::Progress;

/// The most connections at once: enough for a few people and a metrics collector.
const CONNECTIONS: usize = 64;

/// Descriptions of the two lookups, without secrets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sources {
    pub(crate) old: String,
    pub(crate) new: String,
}

/// The admin listener, bound to its address.
pub(crate) struct Admin {
    pub(crate) listener: Listener,
    router: Router,
}

/// The state that the listener shows.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) promotion: Promotion,
    pub(crate) sources: Sources,
    /// The fleet whose plan the promotion follows.
    pub(crate) fleet: Option<Followed>,
    /// The walk through the stages.
    pub(crate) walk: Option<Progress>,
    pub(crate) adviser: Adviser,
}

type App = State<Arc<Shared>>;

impl Admin {
    pub(crate) async fn bind(
        address: &Address,
        hosts: &[HostName],
        shared: Shared,
        security: &Security,
    ) -> io::Result<Self> {
        let listener = Listener::bind(address).await?;
        let security = if listener.is_unix() { security.without_tls() } else { security.clone() };
        let listener = security.protect(listener).map_err(io::Error::other)?;
        // A caller can see customers' postcodes among the differences, and can change the stage.
        let hosts = Hosts::listening_on(&address.to_string()).with(hosts.iter().cloned());
        let router = router(shared, security.access().clone());
        Ok(Self { listener, router: server::guarded(router, Some(hosts)) })
    }

    pub(crate) async fn serve(self, drain: Duration, stop: impl Future<Output = ()>) {
        let mut limits = Limits::default();
        limits.connections = CONNECTIONS;
        limits.drain = drain;
        server::serve(self.listener, self.router, limits, stop).await;
    }
}

/// Returns the routes of the listener.
///
/// | | | |
/// |---|---|---|
/// | `GET /` | | the page |
/// | `GET /promotion` | | a snapshot, and descriptions of the two lookups |
/// | `PUT /promotion` | `{"stage":"canary","share":0.1}`, with `row` for one row, or `{"plan":"…"}` | the same, changed |
/// | `GET /promotion/advice` | | what other places of the lookup would cost |
/// | `GET /advice` | | the same as a page |
/// | `GET /fleet` | | all processes of the fleet whose plan is followed |
/// | `GET /walk` | | a page that needs no JavaScript: the walk and the fleet |
/// | `GET /walk/certificate` | | the certificate of a walk that has ended |
/// | `GET /metrics` | | the snapshot for Prometheus |
/// | `GET /health` | | 200 |
/// | `GET /page.css`, `/page.js`, `/sign-in.js`, `/view.js` | | the files of the pages |
fn router(shared: Shared, access: Access) -> Router {
    let script = |text: &'static str| get(async move || served("text/javascript; charset=utf-8", text));
    Router::new()
        .route("/", get(page))
        .route("/page.css", get(async || served("text/css; charset=utf-8", include_str!("page.css"))))
        .route("/page.js", script(include_str!("page.js")))
        .route("/sign-in.js", script(sign_in::SCRIPT))
        .route("/view.js", script(include_str!("view.js")))
        .route("/promotion", get(show).put(change))
        .route("/promotion/advice", get(advise))
        .route("/advice", get(advice_page))
        .route("/fleet", get(show_fleet))
        .route("/walk", get(show_walk))
        .route("/walk/certificate", get(certificate))
        .route("/metrics", get(measure))
        .route("/health", get(async || Json(json!({ "status": "ok" }))))
        .route_layer(from_fn_with_state(access, guard))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(Arc::new(shared))
}

/// Lists the scope that each route needs if there are tokens. A route that is missing here is
/// denied.
const TABLE: &[Rule] = &[
    Rule::new("/", Need::Nothing, Need::Nothing),
    Rule::new("/page.css", Need::Nothing, Need::Nothing),
    Rule::new("/page.js", Need::Nothing, Need::Nothing),
    Rule::new("/sign-in.js", Need::Nothing, Need::Nothing),
    Rule::new("/view.js", Need::Nothing, Need::Nothing),
    Rule::new("/health", Need::Nothing, Need::Nothing),
    Rule::new("/promotion", Need::Scope(Scope::Admin), Need::Scope(Scope::Admin)),
    Rule::new("/promotion/advice", Need::Scope(Scope::Admin), Need::Scope(Scope::Admin)),
    Rule::new("/advice", Need::Scope(Scope::Admin), Need::Scope(Scope::Admin)),
    Rule::new("/fleet", Need::Scope(Scope::Admin), Need::Scope(Scope::Admin)),
    Rule::new("/walk", Need::Scope(Scope::Admin), Need::Scope(Scope::Admin)),
    Rule::new("/walk/certificate", Need::Scope(Scope::Admin), Need::Scope(Scope::Admin)),
    Rule::new("/metrics", Need::Scope(Scope::Metrics), Need::Scope(Scope::Metrics)),
];

async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let need = route.and_then(|route| Rule::find(TABLE, route.as_str(), request.method()));
    match access.authorise(request.headers(), request.extensions(), need) {
        Ok(_) => next.run(request).await,
        // The page asks for a token, and then for the same URL with it.
        Err(denied) if sign_in::is_opened(&request) => {
            let page = include_str!("view.html").replace("{root}", &sign_in::root_of(request.uri().path()));
            sign_in::refusal_page(Problem::from(denied).into_response(), page)
        }
        Err(denied) => Problem::from(denied).into_response(),
    }
}

/// Forbids caching: the state changes at any moment.
const FRESH: (axum::http::HeaderName, &str) = (CACHE_CONTROL, "no-store");

fn html(text: impl IntoResponse) -> impl IntoResponse {
    ([FRESH], served("text/html; charset=utf-8", text))
}

async fn page() -> impl IntoResponse {
    html(include_str!("page.html"))
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    snapshot: Snapshot,
    sources: &'a Sources,
    #[serde(skip_serializing_if = "Option::is_none")]
    fleet: Option<Standing>,
    /// Whether there is a walk to show.
    walks: bool,
}

async fn show(State(shared): App) -> impl IntoResponse {
    let fleet = shared.fleet.as_ref().map(Followed::standing);
    let shown = Shown {
        snapshot: shared.promotion.snapshot(),
        sources: &shared.sources,
        fleet,
        walks: shared.walk.is_some(),
    };
    ([FRESH], Json(shown)).into_response()
}

async fn change(State(shared): App, request: Request) -> Result<impl IntoResponse, Problem> {
    if let Some(fleet) = &shared.fleet {
        return Err(fleet::refuse_change(fleet));
    }
    let change = change::read(request).await?;
    let before = shared.promotion.plan();
    change.make(&shared.promotion).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_promotion", error.to_string())
    })?;
    info!(from = %before, to = %shared.promotion.plan(), "the plan was changed");
    Ok(show(State(shared)).await)
}

async fn show_fleet(State(shared): App) -> Result<impl IntoResponse, Problem> {
    Ok(([FRESH], Json(fleet::processes(shared.fleet.as_ref()).await?)))
}

async fn show_walk(State(shared): App) -> impl IntoResponse {
    let fleet = match &shared.fleet {
        Some(fleet) => {
            fleet.all().await.map_err(|error| format!("The fleet can't be asked: {error}")).transpose()
        }
        None => None,
    };
    html(walk::page(&shared.promotion, shared.walk.as_ref(), fleet.as_ref()))
}

async fn certificate(State(shared): App) -> Result<impl IntoResponse, Problem> {
    let text = walk::certificate(shared.walk.as_ref())?;
    Ok(([FRESH, (CONTENT_TYPE, "application/json")], text))
}

async fn advise(State(shared): App, uri: Uri) -> Result<impl IntoResponse, Problem> {
    Ok(([FRESH], Json(shared.adviser.advise(uri.query().unwrap_or_default()).await?)))
}

async fn advice_page(State(shared): App, uri: Uri) -> Result<impl IntoResponse, Problem> {
    let advised = shared.adviser.advise(uri.query().unwrap_or_default()).await?;
    Ok(html(advice::page(&advised)))
}

async fn measure(State(shared): App) -> impl IntoResponse {
    let text = metrics::text(&shared.promotion.snapshot());
    ([FRESH, (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

async fn no_route(uri: Uri) -> Problem {
    let detail = format!(
        "there is nothing at {}: see /, /advice, /promotion, /promotion/advice, /walk, /fleet, /metrics and /health",
        uri.path()
    );
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}

async fn no_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}: see the Allow header", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
