//! The layers of `postcode-core` that save calls, around a lookup of addresses: `Cache`, `SingleFlight` and `Batcher`.
//!
//! They answer [`addresses`](AddressLookup::addresses) of postcodes, and the [pages](AddressLookup::address_page) that lie
//! in the first [`MAX_ADDRESS_PAGE`] addresses. Other calls pass unchanged.

use async_trait::async_trait;
use postcode_core::layers::call::Reply;
use postcode_core::layers::{Batcher, Cache, Question, SingleFlight};
use postcode_core::{Error, ErrorKind, Nearest, Outcode, Postcode, Result};

use super::{
    AddressAnswer, AddressCoverage, AddressLookup, AddressNeighbour, AddressNumber, AddressPage,
    MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE, check_limit,
};
use crate::Address;

/// The addresses of postcodes, as the [`Question`] of the layers that save calls.
///
/// ```
/// use postcode_addresses::AddressLookup;
/// use postcode_addresses::lookup::OfAddresses;
/// use postcode_core::layers::{Batcher, SingleFlight};
///
/// fn saving(service: impl AddressLookup) -> impl AddressLookup {
///     SingleFlight::of(OfAddresses, Batcher::of(OfAddresses, service))
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfAddresses;

impl<L: AddressLookup> Question<L> for OfAddresses {
    type Key = Postcode;
    type Answer = AddressAnswer;

    const MAX: usize = MAX_ADDRESS_BATCH;

    fn one(lookup: &L, key: Postcode) -> Reply<'_, AddressAnswer> {
        Box::pin(async move { only(lookup.addresses(&[key]).await?) })
    }

    fn many<'a>(lookup: &'a L, keys: &'a [Postcode]) -> Reply<'a, Vec<AddressAnswer>> {
        lookup.addresses(keys)
    }

    fn fingerprint(lookup: &L) -> Reply<'_, String> {
        Box::pin(async { Ok(lookup.address_coverage().await?.fingerprint) })
    }

    fn heap_size(answer: &AddressAnswer) -> usize {
        answer.addresses().iter().map(size).sum()
    }
}

/// Returns the answer of a batch of one postcode.
fn only(mut answers: Vec<AddressAnswer>) -> Result<AddressAnswer> {
    answers.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "a batch of one postcode has no answer"))
}

/// Returns the bytes of an address, with its texts.
fn size(address: &Address) -> usize {
    let texts = [
        &address.organisation,
        &address.department,
        &address.po_box,
        &address.sub_building,
        &address.building_name,
        &address.building_number,
        &address.dependent_thoroughfare,
        &address.thoroughfare,
        &address.double_dependent_locality,
        &address.dependent_locality,
        &address.post_town,
        &address.postcode,
        &address.delivery_point_suffix,
    ];
    // The Welsh form has fewer texts, each about as long.
    let forms = if address.welsh.is_some() { 2 } else { 1 };
    size_of::<Address>() + forms * texts.iter().map(|text| text.capacity()).sum::<usize>()
}

/// Returns a page of the first page, if it lies in that.
fn page_of(answer: AddressAnswer, skip: usize, limit: usize) -> AddressAnswer {
    match answer {
        AddressAnswer::Found(AddressPage { addresses, total }) => {
            let addresses = addresses.into_iter().skip(skip).take(limit).collect();
            AddressAnswer::Found(AddressPage { addresses, total })
        }
        other => other,
    }
}

/// Returns whether a page lies in the first page of a batch.
fn is_in_first(skip: usize, limit: usize) -> bool {
    skip.saturating_add(limit) <= MAX_ADDRESS_PAGE
}

macro_rules! saving {
    ($($layer:ident: $self:ident $postcodes:ident $answers:expr, $postcode:ident $answer:expr;)*) => {$(
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl<L: AddressLookup> AddressLookup for $layer<L, OfAddresses> {
            async fn addresses(&$self, $postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
                $answers
            }

            async fn address_page(&$self, $postcode: Postcode, skip: usize, limit: usize) -> Result<AddressAnswer> {
                check_limit(limit, MAX_ADDRESS_PAGE)?;
                if !is_in_first(skip, limit) {
                    return $self.inner().address_page($postcode, skip, limit).await;
                }
                Ok(page_of($answer, skip, limit))
            }

            async fn addresses_by_number(&$self, numbers: &[AddressNumber]) -> Result<Vec<Vec<Address>>> {
                $self.inner().addresses_by_number(numbers).await
            }

            async fn nearest_addresses(&$self, query: &Nearest) -> Result<Option<Vec<AddressNeighbour>>> {
                $self.inner().nearest_addresses(query).await
            }

            async fn streets(&$self, outcode: Outcode, skip: usize, limit: usize) -> Result<Option<AddressPage>> {
                $self.inner().streets(outcode, skip, limit).await
            }

            async fn address_coverage(&$self) -> Result<AddressCoverage> {
                $self.inner().address_coverage().await
            }
        }
    )*};
}

