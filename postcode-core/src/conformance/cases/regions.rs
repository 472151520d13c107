//! Cases for `within` and `outcodes`.

use super::suite::{Checked, Suite, equal, holds, postcode, refused};
use crate::{
    AreaKind, Error, Location, MAX_CORNERS, MAX_LIMIT, MAX_PAGE, MAX_QUERY, MAX_RADIUS, Outcode, Postcode,
    PostcodeLookup, Region, Result, Within,
};

fn at(latitude: f64, longitude: f64) -> Result<Location> {
    Location::new(latitude, longitude)
}

fn outcode(text: &str) -> Result<Outcode> {
    text.parse().map_err(|error| Error::invalid(format!("{text:?}: {error}")))
}

/// Returns circles, boxes and polygons around many postcodes, one or none, and with postcodes on
/// their edges.
fn shapes_to_ask() -> Result<Vec<Region>> {
    let boxed = |south, west, north, east| -> Result<Region> {
        Ok(Region::Box { south_west: at(south, west)?, north_east: at(north, east)? })
    };
    let polygon = |corners: &[(f64, f64)]| -> Result<Region> {
        let corners = corners.iter().map(|(latitude, longitude)| at(*latitude, *longitude));
        Ok(Region::Polygon(corners.collect::<Result<_>>()?))
    };
    // Each ring is a square: its south, its west and its size.
    let square = |(south, west, size): &(f64, f64, f64)| -> Result<Vec<Location>> {
        let (north, east) = (south + size, west + size);
        Ok(vec![at(*south, *west)?, at(*south, east)?, at(north, east)?, at(north, *west)?])
    };
    let polygons = |all: &[&[(f64, f64, f64)]]| -> Result<Region> {
        let rings = all.iter().map(|rings| rings.iter().map(square).collect());
        Ok(Region::MultiPolygon(rings.collect::<Result<_>>()?))
    };
    Ok(vec![
        Region::circle(at(53.48, -2.235)?, 0.0),
        Region::circle(at(55.9486, -3.1883)?, 0.0),
        Region::circle(at(53.48, -2.235)?, 500.0),
        Region::circle(at(53.796, -1.519)?, 650.5),
        Region::circle(at(53.48, -2.235)?, 50_000.0),
        Region::circle(at(53.48, -2.235)?, MAX_RADIUS),
        Region::circle(at(0.0, 0.0)?, MAX_RADIUS),
        Region::circle(at(90.0, 0.0)?, 1_000_000.0),
        Region::circle(at(-54.0, 179.99)?, 100_000.0),
        boxed(53.479, -2.235, 53.4817, -2.2289)?,
        boxed(51.0, -1.0, 52.0, 0.0)?,
        boxed(55.9486, -3.1883, 55.9486, -3.1883)?,
        boxed(-90.0, -180.0, 90.0, 180.0)?,
        boxed(0.0, 0.0, 1.0, 180.0)?,
        polygon(&[(53.479, -2.235), (53.4817, -2.235), (53.4817, -2.2289), (53.479, -2.2289)])?,
        polygon(&[(51.0, -1.0), (52.0, 0.0), (51.0, 0.0)])?,
        polygon(&[(53.79, -1.6), (53.81, -1.6), (53.79, -1.4), (53.81, -1.4)])?,
        polygon(&[(50.0, -6.0), (59.0, -6.0), (59.0, 2.0), (50.0, 2.0), (50.0, -6.0)])?,
        polygon(&[(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)])?,
        // With a hole, and two apart that overlap a third.
        polygons(&[&[(50.0, -6.0, 9.0), (53.47, -2.25, 0.02)]])?,
        polygons(&[&[(53.47, -2.25, 0.02)], &[(53.79, -1.6, 0.1)], &[(53.0, -2.3, 0.6)]])?,
    ])
}

/// Checks all pages of a region: each against the reference, and all together against the records.
async fn check(suite: &Suite<'_>, region: &Region, limit: usize) -> Checked {
    let mut query = Within::of(region.clone()).limit(limit);
    let mut all = Vec::new();
    loop {
        let got = suite.lookup.within(&query).await?;
        equal(&query, &got, &suite.reference.within(&query).await?)?;
        let Some(page) = got else { break };
        all.extend(page.records);
        let Some(next) = page.next else { break };
        holds(query.after < Some(next), || {
            format!("{query:?}: the next page is at {next}, which is behind")
        })?;
        query = query.after(next);
    }
    let due = suite.fixture.live().filter(|record| region.contains(record)).cloned().collect();
    equal((region, limit), &all, &due)
}

