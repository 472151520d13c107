//! Tests that can't run on this machine.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Reports in one line that the current test is skipped, and why. The line goes to standard error
/// and to the file in `POSTCODE_TEST_SKIPS`.
///
/// # Panics
/// Panics if `CI` is `true`: CI has everything that tests need.
pub fn skip(why: impl Display) {
    static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI must not skip this test: {why}");
    // The test harness names the thread after the test, unless all tests share one thread.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("main");
    if test != "main" && !NOTED.lock().unwrap_or_else(PoisonError::into_inner).insert(test.to_owned()) {
        return;
    }
    let line = format!("skipped: {test}: {why}");
    crate::say(&line);
    if let Some(path) = std::env::var_os("POSTCODE_TEST_SKIPS") {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        written.unwrap_or_else(|error| panic!("POSTCODE_TEST_SKIPS={}: {error}", path.display()));
    }
}

/// Returns the path of a file or folder of the shared data, which the repository may not contain.
/// Skips the test if it is missing.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("POSTCODE_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    skip(format_args!("{} is missing (set POSTCODE_SHARED)", path.display()));
    None
}
