//! Any lookup of addresses as a type by itself, and the promotion from one to another.

use std::sync::Arc;

use async_trait::async_trait;
use postcode_core::layers::{ADDRESS_METHODS, Around, Promotable, Promotion};
use postcode_core::{Nearest, Outcode, Postcode, Result};

use super::calls::{address_operations, layer_of};
use super::{AddressAnswer, AddressCoverage, AddressLookup, AddressNeighbour, AddressNumber, AddressPage};
use crate::Address;

/// Wraps any lookup of addresses in one type, so that a [`Promotion`] can move callers between two of them.
///
/// ```
/// use std::sync::Arc;
/// use postcode_addresses::AddressLookup;
/// use postcode_addresses::lookup::AnyAddresses;
/// use postcode_core::layers::{Promotion, PromotionConfig, Stage};
///
/// # fn example(file: Arc<dyn AddressLookup>, service: Arc<dyn AddressLookup>) -> postcode_core::Result<()> {
/// let promotion = Promotion::between(AnyAddresses::from(file), AnyAddresses::from(service), PromotionConfig::default());
/// let addresses: Arc<dyn AddressLookup> = Arc::new(promotion.clone()); // for the callers
/// promotion.set(Stage::Shadow, Some(0.1))?; // compare one call in ten
/// # drop(addresses);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AnyAddresses(Arc<dyn AddressLookup>);

impl AnyAddresses {
    /// Wraps a lookup.
    ///
    /// ```
    /// use postcode_addresses::{AddressLookup, lookup::AnyAddresses};
    ///
    /// fn any(addresses: impl AddressLookup) -> AnyAddresses {
    ///     AnyAddresses::new(addresses)
    /// }
    /// ```
    pub fn new(lookup: impl AddressLookup) -> Self {
        Self(Arc::new(lookup))
    }
}

impl From<Arc<dyn AddressLookup>> for AnyAddresses {
    fn from(lookup: Arc<dyn AddressLookup>) -> Self {
        Self(lookup)
    }
}

impl std::ops::Deref for AnyAddresses {
    type Target = dyn AddressLookup;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

super::forward!([] AnyAddresses;);

impl Promotable for AnyAddresses {
    const METHODS: &'static [&'static [&'static str]] = &[ADDRESS_METHODS];
    /// Callers demand editions of the postcode data. Addresses have separate editions.
    const HOLDS_EDITIONS: bool = false;

    async fn fingerprint(&self) -> Result<String> {
        Ok(self.address_coverage().await?.fingerprint)
    }
}

address_operations!([layer_of] [[] Promotion<AnyAddresses>]);

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use postcode_core::ErrorKind;
    use postcode_core::layers::{Cause, PromotionConfig, Stage, Timeout};

    use super::*;
    use crate::file::{AddressFile, AddressWriter, Metadata};
    use crate::lookup::conformance::{addresses, file, postcodes, suite};
    use crate::{LocalAddresses, MockAddressLookup};

    macro_rules! names {
        ([] $trait:ident $($method:ident $call:ident $hook:ident $same:ident $arguments:tt -> $reply:ty;)*) => {
            [$(stringify!($method)),*]
        };
    }

    #[test]
    fn plans_know_every_method() {
        assert_eq!(address_operations!([names] []), ADDRESS_METHODS);
    }

    fn over(file: AddressFile) -> AnyAddresses {
        let postcodes = postcode_core::Local::new(postcodes().unwrap());
        AnyAddresses::new(LocalAddresses::new(file).with_postcodes(Arc::new(postcodes)))
    }

    /// The fixture under another edition. `change` may change the addresses.
    fn other(change: impl Fn(&mut Address)) -> AnyAddresses {
        let metadata = Metadata {
            attribution: "Invented by the tests".into(),
            licensee: "Another".into(),
            ..Metadata::new("invented addresses")
        };
        let mut writer = AddressWriter::new(Cursor::new(Vec::new()), metadata).unwrap();
        for mut address in addresses() {
            change(&mut address);
            writer.push(&address).unwrap();
        }
        over(AddressFile::from_bytes(writer.finish().unwrap().0.into_inner()).unwrap())
    }

    fn unguarded() -> PromotionConfig {
        let mut config = PromotionConfig::default();
        config.guard = None;
        config.patience = Duration::from_secs(60);
        config
    }

