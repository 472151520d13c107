//! `nearest`: postcodes around a postcode or a point.

use std::io::Write;

use anyhow::Context;
use postcode_core::wire::{NeighbourView, Shape};
use postcode_core::{Location, Nearest, Origin, Postcode};

use super::asking::{Asking, say_why};
use super::exit;
use super::output;

/// List the postcodes around a postcode or a point, nearest first.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service nearest 'SW1A 1AA'
  postcode-service nearest 51.501,-0.1419 --radius 500 --limit 3 --json")]
pub struct Args {
    /// A postcode, or LATITUDE,LONGITUDE in degrees (WGS84)
    #[arg(value_name = "POSTCODE|LAT,LON", allow_hyphen_values = true)]
    origin: String,
    /// How many at most
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// How far at most, in metres, up to 2000000
    #[arg(long, default_value_t = 100.0)]
    radius: f64,
    #[command(flatten)]
    asking: Asking,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let origin = origin(&self.origin)?;
        let lookup = self.asking.open().await?;
        let query = Nearest::to(origin).limit(self.limit.into()).radius(self.radius);
        let found = lookup.nearest(&query).await?;
        let Some(neighbours) = &found else {
            say_why(&lookup, &self.origin, "unknown, or without a location").await?;
            return exit::found(false);
        };
        let mut out = std::io::stdout().lock();
        for neighbour in neighbours {
            if self.asking.json {
                output::json(&mut out, &NeighbourView::new(neighbour, Shape::Compatible))?;
            } else {
                let record = &neighbour.record;
                let district = record.admin_district().unwrap_or_default();
                let postcode = record.postcode.to_string();
                writeln!(out, "{:>9.1} m  {postcode:<8}  {district}", neighbour.distance)?;
            }
        }
        if !self.asking.json {
            output::attribution(&lookup).await;
        }
        exit::found(!neighbours.is_empty())
    }
}

fn origin(text: &str) -> anyhow::Result<Origin> {
    if let Some((latitude, longitude)) = text.split_once(',') {
        let degrees = |text: &str| {
            text.trim()
                .parse::<f64>()
                .with_context(|| format!("{text:?}: give degrees, such as 51.501,-0.1419"))
        };
        return Ok(Location::new(degrees(latitude)?, degrees(longitude)?)?.into());
    }
    Ok(text
        .parse::<Postcode>()
        .with_context(|| format!("{text:?}: give a postcode or LATITUDE,LONGITUDE"))?
        .into())
}
