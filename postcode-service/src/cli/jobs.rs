//! The options of jobs, which the server and a worker have.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;

use super::time::{long_time, time};
use crate::jobs::callback::{Allow, Manner};
use crate::jobs::{Callbacks, Jobs, Limits, Url};
use crate::worker::{Source, Workers};

/// The environment variable of the secret: not an option, which every user of the machine could
/// read.
const SECRET: &str = "POSTCODE_WEBHOOK_SECRET";
/// Beside the process, made by the first job.
const USUAL: &str = "postcode-jobs.db";
/// The bytes that a server stores if its operator has not said where: the size of that disk is not
/// known.
const USUAL_STORED: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Jobs")]
pub(super) struct JobArgs {
    /// The database of jobs: sqlite:///PATH (a file), postgres://USER@HOST/DATABASE (for several
    /// servers and workers), or none. A server without it creates sqlite://postcode-jobs.db with
    /// the first job. A worker needs it, with the URL that the servers have
    #[arg(long, value_name = "URL", env = "POSTCODE_JOBS", hide_env_values = true)]
    pub(super) jobs: Option<Place>,
    /// Parts of jobs worked on at once in this process; 0 accepts jobs and leaves the work to
    /// others
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_WORKERS", default_value_t = 2, value_parser = workers)]
    workers: usize,
    /// How long a worker may be silent before its parts are given to others; from 2s
    #[arg(long, value_name = "TIME", env = "POSTCODE_WORKER_TIMEOUT", default_value = "30s", value_parser = time)]
    worker_timeout: Duration,
    /// The most open jobs of one tenant; others are answered 429
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_MAX_JOBS", default_value_t = Limits::default().open_jobs)]
    max_jobs: u32,
    /// The most rows of one job
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_MAX_JOB_ROWS", default_value_t = Limits::default().rows)]
    max_job_rows: u64,
    /// The most open jobs of all tenants together; others are answered 503
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_MAX_OPEN_JOBS", default_value_t = Limits::default().open_jobs_in_all)]
    max_open_jobs: u32,
    /// The most open jobs from one address or /64, whatever tenants they name; others are answered
    /// 429. 0 allows any number. Does not count callers with a token [default: a quarter of
    /// --max-open-jobs, and any number from this machine]
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_MAX_JOBS_PER_ADDRESS")]
    max_jobs_per_address: Option<u32>,
    /// The most bytes of rows and results of all jobs. Beyond that new jobs are answered 507, and a
    /// job whose result does not fit fails [default: 17179869184 (16 GiB) with --jobs, 1073741824
    /// (1 GiB) without]
    #[arg(long, value_name = "BYTES", env = "POSTCODE_MAX_STORED")]
    max_stored: Option<u64>,
    /// The most bytes of rows and results of one tenant's jobs, likewise [default: half of
    /// --max-stored]
    #[arg(long, value_name = "BYTES", env = "POSTCODE_MAX_TENANT_STORED")]
    max_tenant_stored: Option<u64>,
    /// The most bytes of the result of one job; a job with a larger result fails [default: a
    /// quarter of --max-stored]
    #[arg(long, value_name = "BYTES", env = "POSTCODE_MAX_JOB_RESULT")]
    max_job_result: Option<u64>,
    /// Percent of the disk that must stay free, if jobs are kept in a file. With less, new jobs are
    /// answered 507 and accepted ones wait. 0 allows using all
    #[arg(long, value_name = "PERCENT", env = "POSTCODE_MIN_FREE_DISK", default_value_t = Limits::default().min_free, value_parser = clap::value_parser!(u8).range(0..=99))]
    min_free_disk: u8,
    /// How long an ended job and its result are kept
    #[arg(long, value_name = "TIME", env = "POSTCODE_KEEP_RESULTS", default_value = "7d", value_parser = long_time)]
    keep_results: Duration,
    /// A file with the secrets that sign callbacks, instead of POSTCODE_WEBHOOK_SECRET. A line with
    /// a secret (whsec_…) is for all tenants; a line with a tenant's name and a secret is for that
    /// tenant. A second secret in a line is used as well. Without a secret no job may ask for a
    /// callback
    #[arg(long, value_name = "FILE", env = "POSTCODE_WEBHOOK_SECRET_FILE")]
    webhook_secret_file: Option<PathBuf>,
    /// Hosts, addresses and networks that callbacks may go to, in addition to the public internet
    #[arg(long, value_name = "HOST|CIDR", env = "POSTCODE_CALLBACK_ALLOW", value_delimiter = ',')]
    callback_allow: Vec<Allow>,
    /// Hosts, addresses and networks that callbacks may never go to, such as your own public
    /// addresses
    #[arg(long, value_name = "HOST|CIDR", env = "POSTCODE_CALLBACK_DENY", value_delimiter = ',')]
    callback_deny: Vec<Allow>,
    /// The number of attempts for a callback
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_CALLBACK_ATTEMPTS", default_value_t = Manner::default().attempts)]
    callback_attempts: u32,
    /// The delay before the second attempt; it triples with each further one, up to six hours
    #[arg(long, value_name = "TIME", env = "POSTCODE_CALLBACK_DELAY", default_value = "5s", value_parser = time)]
    callback_delay: Duration,
}

