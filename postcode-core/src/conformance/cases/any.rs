//! Cases for a lookup with unknown data: they check that its answers are consistent.

use std::collections::BTreeSet;

use super::suite::{Checked, Suite, equal, holds, postcode, refused};
use crate::{Answer, Error, MAX_BATCH, MAX_LIMIT, MAX_RADIUS, Nearest, PostcodeLookupExt};
use crate::{Outcode, Postcode, Record};

/// Returns live records of the lookup, exactly as it answers them.
fn samples<'s>(suite: &'s Suite<'_>) -> impl Iterator<Item = &'s Record> {
    suite.fixture.records()
}

/// Returns some outcodes of the samples, each once.
fn outcodes(suite: &Suite<'_>) -> BTreeSet<Outcode> {
    samples(suite).map(|record| record.postcode.outcode()).collect()
}

/// Checks that postcodes ascend and are distinct.
fn in_order(question: &str, postcodes: &[Postcode]) -> Checked {
    holds(postcodes.windows(2).all(|pair| pair[0] < pair[1]), || {
        format!("{question}: not in the order of postcodes: {postcodes:?}")
    })
}

pub(super) async fn random_is_found(suite: &Suite<'_>) -> Checked {
    holds(samples(suite).next().is_some(), || {
        "there is no live postcode: nothing can be checked".to_owned()
    })?;
    for record in samples(suite) {
        let got = suite.lookup.get(record.postcode).await?;
        equal(record.postcode, &got, &Answer::Live(record.clone()))?;
    }
    Ok(())
}

pub(super) async fn batches_and_singles(suite: &Suite<'_>) -> Checked {
    let mut asked: Vec<_> = samples(suite).map(|record| record.postcode).collect();
    asked.extend(asked.clone().into_iter().rev());
    for text in ["BT1 5GS", "GIR 0AA", "AB1 0AA", "ZE3 9ZZ", "JE2 4WD"] {
        asked.insert(asked.len() / 2, postcode(text)?);
    }
    let answers = suite.lookup.lookup(&asked).await?;
    equal("number of answers", &answers.len(), &asked.len())?;
    for (postcode, answer) in asked.iter().zip(&answers) {
        equal(postcode, &suite.lookup.get(*postcode).await?, answer)?;
        if let Some(record) = answer.record() {
            equal(postcode, &record.postcode, postcode)?;
            equal(postcode, &Answer::from(record.clone()), answer)?;
        }
    }
    Ok(())
}

pub(super) async fn batch_limit(suite: &Suite<'_>) -> Checked {
    let Some(first) = samples(suite).next() else { return Ok(()) };
    let mut asked = vec![first.postcode; MAX_BATCH];
    let answers = suite.lookup.lookup(&asked).await?;
    equal("number of answers", &answers.len(), &asked.len())?;
    let due = Answer::Live(first.clone());
    holds(answers.iter().all(|answer| *answer == due), || "duplicates answered differently".to_owned())?;
    asked.push(first.postcode);
    refused("10,001 postcodes", suite.lookup.lookup(&asked).await)
}

pub(super) async fn outcode(suite: &Suite<'_>) -> Checked {
    for record in samples(suite) {
        let outcode = record.postcode.outcode();
        let Some(summary) = suite.lookup.outcode(outcode).await? else {
            return holds(false, || format!("{outcode}: None, and {} is live", record.postcode));
        };
        equal("outcode", &summary.outcode, &outcode)?;
        if let Some(district) = record.admin_district() {
            holds(summary.admin_district.iter().any(|name| name == district), || {
                format!("{outcode}: without {district}, where {} lies", record.postcode)
            })?;
        }
    }
    Ok(())
}

