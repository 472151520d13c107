//! `data update`: brings the dataset of a running service up to date.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use postcode_core::dataset::{Dataset, Demands, signature_path};
use postcode_core::{Connector, PostcodeLookup};
use tempfile::TempPath;

use super::fetch::Download;
use super::import::until_interrupted;
use crate::destination;
use crate::diff::compare;
use crate::import::Doubt;

/// The time in which a service must have opened the new data.
const RELOAD: Duration = Duration::from_secs(60);
/// The pause between two looks at the service.
const LOOK: Duration = Duration::from_millis(200);
/// Metres below which a postcode counts as not moved.
const MOVED: f64 = 1.0;

/// Keep the data of a service up to date.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Update(Box<Update>),
}

/// Download, import, compare, publish, and tell a running service.
///
/// The new edition is compared with the file that is served. It is published only if no country has markedly fewer
/// postcodes, filled columns or names, and as a whole: the old file stays until the new one takes its name. If the
/// publisher has nothing new, nothing is done.
///
/// Exit status: 0 if the newest edition is served, 1 for errors, 2 for wrong options, 130 if it was interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service data update onspd --out /data/uk.postcodes
  postcode-service data update onspd open-names --out /data/uk.postcodes --folder /data/downloads \\
      --pid $(pidof postcode-service) --service http://127.0.0.1:8080")]
struct Update {
    #[command(flatten)]
    download: Download,
    /// The dataset file that the service serves
    #[arg(long, short, value_name = "FILE", env = "POSTCODE_DATA_OUT")]
    out: PathBuf,
    /// Publish in spite of such doubts; may be given several times
    #[arg(long, value_enum, value_name = "DOUBT", env = "POSTCODE_DATA_ACCEPT", value_delimiter = ',')]
    accept: Vec<Doubt>,
    /// The process of the service, which gets SIGHUP when the file is published
    #[arg(long, value_name = "PID", env = "POSTCODE_DATA_PID")]
    pid: Option<u32>,
    /// The address of the service. The command ends when it serves the new edition, and fails if it does not
    #[arg(long, value_name = "URL", env = "POSTCODE_DATA_SERVICE", hide_env_values = true)]
    service: Option<String>,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> Result<()> {
        let Action::Update(update) = self.action;
        update.run().await
    }
}

impl Update {
    async fn run(self) -> Result<()> {
        self.download.check_postcodes()?;
        destination::check(&self.out, [])?;
        let signature = signature_path(&self.out);
        ensure!(
            !signature.exists(),
            "{}: is signed, and an update can't sign. Use `fetch --out` for another file, sign that, and move both",
            self.out.display()
        );
        if let Some(pid) = self.pid {
            process(pid)?;
        }
        let service = self.service.as_deref().map(Connector::new).transpose().context("--service")?;
        let old = match self.out.exists() {
            true => Some(Dataset::open_checked(&self.out, &Demands::default())?),
            false => None,
        };
        let files = self.download.run().await?;
        if let Some(old) = &old
            && old.metadata().source == files.provenance
        {
            writeln!(io::stdout(), "{}: {} is the newest edition", self.out.display(), old.info().edition)?;
            return Ok(());
        }
        // In the same folder, so that the last step is a rename.
        let next = next(&self.out)?;
        let mut import = files.import(next.to_path_buf(), self.accept, self.download.quiet);
        import.previous = old.as_ref().map(|_| self.out.clone());
        until_interrupted(move |stop| import.run(&stop)).await?;
        let new = Dataset::open_checked(&next, &Demands::default())?;
        if let Some(old) = &old {
            let summary = compare(old, &new, MOVED, |_| Ok::<(), io::Error>(()))?;
            writeln!(io::stdout(), "{summary}")?;
        }
        let fingerprint = new.info().fingerprint.clone();
        destination::replace(&next, &self.out)?;
        writeln!(io::stdout(), "{}: published {} ({fingerprint})", self.out.display(), new.info().edition)?;
        if let Some(pid) = self.pid {
            // It may have ended meanwhile, and its number may belong to another process.
            hang_up(process(pid)?)?;
        }
        if let Some(service) = service {
            let lookup = service.connect().await.context("--service")?;
            reloaded(&*lookup, &fingerprint).await.context("--service")?;
            writeln!(io::stdout(), "the service serves it")?;
        } else if self.pid.is_none() {
            writeln!(io::stdout(), "send SIGHUP to the service: it serves the old data until then")?;
        }
        Ok(())
    }
}

/// Returns the path for the new edition, which is removed unless it is renamed.
fn next(out: &Path) -> Result<TempPath> {
    let mut name = std::ffi::OsString::from(".");
    name.push(out.file_name().unwrap_or_default());
    name.push(format!(".{}.next", std::process::id()));
    let next = out.with_file_name(name);
    TempPath::try_from_path(&next).with_context(|| format!("{}: can't be written", next.display()))
}

/// Waits until the service serves the dataset.
async fn reloaded(lookup: &dyn PostcodeLookup, fingerprint: &str) -> Result<()> {
    let served = async {
        loop {
            if lookup.info().await.is_ok_and(|info| info.fingerprint == fingerprint) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(RELOAD, served).await.is_err() {
        let time = humantime::format_duration(RELOAD);
        bail!("the file is published, and the service did not serve it within {time}. Its log says why");
    }
    Ok(())
}

/// Checks that this is a process of the service. SIGHUP ends most other programs.
#[cfg(unix)]
fn process(pid: u32) -> Result<rustix::process::Pid> {
    let number = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let number = number.with_context(|| format!("--pid {pid}: not the number of a process"))?;
    rustix::process::test_kill_process(number)
        .with_context(|| format!("--pid {pid}: no such process, or not yours"))?;
    // Only Linux tells the name. It is cut to 15 bytes.
    if let Ok(name) = std::fs::read_to_string(format!("/proc/{pid}/comm")) {
        let name = name.trim_end();
        ensure!(name.starts_with("postcode-serv"), "--pid {pid}: is {name}, and not postcode-service");
    }
    Ok(number)
}

#[cfg(unix)]
fn hang_up(pid: rustix::process::Pid) -> Result<()> {
    rustix::process::kill_process(pid, rustix::process::Signal::HUP)
        .with_context(|| format!("process {}: SIGHUP can't be sent", pid.as_raw_nonzero()))
}

#[cfg(not(unix))]
fn process(pid: u32) -> Result<u32> {
    bail!("--pid {pid}: this system has no SIGHUP: start the service again")
}

#[cfg(not(unix))]
fn hang_up(_: u32) -> Result<()> {
    Ok(())
}