/// `none` or a URL.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Nowhere,
    At(Url),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Self::Nowhere) } else { text.parse().map(Self::At) }
    }
}

fn workers(text: &str) -> Result<usize, String> {
    const MOST: usize = 64;
    let number = text.parse::<usize>().ok().filter(|number| *number <= MOST);
    number.ok_or_else(|| format!("give a number from 0 to {MOST}"))
}

impl JobArgs {
    /// Opens the jobs that the options describe. A database that was named must exist; the default
    /// file need not.
    pub(super) async fn open(&self, upload: u64) -> anyhow::Result<Jobs> {
        let (url, lazy) = match &self.jobs {
            Some(Place::Nowhere) => return Ok(Jobs::off()),
            Some(Place::At(url)) => (url.clone(), false),
            None => (Url::Sqlite(USUAL.into()), true),
        };
        let stored = self.max_stored.unwrap_or(if lazy { USUAL_STORED } else { Limits::default().stored });
        let limits = Limits {
            open_jobs: self.max_jobs,
            open_jobs_in_all: self.max_open_jobs,
            open_jobs_of_address: self.max_jobs_per_address,
            rows: self.max_job_rows,
            upload,
            stored,
            stored_of_tenant: self.max_tenant_stored.unwrap_or(stored / 2),
            result: self.max_job_result.unwrap_or(stored / 4),
            min_free: self.min_free_disk,
            keep: self.keep_results,
            ..Limits::default()
        };
        let jobs = Jobs::new(url, lazy, limits, self.callbacks()?);
        match jobs.open().await {
            Err(error) if lazy => {
                tracing::warn!(%error, "there are no jobs: give --jobs a file that can be written")
            }
            opened => opened.context("--jobs")?,
        }
        Ok(jobs)
    }

    pub(super) fn workers(&self, source: Source) -> Workers {
        Workers {
            count: self.workers,
            presumed_dead: self.worker_timeout.max(Duration::from_secs(2)),
            source,
        }
    }

    fn callbacks(&self) -> anyhow::Result<Option<Callbacks>> {
        let secret = match &self.webhook_secret_file {
            Some(file) => {
                let read = std::fs::read_to_string(file);
                Some(read.with_context(|| format!("--webhook-secret-file {}", file.display()))?)
            }
            None => std::env::var(SECRET).ok().filter(|secret| !secret.is_empty()),
        };
        let Some(secret) = secret else { return Ok(None) };
        let manner = Manner {
            allow: self.callback_allow.clone(),
            deny: self.callback_deny.clone(),
            attempts: self.callback_attempts,
            first_delay: self.callback_delay,
            ..Manner::default()
        };
        Callbacks::new(&secret, manner).map(Some).map_err(anyhow::Error::msg).context(SECRET)
    }
}
