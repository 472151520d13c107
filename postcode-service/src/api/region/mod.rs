//! The postcodes of a region, a page at a time or line by line: `/within`,
//! `/areas/{code}/postcodes`, `/outcodes/{outcode}/postcodes`, `/sectors/{sector}/postcodes`. Not
//! in postcodes.io.

mod lines;
mod shape;
pub(super) mod turns;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::from_fn;
use axum::routing::get;
use http::HeaderMap;
use http::StatusCode;
use http::header::{ACCEPT, ETAG};
use postcode_core::wire::compact::CompactList;
use postcode_core::wire::{PageBody, code, path};
use postcode_core::{AreaKind, Outcode, Postcode, Region, Sector, Within};
use serde::Serialize;

use super::bulk::body;
use super::failure::{Failure, Outcome};
use super::opt_in::extended_only;
use super::params::Params;
use super::reply::whole;
use super::view::View;
use super::{App, compact};
use turns::in_turns;

pub(super) use shape::of_params;

pub(super) fn routes() -> Router<App> {
    let beneath_theirs =
        Router::new().route(path::OUTCODE_POSTCODES, get(outcode)).route_layer(from_fn(extended_only));
    Router::new()
        .merge(beneath_theirs)
        .route(path::WITHIN, get(within).post(within_polygon))
        .route(path::AREA_POSTCODES, get(area))
        .route(path::SECTOR_POSTCODES, get(sector))
}

/// The form and number of results that a request asks for.
struct Wanted {
    view: View,
    after: Option<Postcode>,
    limit: Option<usize>,
    /// Whether to send lines, all of them or `limit`.
    lines: bool,
}

impl Wanted {
    fn of(app: &App, params: &Params, headers: &HeaderMap) -> Result<Self, Failure> {
        let lines = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(wants_lines);
        let cursor = |text: &str| {
            text.parse::<Postcode>().map_err(|_| {
                let text = "Invalid cursor submitted. Give the value of next from the previous page";
                Failure::bad_request(text)
            })
        };
        let most = app.limits.max_page;
        let limit = |text: &str| {
            let limit =
                text.trim().parse::<usize>().ok().filter(|&limit| limit > 0 && (lines || limit <= most));
            limit.ok_or_else(|| match lines {
                true => Failure::bad_request("Invalid result limit submitted. Give a number from 1"),
                false => {
                    let text =
                        format!("Invalid result limit submitted. Give 1 to {most}, and a cursor for more");
                    Failure::bad_request(text)
                }
            })
        };
        Ok(Self {
            view: View::of_our_own(params),
            after: params.get("cursor").as_deref().map(cursor).transpose()?,
            limit: params.get("limit").as_deref().map(limit).transpose()?,
            lines,
        })
    }
}

fn wants_lines(accept: &str) -> bool {
    let types = accept.split(',').filter_map(|part| part.split(';').next());
    types.map(str::trim).any(|it| it.eq_ignore_ascii_case(lines::TYPE) || it == "application/ndjson")
}

async fn within(State(app): State<App>, params: Params, headers: HeaderMap) -> Outcome {
    let region = shape::of_params(&params, app.limits.max_radius)?;
    let none = || Failure::internal("a shape was not known");
    answer(app, region, &params, &headers, none).await
}

async fn within_polygon(State(app): State<App>, params: Params, request: Request) -> Outcome {
    let headers = request.headers().clone();
    let region = shape::of_body(body::read_geo(request, app.limits).await?)?;
    let none = || Failure::internal("a shape was not known");
    let mut response = answer(app, region, &params, &headers, none).await?;
    response.headers_mut().remove(ETAG);
    Ok(response)
}

async fn area(
    State(app): State<App>,
    Path(code): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Outcome {
    let kind = |text: &str| {
        AreaKind::from_key(text).ok_or_else(|| {
            let kinds = AreaKind::ALL.map(AreaKind::key).join(", ");
            Failure::bad_request(format!("Invalid kind of area submitted. Give one of {kinds}"))
        })
    };
    let kind = params.get("kind").as_deref().map(kind).transpose()?;
    let region = Region::Area { code, kind };
    let unknown = || {
        let text = "Area not found. Give the ONS code of an area with postcodes in use, such as E09000033";
        Failure::new(StatusCode::NOT_FOUND, text, code::AREA_NOT_FOUND)
    };
    answer(app, region, &params, &headers, unknown).await
}

async fn outcode(
    State(app): State<App>,
    Path(text): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Outcome {
    let unknown = || Failure::not_found("Outcode not found", code::OUTCODE_NOT_FOUND);
    let outcode: Outcode = text.parse().map_err(|error| unknown().explain(&error))?;
    part_of(outcode, app, Region::Outcode(outcode), &params, &headers, unknown()).await
}

async fn sector(
    State(app): State<App>,
    Path(text): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Outcome {
    let unknown = || Failure::not_found("Sector not found", code::SECTOR_NOT_FOUND);
    let sector: Sector = text.parse().map_err(|error| unknown().explain(&error))?;
    part_of(sector.outcode(), app, Region::Sector(sector), &params, &headers, unknown()).await
}

/// Builds a region in an outcode, whose area the data may not cover.
async fn part_of(
    outcode: Outcode,
    app: App,
    region: Region,
    params: &Params,
    headers: &HeaderMap,
    unknown: Failure,
) -> Outcome {
    let advice = app.edition().advice(&outcode.area()).map(str::to_owned);
    let unknown = || match &advice {
        Some(advice) => unknown.not_covered(advice),
        None => unknown,
    };
    answer(app, region, params, headers, unknown).await
}

/// A page, and what to say about an empty one.
#[derive(Serialize)]
struct Advised<T> {
    #[serde(flatten)]
    body: PageBody<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

async fn answer(
    app: App,
    region: Region,
    params: &Params,
    headers: &HeaderMap,
    unknown: impl FnOnce() -> Failure,
) -> Outcome {
    let edition = app.edition();
    let wanted = Wanted::of(&app, params, headers)?;
    let query = Within::of(region).after(wanted.after);
    if wanted.lines {
        return lines::send(&app, params.client(), edition, query, wanted.limit, wanted.view, unknown).await;
    }
    let limit = wanted.limit.unwrap_or(query.limit).min(app.limits.max_page);
    let query = query.limit(limit);
    let _place = app.regions.place(params.client())?;
    let page = in_turns(&app, &edition, &query).await?.ok_or_else(|| unknown().by(&edition.fingerprint))?;
    let advice = if page.records.is_empty() { shape::swapped(&query.region) } else { None };
    if params.wants_compact() {
        let mut list = CompactList::new();
        page.records.iter().try_for_each(|record| list.push(record))?;
        let response = compact::response(&edition, list.finish_page(page.next, advice)?);
        return Ok(compact::tagged(&edition, response));
    }
    let records: Vec<_> = page.records.iter().map(|record| wanted.view.record(record)).collect();
    let body = Advised { body: PageBody::new(records, page.next), advice };
    let mut response = whole(&edition, &body)?;
    response.headers_mut().insert(ETAG, edition.etag.clone());
    Ok(compact::varying(response))
}
