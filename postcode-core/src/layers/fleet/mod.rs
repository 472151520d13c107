//! Many processes that follow one plan of a promotion.
//!
//! A [`Fleet`] holds the plan, with a revision, and the counts of the processes. A [`FleetMember`] is one
//! process: it applies each newer plan to its [`Promotion`](super::Promotion) and reports what it has
//! observed. [`follow`] keeps a member up to date over any [`FleetLink`]: a postcode-service
//! (`Remote` with the feature `http`) or a [`PlanFile`].
//!
//! - A plan with an older revision never follows a newer one, wherever it comes from.
//! - The guard of the fleet counts the calls of all processes together. A step back is a new revision.
//! - Each process has its own guard as well, for the time in which the fleet can't be reached.
//! - No call of a lookup waits for the fleet. If it is gone, processes go on with the last plan, which
//!   they also keep in a file.
//!
//! ```
//! # async fn example(library: std::sync::Arc<dyn postcode_core::Lookups>,
//! #     service: std::sync::Arc<dyn postcode_core::Lookups>) -> postcode_core::Result<()> {
//! use std::sync::Arc;
//! use postcode_core::layers::Promotion;
//! use postcode_core::layers::fleet::{FleetMember, Following, PlanFile, follow};
//!
//! let promotion = Promotion::new(library, service);
//! let member = Arc::new(FleetMember::new(promotion.clone(), "orders-1")?);
//! tokio::spawn(follow(member, Arc::new(PlanFile::new("/etc/postcode/plan.json")), Following::default()));
//! # Ok(()) }
//! ```

mod file;
mod following;
mod hub;
mod link;
mod member;
mod plan;
mod report;
mod snapshot;

pub use file::{PlanFile, read_plan, write_plan};
pub use following::{Following, begin, follow};
pub use hub::{Fleet, FleetLimits, SetError};
pub use link::FleetLink;
pub use member::{FleetMember, MemberStatus};
pub use plan::{FleetPlan, MAX_REVISION};
pub use report::{FleetReport, MAX_PROCESS_NAME, RowReport};
pub use snapshot::{Acknowledged, FleetProcess, FleetRow, FleetSnapshot};
