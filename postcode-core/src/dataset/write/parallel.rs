//! Runs independent parts of a job on all cores.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// More threads than this are not faster: memory is the limit then.
const MAX_THREADS: usize = 8;

/// Runs `act` on each part, the first ones first, on this thread and others. Returns the results in
/// the order of the parts. If the system provides no more threads, this one does everything.
pub(crate) fn map<T: Send, R: Send>(parts: Vec<T>, act: impl Fn(T) -> R + Sync) -> Vec<R> {
    let helpers = threads().min(parts.len()).saturating_sub(1);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(parts.iter().map(|_| None).collect());
    let queue = Mutex::new(parts.into_iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some((n, part)) = next() {
            let result = act(part);
            if let Some(slot) = results.lock().unwrap_or_else(PoisonError::into_inner).get_mut(n) {
                *slot = Some(result);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..helpers {
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect()
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS)
}
