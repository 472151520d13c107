//! `--addresses`: opens the lookup of addresses, and opens its file again.

use std::sync::Arc;

use anyhow::{Context, Result};
use postcode_addresses::file::AddressFile;
use postcode_addresses::{AddressLookup, LocalAddresses, connect_addresses};
use postcode_core::dataset::Demands;
use postcode_core::dataset::container::file_url;
use postcode_core::{PostcodeLookup, path_or_url, redact};
use tracing::{error, info};

/// The lookup of addresses as it was chosen.
pub(crate) struct AddressSource {
    url: String,
    lookup: Arc<dyn AddressLookup>,
    /// The lookup again, if it is a file of this machine.
    local: Option<Arc<LocalAddresses>>,
}

impl AddressSource {
    /// Opens the lookup. `postcodes` tells which postcodes exist.
    pub(crate) fn open(text: &str, postcodes: Arc<dyn PostcodeLookup>) -> Result<Self> {
        let url = path_or_url(text);
        let Some(file) = open_file(&url)? else {
            let lookup = connect_addresses(&url, None)?;
            info!(addresses = redact(&url), "addresses from a service");
            return Ok(Self { url, lookup, local: None });
        };
        let local = Arc::new(LocalAddresses::new(file).with_postcodes(postcodes));
        Ok(Self { url, lookup: local.clone(), local: Some(local) })
    }

    pub(crate) fn lookup(&self) -> Arc<dyn AddressLookup> {
        self.lookup.clone()
    }

    /// Opens the file again, if it is one. If it can't be used the old one stays.
    pub(crate) async fn reload(&self) {
        let Some(local) = self.local.clone() else { return };
        let url = self.url.clone();
        let opened = tokio::task::spawn_blocking(move || open_file(&url)).await;
        match opened.context("the file could not be opened").flatten() {
            Ok(Some(file)) => local.replace(file),
            Ok(None) => {}
            Err(error) => {
                error!(error = format!("{error:#}"), "the addresses can't be used: the old ones stay");
            }
        }
    }
}

/// Opens the file of a URL; `None` if it is the URL of a service.
fn open_file(url: &str) -> Result<Option<AddressFile>> {
    let Some((path, demands)) = file_url(url, Demands::default())? else { return Ok(None) };
    let file = AddressFile::open_checked(path, &demands)?;
    let metadata = file.metadata();
    info!(
        addresses = redact(url),
        edition = metadata.edition,
        count = metadata.addresses,
        licensee = metadata.licensee,
        attribution = metadata.attribution,
        "addresses from a file"
    );
    Ok(Some(file))
}
