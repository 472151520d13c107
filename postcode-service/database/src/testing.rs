//! Disks that are full and files that can't grow, for tests.
#![allow(clippy::panic, clippy::expect_used, reason = "in a test it is the failure")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A file system of a few megabytes, in memory. Unmounted when it is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts a disk of that many bytes, or prints that the test is skipped.
    ///
    /// # Panics
    /// If CI runs as root and the disk can't be mounted.
    pub fn mount(bytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        let size = format!("size={bytes},mode=700");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        let why = match mount {
            Ok(output) if output.status.success() => return Some(Self { dir }),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        let id = Command::new("id").arg("-u").output();
        let root = id.is_ok_and(|id| id.stdout.trim_ascii() == b"0");
        assert!(!(root && std::env::var("CI").is_ok_and(|ci| ci == "true")), "no small disk: {why}");
        println!("skipped: a small disk can't be mounted: {why}");
        None
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills the disk except for that many bytes.
    ///
    /// # Panics
    /// If the ballast can't be written or cut.
    pub fn fill_but(&self, room: u64) {
        let mut ballast = File::options().append(true).create(true).open(self.ballast()).expect("ballast");
        let block = [0; 4096];
        while ballast.write(&block).is_ok_and(|written| written > 0) {}
        let len = ballast.metadata().expect("ballast").len();
        ballast.set_len(len.saturating_sub(room)).expect("ballast");
    }

    /// Removes the file that [`fill_but`](Self::fill_but) wrote.
    ///
    /// # Panics
    /// If it is not there.
    pub fn free(&self) {
        fs::remove_file(self.ballast()).expect("ballast");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that was killed just now may still have its files open.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Starts a program in such a way that a file over its size limit is an error and not a signal: put
/// this before its name.
pub const WITHOUT_SIZE_SIGNAL: [&str; 4] = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

/// Polls until something holds.
///
/// # Panics
/// If it does not hold within two minutes, which no machine is too slow for.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let polled = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let held = tokio::time::timeout(Duration::from_secs(120), polled).await;
    assert!(held.is_ok(), "not within two minutes: {what}");
}

/// Copies a database as a crash at this moment would leave it, and returns the copy's path.
///
/// # Panics
/// If it can't be copied.
pub fn crash_image(database: &Path, to: &Path) -> PathBuf {
    let copy = to.join("crashed.db");
    for end in ["", "-wal"] {
        let with = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        fs::copy(with(database), with(&copy)).expect("a copy");
    }
    copy
}

/// Limits the size to which a process can make files grow, or lifts the limit. False if that can't
/// be done here.
pub fn limit_file_size(process: u32, bytes: Option<u64>) -> bool {
    let limit = bytes.map_or("--fsize=unlimited:".to_owned(), |bytes| format!("--fsize={bytes}:"));
    let set = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status();
    set.is_ok_and(|status| status.success())
}
