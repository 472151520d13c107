//! A pointer to a lookup is a lookup, so that decorators take either; and all lookups in one.

use std::sync::Arc;

use async_trait::async_trait;

use super::places::PlaceLookup;
use super::postcodes::PostcodeLookup;
use super::scotland::ScottishLookup;
use crate::Result;

/// Looks up all that there is: what [`connect`](crate::connect) opens. It is a [`PostcodeLookup`], a [`PlaceLookup`] and a
/// [`ScottishLookup`], and what is all of these is a `Lookups`.
///
/// Name the narrowest trait that a part of an application needs. An `Arc<dyn Lookups>` becomes an `Arc` of any of them by
/// itself:
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::live("SW1A 2AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use std::sync::Arc;
/// use postcode_core::{Lookups, PlaceLookup, PostcodeLookup};
///
/// struct Accounts(Arc<dyn PostcodeLookup>);
/// struct Gazetteer(Arc<dyn PlaceLookup>);
///
/// fn application(lookups: Arc<dyn Lookups>) -> (Accounts, Gazetteer) {
///     (Accounts(lookups.clone()), Gazetteer(lookups))
/// }
///
/// let (accounts, gazetteer) = application(Arc::new(library));
/// assert!(accounts.0.lookup_one("SW1A 1AA".parse()?).await?.is_live());
/// assert!(gazetteer.0.random_place().await.is_err()); // this data has no places
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub trait Lookups: PostcodeLookup + PlaceLookup + ScottishLookup {}

impl<T: PostcodeLookup + PlaceLookup + ScottishLookup + ?Sized> Lookups for T {}

macro_rules! forward {
    ([$($generic:ident)?, $pointer:ty] $trait:ident $(
        $method:ident $call:ident $hook:ident $same:ident
        ($(&$by_ref:ident: $of:ty),*; $($value:ident: $type:ty),*) -> $reply:ty;
    )*) => {
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl<$($generic: $trait + ?Sized)?> $trait for $pointer {
            $(async fn $method(&self, $($by_ref: &$of,)* $($value: $type),*) -> Result<$reply> {
                (**self).$method($($by_ref,)* $($value),*).await
            })*
        }
    };
}

macro_rules! forward_all {
    ($($generic:ident)?; $pointer:ty) => {
        crate::postcode_operations!([forward] [$($generic)?, $pointer]);
        crate::place_operations!([forward] [$($generic)?, $pointer]);
        crate::scottish_operations!([forward] [$($generic)?, $pointer]);
    };
}

forward_all!(T; Arc<T>);
forward_all!(T; Box<T>);
forward_all!(T; &'static T);

/// Any lookup of everything, as a type by itself: what a layer is around that holds a `dyn Lookups`. (As an associated type
/// the trait object would not do: the compiler forgets how long it lives.)
///
/// Made by [`new`](Self::new), or `into` from an `Arc<dyn Lookups>`:
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
/// use postcode_core::{AnyLookup, PostcodeLookupExt};
///
/// let any = AnyLookup::new(library);
/// assert!(any.validate("SW1A 1AA").await?);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct AnyLookup(Arc<dyn Lookups>);

impl AnyLookup {
    /// Wraps a lookup.
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
    /// use postcode_core::{AnyLookup, PostcodeLookup};
    ///
    /// let any = AnyLookup::new(library);
    /// assert_eq!(any.lookup_one("AB1 0AA".parse()?).await?.status(), "terminated");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn new(lookup: impl Lookups) -> Self {
        Self(Arc::new(lookup))
    }
}

impl From<Arc<dyn Lookups>> for AnyLookup {
    fn from(lookup: Arc<dyn Lookups>) -> Self {
        Self(lookup)
    }
}

impl std::ops::Deref for AnyLookup {
    type Target = dyn Lookups;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

forward_all!(; AnyLookup);
