//! A promotion that walks by itself.

use super::*;
use crate::layers::walk::{Cause, Certificate, CertifiedSide, Outcome, Used, Walk, WalkStep, Walked, walk};
use crate::layers::{Guard, Promotion, PromotionConfig, Stage};

const DOWN: Act = Act::Fail(ErrorKind::Unavailable);

/// Local for two seconds, then each stage until its limits are shown to be kept.
fn steps() -> Walk {
    let mut local = WalkStep::new(Stage::Local, None);
    local.at_least = 2 * SECOND;
    let mut shadow = WalkStep::new(Stage::Shadow, Some(0.5));
    (shadow.compared, shadow.differences) = (500, Some(0.01));
    let mut canary = WalkStep::new(Stage::Canary, Some(0.2));
    (canary.errors, canary.slow, canary.at_most) = (Some(0.01), Some(0.05), Some(600 * SECOND));
    let mut all = WalkStep::new(Stage::RemoteWithFallback, None);
    all.calls = 1_000;
    Walk::new(vec![local, shadow, canary, all])
}

/// Walks with a caller that asks every millisecond.
async fn walked(promotion: &Promotion, steps: &Walk) -> (Walked, Vec<Cause>) {
    let caller = promotion.clone();
    let caller = tokio::spawn(async move {
        loop {
            let _ = ask(&caller).await;
            sleep(MS).await;
        }
    });
    let mut told = Vec::new();
    let used = || Used { cpu_seconds: Some(1.0), memory_bytes: Some(2.0) };
    let walked = walk(promotion, steps, used, |made| told.push(made.cause)).await.unwrap();
    caller.abort();
    (walked, told)
}

fn certificate(steps: &Walk, walked: &Walked) -> Certificate {
    let side = |source: &str| CertifiedSide {
        source: source.into(),
        edition: "2025-11".into(),
        fingerprint: "f".into(),
        root: Some(crate::wire::Digest([7; 32])),
    };
    let sides = [side("embedded:"), side("http://127.0.0.1:8080")];
    Certificate::new("test 1".into(), sides, Guard::default(), steps.clone(), walked.clone())
}

#[tokio::test(start_paused = true)]
async fn equal_sides_are_walked_to_the_end_and_the_certificate_is_derived_again() {
    let promotion = Promotion::new(Fake::new([]), Fake::new([]));
    let (walked, told) = walked(&promotion, &steps()).await;
    assert_eq!((walked.outcome, promotion.stage()), (Outcome::Done, Stage::RemoteWithFallback));
    assert_eq!(told, [Cause::Began, Cause::Shown, Cause::Shown, Cause::Shown, Cause::Shown]);
    let stages: Vec<Stage> = walked.moves.iter().map(|made| made.to).collect();
    use Stage::{Canary, Local, RemoteWithFallback, Shadow};
    assert_eq!(stages, [Local, Shadow, Canary, RemoteWithFallback, RemoteWithFallback]);
    // The canary was left when its calls had shown both limits, and the one of 1 % is the harder one.
    let left = &walked.moves[3];
    assert!((600..900).contains(&left.evidence.asked), "{left:?}");
    assert!(left.criteria.iter().all(|criterion| criterion.evidence.is_some_and(|found| found >= 100.0)));
    assert_eq!((walked.before.stage, walked.after.stage), (Local, RemoteWithFallback));
    assert!(walked.before.calls > 1_000 && walked.before.cpu_us_a_call == Some(0.0));

    let certificate = certificate(&steps(), &walked);
    certificate.check().unwrap();
    let text = certificate.to_text().unwrap();
    assert_eq!(Certificate::from_text(&text).unwrap(), certificate);
    // Every digit counts.
    let mut changed = text.clone().into_bytes();
    for at in 0..changed.len() {
        let byte = changed[at];
        if byte.is_ascii_digit() {
            changed[at] = if byte == b'9' { b'8' } else { byte + 1 };
            let text = std::str::from_utf8(&changed).unwrap();
            assert!(Certificate::from_text(text).is_err(), "{}", &text[at.saturating_sub(40)..=at]);
            changed[at] = byte;
        }
    }
    assert!(Certificate::from_text(&text.replace("  ", " ")).is_err());
}

