//! Promotion.

use futures::future::join_all;
use tokio::time::timeout;

use super::*;
use crate::Nearest;
use crate::layers::{Guard, Promotion, PromotionConfig, Stage};

const DOWN: Act = Act::Fail(ErrorKind::Unavailable);

fn unguarded() -> PromotionConfig {
    PromotionConfig { guard: None, ..PromotionConfig::default() }
}

fn sides() -> (Arc<Fake>, Arc<Fake>) {
    (Fake::new([]), Fake::new([]))
}

/// Returns the same edition, with every record different.
fn different() -> Arc<Fake> {
    let fake = Fake::new([]);
    fake.reference.publish(wrong());
    fake
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn each_stage_asks_whom_it_says() {
    let (old, new) = sides();
    let promotion = Promotion::with(old.clone(), new.clone(), unguarded());
    assert_eq!(promotion.stage(), Stage::Local);
    // For each stage and share: how many of 1,000 calls the old and the new implementation get.
    for (stage, share, due) in [
        (Stage::Local, 1.0, (1_000, 0)),
        (Stage::Shadow, 1.0, (1_000, 1_000)),
        (Stage::Shadow, 0.0, (1_000, 0)),
        (Stage::Canary, 0.0, (1_000, 0)),
        (Stage::RemoteWithFallback, 0.0, (0, 1_000)),
        (Stage::Remote, 0.0, (0, 1_000)),
        (Stage::Local, 0.5, (1_000, 0)),
    ] {
        promotion.set(stage, Some(share)).unwrap();
        let before = (old.calls(), new.calls());
        for _ in 0..1_000 {
            assert_eq!(ask(&promotion).await, Ok(()));
            tokio::task::yield_now().await;
        }
        sleep(SECOND).await;
        assert_eq!((old.calls() - before.0, new.calls() - before.1), due, "{stage} {share}");
    }
    promotion.set(Stage::Canary, Some(0.25)).unwrap();
    let before = new.calls();
    for _ in 0..1_000 {
        assert_eq!(ask(&promotion).await, Ok(()));
    }
    assert!((200..300).contains(&(new.calls() - before)), "{}", new.calls() - before);
    let seen = promotion.snapshot();
    assert_eq!((seen.calls, seen.failed, seen.errors, seen.mismatched), (8_000, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_shadow_compares_and_keeps_examples() {
    let (old, new) = (Fake::new([]), different());
    let promotion = Promotion::with(old.clone(), new.clone(), unguarded());
    promotion.set(Stage::Shadow, Some(1.0)).unwrap();
    promotion.lookup(&["ZE1 0AA", "M1 1AD", "M1 1AE"].map(postcode)).await.unwrap();
    promotion.autocomplete("M1", 5).await.unwrap();
    promotion.outcode("M1".parse().unwrap()).await.unwrap();
    assert!(promotion.autocomplete("M1", 0).await.is_err());
    sleep(SECOND).await;
    let seen = promotion.snapshot();
    assert_eq!((seen.compared, seen.matched, seen.mismatched), (4, 3, 1), "errors of one kind are equal");
    let example = &seen.examples[0];
    assert_eq!(example.query, "lookup of M1 1AD");
    assert!(example.old.contains("4321") && example.new.contains("4322"), "{example:?}");
    assert_eq!(promotion.get(postcode("M1 1AD")).await.unwrap(), old.get(postcode("M1 1AD")).await.unwrap());
    // Calls on which two implementations need not agree are not compared.
    let calls = new.calls();
    promotion.random(None).await.unwrap();
    promotion.info().await.unwrap();
    sleep(SECOND).await;
    assert_eq!(new.calls(), calls + 1, "only the `get` before");
    for (step, kept, why) in [(0, 2, "one of each question"), (1, 16, "no more than the limit")] {
        for n in 0..20 {
            let limit = 10 + n * step;
            promotion.nearest(&Nearest::to(postcode("M1 1AD")).limit(limit)).await.unwrap();
            sleep(MS).await;
        }
        assert_eq!(promotion.snapshot().examples.len(), kept, "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shadow_never_delays_or_fails_the_caller() {
    for act in [Act::Hang, Act::Slow(10 * SECOND), DOWN, Act::Fail(ErrorKind::Internal)] {
        let (old, new) = (Fake::new([]), Fake::always(act));
        let promotion = Promotion::with(old, new.clone(), unguarded());
        promotion.set(Stage::Shadow, Some(1.0)).unwrap();
        let (start, before) = (Instant::now(), tasks());
        for _ in 0..1_000 {
            assert_eq!(ask(&promotion).await, Ok(()));
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(new.most() <= 64, "bounded");
        let seen = promotion.snapshot();
        assert!(seen.skipped >= 800, "{seen:?}");
        sleep(2 * SECOND).await;
        assert_eq!((tasks(), new.under_way()), (before, 0), "nothing is left");
        let seen = promotion.snapshot();
        assert_eq!((seen.errors, seen.compared, seen.failed), (1_000 - seen.skipped, 0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_spawned_for_calls_that_are_not_compared() {
    let (old, new) = sides();
    let promotion = Promotion::with(old, new, unguarded());
    let before = tasks();
    for (stage, share) in
        [(Stage::Local, 1.0), (Stage::Shadow, 0.0), (Stage::Canary, 0.0), (Stage::Remote, 1.0)]
    {
        promotion.set(stage, Some(share)).unwrap();
        for _ in 0..50 {
            ask(&promotion).await.unwrap();
            assert_eq!(tasks(), before, "{stage}");
        }
    }
    promotion.set(Stage::Shadow, Some(1.0)).unwrap();
    ask(&promotion).await.unwrap();
    assert_eq!(tasks(), before + 1);
}

#[test]
fn outside_of_a_runtime_nothing_is_compared_and_nothing_breaks() {
    let promotion = Promotion::with(Fake::new([]), different(), unguarded());
    promotion.set(Stage::Shadow, Some(1.0)).unwrap();
    futures::executor::block_on(ask(&promotion)).unwrap();
    let seen = promotion.snapshot();
    assert_eq!((seen.calls, seen.compared, seen.skipped), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn where_the_old_one_can_answer_the_new_one_s_faults_are_not_the_caller_s() {
    for act in [DOWN, Act::Hang, Act::Fail(ErrorKind::NotSupported), Act::Fail(ErrorKind::Protocol)] {
        for stage in [Stage::Canary, Stage::RemoteWithFallback] {
            let (old, new) = (Fake::new([]), Fake::always(act.clone()));
            let promotion = Promotion::with(old, new, unguarded());
            promotion.set(stage, Some(1.0)).unwrap();
            let start = Instant::now();
            for _ in 0..10 {
                assert_eq!(ask(&promotion).await, Ok(()));
            }
            assert!(start.elapsed() <= 10 * SECOND, "no call waits longer than the patience");
            let seen = promotion.snapshot();
            assert_eq!((seen.errors, seen.fallbacks, seen.failed), (10, 10, 0));
        }
    }
    let (old, new) = (Fake::new([]), Fake::always(DOWN));
    let promotion = Promotion::with(old, new, unguarded());
    promotion.set(Stage::Remote, None).unwrap();
    assert_eq!(ask(&promotion).await, Err(ErrorKind::Unavailable));
    assert_eq!(promotion.snapshot().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_canary_is_compared_too() {
    let promotion = Promotion::with(Fake::new([]), different(), unguarded());
    promotion.set(Stage::Canary, Some(1.0)).unwrap();
    let answer = promotion.get(postcode("M1 1AD")).await.unwrap();
    assert_eq!(answer.record().unwrap().deprivation_rank, Some(4322), "the new one's answer");
    sleep(SECOND).await;
    let seen = promotion.snapshot();
    assert_eq!((seen.compared, seen.mismatched), (1, 1));
    assert!(seen.examples[0].old.contains("4321") && seen.examples[0].new.contains("4322"));
}

/// Calls a guarded promotion in a stage until it steps back. Returns how many calls that took, and
/// the reason.
async fn until_it_steps_back(new: Arc<Fake>, stage: Stage) -> (Promotion, usize, String) {
    let promotion = Promotion::new(Fake::new([]), new);
    promotion.set(stage, Some(1.0)).unwrap();
    for n in 1..500 {
        let _ = ask(&promotion).await;
        sleep(MS).await;
        if let Some(step) = promotion.snapshot().last_step_back {
            assert_eq!(step.from, stage);
            assert_eq!(step.to, promotion.stage());
            return (promotion, n, step.reason);
        }
    }
    panic!("{stage}: it has not stepped back: {:?}", promotion.snapshot());
}

#[tokio::test(start_paused = true)]
async fn the_guard_steps_back_to_where_the_old_one_answers_and_says_why() {
    for stage in [Stage::Canary, Stage::RemoteWithFallback, Stage::Remote] {
        let (promotion, calls, reason) = until_it_steps_back(Fake::always(DOWN), stage).await;
        assert_eq!((promotion.stage(), calls), (Stage::Shadow, 20));
        assert_eq!(reason, "20 of the last 20 calls to the new implementation failed (100.0 %, limit 5 %)");
        assert_eq!(ask(&promotion).await, Ok(()));
    }
    let (promotion, ..) = until_it_steps_back(Fake::always(DOWN), Stage::Shadow).await;
    assert_eq!(promotion.stage(), Stage::Local);
    let (_, calls, reason) = until_it_steps_back(different(), Stage::Shadow).await;
    assert_eq!(reason, "20 of the last 20 comparisons differed (100.0 %, limit 1 %)");
    assert_eq!(calls, 20);
    let (_, _, reason) = until_it_steps_back(Fake::always(Act::Slow(600 * MS)), Stage::Remote).await;
    assert!(reason.contains("took longer than 500ms"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_few_faults_do_not_move_the_guard_and_old_ones_are_forgotten() {
    let (old, new) = sides();
    let promotion = Promotion::new(old, new.clone());
    promotion.set(Stage::RemoteWithFallback, None).unwrap();
    for n in 0..2_000 {
        new.set(if n % 25 == 24 { DOWN } else { Act::Answer });
        assert_eq!(ask(&promotion).await, Ok(()));
    }
    for _ in 0..10 {
        new.set(DOWN);
        for _ in 0..19 {
            assert_eq!(ask(&promotion).await, Ok(()));
        }
        sleep(31 * SECOND).await;
    }
    // 19 faults after 2,000 calls, then 19 alone, each time in a new window.
    assert_eq!(promotion.snapshot().step_backs, 0);
    assert_eq!(promotion.stage(), Stage::RemoteWithFallback);
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_in_one_stage_does_not_step_back_from_another() {
    let new = Fake::always(Act::Slow(700 * MS));
    let guard = Some(Guard { min_calls: 1, max_slow: 0.0, ..Guard::default() });
    let config = PromotionConfig { guard, ..PromotionConfig::default() };
    let promotion = Promotion::with(Fake::new([]), new.clone(), config);
    promotion.set(Stage::Shadow, Some(1.0)).unwrap();
    assert_eq!(ask(&promotion).await, Ok(()));
    tokio::task::yield_now().await;
    promotion.set(Stage::Canary, Some(0.0)).unwrap();
    sleep(SECOND).await;
    assert_eq!((promotion.stage(), promotion.snapshot().step_backs), (Stage::Canary, 0));
}

#[tokio::test(start_paused = true)]
async fn no_call_is_dropped_or_failed_by_a_change_of_stage() {
    let old = Fake::always(Act::Slow(3 * MS));
    let new = Fake::always(Act::Slow(7 * MS));
    let promotion = Promotion::with(old, new.clone(), unguarded());
    let steps = async {
        for n in 0..200_usize {
            let stage = Stage::ALL[n * 3 % 5];
            promotion.set(stage, Some((n % 11) as f64 / 10.0)).unwrap();
            // In `remote` only a working service answers.
            new.set(if stage == Stage::Remote || n % 2 == 0 { Act::Slow(7 * MS) } else { DOWN });
            if stage == Stage::Remote {
                sleep(MS).await;
            }
            sleep(2 * MS).await;
        }
    };
    let callers = join_all((0..20).map(|n| {
        let promotion = promotion.clone();
        async move {
            sleep(n * MS / 5).await;
            for _ in 0..100 {
                assert_eq!(ask(&promotion).await, Ok(()));
            }
        }
    }));
    futures::join!(steps, callers);
    let seen = promotion.snapshot();
    assert_eq!((seen.calls, seen.failed, seen.mismatched), (2_000, 0, 0));
    assert!(seen.fallbacks > 0 && seen.compared > 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_in_remote_while_that_is_left_is_answered_by_the_old_one() {
    let new = Fake::always(Act::Hang);
    let promotion =
        Promotion::with(Fake::new([]), Arc::new(crate::layers::Timeout::new(new, SECOND)), unguarded());
    promotion.set(Stage::Remote, None).unwrap();
    let call = ask(&promotion);
    let change = async {
        sleep(500 * MS).await;
        promotion.set(Stage::Local, None).unwrap();
    };
    let (answer, ()) = futures::join!(call, change);
    assert_eq!(answer, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn dropped_calls_are_no_errors() {
    let new = Fake::always(Act::Hang);
    let promotion = Promotion::new(Fake::new([]), new.clone());
    promotion.set(Stage::Remote, None).unwrap();
    for _ in 0..100 {
        assert!(timeout(MS, ask(&promotion)).await.is_err());
    }
    let seen = promotion.snapshot();
    assert_eq!((seen.errors, seen.step_backs, new.under_way()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_has_the_names_of_the_admin_page() {
    let (old, new) = (Fake::always(Act::Slow(MS)), Fake::always(Act::Slow(4 * MS)));
    let promotion = Promotion::new(old, new);
    promotion.set(Stage::Shadow, Some(0.5)).unwrap();
    for _ in 0..100 {
        ask(&promotion).await.unwrap();
    }
    sleep(SECOND).await;
    let seen = promotion.snapshot();
    let json = serde_json::to_value(&seen).unwrap();
    assert_eq!(
        (&json["stage"], &json["share"], &json["calls"]),
        (&"shadow".into(), &0.5.into(), &100.into())
    );
    for name in ["compared", "matched", "mismatched", "errors", "fallbacks"] {
        assert!(json[name].is_u64(), "{name}");
    }
    assert!(json["examples"].is_array() && json["last_step_back"].is_null());
    let p50 = |side: &str| json["latency"][side]["p50_us"].as_f64().unwrap();
    assert!((900.0..1_200.0).contains(&p50("old")) && (3_700.0..4_400.0).contains(&p50("new")), "{json}");
    assert_eq!(serde_json::from_value::<crate::layers::Snapshot>(json).unwrap(), seen);
    for share in [-0.1, 1.5, f64::NAN] {
        let error = promotion.set(Stage::Remote, Some(share)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(promotion.stage(), Stage::Shadow);
}
