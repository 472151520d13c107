//! The URL of the database of jobs.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The URL of the database of jobs.
#[derive(Clone, PartialEq, Eq)]
pub enum Url {
    /// A file.
    Sqlite(PathBuf),
    /// A database, with its whole URL.
    Postgres(String),
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let known = !path.is_empty() && !path.contains('?') && path != ":memory:";
                known
                    .then(|| Self::Sqlite(path.into()))
                    .ok_or_else(|| "write sqlite:///path/jobs.db".to_owned())
            }
            "postgres" | "postgresql" => Ok(Self::Postgres(text.to_owned())),
            _ => Err("write sqlite:///path/jobs.db or postgres://user@host/database".to_owned()),
        }
    }
}

/// Prints the URL without its password.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(text) => match url::Url::parse(text) {
                Ok(url) => write!(f, "postgres://{}{}", url.host_str().unwrap_or_default(), url.path()),
                Err(_) => f.write_str("postgres:"),
            },
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
