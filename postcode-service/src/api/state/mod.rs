//! The state that all requests share: the data, the limits and the pools. It knows no routes.

mod address_root;
mod addresses;
mod answer_root;
mod answers;
#[cfg(feature = "mcp")]
mod assistants;
mod downloads;
mod edition;
mod file;
mod fleets;
mod limits;
mod readers;
mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use arc_swap::ArcSwap;
use postcode_edge::Access;

pub(super) use addresses::{Addresses, Current};
pub(super) use answers::Answers;
#[cfg(feature = "mcp")]
pub(super) use assistants::Assistants;
pub(super) use downloads::{Downloads, PATIENCE, hand_over};
pub use edition::Edition;
pub(super) use file::File;
pub(super) use fleets::Fleets;
pub use limits::Limits;
pub(super) use readers::Readers;
pub use readers::{NotAnOrigin, PageOrigin};
pub(super) use turns::Turns;

use crate::jobs::Jobs;

/// The state that all requests share.
#[derive(Clone, Debug)]
pub(in crate::api) struct App {
    pub(in crate::api) edition: Arc<ArcSwap<Edition>>,
    pub(in crate::api) ready: Arc<AtomicBool>,
    pub(in crate::api) reloads: Arc<Reloads>,
    pub(in crate::api) limits: Limits,
    pub(in crate::api) downloads: Downloads,
    pub(in crate::api) answers: Answers,
    pub(in crate::api) regions: Turns,
    pub(in crate::api) jobs: Jobs,
    pub(in crate::api) access: Access,
    pub(in crate::api) addresses: Addresses,
    pub(in crate::api) fleets: Fleets,
    pub(in crate::api) readers: Readers,
    #[cfg(feature = "mcp")]
    pub(in crate::api) assistants: Assistants,
}

/// How often the data was opened again.
#[derive(Debug)]
pub(crate) struct Reloads {
    pub(crate) done: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// When the current data was opened, in seconds since 1970.
    pub(crate) last: AtomicU64,
}

impl Default for Reloads {
    fn default() -> Self {
        Self { done: AtomicU64::new(0), failed: AtomicU64::new(0), last: AtomicU64::new(now()) }
    }
}

pub(in crate::api) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl App {
    pub(in crate::api) fn edition(&self) -> Arc<Edition> {
        self.edition.load_full()
    }
}
