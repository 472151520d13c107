use crate::Error;
use std::path::PathBuf;

use super::*;
use crate::ErrorKind;
use crate::source::{Source, SourceUrl};

fn refused(url: &str) -> Error {
    SourceUrl::parse(url).and_then(|url| url.no_options()).expect_err(url)
}

#[test]
fn what_can_be_written_is_understood() {
    let path = |url: &str| match SourceUrl::parse(url).expect(url).source {
        Source::File(path) | Source::Unix(path) => path,
        other => panic!("{url}: {other:?}"),
    };
    for (url, expected) in [
        ("file:/data/uk.postcodes", "/data/uk.postcodes"),
        ("file:uk.postcodes", "uk.postcodes"),
        ("file:./a/../uk.postcodes", "./a/../uk.postcodes"),
        ("file:///data/uk.postcodes", "/data/uk.postcodes"),
        ("file://localhost/data/uk.postcodes", "/data/uk.postcodes"),
        ("FILE:/data/my%20uk%3F.postcodes", "/data/my uk?.postcodes"),
        ("  file:/a:b/100%/c \n", "/a:b/100%/c"),
        ("unix:/run/postcode.sock", "/run/postcode.sock"),
        ("unix:///run/postcode.sock?timeout=1s", "/run/postcode.sock"),
        ("unix:postcode.sock", "postcode.sock"),
    ] {
        assert_eq!(path(url), PathBuf::from(expected), "{url}");
    }
    assert!(matches!(SourceUrl::parse("embedded:").unwrap().source, Source::Embedded));
    for (url, expected) in [
        ("http://host:8080", "http://host:8080/"),
        ("https://user:pw@host/prefix/?retries=1", "https://user:pw@host/prefix/"),
        ("HTTP://[::1]:8080/", "http://[::1]:8080/"),
    ] {
        match SourceUrl::parse(url).unwrap().source {
            Source::Http(url) => assert_eq!(url.as_str(), expected),
            other => panic!("{url}: {other:?}"),
        }
    }
    let options = SourceUrl::parse("unix:/s?timeout=200ms&retries=2").unwrap().options;
    assert_eq!(options, [("timeout".into(), "200ms".into()), ("retries".into(), "2".into())]);
}

#[test]
fn what_can_not_says_how_to_write_it() {
    for (url, says) in [
        ("", "no source: write embedded:, file:"),
        ("embedded", "\"embedded\" has no scheme: write embedded:"),
        ("embedded:uk", "takes nothing after the colon"),
        ("embedded:?timeout=1s", "unknown option \"timeout\": embedded: takes no options"),
        ("file:", "file: has no path: write file:/path/uk.postcodes"),
        ("file://", "file: has no path"),
        ("file:?x=1", "file: has no path"),
        ("file://server/share/a", "is another machine"),
        ("file:/a%00b", "NUL"),
        ("unix:", "unix: has no path: write unix:/run/postcode.sock"),
        ("/data/uk.postcodes", "write file:/data/uk.postcodes"),
        ("./uk.postcodes", "write file:./uk.postcodes"),
        ("uk.postcodes", "write file:uk.postcodes"),
        ("C:\\data\\uk", "write file:C:\\data\\uk"),
        ("localhost:8080", "write http://localhost:8080"),
        ("localhost:8080/prefix", "write http://localhost:8080/prefix"),
        ("127.0.0.1:8080", "write http://127.0.0.1:8080"),
        ("[::1]:8080", "write http://[::1]:8080"),
        ("postcodes.example", "write file:postcodes.example for a dataset file or http://postcodes.example"),
        ("ftp://host/file", "unknown scheme \"ftp\": write embedded:, file:"),
        ("postgres://host", "unknown scheme \"postgres\""),
        ("http:host:8080", "write http://host:8080"),
        ("http:/host:8080", "write http://host:8080"),
        ("http://", "http://host:port"),
        ("http://host:99999", "invalid port number"),
        ("http://ho st", "invalid international domain name"),
        ("http://host/#a", "#fragment"),
    ] {
        let error = refused(url);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
        assert!(error.to_string().contains(says), "{url}: {error}");
    }
    let long = format!("http:{}", "x".repeat(100_000));
    assert!(refused(&long).to_string().len() < 500);
}

