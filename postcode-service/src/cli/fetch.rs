//! `fetch`: downloads the publishers' files, and imports them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use url::Url;

use super::import::until_interrupted;
use super::{interrupt, time};
use crate::fetch::{Fetched, Limits, Located, Product, Publishers};
use crate::import::{Doubt, Import, Progress};

/// Download the publishers' files, and make a dataset of them.
///
/// A download that broke off is continued when the command is run again. A file appears under its name when it is whole
/// and checked. One that is there and has not changed is not downloaded again.
///
/// Exit status: 0 if all was downloaded and published, 1 if not, 2 for wrong options, 130 if it was interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service fetch onspd --out uk.postcodes
  postcode-service fetch code-point-open open-names --folder downloads --out gb.postcodes
  postcode-service fetch onspd
  postcode-service fetch nspl --from https://mirror.example/NSPL_NOV_2025.zip --out uk.postcodes")]
pub struct Args {
    #[command(flatten)]
    pub(super) download: Download,
    /// The dataset file to make of what was downloaded [default: none, only download]
    #[arg(long, short, value_name = "FILE", env = "POSTCODE_FETCH_OUT")]
    out: Option<PathBuf>,
    /// Publish in spite of such doubts; may be given several times
    #[arg(long, value_enum, value_name = "DOUBT", env = "POSTCODE_FETCH_ACCEPT", value_delimiter = ',')]
    accept: Vec<Doubt>,
}

/// The files to download, and the limits.
#[derive(Debug, clap::Args)]
pub(super) struct Download {
    /// The files to download
    #[arg(required = true, value_enum, value_name = "PRODUCT")]
    products: Vec<Product>,
    /// The address of the file, in place of the publisher's: a URL, or onspd=URL if there are several products
    #[arg(long, value_name = "URL", env = "POSTCODE_FETCH_FROM", hide_env_values = true, value_delimiter = None)]
    from: Vec<String>,
    /// The folder for the downloaded files
    #[arg(long, value_name = "DIR", env = "POSTCODE_FETCH_FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The catalogue in which the editions of ONS are searched for, for a mirror of ArcGIS Online
    #[arg(long, value_name = "URL", env = "POSTCODE_FETCH_CATALOGUE")]
    catalogue: Option<Url>,
    /// The most bytes of a file
    #[arg(long, value_name = "N", env = "POSTCODE_FETCH_MAX_BYTES", default_value_t = Limits::default().bytes)]
    max_bytes: u64,
    /// The time for a file, with all retries
    #[arg(long, value_name = "TIME", env = "POSTCODE_FETCH_TIME", value_parser = time::positive, default_value = "2h")]
    time: Duration,
    /// The time in which nothing comes, after which it is tried again
    #[arg(long, value_name = "TIME", env = "POSTCODE_FETCH_STALL", value_parser = time::positive, default_value = "30s")]
    stall: Duration,
    /// Print only errors and the summary, without progress and remarks
    #[arg(long, short, env = "POSTCODE_FETCH_QUIET")]
    pub(super) quiet: bool,
}

/// The files that are there now.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) paths: Vec<PathBuf>,
    /// Where they come from and what they are, to record in a dataset. Equal files have equal texts.
    pub(super) provenance: String,
}

impl Download {
    /// Returns an error if a dataset can't be made of these products.
    pub(super) fn check_postcodes(&self) -> Result<()> {
        let postcodes = self.products.iter().filter(|product| product.has_postcodes()).count();
        ensure!(postcodes > 0, "a dataset needs postcodes: add onspd, nspl or code-point-open");
        ensure!(
            postcodes == 1,
            "a dataset is made of one of onspd, nspl and code-point-open: leave the others out"
        );
        Ok(())
    }

    /// Returns the address that was given for a product.
    fn given(&self, product: Product) -> Option<&str> {
        self.from.iter().find_map(|from| match from.split_once('=') {
            Some((name, address)) if name == product.name() => Some(address),
            _ if self.products.len() == 1 => Some(from.as_str()),
            _ => None,
        })
    }

