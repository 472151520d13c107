//! Spans of the calls, for subscribers of the crate `tracing`. Without one they cost a load from memory.
//!
//! They have the target `postcode_core::seam` and the level `DEBUG`.

use tracing::field::Empty;
#[cfg(feature = "dataset")]
use tracing::span::EnteredSpan;
use tracing::{Instrument, Span};

#[cfg(feature = "http")]
use crate::lookup::{trace::TraceParent, unit};

macro_rules! span {
    ($name:literal, $($fields:tt)*) => {{
        let span = tracing::debug_span!(target: "postcode_core::seam", $name, $($fields)*);
        (!span.is_disabled()).then_some(span)
    }};
}

/// Creates the span of a call of the trait. `None` if nobody subscribes.
#[cfg(any(feature = "dataset", feature = "http"))]
#[inline]
pub(crate) fn call(method: &str, side: &str) -> Option<Span> {
    span!("call", method, side, edition = Empty)
}

/// Creates the span of a call through a promotion.
#[inline]
pub(crate) fn promotion(method: &str) -> Option<Span> {
    span!("promotion", method, row = Empty, stage = Empty, side = Empty, edition = Empty, fell_back = Empty)
}

/// Creates the span of a call that is made to compare its answer, linked to the running one.
pub(crate) fn comparison(method: &str) -> Option<Span> {
    let caller = Span::current();
    let span = tracing::debug_span!(target: "postcode_core::seam", parent: None, "comparison", method);
    span.follows_from(&caller);
    (!span.is_disabled()).then_some(span)
}

/// Creates the span of one call for several callers. It belongs to the trace of the first.
#[inline]
pub(crate) fn shared() -> Option<Span> {
    span!("shared",)
}

/// Creates the span of another caller that joins a shared call. The shared call follows from it.
#[inline]
pub(crate) fn joined(shared: Option<&Span>) -> Option<Span> {
    let joined = span!("joined",)?;
    shared?.follows_from(&joined);
    Some(joined)
}

/// Creates the span of one of several attempts, counted from 1.
pub(crate) fn attempt(attempt: usize) -> Option<Span> {
    span!("attempt", attempt)
}

/// Creates the span of one request, with the ids that it has for the server.
#[cfg(feature = "http")]
pub(crate) fn request(attempt: usize, ids: TraceParent, parent: Option<u64>) -> Option<Span> {
    let span = span!("request", attempt, trace_id = Empty, span_id = Empty, parent_id = Empty)?;
    span.record("trace_id", tracing::field::display(format_args!("{:032x}", ids.trace)));
    span.record("span_id", tracing::field::display(format_args!("{:016x}", ids.span)));
    if let Some(parent) = parent {
        span.record("parent_id", tracing::field::display(format_args!("{parent:016x}")));
    }
    Some(span)
}

/// Enters the span of a call that is answered without waiting.
#[cfg(feature = "dataset")]
#[inline]
pub(crate) fn entered(method: &str, edition: &str) -> Option<EnteredSpan> {
    let span = call(method, "local")?;
    span.record("edition", edition);
    Some(span.entered())
}

/// Runs a future in a span, if there is one.
pub(crate) async fn within<F: Future>(span: Option<Span>, future: F) -> F::Output {
    match span {
        None => future.await,
        Some(span) => future.instrument(span).await,
    }
}

/// Runs a call in its span, and notes the edition that it was answered from.
#[cfg(feature = "http")]
pub(crate) async fn called<F: Future>(method: &str, side: &str, future: F) -> F::Output {
    match call(method, side) {
        None => future.await,
        Some(span) => {
            let (output, edition) = unit::answered(future.instrument(span.clone())).await;
            if let Some(edition) = edition {
                span.record("edition", &*edition);
            }
            output
        }
    }
}