#[test]
fn secrets_are_not_shown() {
    for url in [
        "http://user:hunter2@host:99999",
        "http://user:hunter2/pw@ho st/",
        "http://user:hunter2?pw@ho st/",
        "http:user:hunter2@host",
        "user:hunter2@host:8080",
        "user@hunter2@host",
        "ftp://user:hunter2@host",
        "file://user:hunter2@host/a",
        "http://host/?token=hunter2#x",
        "localhost:8080?token=hunter2",
        "embedded:?token=hunter2",
        "./path?token=hunter2",
    ] {
        let error = refused(url);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
    }
}

#[cfg(feature = "http")]
#[tokio::test]
async fn a_service_need_not_be_up_and_options_are_checked() {
    for url in [
        "http://127.0.0.1:1?timeout=200ms&retries=2&deadline=1.5s&batch=500&connect_timeout=0.1s",
        "http://127.0.0.1:1/prefix/?retries=0&concurrency=64&encoding=json&proxy=env&deadline=2m",
        "unix:/nowhere/postcode.sock?timeout=200ms",
        "https://user:pw@127.0.0.1:1",
        "http://a?breaker=off&bulkhead=off&hedge=off&join=off&cache=off&single_flight=off&backoff=1ms&retry_budget=0",
        "http://a?breaker=9/250ms&bulkhead=1&hedge=p99.9&join=2&cache=1048576&cache_ttl=10m&single_flight=on",
        "http://a?order=round_robin&failover=http://user:pw@b:8080/prefix&failover=unix:/s&breaker=3",
        "http://a?fallback=http://b%3Ftimeout=1s%26retries=0",
    ] {
        connect(url).await.expect(url);
    }
    for (options, says) in [
        ("colour=blue", "unknown option \"colour\": the options are deadline, timeout,"),
        ("Timeout=1s", "unknown option \"Timeout\""),
        ("timeout=200", "timeout=\"200\": give a duration such as 200ms, 1.5s or 2m"),
        ("timeout=", "give a duration"),
        ("timeout=-1s", "give a duration"),
        ("timeout=1e3s", "give a duration"),
        ("timeout=.s", "give a duration"),
        ("timeout=infs", "give a duration"),
        ("timeout=99999999999999999999999999s", "give a duration"),
        ("timeout=0s", "a timeout of 0ns: give 1ms to 10m"),
        ("deadline=11m", "a deadline of 660s: give 1ms to 10m"),
        ("retries=11", "retries=11: give 0 to 10"),
        ("retries=-1", "retries=\"-1\": give a whole number"),
        ("batch=0", "batch=0: give 1 to 10000"),
        ("batch=10001", "batch=10001: give 1 to 10000"),
        ("concurrency=65", "concurrency=65: give 1 to 64"),
        ("encoding=xml", "encoding=xml: give compact or json"),
        ("proxy=maybe", "proxy=maybe: give none or env"),
        ("backoff=0s", "a backoff of 0ns"),
        ("retry_budget=1.5", "retry_budget=1.5: give 0 to 1"),
        ("retry_budget=NaN", "give 0 to 1"),
        ("retry_budget=20%", "give a number from 0 to 1"),
        ("breaker=0", "breaker=0: give 1 to 1000"),
        ("breaker=5/", "breaker=\"\": give a duration"),
        ("breaker=on", "breaker=\"on\": give off, failures in a row such as 5, or 5/1s"),
        ("bulkhead=0", "bulkhead=0: give 1 to 100000"),
        ("hedge=p101", "give off, a time such as 30ms, or p50 to p99.9"),
        ("hedge=3", "hedge=\"3\": give a duration"),
        ("join=1", "join=1: give 2 to 10000"),
        ("single_flight=yes", "single_flight=\"yes\": give on or off"),
        ("cache=1", "cache=1: give 1024 to"),
        ("cache=1MB", "cache=\"1MB\": give a whole number"),
        ("cache_ttl=1h", "cache_ttl=\"1h\": give a duration"),
        ("order=random", "order=\"random\": give given or round_robin"),
        ("failover=b:8080", "option failover: \"b:8080\" has no scheme"),
        ("failover=embedded:", "option failover: embedded: is not a service"),
        ("failover=http://b?retries=0", "an endpoint takes its options from the first one"),
        ("failover=http://b&breaker=off", "breaker=off with several endpoints"),
        ("fallback=nowhere", "option fallback: \"nowhere\" has no scheme"),
        ("fallback=http://b?colour=blue", "option fallback: unknown option \"colour\""),
        ("retries=1&retries=2", "option \"retries\" is given twice"),
    ] {
        for base in ["http://127.0.0.1:1", "unix:/run/postcode.sock"] {
            let error = connect(&format!("{base}?{options}")).await.expect_err(options);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{options}");
            assert!(error.to_string().contains(says), "{options}: {error}");
        }
    }
}

