//! Tests the suite on a correct implementation, and on ones with one fault each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use async_trait::async_trait;
use futures::executor::block_on;

use super::*;
use crate::{
    Answer, DatasetInfo, Error, ErrorKind, Nearest, NearestOutcodes, Neighbour, Outcode, OutcodeSummary,
    Page, Place, PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, Record, Result, ScottishPostcode, Within,
};

#[test]
fn the_reference_keeps_the_contract_and_so_does_a_pointer_to_it() {
    let fixture = Fixture::small();
    let reference = || Reference::new(fixture.clone());
    block_on(async {
        check(&reference(), &fixture).await.assert_complete();
        check(&Arc::new(reference()), &fixture).await.assert_complete();
        check(&Box::new(reference()), &fixture).await.assert_complete();
        let shared: Arc<dyn PostcodeLookup> = Arc::new(reference());
        check(&shared, &fixture).await.assert_complete();
        let leaked: &'static Reference = Box::leak(Box::new(reference()));
        check(&leaked, &fixture).await.assert_complete();
        let lookup = reference();
        check_editions(&lookup, &fixture, async |next| lookup.publish(next.clone())).await.assert_complete();
        let next = fixture.next_edition();
        check(&Reference::new(next.clone()), &next).await.assert_complete();
    });
}

#[cfg(feature = "dataset")]
#[test]
fn the_dataset_keeps_the_contract() {
    let fixture = Fixture::small();
    let dataset = fixture.dataset().unwrap();
    dataset.verify().unwrap();
    assert_eq!(
        dataset.iter_wider_places().collect::<Vec<_>>(),
        fixture.wider_places().cloned().collect::<Vec<_>>()
    );
    assert_eq!(dataset.iter_places().collect::<Vec<_>>(), fixture.places().cloned().collect::<Vec<_>>());
    assert_eq!(dataset.iter_scottish().collect::<Vec<_>>(), fixture.scottish().cloned().collect::<Vec<_>>());
    let local = crate::Local::new(dataset);
    block_on(async {
        check(&local, &fixture).await.assert_complete();
        check_editions(&local, &fixture, async |next| drop(local.replace(next.dataset().unwrap())))
            .await
            .assert_complete();
    });
}

#[cfg(feature = "dataset")]
proptest::proptest! {
    /// Compares automata over an index with tables of distances over a list.
    #[test]
    fn any_text_finds_the_same_places_in_a_dataset(
        names in proptest::collection::vec("[abcé]{1,9}( |-|'|)[abc]{0,5}", 1..12),
        texts in proptest::collection::vec("[abceé ]{0,11}", 1..12),
        limit in 1..20_usize,
    ) {
        let kinds = ["City", "Hamlet", "Island"];
        let places = names.iter().enumerate().filter(|(_, name)| !name.trim().is_empty()).map(|(n, name)| {
            let mut place = Place::new(format!("osgb{n}"), name, kinds[n % 3]);
            place.name_2 = names.get(n + 1).filter(|_| n % 2 == 0).cloned();
            place.country = Some(["Wales", "Scotland"][n % 2].to_owned());
            place
        });
        let (wider, populated): (Vec<_>, Vec<_>) = places.partition(|place| place.local_type == "Island");
        let fixture = Fixture::new(DatasetInfo::new("any"), []).with(populated, []).with_wider(wider);
        let (local, reference) = (crate::Local::new(fixture.dataset().unwrap()), Reference::new(fixture));
        for text in texts {
            for query in [PlaceQuery::new(&text), PlaceQuery::new(&text).within("wales").local_type("city")] {
                let query = query.limit(limit);
                let (ours, due) = (block_on(local.find_places(&query)), block_on(reference.find_places(&query)));
                assert_eq!(format!("{ours:?}"), format!("{due:?}"), "{names:?} {query:?}");
            }
        }
    }
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    TerminatedIsUnknown,
    UnknownIsError,
    NotCoveredIsUnknown,
    Reversed,
    WithoutDuplicates,
    NoBatchLimit,
    NoLastPage,
    EmptyRegionIsNone,
    ClampedLimit,
    CaseMatters,
    AnyOrder,
    EmptyIsNone,
    TiesReversed,
    TerminatedNeighbours,
    SummaryOfTerminated,
    RandomTerminated,
    NoFingerprint,
    Flips,
    BreaksWhenDropped,
    BreaksWhenShared,
    NoSearch,
    NoTypingErrors,
    FirstPageOnly,
    NotSupported,
}

