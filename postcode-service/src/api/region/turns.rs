//! Pages of regions, read on separate threads.

use postcode_core::{Page, Within};

use crate::api::failure::Failure;
use crate::api::{App, Edition};

/// Reads a page on separate threads, so that lookups are not delayed. Stops if the request is
/// dropped.
pub(in crate::api) async fn in_turns(
    app: &App,
    edition: &Edition,
    query: &Within,
) -> Result<Option<Page>, Failure> {
    let (lookup, query) = (edition.lookup.clone(), query.clone());
    Ok(app.regions.work(async move { lookup.within(&query).await }).await??)
}
