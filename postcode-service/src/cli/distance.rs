//! `distance`: how far two postcodes or points are apart.

use std::fmt;
use std::io::Write;

use anyhow::{Context, bail};
use postcode_core::{Answer, Location, Postcode, PostcodeLookup, PostcodeLookupExt};

use super::asking::say_why_nowhere;
use super::exit;
use super::format::{Format, Shape, Table};
use super::measure::location;
use super::output;
use super::source::Source;
use super::words;

/// Say how far two postcodes or points are apart: metres along the WGS84 ellipsoid. Postcodes may be in use or terminated.
///
/// Exit status: 0 if that is known, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service distance SW1A 1AA EH1 1YZ
  postcode-service distance SW1A 1AA 51.501,-0.1419
  postcode-service distance 'TQ 29090 79645' EH1 1YZ")]
pub struct Args {
    /// Two postcodes, in any case, with or without their space, or points: LATITUDE,LONGITUDE or a grid reference, in quotes if
    /// there are spaces in it
    #[arg(required = true, num_args = 2..=4, value_name = "POSTCODE|LAT,LON")]
    postcodes: Vec<String>,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    source: Source,
}

/// An end of the distance.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Postcode(Postcode),
    Point(Location),
}

impl End {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let error = match text.parse() {
            Ok(postcode) => return Ok(Self::Postcode(postcode)),
            Err(error) => anyhow::Error::new::<postcode_core::ParseError>(error),
        };
        match location(text) {
            Ok(point) => Ok(Self::Point(point)),
            // Only a point has a comma, or begins with a digit.
            Err(point) if text.contains(',') || text.starts_with(|c: char| c.is_ascii_digit()) => Err(point),
            Err(_) => Err(error).with_context(|| format!("{text:?}")),
        }
    }

    async fn location(self, lookup: &dyn PostcodeLookup) -> postcode_core::Result<Option<Location>> {
        match self {
            Self::Postcode(postcode) => {
                let answer = lookup.lookup_one(postcode).await?;
                Ok(Answer::record(&answer).and_then(|record| record.location))
            }
            Self::Point(point) => Ok(Some(point)),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postcode(postcode) => postcode.fmt(f),
            Self::Point(point) => write!(f, "{},{}", point.latitude(), point.longitude()),
        }
    }
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let ends = words::postcodes(&self.postcodes);
        let [from, to] = &ends[..] else {
            bail!("give two postcodes or points, and not {}. Put one with spaces in quotes", ends.len())
        };
        let (from, to) = (End::parse(from)?, End::parse(to)?);
        let format = self.shape.format();
        let lookup = self.source.open().await?;
        let metres = match (from, to) {
            (End::Postcode(from), End::Postcode(to)) => lookup.distance(from, to).await?,
            _ => {
                let (from, to) = (from.location(&*lookup).await?, to.location(&*lookup).await?);
                from.zip(to).map(|(from, to)| from.distance(to))
            }
        };
        let Some(metres) = metres else {
            let mut said = false;
            for end in [Some(from), Some(to).filter(|to| *to != from)] {
                if let Some(End::Postcode(postcode)) = end {
                    said |= say_why_nowhere(&lookup, postcode).await?;
                }
            }
            if !said {
                eprintln!("{from}, {to}: not both are known, with a location");
            }
            return exit::found(false);
        };
        let mut out = std::io::stdout().lock();
        let (first, second) = (from.to_string(), to.to_string());
        match format {
            Format::Json => {
                let line = serde_json::json!({ "from": first, "to": second, "metres": metres });
                output::json(&mut out, &line)?;
            }
            Format::Csv => {
                let mut table = Table::new(format, ["from", "to", "metres"]);
                table.row(&mut out, [first, second, metres.to_string()])?;
                table.flush(&mut out)?;
            }
            Format::Plain | Format::Terminal => {
                writeln!(out, "{metres:.1} m")?;
                output::attribution(&lookup).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::End;

    #[test]
    fn end_is_a_postcode_or_a_point() {
        assert_eq!(End::parse("sw1a1aa").unwrap().to_string(), "SW1A 1AA");
        assert_eq!(End::parse("51.501N 0.1419W").unwrap().to_string(), "51.501,-0.1419");
        assert!(matches!(End::parse("TQ290796").unwrap(), End::Point(_)));
        let why = |text: &str| format!("{:#}", End::parse(text).err().unwrap());
        assert!(why("-0.1419,51.501").ends_with("Did you mean 51.501,-0.1419?"), "{}", why("-0.1419,51.501"));
        assert!(why("SW1A").starts_with("\"SW1A\": "), "{}", why("SW1A"));
    }
}
