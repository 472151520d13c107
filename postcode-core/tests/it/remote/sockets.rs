//! Tests `connect` over real sockets: TCP, below a prefix, and a Unix socket.

use postcode_core::{PostcodeLookup, connect};
use postcode_testing::Nobody;
use tokio::net::TcpListener;

use crate::remote::fake::{Fake, Kind, postcodes};

/// Far longer than an answer takes on a busy machine.
const PATIENT: &str = "timeout=30s&deadline=60s";

async fn same_answers(lookup: &dyn PostcodeLookup, fake: &Fake) {
    let asked = postcodes(&["AB10 1AB", "AB1 0AA", "AB10 9ZZ", "BT1 5GS"]);
    let expected: Vec<_> = asked.iter().map(|postcode| fake.answer(*postcode)).collect();
    // Several times, so that connections are kept and reused.
    for _ in 0..3 {
        assert_eq!(lookup.lookup(&asked).await.unwrap(), expected);
    }
    assert_eq!(lookup.autocomplete("m1", 10).await.unwrap(), postcodes(&["M1 1AD", "M11 1AA"]));
}

#[tokio::test]
async fn over_tcp_and_below_a_prefix() {
    for prefix in ["", "/pre/fix"] {
        let fake = Fake::new(Kind::PostcodeService);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = match prefix {
            "" => fake.router(),
            prefix => axum::Router::new().nest_service(prefix, fake.router()),
        };
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        // The prefix with and without a slash after it.
        for url in
            [format!("http://{address}{prefix}?{PATIENT}"), format!("http://{address}{prefix}/?{PATIENT}")]
        {
            same_answers(&*connect(&url).await.unwrap(), &fake).await;
        }
        server.abort();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn over_a_unix_socket() {
    let fake = Fake::new(Kind::PostcodeService);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("my postcode.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let router = fake.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let path = path.to_str().unwrap().replace(' ', "%20");
    for url in [format!("unix:{path}?{PATIENT}"), format!("unix://{path}?{PATIENT}")] {
        same_answers(&*connect(&url).await.unwrap(), &fake).await;
    }
    server.abort();
}

#[tokio::test]
async fn a_consumer_may_start_before_the_service() {
    let nobody = Nobody::new();
    let lookup = connect(&format!("{}?retries=0&{PATIENT}", nobody.url())).await.unwrap();
    let asked = postcodes(&["AB10 1AB"]);
    assert!(lookup.lookup(&asked).await.is_err());
    let fake = Fake::new(Kind::PostcodeService);
    let listener = nobody.listen();
    let router = fake.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    assert!(lookup.lookup(&asked).await.unwrap()[0].is_live());
    server.abort();
}