pub(super) async fn autocomplete(suite: &Suite<'_>) -> Checked {
    for record in samples(suite) {
        let compact = record.postcode.compact();
        let whole = suite.lookup.autocomplete(&compact, MAX_LIMIT).await?;
        equal(record.postcode, &whole, &vec![record.postcode])?;
        let spaced = format!(" {} ", record.postcode).to_lowercase();
        equal(&spaced, &suite.lookup.autocomplete(&spaced, 1).await?, &whole)?;
        for length in 1..compact.len() {
            let prefix = &compact[..length];
            let found = suite.lookup.autocomplete(prefix, MAX_LIMIT).await?;
            in_order(prefix, &found)?;
            holds(found.iter().all(|found| found.compact().starts_with(prefix)), || {
                format!("autocomplete of {prefix}: {found:?}")
            })?;
            // Anything that is not among the first hundred must come after them.
            let last = found.last().filter(|_| found.len() == MAX_LIMIT);
            let there = found.contains(&record.postcode) || last.is_some_and(|last| *last < record.postcode);
            holds(there, || format!("autocomplete of {prefix}: without {}", record.postcode))?;
            let few = suite.lookup.autocomplete(prefix, 3).await?;
            equal(prefix, &few, &found.iter().copied().take(3).collect())?;
        }
    }
    Ok(())
}

pub(super) async fn search(suite: &Suite<'_>) -> Checked {
    for record in samples(suite) {
        for text in [record.postcode.to_string(), record.postcode.compact().to_lowercase()] {
            equal(&text, &suite.lookup.search(&text, 10).await?, &vec![record.clone()])?;
        }
        let outcode = record.postcode.outcode().to_string();
        let found = suite.lookup.search(&outcode, 7).await?;
        holds(found.len() <= 7, || format!("search for {outcode}: {} with a limit of 7", found.len()))?;
        for found in found {
            equal(&outcode, &suite.lookup.get(found.postcode).await?, &Answer::Live(found))?;
        }
    }
    Ok(())
}

pub(super) async fn nearest(suite: &Suite<'_>) -> Checked {
    for record in samples(suite) {
        let Some(location) = record.location else {
            let query = Nearest::to(record.postcode);
            equal(query, &suite.lookup.nearest(&query).await?, &None)?;
            continue;
        };
        for (limit, radius) in [(1, 0.0), (10, 300.0), (MAX_LIMIT, MAX_RADIUS)] {
            let query = Nearest::to(location).limit(limit).radius(radius);
            let Some(found) = suite.lookup.nearest(&query).await? else {
                return holds(false, || format!("{query:?}: None, which is not allowed for a point"));
            };
            holds((1..=limit).contains(&found.len()), || format!("{query:?}: {} found", found.len()))?;
            holds(found.iter().all(|neighbour| neighbour.distance <= radius), || {
                format!("{query:?}: farther than the radius")
            })?;
            let order = |pair: &[crate::Neighbour]| {
                (pair[0].distance, pair[0].record.postcode) < (pair[1].distance, pair[1].record.postcode)
            };
            holds(found.windows(2).all(order), || format!("{query:?}: not by distance and postcode"))?;
            equal(query, &found[0].distance, &0.0)?;
            let to_postcode = Nearest::to(record.postcode).limit(limit).radius(radius);
            equal(to_postcode, &suite.lookup.nearest(&to_postcode).await?, &Some(found))?;
        }
    }
    Ok(())
}

pub(super) async fn random_of_outcode(suite: &Suite<'_>) -> Checked {
    for outcode in outcodes(suite) {
        match suite.lookup.random(Some(outcode)).await? {
            Some(record) => {
                equal("outcode", &record.postcode.outcode(), &outcode)?;
                equal(outcode, &suite.lookup.get(record.postcode).await?, &Answer::Live(record))?;
            }
            None => holds(false, || format!("random of {outcode}: None, and it has live postcodes"))?,
        }
    }
    // No longer in use since 1984.
    let none: Outcode = "NPT".parse().map_err(|e| Error::invalid(format!("NPT: {e}")))?;
    equal(none, &suite.lookup.random(Some(none)).await?, &None)
}

pub(super) async fn info(suite: &Suite<'_>) -> Checked {
    let info = suite.lookup.info().await?;
    holds(!info.edition.is_empty(), || "no edition".to_owned())?;
    holds(!info.fingerprint.is_empty(), || "no fingerprint".to_owned())?;
    holds(info.live > 0, || "no live postcodes, and there are some".to_owned())?;
    for area in &info.not_covered {
        let postcode = postcode(&format!("{area}1 1AA"))?;
        let answer = suite.lookup.get(postcode).await?;
        holds(answer == Answer::NotCovered || answer.record().is_some(), || {
            format!("{postcode}: {answer:?}, and {area} is not covered")
        })?;
    }
    Ok(())
}