    async fn settled(promotion: &Promotion<AnyAddresses>, compared: u64) {
        for _ in 0..100_000 {
            if promotion.snapshot().compared >= compared {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("only {} of {compared} comparisons", promotion.snapshot().compared);
    }

    #[tokio::test]
    async fn every_stage_keeps_the_contract_and_finds_both_sides_equal() {
        for stage in Stage::ALL {
            let promotion = Promotion::between(over(file().unwrap()), over(file().unwrap()), unguarded());
            promotion.set(stage, Some(1.0)).unwrap();
            assert_eq!(suite(&promotion).await.unwrap(), [""; 0], "{stage}");
            let compares = matches!(stage, Stage::Shadow | Stage::Canary);
            settled(&promotion, if compares { 10 } else { 0 }).await;
            let seen = promotion.snapshot();
            assert_eq!((seen.mismatched, seen.failed), (0, 0), "{stage}: {:?}", seen.examples);
            assert_eq!(seen.compared > 0, compares, "{stage}");
        }
    }

    #[tokio::test]
    async fn difference_names_the_postcode_the_field_and_whether_the_edition_is_another() {
        let street = ["ZE9 9AA".parse().unwrap()];
        let renamed = |address: &mut Address| address.thoroughfare = "Oak Road".into();
        // The same fingerprint and another answer: the code differs.
        let mut mock = MockAddressLookup::new();
        mock.expect_addresses().returning(|_| Ok(vec![AddressAnswer::NoAddresses]));
        let coverage = over(file().unwrap()).address_coverage().await.unwrap();
        mock.expect_address_coverage().returning(move || Ok(coverage.clone()));
        for (new, cause) in [(other(renamed), Cause::Edition), (AnyAddresses::new(mock), Cause::Code)] {
            let promotion = Promotion::between(over(file().unwrap()), new, unguarded());
            promotion.set(Stage::Shadow, Some(1.0)).unwrap();
            promotion.addresses(&street).await.unwrap();
            settled(&promotion, 1).await;
            let seen = promotion.snapshot();
            let example = &seen.examples[0];
            assert_eq!((example.cause, &*example.query), (cause, "addresses of ZE9 9AA"));
            if cause == Cause::Edition {
                assert!(
                    example.fields.contains(&"addresses.thoroughfare".to_owned()),
                    "{:?}",
                    example.fields
                );
                assert!(example.old.contains("Ash Road") && example.new.contains("Oak Road"), "{example:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn old_side_answers_while_the_new_one_is_away_and_nobody_notices() {
        let mut away = MockAddressLookup::new();
        let failed = || postcode_core::Error::new(ErrorKind::Unavailable, "broken");
        away.expect_addresses().returning(move |_| Err(failed()));
        away.expect_address_page().returning(move |_, _, _| Err(failed()));
        away.expect_addresses_by_number().returning(move |_| Err(failed()));
        away.expect_nearest_addresses().returning(move |_| Err(failed()));
        away.expect_streets().returning(move |_, _, _| Err(failed()));
        away.expect_address_coverage().returning(move || Err(failed()));
        let new = AnyAddresses::new(Timeout::new(away, Duration::from_secs(1)));
        let promotion = Promotion::between(over(file().unwrap()), new, unguarded());
        promotion.set(Stage::RemoteWithFallback, None).unwrap();
        assert_eq!(suite(&promotion).await.unwrap(), [""; 0]);
        let seen = promotion.snapshot();
        assert!(seen.fallbacks > 10 && seen.failed == 0, "{seen:?}");
    }

    #[test]
    fn rows_are_for_methods_of_addresses() {
        let promotion = Promotion::between(over(file().unwrap()), over(file().unwrap()), unguarded());
        promotion.apply(&"local,address_page=remote".parse().unwrap()).unwrap();
        assert_eq!(promotion.plan().to_string(), "local:0.1,address_page=remote:0.1");
        let error = promotion.apply(&"remote,nearest=local".parse().unwrap()).unwrap_err();
        let says = "row \"nearest\": this lookup does not have the method. It has addresses, address_page, \
                    addresses_by_number, nearest_addresses and streets";
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(promotion.stage(), Stage::Local, "nothing is changed");
    }
}
