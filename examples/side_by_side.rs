//! One consumer, written once for the trait, with three implementations: a mock, the embedded data,
//! and a service over HTTP. Prints the answers side by side.

use std::sync::Arc;

use anyhow::Result;
use postcode_core::{
    Answer, AreaKind, Areas, MockPostcodeLookup, OwnedArea, PostcodeLookup, PostcodeLookupExt, Record,
    connect,
};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Frontend, Listener, Options, run};

/// The consumer. It holds only a lookup, which is all it needs to move from one implementation to
/// another.
async fn describe(postcodes: &dyn PostcodeLookup, text: &str) -> String {
    match postcodes.get_str(text).await {
        Ok(Answer::Live(record)) => record.admin_district().unwrap_or("live").to_owned(),
        Ok(answer) => answer.status().to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// Creates a mock that knows one postcode, as in a unit test of the consumer.
fn mock() -> Result<MockPostcodeLookup> {
    let mut record = Record::live("SW1A 1AA".parse()?);
    let name = Some("Westminster".into());
    record.areas = Areas::owned([(AreaKind::AdminDistrict, OwnedArea { name, ..OwnedArea::default() })]);
    let mut mock = MockPostcodeLookup::new();
    mock.expect_lookup().returning(move |postcodes| {
        let answer =
            |&postcode| if postcode == record.postcode { record.clone().into() } else { Answer::Unknown };
        Ok(postcodes.iter().map(answer).collect())
    });
    Ok(mock)
}

/// Starts a service on a free port of this machine, in this process to keep the example short.
async fn service(postcodes: Arc<dyn PostcodeLookup>) -> Result<String> {
    let options = Options::default();
    let api = Api::new(Edition::of(postcodes).await?, Limits::default());
    let listener = Listener::bind(&"127.0.0.1:0".parse().map_err(anyhow::Error::msg)?).await?;
    let url = listener.url()?;
    tokio::spawn(run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()));
    Ok(url)
}

#[tokio::main]
async fn main() -> Result<()> {
    let local = connect("embedded:").await?;
    let remote = connect(&service(local.clone()).await?).await?;
    let mock: Arc<dyn PostcodeLookup> = Arc::new(mock()?);

    println!("{:12} {:22} {:22} {:22}", "", "mock", "in this process", "over HTTP");
    for text in ["SW1A 1AA", "eh11yz", "AB1 0AA", "BT1 5GS", "SW1A 9ZZ", "nonsense"] {
        let [a, b, c] =
            [describe(&*mock, text).await, describe(&*local, text).await, describe(&*remote, text).await];
        println!("{text:12} {a:22} {b:22} {c:22}");
        anyhow::ensure!(b == c, "the two modes differ on {text}");
    }
    Ok(())
}
