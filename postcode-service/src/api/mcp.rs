//! `/mcp`: the tools for assistants, for a server that was started with `--mcp`. Not in postcodes.io.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::post;
use http::Method;
use postcode_core::wire::path;
use postcode_edge::ClientKey;

use super::App;
use super::bulk::body;
use super::failure::{Failure, Outcome};
use super::finish::preflight;
use crate::mcp::LONGEST_MESSAGE;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::MCP, post(answer)).method_not_allowed_fallback(only_post)
}

async fn answer(State(app): State<App>, request: Request) -> Outcome {
    let endpoint = app.assistants.there()?;
    body::is_json(request.headers())?;
    let (headers, client) = (request.headers().clone(), ClientKey::of(request.extensions()));
    let message = body::whole(request, LONGEST_MESSAGE).await?;
    // A few calls are worked on at once, so a client may not have all others wait behind its own.
    let _place = app.regions.place(client)?;
    Ok(endpoint.answer(&headers, message).await.map(Body::new))
}

/// Refuses other methods with 405. A client may send a GET to open an event stream, and continues without one
/// (Model Context Protocol, Streamable HTTP).
async fn only_post(method: Method) -> Outcome {
    if method == Method::OPTIONS {
        return Ok(preflight());
    }
    let text = "Send messages by POST. There are no sessions and no stream of events";
    Err(Failure::method_not_allowed(text, "POST"))
}
