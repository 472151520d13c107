//! `distance`: how far two postcodes are apart.

use std::io::Write;

use anyhow::Context;
use postcode_core::{Postcode, PostcodeLookupExt};

use super::asking::say_why;
use super::exit;
use super::output;
use super::source::Source;

/// Say how far two postcodes are apart, in use or terminated: metres along the WGS84 ellipsoid.
///
/// Exit status: 0 if that is known, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service distance 'SW1A 1AA' 'EH1 1YZ'")]
pub struct Args {
    /// A postcode, in any case and spacing
    from: String,
    /// Another
    to: String,
    #[command(flatten)]
    source: Source,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let parse = |text: &str| text.parse::<Postcode>().with_context(|| format!("{text:?}"));
        let (from, to) = (parse(&self.from)?, parse(&self.to)?);
        let lookup = self.source.open().await?;
        let Some(metres) = lookup.distance(from, to).await? else {
            for postcode in [from, to] {
                say_why(&lookup, &postcode.to_string(), "").await?;
            }
            eprintln!("{from}, {to}: not both are known, with a location");
            return exit::found(false);
        };
        writeln!(std::io::stdout().lock(), "{metres:.1} m")?;
        output::attribution(&lookup).await;
        Ok(())
    }
}
