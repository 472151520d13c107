//! The HTTP API: that of postcodes.io 18, route by route, and this project's extensions.
//!
//! Deliberate differences are listed, with their reasons, in `docs/COMPATIBILITY.md`.

mod addresses;
mod bulk;
mod compact;
mod dataset;
mod dataset_file;
mod description;
mod distance;
mod docs;
mod enrich;
mod failure;
mod fallback;
mod finish;
mod fleet;
mod guard;
mod health;
mod hot;
#[cfg(feature = "jobs")]
mod jobs;
#[cfg(feature = "mcp")]
mod mcp;
mod nearest;
#[cfg(not(feature = "jobs"))]
mod no_jobs;
#[cfg(not(feature = "mcp"))]
mod no_mcp;
mod opt_in;
mod outcode;
mod own_time;
mod page;
mod params;
mod path;
mod places;
mod postcode;
mod proof;
mod random;
mod region;
mod reply;
mod scotland;
mod search;
mod state;
mod strict;
mod syntax;
mod terminated;
mod validate;
mod view;
mod wait;

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::ORIGIN;
use postcode_addresses::LocalAddresses;
use postcode_addresses::file::AddressFile;
use postcode_core::layers::fleet::Fleet;
use postcode_core::wire;
use postcode_edge::Access;
use tower::ServiceExt;

#[cfg(feature = "jobs")]
pub(crate) use bulk::lines as bulk_lines;
pub use failure::{Failure, RequestId};
pub(crate) use own_time::OwnTime;
pub(crate) use state::Reloads;
use state::{Addresses, Answers, App, Current, Downloads, Fleets, Readers, Turns, now};
pub use state::{Edition, Limits, NotAnOrigin, PageOrigin};

use crate::jobs::Jobs;
#[cfg(not(feature = "jobs"))]
use no_jobs as jobs;
#[cfg(not(feature = "mcp"))]
use no_mcp as mcp;

/// The API: a request in, a response out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    app: App,
    router: Router,
}

impl Api {
    /// Creates the API over an edition of the data, without jobs.
    pub fn new(edition: Edition, limits: Limits) -> Self {
        Self::with_jobs(edition, limits, Jobs::off())
    }

    /// Creates the API over an edition of the data, with jobs. Does not run their workers.
    pub fn with_jobs(edition: Edition, limits: Limits, jobs: Jobs) -> Self {
        Self::with_access(edition, limits, jobs, Access::open())
    }

