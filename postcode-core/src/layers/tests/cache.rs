//! Cache.

use tokio::time::advance;

use super::*;
use crate::layers::Cache;
use crate::{Record, conformance::check_editions};

const MB: u64 = 1 << 20;

fn lookups(fake: &Fake) -> Vec<String> {
    let calls = fake.seen().into_iter().map(|seen| seen.call);
    calls.filter(|call| call.starts_with("lookup")).collect()
}

#[tokio::test(start_paused = true)]
async fn answers_are_kept_the_negative_ones_too_and_errors_never() {
    let fake = Fake::new([]);
    let lookup = Cache::new(fake.clone(), MB);
    for text in ["M1 1AD", "M1 1AF", "ZE1 0AA", "BT1 1AA"] {
        let first = lookup.get(postcode(text)).await.unwrap();
        assert_eq!(lookup.get(postcode(text)).await.unwrap(), first, "{text}");
    }
    assert_eq!(lookups(&fake).len(), 4);
    let stats = lookup.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (4, 4, 4));
    fake.set(Act::Fail(ErrorKind::Unavailable));
    for _ in 0..2 {
        assert!(lookup.get(postcode("M1 1AE")).await.is_err());
    }
    assert_eq!(lookups(&fake).len(), 6);
    assert_eq!(ask(&lookup).await, Ok(()), "kept answers are given while the service is down");
    lookup.clear();
    assert!(ask(&lookup).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_older_than_the_time_to_live() {
    let fake = Fake::new([]);
    let lookup = Cache::new(fake.clone(), MB).ttl(10 * SECOND).recheck(Duration::MAX);
    assert_eq!(ask(&lookup).await, Ok(()));
    advance(10 * SECOND - MS).await;
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(lookups(&fake).len(), 1);
    advance(MS).await;
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(lookups(&fake).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn it_keeps_no_more_than_its_capacity() {
    let fake = Fake::new([]);
    let lookup = Cache::new(fake.clone(), 20_000);
    let all: Vec<_> = Fixture::small().records().map(|record| record.postcode).collect();
    lookup.lookup(&all).await.unwrap();
    let stats = lookup.stats();
    assert!(stats.bytes <= 20_000 && stats.entries > 3 && stats.entries < 100, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_asks_only_for_what_is_not_here() {
    let fake = Fake::new([]);
    let lookup = Cache::new(fake.clone(), MB);
    let all: Vec<_> = Fixture::small().records().map(|record| record.postcode).take(10).collect();
    let due = fake.reference.lookup(&all).await.unwrap();
    lookup.lookup(&all[2..5]).await.unwrap();
    assert_eq!(lookup.lookup(&all).await.unwrap(), due);
    assert_eq!(lookup.lookup(&all).await.unwrap(), due);
    assert_eq!(lookups(&fake), ["lookup of 3 postcodes", "lookup of 7 postcodes"]);
    // A duplicate of a kept postcode, and one of a postcode that is not kept.
    let mixed = [all[0], postcode("ZE1 0AA"), all[0], postcode("ZE1 0AA")];
    assert_eq!(lookup.lookup(&mixed).await.unwrap(), fake.reference.lookup(&mixed).await.unwrap());
    assert!(lookup.lookup(&[]).await.unwrap().is_empty());
    let before = fake.calls();
    assert_eq!(lookup.lookup(&all).await.unwrap(), due);
    assert_eq!(fake.calls(), before, "all are kept and known to be of one edition, so there is no call");
}

#[tokio::test(start_paused = true)]
async fn a_new_edition_is_noticed_at_info_and_on_a_miss_after_a_while() {
    let fake = Fake::new([]);
    let lookup = Cache::new(fake.clone(), MB);
    let rank = |answer: Answer| answer.record().and_then(|record: &Record| record.deprivation_rank);
    let ask = async || rank(lookup.get(postcode("M1 1AD")).await.unwrap());
    assert_eq!(ask().await, Some(4321));
    let next = Fixture::small().next_edition();
    fake.reference.publish(next.clone());
    assert_eq!(ask().await, Some(4321), "not noticed yet");
    lookup.info().await.unwrap();
    assert_eq!(ask().await, Some(4322));
    fake.reference.publish(next.next_edition());
    advance(61 * SECOND).await;
    assert_eq!(ask().await, Some(4322), "a hit");
    lookup.get(postcode("M1 1AE")).await.unwrap();
    assert_eq!(ask().await, Some(4323));
}

#[tokio::test(start_paused = true)]
async fn no_batch_mixes_editions() {
    for act in [Act::Answer, Act::Slow(MS), Act::Slow(50 * MS)] {
        let fake = Fake::always(act);
        let lookup = Cache::new(fake.clone(), MB);
        let publish = async |fixture: &Fixture| {
            sleep(20 * MS).await;
            fake.reference.publish(fixture.clone());
        };
        check_editions(&lookup, &Fixture::small(), publish).await.assert_complete();
        assert!(lookup.stats().hits > 50, "the cache was used: {:?}", lookup.stats());
    }
}

/// Checks that the test above can fail: a cache without the check of editions mixes them.
#[tokio::test(start_paused = true)]
async fn the_check_of_editions_sees_a_cache_that_mixes() {
    #[derive(Debug)]
    struct Mixing(Arc<Fake>, Mutex<std::collections::HashMap<Postcode, Answer>>);
    impl Around for Mixing {
        async fn around<C: Call>(&self, call: C) -> Result<C::Reply> {
            call.on(&self.0).await
        }
        async fn around_lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
            let mut answers = Vec::new();
            for postcode in postcodes {
                let kept = self.1.lock().unwrap().get(postcode).cloned();
                let answer = match kept {
                    Some(answer) => answer,
                    None => self.0.get(*postcode).await?,
                };
                // Every second postcode, so that some are fetched while others are kept.
                if postcode.unit().bytes().last().is_some_and(|letter| letter % 2 == 0) {
                    self.1.lock().unwrap().insert(*postcode, answer.clone());
                }
                answers.push(answer);
            }
            Ok(answers)
        }
    }
    layer!([] Mixing);
    let fake = Fake::always(Act::Slow(MS));
    let lookup = Mixing(fake.clone(), Mutex::default());
    let publish = async |fixture: &Fixture| {
        sleep(20 * MS).await;
        fake.reference.publish(fixture.clone());
    };
    assert!(!check_editions(&lookup, &Fixture::small(), publish).await.passed());
}

#[tokio::test(start_paused = true)]
async fn without_a_fingerprint_a_batch_is_whole_or_asked_anew() {
    let mut info = crate::DatasetInfo::new("untold");
    info.fingerprint = String::new();
    let fake = Fake::new([]);
    fake.reference.publish(Fixture::new(info, Fixture::small().records().cloned()));
    let lookup = Cache::new(fake.clone(), MB);
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(lookups(&fake).len(), 1);
    lookup.lookup(&["M1 1AD", "M1 1AE"].map(postcode)).await.unwrap();
    assert_eq!(lookups(&fake)[1], "lookup of 2 postcodes");
    advance(61 * SECOND).await;
    lookup.get(postcode("M1 2AB")).await.unwrap();
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(lookups(&fake).len(), 3, "a missing edition does not empty the cache");
}