saving! {
    Cache: self postcodes self.answers(postcodes).await, postcode only(self.answers(&[postcode]).await?)?;
    SingleFlight: self postcodes match postcodes {
        [postcode] => Ok(vec![self.answer(*postcode).await?]),
        _ => self.inner().addresses(postcodes).await,
    }, postcode self.answer(postcode).await?;
    Batcher: self postcodes match postcodes {
        [postcode] => Ok(vec![self.answer(*postcode).await?]),
        _ => self.inner().addresses(postcodes).await,
    }, postcode self.answer(postcode).await?;
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use postcode_core::layers::{Around, call::Call};

    use super::*;
    use crate::LocalAddresses;
    use crate::lookup::AnyAddresses;
    use crate::lookup::calls::{address_operations, layer_of};
    use crate::lookup::conformance::{file, postcodes, suite};

    /// Counts the calls for addresses, and gives way once in each.
    #[derive(Debug)]
    struct Counted {
        inner: AnyAddresses,
        calls: AtomicUsize,
    }

    impl Around for Counted {
        type Inner = AnyAddresses;

        async fn around<C: Call<Self::Inner>>(&self, call: C) -> Result<C::Reply> {
            self.calls.fetch_add(usize::from(C::NAME != "address_coverage"), SeqCst);
            tokio::task::yield_now().await;
            call.on(&self.inner).await
        }
    }

    address_operations!([layer_of] [[] Counted]);

    fn counted() -> Arc<Counted> {
        let postcodes = postcode_core::Local::new(postcodes().unwrap());
        let local = LocalAddresses::new(file().unwrap()).with_postcodes(Arc::new(postcodes));
        Arc::new(Counted { inner: AnyAddresses::new(local), calls: AtomicUsize::new(0) })
    }

    fn texts(texts: &[&str]) -> Vec<Postcode> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn layers_that_save_calls_keep_the_contract() {
        assert_eq!(suite(&Cache::of(OfAddresses, counted(), 1 << 20)).await.unwrap(), [""; 0]);
        assert_eq!(suite(&SingleFlight::of(OfAddresses, counted())).await.unwrap(), [""; 0]);
        assert_eq!(suite(&Batcher::of(OfAddresses, counted())).await.unwrap(), [""; 0]);
        let both = Batcher::of(OfAddresses, counted()).max_size(7).in_flight(1);
        let all = Cache::of(OfAddresses, SingleFlight::of(OfAddresses, both), 50_000);
        assert_eq!(suite(&all).await.unwrap(), [""; 0]);
        assert_eq!(suite(&all).await.unwrap(), [""; 0], "from the cache");
    }

    #[tokio::test(start_paused = true)]
    async fn cache_answers_postcodes_and_their_first_pages_without_a_call() {
        let inner = counted();
        let cache = Cache::of(OfAddresses, inner.clone(), 1 << 20);
        let asked = texts(&["ZE9 9AA", "ZE9 9AD"]);
        let first = cache.addresses(&asked).await.unwrap();
        assert_eq!(cache.addresses(&asked[1..]).await.unwrap(), first[1..]);
        let page = cache.address_page(asked[1], 60, 40).await.unwrap();
        assert_eq!((page.addresses(), page.total()), (&first[1].addresses()[60..], first[1].total()));
        assert_eq!(inner.calls.load(SeqCst), 1);
        cache.address_page(asked[1], 61, 40).await.unwrap();
        assert_eq!(inner.calls.load(SeqCst), 2, "a page beyond the first hundred is asked for");
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.entries), (2, 2, 2));
        assert!(stats.bytes > 100 * size_of::<Address>() as u64, "{stats:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn equal_lookups_share_a_call_and_others_a_batch() {
        let inner = counted();
        let single = SingleFlight::of(OfAddresses, inner.clone());
        let [street, hall, bare] = texts(&["ZE9 9AA", "ZE9 9AD", "ZE9 9AE"])[..] else { panic!() };
        let (one, other) = tokio::join!(single.address_page(street, 0, 5), single.address_page(street, 5, 5));
        assert_ne!(one.unwrap().addresses(), other.unwrap().addresses());
        assert_eq!(inner.calls.load(SeqCst), 1);

        let inner = counted();
        let batcher = Batcher::of(OfAddresses, inner.clone()).in_flight(1);
        let alone = [street];
        let (a, b, c) = tokio::join!(
            batcher.addresses(&alone),
            batcher.address_page(hall, 0, 100),
            batcher.address_page(bare, 0, 1)
        );
        assert_eq!(
            (a.unwrap()[0].total(), b.unwrap().total(), c.unwrap().status()),
            (12, 151, "no_addresses")
        );
        assert_eq!(inner.calls.load(SeqCst), 2, "one alone, then two in a batch");
    }
}