pub(super) async fn shapes(suite: &Suite<'_>) -> Checked {
    for region in shapes_to_ask()? {
        check(suite, &region, 7).await?;
        check(suite, &region, MAX_PAGE).await?;
        let got = suite.lookup.within(&Within::of(region.clone())).await?;
        holds(got.is_some(), || format!("{region}: None, which is only for unknown names"))?;
    }
    Ok(())
}

pub(super) async fn areas(suite: &Suite<'_>) -> Checked {
    for (code, kind) in [
        ("E08990001", None),
        ("e08990001", None),
        ("E08990004", Some(AreaKind::AdminDistrict)),
        ("S13990001", Some(AreaKind::AdminWard)),
        ("E92000001", None),
        ("S92000003", Some(AreaKind::Country)),
        ("E12000002", Some(AreaKind::Region)),
        ("L93000001", None),
    ] {
        let region = Region::Area { code: code.to_owned(), kind };
        check(suite, &region, 3).await?;
        check(suite, &region, MAX_PAGE).await?;
    }
    Ok(())
}

pub(super) async fn outcodes_and_sectors(suite: &Suite<'_>) -> Checked {
    let mut regions = Vec::new();
    for text in ["M1", "M11", "LS9", "JE2", "SW1A"] {
        let outcode = outcode(text)?;
        regions.push(Region::Outcode(outcode));
        regions.extend(outcode.sectors().map(Region::Sector));
    }
    for region in regions {
        check(suite, &region, 50).await?;
    }
    Ok(())
}

pub(super) async fn unknown_names(suite: &Suite<'_>) -> Checked {
    let mut regions = vec![
        Region::Outcode(outcode("ZE1")?),
        Region::Outcode(outcode("NPT")?),
        Region::Outcode(outcode("BT1")?),
        Region::Sector(postcode("M1 9AA")?.sector()),
        // An area of only terminated postcodes, and one of another kind.
        Region::area("W06990001"),
        Region::Area { code: "E08990001".to_owned(), kind: Some(AreaKind::AdminWard) },
        Region::Area { code: "E08990001".to_owned(), kind: Some(AreaKind::Parish) },
    ];
    regions.extend(
        ["E08999999", "E0899000", "", " ", ".", "..", "/", "%", "?q=1", "é", "\0", "E08990001 "]
            .map(Region::area),
    );
    for region in regions {
        let query = Within::of(region);
        equal(&query, &suite.lookup.within(&query).await?, &None)?;
        let rest = query.after(postcode("M1 1AD")?);
        equal(&rest, &suite.lookup.within(&rest).await?, &None)?;
    }
    Ok(())
}

pub(super) async fn pages(suite: &Suite<'_>) -> Checked {
    let region = Region::Outcode(outcode("LS9")?);
    for limit in [1, 64, 65, 129, 130, 131] {
        check(suite, &region, limit).await?;
    }
    // A cursor need not be a postcode of the region, or an existing one.
    for (text, left) in [("LS9 0AB", 128), ("AB10 1AB", 130), ("LS9 0ZZ", 30), ("LS9 9ZZ", 0), ("ZE1 0AA", 0)]
    {
        let query = Within::of(region.clone()).limit(MAX_PAGE).after(postcode(text)?);
        let got = suite.lookup.within(&query).await?;
        equal(&query, &got, &suite.reference.within(&query).await?)?;
        holds(got.as_ref().is_some_and(|page| page.records.len() == left && page.next.is_none()), || {
            format!("{query:?}: not the last {left}")
        })?;
    }
    Ok(())
}

