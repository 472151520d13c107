//! `--addresses`: opens the file of addresses and opens it again.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use postcode_addresses::LocalAddresses;
use postcode_addresses::file::AddressFile;
use postcode_core::Error;
use postcode_core::dataset::Demands;
use postcode_core::dataset::container::file_url;

/// `file:PATH`.
#[derive(Clone, Debug)]
pub(super) struct AddressData {
    url: String,
    demands: Demands,
}

impl FromStr for AddressData {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = postcode_core::path_or_url(text);
        match file_url(&url, Demands::default()) {
            Ok(Some(_)) => Ok(Self { url, demands: Demands::default() }),
            Ok(None) => Err("write file:/path/uk.addresses".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl fmt::Display for AddressData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl AddressData {
    pub(super) fn demanding(self, demands: Demands) -> Self {
        Self { demands, ..self }
    }

    /// Opens the file, checks it, and writes what it is to the log.
    pub(super) fn open(&self) -> Result<AddressFile, Error> {
        let Some((path, demands)) = file_url(&self.url, self.demands.clone())? else {
            return Err(Error::invalid("write file:/path/uk.addresses"));
        };
        let file = AddressFile::open_checked(path, &demands)?;
        let metadata = file.metadata();
        tracing::info!(
            addresses = %self,
            edition = metadata.edition,
            fingerprint = file.fingerprint(),
            count = metadata.addresses,
            postcodes = metadata.postcodes,
            licensee = metadata.licensee,
            attribution = metadata.attribution,
            verified = demands.verify.name(),
            "addresses"
        );
        Ok(file)
    }

    /// Opens the file again in the background. If it can't be used the old one stays.
    pub(super) fn reload(&self, lookup: &Arc<LocalAddresses>) {
        static ONE: Mutex<()> = Mutex::new(());
        let (data, lookup) = (self.clone(), lookup.clone());
        tokio::task::spawn_blocking(move || {
            let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
            match data.open() {
                Ok(file) => lookup.replace(file),
                Err(e) => {
                    tracing::error!(addresses = %data, error = %e, "the addresses can't be served: the old ones stay");
                }
            }
        });
    }
}
