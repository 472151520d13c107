//! `GET /jobs/{id}/result`: the rows go out, whole or a range of their bytes.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE,
};
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode};
use postcode_edge::{ClientKey, Place};

use super::super::App;
use super::super::dataset_file::range::{self, Wanted};
use super::super::enrich::csv_in;
use super::super::failure::{Failure, Outcome};
use super::caller::{find, no_such_job, there};
use super::room::place;
use crate::jobs::job::{Job, State as JobState};
use crate::jobs::store::Store;

pub(super) async fn result(
    State(app): State<App>,
    Path(id): Path<String>,
    method: Method,
    extensions: Extensions,
    headers: HeaderMap,
) -> Outcome {
    let store = there(&app).await?;
    let job = find(&*store, &headers, &id).await?;
    if job.state != JobState::Succeeded {
        return Err(none_yet(&job));
    }
    let lengths = store.lengths(&id).await?;
    // Cleared just now.
    if lengths.is_empty() && job.total > 0 {
        return Err(no_such_job());
    }
    let lengths: Vec<usize> = lengths.into_iter().map(|len| usize::try_from(len).unwrap_or(0)).collect();
    let len: usize = lengths.iter().sum();
    // A result never changes, and its job's id is never given again.
    let etag = value(format!("\"{id}\""))?;
    let same = headers.get(IF_RANGE).is_none_or(|known| *known == etag);
    let wanted = headers.get(RANGE).filter(|_| same).map_or(Wanted::All, |range| range::parse(range, len));
    let (status, part) = match wanted {
        Wanted::All => (StatusCode::OK, 0..len),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => {
            let mut response = described(StatusCode::RANGE_NOT_SATISFIABLE, etag);
            response.headers_mut().insert(CONTENT_RANGE, value(format!("bytes */{len}"))?);
            return Ok(response);
        }
    };
    let (kind, extension) = match job.format.as_str() {
        "csv" => (csv_in(job.encoding(), &[]), "csv"),
        _ => ("application/x-ndjson", "ndjson"),
    };
    let mut response = described(status, etag);
    let told = response.headers_mut();
    told.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    told.insert(CONTENT_LENGTH, part.len().into());
    told.insert(CONTENT_DISPOSITION, value(format!("attachment; filename=\"{id}.{extension}\""))?);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = part.end.saturating_sub(1);
        told.insert(CONTENT_RANGE, value(format!("bytes {}-{last}/{len}", part.start))?);
    }
    if method != Method::HEAD {
        let place = place(app.jobs.downloads(), ClientKey::of(&extensions), "downloads of results")?;
        *response.body_mut() = sent(store, id, pieces(&lengths, &part), place);
    }
    Ok(response)
}

fn none_yet(job: &Job) -> Failure {
    let reason = job.reason.as_deref().unwrap_or("no reason was given");
    let (text, code) = match job.state {
        JobState::Failed => (format!("The job has failed and has no result: {reason}"), "job_failed"),
        JobState::Cancelled => ("The job was cancelled and has no result".to_owned(), "job_cancelled"),
        state => {
            let text = format!("The job is {state}: {} of {} rows are done", job.done, job.total);
            return Failure::new(StatusCode::CONFLICT, text, "job_not_ended").retryable(Some(1));
        }
    };
    Failure::new(StatusCode::CONFLICT, text, code)
}

/// Returns which bytes of which parts make up the range.
fn pieces(lengths: &[usize], wanted: &Range<usize>) -> Vec<(i64, Range<usize>)> {
    let mut start = 0;
    let mut pieces = Vec::new();
    for (number, len) in (0..).zip(lengths) {
        let of_part =
            wanted.start.clamp(start, start + len) - start..wanted.end.clamp(start, start + len) - start;
        if !of_part.is_empty() {
            pieces.push((number, of_part));
        }
        start += len;
    }
    pieces
}

/// Sends the parts one at a time, as fast as the client reads.
fn sent(store: Arc<dyn Store>, id: String, pieces: Vec<(i64, Range<usize>)>, place: Arc<Place>) -> Body {
    let begun = (store, id, pieces.into_iter());
    let parts = stream::try_unfold(begun, async |(store, id, mut pieces)| {
        let Some((number, range)) = pieces.next() else { return Ok(None) };
        let output = store.output(&id, number).await.map_err(std::io::Error::other)?;
        // A client sees an error if the answer is cut off, and can resume from there with a
        // `Range`.
        let cleared = || std::io::Error::other("the result was cleared while it was read");
        let output =
            output.map(Bytes::from).filter(|output| output.len() >= range.end).ok_or_else(cleared)?;
        Ok::<_, std::io::Error>(Some((output.slice(range), (store, id, pieces))))
    });
    Body::from_stream(place.counted(Box::pin(parts)))
}

fn described(status: StatusCode, etag: HeaderValue) -> Response {
    (status, [(ETAG, etag), (ACCEPT_RANGES, HeaderValue::from_static("bytes"))], Body::empty())
        .into_response()
}

fn value(text: String) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(text).map_err(|e| Failure::internal(format!("a header could not be written: {e}")))
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn a_range_is_put_together_of_parts() {
        let lengths = [10, 0, 5, 20];
        assert_eq!(pieces(&lengths, &(0..35)), [(0, 0..10), (2, 0..5), (3, 0..20)]);
        assert_eq!(pieces(&lengths, &(9..11)), [(0, 9..10), (2, 0..1)]);
        assert_eq!(pieces(&lengths, &(34..35)), [(3, 19..20)]);
        assert_eq!(pieces(&lengths, &(5..5)), []);
        assert_eq!(pieces(&[], &(0..0)), []);
    }
}
