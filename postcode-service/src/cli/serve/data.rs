//! `--data`: opens the data and reloads it.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::api::{Api, Edition};
use postcode_core::dataset::Demands;
use postcode_core::{Error, Local, path_or_url};

/// `embedded:` or `file:PATH`, or the path alone.
#[derive(Clone, Debug)]
pub(super) struct Data {
    url: String,
    demands: Demands,
}

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = &path_or_url(text);
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("embedded" | "file") => Ok(Self { url: text.to_owned(), demands: Demands::default() }),
            _ => Err("write embedded: or file:/path/uk.postcodes, or the path alone".to_owned()),
        }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Data {
    pub(super) async fn open(&self) -> Result<Edition, Error> {
        Edition::of_opened(Local::open_url(&self.url, self.demands.clone())?).await
    }

    pub(super) fn demanding(self, demands: Demands) -> Self {
        Self { demands, ..self }
    }

    pub(super) fn log(&self, edition: &Edition) {
        let info = edition.info();
        tracing::info!(
            data = %self,
            edition = info.edition,
            fingerprint = info.fingerprint,
            live = info.live,
            terminated = info.terminated,
            attribution = info.attribution,
            verified = edition.verified(),
            "dataset"
        );
    }

    /// Reloads in the background, because opening takes a while.
    ///
    /// One reload at a time: a slow one with an older file must not finish after a newer one.
    pub(super) fn reload(&self, api: &Api) {
        static ONE: Mutex<()> = Mutex::new(());
        let (data, api) = (self.clone(), api.clone());
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
            match runtime.block_on(data.open()) {
                Ok(edition) => {
                    data.log(&edition);
                    api.replace(edition);
                }
                Err(e) => {
                    tracing::error!(data = %data, error = %e, "the data can't be served: the old stays")
                }
            }
        });
    }
}