    /// Creates the API over an edition of the data, with jobs, for callers whose tokens have the
    /// routes' scopes.
    pub fn with_access(edition: Edition, limits: Limits, jobs: Jobs, access: Access) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let app = App {
            edition: Arc::new(ArcSwap::from_pointee(edition)),
            ready: Arc::new(AtomicBool::new(true)),
            reloads: Arc::default(),
            limits,
            downloads: Downloads::new(limits.max_downloads),
            answers: Answers::new(limits.max_answers),
            regions: Turns::new(cores.div_ceil(2), limits.max_regions),
            jobs,
            access,
            addresses: Addresses::default(),
            fleets: Fleets::default(),
            readers: Readers::default(),
            #[cfg(feature = "mcp")]
            assistants: state::Assistants::default(),
        };
        let private = jobs::routes()
            .merge(fleet::routes())
            .merge(mcp::routes())
            .route_layer(from_fn_with_state(app.clone(), strict::check))
            .route_layer(from_fn_with_state(app.clone(), guard::check))
            .route_layer(from_fn(finish::private));
        let router = Router::new()
            .merge(addresses::routes())
            .merge(bulk::routes())
            .merge(dataset::routes())
            .merge(dataset_file::routes())
            .merge(description::routes())
            .merge(distance::routes())
            .merge(docs::routes())
            .merge(enrich::routes())
            .merge(health::routes())
            .merge(nearest::routes())
            .merge(outcode::routes())
            .merge(page::routes())
            .merge(places::routes())
            .merge(postcode::routes())
            .merge(proof::routes())
            .merge(random::routes())
            .merge(region::routes())
            .merge(scotland::routes())
            .merge(terminated::routes())
            .merge(validate::routes())
            .route_layer(from_fn_with_state(app.clone(), strict::check))
            .route_layer(from_fn_with_state(app.clone(), guard::check))
            .merge(private)
            .route_layer(from_fn(remember_route))
            .fallback(fallback::no_route)
            // postcodes.io has no 405.
            .method_not_allowed_fallback(fallback::no_method)
            .with_state(app.clone());
        Self { app, router }
    }

    /// Serves addresses, for the first file that this is called with. Returns the lookup, whose file can be replaced. Which
    /// postcodes exist and where they are is known from the edition that is served.
    pub fn serve_addresses(&self, file: AddressFile) -> Arc<LocalAddresses> {
        let postcodes = Current(self.app.edition.clone());
        self.app.addresses.set(LocalAddresses::new(file).with_postcodes(Arc::new(postcodes)))
    }

    /// Lets pages of these origins read addresses, on the first call of this. Without tokens no other page of
    /// another origin can. With tokens any page can that has one.
    pub fn let_pages_read_addresses(&self, origins: Vec<PageOrigin>) {
        self.app.readers.set(origins);
    }

    /// Serves the plan of this fleet, for the first one that this is called with.
    pub fn serve_fleet(&self, fleet: Fleet) {
        self.app.fleets.set(fleet);
    }

    /// Serves the tools for assistants at [`path::MCP`](wire::path::MCP), over the data of this API.
    #[cfg(feature = "mcp")]
    pub fn serve_tools(&self) {
        let postcodes = Arc::new(Current(self.app.edition.clone()));
        self.app.assistants.set(crate::mcp::Endpoint::new(crate::mcp::Server::new(postcodes)));
    }

    /// Returns the fleet whose plan is served, if there is one.
    pub(crate) fn fleet(&self) -> Option<&Fleet> {
        self.app.fleets.get()
    }

    /// Returns the current edition.
    pub fn edition(&self) -> Arc<Edition> {
        self.app.edition()
    }

    /// Returns the access rules.
    pub(crate) fn access(&self) -> &Access {
        &self.app.access
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.app.jobs
    }

    /// Serves other data from the next request on. Requests that have begun keep theirs.
    pub fn replace(&self, edition: Edition) {
        let earlier = self.app.edition();
        // A client that follows the root will ask for the new one.
        if earlier.root.is_wanted() {
            edition.root.begin(&edition.lookup, Some(&earlier.root));
        }
        self.app.edition.store(Arc::new(edition));
        self.app.reloads.done.fetch_add(1, Ordering::Relaxed);
        self.app.reloads.last.store(now(), Ordering::Relaxed);
    }

    /// Counts a reload that failed, for the metrics.
    pub fn reload_failed(&self) {
        self.app.reloads.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the reloads of the data so far.
    pub(crate) fn reloads(&self) -> &Reloads {
        &self.app.reloads
    }

    /// Returns whether `/ready` may answer 200.
    pub(crate) fn is_ready(&self) -> bool {
        self.app.ready.load(Ordering::Relaxed)
    }

    /// Sets whether `/ready` answers 200 or 503.
    pub fn set_ready(&self, ready: bool) {
        self.app.ready.store(ready, Ordering::Relaxed);
        if !ready {
            // Requests that wait would delay the shutdown.
            self.app.jobs.close();
            self.app.fleets.close();
        }
    }

    /// Returns whether a path is private, that is, hidden from pages of other sites. Decided before
    /// routing, so that they learn nothing about paths below `/jobs` and `/promotion`, routed or not. An assistant is a
    /// program, so a page that sends messages to its tools is refused too.
    pub(crate) fn is_private(path: &str) -> bool {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        first.eq_ignore_ascii_case("jobs")
            || first.eq_ignore_ascii_case("promotion")
            || [wire::path::METRICS, wire::path::MCP]
                .iter()
                .any(|private| path.trim_end_matches('/').eq_ignore_ascii_case(private))
    }

    /// Returns what is logged of a path: of addresses, only the route, because a query is about somebody's home.
    pub(crate) fn logged<'a>(path: &'a str, route: Option<&'a str>) -> &'a str {
        match addresses::is_licensed(path) {
            true => route.unwrap_or(wire::path::ADDRESSES),
            false => path,
        }
    }

    /// Counts a long response until it is sent. Too many at once leave a [`Failure`] in its
    /// extensions.
    pub(crate) async fn hold(&self, response: Response) -> Response {
        self.app.answers.hold(response).await
    }

    /// Answers a request.
    pub async fn call(&self, request: Request<Body>) -> Response {
        self.routed(request).await.0
    }

    /// Answers a request, and returns the route if there was one.
    pub(crate) async fn routed(&self, request: Request<Body>) -> (Response, Option<Cow<'static, str>>) {
        if let Some(plain) = hot::Plain::of(&self.app, &request) {
            drop(request);
            return (plain.answer(&self.app).await, Some(Cow::Borrowed(wire::path::POSTCODE)));
        }
        let mut response = self.through_the_router(request).await;
        let route = response.extensions_mut().remove::<MatchedPath>();
        (response, route.map(|route| Cow::Owned(route.as_str().to_owned())))
    }

    async fn through_the_router(&self, mut request: Request<Body>) -> Response {
        let finish = finish::Finish::of(&request);
        let page = request.headers().get(ORIGIN).cloned();
        let response = match path::normalise(&mut request) {
            Ok(()) => {
                let answered: Result<Response, Infallible> = self.router.clone().oneshot(request).await;
                answered.unwrap_or_else(|never| match never {})
            }
            Err(_) if request.method() == Method::OPTIONS => finish::preflight(),
            Err(failure) => failure.into_response(),
        };
        let mut response = finish.apply(self.app.answers.hold(response).await).await;
        let route = response.extensions().get::<MatchedPath>();
        // Without addresses there is nothing to keep from other pages.
        let is_open = self.app.addresses.get().is_ok() && !self.app.access.is_closed();
        if is_open && route.is_some_and(|route| addresses::is_licensed(route.as_str())) {
            finish::show_to(self.app.readers.allowed(page.as_ref()), response.headers_mut());
        }
        response
    }
}

/// Metrics are labelled by route, which only the router knows.
async fn remember_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}
