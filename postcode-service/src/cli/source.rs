//! Where answers come from: `--source` of lookups, and the dataset files of tools. Each is a path
//! or a URL.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::builder::{OsStringValueParser, TypedValueParser};
use percent_encoding::percent_decode_str;
use postcode_core::dataset::{Dataset, Demands};
use postcode_core::{Connector, Lookups, path_or_url};

/// The option that all lookup commands have.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// The source of answers: a dataset file, embedded:, or a service: http://host:port,
    /// https://host (a postcode-service or any postcodes.io server), unix:/run/postcode.sock or
    /// replica:http://host:port
    #[arg(
        long,
        short,
        visible_alias = "data",
        value_name = "PATH|URL",
        env = "POSTCODE_SOURCE",
        hide_env_values = true,
        default_value = "embedded:"
    )]
    source: String,
    /// Print on standard error how --source is set up, with all defaults
    #[arg(long, short)]
    verbose: bool,
}

impl Source {
    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn Lookups>> {
        let source = Connector::new(&path_or_url(&self.source)).context("--source")?;
        if self.verbose {
            eprintln!("source: {source}");
        }
        source.connect().await.context("--source")
    }
}

/// A dataset that is read as a file: a path, `file:PATH` or `embedded:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DatasetSource {
    Embedded,
    File(PathBuf),
}

impl DatasetSource {
    /// Parses the value of an option or an argument.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|text| Self::parse(&text))
    }

    fn parse(text: &OsStr) -> Result<Self, String> {
        let Some(known) = text.to_str() else { return Ok(Self::File(text.into())) };
        let (scheme, rest) = known.split_once(':').unwrap_or(("", known));
        match scheme.to_ascii_lowercase().as_str() {
            "embedded" if rest.is_empty() => Ok(Self::Embedded),
            "file" => {
                let path =
                    rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
                let path = percent_decode_str(path).decode_utf8().map_err(|_| "the path is not UTF-8")?;
                if path.is_empty() {
                    Err("file: has no path".into())
                } else {
                    Ok(Self::File(path.as_ref().into()))
                }
            }
            "http" | "https" | "unix" | "replica" => Err(
                "this is a service, and the command needs the file: give a path, or download the file with \
                 `curl -o uk.postcodes URL/dataset`"
                    .to_owned(),
            ),
            _ => Ok(Self::File(text.into())),
        }
    }

    /// Returns the path, or an error that says that the command needs a file.
    pub(crate) fn path(&self) -> anyhow::Result<&Path> {
        match self {
            Self::Embedded => {
                anyhow::bail!("embedded: is part of this program: give the path of a dataset file")
            }
            Self::File(path) => Ok(path),
        }
    }

    /// Returns the path, if it is a file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Embedded => None,
            Self::File(path) => Some(path),
        }
    }

    /// Opens the dataset. The checks apply to a file.
    pub(crate) fn open(&self, demands: &Demands) -> anyhow::Result<Dataset> {
        match self {
            Self::Embedded => Ok(Dataset::embedded()?),
            Self::File(path) => Ok(Dataset::open_checked(path, demands)?),
        }
    }
}

impl fmt::Display for DatasetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded:"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DatasetSource;

    #[test]
    fn dataset_is_a_path_or_a_url_of_a_file() {
        let parse = |text: &str| DatasetSource::parse(text.as_ref());
        let file = |path: &str| Ok(DatasetSource::File(path.into()));
        assert_eq!(parse("embedded:"), Ok(DatasetSource::Embedded));
        assert_eq!(parse("uk.postcodes"), file("uk.postcodes"));
        assert_eq!(parse("file:uk.postcodes"), file("uk.postcodes"));
        assert_eq!(parse("file:///data/uk%20of.postcodes"), file("/data/uk of.postcodes"));
        assert_eq!(parse("FILE://localhost/data/x"), file("/data/x"));
        assert_eq!(parse("odd:name"), file("odd:name"));
        assert!(parse("http://host").is_err());
        assert!(parse("file:").is_err());
    }
}
