//! The output of lookups: a line of JSON each, or a block for people.

use std::io::{self, Write};

use postcode_core::wire::{RecordView, Shape};
use postcode_core::{AreaKind, DatasetInfo, GridSystem, Lookups, Record, Status};
use serde::Serialize;

use super::format::Paint;

/// Writes a value as one line of JSON.
pub(crate) fn json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Returns a view of the record with the field names of the HTTP API.
pub(crate) fn view(record: &Record) -> RecordView<'_> {
    RecordView::new(record, Shape::Compatible)
}

/// Writes a block for people: each field of a record on a line, without missing ones.
pub(crate) fn block(out: &mut impl Write, record: &Record, paint: Paint) -> io::Result<()> {
    let status = match (record.status, record.terminated) {
        (Status::Live, _) => "live".to_owned(),
        (Status::Terminated, Some(month)) => format!("terminated {:04}-{:02}", month.year(), month.month()),
        (Status::Terminated, None) => "terminated".to_owned(),
    };
    writeln!(out, "{}  {}", paint.bold(&record.postcode.to_string()), paint.status(&status))?;
    const AREAS: [(&str, AreaKind); 11] = [
        ("country", AreaKind::Country),
        ("region", AreaKind::Region),
        ("county", AreaKind::AdminCounty),
        ("district", AreaKind::AdminDistrict),
        ("ward", AreaKind::AdminWard),
        ("parish", AreaKind::Parish),
        ("constituency", AreaKind::ParliamentaryConstituency),
        ("  before", AreaKind::ParliamentaryConstituencyBefore),
        ("LSOA 2021", AreaKind::Lsoa21),
        ("MSOA 2021", AreaKind::Msoa21),
        ("police force", AreaKind::PoliceForceArea),
    ];
    for (label, kind) in AREAS {
        let Some(area) = record.area(kind) else { continue };
        match (area.name, area.code) {
            (Some(name), Some(code)) => writeln!(out, "  {label:<15}{name} ({code})")?,
            // A pseudo code (E99999999) without a name means that the area does not exist.
            (None, Some(code)) if !code.ends_with("99999999") => writeln!(out, "  {label:<15}{code}")?,
            (Some(name), None) => writeln!(out, "  {label:<15}{name}")?,
            _ => {}
        }
    }
    if let Some(name) = record.admin_district_welsh() {
        writeln!(out, "  {:<15}{name}", "in Welsh")?;
    }
    if let Some(name) = record.senedd_constituency() {
        writeln!(out, "  {:<15}{name}", "Senedd")?;
    }
    if let Some(grid) = record.grid {
        let system = match grid.system {
            GridSystem::Osgb => "OSGB36",
            GridSystem::Irish => "Irish Grid",
        };
        writeln!(out, "  {:<15}{} E, {} N ({system})", "grid reference", grid.eastings, grid.northings)?;
    }
    if let Some(location) = record.location {
        writeln!(out, "  {:<15}{}, {} (WGS84)", "lat, long", location.latitude(), location.longitude())?;
    }
    if let Some(about) = &record.approximate {
        let (latitude, longitude) = (about.location.latitude(), about.location.longitude());
        writeln!(out, "  {:<15}about {latitude}, {longitude} (its outcode, {})", "lat, long", about.source)?;
    }
    if let Some(user) = record.user_type {
        writeln!(out, "  {:<15}{}", "user type", user.as_str())?;
    }
    if let Some(quality) = record.quality {
        writeln!(out, "  {:<15}{quality} (1 best, 9 none)", "quality")?;
    }
    if let Some(month) = record.introduced {
        writeln!(out, "  {:<15}{:04}-{:02}", "introduced", month.year(), month.month())?;
    }
    Ok(())
}

/// Prints the edition and attribution, which the licences require with the data. It goes to
/// standard error, so that a pipe gets data only. A server that can't tell (postcodes.io) is not an
/// error.
pub(crate) async fn attribution(lookup: &dyn Lookups) {
    if let Ok(info) = lookup.info().await {
        say(&info);
    }
}

fn say(info: &DatasetInfo) {
    let _ = writeln!(io::stderr(), "{}\n{}", info.edition, info.attribution);
}
