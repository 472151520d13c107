//! Two replicas of the service, one ended and started after the other under load, and no call fails.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use postcode_core::layers::{BreakerConfig, Failover, Order};
use tokio::time::{sleep, timeout};

use crate::faults::load::Load;
use crate::faults::processes::client;
use crate::faults::service::{GENEROUS, Program, data};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_are_rolled_and_no_call_fails() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder.path().join("uk.postcodes"));
    let start = || Program::start("127.0.0.1:0", &data);
    let replicas = [start(), start()];
    let endpoints = replicas.each_ref().map(|replica| client(&replica.url, Duration::from_secs(10)));
    let both = Failover::new(endpoints, Order::RoundRobin, BreakerConfig::default()).unwrap();
    let both = Arc::new(both);
    let load = Load::on(both.clone(), 4);
    load.more(&load.answered, 200).await;
    let mut running = Vec::new();
    for (n, replica) in replicas.into_iter().enumerate() {
        let address = replica.address();
        // The first in order, as a deployment does it; the second as a crash does it.
        if n == 0 {
            replica.terminate()
        } else {
            replica.kill()
        }
        load.more(&load.answered, 300).await;
        let started = Program::start(&address, &data);
        let healthy = async {
            while both.healthy() != (2, 2) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(GENEROUS, healthy).await.expect("the one that was started is asked again");
        load.more(&load.answered, 300).await;
        // The next round has to have one that is up.
        running.push(started);
    }
    assert_eq!(load.failed.load(SeqCst), 0);
    let (answered, failed) = load.end().await;
    println!("{answered} calls answered while both replicas were replaced, {failed} failed");
    assert_eq!(failed, 0);
}
