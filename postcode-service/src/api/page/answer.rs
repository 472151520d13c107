//! The answer of the page to a text, as HTML.

use std::fmt::Write;

use postcode_core::wire::path;
use postcode_core::{
    Answer as Found, AreaKind, ErrorKind, GridSystem, Location, Lookups, MAX_QUERY, Nearest, NearestOutcodes,
    Origin, Outcode, PlaceQuery, Postcode, PostcodeArea, Record, Region, Sector, Within, YearMonth,
};

use super::map::{self, Dot, metres};
use super::markup::{escaped, link, thousands, url};
use super::understand::{Meaning, understand};
use crate::api::Edition;
use crate::months::MONTHS;

/// Metres around a postcode that the map shows, and those to choose from.
const RADIUS: u32 = 500;
const RADII: [u32; 5] = [200, 500, 1_000, 2_000, 5_000];
/// Metres around a point, tried in turn until there is a postcode.
const AROUND: [f64; 4] = [500.0, 2_000.0, 10_000.0, 50_000.0];
/// Dots on a map.
const DOTS: usize = 1_000;
/// Lines of a list.
const LISTED: usize = 12;

/// A part of the page.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) title: String,
    pub(super) html: String,
    /// Whether the data could not be asked.
    pub(super) failed: bool,
}

impl Answer {
    fn new(title: impl Into<String>, html: String) -> Self {
        Self { title: title.into() + " – UK postcode lookup", html, failed: false }
    }

    pub(super) fn empty() -> Self {
        let examples = ["SW1A 1AA", "EH1", "M1 1", "51.501, -0.1416", "TQ 290 796"].map(link).join(", ");
        let html = format!("<p>Try {examples}, or paste an address.</p>");
        Self { title: "UK postcode lookup".to_owned(), html, failed: false }
    }

    pub(super) fn token_needed() -> Self {
        let html = "<div id=\"token-needed\"><h2>This server asks for a token</h2>\
                    <p>The token is kept until this tab is closed. Its scope must be <code>lookup</code>.</p>\
                    <form id=\"token-form\" hidden><label for=\"token\">Token</label>\
                    <input id=\"token\" type=\"password\" autocomplete=\"off\" required> <button>Use it</button></form>\
                    <noscript><p>A browser sends a token only with JavaScript. Programs send it as \
                    <code>Authorization: Bearer TOKEN</code>.</p></noscript></div>";
        Self { title: "UK postcode lookup".to_owned(), html: html.to_owned(), failed: false }
    }
}

/// Answers a text.
pub(super) async fn of(edition: &Edition, text: &str, radius: Option<u32>) -> Answer {
    let radius = radius.filter(|radius| RADII.contains(radius)).unwrap_or(RADIUS);
    let page = Page { edition, lookup: &*edition.lookup, text, radius };
    match page.answer().await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "the page can't be answered");
            let html = "<p>The data can't be asked just now. Try again in a moment.</p>".to_owned();
            Answer { failed: true, ..Answer::new("No answer", html) }
        }
    }
}

struct Page<'a> {
    edition: &'a Edition,
    lookup: &'a dyn Lookups,
    text: &'a str,
    radius: u32,
}

