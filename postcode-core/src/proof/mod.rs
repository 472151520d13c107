//! The answer root: one hash over the answers to every postcode, outcode and place.
//!
//! Two sources with equal roots give equal answers. If the roots differ, the tree below them leads to
//! the answers that differ in a few requests:
//!
//! ```text
//! root ─▶ area SW ─▶ outcode SW1A ─▶ sector SW1A 1 ─▶ SW1A 1AA, …
//!      └▶ places  ─▶ places 3f    ─▶ osgb4000000074558, …
//! ```
//!
//! A leaf is the SHA-256 of an answer as `POST /postcodes?extended=true` writes it, and of the results
//! of `GET /outcodes/…` and `GET /places/…`. So it covers what the code answers and not only the file,
//! and any program can compute it again.

mod descend;
mod hash;
mod root;
mod tree;

pub use descend::{Comparison, Hashes, Source, compare};
pub use hash::VERSION;
#[doc(hidden)]
pub use hash::{of_leaf, of_node};
pub use root::root_of;
pub use tree::Tree;
#[doc(hidden)]
pub use tree::{Children, Nodes, by_outcode, sector_of, sectors};