/// The reference with one fault.
#[derive(Debug)]
struct Faulty {
    right: Reference,
    fixture: Fixture,
    fault: Fault,
    count: AtomicUsize,
}

/// Counts the calls that were dropped before they had finished.
struct Unfinished<'a> {
    dropped: &'a AtomicUsize,
    finished: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.dropped.fetch_add(usize::from(!self.finished), SeqCst);
    }
}

async fn yield_once() {
    let mut yielded = false;
    futures::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[async_trait]
impl PostcodeLookup for Faulty {
    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        if self.fault == Fault::NoBatchLimit && postcodes.len() > crate::MAX_BATCH {
            return Ok(Vec::new());
        }
        let mut answers = self.right.lookup(postcodes).await?;
        if self.fault == Fault::UnknownIsError && answers.contains(&Answer::Unknown) {
            return Err(Error::new(ErrorKind::Unavailable, "not found"));
        }
        for answer in &mut answers {
            match answer {
                Answer::Terminated(_) if self.fault == Fault::TerminatedIsUnknown => {
                    *answer = Answer::Unknown
                }
                Answer::NotCovered if self.fault == Fault::NotCoveredIsUnknown => *answer = Answer::Unknown,
                _ => {}
            }
        }
        match self.fault {
            Fault::Reversed => answers.reverse(),
            Fault::WithoutDuplicates => answers.dedup(),
            Fault::BreaksWhenDropped => {
                let mut call = Unfinished { dropped: &self.count, finished: false };
                yield_once().await;
                call.finished = true;
                if self.count.load(SeqCst) > 0 {
                    answers.fill(Answer::Unknown);
                }
            }
            Fault::BreaksWhenShared => {
                let others = self.count.fetch_add(1, SeqCst);
                yield_once().await;
                self.count.fetch_sub(1, SeqCst);
                if others > 0 {
                    answers.fill(Answer::Unknown);
                }
            }
            _ => {}
        }
        Ok(answers)
    }
    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
        let summary = self.right.outcode(outcode).await?;
        let known = self.fixture.records().any(|record| record.postcode.outcode() == outcode);
        if self.fault == Fault::SummaryOfTerminated && summary.is_none() && known {
            return Ok(Some(OutcodeSummary::new(outcode)));
        }
        Ok(summary)
    }
    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        let limit = if self.fault == Fault::ClampedLimit { limit.clamp(1, crate::MAX_LIMIT) } else { limit };
        let mut found = self.right.autocomplete(prefix, limit).await?;
        if self.fault == Fault::CaseMatters && prefix.contains('m') {
            found.clear();
        }
        if self.fault == Fault::AnyOrder {
            found.reverse();
        }
        Ok(found)
    }
    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        if self.fault == Fault::NotSupported {
            return Err(Error::new(ErrorKind::NotSupported, "this server has no search"));
        }
        let found = self.right.search(query, limit).await?;
        Ok(if self.fault == Fault::NoSearch { Vec::new() } else { found })
    }
    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        let mut found = self.right.nearest(query).await?;
        match self.fault {
            Fault::EmptyIsNone => found = found.filter(|found| !found.is_empty()),
            Fault::TiesReversed => {
                if let Some(found) = &mut found {
                    found.reverse();
                    found.sort_by(|a, b| a.distance.total_cmp(&b.distance));
                }
            }
            Fault::TerminatedNeighbours => {
                let terminated = self.fixture.get("EH1 1AD".parse().unwrap()).unwrap().clone();
                if let Some(found) = &mut found {
                    found.push(Neighbour::new(terminated, 0.0));
                }
            }
            _ => {}
        }
        Ok(found)
    }
    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
        if self.fault == Fault::RandomTerminated {
            return Ok(self.fixture.get("GIR 0AA".parse().unwrap()).cloned());
        }
        self.right.random(outcode).await
    }
    async fn within(&self, query: &Within) -> Result<Option<Page>> {
        let page = self.right.within(query).await?;
        Ok(match self.fault {
            Fault::NoLastPage => page.map(|page| Page::new(page.records, None)),
            Fault::EmptyRegionIsNone => page.filter(|page| !page.records.is_empty()),
            _ => page,
        })
    }
    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        let mut found = self.right.outcodes(prefix, limit).await?;
        if self.fault == Fault::AnyOrder {
            found.reverse();
        }
        Ok(found)
    }
    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
        self.right.nearest_outcodes(query).await
    }
    async fn place(&self, code: &str) -> Result<Option<Place>> {
        self.right.place(code).await
    }
    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        self.right.places(query, limit).await
    }
    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        let mut found = self.right.find_places(query).await?;
        if self.fault == Fault::NoTypingErrors {
            found.retain(|found| found.edits == 0);
        }
        Ok(found)
    }
    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        let after = after.filter(|_| self.fault != Fault::FirstPageOnly);
        self.right.place_postcodes(code, after, limit).await
    }
    async fn random_place(&self) -> Result<Option<Place>> {
        self.right.random_place().await
    }
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        self.right.scottish_postcode(postcode).await
    }
    async fn info(&self) -> Result<DatasetInfo> {
        let mut info = self.right.info().await?;
        if self.fault == Fault::NoFingerprint {
            info.fingerprint.clear();
        }
        if self.fault == Fault::Flips {
            info.edition = format!("{:?}", self.count.fetch_add(1, SeqCst));
        }
        Ok(info)
    }
}

