//! `GET /postcodes?q=`: the search of postcodes.io, which is also its autocomplete.

use postcode_core::wire::Shape;
use postcode_core::{MAX_QUERY, Record, Result};

use super::failure::{Failure, Outcome};
use super::params::{Params, is_space};
use super::reply;
use super::view::View;
use super::{Edition, compact};

/// Searches by `q`, or by `query` if that is empty.
pub(super) async fn search(edition: &Edition, params: &Params) -> Outcome {
    let text = params.get("q").or_else(|| params.get("query")).unwrap_or_default();
    let asked = params.shape() == Shape::Extended && params.first("q").is_some();
    // The trait finds all postcodes by an empty text; postcodes.io refuses it.
    if !asked && text.chars().all(is_space) {
        let failure =
            Failure::bad_request("No postcode query submitted. Remember to include query parameter");
        return Err(failure.advise("Give q with a part of a postcode, or lon and lat in degrees (WGS84)"));
    }
    let records = find(edition, &text, params.search_limit()).await?;
    if params.wants_compact() {
        return compact::cached(edition, &records).await;
    }
    let view = View::of(params);
    let views: Vec<_> = records.iter().map(|record| view.record(record)).collect();
    reply::records(edition, &(!views.is_empty()).then_some(views)).map(compact::varying)
}

/// No postcode contains a text that is longer than the contract allows.
pub(super) async fn find(edition: &Edition, text: &str, limit: usize) -> Result<Vec<Record>> {
    if text.len() > MAX_QUERY {
        return Ok(Vec::new());
    }
    edition.lookup.search(text, limit).await
}
