//! Recorded calls: what is in them, how many there are, and that they can be made again.

use super::*;
use crate::conformance::AnyCall;
use crate::layers::{CallRecorder, CallRecorderConfig, RecordedCall};
use crate::{Location, Nearest, NearestOutcodes, Region, Within};

fn all() -> CallRecorderConfig {
    CallRecorderConfig { share: 1.0, is_private: false, ..CallRecorderConfig::default() }
}

fn calls() -> Vec<AnyCall> {
    let (one, point) = (postcode("M1 1AD"), Location::new(53.4801, -2.2374).unwrap());
    vec![
        AnyCall::Lookup(vec![one, postcode("M1 1AE")]),
        AnyCall::Outcode(one.outcode()),
        AnyCall::Outcodes("M".to_owned(), 5),
        AnyCall::Autocomplete("M1 1A".to_owned(), 5),
        AnyCall::Search("M1 1AD, the old mill".to_owned(), 5),
        AnyCall::Nearest(Nearest::to(one).limit(3).radius(500.0)),
        AnyCall::Nearest(Nearest::to(point).limit(3).radius(500.0)),
        AnyCall::NearestOutcodes(NearestOutcodes::to(one.outcode()).limit(3)),
        AnyCall::Within(Within::of(Region::circle(point, 900.0)).limit(7)),
        AnyCall::Within(Within::of(Region::Sector(one.sector())).limit(7)),
        AnyCall::Place("osgb100".to_owned()),
        AnyCall::Places("Man".to_owned(), 5),
    ]
}

/// Records the calls, and writes and reads them as a file has them.
async fn recorded(config: CallRecorderConfig) -> Vec<RecordedCall> {
    let (lookup, mut receiver) = CallRecorder::new(Fake::new([]), config);
    for call in calls() {
        call.answer(&lookup).await;
        sleep(MS).await;
    }
    ask(&lookup).await.unwrap();
    let mut all = Vec::new();
    while let Ok(call) = receiver.try_recv() {
        all.push(serde_json::from_str(&serde_json::to_string(&call).unwrap()).unwrap());
    }
    all
}

#[tokio::test(start_paused = true)]
async fn recorded_calls_can_be_made_again_and_have_their_times() {
    let (recorded, lookup) = (recorded(all()).await, Fake::new([]));
    assert_eq!(recorded.len(), calls().len() + 1);
    for (number, (recorded, call)) in recorded.iter().zip(calls()).enumerate() {
        assert_eq!(recorded.at_us, 1_000 * number as u64);
        let again = recorded.call.answer(&lookup).await;
        let again = again.unwrap_or_else(|error| format!("error {}", error.kind().code()));
        assert_eq!(again, call.answer(&lookup).await, "{call:?}");
    }
    assert_eq!(recorded.last().unwrap().call.to_string(), "lookup of M1 1AD");
}

#[tokio::test(start_paused = true)]
async fn private_recording_has_no_whole_postcode_text_or_point() {
    let recorded = recorded(CallRecorderConfig { is_private: true, ..all() }).await;
    assert_eq!(recorded.len(), calls().len() + 1);
    let text = serde_json::to_string(&recorded).unwrap();
    for secret in ["M1 1A", "M11A", "mill", "53.4801", "2.2374"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("\"M1 1\"") && text.contains("[53.48,-2.24]"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn recording_takes_a_share_ends_at_its_most_and_never_holds_a_call_up() {
    let count = async |config: CallRecorderConfig, calls: usize, is_read: bool| {
        let (lookup, mut receiver) = CallRecorder::new(Fake::new([]), config);
        for _ in 0..calls {
            ask(&lookup).await.unwrap();
            if is_read {
                receiver.try_recv().ok();
            }
        }
        lookup.counts()
    };
    assert_eq!(count(CallRecorderConfig { share: 0.0, ..all() }, 100, true).await, (0, 0));
    assert_eq!(count(CallRecorderConfig { most: 7, ..all() }, 100, true).await, (7, 0));
    // A hundred of a thousand, give or take six standard deviations.
    let (some, _) = count(CallRecorderConfig { share: 0.1, ..all() }, 1_000, true).await;
    assert!((43..=157).contains(&some), "{some}");
    // Nobody reads: the channel has a limit, and what does not fit is counted.
    assert_eq!(count(all(), 1_100, false).await, (1_024, 76));
    // Information is not recorded.
    let (lookup, receiver) = CallRecorder::new(Fake::new([]), all());
    lookup.info().await.unwrap();
    assert!(receiver.is_empty());
}