impl Page<'_> {
    async fn answer(&self) -> postcode_core::Result<Answer> {
        match understand(self.text) {
            Meaning::Postcode(postcode) => self.postcode(postcode, String::new()).await,
            Meaning::Repaired(postcode) => {
                let note = format!(
                    "<p class=\"note\">{} is not a postcode. The only possible correction is \
                     <strong>{postcode}</strong>, which is shown here.</p>",
                    escaped(self.text.trim())
                );
                self.postcode(postcode, note).await
            }
            Meaning::Found(found) => self.found(&found).await,
            Meaning::Outcode(outcode) => self.outcode(outcode).await,
            Meaning::Sector(sector) => self.sector(sector).await,
            Meaning::Point(location, what) => {
                let note = format!("<p class=\"note\">Understood as {what}.</p>");
                self.point(location, note).await
            }
            Meaning::Swapped(location) => {
                let note = "<p class=\"note\">Latitude comes first. The two numbers were exchanged, because only then is \
                            the point in these islands.</p>";
                self.point(location, note.to_owned()).await
            }
            Meaning::Other => self.other().await,
        }
    }

    async fn postcode(&self, postcode: Postcode, note: String) -> postcode_core::Result<Answer> {
        let answer = self.lookup.lookup_one(postcode).await?;
        let title = postcode.to_string();
        let mut html = note;
        match &answer {
            Found::Live(record) => {
                let _ = write!(html, "<h2>{postcode}</h2><p>In use. {}</p>", parts(postcode));
                html += &self.record(record).await?;
            }
            Found::Terminated(record) => {
                let when = record.terminated.map_or_else(
                    || "at a date that the data does not have".to_owned(),
                    |month| format!("in {}", said(month)),
                );
                let _ = write!(
                    html,
                    "<h2>{postcode}</h2><p class=\"warn\">No longer in use. Royal Mail ended it {when}. Its addresses got \
                     other postcodes, which this data does not name: look for one nearby.</p><p>{}</p>",
                    parts(postcode)
                );
                html += &self.record(record).await?;
            }
            Found::NotCovered => {
                let area = postcode.area();
                let name = PostcodeArea::all()
                    .find(|known| known.code() == area.as_str())
                    .map_or("", PostcodeArea::name);
                let _ = write!(
                    html,
                    "<h2>{postcode}</h2><p class=\"warn\">This service has no data for postcodes that begin with {area}{}. \
                     The postcode may well exist.</p>",
                    if name.is_empty() { String::new() } else { format!(" ({})", escaped(name)) }
                );
                html += &self.advice(area.as_str());
            }
            Found::Unknown => {
                let _ = write!(
                    html,
                    "<h2>{postcode}</h2><p class=\"warn\">There is no such postcode in the data, not even a terminated one. \
                     It is well formed, so one character may be wrong, or it is newer than the data ({}).</p>",
                    escaped(&self.edition.info().edition)
                );
                let sector = postcode.sector().text();
                let others = self.lookup.autocomplete(&sector, LISTED).await?;
                html += &list(&format!("Postcodes that begin with {sector}"), &others);
            }
        }
        Ok(Answer::new(title, html))
    }

    /// Writes what is known of a postcode: areas with codes, position, neighbours, map, other forms.
    async fn record(&self, record: &Record) -> postcode_core::Result<String> {
        let mut html = String::new();
        let json = path::filled(path::POSTCODE, &[&record.postcode.compact()]);
        let json = format!(".{json}?extended=true");
        let _ = write!(
            html,
            "<p class=\"copy\" data-json=\"{json}\"><a href=\"{json}\">As JSON</a> \
             <button type=\"button\" data-copy=\"json\" hidden>Copy JSON</button> \
             <button type=\"button\" data-copy=\"curl\" hidden>Copy curl</button> \
             <button type=\"button\" data-copy=\"link\" hidden>Copy link</button> <span role=\"status\"></span></p>"
        );
        if let Some(location) = record.location {
            html += &self.surroundings(Origin::Postcode(record.postcode), location, record.postcode).await?;
        } else {
            html += "<p>The data has no position for it.</p>";
        }
        html += &table(record);
        Ok(html)
    }

    /// Draws the map around a postcode, and lists what is nearest.
    async fn surroundings(
        &self,
        origin: Origin,
        middle: Location,
        postcode: Postcode,
    ) -> postcode_core::Result<String> {
        let query = Nearest::to(origin).limit(DOTS).radius(f64::from(self.radius));
        let found = self.lookup.nearest(&query).await?.unwrap_or_default();
        let dots: Vec<Dot> =
            found.iter().filter_map(|near| Some((near.record.postcode, near.record.location?))).collect();
        let mut html = "<div class=\"beside\"><figure>".to_owned();
        html += &map::around(middle, f64::from(self.radius), &dots, &postcode.to_string());
        let full = if found.len() == DOTS {
            format!(" The nearest {} are shown.", thousands(DOTS as u64))
        } else {
            String::new()
        };
        let choices = RADII.map(|radius| {
            let shown = metres(f64::from(radius));
            if radius == self.radius {
                format!("<strong aria-current=\"true\">{shown}</strong>")
            } else {
                format!("<a href=\"{}&amp;r={radius}\">{shown}</a>", url(&postcode.to_string()))
            }
        });
        let _ = write!(
            html,
            "<figcaption>Each dot is a postcode in use.{full} Radius: {}</figcaption></figure>",
            choices.join(" ")
        );
        let others: Vec<_> =
            found.iter().filter(|near| near.record.postcode != postcode).take(LISTED).collect();
        html += "<section><h3>Nearest postcodes</h3>";
        if others.is_empty() {
            let _ = write!(html, "<p>None within {}.</p>", metres(f64::from(self.radius)));
        } else {
            html += "<ol>";
            for near in others {
                let _ = write!(
                    html,
                    "<li>{} {}</li>",
                    link(&near.record.postcode.to_string()),
                    metres(near.distance)
                );
            }
            html += "</ol>";
        }
        html += "</section></div>";
        Ok(html)
    }

    async fn found(&self, found: &[Postcode]) -> postcode_core::Result<Answer> {
        if let [only] = found {
            let note = format!("<p class=\"note\">The text holds the postcode <strong>{only}</strong>.</p>");
            return self.postcode(*only, note).await;
        }
        let answers = self.lookup.lookup(found).await?;
        let mut html = format!("<h2>{} postcodes in the text</h2><ul>", found.len());
        for (postcode, answer) in found.iter().zip(&answers) {
            let district = answer.record().and_then(Record::admin_district).unwrap_or_default();
            let status = match answer {
                Found::Live(_) => "in use",
                Found::Terminated(_) => "no longer in use",
                Found::NotCovered => "no data for this area",
                _ => "not in the data",
            };
            let _ = write!(html, "<li>{} {status} {}</li>", link(&postcode.to_string()), escaped(district));
        }
        html += "</ul>";
        Ok(Answer::new(format!("{} postcodes", found.len()), html))
    }

    async fn outcode(&self, outcode: Outcode) -> postcode_core::Result<Answer> {
        let Some(summary) = self.lookup.outcode(outcode).await? else {
            return self.nothing_begins_with(&outcode.to_string(), outcode.area().as_str()).await;
        };
        let mut html = format!("<h2>{outcode}</h2><p>The first half of postcodes (an outcode).</p>");
        let json = format!(".{}", path::filled(path::OUTCODE, &[&outcode]));
        let _ = write!(html, "<p class=\"copy\"><a href=\"{json}\">As JSON</a></p>");
        let (count, dots) = self.dots(Region::Outcode(outcode)).await?;
        html += &extent(&dots, &outcode.to_string());
        let _ = write!(html, "<p>{count}</p><table><caption>Areas</caption>");
        for (name, values) in [
            ("Country", &summary.country),
            ("County", &summary.admin_county),
            ("District", &summary.admin_district),
            ("Ward", &summary.admin_ward),
            ("Parish", &summary.parish),
            ("Constituency", &summary.parliamentary_constituency),
        ] {
            if !values.is_empty() {
                html += &row(name, &escaped(&values.join(", ")));
            }
        }
        if let (Some(latitude), Some(longitude)) = (summary.latitude, summary.longitude) {
            html += &row("Middle", &link(&format!("{latitude:.6}, {longitude:.6}")));
        }
        html += "</table>";
        let sectors: Vec<String> = {
            let mut sectors: Vec<Sector> = dots.iter().map(|(postcode, _)| postcode.sector()).collect();
            sectors.sort_unstable();
            sectors.dedup();
            sectors.iter().map(|sector| link(&sector.to_string())).collect()
        };
        if !sectors.is_empty() {
            let _ = write!(html, "<h3>Sectors</h3><p>{}</p>", sectors.join(" "));
        }
        let query = NearestOutcodes::to(outcode).limit(LISTED).radius(20_000.0);
        let near = self.lookup.nearest_outcodes(&query).await?.unwrap_or_default();
        let near: Vec<String> = near
            .iter()
            .filter(|other| other.outcode != outcode)
            .map(|other| {
                format!(
                    "<li>{} {}</li>",
                    link(&other.outcode.to_string()),
                    escaped(&other.admin_district.join(", "))
                )
            })
            .collect();
        if !near.is_empty() {
            let _ = write!(html, "<h3>Nearest outcodes</h3><ul>{}</ul>", near.concat());
        }
        Ok(Answer::new(outcode.to_string(), html))
    }

    async fn sector(&self, sector: Sector) -> postcode_core::Result<Answer> {
        let (count, dots) = self.dots(Region::Sector(sector)).await?;
        if dots.is_empty() && self.lookup.autocomplete(&sector.to_string(), 1).await?.is_empty() {
            return self.nothing_begins_with(&sector.to_string(), sector.outcode().area().as_str()).await;
        }
        let mut html = format!(
            "<h2>{sector}</h2><p>A sector: {} and the digit after it.</p>",
            link(&sector.outcode().to_string())
        );
        html += &extent(&dots, &sector.to_string());
        let _ = write!(html, "<p>{count}</p>");
        let all: Vec<Postcode> = dots.iter().map(|(postcode, _)| *postcode).collect();
        html += &list(&format!("Postcodes that begin with {sector}"), &all);
        Ok(Answer::new(sector.to_string(), html))
    }

    /// Returns how many postcodes a region has, in words, and those with a position.
    async fn dots(&self, region: Region) -> postcode_core::Result<(String, Vec<Dot>)> {
        let Some(page) = self.lookup.within(&Within::of(region).limit(DOTS)).await? else {
            return Ok((String::new(), Vec::new()));
        };
        let count = match page.next {
            None => format!("{} postcodes in use.", thousands(page.records.len() as u64)),
            Some(_) => format!(
                "More than {} postcodes in use. The map shows the first of them.",
                thousands(DOTS as u64)
            ),
        };
        let dots =
            page.records.iter().filter_map(|record| Some((record.postcode, record.location?))).collect();
        Ok((count, dots))
    }

    async fn point(&self, location: Location, note: String) -> postcode_core::Result<Answer> {
        let text = format!("{:.6}, {:.6}", location.latitude(), location.longitude());
        let mut html = format!("{note}<h2>{text}</h2>");
        for radius in AROUND {
            let limit = if radius == AROUND[0] { DOTS } else { LISTED };
            let query = Nearest::to(location).limit(limit).radius(radius);
            let found = self.lookup.nearest(&query).await?.unwrap_or_default();
            if found.is_empty() {
                continue;
            }
            let dots: Vec<Dot> =
                found.iter().filter_map(|near| Some((near.record.postcode, near.record.location?))).collect();
            let farthest = found.last().map_or(radius, |near| near.distance.max(50.0));
            html += "<div class=\"beside\"><figure>";
            html += &map::around(location, farthest.min(radius), &dots, "here");
            html += "</figure><section><h3>Nearest postcodes</h3><ol>";
            for near in found.iter().take(LISTED) {
                let district = near.record.admin_district().unwrap_or_default();
                let _ = write!(
                    html,
                    "<li>{} {} {}</li>",
                    link(&near.record.postcode.to_string()),
                    metres(near.distance),
                    escaped(district)
                );
            }
            html += "</ol></section></div>";
            return Ok(Answer::new(text, html));
        }
        html += "<p class=\"warn\">No postcode in use is within 50 km.</p>";
        Ok(Answer::new(text, html))
    }

    /// Answers a text that may be a place or the beginning of a postcode.
    async fn other(&self) -> postcode_core::Result<Answer> {
        let text = self.text.trim();
        let mut html = format!("<h2>{}</h2>", escaped(text));
        if text.len() > MAX_QUERY {
            html += "<p class=\"warn\">The text holds no postcode.</p>";
            return Ok(Answer::new("No postcode", html));
        }
        let begins = self.lookup.autocomplete(text, LISTED).await?;
        if !begins.is_empty() {
            html += &list("Postcodes that begin with this", &begins);
            return Ok(Answer::new(text, html));
        }
        match self.lookup.find_places(&PlaceQuery::new(text).limit(LISTED)).await {
            Ok(places) if !places.is_empty() => {
                html += "<h3>Places of this name</h3><ul>";
                for found in &places {
                    let place = &found.place;
                    let parts = [
                        Some(&place.local_type),
                        place.district_borough.as_ref(),
                        place.county_unitary.as_ref(),
                        place.region.as_ref(),
                        place.country.as_ref(),
                    ];
                    let mut about: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
                    about.dedup();
                    let name = escaped(&found.name);
                    let name = match (place.latitude, place.longitude) {
                        (Some(latitude), Some(longitude)) => {
                            format!(
                                "<a href=\"{}\">{name}</a>",
                                url(&format!("{latitude:.6}, {longitude:.6}"))
                            )
                        }
                        _ => name,
                    };
                    let outcode = place
                        .outcode
                        .map(|outcode| format!(" {}", link(&outcode.to_string())))
                        .unwrap_or_default();
                    let _ = write!(
                        html,
                        "<li>{name} <small>{}</small>{outcode}</li>",
                        escaped(&about.join(", "))
                    );
                }
                html += "</ul>";
                return Ok(Answer::new(text, html));
            }
            Ok(_) => html += "<p class=\"warn\">No place in the data has this name.</p>",
            Err(error) if matches!(error.kind(), ErrorKind::NotSupported | ErrorKind::InvalidInput) => {
                html += "<p class=\"warn\">This is not a postcode, a part of one, or a point. Names of places are not in \
                         this data.</p>";
            }
            Err(error) => return Err(error),
        }
        if let Err(why) = text.parse::<Postcode>()
            && text.len() <= 10
            && text.contains(|c: char| c.is_ascii_digit())
        {
            let _ = write!(html, "<p>As a postcode: {}.</p>", escaped(&why.to_string()));
        }
        html += "<p>Write a postcode such as SW1A 1AA, its beginning, latitude and longitude such as 51.501, -0.1416, or a \
                 grid reference such as TQ 290 796.</p>";
        Ok(Answer::new(text, html))
    }

    /// Returns what the data says about an area that it does not cover.
    fn advice(&self, area: &str) -> String {
        let Some(text) = self.edition.advice(area) else { return String::new() };
        let mut advice = text.trim_end_matches('.').to_owned();
        if let Some(first) = advice.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let advice = escaped(&advice);
        // How to load other data is not a visitor's business.
        match self.edition.info().not_covered_advice.as_deref() == Some(text) {
            true => format!("<p><small>For the operator of this service: {advice}.</small></p>"),
            false => format!("<p>{advice}.</p>"),
        }
    }

    async fn nothing_begins_with(&self, text: &str, area: &str) -> postcode_core::Result<Answer> {
        let mut html = format!("<h2>{}</h2>", escaped(text));
        let covered = !self.edition.info().not_covered.iter().any(|left_out| left_out == area);
        html += &if covered {
            "<p class=\"warn\">No postcode in use begins with this text.</p>".to_owned()
        } else {
            format!(
                "<p class=\"warn\">This service has no data for postcodes that begin with {}.</p>{}",
                escaped(area),
                self.advice(area)
            )
        };
        let others = self.lookup.outcodes(area, LISTED).await?;
        if !others.is_empty() {
            let others: Vec<String> = others.iter().map(|outcode| link(&outcode.to_string())).collect();
            let _ = write!(html, "<p>In {}: {}</p>", escaped(area), others.join(" "));
        }
        Ok(Answer::new(text, html))
    }
}

