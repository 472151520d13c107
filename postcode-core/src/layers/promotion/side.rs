//! The lookups that a promotion can be between.

use std::fmt::Debug;

use super::plan::METHODS;
use crate::{AnyLookup, PostcodeLookup, Result};

/// A lookup that a [`Promotion`](super::Promotion) can move callers from and to.
///
/// [`AnyLookup`] is one. `postcode-addresses` has another for addresses.
///
/// [`fingerprint`](Self::fingerprint) tells the edition:
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::AnyLookup;
/// use postcode_core::layers::Promotable;
///
/// let fingerprint = AnyLookup::new(library).fingerprint().await?;
/// assert!(!fingerprint.is_empty());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub trait Promotable: Debug + Send + Sync + 'static {
    /// The methods, by trait. A plan may have a row for each, except for the one that tells the edition.
    const METHODS: &'static [&'static [&'static str]];
    /// Whether the lookup answers from the edition that [`unit::at_edition`](crate::unit::at_edition) demands, and
    /// tells [`unit::answered`](crate::unit::answered) which one it answered from. If not, the promotion finds
    /// editions out by [`fingerprint`](Self::fingerprint) only.
    const HOLDS_EDITIONS: bool;

    /// Asks for the fingerprint of the edition. It is empty if the lookup does not tell.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Promotable;
    /// use postcode_core::{AnyLookup, DatasetInfo, MockLookups};
    ///
    /// let mut lookup = MockLookups::default();
    /// lookup.postcodes.expect_info().returning(|| {
    ///     let mut info = DatasetInfo::new("May 2025");
    ///     info.fingerprint = "8f3a".to_owned();
    ///     Ok(info)
    /// });
    /// assert_eq!(AnyLookup::new(lookup).fingerprint().await?, "8f3a");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    fn fingerprint(&self) -> impl Future<Output = Result<String>> + Send;
}

impl Promotable for AnyLookup {
    const METHODS: &'static [&'static [&'static str]] = &METHODS;
    const HOLDS_EDITIONS: bool = true;

    async fn fingerprint(&self) -> Result<String> {
        Ok(self.info().await?.fingerprint)
    }
}
