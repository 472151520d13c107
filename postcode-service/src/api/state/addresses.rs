//! The address data of a server.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use http::StatusCode;
use postcode_addresses::lookup::LocalAddresses;
use postcode_core::layers::{Around, call::Call};
use postcode_core::{AnyLookup, ErrorKind};

use super::address_root::AddressRoot;
use super::edition::Edition;
use crate::api::failure::Failure;

/// The address data of a server, if there is any.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Addresses {
    lookup: Arc<OnceLock<Arc<LocalAddresses>>>,
    pub(in crate::api) root: AddressRoot,
}

impl Addresses {
    /// Sets the data. The first call counts.
    pub(in crate::api) fn set(&self, addresses: LocalAddresses) -> Arc<LocalAddresses> {
        self.lookup.get_or_init(|| Arc::new(addresses)).clone()
    }

    pub(in crate::api) fn get(&self) -> Result<Arc<LocalAddresses>, Failure> {
        self.lookup.get().cloned().ok_or_else(|| {
            let text =
                "This server has no address data. Its operator starts it with --addresses file:uk.addresses";
            Failure::new(StatusCode::NOT_IMPLEMENTED, text, ErrorKind::NotSupported.code())
        })
    }

    /// Without data the routes of Ideal Postcodes do not exist, as on a server of postcodes.io.
    pub(in crate::api) fn ideal(&self) -> Result<Arc<LocalAddresses>, Failure> {
        self.lookup.get().cloned().ok_or_else(Failure::no_route)
    }
}

/// The postcodes of the edition that is served when a call is made.
#[derive(Debug)]
pub(in crate::api) struct Current(pub(in crate::api) Arc<ArcSwap<Edition>>);

impl Around for Current {
    type Inner = AnyLookup;

    async fn around<C: Call<AnyLookup>>(&self, call: C) -> postcode_core::Result<C::Reply> {
        let lookup = AnyLookup::from(self.0.load_full().lookup());
        call.on(&lookup).await
    }
}

postcode_core::layer!([] Current);
