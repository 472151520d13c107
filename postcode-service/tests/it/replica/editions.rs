//! Following the service, without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use postcode_core::conformance::{Fixture, check, check_editions};
use postcode_core::dataset::Dataset;
use postcode_core::{ErrorKind, Local, PostcodeLookup, Replica, connect};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Frontend, Listener, Options, run};
use postcode_testing::until;

use crate::replica::over::{Over, files, fixture, large, next};

#[tokio::test(flavor = "multi_thread")]
async fn no_batch_mixes_two_editions() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    let replica = over.replica(dir.path()).start().await.unwrap();
    let publish = async |edition: &Fixture| {
        over.publish(edition.dataset().unwrap()).await;
        replica.refresh().await.unwrap();
    };
    check_editions(&replica, &Fixture::small(), publish).await.assert_complete();
    assert_eq!(replica.status().editions, 10);
    assert_eq!(files(dir.path()), (1, 0));
}

#[tokio::test]
async fn what_has_not_changed_is_not_downloaded() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    let replica = over.replica(dir.path()).start().await.unwrap();
    over.ranges();
    for _ in 0..3 {
        assert!(!replica.refresh().await.unwrap());
    }
    assert!(over.heads() >= 4 && over.ranges().is_empty());
    // Another replica has downloaded it into the same folder by now.
    over.publish(next()).await;
    let other = over.replica(dir.path()).start().await.unwrap();
    other.refresh().await.unwrap();
    over.ranges();
    assert!(replica.refresh().await.unwrap());
    assert!(over.ranges().is_empty(), "the file is there already");
    check(&replica, &Fixture::small().next_edition()).await.assert_complete();
}

#[tokio::test]
async fn an_edition_that_changes_during_a_download_is_taken_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    let replica = over.replica(dir.path()).start().await.unwrap();
    over.publish(large("one")).await;
    let newest = Edition::of_local(Local::new(large("two"))).await.unwrap();
    let (api, mut newest, mut parts) = (over.api.clone(), Some(newest), 0);
    over.meddle(move |response| {
        parts += usize::from(!response.body().is_empty());
        if parts == 2
            && let Some(newest) = newest.take()
        {
            api.replace(newest);
        }
    });
    let error = replica.refresh().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    check(&replica, &Fixture::small()).await.assert_complete();
    assert!(replica.refresh().await.unwrap());
    assert_eq!(replica.status().info, *large("two").info());
}

/// Tests the whole: a real service, its poll, callers that never stop, changing editions, and in
/// the end no service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_see_neither_a_new_edition_nor_the_end_of_the_service() {
    let options = Options::default();
    let edition = async |dataset: Dataset| Edition::of_local(Local::new(dataset)).await.unwrap();
    let api = Api::new(edition(fixture()).await, Limits::default());
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = listener.url().unwrap();
    let frontend = Arc::new(Frontend::new(api.clone(), &options));
    let serving = tokio::spawn(run(listener, frontend, options, std::future::pending()));

    let dir = tempfile::tempdir().unwrap();
    let url = format!("{url}?interval=100ms&dir={}", dir.path().display());
    // By the setting alone, and with what only a replica says.
    let connected = connect(&format!("replica:{url}")).await.unwrap();
    assert_eq!(connected.info().await.unwrap(), *fixture().info());
    drop(connected);
    let replica = Arc::new(Replica::start(&url).await.unwrap());
    let ended = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let (replica, ended) = (replica.clone(), ended.clone());
            tokio::spawn(async move {
                let all: Vec<_> = Fixture::small().records().map(|record| record.postcode).collect();
                while !ended.load(SeqCst) {
                    let answers = replica.lookup(&all).await.expect("no call fails");
                    assert!(answers.iter().all(|answer| answer.record().is_some()));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for dataset in [next(), fixture(), next()] {
        let fingerprint = dataset.info().fingerprint.clone();
        api.replace(edition(dataset).await);
        until("the new edition", async || replica.status().info.fingerprint == fingerprint).await;
    }
    assert!(replica.status().editions >= 3);
    serving.abort();
    until("the service is missed", async || replica.status().error.is_some()).await;
    assert!(replica.is_following());
    check(&*replica, &Fixture::small().next_edition()).await.assert_complete();
    ended.store(true, SeqCst);
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test]
async fn a_replica_that_is_dropped_asks_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let replica = over.replica(dir.path()).interval(Duration::from_millis(100)).start().await.unwrap();
    until("three polls", async || over.heads() >= 3).await;
    drop(replica);
    until("no more tasks than before", async || tasks() <= before).await;
}
