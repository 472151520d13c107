//! Runs the conformance suite on every layer.

use proptest::prelude::*;

use super::*;
use crate::conformance::{AnyCall, check, check_editions, differential};
use crate::layers::*;
use crate::{AnyLookup, Location, Nearest, NearestOutcodes};

fn reference() -> Arc<Fake> {
    Fake::new([])
}

/// Returns each layer around the reference, and all of them in one stack.
fn layered() -> Vec<(&'static str, Box<dyn Lookups>)> {
    let inner = || Fake::always(Act::Slow(MS));
    let promotion = |stage| {
        let promotion = Promotion::new(inner(), inner());
        promotion.set(stage, Some(0.5)).unwrap();
        Box::new(promotion)
    };
    let all = Resilience {
        hedge: Some(HedgeAfter::Quantile(0.95)),
        join: Some(100),
        single_flight: true,
        cache: Some(1 << 20),
        ..Resilience::default()
    };
    let down = Fake::always(Act::Fail(ErrorKind::Unavailable));
    vec![
        ("Timeout", Box::new(Timeout::new(inner(), SECOND))),
        ("Deadline", Box::new(Deadline::new(inner(), SECOND))),
        ("Retry", Box::new(Retry::new(inner()))),
        ("Breaker", Box::new(Breaker::new(inner()))),
        ("Bulkhead", Box::new(Bulkhead::new(inner(), 200))),
        ("Hedge", Box::new(Hedge::new(inner(), HedgeAfter::Fixed(Duration::ZERO)))),
        ("Failover", {
            let endpoints = [down.clone(), inner()];
            Box::new(Failover::new(endpoints, Order::RoundRobin, BreakerConfig::default()).unwrap())
        }),
        ("Fallback", Box::new(Fallback::new(down, inner()))),
        ("Cache", Box::new(Cache::new(inner(), 1 << 20))),
        ("SingleFlight", Box::new(SingleFlight::new(inner()))),
        ("Batcher", Box::new(Batcher::new(inner()))),
        ("local", promotion(Stage::Local)),
        ("shadow", promotion(Stage::Shadow)),
        ("canary", promotion(Stage::Canary)),
        ("remote-with-fallback", promotion(Stage::RemoteWithFallback)),
        ("remote", promotion(Stage::Remote)),
        ("Resilience", Box::new(resilient(inner(), &Resilience::default()))),
        ("everything", Box::new(resilient(inner(), &all))),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_layer_keeps_the_contract() {
    let fixture = Fixture::small();
    for (name, lookup) in layered() {
        let report = check(&*lookup, &fixture).await;
        assert!(report.passed() && report.not_supported().next().is_none(), "{name}:\n{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_layer_keeps_the_promise_of_one_edition() {
    for make in [
        |fake| Arc::new(SingleFlight::new(fake)) as Arc<dyn Lookups>,
        |fake| Arc::new(Batcher::new(fake)) as Arc<dyn Lookups>,
        |fake| Arc::new(Cache::new(Batcher::new(fake), 1 << 20)) as Arc<dyn Lookups>,
        |fake| Arc::new(Hedge::new(fake, HedgeAfter::Fixed(MS))) as Arc<dyn Lookups>,
    ] {
        let fake: Arc<Fake> = Fake::always(Act::Slow(3 * MS));
        let lookup = make(fake.clone());
        let publish = async |fixture: &Fixture| {
            sleep(2 * MS).await;
            fake.reference.publish(fixture.clone());
        };
        check_editions(&lookup, &Fixture::small(), publish).await.assert_complete();
    }
}

/// Generates any text: what users type, and random characters.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9]?[A-Z]{0,2}",
        "[mMsS1eE ]{0,6}",
        "\\PC{0,300}",
        Just("\0".to_owned()),
        Just("%2F/..".to_owned()),
    ]
}

fn any_postcode() -> impl Strategy<Value = Postcode> {
    let known: Vec<_> = Fixture::small().records().map(|record| record.postcode).collect();
    let any = "[A-Z]{1,2}[0-9]{1,2} [0-9][ABDEFGHJLNPQRSTUWXYZ]{2}";
    prop_oneof![
        3 => proptest::sample::select(known),
        1 => any.prop_filter_map("no postcode", |text| text.parse().ok()),
    ]
}

fn any_call() -> impl Strategy<Value = AnyCall> {
    let nearest = |origin: crate::Origin, limit: usize, radius: f64| {
        AnyCall::Nearest(Nearest::to(origin).limit(limit).radius(radius))
    };
    let point = (53.3..53.9_f64, -2.3..-1.4_f64)
        .prop_filter_map("no point", |(latitude, longitude)| Location::new(latitude, longitude).ok());
    prop_oneof![
        proptest::collection::vec(any_postcode(), 0..40).prop_map(AnyCall::Lookup),
        any_postcode().prop_map(|postcode| AnyCall::Lookup(vec![postcode])),
        any_postcode().prop_map(|postcode| AnyCall::Outcode(postcode.outcode())),
        (any_text(), 0..110_usize).prop_map(|(text, limit)| AnyCall::Autocomplete(text, limit)),
        (any_text(), 0..110_usize).prop_map(|(text, limit)| AnyCall::Search(text, limit)),
        (point, 0..110_usize, -10.0..2_100.0).prop_map(move |(at, l, r)| nearest(at.into(), l, r)),
        (any_text(), 0..110_usize).prop_map(|(text, limit)| AnyCall::Places(text, limit)),
        "osgb10[01][0-9]|\\PC{0,40}".prop_map(AnyCall::Place),
        any_postcode().prop_map(AnyCall::Scottish),
        (any_postcode(), 0..110_usize, -10.0..26_000.0).prop_map(|(at, limit, radius)| {
            AnyCall::NearestOutcodes(NearestOutcodes::to(at.outcode()).limit(limit).radius(radius))
        }),
        (any_postcode(), 0..110_usize, 0.0..2_000.0).prop_map(move |(at, l, r)| nearest(at.into(), l, r)),
    ]
}

/// Generates a plan: any stage and share for all calls, and others for some methods and a cohort.
fn any_plan(stages: &'static [Stage]) -> impl Strategy<Value = PromotionPlan> {
    let methods = <AnyLookup as Promotable>::METHODS.iter().copied().flatten().copied();
    let names: Vec<RowName> = methods.chain(["cohort:import"]).filter_map(|name| name.parse().ok()).collect();
    let step = move || {
        (proptest::sample::select(stages), 0.0..=1.0)
            .prop_map(|(stage, share)| Step::new(stage, Some(share)).unwrap())
    };
    let rows = proptest::collection::vec((proptest::sample::select(names), step()), 0..5);
    (step(), rows).prop_map(|(default, rows)| {
        rows.into_iter().fold(PromotionPlan::new(default), |plan, (name, step)| plan.with(name, step))
    })
}

/// Makes the calls of a future as a unit, of a cohort, both or neither.
async fn grouped<T>(unit: Option<u32>, is_import: bool, calls: impl Future<Output = T>) -> T {
    let calls = async {
        match unit {
            Some(key) => crate::unit::scope(key.to_le_bytes(), calls).await,
            None => calls.await,
        }
    };
    if is_import { crate::unit::cohort("import", calls).await } else { calls.await }
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// The stages in which the old implementation answers for a new one that fails.
const COVERED: &[Stage] = &[Stage::Local, Stage::Shadow, Stage::Canary, Stage::RemoteWithFallback];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn promotion_keeps_the_contract_under_any_plan(
        plan in any_plan(&Stage::ALL), unit in any::<Option<u32>>(), is_import in any::<bool>()
    ) {
        paused().block_on(async {
            let promotion = Promotion::new(Fake::always(Act::Slow(MS)), Fake::always(Act::Slow(MS)));
            promotion.apply(&plan).unwrap();
            let report = grouped(unit, is_import, check(&promotion, &Fixture::small())).await;
            prop_assert!(report.passed() && report.not_supported().next().is_none(), "{plan}:\n{report}");
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn promotion_answers_any_calls_as_the_bare_lookup_while_plans_change(
        plans in proptest::collection::vec(any_plan(COVERED), 1..4),
        calls in proptest::collection::vec((any_call(), any::<Option<u32>>(), any::<bool>()), 1..30),
        is_down in any::<bool>(),
    ) {
        paused().block_on(async {
            let act = if is_down { Act::Fail(ErrorKind::Unavailable) } else { Act::Answer };
            let promotion = Promotion::new(reference(), Fake::always(act));
            for (number, (call, unit, is_import)) in calls.into_iter().enumerate() {
                promotion.apply(&plans[number % plans.len()]).unwrap();
                let (old, promoted) = (reference(), &promotion);
                let differences = grouped(unit, is_import, differential(&old, promoted, [call])).await;
                prop_assert!(differences.is_empty(), "{}: {}", promotion.plan(), differences[0]);
            }
            prop_assert_eq!(promotion.snapshot().failed, 0);
            Ok(())
        })?;
    }

    #[test]
    fn a_full_stack_answers_any_calls_as_the_bare_lookup(calls in proptest::collection::vec(any_call(), 1..30)) {
        paused().block_on(async {
            let all = Resilience {
                join: Some(7),
                single_flight: true,
                cache: Some(50_000),
                ..Resilience::default()
            };
            let stack = resilient(reference(), &all);
            let differences = differential(&reference(), &stack, calls).await;
            prop_assert!(differences.is_empty(), "{}", differences[0]);
            Ok(())
        })?;
    }
}
