//! Cases for `lookup`.

use super::suite::{Checked, Suite, equal, postcode, refused};
use crate::{Answer, MAX_BATCH, Postcode, PostcodeLookupExt};

pub(super) async fn each_record(suite: &Suite<'_>) -> Checked {
    for record in suite.fixture.records() {
        let got = suite.lookup.get(record.postcode).await?;
        equal(record.postcode, &got, &record.clone().into())?;
    }
    Ok(())
}

pub(super) async fn unknown(suite: &Suite<'_>) -> Checked {
    // Outside all areas of the fixture, then in one of its areas, outcodes and sectors.
    for text in ["ZE1 0AA", "M3 1AA", "M1 9ZZ", "M1 1ZZ", "LS9 9ZZ", "AB1 0ZZ", "GIR 0AB"] {
        let postcode = postcode(text)?;
        equal(text, &suite.lookup.get(postcode).await?, &Answer::Unknown)?;
    }
    Ok(())
}

pub(super) async fn not_covered(suite: &Suite<'_>) -> Checked {
    for area in &suite.fixture.info().not_covered {
        for incode in ["1 1AA", "99 9ZZ"] {
            let text = format!("{area}{incode}");
            let due = match suite.fixture.get(postcode(&text)?) {
                Some(record) => record.clone().into(),
                None => Answer::NotCovered,
            };
            equal(&text, &suite.lookup.get(postcode(&text)?).await?, &due)?;
        }
    }
    Ok(())
}

pub(super) async fn order(suite: &Suite<'_>) -> Checked {
    let mut asked: Vec<Postcode> = suite.fixture.records().map(|record| record.postcode).collect();
    asked.reverse();
    for (at, text) in [
        (0, "ZE1 0AA"),
        (3, "BT1 1AA"),
        (3, "M1 1AD"),
        (9, "M1 1AD"),
        (9, "ZE1 0AA"),
        (12, "M1 1AD"),
        (12, "M1 1AD"),
    ] {
        asked.insert(at.min(asked.len()), postcode(text)?);
    }
    let got = suite.lookup.lookup(&asked).await?;
    equal("number of answers", &got.len(), &asked.len())?;
    let due = crate::PostcodeLookup::lookup(&suite.reference, &asked).await?;
    for (at, (got, due)) in got.iter().zip(&due).enumerate() {
        equal((at, asked[at]), got, due)?;
    }
    Ok(())
}

pub(super) async fn empty_batch(suite: &Suite<'_>) -> Checked {
    equal("an empty batch", &suite.lookup.lookup(&[]).await?, &Vec::new())
}

pub(super) async fn batch_limit(suite: &Suite<'_>) -> Checked {
    let known: Vec<_> = suite.fixture.records().map(|record| record.postcode).collect();
    let mut asked: Vec<_> = known.iter().copied().cycle().take(MAX_BATCH).collect();
    let got = suite.lookup.lookup(&asked).await?;
    equal("number of answers", &got.len(), &asked.len())?;
    for (at, (asked, got)) in asked.iter().zip(&got).enumerate() {
        equal((at, asked), &got.record().map(|record| record.postcode), &Some(*asked))?;
    }
    asked.extend(known.first());
    refused("10,001 postcodes", suite.lookup.lookup(&asked).await)
}
