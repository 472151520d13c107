//! A plan in a file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::link::FleetLink;
use super::plan::FleetPlan;
use super::report::FleetReport;
use crate::{Error, ErrorKind, Result};

/// The largest file, in bytes: many times the size of a plan with all rows.
const MAX_PLAN_FILE: u64 = 64 << 10;
/// How often a file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Reads a plan from a file. Returns `None` if there is no such file.
///
/// ```
/// use std::path::Path;
/// use postcode_core::layers::fleet::read_plan;
///
/// assert_eq!(read_plan(Path::new("/nowhere/plan.json"))?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Unavailable`](crate::ErrorKind::Unavailable) if the file can't be read, and
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is not a plan.
pub fn read_plan(path: &Path) -> Result<Option<FleetPlan>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, "can't be read", error)),
        Ok(file) => file,
    };
    let mut text = String::new();
    let read = file.take(MAX_PLAN_FILE + 1).read_to_string(&mut text);
    read.map_err(|error| unusable(path, "can't be read", error))?;
    let wrong = |why: &dyn std::fmt::Display| {
        Error::invalid(format!(
            "{}: not a plan of a fleet: {why}. Give {{\"revision\":1,\"plan\":\"local\"}}, or remove the file",
            path.display()
        ))
    };
    if text.len() as u64 > MAX_PLAN_FILE {
        return Err(wrong(&format_args!("larger than {MAX_PLAN_FILE} bytes")));
    }
    let plan: FleetPlan = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    plan.check().map_err(|error| wrong(&error))?;
    Ok(Some(plan))
}

/// Writes a plan as a whole or not at all, so that a file that is there is always a plan.
///
/// ```
/// use postcode_core::layers::fleet::{FleetPlan, read_plan, write_plan};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("plan.json");
/// let plan = FleetPlan::new(1, "canary:10%".parse()?);
/// write_plan(&path, &plan)?;
/// assert_eq!(read_plan(&path)?, Some(plan));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Unavailable`](crate::ErrorKind::Unavailable) if it can't be written. The file is then as it was.
pub fn write_plan(path: &Path, plan: &FleetPlan) -> Result<()> {
    let mut text = serde_json::to_vec(plan)
        .map_err(|error| Error::new(ErrorKind::Internal, "the plan can't be written").with_source(error))?;
    text.push(b'\n');
    let mut partial = path.to_owned().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        // So that the new name also outlives a loss of power.
        // Only Unix has, and needs, this.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    });
    written.map_err(|error| unusable(path, "can't be written", error))
}

fn unusable(path: &Path, what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{}: {what}: {error}", path.display())).with_source(error)
}

/// A plan in a file that somebody else writes. It is looked at once a second.
///
/// Nothing is reported to a file, so there is no guard over all processes. Each has its own.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use std::time::Duration;
/// use postcode_core::layers::fleet::{FleetLink, FleetPlan, PlanFile, write_plan};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("plan.json");
/// write_plan(&path, &FleetPlan::new(1, "canary:10%".parse()?))?;
/// let plan = PlanFile::new(&path).plan(0, Duration::ZERO).await?;
/// assert_eq!(plan.map(|plan| plan.revision), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PlanFile(PathBuf);

impl PlanFile {
    /// Creates a link to the plan in this file. The file need not exist yet.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use postcode_core::layers::fleet::{FleetLink, FleetPlan, PlanFile, write_plan};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("plan.json");
    /// let link = PlanFile::new(&path);
    /// assert_eq!(link.plan(0, Duration::ZERO).await?, None);
    /// write_plan(&path, &FleetPlan::new(7, "shadow:10%".parse()?))?;
    /// assert_eq!(link.plan(0, Duration::ZERO).await?.map(|plan| plan.revision), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

#[async_trait]
impl FleetLink for PlanFile {
    async fn plan(&self, newer_than: u64, wait: Duration) -> Result<Option<FleetPlan>> {
        let until = Instant::now() + wait;
        loop {
            let path = self.0.clone();
            let read = tokio::task::spawn_blocking(move || read_plan(&path)).await;
            let plan = read.unwrap_or_else(|error| {
                Err(Error::new(ErrorKind::Internal, "reading the plan failed").with_source(error))
            })?;
            let is_newer = plan.as_ref().is_some_and(|plan| plan.revision > newer_than);
            if is_newer || Instant::now() + LOOK > until {
                return Ok(plan);
            }
            sleep(LOOK).await;
        }
    }

    async fn report(&self, _: &FleetReport) -> Result<Duration> {
        Err(Error::new(ErrorKind::NotSupported, format!("{}: a file takes no reports", self.0.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_is_written_whole_and_invalid_plan_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        assert_eq!(read_plan(&path).unwrap(), None);
        let plan = FleetPlan::new(7, "canary:0.25,nearest=remote:0.5".parse().unwrap());
        write_plan(&path, &plan).unwrap();
        assert_eq!(read_plan(&path).unwrap(), Some(plan.clone()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
        assert!(write_plan(&folder.path().join("no/such/folder"), &plan).is_err());
        let large = " ".repeat(MAX_PLAN_FILE as usize + 1);
        for text in ["", "{", "{\"revision\":1}", "{\"revision\":-1,\"plan\":\"local\"}", &large] {
            fs::write(&path, text).unwrap();
            let error = read_plan(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("not a plan of a fleet"), "{error}");
        }
    }
}
