//! Units of work and demands for an edition.

use std::collections::BTreeMap;

use super::*;
use crate::layers::{
    Batcher, BreakerConfig, Cache, Failover, Order, Promotion, PromotionConfig, SingleFlight, Stage, unit,
};
use crate::{Local, PostcodeLookup};

fn promotion() -> (Promotion, Arc<Fake>) {
    let (old, new) = (Fake::new([]), Fake::new([]));
    new.reference.publish(Fixture::small().next_edition());
    let config = PromotionConfig { guard: None, ..PromotionConfig::default() };
    (Promotion::with(old, new.clone(), config), new)
}

/// Returns the rank of a postcode, which tells the two editions apart: 4321 and then 4322.
async fn rank(lookup: &dyn Lookups) -> u16 {
    let answer = lookup.get(postcode("M1 1AD")).await.unwrap();
    answer.record().unwrap().deprivation_rank.unwrap()
}

#[tokio::test(start_paused = true)]
async fn unit_in_a_canary_is_answered_by_one_side_and_a_larger_share_moves_no_key_back() {
    let (promotion, _) = promotion();
    let editions =
        [Fixture::small(), Fixture::small().next_edition()].map(|it| it.info().fingerprint.clone());
    let mut moved = BTreeMap::new();
    for (share, due) in [(0.1, 20..80), (0.3, 100..200), (0.5, 200..300), (0.9, 420..480), (1.0, 500..501)] {
        promotion.set(Stage::Canary, Some(share)).unwrap();
        for key in 0..500 {
            let unit = async {
                let before = promotion.info().await.unwrap().fingerprint;
                let rank = rank(&promotion).await;
                sleep(MS).await;
                (before, rank, promotion.info().await.unwrap().fingerprint)
            };
            let (before, rank, after) = unit::scope(format!("key {key}"), unit).await;
            let is_new = rank == 4322;
            assert_eq!((&before, &after), (&editions[usize::from(is_new)], &before), "key {key} at {share}");
            assert!(is_new || !moved.contains_key(&key), "key {key} is back at {share}");
            if is_new {
                moved.insert(key, share);
            }
        }
        assert!(due.contains(&moved.len()), "{} of 500 at {share}", moved.len());
    }
}

#[tokio::test(start_paused = true)]
async fn info_outside_of_a_unit_describes_the_old_side_until_the_new_one_answers_all() {
    let (promotion, new) = promotion();
    for (stage, asked) in [
        (Stage::Local, 0),
        (Stage::Shadow, 0),
        (Stage::Canary, 0),
        (Stage::RemoteWithFallback, 10),
        (Stage::Remote, 10),
    ] {
        promotion.set(stage, Some(1.0)).unwrap();
        let before = new.calls();
        for _ in 0..10 {
            promotion.info().await.unwrap();
        }
        assert_eq!(new.calls() - before, asked, "{stage}");
    }
}

