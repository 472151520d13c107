//! The HTTP API, route by route.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use postcode_database::Recent;
use postcode_edge::{Pool, Yields};
use serde_json::{Value, json};

use super::problem::Problem;
use super::{
    Answer, App, COUNTS_KEPT, MAX_FILES, MAX_LISTINGS, Options, SCARCE_SPEED, access, accounts, addresses,
    description, guard, imports, listing, metrics, page,
};
use crate::Customers;

/// Returns the HTTP API over these customers, to be served by [`serve`](super::serve) or inside
/// another router.
///
/// | | | |
/// |---|---|---|
/// | `POST /customers` | `{"name","email","postcode","address_lines":[…]}` and more | 201, `Location`, the customer |
/// | `GET /customers` | `limit` (50, at most 1000), `cursor`, and filters | `{"items":[…],"next_cursor":…}` |
/// | `GET /customers/{id}` | | the customer |
/// | `PUT /customers/{id}` | as `POST` | the customer |
/// | `PATCH /customers/{id}` | some of it | the customer |
/// | `DELETE /customers/{id}` | | 204; it can be restored |
/// | `POST /customers/{id}/restore` | | the customer |
/// | `POST /customers/{id}/erase` | | 204; for good |
/// | `GET /customers/{id}/export` | | all that is stored of the person, as a file |
/// | `GET /customers/{id}/history` | `limit`, `cursor` | `{"items":[…],"next_cursor":…}` |
/// | `GET /customers/{id}/addresses` | | `{"items":[…]}` |
/// | `POST /customers/{id}/addresses` | `{"kind","postcode","address_lines":[…]}` and dates | 201, `Location`, the address |
/// | `GET`, `PUT`, `DELETE /customers/{id}/addresses/{number}` | | the address, 204 |
/// | `GET /health` | the process runs | 200 |
/// | `GET /ready` | and its database can be read and written | 200 or 503 |
/// | `GET /metrics` | | counts for Prometheus: requests by route and status, lookups, the process |
/// | `GET /openapi.json`, `GET /docs` | | this description, for programs and for people |
///
/// Filters: `q` (in name or email), `name`, `email`, `postcode` (its beginning), `outcode`,
/// `district`, `status` (`verified`, `pending`, `not_covered`, `terminated`, `unknown`), `near` (a postcode) with
/// `radius` (metres; each item then has `distance_m`), `updated_since`, `deleted=true`.
/// `sort` is `created`, `updated`, `name`, `email` or `postcode`, with `-` before it to begin with the last. `total=true`
/// adds how many match.
///
/// `ETag` is the customer's revision. Send it as `If-None-Match` when reading and `If-Match` when
/// changing. Both `POST`s that create something take `Idempotency-Key`. `Customers-Actor` names who
/// makes a change, for the history. `restore` and `erase` need `If-Match` (`*` for any revision) or
/// `Content-Type: application/json`, which a form on another site can't send.
///
/// Many customers at once:
///
/// | | | |
/// |---|---|---|
/// | `POST /imports` | `text/csv`: a line of column names, and a line a customer | 202, `Location`, the import |
/// | `POST /imports/preview` | the same file, or its beginning | its headings, what they mean, and its first rows |
/// | `GET /imports` | | the last ones |
/// | `GET /imports/{id}` | | the import: how far it is |
/// | `GET /imports/{id}/report?outcome=failed` | | CSV: the outcome of each row, or of those with one outcome |
/// | `GET /imports/{id}/failed` | | CSV: the rows that failed as they were sent, each with its line and reason |
/// | `DELETE /imports/{id}/failed` | | 204; what is kept of the rows that failed is removed |
/// | `DELETE /imports/{id}` | | the import, cancelled; accounts already created stay |
///
/// The page for people at `/`, and the routes that it uses:
///
/// | | | |
/// |---|---|---|
/// | `GET /postcodes?prefix=SW1A1&limit=8` | `limit` 1 to 20 | `{"items":["SW1A 1AA",…]}`: live postcodes with that prefix |
/// | `GET /postcodes/{postcode}` | | the lookup's answer now |
/// | `GET /postcodes/{postcode}/addresses` | `limit` (100, at most 100), `skip` | the addresses to choose from: `{"status","total","items":[{"id","lines"}],"attribution"}` |
/// | `GET /list` | filters as `GET /customers` | the list without JavaScript |
/// | `GET /new`, `POST /new`, `GET /edit/{id}`, `POST /edit/{id}` | an HTML form | the form for a customer without JavaScript |
/// | `GET /account/{id}`, `POST /account/{id}/delete`, `…/restore`, `…/erase` | an HTML form with the revision | an account without JavaScript; `GET …/erase` asks first |
/// | `GET /import`, `POST /import` | an HTML form with a file | imports without JavaScript |
/// | `GET /postcodes/{postcode}/map?radius=500` | metres, 100 to 5000 | the postcodes around it, for a map |
///
/// Errors are `application/problem+json` (RFC 9457) with a `code` that never changes:
/// `invalid_json`, `invalid_body`, `invalid_query`, `invalid_header` and `invalid_host` 400,
/// `token_required`, `token_invalid` and `token_expired` 401, `scope_missing`, `actor_not_allowed`
/// and `cross_site` 403, `customer_not_found`, `address_not_found`, `import_not_found`,
/// `no_location` and `not_found` 404, `method_not_allowed` 405, `request_timeout` 408, `conflict`,
/// `email_taken` and `main_address` 409, `precondition_failed` 412, `too_large` 413,
/// `unsupported_media_type` 415, `host_not_allowed` 421, `invalid_customer` (with a list `errors`
/// of `field` and `message`) `invalid_import` and `idempotency_key_reused` 422,
/// `precondition_required` 428, `too_many_imports` and `too_many_requests` 429, `store_failed` 500,
/// `not_supported` 501, `store_busy`, `store_unavailable`, `lookup_unavailable`, `overloaded`,
/// `too_many_exports` and `not_ready` 503, `timeout` 504, `insufficient_storage` 507.
pub fn router(customers: Customers) -> Router {
    router_with(customers, Options::default())
}

