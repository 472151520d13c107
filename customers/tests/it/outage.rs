//! A PostgreSQL that goes away and comes back, under a program that stays.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;

use crate::databases::Database;
use customers::{Customers, Error, NewCustomer, Store};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::lookups;

/// Starts a proxy to PostgreSQL that can be cut. Returns its port and the switch. While it is cut,
/// old and new connections end.
async fn cable() -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (switch, whole) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            let mut whole = whole.clone();
            tokio::spawn(async move {
                let mut there = TcpStream::connect("127.0.0.1:5432").await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut here, &mut there) => {}
                    _ = whole.wait_for(|whole| !whole) => {}
                }
            });
        }
    });
    (port, switch)
}

fn new(n: usize) -> NewCustomer {
    NewCustomer {
        name: "Ada".into(),
        email: format!("ada{n}@example.com"),
        postcode: "SW1A 1AA".into(),
        address_lines: vec!["1 High Street".into()],
        ..NewCustomer::default()
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_an_error_and_one_that_is_back_is_used() {
    let Some(database) = Database::postgres().await else { return };
    let (port, switch) = cable().await;
    let url = database.url().replace(":5432", &format!(":{port}"));
    let customers = Customers::new(Store::open(&url).await.unwrap(), Arc::new(lookups::country()));
    let kept = customers.create(new(1)).await.unwrap();

    switch.send_replace(false);
    for error in [customers.ready().await.unwrap_err(), customers.create(new(2)).await.unwrap_err()] {
        let Error::Store(error) = error else { panic!("{error}") };
        assert!(error.is_unavailable() || error.is_busy(), "{error:?}");
    }
    let error = Store::open(&url).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("can't be opened"), "{error}");

    switch.send_replace(true);
    while customers.ready().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(customers.get(kept.id).await.unwrap(), kept);
    customers.create(new(3)).await.unwrap();
}
