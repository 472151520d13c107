//! `/promotion`: the plan of a fleet of promotions, and what its processes report. Not in postcodes.io.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use http::{Extensions, StatusCode};
use postcode_core::ErrorKind;
use postcode_core::layers::PromotionPlan;
use postcode_core::layers::fleet::{FleetReport, SetError};
use postcode_core::wire::{NEWER_THAN, path};
use postcode_edge::Turn;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::App;
use super::bulk::body;
use super::failure::{Failure, Outcome};
use super::fallback::no_method;
use super::own_time::OwnTime;
use super::params::Params;
use super::reply::json;
use super::wait::wait;
use crate::enrich::short;

/// How long the answer may take after a wait.
const ANSWERING: Duration = Duration::from_secs(10);
/// The most bytes of a plan.
const MAX_PLAN: usize = 16 << 10;
/// The most bytes of a report: many times what one of 64 rows needs.
const MAX_REPORT: usize = 64 << 10;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::PROMOTION_PLAN, get(plan).put(set))
        .route(path::PROMOTION_FLEET, get(snapshot).post(report))
        // An unknown method must be as private as the others.
        .method_not_allowed_fallback(no_method)
}

async fn plan(State(app): State<App>, params: Params, time: OwnTime, extensions: Extensions) -> Outcome {
    let kept = app.fleets.there()?;
    let Some(newer_than) = params.get(NEWER_THAN) else { return json(&*kept.fleet.plan()) };
    let revision: u64 = newer_than.parse().map_err(|_| {
        Failure::bad_request(format!(
            "{NEWER_THAN}: {} is not a revision: give a number, such as 0",
            short(&newer_than)
        ))
    })?;
    let wait = wait(&params)?.unwrap_or_default();
    if wait.is_zero() || kept.fleet.plan().revision > revision {
        return json(&*kept.fleet.plan());
    }
    let place = kept.waiting.enter(params.client())?;
    // The request only waits now, so it gives back its place among those at work.
    if let Some(turn) = extensions.get::<Turn>() {
        turn.give_back();
    }
    time.allow(wait + ANSWERING);
    tokio::select! {
        plan = kept.fleet.newer_than(revision, wait) => json(&*plan),
        // Others have waited less long. The process asks again.
        () = place.lost() => json(&*kept.fleet.plan()),
    }
}

/// The body of a change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    plan: PromotionPlan,
    /// The revision that the caller has seen.
    #[serde(default)]
    if_revision: Option<u64>,
}

async fn set(State(app): State<App>, request: Request) -> Outcome {
    let kept = app.fleets.there()?;
    let change: Change = read(request, MAX_PLAN, r#"{"plan":"canary:10%","if_revision":3}"#).await?;
    let text = change.plan.to_string();
    match kept.fleet.set(change.plan, change.if_revision).await {
        Ok(plan) => {
            tracing::info!(revision = plan.revision, plan = %plan.plan, "the plan of the fleet was changed");
            json(&*plan)
        }
        Err(error @ SetError::Moved { .. }) => {
            Err(Failure::new(StatusCode::CONFLICT, error.to_string(), "revision_moved"))
        }
        Err(SetError::NotStored(error)) => {
            // The cause may name files.
            tracing::error!(%error, plan = text, "the plan of the fleet can't be stored");
            let text = "The plan can't be stored, so nothing was changed. The log says why";
            Err(Failure::new(StatusCode::INSUFFICIENT_STORAGE, text, "insufficient_storage")
                .retryable(Some(5)))
        }
        Err(error) => Err(Failure::internal(error.to_string())),
    }
}

async fn snapshot(State(app): State<App>) -> Outcome {
    json(&app.fleets.there()?.fleet.snapshot())
}

/// The answer to a report.
#[derive(Serialize)]
struct Taken {
    /// The current revision.
    revision: u64,
    /// When to report again.
    next_ms: u64,
}

async fn report(State(app): State<App>, request: Request) -> Outcome {
    let kept = app.fleets.there()?;
    let report: FleetReport = read(request, MAX_REPORT, "a report as docs/PROMOTION.md describes it").await?;
    let next = kept.fleet.report(report).map_err(|error| match error.kind() {
        ErrorKind::Overloaded => {
            let text = format!("The report was not taken: {error}. The plan is still served");
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code())
                .retryable(Some(15))
        }
        _ => invalid(&error),
    })?;
    let next_ms = u64::try_from(next.as_millis()).unwrap_or(u64::MAX);
    json(&Taken { revision: kept.fleet.plan().revision, next_ms })
}

/// Reads a body of JSON.
async fn read<T: DeserializeOwned>(request: Request, most: usize, form: &str) -> Result<T, Failure> {
    body::is_json(request.headers())?;
    let bytes = body::whole(request, most).await?;
    let read: Result<T, serde_json::Error> = serde_json::from_slice(&bytes);
    read.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => invalid(&format_args!("{error}. Give {form}")),
        _ => Failure::bad_request(format!("The body is not valid JSON: {error}")),
    })
}

fn invalid(why: &dyn std::fmt::Display) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string(), "invalid_promotion")
}
