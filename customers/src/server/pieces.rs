//! Response bodies that are written piece by piece, so that none is in memory as a whole.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use futures::stream::{self, StreamExt};
use postcode_edge::{ClientKey, Place};

use super::problem::Problem;
use super::{App, LISTING_WAIT};

/// How long the client may take to receive one such body.
const TIME: Duration = Duration::from_secs(300);

/// A piece of a body, and the state for the next one; without a state it is the last.
pub(super) type Piece<S> = Result<(Vec<u8>, Option<S>), Problem>;

/// The client of a request, by which places are counted.
pub(super) struct Asker(ClientKey);

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(ClientKey::of(&parts.extensions)))
    }
}

impl App {
    /// Takes one of the places for bodies that are written piece by piece.
    ///
    /// # Errors
    /// 503 if all are taken, or all that one client may have.
    pub(super) fn turn(&self, Asker(client): Asker) -> Result<Place, Problem> {
        self.exports.enter(client).map_err(|_| {
            let detail = format!(
                "too many exports and reports are being sent: at most {} at once, and half of them to one client. \
                 Try again in a few seconds",
                self.options.exports
            );
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_exports", detail)
        })
    }

    /// Waits for one of the places for reads of many rows, so that no client has all of them.
    ///
    /// # Errors
    /// 503 if none becomes free.
    pub(super) async fn listing_turn(&self, Asker(client): Asker) -> Result<Place, Problem> {
        self.listings.enter_within(client, LISTING_WAIT).await.map_err(|_| {
            let detail = "too many listings, searches and histories are being read: try again in a moment";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
        })
    }
}

/// Creates a body from pieces. Each is read after the client has taken the previous one. The place is
/// freed when the body ends in any way. An error aborts the response, so that no client takes a
/// part for the whole. So does the loss of the place to another client.
pub(super) fn body<S, F>(turn: Place, first: S, next: impl Fn(S) -> F + Send + 'static) -> Body
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
    let pieces = Arc::new(turn).counted(Box::pin(pieces)).inspect(|piece| {
        if let Err(error) = piece {
            tracing::warn!(%error, "an export or report was aborted");
        }
    });
    Body::from_stream(pieces)
}
