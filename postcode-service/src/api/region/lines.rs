//! A whole region as lines of JSON, one postcode each, written while it is read: no answer is too
//! long.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use postcode_core::wire::{EDITION_HEADER, HasRecords, RecordText};
use postcode_core::{Page, Within};
use postcode_edge::ClientKey;

use super::turns::in_turns;
use crate::api::failure::{Failure, Outcome};
use crate::api::state::{Downloads, hand_over};
use crate::api::view::View;
use crate::api::{App, Edition};

/// The media type that a client accepts to get lines.
pub(super) const TYPE: &str = "application/x-ndjson";

/// Postcodes that are looked up and written at once: some hundred kilobytes.
const AT_ONCE: usize = 200;

/// Sends at most `limit` postcodes, or all. Looks the first part up before it answers, so that an
/// error in the query gets its proper status.
pub(super) async fn send(
    app: &App,
    client: ClientKey,
    edition: Arc<Edition>,
    mut query: Within,
    limit: Option<usize>,
    view: View,
    unknown: impl FnOnce() -> Failure,
) -> Outcome {
    let place = app.downloads.place(client)?;
    let mut left = limit.unwrap_or(usize::MAX);
    query.limit = AT_ONCE.min(left);
    let mut page =
        in_turns(app, &edition, &query).await?.ok_or_else(|| unknown().by(&edition.fingerprint))?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(TYPE)),
        (http::HeaderName::from_static(EDITION_HEADER), edition.fingerprint.clone()),
        (VARY, HeaderValue::from_name(ACCEPT)),
    ];
    let (send, body) = Downloads::channel();
    let app = app.clone();
    tokio::spawn(async move {
        loop {
            left = left.saturating_sub(page.records.len());
            let chunk = written(&page, &view);
            if !hand_over(&send, chunk, &place).await {
                break;
            }
            let Some(next) = page.next.filter(|_| left > 0) else { break };
            query.limit = AT_ONCE.min(left);
            query.after = Some(next);
            let more = tokio::select! {
                more = in_turns(&app, &edition, &query) => more,
                // The client has gone.
                () = send.closed() => break,
            };
            page = match more.and_then(|page| page.ok_or_else(|| Failure::internal("the region has gone"))) {
                Ok(page) => page,
                Err(error) => {
                    // A body that breaks off is an error to the client; one that just ends would
                    // look complete.
                    tracing::error!(error = ?error, "a region could not be read to its end");
                    let error = std::io::Error::other("the region could not be read to its end");
                    hand_over(&send, Err(error), &place).await;
                    break;
                }
            };
        }
        drop(place);
    });
    let response: Response = (headers, body).into_response();
    Ok(response)
}

fn written(page: &Page, view: &View) -> std::io::Result<Bytes> {
    let mut lines = RecordText::of_many(Vec::with_capacity(page.records.len() * 2_048));
    for record in &page.records {
        view.record(record).write(&mut lines)?;
        lines.raw("\n");
    }
    Ok(lines.into_bytes().into())
}
