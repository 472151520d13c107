//! The settings of the client and their ranges.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::address::Address;
use crate::{Error, Result};

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(600);

const DEADLINE: Duration = Duration::from_secs(2);

/// The names of [`Config::set`]'s options.
pub(crate) const OPTIONS: [&str; 14] = [
    "deadline",
    "timeout",
    "connect_timeout",
    "retries",
    "backoff",
    "retry_budget",
    "batch",
    "concurrency",
    "encoding",
    "proxy",
    "token_file",
    "client_cert",
    "client_key",
    "ca_file",
];

/// How answers with many records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Compact if the server knows it, and otherwise JSON.
    Compact,
    /// JSON only.
    Json,
}

impl Encoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Json => "json",
        }
    }
}

#[derive(Clone)]
pub(super) struct Config {
    pub(super) address: Address,
    /// `None` is [`DEADLINE`], or twice the timeout if that is longer.
    deadline: Option<Duration>,
    timeout: Duration,
    connect_timeout: Duration,
    pub(super) retries: usize,
    /// The longest pause before the first retry; it doubles.
    pub(super) backoff: Duration,
    /// Retries per request, 0 to 1.
    pub(super) retry_budget: f64,
    pub(super) batch: usize,
    pub(super) concurrency: usize,
    pub(super) encoding: Encoding,
    pub(super) environment_proxy: bool,
    /// Certificates in PEM to trust as well as those of the system.
    pub(super) root_certificates: Vec<Vec<u8>>,
    /// A file with more of them.
    pub(super) ca_file: Option<PathBuf>,
    /// A file with a bearer token.
    pub(super) token_file: Option<PathBuf>,
    pub(super) client_cert: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
}

impl Config {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            deadline: None,
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_millis(500),
            retries: 2,
            backoff: Duration::from_millis(20),
            retry_budget: 0.2,
            batch: 100,
            concurrency: 4,
            encoding: Encoding::Compact,
            environment_proxy: false,
            root_certificates: Vec::new(),
            ca_file: None,
            token_file: None,
            client_cert: None,
            client_key: None,
        }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline.unwrap_or_else(|| DEADLINE.max(self.timeout.saturating_mul(2)))
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Ends a little before `limit`, with attempts short enough for a second one.
    pub(super) fn hurry(&mut self, limit: Duration) {
        let deadline = self.deadline().min(limit.mul_f64(0.9)).max(SHORTEST);
        self.deadline = Some(deadline);
        self.timeout = self.timeout.min(deadline / 2).max(SHORTEST);
        self.connect_timeout = self.connect_timeout.min(self.timeout);
    }

    pub(super) fn set_deadline(&mut self, value: Duration) -> Result<()> {
        self.deadline = Some(duration("deadline", value)?);
        Ok(())
    }

    pub(super) fn set_timeout(&mut self, value: Duration) -> Result<()> {
        self.timeout = duration("timeout", value)?;
        Ok(())
    }

    pub(super) fn set_connect_timeout(&mut self, value: Duration) -> Result<()> {
        self.connect_timeout = duration("connect_timeout", value)?;
        Ok(())
    }

    pub(super) fn set_retries(&mut self, value: usize) -> Result<()> {
        self.retries = number("retries", value, 0..=10)?;
        Ok(())
    }

    pub(super) fn set_backoff(&mut self, value: Duration) -> Result<()> {
        self.backoff = duration("backoff", value)?;
        Ok(())
    }

    pub(super) fn set_retry_budget(&mut self, value: f64) -> Result<()> {
        if !(0.0..=1.0).contains(&value) {
            return Err(Error::invalid(format!("retry_budget={value}: give 0 to 1")));
        }
        self.retry_budget = value;
        Ok(())
    }

    pub(super) fn set_batch(&mut self, value: usize) -> Result<()> {
        self.batch = number("batch", value, 1..=crate::MAX_BATCH)?;
        Ok(())
    }

    pub(super) fn set_concurrency(&mut self, value: usize) -> Result<()> {
        self.concurrency = number("concurrency", value, 1..=64)?;
        Ok(())
    }

    /// Sets an option from its text in a URL.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "deadline" => self.set_deadline(parse_duration(name, value)?),
            "timeout" => self.set_timeout(parse_duration(name, value)?),
            "connect_timeout" => self.set_connect_timeout(parse_duration(name, value)?),
            "retries" => self.set_retries(parse_number(name, value)?),
            "backoff" => self.set_backoff(parse_duration(name, value)?),
            "retry_budget" => self.set_retry_budget(parse_share(name, value)?),
            "batch" => self.set_batch(parse_number(name, value)?),
            "concurrency" => self.set_concurrency(parse_number(name, value)?),
            "encoding" => {
                self.encoding = match value {
                    "compact" => Encoding::Compact,
                    "json" => Encoding::Json,
                    _ => return Err(Error::invalid(format!("encoding={value}: give compact or json"))),
                };
                Ok(())
            }
            "proxy" => {
                self.environment_proxy = match value {
                    "none" => false,
                    "env" => true,
                    _ => return Err(Error::invalid(format!("proxy={value}: give none or env"))),
                };
                Ok(())
            }
            "token_file" => set_path(&mut self.token_file, name, value),
            "client_cert" => set_path(&mut self.client_cert, name, value),
            "client_key" => set_path(&mut self.client_key, name, value),
            "ca_file" => set_path(&mut self.ca_file, name, value),
            _ => Err(Error::invalid(format!(
                "unknown option {name:?}: the options are {}",
                OPTIONS.join(", ")
            ))),
        }
    }
}