#[cfg(feature = "http")]
#[test]
fn a_remote_is_no_file() {
    for url in ["embedded:", "file:/a"] {
        let error = crate::Remote::new(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("is not a service"), "{error}");
    }
}

#[cfg(feature = "http")]
#[test]
fn a_remote_shows_no_secret() {
    let remote = crate::Remote::builder("https://user:hunter2@host/prefix/")
        .authorization("Bearer hunter2")
        .build()
        .unwrap();
    assert_eq!(remote.to_string(), "https://host/prefix");
    assert!(format!("{remote:?}").contains("https://host/prefix"));
    assert!(!format!("{remote:?}").contains("hunter2"));
    let builder = crate::Remote::builder("http://host").authorization("Bearer hunter2\n");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[cfg(not(feature = "http"))]
#[tokio::test]
async fn a_scheme_that_is_off_names_its_feature() {
    for url in ["http://host", "https://host", "unix:/run/postcode.sock"] {
        let error = connect(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains("feature \"http\""), "{error}");
    }
}

#[cfg(feature = "dataset")]
#[tokio::test]
async fn a_file_is_opened_at_once() {
    use crate::PostcodeLookupExt;
    use crate::dataset::{DatasetBuilder, Metadata, Row};

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("my uk.postcodes");
    let url = format!("file:{}", path.to_str().unwrap().replace(' ', "%20"));
    let error = connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Dataset);
    assert!(error.to_string().contains("my uk.postcodes"), "{error}");
    let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    builder.push(&Row::live("SW1A 1AA".parse().unwrap())).unwrap();
    std::fs::write(&path, builder.build().unwrap().as_bytes()).unwrap();
    assert!(connect(&url).await.unwrap().validate("SW1A 1AA").await.unwrap());
}

#[cfg(not(feature = "dataset"))]
#[tokio::test]
async fn a_source_in_process_that_is_off_names_its_feature() {
    for (url, feature) in [("embedded:", "\"embedded\""), ("file:/uk.postcodes", "\"dataset\"")] {
        let error = connect(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains(feature), "{error}");
    }
}

#[tokio::test]
async fn a_replica_is_of_a_service() {
    for text in [
        "replica:",
        "replica:embedded:",
        "replica:host:8080",
        "replica:replica:http://host",
        "replica:file:/x",
    ] {
        let error = connect(text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        assert!(error.to_string().contains("write replica:http://host:port"), "{text}: {error}");
    }
    let url = SourceUrl::parse("REPLICA:http://user:hunter2@host/p?dir=/tmp/x").unwrap();
    assert_eq!((url.source.scheme(), url.options.len()), ("replica", 1));
    #[cfg(not(feature = "replica"))]
    assert!(connect("replica:http://host").await.unwrap_err().to_string().contains("feature \"replica\""));
    #[cfg(feature = "replica")]
    {
        let shown =
            crate::Connector::new("replica:http://user:hunter2@host/p?dir=/tmp/x&interval=5s").unwrap();
        assert_eq!(shown.to_string(), "replica:http://host/p interval=5s dir=/tmp/x");
        assert!(!format!("{shown:?}").contains("hunter2"));
        let dir = tempfile::tempdir().unwrap();
        let nobody = postcode_testing::Nobody::new();
        let url = format!("replica:{}?dir={}", nobody.url(), dir.path().display());
        // It is ready when this returns, so without a service and a copy it fails.
        assert_eq!(connect(&url).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
