//! `within`: the postcodes of a region.

use std::io::{BufWriter, Write};

use anyhow::{Context, bail};
use postcode_core::{AreaKind, Location, MAX_PAGE, PostcodeLookupExt, Region};

use super::asking::say_why;
use super::exit;
use super::format::{Format, Shape};
use super::measure;
use super::output;
use super::records::{Columns, Records};
use super::source::Source;

/// List all postcodes in use of a region, in their order.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service within --area E09000033 --json > westminster.jsonl
  postcode-service within --outcode SW1A
  postcode-service within --circle 51.501,-0.1419,1km
  postcode-service within --box 51.49,-0.15,51.51,-0.12
  postcode-service within --polygon '51.49,-0.15 51.51,-0.15 51.51,-0.12'")]
pub struct Args {
    #[command(flatten)]
    region: Wanted,
    /// The kind of area of the --area code, such as admin_district [default: any kind that has it]
    #[arg(long, requires = "area")]
    kind: Option<String>,
    /// How many at most; all if not given
    #[arg(long, short = 'n', value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Wanted {
    /// The ONS code of an area: a district, ward, constituency, parish, LSOA, …
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
    /// The first half of a postcode
    #[arg(long)]
    outcode: Option<String>,
    /// An outcode and the digit after it
    #[arg(long)]
    sector: Option<String>,
    /// LATITUDE,LONGITUDE,DISTANCE: the middle in degrees (WGS84), or a grid reference, and how far: 500 (metres), 1km, 2mi
    #[arg(long, value_name = "LAT,LON,DISTANCE", allow_hyphen_values = true)]
    circle: Option<String>,
    /// SOUTH,WEST,NORTH,EAST in degrees (WGS84), or its south-western and north-eastern corners in any notation, such as grid
    /// references, with ; between them
    #[arg(long = "box", value_name = "S,W,N,E", allow_hyphen_values = true)]
    bounds: Option<String>,
    /// LATITUDE,LONGITUDE of each corner in degrees (WGS84), with spaces between them
    #[arg(long, value_name = "LAT,LON …", allow_hyphen_values = true)]
    polygon: Option<String>,
}

impl Wanted {
    fn region(&self, kind: Option<AreaKind>) -> anyhow::Result<Region> {
        if let Some(code) = &self.area {
            return Ok(Region::Area { code: code.trim().to_owned(), kind });
        }
        if let Some(text) = &self.outcode {
            return Ok(Region::Outcode(text.parse().with_context(|| format!("--outcode {text:?}"))?));
        }
        if let Some(text) = &self.sector {
            return Ok(Region::Sector(text.parse().with_context(|| format!("--sector {text:?}"))?));
        }
        if let Some(text) = &self.circle {
            let how = || {
                format!("--circle {text:?}: write LATITUDE,LONGITUDE,DISTANCE, such as 51.501,-0.1419,1km")
            };
            let (middle, radius) = text.rsplit_once(',').with_context(how)?;
            let radius = measure::metres(radius).map_err(anyhow::Error::msg).with_context(how)?;
            return Ok(Region::circle(measure::location(middle).context("--circle")?, radius));
        }
        if let Some(text) = &self.bounds {
            let how = || {
                format!(
                    "--box {text:?}: give SOUTH,WEST,NORTH,EAST, or two corners with ; between them, such as \
                     51.49,-0.15;51.51,-0.12 or TQ 28 78; TQ 30 80"
                )
            };
            let found = corners(text, how)?;
            let [(south, west), (north, east)] = *found else { bail!("{}: not two corners", how()) };
            if measure::is_swapped(&found) {
                bail!("--box {text:?}: latitude comes first. Did you mean {west},{south},{east},{north}?");
            }
            let (south_west, north_east) = (Location::new(south, west)?, Location::new(north, east)?);
            return Ok(Region::Box { south_west, north_east });
        }
        let Some(text) = &self.polygon else { bail!("no region is given") };
        let how =
            || format!("--polygon {text:?}: give corners as LATITUDE,LONGITUDE, with spaces between them");
        let corners = corners(text, how)?;
        if measure::is_swapped(&corners) {
            let swapped: Vec<String> =
                corners.iter().map(|(first, second)| format!("{second},{first}")).collect();
            bail!("--polygon {text:?}: latitude comes first. Did you mean '{}'?", swapped.join(" "));
        }
        let corners = corners.into_iter().map(|(latitude, longitude)| Location::new(latitude, longitude));
        Ok(Region::Polygon(corners.collect::<Result<_, _>>()?))
    }
}