#[tokio::test(start_paused = true)]
async fn certificate_that_is_sealed_again_after_a_change_does_not_follow() {
    let promotion = Promotion::new(Fake::new([]), Fake::new([]));
    let (walked, _) = walked(&promotion, &steps()).await;
    let certificate = certificate(&steps(), &walked);
    let refused = |change: fn(&mut Certificate), says: &str| {
        let mut changed = certificate.clone();
        change(&mut changed);
        let error =
            Certificate::from_text(&changed.to_text().unwrap()).unwrap().check().unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    };
    refused(|it| it.walked.moves[3].evidence.failed += 1, "criteria do not follow");
    refused(|it| it.walk.steps[2].errors = Some(0.001), "criteria do not follow");
    refused(|it| it.walk.chance = 1e-9, "criteria do not follow");
    refused(|it| it.walked.moves[2].to = Stage::Remote, "the decision does not follow");
    refused(|it| it.walked.moves[3].share = 0.9, "the share is not that of the step");
    refused(|it| it.walked.moves[1].share = 0.9, "the share is not that of the step");
    refused(|it| it.walked.moves[4].revision = 9, "revisions");
    refused(|it| it.walked.moves[1].at_ms += 3_600_000, "");
    refused(|it| drop(it.walked.moves.pop()), "the outcome");
    refused(|it| it.walked.outcome = Outcome::SteppedBack, "the outcome");
    refused(|it| it.walked.differences.mismatched = 5, "do not add up");
    refused(|it| it.walked.moves[3].evidence.old_failed = 1 << 40, "larger than the whole");
}

#[tokio::test(start_paused = true)]
async fn step_back_by_the_guard_ends_the_walk_or_begins_it_again() {
    let new = Fake::always(DOWN);
    let promotion = Promotion::new(Fake::new([]), new.clone());
    let (ended, told) = walked(&promotion, &steps()).await;
    assert_eq!((ended.outcome, promotion.stage()), (Outcome::SteppedBack, Stage::Local));
    assert_eq!(told, [Cause::Began, Cause::Shown, Cause::Guard]);
    let made = &ended.moves[2];
    assert!(
        made.evidence.failed >= 20 && made.reason.contains("calls to the new implementation failed"),
        "{made:?}"
    );
    certificate(&steps(), &ended).check().unwrap();

    let mut again = steps();
    again.retries = 1;
    let mended = async {
        sleep(10 * SECOND).await;
        new.set(Act::Answer);
    };
    let ((ended, told), ()) = tokio::join!(walked(&promotion, &again), mended);
    assert_eq!(ended.outcome, Outcome::Done);
    assert_eq!(told[2..4], [Cause::Guard, Cause::Began]);
    certificate(&again, &ended).check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn step_that_is_not_shown_in_its_time_goes_back_or_stays() {
    let different = Fake::new([]);
    different.reference.publish(wrong());
    for (otherwise, stage) in [
        (crate::layers::walk::Otherwise::Hold, Stage::Shadow),
        (crate::layers::walk::Otherwise::Back, Stage::Local),
    ] {
        // The guard allows what the walk does not.
        let guard = Some(Guard { max_mismatches: 1.0, ..Guard::default() });
        let config = PromotionConfig { guard, ..PromotionConfig::default() };
        let promotion = Promotion::with(Fake::new([]), different.clone(), config);
        let mut steps = steps();
        (steps.steps[1].at_most, steps.steps[1].otherwise) = (Some(30 * SECOND), otherwise);
        let (ended, _) = walked(&promotion, &steps).await;
        assert_eq!((ended.outcome, promotion.stage()), (Outcome::NotShown, stage));
        assert!(ended.differences.mismatched > 500 && !ended.differences.examples.is_empty());
        certificate(&steps, &ended).check().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn change_by_someone_else_ends_the_walk_and_stays() {
    let promotion = Promotion::new(Fake::new([]), Fake::new([]));
    let operator = async {
        sleep(3 * SECOND).await;
        promotion.set(Stage::Remote, None).unwrap();
    };
    let steps = steps();
    let ((ended, _), ()) = tokio::join!(walked(&promotion, &steps), operator);
    assert_eq!((ended.outcome, promotion.stage()), (Outcome::TakenOver, Stage::Remote));
    certificate(&steps, &ended).check().unwrap();
    let config = PromotionConfig { guard: None, ..PromotionConfig::default() };
    let unguarded = Promotion::with(Fake::new([]), Fake::new([]), config);
    let refused = walk(&unguarded, &steps, Used::default, |_| ()).await.unwrap_err();
    assert_eq!((refused.kind(), unguarded.stage()), (ErrorKind::InvalidInput, Stage::Local));
}
