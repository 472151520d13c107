//! Plans with rows for methods and cohorts.

use super::*;
use crate::conformance::check;
use crate::layers::{Promotion, PromotionConfig, PromotionPlan, RowName, Snapshot, Stage, Step, unit};
use crate::{Nearest, PlaceLookup};

fn plan(text: &str) -> PromotionPlan {
    text.parse().unwrap()
}

fn row(text: &str) -> RowName {
    text.parse().unwrap()
}

/// Returns a promotion between equal sides, without a guard.
fn promotion(text: &str) -> (Promotion, Arc<Fake>, Arc<Fake>) {
    let (old, new) = (Fake::new([]), Fake::new([]));
    let config = PromotionConfig { guard: None, ..PromotionConfig::default() };
    let promotion = Promotion::with(old.clone(), new.clone(), config);
    promotion.apply(&plan(text)).unwrap();
    (promotion, old, new)
}

fn of<'a>(seen: &'a Snapshot, name: &str) -> &'a crate::layers::RowSnapshot {
    seen.rows.iter().find(|it| it.row == row(name)).unwrap()
}

/// Returns the rank by `nearest`, 4321 in the first edition and 4322 in the next.
async fn nearest_rank(lookup: &dyn Lookups) -> u16 {
    let found = lookup.nearest(&Nearest::to(postcode("M1 1AD")).limit(1)).await.unwrap().unwrap();
    found[0].record.deprivation_rank.unwrap()
}

