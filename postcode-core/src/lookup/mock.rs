//! A mock of everything, made of the mock of each trait.

use async_trait::async_trait;

use super::places::{MockPlaceLookup, PlaceLookup};
use super::postcodes::{MockPostcodeLookup, PostcodeLookup};
use super::scotland::{MockScottishLookup, ScottishLookup};
use crate::Result;

/// A [`Lookups`](crate::Lookups) for tests: set expectations on the mock of each trait.
///
/// ```
/// use postcode_core::{DatasetInfo, MockLookups, PostcodeLookup};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> postcode_core::Result<()> {
/// let mut mock = MockLookups::default();
/// mock.postcodes.expect_info().returning(|| Ok(DatasetInfo::new("of a test")));
/// assert_eq!(mock.info().await?.edition, "of a test");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MockLookups {
    /// Answers what is asked about postcodes.
    pub postcodes: MockPostcodeLookup,
    /// Answers what is asked about places.
    pub places: MockPlaceLookup,
    /// Answers what is asked about the Scottish Postcode Directory.
    pub scotland: MockScottishLookup,
}

macro_rules! mocked {
    ([$field:ident] $trait:ident $(
        $method:ident $call:ident $hook:ident $same:ident
        ($(&$by_ref:ident: $of:ty),*; $($value:ident: $type:ty),*) -> $reply:ty;
    )*) => {
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl $trait for MockLookups {
            $(async fn $method(&self, $($by_ref: &$of,)* $($value: $type),*) -> Result<$reply> {
                self.$field.$method($($by_ref,)* $($value),*).await
            })*
        }
    };
}

crate::postcode_operations!([mocked][postcodes]);
crate::place_operations!([mocked][places]);
crate::scottish_operations!([mocked][scotland]);