/// Links to what a postcode is a part of.
fn parts(postcode: Postcode) -> String {
    format!("Part of {} and {}.", link(&postcode.outcode().to_string()), link(&postcode.sector().to_string()))
}

fn list(heading: &str, postcodes: &[Postcode]) -> String {
    if postcodes.is_empty() {
        return String::new();
    }
    let links: Vec<String> = postcodes.iter().map(|postcode| link(&postcode.to_string())).collect();
    format!("<h3>{}</h3><p class=\"many\">{}</p>", escaped(heading), links.join(" "))
}

/// Draws a map that holds all of these.
fn extent(dots: &[Dot], name: &str) -> String {
    let Some((_, first)) = dots.first() else { return String::new() };
    let start = (first.latitude(), first.latitude(), first.longitude(), first.longitude());
    let (south, north, west, east) = dots.iter().fold(start, |(south, north, west, east), (_, at)| {
        let (latitude, longitude) = (at.latitude(), at.longitude());
        (south.min(latitude), north.max(latitude), west.min(longitude), east.max(longitude))
    });
    let Ok(middle) = Location::new(f64::midpoint(south, north), f64::midpoint(west, east)) else {
        return String::new();
    };
    let radius = dots.iter().map(|(_, at)| middle.distance(*at)).fold(50.0, f64::max);
    format!("<figure>{}</figure>", map::around(middle, radius, dots, name))
}