#[tokio::test(start_paused = true)]
async fn unit_whose_new_side_fails_is_answered_by_the_old_one_to_its_end() {
    for stage in [Stage::Canary, Stage::RemoteWithFallback] {
        let (promotion, new) = promotion();
        promotion.set(stage, Some(1.0)).unwrap();
        let ranks = unit::scope("key", async {
            let first = rank(&promotion).await;
            new.set(Act::Fail(ErrorKind::Unavailable));
            let failed = rank(&promotion).await;
            new.set(Act::Answer);
            [first, failed, rank(&promotion).await]
        });
        assert_eq!(ranks.await, [4322, 4321, 4321], "{stage}");
        assert_eq!(unit::scope("key", rank(&promotion)).await, 4322, "{stage}: the next unit");
        assert_eq!(promotion.snapshot().fallbacks, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn unit_keeps_the_plan_of_its_beginning() {
    let (promotion, new) = promotion();
    let stages = [Stage::Local, Stage::Canary, Stage::Remote, Stage::Shadow];
    for (from, to) in stages.into_iter().zip(stages.into_iter().cycle().skip(1)) {
        promotion.set(from, Some(1.0)).unwrap();
        let (first, second) = unit::scope("key", async {
            let first = rank(&promotion).await;
            promotion.set(to, Some(1.0)).unwrap();
            (first, rank(&promotion).await)
        })
        .await;
        assert_eq!(first, second, "{from} to {to}");
    }
    // A plan without a way back has one when it is left.
    promotion.set(Stage::Remote, None).unwrap();
    let ranks = unit::scope("key", async {
        let first = rank(&promotion).await;
        promotion.set(Stage::Local, None).unwrap();
        new.set(Act::Fail(ErrorKind::Unavailable));
        [first, rank(&promotion).await]
    });
    assert_eq!(ranks.await, [4322, 4321]);
}

#[tokio::test(start_paused = true)]
async fn answers_that_layers_keep_or_share_are_not_given_to_who_demands_another_edition() {
    let fixture = Fixture::small();
    let old = fixture.info().fingerprint.clone();
    let one = postcode("M1 1AD");
    for layer in ["cache", "single flight", "batcher"] {
        let reference = Arc::new(Reference::new(fixture.clone()));
        let inner = reference.clone();
        let lookup: Arc<dyn Lookups> = match layer {
            "cache" => Arc::new(Cache::new(inner, 1 << 20)),
            "single flight" => Arc::new(SingleFlight::new(inner)),
            _ => Arc::new(Batcher::new(inner)),
        };
        assert_eq!(rank(&lookup).await, 4321);
        assert!(unit::at_edition(&old, lookup.get(one)).await.is_ok(), "{layer}");
        reference.publish(fixture.next_edition());
        let error = unit::at_edition(&old, lookup.get(one)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EditionMoved, "{layer}");
        assert!(!error.is_transient());
        let new = fixture.next_edition().info().fingerprint.clone();
        assert_eq!(unit::at_edition(&new, rank(&lookup)).await, 4322, "{layer}");
    }
}

#[tokio::test(start_paused = true)]
async fn failover_asks_the_endpoint_that_has_the_demanded_edition_and_blames_none() {
    let fixture = Fixture::small();
    let endpoints = [fixture.clone(), fixture.next_edition()].map(Reference::new);
    let failover = Failover::new(endpoints, Order::AsGiven, BreakerConfig::default()).unwrap();
    for _ in 0..20 {
        let new = fixture.next_edition();
        assert_eq!(unit::at_edition(&new.info().fingerprint, rank(&failover)).await, 4322);
        let error = unit::at_edition("gone", failover.get(postcode("M1 1AD"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EditionMoved);
    }
    assert_eq!(failover.healthy(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn demand_for_an_edition_in_a_promotion_is_no_failure_and_no_difference() {
    let (promotion, _) = promotion();
    promotion.set(Stage::Canary, Some(1.0)).unwrap();
    let old = Fixture::small().info().fingerprint.clone();
    for _ in 0..10 {
        let error = unit::at_edition(&old, promotion.get(postcode("M1 1AD"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EditionMoved);
    }
    sleep(SECOND).await;
    let seen = promotion.snapshot();
    assert_eq!((seen.errors, seen.fallbacks, seen.failed, seen.compared), (0, 0, 0, 0));
}

#[tokio::test]
async fn dataset_that_is_replaced_refuses_who_demands_the_previous_edition() {
    let fixture = Fixture::small();
    let local = Local::new(fixture.dataset().unwrap());
    let old = local.info().await.unwrap().fingerprint;
    unit::at_edition(&old, async {
        assert!(local.lookup(&[postcode("M1 1AD")]).await.is_ok());
        local.replace(fixture.next_edition().dataset().unwrap());
        let error = local.lookup(&[postcode("M1 1AD")]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EditionMoved);
        assert_ne!(local.info().await.unwrap().fingerprint, old, "info says what there is");
    })
    .await;
    assert!(local.lookup(&[postcode("M1 1AD")]).await.is_ok());
}
