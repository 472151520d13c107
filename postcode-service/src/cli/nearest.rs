//! `nearest`: postcodes around a postcode or a point.

use std::io::Write;

use anyhow::bail;
use postcode_core::wire::{NeighbourView, Shape};
use postcode_core::{MAX_RADIUS, Nearest, Origin, Postcode};

use super::asking::{Asking, say_why, say_why_nowhere};
use super::exit;
use super::format::Format;
use super::measure::{location, metres};
use super::output;
use super::records::{Columns, Records};

/// List the postcodes around a postcode or a point, nearest first.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service nearest SW1A 1AA
  postcode-service nearest 51.501,-0.1419 --radius 1km -n 3 --json
  postcode-service nearest TQ 29090 79645")]
pub struct Args {
    /// A postcode, LATITUDE,LONGITUDE in degrees (WGS84), with or without minutes and seconds, or a grid reference
    #[arg(value_name = "POSTCODE|LAT,LON", required = true, num_args = 1..=8, allow_negative_numbers = true)]
    origin: Vec<String>,
    /// How many at most
    #[arg(long, short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// How far at most: 500 (metres), 500m, 1km, 2mi; up to 2000 km
    #[arg(long, short, value_name = "DISTANCE", default_value = "100", value_parser = metres)]
    radius: f64,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    asking: Asking,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let text = self.origin.join(" ");
        let origin = origin(&text)?;
        let format = self.asking.format();
        let mut table = Records::new(
            &self.columns,
            format,
            &["distance"],
            "postcode,admin_district,country,latitude,longitude",
        )?;
        let lookup = self.asking.open().await?;
        let query = Nearest::to(origin).limit(self.limit.into()).radius(self.radius);
        let found = lookup.nearest(&query).await?;
        let Some(neighbours) = &found else {
            let said = match text.parse() {
                Ok(postcode) => say_why_nowhere(&lookup, postcode).await?,
                Err(_) => false,
            };
            if !said {
                say_why(&lookup, &text, "unknown, or without a location").await?;
            }
            return exit::found(false);
        };
        let mut out = std::io::stdout().lock();
        for neighbour in neighbours {
            let record = &neighbour.record;
            match format {
                Format::Json => output::json(&mut out, &NeighbourView::new(neighbour, Shape::Compatible))?,
                Format::Terminal | Format::Csv => {
                    table.record(&mut out, vec![format!("{:.1}", neighbour.distance)], record)?;
                }
                Format::Plain => {
                    let district = record.admin_district().unwrap_or_default();
                    let postcode = record.postcode.to_string();
                    writeln!(out, "{:>9.1} m  {postcode:<8}  {district}", neighbour.distance)?;
                }
            }
        }
        table.flush(&mut out)?;
        if format.is_for_people() {
            output::attribution(&lookup).await;
            if neighbours.len() < usize::from(self.limit) {
                let advice = wider(self.radius)
                    .map(|wider| format!(": --radius looks further, such as --radius {wider}"));
                let advice = advice.unwrap_or_default();
                eprintln!("{} within {} m{advice}", neighbours.len(), self.radius);
            }
        }
        exit::found(!neighbours.is_empty())
    }
}

/// Returns a larger radius to look within, or `None` if the radius is the largest.
fn wider(radius: f64) -> Option<String> {
    let wider = if radius < 1_000.0 { 1.0 } else { (radius / 100.0).floor().min(MAX_RADIUS / 1_000.0) };
    (wider * 1_000.0 > radius).then(|| format!("{wider}km"))
}

/// Reads a postcode or a point.
fn origin(text: &str) -> anyhow::Result<Origin> {
    let error = match text.parse::<Postcode>() {
        Ok(postcode) => return Ok(postcode.into()),
        Err(error) => error,
    };
    match location(text) {
        Ok(point) => Ok(point.into()),
        // The error for a text that begins as a postcode does tells more.
        Err(_) if text.trim().starts_with(|c: char| c.is_alphabetic()) && !text.contains(',') => {
            bail!("{text:?}: give a postcode or LATITUDE,LONGITUDE: {error}")
        }
        Err(point) => Err(point),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_a_postcode_or_a_point() {
        assert!(matches!(origin("SW1A 1AA").unwrap(), Origin::Postcode(_)));
        for text in ["N51.501 W0.1416", "TQ290796", "51 30 3.6 N, 0 8 30 W", "51.5 -0.14"] {
            assert!(matches!(origin(text).unwrap(), Origin::Location(_)), "{text}");
        }
        let why = origin("SWIA 1AA").unwrap_err().to_string();
        assert!(why.starts_with("\"SWIA 1AA\": give a postcode or LATITUDE,LONGITUDE: "), "{why}");
    }

    #[test]
    fn radius_that_is_advised_is_larger() {
        for (radius, expected) in [
            (0.0, Some("1km")),
            (100.0, Some("1km")),
            (1_000.0, Some("10km")),
            (1_609.344, Some("16km")),
            (100_000.0, Some("1000km")),
            (500_000.0, Some("2000km")),
            (MAX_RADIUS, None),
        ] {
            assert_eq!(wider(radius).as_deref(), expected, "{radius}");
        }
    }
}
