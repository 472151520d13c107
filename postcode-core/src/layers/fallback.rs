//! Another implementation for when the first has a fault.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::call::Call;
use super::{Around, is_fault};
use crate::{AnyLookup, ErrorKind, Lookups, Result, layer};

/// Asks a second implementation what the first one could not answer, and counts how often.
///
/// On any error but [`InvalidInput`](ErrorKind::InvalidInput), which the second would answer too. If both have a
/// fault the caller sees the first one's: that is the one to mend.
#[derive(Debug)]
pub struct Fallback {
    first: AnyLookup,
    second: AnyLookup,
    fallbacks: AtomicU64,
}

impl Fallback {
    /// The one to ask, and the one to ask when that fails.
    pub fn new(first: impl Lookups, second: impl Lookups) -> Self {
        Self { first: AnyLookup::new(first), second: AnyLookup::new(second), fallbacks: AtomicU64::new(0) }
    }

    /// How often the second was asked.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks.load(Relaxed)
    }
}

impl Around for Fallback {
    type Inner = AnyLookup;

    async fn around<C: Call<AnyLookup>>(&self, call: C) -> Result<C::Reply> {
        match call.on(&self.first).await {
            Err(error) if error.kind() != ErrorKind::InvalidInput => {
                self.fallbacks.fetch_add(1, Relaxed);
                call.on(&self.second).await.map_err(|second| if is_fault(&second) { error } else { second })
            }
            answer => answer,
        }
    }
}

layer!([] Fallback);
