//! The lookup traits, and everything that is made from the list of their operations.
//!
//! An operation is added in the file of its trait: its method, its line in the list below the trait, and the words that
//! name its call. Forwarding, layers, the client's dispatch, mocks and calls as values follow from the list. The answers
//! are written in `local`, in `remote` and in the reference of `conformance`.

mod around;
// Public through `layers::call`, if that feature is on.
#[cfg_attr(not(feature = "layers"), allow(unreachable_pub))]
pub(crate) mod call;
mod ext;
mod forward;
#[cfg(feature = "mock")]
mod mock;
mod pages;
mod places;
mod postcodes;
mod scotland;
pub(crate) mod trace;
pub mod unit;

pub use around::Around;
pub use ext::PostcodeLookupExt;
pub use forward::{AnyLookup, Lookups};
pub use pages::Pages;
pub use places::PlaceLookup;
pub(crate) use places::place_calls;
pub use postcodes::PostcodeLookup;
pub(crate) use postcodes::postcode_calls;
pub use scotland::ScottishLookup;
pub(crate) use scotland::scottish_calls;
#[cfg(feature = "mock")]
pub use {
    mock::MockLookups, places::MockPlaceLookup, postcodes::MockPostcodeLookup, scotland::MockScottishLookup,
};
