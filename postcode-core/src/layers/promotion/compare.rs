//! Calls the other implementation too, without delaying the caller.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::core::{Core, Course};
use super::guard::Seen;
use super::snapshot::Example;
use crate::layers::call::Call;
use crate::layers::{deadline, is_fault};
use crate::{AnyLookup, Error, ErrorKind, Result};

/// Compares the old implementation's answer with the new one's.
pub(super) fn with_new<C: Call<AnyLookup>>(
    core: &Arc<Core>,
    course: Course,
    call: C,
    old: &Result<C::Reply>,
) {
    let Some((runtime, permit)) = leave(core, course, &call, old) else { return };
    let (core, call, old) = (core.clone(), call.into_owned(), old.clone());
    runtime.spawn(async move {
        let _permit = permit;
        let patience = core.config.patience;
        let new = deadline::without(core.ask_new(&call, course, Some(patience))).await;
        core.settle(course, &call, &old, &new);
    });
}

/// Compares the new implementation's answer with the old one's.
pub(super) fn with_old<C: Call<AnyLookup>>(
    core: &Arc<Core>,
    course: Course,
    call: C,
    new: &Result<C::Reply>,
) {
    let Some((runtime, permit)) = leave(core, course, &call, new) else { return };
    let (core, call, new) = (core.clone(), call.into_owned(), new.clone());
    runtime.spawn(async move {
        let _permit = permit;
        let old = timeout(core.config.patience, deadline::without(core.ask_old(&call, course, true))).await;
        if let Ok(old) = old {
            core.settle(course, &call, &old, &new);
        }
    });
}

/// Returns permission to compare an answer now: a runtime, and one of the limited places.
fn leave<C: Call<AnyLookup>>(
    core: &Core,
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

impl Core {
    /// Counts a comparison, unless one of the two could not answer.
    fn settle<C: Call<AnyLookup>>(
        &self,
        course: Course,
        call: &C,
        old: &Result<C::Reply>,
        new: &Result<C::Reply>,
    ) {
        let matched = match (old, new) {
            (Ok(old), Ok(new)) => old == new,
            (Err(old), Err(new)) if !is_fault(old) && !is_fault(new) => old.kind() == new.kind(),
            (Ok(_), Err(error)) | (Err(error), Ok(_)) if !is_fault(error) => false,
            _ => return,
        };
        let row = self.row(course);
        let count = if matched { &row.matched } else { &row.mismatched };
        count.fetch_add(1, Relaxed);
        if !matched {
            self.keep(course, call, old, new);
        }
        self.note(course, Seen { matched: Some(matched), ..Seen::default() });
    }

    /// Keeps an example, unless there are enough or one of the same call.
    fn keep<C: Call<AnyLookup>>(
        &self,
        course: Course,
        call: &C,
        old: &Result<C::Reply>,
        new: &Result<C::Reply>,
    ) {
        let mut examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        if examples.len() < self.config.max_examples {
            let (query, old, new) = match (old, new) {
                (Ok(old), Ok(new)) => call.difference(old, new),
                _ => (call.to_string(), format!("{old:#?}"), format!("{new:#?}")),
            };
            if examples.iter().all(|example| example.query != query) {
                let row = self.row(course).name.clone();
                examples.push(Example { row, ..Example::new(query, &old, &new) });
            }
        }
    }
}
