//! All implementations and decorators, filled with the fixture.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::executor::block_on;
use postcode_core::conformance::Fixture;
use postcode_core::layers::{
    Batcher, Breaker, BreakerConfig, Bulkhead, Cache, Deadline, Failover, Fallback, Hedge, HedgeAfter, Order,
    Promotion, Resilience, Retry, SingleFlight, Stage, Timeout, resilient,
};
use postcode_core::remote::Transport;
use postcode_core::{
    Error, ErrorKind, Local, Lookups, MockLookups, PlaceLookup, PostcodeLookup, Remote, Replica,
    ScottishLookup, connect,
};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Address, Frontend, Listener, Options, run};
use tempfile::TempDir;

use crate::conformance::in_memory::{Duplex, Flaky, PATIENT, Twice, remote, remote_in_json};

pub(crate) type Lookup = Arc<dyn Lookups>;

/// Filled with the fixture, in memory.
pub(crate) fn memory() -> Local {
    Local::new(Fixture::small().dataset().unwrap())
}

/// Writes the data to a file and maps it.
pub(crate) fn mapped(folder: &TempDir) -> Local {
    let path = folder.path().join("fixture.postcodes");
    std::fs::write(&path, Fixture::small().dataset().unwrap().as_bytes()).unwrap();
    Local::open(path).unwrap()
}

/// Starts a service over that lookup. Returns its address.
pub(crate) async fn serve(lookup: Lookup, listen: &str) -> String {
    let options = Options::default();
    let api = Api::new(Edition::of(lookup).await.unwrap(), Limits::default());
    let listener = Listener::bind(&listen.parse::<Address>().unwrap()).await.unwrap();
    let url = listener.url().unwrap();
    tokio::spawn(run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()));
    url
}

/// Everything, with its name. Sockets and files are in the folder.
pub(crate) async fn all(folder: &TempDir) -> Vec<(String, Lookup)> {
    let local = || Arc::new(memory()) as Lookup;
    let duplex = Duplex::over(local()).await;
    let tcp = format!("{}?{PATIENT}", serve(local(), "127.0.0.1:0").await);
    let socket = format!("unix:{}", folder.path().join("socket").display());
    let unix = format!("{}?{PATIENT}", serve(local(), &socket).await);
    let with_file = Duplex::serving(Edition::of_local(memory()).await.unwrap());
    let replica = Replica::builder("http://in-memory").transport(with_file).dir(folder.path());
    let mut all: Vec<(String, Lookup)> = vec![
        ("in memory".into(), local()),
        ("mapped".into(), Arc::new(mapped(folder))),
        ("mock fed with answers".into(), Arc::new(mock(memory()))),
        ("http, in memory".into(), Arc::new(duplex.remote())),
        ("http, in memory, in JSON".into(), Arc::new(remote_in_json(duplex.clone()))),
        ("http, TCP".into(), connect(&tcp).await.unwrap()),
        ("http, Unix socket".into(), connect(&unix).await.unwrap()),
        ("http, delivered twice".into(), Arc::new(remote(Twice(duplex.clone())))),
        ("http, every ninth request lost".into(), Arc::new(remote(Flaky::new(duplex.clone())))),
        ("replica over http".into(), Arc::new(replica.start().await.unwrap())),
    ];
    let http = Arc::new(duplex.remote()) as Lookup;
    for (inner, lookup) in [("dataset", local()), ("http", http)] {
        all.extend(decorated(&lookup).into_iter().map(|(name, it)| (format!("{name} over {inner}"), it)));
    }
    all
}

