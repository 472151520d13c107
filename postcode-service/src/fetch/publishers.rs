//! The publishers' addresses.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::redirect;
use url::Url;

use super::download::{Download, Fetched};
use super::{Limits, catalogue};
use crate::{Error, ErrorKind};

/// Redirects of one request. Both publishers need one or two.
const MOST_REDIRECTS: usize = 5;
const CONNECT_TIME: Duration = Duration::from_secs(15);

/// A product of a publisher that an import reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Product {
    /// ONS Postcode Directory
    Onspd,
    /// National Statistics Postcode Lookup
    Nspl,
    /// OS Code-Point Open
    CodePointOpen,
    /// OS Open Names, in addition to one of the above
    OpenNames,
    /// Scottish Postcode Directory; says where a person finds it
    ScottishPostcodeDirectory,
}

/// How a program finds the newest edition.
enum Place {
    /// The same address for every edition.
    Fixed(&'static str),
    /// An item of the catalogue, with a new address for each edition.
    Catalogue { title: &'static str },
    /// Not at all.
    ByHand(&'static str),
}

impl Product {
    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Onspd => "onspd",
            Self::Nspl => "nspl",
            Self::CodePointOpen => "code-point-open",
            Self::OpenNames => "open-names",
            Self::ScottishPostcodeDirectory => "scottish-postcode-directory",
        }
    }

    /// Returns the name of the downloaded file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Onspd => "onspd.zip",
            Self::Nspl => "nspl.zip",
            Self::CodePointOpen => "codepo_gb.zip",
            Self::OpenNames => "opname_csv_gb.zip",
            Self::ScottishPostcodeDirectory => "spd.zip",
        }
    }

    /// Returns whether a dataset can be made of it alone.
    pub fn has_postcodes(self) -> bool {
        matches!(self, Self::Onspd | Self::Nspl | Self::CodePointOpen)
    }

    /// Returns the publisher's page, where a person can download it.
    pub fn page(self) -> &'static str {
        match self {
            Self::Onspd => {
                "https://geoportal.statistics.gov.uk/search?q=PRD_ONSPD&sort=Date%20Created%7Ccreated%7Cdesc"
            }
            Self::Nspl => {
                "https://geoportal.statistics.gov.uk/search?q=PRD_NSPL&sort=Date%20Created%7Ccreated%7Cdesc"
            }
            Self::CodePointOpen => "https://osdatahub.os.uk/downloads/open/CodePointOpen",
            Self::OpenNames => "https://osdatahub.os.uk/downloads/open/OpenNames",
            Self::ScottishPostcodeDirectory => {
                "https://www.nrscotland.gov.uk/publications/scottish-postcode-directory-20262/"
            }
        }
    }

    fn place(self) -> Place {
        match self {
            Self::Onspd => Place::Catalogue { title: "ONS Postcode Directory" },
            Self::Nspl => Place::Catalogue { title: "National Statistics Postcode Lookup" },
            Self::CodePointOpen => Place::Fixed(
                "https://api.os.uk/downloads/v1/products/CodePointOpen/downloads?area=GB&format=CSV&redirect",
            ),
            Self::OpenNames => Place::Fixed(
                "https://api.os.uk/downloads/v1/products/OpenNames/downloads?area=GB&format=CSV&redirect",
            ),
            Self::ScottishPostcodeDirectory => Place::ByHand(
                "National Records of Scotland gives each edition a new page and a new address, and no list of them",
            ),
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A product at an address.
#[derive(Clone, Debug)]
pub struct Located {
    /// The product.
    pub product: Product,
    /// The address of the file.
    pub url: Url,
    /// The title of the edition, if the publisher's catalogue says it.
    pub title: Option<String>,
}

impl Located {
    /// Uses this address instead of the publisher's.
    ///
    /// # Errors
    /// If it is not an HTTP or HTTPS address.
    pub fn at(product: Product, address: &str) -> Result<Self, Error> {
        Self::read(product, address).map_err(Error::of(ErrorKind::Input))
    }

    fn read(product: Product, address: &str) -> Result<Self> {
        let url = Url::parse(address).with_context(|| format!("{address}: not an address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!(
                "{address}: only http and https can be fetched. A file that is here can be imported as it is"
            );
        }
        Ok(Self { product, url, title: None })
    }
}

/// The client that asks the publishers.
#[derive(Clone, Debug)]
pub struct Publishers {
    client: reqwest::Client,
    catalogue: Url,
    limits: Limits,
}

impl Publishers {
    /// Creates the client. It uses the proxies of the environment.
    ///
    /// # Errors
    /// If the TLS certificates of the system can't be read.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        Self::client(limits).map_err(Error::of(ErrorKind::Io))
    }

    fn client(limits: Limits) -> Result<Self> {
        postcode_core::remote::tls_provider();
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::custom(follow))
            .referer(false)
            .connect_timeout(CONNECT_TIME)
            .user_agent(concat!("postcode-service/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("the HTTP client can't be set up")?;
        Ok(Self { client, catalogue: Url::parse(catalogue::ADDRESS)?, limits })
    }

    /// Searches for editions in another catalogue, such as a mirror.
    #[must_use]
    pub fn catalogue(mut self, address: Url) -> Self {
        self.catalogue = address;
        self
    }

    /// Finds the newest edition.
    ///
    /// # Errors
    /// If a program can't find it. The error names the page to open.
    pub async fn address(&self, product: Product) -> Result<Located, Error> {
        self.find(product).await.map_err(Error::of(ErrorKind::Download))
    }

    async fn find(&self, product: Product) -> Result<Located> {
        let found = match product.place() {
            Place::Fixed(address) => return Located::read(product, address),
            Place::Catalogue { title } => {
                catalogue::newest(&self.client, &self.catalogue, title, self.limits.stall).await
            }
            Place::ByHand(why) => Err(anyhow::anyhow!("{why}")),
        };
        let (url, title) = found.with_context(|| {
            format!(
                "{product}: not found by this program. Download it from {} and give the file to \
                 `postcode-service import`, or its address to --from",
                product.page()
            )
        })?;
        Ok(Located { product, url, title: Some(title) })
    }

    /// Downloads a file to this path. A part that came earlier is continued. `watch` gets the bytes so far, and of how
    /// many if that is known.
    ///
    /// # Errors
    /// If it can't be downloaded whole within the limits, or is not a whole zip file. A file that is there stays as it is.
    pub async fn fetch(
        &self,
        located: &Located,
        to: &Path,
        watch: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<Fetched, Error> {
        let download = Download { client: &self.client, url: &located.url, to, limits: self.limits };
        let fetched = download.run(watch).await.with_context(|| {
            format!("{}: not downloaded. The publisher's page is {}", located.product, located.product.page())
        });
        fetched.map_err(Error::of(ErrorKind::Download))
    }
}

/// Follows a few redirects, but never from HTTPS to HTTP.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let was_secure = attempt.previous().iter().any(|url| url.scheme() == "https");
    let may = match attempt.url().scheme() {
        "https" => true,
        "http" => !was_secure,
        _ => false,
    };
    if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error("more redirects than are followed")
    } else if !may {
        attempt.error("a redirect to an address that is not HTTPS is not followed")
    } else {
        attempt.follow()
    }
}
