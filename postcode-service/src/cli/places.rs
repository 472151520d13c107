//! `places`: places by name or code, and the postcodes of one.

use std::io::{self, Write};

use anyhow::Context;
use postcode_core::{ErrorKind, Lookups, Place, PlaceQuery, Postcode};
use serde::Serialize;

use super::asking::{Asking, Limit};
use super::format::{Format, Paint, Table};
use super::{exit, output};

const EXAMPLES: &str = "\
Examples:
  postcode-service places llan --limit 20 --source uk.postcodes
  postcode-service places newprot --within Wales --type City --source uk.postcodes
  postcode-service places --code osgb4000000074551019 --json --source uk.postcodes
  postcode-service places --code osgb4000000074551019 --postcodes --limit 100 --source uk.postcodes
  postcode-service places --random --source https://api.postcodes.io";

/// Find cities, towns, villages and other settlements of Great Britain, its islands, counties and
/// districts.
///
/// It matches the beginnings of names and of words in them, in any of a place's languages. If
/// nothing matches, typing errors are tolerated. The data must have been imported with OS Open
/// Names.
///
/// Exit status: 0 if there is a match, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A name or the beginning of one
    #[arg(required_unless_present_any = ["code", "random"], conflicts_with_all = ["code", "random"])]
    text: Option<String>,
    /// The place with this code of Ordnance Survey
    #[arg(long)]
    code: Option<String>,
    /// Only in the county, district, region or country with this name
    #[arg(long, value_name = "NAME", requires = "text")]
    within: Option<String>,
    /// Only places of this kind: City, Town, Village, Island, …
    #[arg(long = "type", value_name = "KIND", requires = "text")]
    local_type: Option<String>,
    /// Find populated places as GET /places?q= of postcodes.io does; its servers have no other
    /// search
    #[arg(long, requires = "text", conflicts_with_all = ["within", "local_type"])]
    compatible: bool,
    /// List the live postcodes in the box around the place of --code, and their outcodes
    #[arg(long, requires = "code", conflicts_with = "text")]
    postcodes: bool,
    /// Continue after this postcode
    #[arg(long, value_name = "POSTCODE", requires = "postcodes")]
    after: Option<String>,
    /// A random place
    #[arg(long, conflicts_with = "code")]
    random: bool,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    asking: Asking,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let lookup = self.asking.open().await?;
        if let (Some(code), true) = (&self.code, self.postcodes) {
            return self.postcodes(&lookup, code).await;
        }
        if let (Some(text), false) = (&self.text, self.compatible) {
            return self.find(&lookup, text).await;
        }
        let places = match (&self.text, &self.code) {
            (Some(text), _) => lookup.places(text, self.limit.get()).await?,
            (None, Some(code)) => lookup.place(code).await?.into_iter().collect(),
            (None, None) => lookup.random_place().await?.into_iter().collect(),
        };
        let mut out = io::stdout().lock();
        let mut shown = Shown::new(self.asking.format());
        for place in &places {
            shown.place(&mut out, place, place)?;
        }
        shown.finish(&mut out)?;
        if places.is_empty() {
            match (&self.text, &self.code) {
                (Some(text), _) => eprintln!("{text}: no populated place of that name"),
                (None, Some(code)) => eprintln!("{code}: no such place"),
                (None, None) => eprintln!("no places in the data"),
            }
        } else if self.asking.format().is_for_people() {
            output::attribution(&lookup).await;
        }
        exit::found(!places.is_empty())
    }
}

impl Args {
    async fn find(&self, lookup: &dyn Lookups, text: &str) -> anyhow::Result<()> {
        let mut query = PlaceQuery::new(text).limit(self.limit.get());
        (query.within, query.local_type) = (self.within.clone(), self.local_type.clone());
        let found = match lookup.find_places(&query).await {
            // A server of postcodes.io does not describe its data.
            Err(error) if error.kind() == ErrorKind::NotSupported && lookup.info().await.is_err() => {
                Err(error).context("try --compatible")?
            }
            found => found?,
        };
        let mut out = io::stdout().lock();
        let mut shown = Shown::new(self.asking.format());
        for found in &found {
            shown.place(&mut out, &found.place, found)?;
        }
        shown.finish(&mut out)?;
        if found.is_empty() {
            let narrowed = self.within.is_some() || self.local_type.is_some();
            eprintln!("{text}: no such place{}", if narrowed { " of that kind or there" } else { "" });
        } else if self.asking.format().is_for_people() {
            output::attribution(lookup).await;
        }
        exit::found(!found.is_empty())
    }

