//! Looking up entries of the Scottish Postcode Directory.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Postcode, Result, ScottishPostcode};

/// Looks up entries of the Scottish Postcode Directory, in this process or in another, under the contract of
/// [`PostcodeLookup`](crate::PostcodeLookup). Without the directory in the data every answer is
/// [`NotSupported`](crate::ErrorKind::NotSupported).
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # use postcode_core::{ScottishArea, ScottishPostcode};
/// # builder.push_scottish(&ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned())))?;
/// # let area = ScottishArea::ScottishParliamentaryConstituency;
/// # builder.name_scottish_area(area, "S16000104", "Edinburgh Central")?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{Postcode, Result, ScottishLookup};
///
/// /// Returns the constituency of the Scottish Parliament.
/// async fn constituency(scotland: &dyn ScottishLookup, postcode: Postcode) -> Result<Option<String>> {
///     let entry = scotland.scottish_postcode(postcode).await?;
///     Ok(entry.and_then(|entry| entry.scottish_parliamentary_constituency))
/// }
///
/// let name = constituency(&library, "EH99 1SP".parse()?).await?;
/// assert_eq!(name.as_deref(), Some("Edinburgh Central"));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ScottishLookup: Debug + Send + Sync + 'static {
    /// Returns the entry of a postcode in the Scottish Postcode Directory, or `None` if it has no
    /// live entry there. A postcodes.io 18 server knows only the constituency.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # use postcode_core::ScottishPostcode;
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push_scottish(&ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned())))?;
    /// # let scotland = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::ScottishLookup;
    ///
    /// let entry = scotland.scottish_postcode("EH99 1SP".parse()?).await?.ok_or("not in Scotland")?;
    /// assert_eq!(entry.codes.scottish_parliamentary_constituency.as_deref(), Some("S16000104"));
    /// assert_eq!(scotland.scottish_postcode("SW1A 1AA".parse()?).await?, None);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>>;
}

/// The operations of [`ScottishLookup`], for the macros that make one thing for each: the method, its call as a value, the hook of
/// [`Around`](crate::lookup::Around) that it goes through, whether two implementations owe the same answer, the
/// arguments by reference and then those by value, and the reply.
#[doc(hidden)]
#[macro_export]
macro_rules! scottish_operations {
    ([$($then:tt)*] $with:tt) => {
        $($then)*! { $with ScottishLookup
            scottish_postcode ScottishOf around true (; postcode: $crate::Postcode) -> Option<$crate::ScottishPostcode>;
        }
    };
}

/// The calls of [`ScottishLookup`] as values.
pub(crate) mod scottish_calls {
    use std::fmt::{self, Display};

    use super::*;
    use crate::lookup::call::calls;

    crate::scottish_operations!([calls] []);

    impl Display for ScottishOf<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Scottish Postcode Directory's entry of {}", self.postcode)
        }
    }
}
