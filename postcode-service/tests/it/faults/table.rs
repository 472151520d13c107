//! The table: fault × client.

use std::collections::BTreeSet;
use std::time::Duration;

use postcode_core::layers::{Resilience, resilient};
use postcode_core::{ErrorKind, PostcodeLookup, PostcodeLookupExt, Remote, connect};
use postcode_testing::{Nobody, until};
use tokio::time::timeout;

use crate::faults::processes::recovers;
use crate::faults::proxy::{Fault, Proxy};
use crate::faults::service::{GENEROUS, InProcess, local, postcode};

/// Returns the allowed results of a fault: errors of these kinds, and whether an answer is allowed
/// too.
fn due(fault: Fault) -> (&'static [ErrorKind], bool) {
    use ErrorKind::{Overloaded, Protocol, Timeout, Unavailable};
    match fault {
        Fault::None | Fault::Delay | Fault::HalfClosed => (&[], true),
        Fault::Drop | Fault::Reset | Fault::CutBody => (&[Unavailable], false),
        Fault::CutJson | Fault::WrongType | Fault::Garbage => (&[Protocol], false),
        Fault::Busy => (&[Overloaded], false),
        Fault::Tarpit | Fault::Drip => (&[Timeout], false),
        // A first request on a new connection is answered.
        Fault::Deaf => (&[Timeout], true),
    }
}

const CALLS: usize = 8;

/// Makes some calls one after the other. Returns their kinds of errors, and how many were answered.
async fn outcomes(lookup: &dyn PostcodeLookup) -> (BTreeSet<&'static str>, usize) {
    let right = local().dataset().get(postcode());
    let (mut kinds, mut answered) = (BTreeSet::new(), 0);
    for _ in 0..CALLS {
        match timeout(GENEROUS, lookup.get(postcode())).await.expect("a call that hangs") {
            Ok(answer) => {
                assert_eq!(answer, right, "a wrong answer is worse than none");
                answered += 1;
            }
            Err(error) => drop(kinds.insert(error.kind().code())),
        }
    }
    (kinds, answered)
}

/// Waits until the count is back at its earlier value.
async fn nothing_left(what: &str, count: impl Fn() -> usize, before: usize) {
    until(&format!("no more {what} than before"), async || count() <= before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_a_typed_error_in_time_and_passes_without_a_trace() {
    let service = InProcess::start();
    let proxy = Proxy::before(&service.url);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    println!("{:10} {:30} with the resilience layers", "fault", "the client alone");
    for fault in Fault::ALL {
        // Wait briefly if no answer will come, and long if one must: a busy machine is not the
        // client's fault.
        let (kinds, may_answer) = due(fault);
        let (time, within) = match kinds.contains(&ErrorKind::Timeout) {
            true => (Duration::from_millis(150), Duration::from_millis(400)),
            false => (Duration::from_secs(20), Duration::from_secs(40)),
        };
        let alone = Remote::builder(&proxy.url).timeout(time).deadline(within).retries(1).build().unwrap();
        let bare = Remote::new(&format!("{}?timeout=20s&deadline=40s&retries=0", proxy.url)).unwrap();
        let mut layers = Resilience::default();
        (layers.timeout, layers.deadline) = (time, within);
        layers.retries = 1;
        let layered = resilient(bare, &layers);
        // With a connection in the pool already, as in the middle of a day.
        proxy.set(Fault::None);
        recovers(&alone).await;
        recovers(&*layered).await;

        proxy.set(fault);
        let kinds: BTreeSet<_> = kinds.iter().map(|kind| kind.code()).collect();
        let (seen, answered) = outcomes(&alone).await;
        assert!(seen.is_subset(&kinds), "{fault}: {seen:?} where {kinds:?} are due");
        assert!(may_answer || answered == 0, "{fault}: {answered} answers");
        assert!(answered > 0 || !seen.is_empty());
        let first = format!("{answered} answered {}", Vec::from_iter(seen).join(" "));

        let (seen, answered) = outcomes(&*layered).await;
        // The open breaker says Unavailable, whatever opened it; a deadline may end what would else
        // be busy.
        let kinds: BTreeSet<_> = kinds.into_iter().chain(["unavailable", "timeout"]).collect();
        assert!(seen.is_subset(&kinds), "{fault}: {seen:?} where {kinds:?} are due");
        assert!(may_answer || answered == 0, "{fault}: {answered} answers");
        println!("{fault:10} {first:30} {answered} answered {}", Vec::from_iter(seen).join(" "));

        // The client recovers by itself.
        proxy.set(Fault::None);
        recovers(&alone).await;
        recovers(&*layered).await;
        drop((alone, layered));
        nothing_left("connections", || proxy.open(), 0).await;
        nothing_left("tasks", tasks, before).await;
    }
}

#[tokio::test]
async fn a_name_that_can_not_be_resolved_and_a_port_where_nothing_listens() {
    // Without a network the resolver may take longer than we wait.
    let nowhere = connect("http://postcodes.invalid?timeout=1s&deadline=2s").await.unwrap();
    let error = timeout(GENEROUS, nowhere.get(postcode())).await.expect("a call that hangs").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{error}");

    let nobody = Nobody::new();
    let refused = connect(&format!("{}?timeout=20s&deadline=40s", nobody.url())).await.unwrap();
    let error = timeout(GENEROUS, refused.get(postcode())).await.expect("a call that hangs").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

/// However many callers go away in the middle of their calls, nothing of them stays.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_calls_leave_nothing() {
    let service = InProcess::start();
    let proxy = Proxy::before(&service.url);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let remote = Remote::new(&format!("{}?timeout=10m&deadline=10m", proxy.url)).unwrap();
    proxy.set(Fault::Tarpit);
    let mut calls: Vec<_> = (0..50)
        .map(|_| {
            let remote = remote.clone();
            tokio::spawn(async move { remote.get(postcode()).await.map(drop) })
        })
        .collect();
    until("all requests arrive", async || proxy.requests() >= 50).await;
    for call in calls.drain(..) {
        call.abort();
    }
    nothing_left("connections", || proxy.open(), 0).await;
    proxy.set(Fault::None);
    recovers(&remote).await;
    drop(remote);
    nothing_left("tasks", tasks, before).await;
}
