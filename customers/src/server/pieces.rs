//! Response bodies that are written piece by piece, so that none is in memory as a whole.

use std::future::Future;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures::stream::{self, StreamExt};
use tokio::sync::OwnedSemaphorePermit;

use super::App;
use super::problem::Problem;

/// How long the client may take to receive one such body.
const TIME: Duration = Duration::from_secs(300);

/// A piece of a body, and the state for the next one; without a state it is the last.
pub(super) type Piece<S> = Result<(Vec<u8>, Option<S>), Problem>;

impl App {
    /// Takes one of the places for bodies that are written piece by piece.
    ///
    /// # Errors
    /// 503 if all are taken.
    pub(super) fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.exports.clone().try_acquire_owned().map_err(|_| {
            let detail = format!(
                                "{} exports and reports are being sent, which is the most at once: try again in a few seconds",
                self.options.exports
            );
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_exports", detail)
        })
    }
}

/// Creates a body from pieces. Each is read after the client has taken the one before. The place is
/// freed when the body ends in any way. An error aborts the response, so that no client takes a
/// part for the whole.
pub(super) fn body<S, F>(turn: OwnedSemaphorePermit, first: S, next: impl Fn(S) -> F + Send + 'static) -> Body
where
    S: Send + 'static,
    F: Future<Output = Piece<S>> + Send + 'static,
{
    let end = tokio::time::Instant::now() + TIME;
    let pieces = stream::try_unfold(Some(first), move |state| {
        let step = state.map(&next);
        async move {
            let Some(step) = step else { return Ok(None) };
            let (piece, state) = tokio::time::timeout_at(end, step)
                .await
                .map_err(|_| format!("it took longer than {TIME:?}"))?
                .map_err(|problem| problem.detail().to_owned())?;
            Ok::<_, String>(Some((Bytes::from(piece), state)))
        }
    });
    let pieces = pieces.inspect(move |piece| {
        let _held = &turn;
        if let Err(error) = piece {
            tracing::warn!(error, "an export or report was aborted");
        }
    });
    Body::from_stream(pieces)
}
