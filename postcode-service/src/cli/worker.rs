//! `worker`: works on the jobs that servers take.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use postcode_edge::cli::{LogArgs, supervisor};

use super::jobs::JobArgs;
use super::source::Source;
use super::time::time;
use super::{interrupt, jobs::Place};
use crate::worker;

/// Work on the jobs that servers have accepted.
///
/// Any number of workers, on any number of machines, share the jobs of one PostgreSQL database;
/// those in a file are for one machine. When it is ready it prints one line on standard output.
/// SIGTERM and SIGINT end it after the running parts. A killed worker loses nothing: its parts are
/// done by another.
///
/// Exit status: 0 after a signal, 2 if it can't start.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service worker --jobs postgres://jobs@db.example/jobs
  postcode-service worker --jobs postgres://jobs@db.example/jobs --source /data/uk.postcodes --workers 8
  postcode-service worker --jobs sqlite:///var/lib/postcode/jobs.db --source http://127.0.0.1:8080")]
pub struct Args {
    #[command(flatten)]
    jobs: JobArgs,
    #[command(flatten)]
    source: Source,
    /// How long running parts may take to finish after SIGTERM or SIGINT
    #[arg(long, value_name = "TIME", env = "POSTCODE_DRAIN", default_value = "10s", value_parser = time)]
    drain: Duration,
    #[command(flatten)]
    log: LogArgs,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let _log = self.log.start().map_err(anyhow::Error::msg)?;
        let Some(Place::At(url)) = &self.jobs.jobs else {
            bail!(
                "--jobs is not given: give the URL that the servers have, such as postgres://jobs@db.example/jobs"
            );
        };
        let interrupted = interrupt::requested();
        let lookup = self.source.open().await?;
        let jobs = self.jobs.open(0).await?;
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let source: worker::Source = Arc::new(move || lookup.clone());
        let mut workers = tokio::spawn(worker::run(jobs, self.jobs.workers(source), stopping));
        self.log.announce(&[format!("working on {url}")]).map_err(anyhow::Error::msg)?;
        supervisor::ready(&format!("working on {url}"));
        interrupted.await;
        supervisor::stopping();
        tracing::info!("shutting down");
        let _ = stop.send(true);
        if tokio::time::timeout(self.drain, &mut workers).await.is_err() {
            workers.abort();
        }
        tracing::info!("stopped");
        Ok(())
    }
}
