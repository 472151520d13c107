//! Downloads the publishers' files: the table of their addresses, and a download that resumes, checks what came, and
//! never leaves half a file under the final name.
//!
//! ```no_run
//! # async fn example() -> postcode_service::Result<()> {
//! use postcode_service::fetch::{Limits, Product, Publishers};
//!
//! let publishers = Publishers::new(Limits::default())?;
//! let address = publishers.address(Product::CodePointOpen).await?;
//! let fetched = publishers.fetch(&address, "codepo_gb.zip".as_ref(), &mut |_, _| ()).await?;
//! println!("{} bytes from {}", fetched.bytes, address.url);
//! # Ok(())
//! # }
//! ```

mod catalogue;
mod download;
mod part;
mod publishers;
mod whole;

use std::time::Duration;

pub use download::Fetched;
pub use publishers::{Located, Product, Publishers};

/// The limits of a download.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of a file.
    pub bytes: u64,
    /// The time for one file, with all retries.
    pub time: Duration,
    /// The time in which nothing comes, after which a try is given up and resumed.
    pub stall: Duration,
    /// The pause before the first retry; it doubles.
    pub pause: Duration,
}

/// The most bytes of a file, unless others are given: ten times the largest ONSPD.
const BYTES: u64 = 4 << 30;
const TIME: Duration = Duration::from_secs(2 * 60 * 60);
const STALL: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: BYTES, time: TIME, stall: STALL, pause: PAUSE }
    }
}