/// Returns each decorator around that lookup.
fn decorated(inner: &Lookup) -> Vec<(&'static str, Lookup)> {
    let inner = || inner.clone();
    let minute = Duration::from_secs(60);
    let promotion = |stage| {
        let promotion = Promotion::new(Arc::new(memory()), inner());
        promotion.set(stage, Some(0.5)).unwrap();
        Arc::new(promotion) as Lookup
    };
    let mut patient = Resilience::default();
    (patient.timeout, patient.deadline) = (minute, minute);
    let mut everything = patient.clone();
    everything.hedge = Some(HedgeAfter::Quantile(0.95));
    everything.join = Some(100);
    everything.single_flight = true;
    everything.cache = Some(1 << 20);
    let breaker = BreakerConfig::default();
    vec![
        ("Timeout", Arc::new(Timeout::new(inner(), minute))),
        ("Deadline", Arc::new(Deadline::new(inner(), minute))),
        ("Retry", Arc::new(Retry::new(inner()))),
        ("Breaker", Arc::new(Breaker::new(inner()))),
        ("Bulkhead", Arc::new(Bulkhead::new(inner(), 200))),
        ("Hedge", Arc::new(Hedge::new(inner(), HedgeAfter::Fixed(Duration::ZERO)))),
        (
            "Failover, one down",
            Arc::new(Failover::new([down(), inner()], Order::RoundRobin, breaker).unwrap()),
        ),
        ("Fallback, first down", Arc::new(Fallback::new(down(), inner()))),
        ("Cache", Arc::new(Cache::new(inner(), 1 << 20))),
        ("SingleFlight", Arc::new(SingleFlight::new(inner()))),
        ("Batcher", Arc::new(Batcher::new(inner()))),
        ("Promotion, local", promotion(Stage::Local)),
        ("Promotion, shadow", promotion(Stage::Shadow)),
        ("Promotion, canary", promotion(Stage::Canary)),
        ("Promotion, with fallback", promotion(Stage::RemoteWithFallback)),
        ("Promotion, remote", promotion(Stage::Remote)),
        ("Resilience", resilient(inner(), &patient)),
        ("Resilience, all on", resilient(inner(), &everything)),
    ]
}

/// Returns a client of a service that does not exist.
fn down() -> Lookup {
    #[derive(Debug)]
    struct Refused;

    #[async_trait]
    impl Transport for Refused {
        async fn send(
            &self,
            _: http::Request<bytes::Bytes>,
            _: usize,
        ) -> postcode_core::Result<http::Response<bytes::Bytes>> {
            Err(Error::new(ErrorKind::Unavailable, "refused"))
        }
    }
    Arc::new(Remote::builder("http://down?retries=0").transport(Refused).build().unwrap())
}

/// Returns the mock for applications' tests, set up with the real lookup's answers.
fn mock(real: Local) -> MockLookups {
    let real = Arc::new(real);
    let mut mock = MockLookups::default();
    // These futures are ready at once: nothing is waited for.
    let it = real.clone();
    mock.postcodes.expect_lookup().returning(move |postcodes| block_on(it.lookup(postcodes)));
    let it = real.clone();
    mock.postcodes.expect_lookup_one().returning(move |postcode| block_on(it.lookup_one(postcode)));
    let it = real.clone();
    mock.postcodes.expect_outcode().returning(move |outcode| block_on(it.outcode(outcode)));
    let it = real.clone();
    mock.postcodes
        .expect_autocomplete()
        .returning(move |prefix, limit| block_on(it.autocomplete(prefix, limit)));
    let it = real.clone();
    mock.postcodes.expect_search().returning(move |query, limit| block_on(it.search(query, limit)));
    let it = real.clone();
    mock.postcodes.expect_nearest().returning(move |query| block_on(it.nearest(query)));
    let it = real.clone();
    mock.postcodes.expect_within().returning(move |query| block_on(it.within(query)));
    let it = real.clone();
    mock.postcodes.expect_outcodes().returning(move |prefix, limit| block_on(it.outcodes(prefix, limit)));
    let it = real.clone();
    mock.postcodes.expect_random().returning(move |outcode| block_on(it.random(outcode)));
    let it = real.clone();
    mock.postcodes.expect_nearest_outcodes().returning(move |query| block_on(it.nearest_outcodes(query)));
    let it = real.clone();
    mock.places.expect_place().returning(move |code| block_on(it.place(code)));
    let it = real.clone();
    mock.places.expect_places().returning(move |query, limit| block_on(it.places(query, limit)));
    let it = real.clone();
    mock.places.expect_find_places().returning(move |query| block_on(it.find_places(query)));
    let it = real.clone();
    mock.places
        .expect_place_postcodes()
        .returning(move |code, after, limit| block_on(it.place_postcodes(code, after, limit)));
    let it = real.clone();
    mock.places.expect_random_place().returning(move || block_on(it.random_place()));
    let it = real.clone();
    mock.scotland
        .expect_scottish_postcode()
        .returning(move |postcode| block_on(it.scottish_postcode(postcode)));
    mock.postcodes.expect_info().returning(move || block_on(real.info()));
    mock
}
