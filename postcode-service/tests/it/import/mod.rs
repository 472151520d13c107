//! Imports, from the files that the publishers offer to answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

mod addresses;
mod boundaries;
mod command;
mod covers;
mod geonames;
mod malformed;
mod other_tools;
mod places;
mod quality;
mod real;
mod zips;

use std::path::{Path, PathBuf};

use postcode_core::dataset::Dataset;
use postcode_service::import::{Import, Report, Stop};
use postcode_testing::shared;
use tempfile::TempDir;

/// A folder with files in it, and what an import of it writes.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; folders on the way to it are made.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, input: impl AsRef<Path>) -> Import {
        let mut import = Import::new(input.as_ref(), self.path("out.postcodes"));
        import.quiet = true;
        import
    }

    /// Opens and verifies the written dataset.
    fn dataset(&self) -> Dataset {
        let dataset = Dataset::open(self.path("out.postcodes")).unwrap();
        dataset.verify().unwrap();
        dataset
    }
}

fn run(import: &Import) -> postcode_service::Result<Report> {
    import.run(&Stop::default())
}