/// Returns the HTTP API with options; otherwise like [`router`].
pub fn router_with(customers: Customers, options: Options) -> Router {
    let hosts = options.hosts.clone();
    let limit = options.request_timeout;
    let counts = options.metrics.clone();
    let exports = Pool::new(options.exports, Yields::Slowest(SCARCE_SPEED));
    let uploads = Pool::new(MAX_FILES, Yields::Slowest(SCARCE_SPEED));
    // None yields: a statement that has begun is ended by its own time limit.
    let listings = Pool::new(MAX_LISTINGS, Yields::Slowest(0));
    let router = Router::new()
        .route("/customers", get(listing::list).post(accounts::create))
        .route(
            "/customers/{id}",
            get(accounts::read).put(accounts::replace).patch(accounts::patch).delete(accounts::delete),
        )
        .route("/customers/{id}/restore", post(accounts::restore))
        .route("/customers/{id}/erase", post(accounts::erase))
        .route("/customers/{id}/export", get(accounts::export))
        .route("/customers/{id}/history", get(accounts::history))
        .route("/customers/{id}/addresses", get(addresses::list).post(addresses::add))
        .route(
            "/customers/{id}/addresses/{number}",
            put(addresses::replace).get(addresses::read).delete(addresses::remove),
        )
        .route("/health", get(async || Json(json!({ "status": "ok" }))))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics::metrics))
        .merge(description::routes())
        .merge(imports::routes())
        .merge(page::routes())
        .route_layer(from_fn(guard::traced))
        .route_layer(from_fn_with_state(limit, guard::deadline))
        .route_layer(from_fn_with_state(options.access.clone(), access::check))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(App {
            customers,
            options,
            exports,
            uploads,
            listings,
            address_counts: Recent::new(COUNTS_KEPT),
        });
    guard::guarded(router, hosts).layer(from_fn_with_state(counts, metrics::count))
}

async fn ready(State(app): State<App>) -> Answer<Json<Value>> {
    match app.customers.ready().await {
        Ok(()) => Ok(Json(json!({ "status": "ready" }))),
        Err(error) => {
            tracing::error!(%error, "not ready");
            let detail = "the account database can't be read and written; the server's log says why";
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
