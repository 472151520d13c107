//! How records refer to the dataset of their areas.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dataset::Inner;
use crate::model::AreaSource;
use crate::{Area, AreaKind, Areas};

/// Spreads the references of records to their dataset over several counters. If all threads used
/// one counter, they would wait for its cache line, and lookups would not scale with more cores.
/// Each thread uses one of these handles.
pub(crate) struct Handles([Arc<Handle>; HANDLES]);

const HANDLES: usize = 32;

/// Has its cache lines for itself (two, since processors fetch them in pairs).
#[repr(align(128))]
struct Handle(Arc<Inner>);

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Returns the handle of this thread. Threads take handles in turn.
#[inline]
fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    match MINE.get() {
        usize::MAX => {
            let mine = NEXT.fetch_add(1, Ordering::Relaxed) % HANDLES;
            MINE.set(mine);
            mine
        }
        mine => mine,
    }
}

impl Handles {
    pub(crate) fn new(inner: &Arc<Inner>) -> Arc<Self> {
        Arc::new(Self(std::array::from_fn(|_| Arc::new(Handle(Arc::clone(inner))))))
    }

    #[inline]
    pub(crate) fn areas(&self, set: u32) -> Areas {
        Areas::shared(Arc::<Handle>::clone(&self.0[mine()]), set)
    }
}

impl AreaSource for Handle {
    fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>> {
        self.0.areas.area(&self.0.bytes, set, kind)
    }

    fn name(&self, set: u32, kind: AreaKind) -> Option<&str> {
        self.0.areas.name_in(&self.0.bytes, set, kind)
    }

    fn code(&self, set: u32, kind: AreaKind) -> Option<&str> {
        self.0.areas.code_in(&self.0.bytes, set, kind)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