/// Returns a month as people write it.
fn said(month: YearMonth) -> String {
    format!("{} {}", MONTHS[usize::from(month.month()).clamp(1, 12) - 1], month.year())
}

fn row(name: &str, value: &str) -> String {
    format!("<tr><th scope=\"row\">{}</th><td>{value}</td></tr>", escaped(name))
}

/// Writes all areas with their codes, and what else is known.
fn table(record: &Record) -> String {
    let mut html = "<table><caption>Areas</caption>".to_owned();
    for kind in AreaKind::ALL {
        let Some(area) = record.area(kind) else { continue };
        // Codes such as E99999999 mean that there is no such area.
        let code = area.code.filter(|code| !code.ends_with("99999999"));
        let value = match (area.name, code) {
            (Some(name), Some(code)) => format!("{} <code>{}</code>", escaped(name), escaped(code)),
            (Some(name), None) => escaped(name),
            (None, Some(code)) => format!("<code>{}</code>", escaped(code)),
            (None, None) => continue,
        };
        html += &row(label(kind), &value);
    }
    if let Some(name) = record.admin_district_welsh() {
        html += &row("District in Welsh", &escaped(name));
    }
    if let Some(name) = record.senedd_constituency() {
        html += &row("Senedd constituency", &escaped(name));
    }
    html += "</table><table><caption>Position and dates</caption>";
    if let Some(location) = record.location {
        let text = format!("{}, {}", location.latitude(), location.longitude());
        html += &row("Latitude, longitude", &link(&text));
    }
    if let Some(grid) = record.grid {
        let text = format!("{} {}", grid.eastings, grid.northings);
        let value = match grid.system {
            GridSystem::Osgb => format!("{} (National Grid)", link(&text)),
            GridSystem::Irish => format!("{} (Irish Grid)", escaped(&text)),
        };
        html += &row("Eastings, northings", &value);
    }
    if let Some(quality) = record.quality {
        html += &row("Quality of the position", &format!("{quality} (1 is best)"));
    }
    if let Some(user) = record.user_type {
        html += &row("User type", user.as_str());
    }
    if let Some(month) = record.introduced {
        html += &row("Introduced", &said(month));
    }
    if let Some(month) = record.terminated {
        html += &row("Ended", &said(month));
    }
    html + "</table>"
}