    async fn postcodes(&self, lookup: &dyn Lookups, code: &str) -> anyhow::Result<()> {
        let after = self.after.as_deref().map(str::parse::<Postcode>).transpose();
        let after =
            after.with_context(|| format!("--after {:?}", self.after.as_deref().unwrap_or_default()))?;
        let Some(page) = lookup.place_postcodes(code, after, self.limit.get()).await? else {
            eprintln!("{code}: no such place");
            return exit::found(false);
        };
        let mut out = io::stdout().lock();
        let format = self.asking.format();
        if format == Format::Json {
            output::json(&mut out, &page)?;
        } else if format == Format::Csv {
            let mut table = Table::new(format, ["postcode"]);
            for postcode in &page.postcodes {
                table.row(&mut out, [postcode.to_string()])?;
            }
            table.flush(&mut out)?;
        } else {
            for postcode in &page.postcodes {
                writeln!(out, "{postcode}")?;
            }
            let outcodes: Vec<String> = page.outcodes.iter().map(ToString::to_string).collect();
            match (page.postcodes.len(), page.total) {
                (_, 0) => eprintln!("{code}: no postcode in use has its location in the box around it"),
                (shown, total) => {
                    eprintln!("{shown} of {total} postcodes; outcodes: {}", outcodes.join(", "))
                }
            }
        }
        exit::found(!page.postcodes.is_empty())
    }
}

/// Writes places one by one.
struct Shown {
    format: Format,
    table: Table,
}

impl Shown {
    fn new(format: Format) -> Self {
        const HEADER: [&str; 12] = [
            "name",
            "name_2",
            "type",
            "county",
            "district",
            "region",
            "country",
            "outcode",
            "eastings",
            "northings",
            "latitude",
            "longitude",
        ];
        Self { format, table: Table::new(format, HEADER.into_iter().chain(["code"])) }
    }

    /// Writes a place. `whole` is what JSON has about it.
    fn place(&mut self, out: &mut impl Write, place: &Place, whole: &impl Serialize) -> io::Result<()> {
        match self.format {
            Format::Json => output::json(out, whole),
            Format::Csv => self.table.row(out, cells(place)),
            Format::Plain | Format::Terminal => block(out, place, self.format.paint()),
        }
    }

    fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.format == Format::Csv { self.table.flush(out) } else { Ok(()) }
    }
}

fn cells(place: &Place) -> [String; 13] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let degrees = |degrees: Option<f64>| degrees.map(|degrees| format!("{degrees:.6}")).unwrap_or_default();
    [
        place.name_1.clone(),
        text(&place.name_2),
        place.local_type.clone(),
        text(&place.county_unitary),
        text(&place.district_borough),
        text(&place.region),
        text(&place.country),
        place.outcode.map(|outcode| outcode.to_string()).unwrap_or_default(),
        place.eastings.to_string(),
        place.northings.to_string(),
        degrees(place.latitude),
        degrees(place.longitude),
        place.code.clone(),
    ]
}

fn block(out: &mut impl Write, place: &Place, paint: Paint) -> io::Result<()> {
    write!(out, "{}", paint.bold(&place.name_1))?;
    if let Some(other) = &place.name_2 {
        write!(out, " / {other}")?;
    }
    writeln!(out, "  {}", place.local_type)?;
    for (label, text) in [
        ("county", &place.county_unitary),
        ("district", &place.district_borough),
        ("region", &place.region),
        ("country", &place.country),
    ] {
        if let Some(text) = text {
            writeln!(out, "  {label:<15}{text}")?;
        }
    }
    if let Some(outcode) = place.outcode {
        writeln!(out, "  {:<15}{outcode}", "outcode")?;
    }
    writeln!(out, "  {:<15}{} E, {} N (OSGB36)", "grid reference", place.eastings, place.northings)?;
    if let (Some(latitude), Some(longitude)) = (place.latitude, place.longitude) {
        writeln!(out, "  {:<15}{latitude:.6}, {longitude:.6} (WGS84)", "lat, long")?;
    }
    writeln!(out, "  {:<15}{}", "code", place.code)
}
