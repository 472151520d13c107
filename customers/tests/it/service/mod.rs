//! A real service to ask, in the runtime of the test.
#![allow(dead_code)] // Each test program uses what it needs.

use std::sync::Arc;

use postcode_core::layers::fleet::Fleet;
use postcode_core::{Local, Lookups, connect};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Address, Frontend, Listener, Options, run};

/// Starts a postcode-service of the embedded country. Returns its address. It ends with the test's
/// runtime.
pub(crate) async fn start() -> String {
    of(connect("embedded:").await.unwrap()).await
}

/// Starts a postcode-service of any lookup.
pub(crate) async fn of(lookup: Arc<dyn Lookups>) -> String {
    at(Edition::of(lookup).await.unwrap()).await
}

/// Starts a postcode-service of this data, which has a root of all answers.
pub(crate) async fn listing(local: Local) -> String {
    let dataset = local.dataset();
    at(Edition::of(Arc::new(local)).await.unwrap().listing(dataset)).await
}

/// Starts a postcode-service of the embedded country that keeps the plan of this fleet.
pub(crate) async fn with_fleet(fleet: Fleet) -> String {
    let api = Api::new(Edition::of(connect("embedded:").await.unwrap()).await.unwrap(), Limits::default());
    api.serve_fleet(fleet);
    serving(api).await
}

async fn at(edition: Edition) -> String {
    serving(Api::new(edition, Limits::default())).await
}

async fn serving(api: Api) -> String {
    let options = Options::default();
    let listener = Listener::bind(&"127.0.0.1:0".parse::<Address>().unwrap()).await.unwrap();
    let url = listener.url().unwrap();
    let frontend = Arc::new(Frontend::new(api, &options));
    tokio::spawn(run(listener, frontend, options, std::future::pending()));
    // A test machine may be busier than any service's.
    format!("{url}?timeout=30s&deadline=60s")
}