pub(super) async fn limits(suite: &Suite<'_>) -> Checked {
    let point = at(53.48, -2.235)?;
    let circle = |radius| Region::circle(point, radius);
    for limit in [0, MAX_PAGE + 1, usize::MAX] {
        let query = Within::of(circle(10.0)).limit(limit);
        refused(&query, suite.lookup.within(&query).await)?;
    }
    for region in [
        circle(-1.0),
        circle(MAX_RADIUS * 1.001),
        circle(f64::NAN),
        circle(f64::INFINITY),
        Region::Box { south_west: at(54.0, -3.0)?, north_east: at(53.0, -2.0)? },
        Region::Box { south_west: at(53.0, -2.0)?, north_east: at(54.0, -3.0)? },
        Region::Polygon(Vec::new()),
        Region::Polygon(vec![point; 2]),
        Region::Polygon(vec![point; MAX_CORNERS + 1]),
        Region::MultiPolygon(Vec::new()),
        Region::MultiPolygon(vec![vec![vec![point; 2]]]),
        Region::MultiPolygon(vec![vec![vec![point; MAX_CORNERS / 2 + 1]]; 2]),
        Region::area("E".repeat(33)),
    ] {
        let query = Within::of(region);
        refused(&query, suite.lookup.within(&query).await)?;
    }
    Ok(())
}

pub(super) async fn outcodes(suite: &Suite<'_>) -> Checked {
    let texts = [
        "", " ", "m", "M1", "m 1", "M11", "S", "sw1", "SW1A", "SW1A1", "E", "N", "JE", "ZE", "1", "%", "/",
        "é", "\0", "..",
    ];
    for text in texts {
        for limit in [1, 3, MAX_LIMIT] {
            let got = suite.lookup.outcodes(text, limit).await?;
            equal((text, limit), &got, &suite.reference.outcodes(text, limit).await?)?;
        }
    }
    Ok(())
}

pub(super) async fn outcodes_limits(suite: &Suite<'_>) -> Checked {
    for limit in [0, MAX_LIMIT + 1, usize::MAX] {
        refused(("M", limit), suite.lookup.outcodes("M", limit).await)?;
    }
    refused("257 bytes", suite.lookup.outcodes(&"M".repeat(MAX_QUERY + 1), 10).await)
}

/// Returns the last valid postcode before another. Not all letters are used.
fn before(postcode: Postcode) -> Option<Postcode> {
    let below = (1..).map_while(|n| postcode.code().checked_sub(n));
    below.filter_map(Postcode::from_code).find(|other| other.to_string().parse() == Ok(*other))
}

/// Checks the regions of a lookup's own postcodes, if its data is unknown.
pub(super) async fn regions(suite: &Suite<'_>) -> Checked {
    for record in suite.fixture.records() {
        let outcode = record.postcode.outcode();
        let mut regions = vec![Region::Outcode(outcode), Region::Sector(record.postcode.sector())];
        let district = record.area_code(AreaKind::AdminDistrict);
        regions.extend(
            district.map(|code| Region::Area { code: code.to_owned(), kind: Some(AreaKind::AdminDistrict) }),
        );
        regions.extend(record.location.map(|at| Region::circle(at, 100.0)));
        for region in regions {
            let mut query = Within::of(region).limit(5);
            let mut seen: Vec<Postcode> = Vec::new();
            while let Some(page) = suite.lookup.within(&query).await? {
                for found in page.records {
                    holds(query.region.contains(&found) && seen.last() < Some(&found.postcode), || {
                        format!("{query:?}: {} is not in it, or not in order", found.postcode)
                    })?;
                    seen.push(found.postcode);
                }
                // For a large district a few pages are enough, and then the page of the postcode
                // itself.
                match page.next {
                    Some(next) if seen.len() < 15 => query = query.after(next),
                    Some(_) => {
                        let before = before(record.postcode);
                        let page = suite.lookup.within(&query.clone().limit(1).after(before)).await?;
                        let first = page.and_then(|page| page.records.first().map(|first| first.postcode));
                        equal(&query, &first, &Some(record.postcode))?;
                        break;
                    }
                    None => {
                        holds(seen.contains(&record.postcode), || {
                            format!("{query:?}: without {}", record.postcode)
                        })?;
                        break;
                    }
                }
            }
            holds(!seen.is_empty(), || format!("{query:?}: nothing, where {} is", record.postcode))?;
        }
        let text = outcode.to_string();
        let got = suite.lookup.outcodes(&text, 1).await?;
        equal(&text, &got, &vec![outcode])?;
    }
    Ok(())
}
