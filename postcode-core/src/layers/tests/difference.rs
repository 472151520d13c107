//! The causes of differences between the two sides of a promotion.

use super::*;
use crate::layers::{Cache, Causes, Guard, Promotion, PromotionConfig, PromotionPlan, Snapshot, Stage};

/// Returns a promotion in `shadow` that compares every call.
fn shadow(old: Arc<dyn Lookups>, new: Arc<dyn Lookups>) -> Promotion {
    let config = PromotionConfig { guard: None, ..PromotionConfig::default() };
    let promotion = Promotion::with(old, new, config);
    promotion.set(Stage::Shadow, Some(1.0)).unwrap();
    promotion
}

fn with(fixture: Fixture) -> Arc<Fake> {
    let fake = Fake::new([]);
    fake.reference.publish(fixture);
    fake
}

/// Asks once and waits until the answers have been compared.
async fn compared(promotion: &Promotion) -> Snapshot {
    ask(promotion).await.unwrap();
    sleep(2 * SECOND).await;
    promotion.snapshot()
}

fn causes(seen: &Snapshot) -> (u64, u64, u64) {
    let Causes { edition, noise, code, .. } = seen.causes;
    assert_eq!(edition + noise + code, seen.mismatched);
    (edition, noise, code)
}

/// Answers from one fixture and from the other in turn, under one edition.
#[derive(Debug)]
struct Fickle {
    sides: [Arc<Fake>; 2],
    calls: AtomicUsize,
}

impl Around for Fickle {
    type Inner = Arc<Fake>;

    async fn around<C: Call<Arc<Fake>>>(&self, call: C) -> Result<C::Reply> {
        let turn = if C::NAME == "info" { 0 } else { self.calls.fetch_add(1, SeqCst) % 2 };
        call.on(&self.sides[turn]).await
    }
}

layer!([] Fickle);

#[tokio::test(start_paused = true)]
async fn difference_of_two_editions_is_of_the_edition() {
    let promotion = shadow(Fake::new([]), with(Fixture::small().next_edition()));
    let seen = compared(&promotion).await;
    assert_eq!(causes(&seen), (1, 0, 0));
    let only = &seen.differences[0];
    assert_eq!(
        (only.method.as_str(), only.field.as_str(), only.count),
        ("lookup_one", "deprivation_rank", 1)
    );
    assert_eq!(
        (only.cause.as_str(), seen.examples[0].cause, seen.differences.len()),
        ("edition", only.cause, 1)
    );
    assert_eq!(seen.examples[0].fields, ["deprivation_rank"]);
    // In a canary too, with the sides the other way round.
    promotion.set(Stage::Canary, Some(1.0)).unwrap();
    assert_eq!(causes(&compared(&promotion).await), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn difference_within_one_edition_is_of_the_code() {
    let promotion = shadow(Fake::new([]), with(wrong()));
    let seen = compared(&promotion).await;
    assert_eq!(causes(&seen), (0, 0, 1));
    assert_eq!(seen.rows[0].causes, seen.causes);
}

#[tokio::test(start_paused = true)]
async fn old_side_that_does_not_agree_with_itself_is_noise() {
    let sides = [Fake::new([]), with(wrong())];
    let fickle = Fickle { sides, calls: AtomicUsize::new(1) };
    let promotion = shadow(Arc::new(fickle), Fake::new([]));
    assert_eq!(causes(&compared(&promotion).await), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn kept_answer_does_not_tell_its_edition_and_the_implementation_is_asked() {
    for (fixture, expected) in [(Fixture::small().next_edition(), (1, 0, 0)), (wrong(), (0, 0, 1))] {
        let cached = Cache::new(Fake::new([]), 1 << 20);
        ask(&cached).await.unwrap();
        let promotion = shadow(Arc::new(cached), with(fixture));
        assert_eq!(causes(&compared(&promotion).await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn predictor_tells_a_wrong_answer_from_an_answer_of_another_edition() {
    let next = Fixture::small().next_edition();
    for (new, predicted, expected) in [
        (next.clone(), next.clone(), (1, 0, 0)),
        // The predictor has another edition than the new side, so it can't tell.
        (next.clone(), Fixture::small(), (1, 0, 0)),
    ] {
        let promotion = shadow(Fake::new([]), with(new));
        assert!(promotion.explain_with(with(predicted)));
        assert!(!promotion.explain_with(Fake::new([])), "there is one already");
        assert_eq!(causes(&compared(&promotion).await), expected);
    }
    // The new side answers from its edition with a fault.
    let fault = Fixture::new(next.info().clone(), next.next_edition().records().cloned());
    let promotion = shadow(Fake::new([]), with(fault));
    promotion.explain_with(with(next));
    assert_eq!(causes(&compared(&promotion).await), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn guard_counts_differences_of_the_code_only() {
    for (fixture, steps_back) in [(Fixture::small().next_edition(), 0), (wrong(), 1)] {
        let config = PromotionConfig { guard: Some(Guard::default()), ..PromotionConfig::default() };
        let promotion = Promotion::with(Fake::new([]), with(fixture), config);
        promotion.set(Stage::Shadow, Some(1.0)).unwrap();
        for _ in 0..40 {
            ask(&promotion).await.unwrap();
            sleep(MS).await;
        }
        assert_eq!(promotion.snapshot().step_backs, steps_back);
    }
}

#[tokio::test(start_paused = true)]
async fn examples_of_each_cause_are_bounded_apart() {
    let (old, new) = (Fake::new([]), with(wrong()));
    let promotion = shadow(old, new.clone());
    promotion.apply(&"shadow:100%,cohort:a=shadow:100%".parse::<PromotionPlan>().unwrap()).unwrap();
    for fixture in [wrong(), Fixture::small().next_edition()] {
        new.reference.publish(fixture);
        for limit in 1..40 {
            let _ = promotion.nearest(&crate::Nearest::to(postcode("M1 1AD")).limit(limit)).await;
            sleep(10 * MS).await;
        }
    }
    let seen = promotion.snapshot();
    assert_eq!(causes(&seen), (39, 0, 39));
    for cause in [crate::layers::Cause::Code, crate::layers::Cause::Edition] {
        assert_eq!(seen.examples.iter().filter(|example| example.cause == cause).count(), 16);
        assert!(seen.differences.iter().any(|it| it.cause == cause && it.field == "record.deprivation_rank"));
    }
}
