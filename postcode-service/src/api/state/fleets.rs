//! The fleet whose plan a server keeps.

use std::sync::{Arc, OnceLock};

use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_core::layers::fleet::Fleet;
use postcode_edge::{Pool, Yields};

use crate::api::failure::Failure;

/// The fleet of this server, if it keeps the plan of one.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Fleets(Arc<OnceLock<Kept>>);

#[derive(Debug)]
pub(in crate::api) struct Kept {
    pub(in crate::api) fleet: Fleet,
    /// Places for requests that wait for a newer plan.
    pub(in crate::api) waiting: Pool,
}

impl Fleets {
    /// Sets the fleet, once.
    pub(in crate::api) fn set(&self, fleet: Fleet) {
        // All processes may have the same token, and one client has half of the places.
        let waiting = Pool::new(fleet.limits().processes.saturating_mul(2), Yields::Longest);
        let _ = self.0.set(Kept { fleet, waiting });
    }

    pub(in crate::api) fn get(&self) -> Option<&Fleet> {
        self.0.get().map(|kept| &kept.fleet)
    }

    /// Ends all waits.
    pub(in crate::api) fn close(&self) {
        if let Some(kept) = self.0.get() {
            kept.fleet.close();
        }
    }

    pub(in crate::api) fn there(&self) -> Result<&Kept, Failure> {
        self.0.get().ok_or_else(|| {
            let text = "This server keeps no plan of a fleet. Start it with --fleet FILE";
            Failure::new(StatusCode::NOT_IMPLEMENTED, text, ErrorKind::NotSupported.code())
        })
    }
}
