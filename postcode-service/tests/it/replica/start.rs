//! The start of a replica: with and without a previous copy, with and without the service.

use postcode_core::conformance::{Fixture, check};
use postcode_core::{ErrorKind, Local, PostcodeLookupExt, Replica};

use crate::replica::over::{Over, copy, files, fixture, large, next};

#[tokio::test]
async fn the_first_start_downloads_and_the_next_need_no_service() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    let replica = over.replica(dir.path()).start().await.unwrap();
    check(&replica, &Fixture::small()).await.assert_complete();
    assert_eq!(files(dir.path()), (1, 0));
    assert_eq!(std::fs::read(copy(dir.path())).unwrap(), fixture().as_bytes());
    assert!(replica.status().confirmed.is_some() && replica.status().error.is_none());
    // The copy is a dataset file like any other.
    Local::open(copy(dir.path())).unwrap();
    drop(replica);

    over.set_down(true);
    let replica = over.replica(dir.path()).start().await.unwrap();
    check(&replica, &Fixture::small()).await.assert_complete();
    assert!(replica.refresh().await.is_err());
    let status = replica.status();
    assert_eq!(status.error.unwrap().kind(), ErrorKind::Unavailable);
    assert!(status.confirmed.is_none(), "nobody has said that this is the edition");
    check(&replica, &Fixture::small()).await.assert_complete();
}

#[tokio::test]
async fn without_a_service_and_without_a_copy_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    over.set_down(true);
    let error = over.replica(dir.path()).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let message = error.to_string();
    assert!(
        message.contains("HEAD http://service/dataset") && message.contains("to answer from"),
        "{message}"
    );
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(files(dir.path()), (0, 0));
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke_off_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(large("one")).await;
    over.break_after(Some(2));
    let error = over.replica(dir.path()).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(files(dir.path()), (0, 1));
    assert_eq!(over.ranges(), ["bytes=0-1048575", "bytes=1048576-2097151"]);
    over.break_after(None);
    let replica = over.replica(dir.path()).start().await.unwrap();
    assert_eq!(over.ranges()[0], "bytes=2097152-3145727");
    assert_eq!(std::fs::read(copy(dir.path())).unwrap(), large("one").as_bytes());
    assert_eq!(files(dir.path()), (1, 0));
    assert!(replica.get_str("M1 1AD").await.unwrap().is_live());
}

#[tokio::test]
async fn a_part_of_another_edition_is_not_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(large("one")).await;
    over.break_after(Some(2));
    over.replica(dir.path()).start().await.unwrap_err();
    over.publish(large("two")).await;
    over.break_after(None);
    over.ranges();
    let replica = over.replica(dir.path()).start().await.unwrap();
    assert_eq!(over.ranges()[0], "bytes=0-1048575");
    assert_eq!(std::fs::read(copy(dir.path())).unwrap(), large("two").as_bytes());
    assert_eq!(files(dir.path()), (1, 0), "what is of no use any more is removed");
    drop(replica);
}

#[tokio::test]
async fn a_server_that_offers_no_file_is_no_source() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    for (status, kind) in [
        (404, ErrorKind::NotSupported),
        (501, ErrorKind::NotSupported),
        (503, ErrorKind::Overloaded),
        (500, ErrorKind::Internal),
        (302, ErrorKind::Protocol),
    ] {
        over.meddle(move |response| *response.status_mut() = status.try_into().unwrap());
        let error = over.replica(dir.path()).start().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
    }
    // Without a strong tag two ranges could be of two editions.
    over.meddle(|response| drop(response.headers_mut().insert("etag", "W/\"x\"".parse().unwrap())));
    let error = over.replica(dir.path()).start().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Protocol && error.to_string().contains("strong ETag"), "{error}");
    over.meddle(|response| {
        drop(response.headers_mut().insert("content-length", "99999999999999".parse().unwrap()))
    });
    let error = over.replica(dir.path()).start().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Protocol && error.to_string().contains("are allowed"), "{error}");
    assert_eq!(files(dir.path()), (0, 0));
}

#[tokio::test]
async fn two_services_share_a_folder_and_two_replicas_of_one_too() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (Over::new(large("one")).await, Over::new(next()).await);
    let elsewhere = Replica::builder("http://elsewhere").transport(other.clone()).dir(dir.path());
    let (a, b, c) =
        futures::join!(one.replica(dir.path()).start(), one.replica(dir.path()).start(), elsewhere.start(),);
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    let editions = [&a, &b, &c].map(|replica| replica.status().info.fingerprint);
    assert!(editions[0] == editions[1] && editions[1] != editions[2]);
    assert_eq!(files(dir.path()), (2, 0));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    for (url, said) in [
        ("http://service?interval=1ms", "interval"),
        ("http://service?interval=soon", "interval"),
        ("http://service?dir=", "dir"),
        ("http://service?dir=a&dir=b", "twice"),
        ("http://service?nonsense=1", "nonsense"),
        ("embedded:", "is not a service"),
        ("service", "no scheme"),
    ] {
        let error = Replica::start(url).await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::InvalidInput && error.to_string().contains(said),
            "{url}: {error}"
        );
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let over = Over::new(fixture()).await;
    let error = over.replica(&file.path().join("below")).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Dataset, "{error}");
    let dir = tempfile::tempdir().unwrap();
    let replica = over.replica(dir.path()).start().await.unwrap();
    assert_eq!(replica.to_string(), "replica of http://service");
    assert!(!format!("{replica:?}").contains("hunter2"));
}