    fn check(&self) -> Result<()> {
        for (n, product) in self.products.iter().enumerate() {
            ensure!(!self.products[..n].contains(product), "{product} is named twice: name it once");
        }
        for from in &self.from {
            let name = from.split_once('=').map_or("", |(name, _)| name);
            let named = self.products.iter().any(|product| product.name() == name);
            ensure!(
                named || self.products.len() == 1,
                "--from {from}: say of which product it is the address: {}=URL",
                self.products.first().map_or("onspd", |product| product.name())
            );
        }
        ensure!(self.products.len() > 1 || self.from.len() < 2, "--from: give one address of a product");
        Ok(())
    }

    /// Downloads the files. After a signal it ends the process with status 130.
    pub(super) async fn run(&self) -> Result<Files> {
        self.check()?;
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("{}: the folder can't be made", self.folder.display()))?;
        let limits =
            Limits { bytes: self.max_bytes, time: self.time, stall: self.stall, ..Limits::default() };
        let mut publishers = Publishers::new(limits)?;
        if let Some(catalogue) = &self.catalogue {
            publishers = publishers.catalogue(catalogue.clone());
        }
        let interrupted = interrupt::requested();
        tokio::select! {
            files = self.all(&publishers) => files,
            () = interrupted => {
                eprintln!("interrupted: run the command again to continue");
                std::process::exit(interrupt::STATUS);
            }
        }
    }

    async fn all(&self, publishers: &Publishers) -> Result<Files> {
        let mut located = Vec::new();
        // All addresses first: one that is not found is said before an hour of downloads.
        for product in &self.products {
            located.push(match self.given(*product) {
                Some(address) => Located::at(*product, address).context("--from")?,
                None => publishers.address(*product).await?,
            });
        }
        let mut files = Files { paths: Vec::new(), provenance: String::new() };
        for located in located {
            let path = self.folder.join(located.product.file_name());
            let fetched = self.one(publishers, &located, &path).await?;
            let short = fetched.sha256.get(..16).unwrap_or_default();
            let name = located.title.as_deref().unwrap_or(located.product.name());
            let comma = if files.provenance.is_empty() { "" } else { ", " };
            let from = postcode_core::redact(located.url.as_str());
            files.provenance.push_str(&format!("{comma}{name} from {from} (sha256 {short})"));
            files.paths.push(path);
        }
        Ok(files)
    }

    async fn one(&self, publishers: &Publishers, located: &Located, path: &Path) -> Result<Fetched> {
        let what = located.title.as_deref().unwrap_or(located.product.name());
        if !self.quiet {
            eprintln!("{what}: from {}", postcode_core::redact(located.url.as_str()));
        }
        let mut progress = Progress::new(self.quiet);
        let mut watch = |done, total: Option<u64>| {
            if let Some(total) = total {
                progress.at(what, done, total);
            }
        };
        let fetched = publishers.fetch(located, path, &mut watch).await;
        progress.finish();
        let fetched = fetched?;
        if !self.quiet {
            let how = if fetched.unchanged { "unchanged" } else { "downloaded and checked" };
            eprintln!("{}: {how}, {} bytes, sha256 {}", path.display(), fetched.bytes, fetched.sha256);
        }
        Ok(fetched)
    }
}

impl Files {
    /// Returns an import of the files.
    pub(super) fn import(&self, out: PathBuf, accept: Vec<Doubt>, quiet: bool) -> Import {
        let mut import = Import::new("", out);
        import.inputs.clone_from(&self.paths);
        import.source = Some(self.provenance.clone());
        (import.accept, import.quiet) = (accept, quiet);
        import
    }
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> Result<()> {
        if self.out.is_some() {
            self.download.check_postcodes()?;
        } else if !self.accept.is_empty() {
            bail!("--accept is for the import: give --out, too");
        }
        let files = self.download.run().await?;
        let Some(out) = self.out else {
            let names: Vec<String> = files.paths.iter().map(|path| path.display().to_string()).collect();
            eprintln!("to import: postcode-service import {} --out uk.postcodes", names.join(" "));
            return Ok(());
        };
        let import = files.import(out, self.accept, self.download.quiet);
        until_interrupted(move |stop| import.run(&stop)).await
    }
}