/// Returns the name of a kind of area, for people.
fn label(kind: AreaKind) -> &'static str {
    match kind {
        AreaKind::Country => "Country",
        AreaKind::HealthAuthority => "Strategic health authority or board",
        AreaKind::EuropeanElectoralRegion => "European electoral region",
        AreaKind::PrimaryCareTrust => "Primary care trust or equivalent",
        AreaKind::Region => "Region",
        AreaKind::ParliamentaryConstituency => "Constituency",
        AreaKind::AdminDistrict => "District",
        AreaKind::Parish => "Parish",
        AreaKind::AdminCounty => "County",
        AreaKind::AdminWard => "Ward",
        AreaKind::CountyElectoralDivision => "County electoral division",
        AreaKind::Ccg => "Sub-ICB location or equivalent",
        AreaKind::Nuts => "International territorial level",
        AreaKind::PoliceForceArea => "Police force area",
        AreaKind::NhsRegion => "NHS England region",
        AreaKind::TravelToWorkArea => "Travel to work area",
        AreaKind::NationalPark => "National park",
        AreaKind::BuiltUpArea => "Built-up area",
        AreaKind::IntegratedCareBoard => "Integrated care board",
        AreaKind::CancerAlliance => "Cancer alliance",
        AreaKind::Lsoa11 => "Lower layer super output area 2011",
        AreaKind::Msoa11 => "Middle layer super output area 2011",
        AreaKind::Lsoa21 => "Lower layer super output area 2021",
        AreaKind::Msoa21 => "Middle layer super output area 2021",
        AreaKind::OutputArea21 => "Output area 2021",
        AreaKind::RuralUrban11 => "Rural or urban 2011",
        AreaKind::RuralUrban21 => "Rural or urban 2021",
        AreaKind::LocalEnterprisePartnership1 => "Local enterprise partnership",
        AreaKind::LocalEnterprisePartnership2 => "Second local enterprise partnership",
        AreaKind::ParliamentaryConstituencyBefore => "Previous constituency",
        // The enumeration may grow.
        other => other.key(),
    }
}
