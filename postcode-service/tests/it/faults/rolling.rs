//! Two replicas of the service, one ended and started after the other under load, and no call
//! fails.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use postcode_core::layers::{BreakerConfig, Failover, Order};
use postcode_testing::until;

use crate::faults::load::Load;
use crate::faults::processes::{PATIENT, client};
use crate::faults::service::{Program, data};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_are_rolled_and_no_call_fails() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder.path().join("uk.postcodes"));
    // Use Unix sockets: another program could take the port before a replica comes back.
    let sockets = ["a", "b"].map(|name| format!("unix:{}", folder.path().join(name).display()));
    let replicas = sockets.each_ref().map(|socket| Program::start(socket, &data));
    let endpoints = replicas.each_ref().map(|replica| client(&replica.url, PATIENT));
    let both = Failover::new(endpoints, Order::RoundRobin, BreakerConfig::default()).unwrap();
    let both = Arc::new(both);
    let load = Load::on(both.clone(), 4);
    load.more(&load.answered, 200).await;
    let mut running = Vec::new();
    for (n, replica) in replicas.into_iter().enumerate() {
        // The first in order, as a deployment does it; the second as a crash does it.
        if n == 0 {
            replica.terminate()
        } else {
            replica.kill()
        }
        load.more(&load.answered, 300).await;
        let started = Program::start(&sockets[n], &data);
        until("the one that was started is asked again", async || both.healthy() == (2, 2)).await;
        load.more(&load.answered, 300).await;
        // The next round has to have one that is up.
        running.push(started);
    }
    assert_eq!(load.failed.load(SeqCst), 0);
    let (answered, failed) = load.end().await;
    println!("{answered} calls answered while both replicas were replaced, {failed} failed");
    assert_eq!(failed, 0);
}
