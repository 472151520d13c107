//! Defines how to write a layer: one function that wraps every call.

use std::fmt::Debug;

use super::call::{Call, LookupCall};
use super::postcodes::PostcodeLookup;
use super::postcodes::postcode_calls::Info;
use crate::{DatasetInfo, Result};

/// Wraps every call of a lookup. The macro [`layer!`](crate::layer) implements [`PostcodeLookup`] for a
/// type that implements this trait, and [`PlaceLookup`](crate::PlaceLookup) and
/// [`ScottishLookup`](crate::ScottishLookup) if the inner lookup has them. All methods go through
/// [`around`](Around::around), so none can be forgotten.
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
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use postcode_core::layers::{Around, call::Call};
/// use postcode_core::{PostcodeLookup, Result};
///
/// /// Counts the calls to any lookup.
/// #[derive(Debug)]
/// struct Counted<L> {
///     inner: L,
///     calls: AtomicU64,
/// }
///
/// impl<L: PostcodeLookup> Around for Counted<L> {
///     type Inner = L;
///
///     async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
///         self.calls.fetch_add(1, Relaxed);
///         call.on(&self.inner).await
///     }
/// }
///
/// postcode_core::layer!([L: PostcodeLookup] Counted<L>);
///
/// let counted = Counted { inner: library, calls: AtomicU64::new(0) };
/// counted.lookup_one("SW1A 1AA".parse()?).await?;
/// counted.outcode("SW1A".parse()?).await?;
/// assert_eq!(counted.calls.load(Relaxed), 2);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub trait Around: Debug + Send + Sync + 'static {
    /// The type of the wrapped lookup.
    type Inner: ?Sized;

    /// Handles one call: usually something before, `call.on(&self.inner).await`, and something
    /// after.
    ///
    /// ```
    /// use postcode_core::layers::{Around, call::Call};
    /// use postcode_core::{PostcodeLookup, PostcodeLookupExt, Result};
    ///
    /// /// Makes a call again if it fails by something that passes.
    /// #[derive(Debug)]
    /// struct Twice<L>(L);
    ///
    /// impl<L: PostcodeLookup> Around for Twice<L> {
    ///     type Inner = L;
    ///
    ///     async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
    ///         match call.on(&self.0).await {
    ///             Err(error) if error.is_transient() => call.on(&self.0).await,
    ///             reply => reply,
    ///         }
    ///     }
    /// }
    /// postcode_core::layer!([L: PostcodeLookup] Twice<L>);
    ///
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// assert!(Twice(library).validate("SW1A 1AA").await?);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    fn around<C: Call<Self::Inner>>(&self, call: C) -> impl Future<Output = Result<C::Reply>> + Send;

    /// Handles a lookup of one postcode or of many. Calls [`around`](Around::around) unless overridden.
    ///
    /// ```
    /// use postcode_core::layers::call::{Call, LookupCall};
    /// use postcode_core::layers::Around;
    /// use postcode_core::{PostcodeLookup, Result};
    ///
    /// #[derive(Debug)]
    /// struct Logged<L>(L);
    ///
    /// impl<L: PostcodeLookup> Around for Logged<L> {
    ///     type Inner = L;
    ///     # async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
    ///     #     call.on(&self.0).await
    ///     # }
    ///
    ///     async fn around_lookup<C: LookupCall<L>>(&self, call: C) -> Result<C::Reply> {
    ///         println!("{} postcodes", call.postcodes().len());
    ///         call.on(&self.0).await
    ///     }
    /// }
    /// postcode_core::layer!([L: PostcodeLookup] Logged<L>);
    /// ```
    fn around_lookup<C: LookupCall<Self::Inner>>(
        &self,
        call: C,
    ) -> impl Future<Output = Result<C::Reply>> + Send {
        self.around(call)
    }

    /// Handles [`info`](PostcodeLookup::info). Calls [`around`](Around::around) unless overridden.
    ///
    /// ```
    /// use postcode_core::layers::Around;
    /// use postcode_core::layers::call::{Call, Info};
    /// use postcode_core::{DatasetInfo, PostcodeLookup, Result};
    ///
    /// /// Tells another edition than the inner lookup.
    /// #[derive(Debug)]
    /// struct Renamed<L>(L);
    ///
    /// impl<L: PostcodeLookup> Around for Renamed<L> {
    ///     type Inner = L;
    ///     # async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
    ///     #     call.on(&self.0).await
    ///     # }
    ///
    ///     async fn around_info(&self, call: Info<'_>) -> Result<DatasetInfo> {
    ///         let mut info = call.on(&self.0).await?;
    ///         info.edition = "of a test".to_owned();
    ///         Ok(info)
    ///     }
    /// }
    /// postcode_core::layer!([L: PostcodeLookup] Renamed<L>);
    /// ```
    fn around_info(&self, call: Info<'_>) -> impl Future<Output = Result<DatasetInfo>> + Send
    where
        Self::Inner: PostcodeLookup,
    {
        self.around(call)
    }
}

/// Implements the lookup traits for a type that is [`Around`](crate::layers::Around). Write the generic
/// parameters with their bounds in brackets: `layer!([L: PostcodeLookup] Counted<L>)`.
///
/// A layer around a generic lookup implements each trait that its inner lookup implements. For a layer
/// around one type that only looks up postcodes, say so: `layer!([] Faulty: PostcodeLookup)`.
///
/// ```
/// use postcode_core::layers::{Around, call::Call};
/// use postcode_core::{PostcodeLookup, Result};
///
/// #[derive(Debug)]
/// struct Plain<L>(L);
///
/// impl<L: PostcodeLookup> Around for Plain<L> {
///     type Inner = L;
///
///     async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
///         call.on(&self.0).await
///     }
/// }
///
/// postcode_core::layer!([L: PostcodeLookup] Plain<L>);
/// ```
#[macro_export]
macro_rules! layer {
    ([$($generics:tt)*] $layer:ty) => {
        $crate::layer!([$($generics)*] $layer: PostcodeLookup);
        $crate::place_operations!([$crate::layer_of] [[$($generics)*] $layer]);
        $crate::scottish_operations!([$crate::layer_of] [[$($generics)*] $layer]);
    };
    ([$($generics:tt)*] $layer:ty: PostcodeLookup) => {
        $crate::postcode_operations!([$crate::layer_of] [[$($generics)*] $layer]);
    };
}

/// Implements one trait for a layer.
#[doc(hidden)]
#[macro_export]
macro_rules! layer_of {
    ([[$($generics:tt)*] $layer:ty] $trait:ident $(
        $method:ident $call:ident $hook:ident $same:ident
        ($(&$by_ref:ident: $of:ty),*; $($value:ident: $type:ty),*) -> $reply:ty;
    )*) => {
        #[allow(trivial_bounds)]
        #[deny(clippy::missing_trait_methods)]
        #[$crate::private::async_trait]
        impl<$($generics)*> $crate::$trait for $layer
        where
            <$layer as $crate::private::Around>::Inner: $crate::$trait,
        {
            $(async fn $method(&self, $($by_ref: &$of,)* $($value: $type),*) -> $crate::Result<$reply> {
                let call = $crate::private::$call::new($($by_ref,)* $($value),*);
                $crate::private::Around::$hook(self, call).await
            })*
        }
    };
}
