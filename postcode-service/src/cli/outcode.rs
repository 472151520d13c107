//! `outcode`: an outcode summed up, or those around it.

use std::io::Write;

use anyhow::{Context, bail};
use postcode_core::{NearestOutcodes, Outcode, OutcodeSummary, PostcodeLookupExt};

use super::asking::{Asking, say_why};
use super::exit;
use super::format::{Format, Paint, Table};
use super::measure::metres;
use super::output;

/// Summarise outcodes over their postcodes in use, or list the outcodes around one.
///
/// Exit status: 0 if all have any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  postcode-service outcode SW1A M1 --json\n  postcode-service outcode EH1 --nearest --radius 10km"
)]
pub struct Args {
    /// The first half of a postcode, such as SW1A. With --nearest only one
    #[arg(required = true, value_name = "OUTCODE")]
    outcodes: Vec<String>,
    /// List the outcodes around it, nearest first, itself included
    #[arg(long)]
    nearest: bool,
    /// How many of them at most
    #[arg(long, short = 'n', default_value_t = 10, requires = "nearest", value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// How far: 500 (metres), 500m, 10km, 2mi; at most 2000 km
    #[arg(long, short, value_name = "DISTANCE", default_value = "5000", requires = "nearest", value_parser = metres)]
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
        let parse = |text: &String| text.parse::<Outcode>().with_context(|| format!("{text:?}"));
        let outcodes: Vec<Outcode> = self.outcodes.iter().map(parse).collect::<Result<_, _>>()?;
        if self.nearest && outcodes.len() > 1 {
            bail!("--nearest: give one outcode");
        }
        let format = self.asking.format();
        let mut table = Table::new(format, HEADER);
        let lookup = self.asking.open().await?;
        if let (true, Some(outcode)) = (self.nearest, outcodes.first()) {
            let query = NearestOutcodes::to(*outcode).limit(self.limit.into()).radius(self.radius);
            let found = lookup.nearest_outcodes(&query).await?;
            if found.is_none() {
                say_why(
                    &lookup,
                    &outcode.to_string(),
                    "no postcode in use has this outcode, or none has a location",
                )
                .await?;
            }
            let mut out = std::io::stdout().lock();
            for summary in found.iter().flatten() {
                match format {
                    Format::Json => output::json(&mut out, summary)?,
                    Format::Terminal | Format::Csv => table.row(&mut out, cells(summary))?,
                    Format::Plain => {
                        let districts = summary.admin_district.join(", ");
                        writeln!(out, "{:<5}{districts}", summary.outcode.to_string())?;
                    }
                }
            }
            table.flush(&mut out)?;
            return exit::found(found.is_some_and(|found| !found.is_empty()));
        }
        let summaries = lookup.outcode_all(&outcodes).await?;
        for (outcode, summary) in outcodes.iter().zip(&summaries) {
            let mut out = std::io::stdout().lock();
            match summary {
                None => {
                    drop(out);
                    say_why(&lookup, &outcode.to_string(), "no postcode in use has this outcode").await?;
                }
                Some(summary) => match format {
                    Format::Json => output::json(&mut out, summary)?,
                    Format::Csv => table.row(&mut out, cells(summary))?,
                    Format::Plain | Format::Terminal => block(&mut out, summary, format.paint())?,
                },
            }
        }
        if format == Format::Csv {
            table.flush(&mut std::io::stdout().lock())?;
        }
        if format.is_for_people() {
            output::attribution(&lookup).await;
        }
        exit::found(summaries.iter().all(Option::is_some))
    }
}

/// The columns of CSV and of a table.
const HEADER: [&str; 8] = [
    "outcode",
    "admin_district",
    "admin_county",
    "country",
    "latitude",
    "longitude",
    "eastings",
    "northings",
];

fn cells(summary: &OutcodeSummary) -> [String; 8] {
    let degrees = |degrees: Option<f64>| degrees.map(|degrees| format!("{degrees:.6}")).unwrap_or_default();
    [
        summary.outcode.to_string(),
        summary.admin_district.join("; "),
        summary.admin_county.join("; "),
        summary.country.join("; "),
        degrees(summary.latitude),
        degrees(summary.longitude),
        summary.eastings.to_string(),
        summary.northings.to_string(),
    ]
}

/// Writes a block for people.
fn block(out: &mut impl Write, summary: &OutcodeSummary, paint: Paint) -> std::io::Result<()> {
    writeln!(out, "{}", paint.bold(&summary.outcode.to_string()))?;
    for (label, names) in [
        ("country", &summary.country),
        ("county", &summary.admin_county),
        ("district", &summary.admin_district),
        ("ward", &summary.admin_ward),
        ("parish", &summary.parish),
        ("constituency", &summary.parliamentary_constituency),
    ] {
        if !names.is_empty() {
            writeln!(out, "  {label:<15}{}", names.join(", "))?;
        }
    }
    if let (Some(latitude), Some(longitude)) = (summary.latitude, summary.longitude) {
        writeln!(out, "  {:<15}{latitude:.6}, {longitude:.6} (WGS84, mean)", "lat, long")?;
        writeln!(out, "  {:<15}{} E, {} N (mean)", "grid reference", summary.eastings, summary.northings)?;
    }
    Ok(())
}
