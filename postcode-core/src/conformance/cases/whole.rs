//! Cases for `outcode`, `nearest_outcodes`, `random` and `info`.

use std::collections::BTreeSet;

use super::suite::{Checked, Suite, equal, holds, refused};
use crate::{
    Error, Location, MAX_LIMIT, MAX_RADIUS, NearestOutcodes, Outcode, OutcodeSummary, PostcodeLookup, Result,
};

fn parse(text: &str) -> Result<Outcode> {
    text.parse().map_err(|error| Error::invalid(format!("{text:?}: {error}")))
}

async fn check_outcode(suite: &Suite<'_>, outcode: Outcode) -> Checked {
    let mut got = suite.lookup.outcode(outcode).await?;
    let due = suite.reference.outcode(outcode).await?;
    if let (Some(got), Some(due)) = (&mut got, &due) {
        round(got, due);
    }
    equal(outcode, &got, &due)
}

/// Rounds means, whose last digits depend on the order of summation.
fn round(got: &mut OutcodeSummary, due: &OutcodeSummary) {
    for (got, due) in [(&mut got.latitude, due.latitude), (&mut got.longitude, due.longitude)] {
        if got.zip(due).is_some_and(|(got, due)| (got - due).abs() < 1e-9) {
            *got = due;
        }
    }
}

async fn check_nearest(suite: &Suite<'_>, query: NearestOutcodes) -> Checked {
    let mut got = suite.lookup.nearest_outcodes(&query).await?;
    let due = suite.reference.nearest_outcodes(&query).await?;
    for (got, due) in got.iter_mut().flatten().zip(due.iter().flatten()) {
        round(got, due);
    }
    equal(query, &got, &due)
}

pub(super) async fn nearest_outcodes(suite: &Suite<'_>) -> Checked {
    let points = [(53.48, -2.2301), (55.9501, -3.187), (51.5021, -0.1), (0.0, 0.0), (90.0, 0.0)];
    let points = points.into_iter().map(|(latitude, longitude)| Location::new(latitude, longitude));
    let points: Vec<_> = points.collect::<Result<_>>()?;
    let outcodes = ["M1", "M90", "EH1", "SW1A", "LS9", "AB10"].into_iter().map(parse);
    let outcodes: Vec<_> = outcodes.collect::<Result<_>>()?;
    let queries =
        points.into_iter().map(NearestOutcodes::to).chain(outcodes.into_iter().map(NearestOutcodes::to));
    for query in queries {
        check_nearest(suite, query).await?;
        check_nearest(suite, query.limit(1).radius(MAX_RADIUS)).await?;
        check_nearest(suite, query.limit(MAX_LIMIT).radius(MAX_RADIUS)).await?;
        check_nearest(suite, query.radius(0.0)).await?;
    }
    Ok(())
}

pub(super) async fn nearest_outcodes_without_origin(suite: &Suite<'_>) -> Checked {
    for text in ["JE2", "NPT", "ZE1", "BT1"] {
        let query = NearestOutcodes::to(parse(text)?);
        equal(query, &suite.lookup.nearest_outcodes(&query).await?, &None)?;
    }
    Ok(())
}

pub(super) async fn nearest_outcodes_limits(suite: &Suite<'_>) -> Checked {
    let query = NearestOutcodes::to(parse("M1")?);
    for limit in [0, MAX_LIMIT + 1, usize::MAX] {
        let query = query.limit(limit);
        refused(query, suite.lookup.nearest_outcodes(&query).await)?;
    }
    for radius in [-1.0, MAX_RADIUS + 0.1, f64::INFINITY, f64::NAN] {
        let query = query.radius(radius);
        refused(query, suite.lookup.nearest_outcodes(&query).await)?;
    }
    Ok(())
}

pub(super) async fn outcode(suite: &Suite<'_>) -> Checked {
    let outcodes: BTreeSet<_> = suite.fixture.live().map(|record| record.postcode.outcode()).collect();
    for outcode in outcodes {
        check_outcode(suite, outcode).await?;
    }
    Ok(())
}

pub(super) async fn outcode_without_live(suite: &Suite<'_>) -> Checked {
    for text in ["NPT", "AB1", "GIR", "ZE1", "BT1"] {
        check_outcode(suite, parse(text)?).await?;
    }
    Ok(())
}

pub(super) async fn random(suite: &Suite<'_>) -> Checked {
    for _ in 0..20 {
        let Some(record) = suite.lookup.random(None).await? else {
            return equal("random", &0, &suite.fixture.live().count());
        };
        let known = suite.fixture.live().find(|known| known.postcode == record.postcode);
        equal("random", &Some(&record), &known)?;
    }
    Ok(())
}

pub(super) async fn random_of_outcode(suite: &Suite<'_>) -> Checked {
    for text in ["M1", "SW1H", "JE2", "LS9", "NPT", "ZE1", "BT1"] {
        let outcode = parse(text)?;
        let due: Vec<_> =
            suite.fixture.live().filter(|record| record.postcode.outcode() == outcode).collect();
        for _ in 0..5 {
            match suite.lookup.random(Some(outcode)).await? {
                None => equal(outcode, &0, &due.len())?,
                Some(record) => {
                    holds(due.contains(&&record), || format!("{outcode:?}: {record:?}, which is not in it"))?;
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn info(suite: &Suite<'_>) -> Checked {
    let (got, due) = (suite.lookup.info().await?, suite.fixture.info());
    equal("live", &got.live, &due.live)?;
    equal("terminated", &got.terminated, &due.terminated)?;
    equal("not_covered", &got.not_covered, &due.not_covered)?;
    holds(!got.edition.is_empty(), || "no edition".to_owned())?;
    holds(!got.fingerprint.is_empty(), || "no fingerprint".to_owned())?;
    equal("attribution", &got.attribution, &due.attribution)
}
