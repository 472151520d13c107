//! Predicts what another place of the lookup would cost, and says whether moving gains anything.
//!
//! Three things go in: a [`LedgerSnapshot`](super::LedgerSnapshot) of what callers ask, [`PlaceCosts`] that a
//! [`probe`] of this machine has measured, and a [`Deployment`] with the processes and the prices.
//! [`advise`] is a function of these alone, so its result can be checked later and elsewhere.

mod echo;
mod place;
mod predict;
mod probe;
mod verdict;

pub use self::echo::{Echo, echo};
pub use self::place::{Deployment, Memory, Place, PlaceCosts, WorkCost};
pub use self::predict::{CallCosts, Prediction, Use, known_places, predict, price};
pub use self::probe::{Work, probe};
pub use self::verdict::{Advice, Saving, advise, choose};
