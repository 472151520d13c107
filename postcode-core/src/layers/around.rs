//! Defines how to write a layer: one function that wraps every call.

use std::fmt::Debug;

use super::call::{Call, Lookup};
use crate::{Answer, Postcode, Result};

/// Wraps every call of a lookup. The macro [`layer!`](crate::layer) implements
/// [`PostcodeLookup`](crate::PostcodeLookup) for a type that implements this trait. All methods go
/// through [`around`](Around::around), so none can be forgotten.
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
///     async fn around<C: Call>(&self, call: C) -> Result<C::Reply> {
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
    /// Handles one call: usually something before, `call.on(&self.inner).await`, and something
    /// after.
    fn around<C: Call>(&self, call: C) -> impl Future<Output = Result<C::Reply>> + Send;

    /// Handles a lookup. Calls [`around`](Around::around) unless overridden.
    fn around_lookup(&self, postcodes: &[Postcode]) -> impl Future<Output = Result<Vec<Answer>>> + Send {
        self.around(Lookup(postcodes.into()))
    }
}

/// Implements [`PostcodeLookup`](crate::PostcodeLookup) for a type that is
/// [`Around`](crate::layers::Around). Write the generic parameters with their bounds in brackets:
/// `layer!([L: PostcodeLookup] Counted<L>)`.
#[macro_export]
macro_rules! layer {
    ([$($generics:tt)*] $layer:ty) => {
        #[deny(clippy::missing_trait_methods)]
        #[$crate::layers::async_trait]
        impl<$($generics)*> $crate::PostcodeLookup for $layer {
            async fn lookup(&self, postcodes: &[$crate::Postcode]) -> $crate::Result<Vec<$crate::Answer>> {
                $crate::layers::Around::around_lookup(self, postcodes).await
            }
            async fn outcode(
                &self,
                outcode: $crate::Outcode,
            ) -> $crate::Result<Option<$crate::OutcodeSummary>> {
                $crate::layers::Around::around(self, $crate::layers::call::OutcodeOf(outcode)).await
            }
            async fn autocomplete(
                &self,
                prefix: &str,
                limit: usize,
            ) -> $crate::Result<Vec<$crate::Postcode>> {
                let call = $crate::layers::call::Autocomplete(prefix.into(), limit);
                $crate::layers::Around::around(self, call).await
            }
            async fn search(&self, query: &str, limit: usize) -> $crate::Result<Vec<$crate::Record>> {
                let call = $crate::layers::call::Search(query.into(), limit);
                $crate::layers::Around::around(self, call).await
            }
            async fn nearest(
                &self,
                query: &$crate::Nearest,
            ) -> $crate::Result<Option<Vec<$crate::Neighbour>>> {
                $crate::layers::Around::around(self, $crate::layers::call::NearestTo(*query)).await
            }
            async fn within(&self, query: &$crate::Within) -> $crate::Result<Option<$crate::Page>> {
                let call = $crate::layers::call::PageOf(std::borrow::Cow::Borrowed(query));
                $crate::layers::Around::around(self, call).await
            }
            async fn outcodes(&self, prefix: &str, limit: usize) -> $crate::Result<Vec<$crate::Outcode>> {
                let call = $crate::layers::call::Outcodes(prefix.into(), limit);
                $crate::layers::Around::around(self, call).await
            }
            async fn random(
                &self,
                outcode: Option<$crate::Outcode>,
            ) -> $crate::Result<Option<$crate::Record>> {
                $crate::layers::Around::around(self, $crate::layers::call::Random(outcode)).await
            }
            async fn nearest_outcodes(
                &self,
                query: &$crate::NearestOutcodes,
            ) -> $crate::Result<Option<Vec<$crate::OutcodeSummary>>> {
                $crate::layers::Around::around(self, $crate::layers::call::NearestOutcodesTo(*query)).await
            }
            async fn place(&self, code: &str) -> $crate::Result<Option<$crate::Place>> {
                $crate::layers::Around::around(self, $crate::layers::call::PlaceOf(code.into())).await
            }
            async fn places(&self, query: &str, limit: usize) -> $crate::Result<Vec<$crate::Place>> {
                $crate::layers::Around::around(self, $crate::layers::call::Places(query.into(), limit)).await
            }
            async fn find_places(
                &self,
                query: &$crate::PlaceQuery,
            ) -> $crate::Result<Vec<$crate::PlaceMatch>> {
                let call = $crate::layers::call::FindPlaces(::std::borrow::Cow::Borrowed(query));
                $crate::layers::Around::around(self, call).await
            }
            async fn place_postcodes(
                &self,
                code: &str,
                after: Option<$crate::Postcode>,
                limit: usize,
            ) -> $crate::Result<Option<$crate::PlacePostcodes>> {
                let call = $crate::layers::call::PostcodesOfPlace(code.into(), after, limit);
                $crate::layers::Around::around(self, call).await
            }
            async fn random_place(&self) -> $crate::Result<Option<$crate::Place>> {
                $crate::layers::Around::around(self, $crate::layers::call::RandomPlace).await
            }
            async fn scottish_postcode(
                &self,
                postcode: $crate::Postcode,
            ) -> $crate::Result<Option<$crate::ScottishPostcode>> {
                $crate::layers::Around::around(self, $crate::layers::call::ScottishOf(postcode)).await
            }
            async fn info(&self) -> $crate::Result<$crate::DatasetInfo> {
                $crate::layers::Around::around(self, $crate::layers::call::Info).await
            }
        }
    };
}