async fn rank(lookup: &dyn Lookups) -> u16 {
    let answer = lookup.get(postcode("M1 1AD")).await.unwrap();
    answer.record().unwrap().deprivation_rank.unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_method_is_moved_and_the_others_stay() {
    let (promotion, old, new) = promotion("local,nearest=remote-with-fallback");
    for _ in 0..10 {
        ask(&promotion).await.unwrap();
        nearest_rank(&promotion).await;
        promotion.places("x", 1).await.unwrap();
    }
    assert!(new.seen().iter().all(|seen| seen.call.starts_with("nearest")), "{:?}", new.seen());
    assert_eq!((old.calls(), new.calls()), (20, 10));
    promotion.set_row(&row("nearest"), Step::new(Stage::Local, None).unwrap()).unwrap();
    promotion.set(Stage::Remote, None).unwrap();
    nearest_rank(&promotion).await;
    ask(&promotion).await.unwrap();
    assert_eq!((old.calls(), new.calls()), (21, 11));
    assert!(promotion.remove_row(&row("nearest")));
    nearest_rank(&promotion).await;
    assert_eq!((old.calls(), new.calls()), (21, 12));
    let seen = promotion.snapshot();
    assert_eq!((seen.calls, of(&seen, "nearest").calls, of(&seen, "nearest").active), (33, 11, false));
    assert_eq!((seen.plan.as_str(), seen.stage), ("remote:0.1", Stage::Remote));
}

#[tokio::test(start_paused = true)]
async fn cohort_goes_by_its_row_with_all_its_methods() {
    let (promotion, old, new) = promotion("local,nearest=local,cohort:import=remote");
    unit::cohort("import", async {
        ask(&promotion).await.unwrap();
        nearest_rank(&promotion).await;
        promotion.info().await.unwrap();
        unit::cohort("other", ask(&promotion)).await.unwrap();
    })
    .await;
    ask(&promotion).await.unwrap();
    assert_eq!((old.calls(), new.calls()), (2, 3));
    // A unit keeps the cohort of its first call.
    unit::scope("key", async {
        unit::cohort("import", ask(&promotion)).await.unwrap();
        ask(&promotion).await.unwrap();
        nearest_rank(&promotion).await;
    })
    .await;
    assert_eq!((old.calls(), new.calls()), (2, 6));
    assert_eq!(of(&promotion.snapshot(), "cohort:import").calls, 6);
}

#[tokio::test(start_paused = true)]
async fn guard_steps_back_the_row_only() {
    let (old, new) = (Fake::new([]), Fake::always(Act::Fail(ErrorKind::Unavailable)));
    let promotion = Promotion::new(old, new);
    promotion.apply(&plan("remote-with-fallback,nearest=canary:100%,lookup=canary:100%")).unwrap();
    for _ in 0..20 {
        nearest_rank(&promotion).await;
    }
    for _ in 0..19 {
        promotion.lookup(&[postcode("M1 1AD")]).await.unwrap();
        promotion.places("x", 1).await.unwrap();
    }
    assert_eq!(promotion.plan(), plan("remote-with-fallback:0.1,lookup=canary:1,nearest=shadow:1"));
    let seen = promotion.snapshot();
    assert_eq!((seen.step_backs, of(&seen, "nearest").step_backs, seen.fallbacks), (1, 1, 58));
    let step = seen.last_step_back.unwrap();
    assert_eq!((step.row, step.from, step.to), (row("nearest"), Stage::Canary, Stage::Shadow));
    // A row that was removed and added again begins with an empty window.
    promotion.remove_row(&row("lookup"));
    promotion.set_row(&row("lookup"), Step::new(Stage::Canary, Some(1.0)).unwrap()).unwrap();
    for _ in 0..19 {
        promotion.lookup(&[postcode("M1 1AD")]).await.unwrap();
    }
    assert_eq!(promotion.snapshot().step_backs, 1);
    promotion.lookup(&[postcode("M1 1AD")]).await.unwrap();
    assert_eq!(promotion.snapshot().step_backs, 2);
}

#[tokio::test(start_paused = true)]
async fn latencies_are_of_the_row() {
    let (promotion, old, new) = promotion("shadow:100%,nearest=remote");
    old.set(Act::Slow(MS));
    new.set(Act::Slow(9 * MS));
    for _ in 0..20 {
        ask(&promotion).await.unwrap();
        nearest_rank(&promotion).await;
    }
    sleep(SECOND).await;
    let seen = promotion.snapshot();
    let counts = |name| (of(&seen, name).latency.old.count, of(&seen, name).latency.new.count);
    assert_eq!((counts("default"), counts("nearest")), ((20, 20), (0, 20)));
    assert_eq!((seen.latency.old.count, seen.latency.new.count), (20, 40));
}

#[tokio::test(start_paused = true)]
async fn unit_is_answered_by_two_sides_only_while_both_have_its_edition() {
    for text in ["local,nearest=remote", "remote-with-fallback,nearest=local", "canary:100%,nearest=shadow"] {
        let (promotion, old, new) = promotion(text);
        let unit = async || {
            unit::scope("key", async {
                let before = promotion.info().await.unwrap().fingerprint;
                let ranks = [rank(&promotion).await, nearest_rank(&promotion).await, rank(&promotion).await];
                assert_eq!(before, promotion.info().await.unwrap().fingerprint);
                ranks
            })
            .await
        };
        let asked_nearest =
            |side: &Fake| side.seen().iter().filter(|seen| seen.call.starts_with("nearest")).count();
        assert_eq!(unit().await, [4321; 3], "{text}");
        let (apart, main) = if text.starts_with("local") { (&new, &old) } else { (&old, &new) };
        assert_eq!((asked_nearest(apart), asked_nearest(main)), (1, 0), "{text}");
        assert_eq!(promotion.snapshot().held, 0);
        // One side has the next edition: the unit stays whole.
        apart.reference.publish(Fixture::small().next_edition());
        assert_eq!(unit().await, [4321; 3], "{text}");
        assert_eq!(asked_nearest(main), 1, "{text}");
        main.reference.publish(Fixture::small().next_edition());
        assert_eq!(unit().await, [4322; 3], "{text}");
        assert_eq!((asked_nearest(main), promotion.snapshot().held), (1, 1), "{text}");
        assert_eq!(of(&promotion.snapshot(), "nearest").held, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn unit_keeps_the_rows_of_its_beginning() {
    let (promotion, _, new) = promotion("local");
    unit::scope("key", async {
        rank(&promotion).await;
        promotion.apply(&plan("remote,nearest=remote")).unwrap();
        nearest_rank(&promotion).await;
        rank(&promotion).await;
    })
    .await;
    assert_eq!(new.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn fallback_in_a_row_keeps_the_rest_of_its_part_on_the_old_side() {
    let (promotion, old, new) = promotion("local,nearest=remote-with-fallback");
    unit::scope("key", async {
        new.set(Act::Fail(ErrorKind::Unavailable));
        nearest_rank(&promotion).await;
        new.set(Act::Answer);
        nearest_rank(&promotion).await;
        rank(&promotion).await;
    })
    .await;
    assert_eq!((new.calls(), promotion.snapshot().fallbacks), (1, 1));
    assert_eq!(old.calls(), 4, "three answers and the edition of the unit");
}

#[test]
fn snapshot_without_rows_is_read_too() {
    let (promotion, ..) = promotion("shadow,nearest=canary");
    let seen = promotion.snapshot();
    let mut json = serde_json::to_value(&seen).unwrap();
    assert_eq!(serde_json::from_value::<Snapshot>(json.clone()).unwrap(), seen);
    assert_eq!(json["rows"][1]["row"], "nearest");
    let object = json.as_object_mut().unwrap();
    for new in ["plan", "held", "rows", "causes", "differences", "refused"] {
        assert!(object.remove(new).is_some(), "{new}");
    }
    let old: Snapshot = serde_json::from_value(json).unwrap();
    assert_eq!((old.stage, old.rows.len()), (Stage::Shadow, 0));
}

/// Returns a plan of random rows, stages and shares.
fn random_plan(random: &mut fastrand::Rng) -> PromotionPlan {
    const NAMES: [&str; 9] = [
        "lookup",
        "lookup_one",
        "nearest",
        "within",
        "places",
        "outcode",
        "scottish_postcode",
        "cohort:a",
        "cohort:b",
    ];
    let step = |random: &mut fastrand::Rng| {
        Step::new(Stage::ALL[random.usize(..5)], Some(f64::from(random.u8(..=10)) / 10.0)).unwrap()
    };
    let mut made = PromotionPlan::new(step(random));
    for name in NAMES {
        if random.bool() {
            made = made.with(row(name), step(random));
        }
    }
    made
}

#[tokio::test(start_paused = true)]
async fn random_plans_keep_the_contract_outside_and_inside_of_units_and_cohorts() {
    let fixture = Fixture::small();
    let mut matched = 0;
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (promotion, old, new) = promotion("local");
        old.set(Act::Slow(MS));
        new.set(Act::Slow(MS));
        promotion.apply(&random_plan(&mut random)).unwrap();
        let scope = random.u8(..4);
        // Plans change while the suite runs, every few milliseconds of the paused clock.
        let steps = async {
            loop {
                sleep(random.u32(1..50) * MS).await;
                promotion.apply(&random_plan(&mut random)).unwrap();
            }
        };
        let suite = async {
            match scope {
                0 => check(&promotion, &fixture).await,
                1 => unit::scope("key", check(&promotion, &fixture)).await,
                2 => unit::cohort("a", check(&promotion, &fixture)).await,
                _ => unit::cohort("b", unit::scope("other", check(&promotion, &fixture))).await,
            }
        };
        let report = tokio::select! {
            report = suite => report,
            () = steps => unreachable!(),
        };
        assert!(report.passed() && report.not_supported().next().is_none(), "seed {seed}:\n{report}");
        let seen = promotion.snapshot();
        assert_eq!(seen.mismatched, 0, "seed {seed}");
        matched += seen.matched;
    }
    assert!(matched > 0);
}

#[tokio::test(start_paused = true)]
async fn units_in_random_plans_have_one_edition() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (promotion, _, new) = promotion("local");
        if random.bool() {
            new.reference.publish(Fixture::small().next_edition());
        }
        for key in 0..5 {
            promotion.apply(&random_plan(&mut random)).unwrap();
            let in_cohort = random.bool();
            let unit = async {
                let before = promotion.info().await.unwrap().fingerprint;
                let mut ranks = Vec::new();
                for _ in 0..6 {
                    ranks.push(match random.u8(..3) {
                        0 => rank(&promotion).await,
                        1 => nearest_rank(&promotion).await,
                        _ => {
                            let answers = promotion.lookup(&[postcode("M1 1AD")]).await.unwrap();
                            answers[0].record().unwrap().deprivation_rank.unwrap()
                        }
                    });
                    if random.u8(..4) == 0 {
                        promotion.apply(&random_plan(&mut random)).unwrap();
                    }
                }
                ranks.dedup();
                assert_eq!(ranks.len(), 1, "seed {seed}, key {key}");
                let edition =
                    if ranks[0] == 4321 { Fixture::small() } else { Fixture::small().next_edition() };
                assert_eq!(before, edition.info().fingerprint, "seed {seed}, key {key}");
                assert_eq!(promotion.info().await.unwrap().fingerprint, before);
            };
            let unit = unit::scope(format!("{key}"), unit);
            if in_cohort { unit::cohort("a", unit).await } else { unit.await }
        }
    }
}
