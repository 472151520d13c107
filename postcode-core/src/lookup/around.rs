//! How a layer is written: one function around every call.

use std::fmt::Debug;

use super::call::{Call, LookupCall};
use super::postcodes::PostcodeLookup;
use super::postcodes::postcode_calls::Info;
use crate::{DatasetInfo, Result};

/// What a layer does around each call. [`layer!`](crate::layer) makes a [`PostcodeLookup`] of it, and a
/// [`PlaceLookup`](crate::PlaceLookup) and a [`ScottishLookup`](crate::ScottishLookup) where it is around one. All their
/// methods go through [`around`](Around::around), so that none can be forgotten.
///
/// ```
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
/// # fn is_a_lookup<L: PostcodeLookup>() {}
/// # is_a_lookup::<Counted<std::sync::Arc<dyn PostcodeLookup>>>();
/// ```
pub trait Around: Debug + Send + Sync + 'static {
    /// What it is around.
    type Inner: ?Sized;

    /// What the layer does around a call.
    fn around<C: Call<Self::Inner>>(&self, call: C) -> impl Future<Output = Result<C::Reply>> + Send;

    /// What it does around a lookup of one postcode or of many, if that is something else.
    fn around_lookup<C: LookupCall<Self::Inner>>(
        &self,
        call: C,
    ) -> impl Future<Output = Result<C::Reply>> + Send {
        self.around(call)
    }

    /// What it does around the question which dataset answers, if that is something else.
    fn around_info(&self, call: Info<'_>) -> impl Future<Output = Result<DatasetInfo>> + Send
    where
        Self::Inner: PostcodeLookup,
    {
        self.around(call)
    }
}

/// Makes lookups of a type that is [`Around`](crate::layers::Around) one: `layer!([L: PostcodeLookup] Counted<L>)`, the generics
/// with their bounds in brackets.
///
/// A layer around any lookup is all that this is. One around a certain type that is not everything says what it is
/// around: `layer!([] Faulty: PostcodeLookup)`.
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

/// Makes one lookup of a layer.
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