fn run(fault: Fault) -> Report {
    let fixture = Fixture::small();
    let right = Reference::new(fixture.clone());
    block_on(check(&Faulty { right, fixture: fixture.clone(), fault, count: 0.into() }, &fixture))
}

#[test]
fn each_fault_is_found_by_the_case_that_is_for_it() {
    for (fault, case) in [
        (Fault::TerminatedIsUnknown, "each_record"),
        (Fault::UnknownIsError, "unknown"),
        (Fault::NotCoveredIsUnknown, "not_covered"),
        (Fault::Reversed, "order"),
        (Fault::WithoutDuplicates, "order"),
        (Fault::NoBatchLimit, "batch_limit"),
        (Fault::ClampedLimit, "autocomplete_limits"),
        (Fault::CaseMatters, "autocomplete_ignores_case_and_spaces"),
        (Fault::AnyOrder, "autocomplete"),
        (Fault::AnyOrder, "outcodes"),
        (Fault::NoLastPage, "pages"),
        (Fault::EmptyRegionIsNone, "shapes"),
        (Fault::EmptyIsNone, "nothing_there"),
        (Fault::TiesReversed, "ties"),
        (Fault::TerminatedNeighbours, "around_postcodes"),
        (Fault::SummaryOfTerminated, "outcode_without_live"),
        (Fault::RandomTerminated, "random"),
        (Fault::NoFingerprint, "info"),
        (Fault::Flips, "twice"),
        (Fault::BreaksWhenDropped, "dropped"),
        (Fault::BreaksWhenShared, "at_once"),
        (Fault::NoSearch, "search"),
        (Fault::NoTypingErrors, "find"),
        (Fault::FirstPageOnly, "postcodes"),
    ] {
        let report = run(fault);
        assert!(report.failures().any(|outcome| outcome.case == case), "{fault:?}:\n{report}");
    }
}

#[test]
fn without_a_fixture_most_faults_are_found_too() {
    let fixture = Fixture::small();
    block_on(check_any(&Reference::new(fixture.clone()))).assert_complete();
    for (fault, case) in [
        (Fault::Reversed, "batches_and_singles"),
        (Fault::WithoutDuplicates, "batch_limit"),
        (Fault::NoBatchLimit, "batch_limit"),
        (Fault::ClampedLimit, "autocomplete_limits"),
        (Fault::AnyOrder, "autocomplete"),
        (Fault::NoLastPage, "regions"),
        (Fault::NotCoveredIsUnknown, "info"),
        (Fault::RandomTerminated, "random_is_found"),
        (Fault::NoFingerprint, "info"),
        (Fault::Flips, "twice"),
        (Fault::BreaksWhenDropped, "dropped"),
        (Fault::BreaksWhenShared, "at_once"),
        (Fault::NoSearch, "search"),
    ] {
        let right = Reference::new(fixture.clone());
        let faulty = Faulty { right, fixture: fixture.clone(), fault, count: 0.into() };
        let report = block_on(check_any(&faulty));
        assert!(report.failures().any(|outcome| outcome.case == case), "{fault:?}:\n{report}");
    }
    let empty = Reference::new(Fixture::new(fixture.info().clone(), []));
    assert!(!block_on(check_any(&empty)).passed());
}

