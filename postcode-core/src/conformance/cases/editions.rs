//! Cases that apply while the dataset changes.

use futures::future::{join, join_all};

use super::super::{Fixture, Outcome, Report, Verdict};
use crate::{Answer, ErrorKind, Lookups, Postcode, Record, unit};

/// Checks that all answers of one batch come from one edition of the dataset, while it changes.
///
/// `publish` makes the implementation answer from the given fixture. It is called with one
/// [`Fixture::next_edition`] after the other while overlapping batches and single lookups run.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use postcode_core::conformance::{Fixture, Reference, check_editions};
///
/// let fixture = Fixture::small();
/// let lookup = Reference::new(fixture.clone()); // yours here
/// let report = check_editions(&lookup, &fixture, async |next: &Fixture| lookup.publish(next.clone())).await;
/// report.assert_complete();
/// # Ok(())
/// # }
/// ```
pub async fn check_editions(
    lookup: &dyn Lookups,
    fixture: &Fixture,
    mut publish: impl AsyncFnMut(&Fixture),
) -> Report {
    let mut editions = vec![fixture.clone()];
    for _ in 0..10 {
        editions.extend(editions.last().map(Fixture::next_edition));
    }
    let all: Vec<_> = fixture.records().map(|record| record.postcode).collect();
    let mut verdict = Verdict::Pass;
    for edition in &editions {
        publish(edition).await;
        let batches = (0..8).map(|n| &all[n * all.len() / 16..all.len() / 2 + n * all.len() / 16]);
        let singles = all.chunks(1).step_by(11);
        let calls = batches.chain(singles).map(|batch| one_edition(lookup, batch, &editions));
        let (mut results, ()) = join(join_all(calls), publish(edition)).await;
        results.push(one_edition(lookup, &all, &editions).await);
        if let Some(Err(message)) = results.into_iter().find(Result::is_err) {
            verdict = Verdict::Fail(message);
            break;
        }
    }
    let promise = "all answers of one batch come from one edition of the dataset";
    let one_edition = Outcome { case: "one_edition", promise, verdict };
    let promise = "a call that demands an edition is answered from it or fails with EditionMoved";
    let verdict = demanded(lookup, &all).await.map_or_else(Verdict::Fail, |()| Verdict::Pass);
    Report { outcomes: vec![one_edition, Outcome { case: "demanded_edition", promise, verdict }] }
}

/// Checks that a demand for an edition is met or refused. An implementation that does not tell its
/// edition can't do that.
async fn demanded(lookup: &dyn Lookups, postcodes: &[Postcode]) -> Result<(), String> {
    let fingerprint = lookup.info().await.map(|info| info.fingerprint).unwrap_or_default();
    let Some(first) = postcodes.first().filter(|_| !fingerprint.is_empty()) else { return Ok(()) };
    let calls = async || {
        let batch = lookup.lookup(postcodes).await.map(drop);
        let one = lookup.lookup_one(*first).await.map(drop);
        let outcode = lookup.outcode(first.outcode()).await.map(drop);
        [batch, one, outcode].map(|result| result.map_err(|error| error.kind()))
    };
    let met = unit::at_edition(&fingerprint, calls()).await;
    if met != [Ok(()); 3] {
        return Err(format!("the edition is {fingerprint:?}, but calls that demand it end with {met:?}"));
    }
    let refused = unit::at_edition("of no dataset", calls()).await;
    if refused != [Err(ErrorKind::EditionMoved); 3] {
        return Err(format!("calls that demand an edition that there is not end with {refused:?}"));
    }
    Ok(())
}

/// Checks that all records of a batch come from one edition.
async fn one_edition(lookup: &dyn Lookups, batch: &[Postcode], editions: &[Fixture]) -> Result<(), String> {
    let answers = lookup.lookup(batch).await.map_err(|error| format!("an error: {error}"))?;
    let is_of = |edition: &Fixture| {
        batch.iter().zip(&answers).all(|(postcode, answer)| answer.record() == edition.get(*postcode))
    };
    if answers.len() == batch.len() && editions.iter().any(is_of) {
        return Ok(());
    }
    let ranks = answers.iter().filter_map(Answer::record).map(|record: &Record| record.deprivation_rank);
    Err(format!(
        "a batch of {} postcodes with answers of several editions: {:?}",
        batch.len(),
        ranks.collect::<Vec<_>>()
    ))
}
