//! The consumer is the same whatever the lookup is: one function, compiled once, run against a
//! mock, the country in this process, and a service.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;

use postcode_core::connect;

use crate::consumer;
use crate::lookups;
use crate::service;

#[tokio::test]
async fn with_a_mock() {
    consumer::promises_hold(Arc::new(lookups::country())).await;
}

#[tokio::test]
async fn with_the_country_in_this_process() {
    consumer::promises_hold(connect("embedded:").await.unwrap()).await;
}

#[tokio::test]
async fn with_a_service() {
    let url = service::start().await;
    consumer::promises_hold(connect(&url).await.unwrap()).await;
}

#[tokio::test]
async fn with_every_layer_before_a_service() {
    let url = service::start().await;
    let layers = "hedge=p95&join=10&single_flight=on&cache=100000&fallback=embedded:";
    consumer::promises_hold(connect(&format!("{url}&{layers}")).await.unwrap()).await;
}
