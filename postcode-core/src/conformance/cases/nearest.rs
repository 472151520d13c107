//! Cases for `nearest`.

use super::suite::{Checked, Suite, equal, holds, postcode, refused};
use crate::{Location, MAX_NEIGHBOURS, MAX_RADIUS, Nearest, Neighbour, PostcodeLookup, Result};

/// Checks that answers are equal except for the last digits of distances, which depend on the
/// geodesic library.
fn same(query: &Nearest, got: Option<Vec<Neighbour>>, due: Option<Vec<Neighbour>>) -> Checked {
    let (Some(got), Some(due)) = (&got, &due) else { return equal(query, &got, &due) };
    let postcodes =
        |found: &[Neighbour]| found.iter().map(|neighbour| neighbour.record.postcode).collect::<Vec<_>>();
    equal(query, &postcodes(got), &postcodes(due))?;
    for (got, due) in got.iter().zip(due) {
        equal(query, &got.record, &due.record)?;
        holds((got.distance - due.distance).abs() < 1e-6, || {
            format!(
                "{query:?}: {} at {} m where {} m is due",
                due.record.postcode, got.distance, due.distance
            )
        })?;
    }
    Ok(())
}

async fn check(suite: &Suite<'_>, query: Nearest) -> Checked {
    same(&query, suite.lookup.nearest(&query).await?, suite.reference.nearest(&query).await?)
}

/// Returns points at the records of the fixture, and between them.
fn points(suite: &Suite<'_>) -> Result<Vec<Location>> {
    let mut points: Vec<_> =
        suite.fixture.records().filter_map(|record| record.location).step_by(5).collect();
    for (latitude, longitude) in [(53.4801, -2.2333), (55.95, -3.187), (51.502, -0.1372), (53.8, -1.52)] {
        points.push(Location::new(latitude, longitude)?);
    }
    Ok(points)
}

pub(super) async fn around_points(suite: &Suite<'_>) -> Checked {
    for point in points(suite)? {
        for (limit, radius) in
            [(1, MAX_RADIUS), (10, 100.0), (MAX_NEIGHBOURS, MAX_RADIUS), (7, 333.3), (3, 0.0)]
        {
            check(suite, Nearest::to(point).limit(limit).radius(radius)).await?;
        }
    }
    Ok(())
}

pub(super) async fn ties(suite: &Suite<'_>) -> Checked {
    let query = Nearest::to(postcode("EH1 1AA")?).radius(0.0);
    let got = suite.lookup.nearest(&query).await?.unwrap_or_default();
    let got: Vec<_> = got.iter().map(|neighbour| neighbour.record.postcode).collect();
    let due: Vec<_> = ["EH1 1AA", "EH1 1AB", "EH1 2AA"].into_iter().map(postcode).collect::<Result<_>>()?;
    let due: Vec<_> = due.into_iter().filter(|postcode| suite.fixture.get(*postcode).is_some()).collect();
    equal(query, &got, &due)?;
    check(suite, query.limit(2)).await
}

pub(super) async fn around_postcodes(suite: &Suite<'_>) -> Checked {
    for record in suite.fixture.records().filter(|record| record.location.is_some()).step_by(3) {
        check(suite, Nearest::to(record.postcode).limit(20).radius(1_000.0)).await?;
    }
    // A terminated postcode has its old location, and is not among its neighbours.
    check(suite, Nearest::to(postcode("EH1 1AD")?)).await
}

pub(super) async fn without_origin(suite: &Suite<'_>) -> Checked {
    for text in ["ZE1 0AA", "BT1 1AA", "JE2 3AB", "AB1 0AB"] {
        let query = Nearest::to(postcode(text)?);
        same(&query, suite.lookup.nearest(&query).await?, None)?;
    }
    Ok(())
}

pub(super) async fn nothing_there(suite: &Suite<'_>) -> Checked {
    for (latitude, longitude) in [(0.0, 0.0), (90.0, 0.0), (-90.0, 180.0), (60.0, -180.0), (54.0, -40.0)] {
        let query = Nearest::to(Location::new(latitude, longitude)?).radius(MAX_RADIUS).limit(MAX_NEIGHBOURS);
        same(&query, suite.lookup.nearest(&query).await?, Some(Vec::new()))?;
    }
    Ok(())
}

pub(super) async fn limits(suite: &Suite<'_>) -> Checked {
    for query in [Nearest::to(Location::new(53.48, -2.23)?), Nearest::to(postcode("ZE1 0AA")?)] {
        for limit in [0, MAX_NEIGHBOURS + 1, usize::MAX] {
            let query = query.limit(limit);
            refused(query, suite.lookup.nearest(&query).await)?;
        }
        for radius in [-1.0, MAX_RADIUS + 0.1, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let query = query.radius(radius);
            refused(query, suite.lookup.nearest(&query).await)?;
        }
    }
    Ok(())
}