#[test]
fn what_is_not_supported_is_told_apart_and_shown() {
    let report = run(Fault::NotSupported);
    assert!(report.passed());
    let cases: Vec<_> = report.not_supported().map(|outcome| outcome.case).collect();
    assert_eq!(cases, ["search", "search_limits"]);
    let table = report.to_string();
    assert!(
        table.contains("not supported  search") && table.ends_with("2 not supported, 0 failed"),
        "{table}"
    );
    let panicked = std::panic::catch_unwind(|| report.assert_complete()).unwrap_err();
    assert!(panicked.downcast_ref::<String>().unwrap().contains("this server has no search"));
    assert!(std::panic::catch_unwind(|| run(Fault::Reversed).assert_passed()).is_err());
}

#[test]
fn a_difference_shows_where() {
    let fixture = Fixture::small();
    let (one, other) = (Reference::new(fixture.clone()), Reference::new(fixture.next_edition()));
    let calls = ["M1 1AD", "ZE1 0AA"].map(|text| AnyCall::Lookup(vec![text.parse().unwrap()]));
    let differences = block_on(differential(&one, &other, calls));
    assert_eq!(differences.len(), 1);
    let shown = differences[0].to_string();
    assert!(shown.contains("4321") && shown.contains("4322"), "{shown}");
    let refused = AnyCall::Autocomplete(String::new(), 0);
    assert_eq!(block_on(refused.answer(&one)), "error invalid_input");
}

/// The mock with the reference's answers keeps the contract.
#[cfg(feature = "mock")]
#[test]
fn the_mock_fed_with_real_answers_keeps_the_contract() {
    let fixture = Fixture::small();
    let reference = Arc::new(Reference::new(fixture.clone()));
    let mut mock = crate::MockPostcodeLookup::new();
    let right = reference.clone();
    mock.expect_lookup().returning(move |postcodes| block_on(right.lookup(postcodes)));
    let right = reference.clone();
    mock.expect_outcode().returning(move |outcode| block_on(right.outcode(outcode)));
    let right = reference.clone();
    mock.expect_autocomplete().returning(move |prefix, limit| block_on(right.autocomplete(prefix, limit)));
    let right = reference.clone();
    mock.expect_search().returning(move |query, limit| block_on(right.search(query, limit)));
    let right = reference.clone();
    mock.expect_nearest().returning(move |query| block_on(right.nearest(query)));
    let right = reference.clone();
    mock.expect_within().returning(move |query| block_on(right.within(query)));
    let right = reference.clone();
    mock.expect_outcodes().returning(move |prefix, limit| block_on(right.outcodes(prefix, limit)));
    let right = reference.clone();
    mock.expect_random().returning(move |outcode| block_on(right.random(outcode)));
    let right = reference.clone();
    mock.expect_nearest_outcodes().returning(move |query| block_on(right.nearest_outcodes(query)));
    let right = reference.clone();
    mock.expect_place().returning(move |code| block_on(right.place(code)));
    let right = reference.clone();
    mock.expect_places().returning(move |query, limit| block_on(right.places(query, limit)));
    let right = reference.clone();
    mock.expect_find_places().returning(move |query| block_on(right.find_places(query)));
    let right = reference.clone();
    mock.expect_place_postcodes()
        .returning(move |code, after, limit| block_on(right.place_postcodes(code, after, limit)));
    let right = reference.clone();
    mock.expect_random_place().returning(move || block_on(right.random_place()));
    let right = reference.clone();
    mock.expect_scottish_postcode().returning(move |postcode| block_on(right.scottish_postcode(postcode)));
    mock.expect_info().returning(move || block_on(reference.info()));
    // The outer executor can't be that of `futures`, which can't run inside itself.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(check(&mock, &fixture)).assert_complete();
}
