//! The lookups that a promotion can be between.

use std::fmt::Debug;

use super::plan::METHODS;
use crate::{AnyLookup, PostcodeLookup, Result};

/// A lookup that a [`Promotion`](super::Promotion) can move callers from and to.
///
/// [`AnyLookup`] is one. `postcode-addresses` has another for addresses.
pub trait Promotable: Debug + Send + Sync + 'static {
    /// The methods, by trait. A plan may have a row for each, except for the one that tells the edition.
    const METHODS: &'static [&'static [&'static str]];
    /// Whether the lookup answers from the edition that [`unit::at_edition`](crate::unit::at_edition) demands, and
    /// tells [`unit::answered`](crate::unit::answered) which one it answered from. If not, the promotion finds
    /// editions out by [`fingerprint`](Self::fingerprint) only.
    const HOLDS_EDITIONS: bool;

    /// Asks for the fingerprint of the edition. It is empty if the lookup does not tell.
    fn fingerprint(&self) -> impl Future<Output = Result<String>> + Send;
}

impl Promotable for AnyLookup {
    const METHODS: &'static [&'static [&'static str]] = &METHODS;
    const HOLDS_EDITIONS: bool = true;

    async fn fingerprint(&self) -> Result<String> {
        Ok(self.info().await?.fingerprint)
    }
}
