//! Calls the other implementation too, without delaying the caller.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::core::{Core, Course};
use super::example::Cause;
use super::guard::Seen;
use super::side::Promotable;
use crate::layers::call::Call;
use crate::layers::{deadline, is_fault, span, unit};
use crate::lookup::unit::comparing;
use crate::{Error, ErrorKind, Result};

/// The answer of one side, and the edition it came from if that is known.
pub(super) type Sided<R> = (Result<R>, Option<Arc<str>>);

/// Compares the old implementation's answer with the new one's.
pub(super) fn with_new<S: Promotable, C: Call<S>>(
    core: &Arc<Core<S>>,
    course: Course,
    call: C,
    old: &Sided<C::Reply>,
) {
    let Some((runtime, permit)) = leave(core, course, &call, &old.0) else { return };
    let (core, call, old) = (core.clone(), call.into_owned(), old.clone());
    let compare = async move {
        let _permit = permit;
        let patience = core.config.patience;
        let new = unit::answered(core.ask_new(&call, course, Some(patience))).await;
        core.settle(course, &call, &old, &new).await;
    };
    spawn(&runtime, C::NAME, Box::pin(compare));
}

/// Compares the new implementation's answer with the old one's.
pub(super) fn with_old<S: Promotable, C: Call<S>>(
    core: &Arc<Core<S>>,
    course: Course,
    call: C,
    new: &Sided<C::Reply>,
) {
    let Some((runtime, permit)) = leave(core, course, &call, &new.0) else { return };
    let (core, call, new) = (core.clone(), call.into_owned(), new.clone());
    let compare = async move {
        let _permit = permit;
        let ask = unit::answered(core.ask_old(&call, course, true));
        if let Ok(old) = timeout(core.config.patience, ask).await {
            core.settle(course, &call, &old, &new).await;
        }
    };
    spawn(&runtime, C::NAME, Box::pin(compare));
}

/// Spawns a comparison. The future is boxed, so that tokio's task code is compiled once and not for each method.
fn spawn(runtime: &Handle, method: &'static str, compare: BoxFuture<'static, ()>) {
    runtime.spawn(span::within(span::comparison(method), comparing(deadline::without(compare))));
}

/// Returns permission to compare an answer now: a runtime, and one of the limited places.
fn leave<S: Promotable, C: Call<S>>(
    core: &Core<S>,
    course: Course,
    _call: &C,
    answer: &Result<C::Reply>,
) -> Option<(Handle, OwnedSemaphorePermit)> {
    // A demand for another edition says nothing about the answer.
    let no_answer = |error: &Error| is_fault(error) || error.kind() == ErrorKind::EditionMoved;
    if !C::COMPARABLE || answer.as_ref().is_err_and(no_answer) {
        return None;
    }
    let leave = Handle::try_current().ok().zip(core.comparisons.clone().try_acquire_owned().ok());
    if leave.is_none() {
        core.row(course).skipped.fetch_add(1, Relaxed);
    }
    leave
}

/// Returns whether two answers agree. `None` if one of the two could not answer.
fn agree<R: PartialEq>(one: &Result<R>, other: &Result<R>) -> Option<bool> {
    match (one, other) {
        (Ok(one), Ok(other)) => Some(one == other),
        (Err(one), Err(other)) if !is_fault(one) && !is_fault(other) => Some(one.kind() == other.kind()),
        (Ok(_), Err(error)) | (Err(error), Ok(_)) if !is_fault(error) => Some(false),
        _ => None,
    }
}

impl<S: Promotable> Core<S> {
    /// Counts a comparison, unless one of the two could not answer.
    async fn settle<C: Call<S>>(
        &self,
        course: Course,
        call: &C,
        old: &Sided<C::Reply>,
        new: &Sided<C::Reply>,
    ) {
        let Some(matched) = agree(&old.0, &new.0) else { return };
        let row = self.row(course);
        let mut is_code = false;
        if matched {
            row.matched.fetch_add(1, Relaxed);
        } else {
            // What the difference comes from is counted with it, so that both counts agree.
            let cause = self.cause(call, old, new).await;
            is_code = cause == Cause::Code;
            row.count(cause);
            self.differences.add(&row.name, cause, call, &old.0, &new.0, self.config.max_examples);
        }
        self.note(course, Seen { matched: Some(!is_code), ..Seen::default() });
    }

    /// Finds out why two answers differ.
    async fn cause<C: Call<S>>(&self, call: &C, old: &Sided<C::Reply>, new: &Sided<C::Reply>) -> Cause {
        let patience = self.config.patience;
        // A lookup that does not hold to editions may note the edition of another lookup that it asked. Ignore it.
        let noted = |side: &Option<Arc<str>>| side.clone().filter(|_| S::HOLDS_EDITIONS);
        let (old_noted, new_noted) = (noted(&old.1), noted(&new.1));
        let (old_edition, new_edition) = match (&old_noted, &new_noted) {
            (Some(old), Some(new)) => (Some(old.clone()), Some(new.clone())),
            // An answer that a cache kept does not tell, but the implementation may.
            _ => {
                let old_now = self.edition_of(&self.old);
                let new_now = self.edition_of(&self.new);
                let (old_now, new_now) = futures::join!(old_now, new_now);
                (old_noted.or(old_now), new_noted.or(new_now))
            }
        };
        if let (Some(old), Some(expected)) = (&old_edition, &new_edition)
            && old != expected
        {
            return match self.predicted(call, expected).await {
                // The old code with the new data answers otherwise.
                Some(predicted) if agree(&predicted, &new.0) == Some(false) => Cause::Code,
                _ => Cause::Edition,
            };
        }
        // One edition, or nothing says otherwise: does the old implementation agree with itself?
        let demanded = old_edition.as_deref().filter(|_| S::HOLDS_EDITIONS).unwrap_or_default();
        let again = unit::at_edition(demanded, call.on(&self.old));
        match timeout(patience, again).await {
            Ok(again) if agree(&again, &old.0) == Some(false) && !is_moved(&again) => Cause::Noise,
            _ => Cause::Code,
        }
    }

    async fn edition_of(&self, side: &S) -> Option<Arc<str>> {
        let fingerprint = timeout(self.config.patience, side.fingerprint()).await.ok()?.ok()?;
        (!fingerprint.is_empty()).then(|| fingerprint.into())
    }

    /// Returns the answer of the old code with the new data, if there is such a lookup and it has this
    /// edition.
    async fn predicted<C: Call<S>>(&self, call: &C, edition: &Arc<str>) -> Option<Result<C::Reply>> {
        let predictor = self.predictor.get()?;
        let demanded = if S::HOLDS_EDITIONS { &**edition } else { "" };
        let ask = unit::answered(unit::at_edition(demanded, call.on(predictor)));
        let (answer, from) = timeout(self.config.patience, ask).await.ok()?;
        let from = if S::HOLDS_EDITIONS { from } else { self.edition_of(predictor).await };
        (from.as_ref() == Some(edition)).then_some(answer)
    }
}

fn is_moved<R>(answer: &Result<R>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::EditionMoved)
}