/// Reads corners: pairs of numbers with spaces or commas between them, or points in any notation, each in brackets or with
/// semicolons between them. Commas may stand between points, or between all coordinates. `how` says how to write them.
fn corners(text: &str, how: impl Fn() -> String) -> anyhow::Result<Vec<(f64, f64)>> {
    if let Some(numbers) = measure::numbers(text) {
        let (pairs, []) = numbers.as_chunks::<2>() else { bail!("{}: a number has no partner", how()) };
        return Ok(pairs.iter().map(|&[latitude, longitude]| (latitude, longitude)).collect());
    }
    let separators: &[char] = match () {
        () if text.contains(';') => &[';'],
        () if text.contains([')', ']']) => &[')', ']'],
        () => &[','],
    };
    let points =
        text.split(separators).map(|point| point.trim_matches([' ', ',', '(', ')', '[', ']', '\n', '\t']));
    let mut points: Vec<String> = points.filter(|point| !point.is_empty()).map(str::to_owned).collect();
    if separators == [','] && points.iter().any(|point| measure::location(point).is_err()) {
        // Each is half of a point.
        points = points.chunks(2).map(|pair| pair.join(",")).collect();
    }
    let point = |point: &String| {
        let location = measure::location(point).with_context(&how)?;
        anyhow::Ok((location.latitude(), location.longitude()))
    };
    points.iter().map(point).collect()
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let kind = |text: &str| {
            let kinds = || AreaKind::ALL.map(AreaKind::key).join(", ");
            AreaKind::from_key(text).with_context(|| format!("--kind {text:?}: give one of {}", kinds()))
        };
        let kind = self.kind.as_deref().map(kind).transpose()?;
        let region = self.region.region(kind)?;
        let format = self.shape.format();
        let usual = "postcode,admin_district,country,latitude,longitude";
        let mut table = Records::new(&self.columns, format, &[], usual)?;
        let lookup = self.source.open().await?;
        let mut left = self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut pages = lookup.pages(region).limit(left.min(MAX_PAGE));
        let mut any = false;
        let mut out = BufWriter::new(std::io::stdout().lock());
        while left > 0
            && let Some(records) = pages.next().await?
        {
            for record in records.iter().take(left) {
                any = true;
                match format {
                    Format::Json => output::json(&mut out, &output::view(record))?,
                    Format::Terminal | Format::Csv => table.record(&mut out, Vec::new(), record)?,
                    Format::Plain => {
                        let district = record.admin_district().unwrap_or_default();
                        writeln!(out, "{:<8}  {district}", record.postcode.to_string())?;
                    }
                }
            }
            left = left.saturating_sub(records.len());
            out.flush()?;
        }
        table.flush(&mut out)?;
        out.flush()?;
        if !any {
            let text = self.region.outcode.as_ref().or(self.region.sector.as_ref());
            match &self.region.area {
                Some(code) => eprintln!(
                    "{code}: no postcode in use lies in an area with this ONS code. Give one such as E09000033"
                ),
                None => {
                    say_why(&lookup, text.map_or("", String::as_str), "no postcodes in use are there")
                        .await?;
                }
            }
        }
        if format.is_for_people() {
            output::attribution(&lookup).await;
        }
        exit::found(any)
    }
}

#[cfg(test)]
mod tests {
    fn corners(text: &str) -> anyhow::Result<Vec<(f64, f64)>> {
        super::corners(text, || "give corners".to_owned())
    }

    #[test]
    fn corners_of_a_box_are_points_in_any_notation() {
        let expected = [(51.49, -0.15), (51.51, -0.12)];
        for text in [
            "51.49,-0.15,51.51,-0.12",
            "51.49 -0.15 51.51 -0.12",
            "51.49N,0.15W,51.51N,0.12W",
            "51.49N 0.15W, 51.51N 0.12W",
            "51°29.4'N 0°9'W; 51°30.6'N 0°7.2'W",
            "(51.49,-0.15),(51.51,-0.12)",
            "51,49 -0,15; 51,51 -0,12",
        ] {
            let found = corners(text).unwrap();
            let near = |(one, other): (&(f64, f64), &(f64, f64))| {
                (one.0 - other.0).abs() < 1e-9 && (one.1 - other.1).abs() < 1e-9
            };
            assert!(found.len() == 2 && found.iter().zip(&expected).all(near), "{text}: {found:?}");
        }
        for text in ["TQ 28 78; TQ 30 80", "TQ 28 78, TQ 30 80", "TQ2878,TQ3080"] {
            let found = corners(text).unwrap();
            assert_eq!(found, corners("TQ2878;TQ3080").unwrap(), "{text}");
            assert!(found[0].0 < found[1].0 && found[0].1 < found[1].1, "{text}: {found:?}");
        }
        for text in ["TQ 28 78", "51.49N 0.15W", "TQ 28 78, x", "51.49N,0.15W,51.51N"] {
            let found = corners(text);
            assert!(!found.as_ref().is_ok_and(|found| found.len() == 2), "{text}: {found:?}");
        }
    }

    #[test]
    fn corners_are_read_however_they_are_separated() {
        let expected = [(51.49, -0.15), (51.51, -0.15), (51.51, -0.12)];
        for text in [
            "51.49,-0.15 51.51,-0.15 51.51,-0.12",
            "51.49, -0.15 51.51, -0.15 51.51, -0.12",
            "51.49, -0.15, 51.51, -0.15, 51.51, -0.12",
            "51.49 -0.15; 51.51 -0.15; 51.51 -0.12",
            "(51.49, -0.15), (51.51, -0.15), (51.51, -0.12)",
            "[[51.49,-0.15],[51.51,-0.15],[51.51,-0.12]]",
            "51.49N 0.15W; N51.51 W0.15; 51.51,-0.12",
        ] {
            assert_eq!(corners(text).unwrap(), expected, "{text}");
        }
        for text in ["51.49,-0.15 51.51", "51.49,-0.15 x", "(51.49,-0.15),(51.51)"] {
            assert!(corners(text).is_err(), "{text}");
        }
        let swapped = corners("[[-0.15,51.49],[-0.15,51.51]]").unwrap_err();
        assert!(format!("{swapped:#}").contains("Did you mean 51.49,-0.15?"), "{swapped:#}");
    }
}
