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

/// Walks to a step back from canary, with a new side that answers like this.
async fn stepped_back(new: Act, guard: Guard) -> (Walk, Certificate) {
    let new = Fake::always(new);
    let config = PromotionConfig { guard: Some(guard), ..PromotionConfig::default() };
    let promotion = Promotion::with(Fake::new([]), new, config);
    let mut canary = WalkStep::new(Stage::Canary, Some(0.5));
    canary.calls = 100_000;
    let steps = Walk::new(vec![canary]);
    let (ended, _) = walked(&promotion, &steps).await;
    assert_eq!(ended.outcome, Outcome::SteppedBack);
    let mut certificate = certificate(&steps, &ended);
    certificate.guard = guard;
    (steps, certificate)
}

/// Returns the path of every number in a JSON document.
fn numbers(json: &serde_json::Value, path: &str, found: &mut Vec<String>) {
    match json {
        serde_json::Value::Number(_) => found.push(path.to_owned()),
        serde_json::Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                numbers(item, &format!("{path}/{n}"), found);
            }
        }
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                numbers(field, &format!("{path}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// The numbers from which nothing else in a certificate follows. Only the seal and the signature hold them.
const ONLY_OBSERVED: &[&str] = &[
    // When the walk was, and for how long after the least time: only the order and `at_least` follow.
    "/walked/moves/*/at_ms",
    // What was used, and how long calls took.
    "/walked/before/calls",
    "/walked/before/seconds",
    "/walked/before/cpu_us_a_call",
    "/walked/before/memory_bytes",
    "/walked/before/old/*",
    "/walked/before/new/*",
    "/walked/after/calls",
    "/walked/after/seconds",
    "/walked/after/cpu_us_a_call",
    "/walked/after/memory_bytes",
    "/walked/after/old/*",
    "/walked/after/new/*",
    // Intervals that depend on the order of all calls, which is not recorded. The guard does not decide by them.
    "/walked/moves/*/evidence/rise/*",
    "/walked/moves/*/evidence/slower_us/*",
    // Counts that no criterion of the step and no limit that was exceeded is about.
    "/walked/moves/*/evidence/*",
    // Limits that would still be exceeded, or not be, if they were a little larger.
    "/guard/*",
    "/guard/window/*",
    "/guard/slow/*",
    "/guard/max_slower/*",
    "/walk/*",
    // The demands of steps that were not left because they were shown.
    "/walk/step/*/*",
    // An operator may have set another share since the guard stepped back.
    "/walked/moves/*/share",
];

#[tokio::test(start_paused = true)]
async fn every_number_of_a_certificate_follows_or_is_known_to_be_only_observed() {
    let rise = Guard { max_errors: 1.0, ..Guard::default() };
    let latency = Guard { max_slow: 1.0, ..Guard::default() };
    let slow = Act::Slow(400 * MS);
    let very_slow = Act::Slow(600 * MS);
    for (new, guard, limit) in [
        (DOWN, Guard::default(), crate::layers::Limit::Errors),
        (DOWN, rise, crate::layers::Limit::Rise),
        (very_slow, Guard::default(), crate::layers::Limit::Slow),
        (slow, latency, crate::layers::Limit::Latency),
    ] {
        let (_, certificate) = stepped_back(new, guard).await;
        certificate.check().unwrap();
        let grounds = certificate.walked.moves.last().unwrap().grounds.clone().unwrap();
        assert_eq!(grounds.limit, limit);
        let json = serde_json::to_value(&certificate).unwrap();
        let mut paths = Vec::new();
        numbers(&json, "", &mut paths);
        let mut follow = 0;
        for path in paths {
            let mut changed = json.clone();
            let number = changed.pointer_mut(&path).unwrap();
            *number = match number.as_u64() {
                Some(whole) => (whole + 1).into(),
                None => (number.as_f64().unwrap() * 1.001 + 1e-6).into(),
            };
            // Sealed again, as who wants to deceive would.
            let sealed = serde_json::from_value::<Certificate>(changed).ok().and_then(|it| it.to_text().ok());
            let read = sealed.and_then(|text| Certificate::from_text(&text).ok());
            let is_refused = read.is_none_or(|it| it.check().is_err());
            let is_observed = ONLY_OBSERVED.iter().any(|pattern| {
                let (pattern, path): (Vec<_>, Vec<_>) =
                    (pattern.split('/').collect(), path.split('/').collect());
                pattern.len() == path.len()
                    && pattern.iter().zip(path).all(|(part, name)| *part == "*" || *part == name)
            });
            assert!(is_refused || is_observed, "{limit:?}: {path} may be changed");
            follow += u32::from(is_refused);
        }
        println!("{limit:?}: {follow} numbers follow");
        assert!(follow >= 10, "{limit:?}: {follow}");
    }
}

#[tokio::test(start_paused = true)]
async fn step_back_after_a_long_stage_is_derived_from_what_was_gathered_before() {
    let new = Fake::new([]);
    let promotion = Promotion::new(Fake::new([]), new.clone());
    let mut canary = WalkStep::new(Stage::Canary, Some(0.1));
    canary.calls = 100_000;
    let steps = Walk::new(vec![canary]);
    let broken = async {
        sleep(15 * SECOND).await;
        new.set(DOWN);
    };
    let ((ended, _), ()) = tokio::join!(walked(&promotion, &steps), broken);
    let last = ended.moves.last().unwrap();
    assert!(last.to == Stage::Shadow && last.evidence.asked > 1_200, "{last:?}");
    let grounds = last.grounds.as_ref().unwrap();
    assert!(grounds.earlier.is_some() && grounds.runs.len() <= 4, "{grounds:?}");
    let mut certificate = certificate(&steps, &ended);
    certificate.check().unwrap();
    certificate.walked.moves.last_mut().unwrap().grounds.as_mut().unwrap().earlier = None;
    assert!(certificate.check().is_err());
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
        made.evidence.failed >= 20
            && made.grounds.is_some()
            && made.reason.contains("calls to the new implementation failed"),
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