fn set_path(slot: &mut Option<PathBuf>, name: &str, value: &str) -> Result<()> {
    if value.is_empty() {
        return Err(Error::invalid(format!("{name}=: give the path of a file")));
    }
    *slot = Some(value.into());
    Ok(())
}

pub(crate) fn duration(name: &str, value: Duration) -> Result<Duration> {
    if !(SHORTEST..=LONGEST).contains(&value) {
        return Err(Error::invalid(format!("a {name} of {value:?}: give 1ms to 10m")));
    }
    Ok(value)
}

pub(crate) fn number(name: &str, value: usize, range: RangeInclusive<usize>) -> Result<usize> {
    if !range.contains(&value) {
        let (least, most) = range.into_inner();
        return Err(Error::invalid(format!("{name}={value}: give {least} to {most}")));
    }
    Ok(value)
}

pub(crate) fn parse_number(name: &str, value: &str) -> Result<usize> {
    value.parse().map_err(|_| Error::invalid(format!("{name}={value:?}: give a whole number")))
}

/// Parses a share such as `0.2`.
fn parse_share(name: &str, value: &str) -> Result<f64> {
    value.parse().map_err(|_| Error::invalid(format!("{name}={value:?}: give a number from 0 to 1")))
}

/// Parses a duration such as `200ms`, `1.5s` or `2m`.
pub(crate) fn parse_duration(name: &str, value: &str) -> Result<Duration> {
    let split = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (count, unit) = value.split_at(split);
    let seconds = match unit {
        "ms" => Some(0.001),
        "s" => Some(1.0),
        "m" => Some(60.0),
        _ => None,
    };
    // Only digits and a point. `f64` also accepts signs and exponents, which make no sense here.
    let count =
        count.bytes().all(|b| b.is_ascii_digit() || b == b'.').then(|| count.parse::<f64>().ok()).flatten();
    seconds
        .zip(count)
        .and_then(|(seconds, count)| Duration::try_from_secs_f64(count * seconds).ok())
        .ok_or_else(|| Error::invalid(format!("{name}={value:?}: give a duration such as 200ms, 1.5s or 2m")))
}

impl Config {
    /// Returns the files of the client's and the service's credentials, by option.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let files = [
            ("token_file", &self.token_file),
            ("client_cert", &self.client_cert),
            ("client_key", &self.client_key),
            ("ca_file", &self.ca_file),
        ];
        files.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)))
    }

    /// Checks the combination of the files before any is read.
    pub(super) fn check_files(&self) -> Result<()> {
        let tls_only = ["client_cert", "client_key", "ca_file"];
        if !self.address.is_tls()
            && let Some((name, _)) = self.files().find(|(name, _)| tls_only.contains(name))
        {
            return Err(Error::invalid(format!(
                "option {name}: {} does not use TLS. Write https://, or leave the option out",
                self.address
            )));
        }
        if self.client_cert.is_some() != self.client_key.is_some() {
            return Err(Error::invalid("client_cert and client_key belong together: give both"));
        }
        if self.token_file.is_some() && self.address.authorization.is_some() {
            return Err(Error::invalid(
                "token_file and a user and password in the URL can't be sent together: give one of them",
            ));
        }
        Ok(())
    }
}

/// Writes everything except secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("address", &format_args!("{}", self.address))
            .field("authorization", &self.address.authorization.is_some())
            .field("deadline", &self.deadline())
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("retries", &self.retries)
            .field("backoff", &self.backoff)
            .field("retry_budget", &self.retry_budget)
            .field("batch", &self.batch)
            .field("concurrency", &self.concurrency)
            .field("encoding", &self.encoding.name())
            .field("environment_proxy", &self.environment_proxy)
            .field("root_certificates", &self.root_certificates.len())
            .field("files", &self.files().collect::<Vec<_>>())
            .finish()
    }
}
