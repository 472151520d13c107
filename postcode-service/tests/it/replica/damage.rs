//! A damaged download or a damaged copy on disk is never used for answers.

use bytes::Bytes;
use http::Response;
use postcode_core::conformance::{Fixture, check};
use postcode_core::{ErrorKind, PostcodeLookupExt};

use crate::replica::over::{Over, copy, files, fixture, large, next};

/// Turns over one bit in the middle of each part.
fn flip(response: &mut Response<Bytes>) {
    let mut body = response.body().to_vec();
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 0x10;
    }
    *response.body_mut() = body.into();
}

#[tokio::test]
async fn a_damaged_download_is_thrown_away_and_the_old_edition_stays() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    let replica = over.replica(dir.path()).start().await.unwrap();
    over.publish(next()).await;
    let damages: [fn(&mut Response<Bytes>); 4] = [
        flip,
        // A server that says no checksum: the file's own tell.
        |response| {
            response.headers_mut().remove("repr-digest");
            flip(response);
        },
        // Less than was promised.
        |response| {
            let half = response.body().slice(..response.body().len() / 2);
            *response.body_mut() = half;
        },
        // A page, from a proxy in between.
        |response| {
            if !response.body().is_empty() {
                *response = Response::new(Bytes::from_static(b"<html>"));
            }
        },
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        over.meddle(damage);
        let error = replica.refresh().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{n}: {error}");
        assert_eq!(replica.status().error.unwrap().kind(), ErrorKind::Protocol);
        check(&replica, &Fixture::small()).await.assert_complete();
        assert!(std::fs::read(copy(dir.path())).unwrap() == fixture().as_bytes(), "{n}: the copy stays");
    }
    over.leave_alone();
    assert!(replica.refresh().await.unwrap());
    assert!(replica.status().error.is_none());
    check(&replica, &Fixture::small().next_edition()).await.assert_complete();
    assert_eq!(files(dir.path()), (1, 0));
}

#[tokio::test]
async fn a_damaged_first_download_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(large("one")).await;
    over.meddle(flip);
    let error = over.replica(dir.path()).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("damaged on the way"), "{error}");
    assert_eq!(files(dir.path()), (0, 0));
    over.leave_alone();
    assert!(over.replica(dir.path()).start().await.unwrap().get_str("M1 1AD").await.unwrap().is_live());
}

#[tokio::test]
async fn a_damaged_part_from_before_is_found_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(large("one")).await;
    over.break_after(Some(2));
    over.replica(dir.path()).start().await.unwrap_err();
    over.break_after(None);
    let part = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&part).unwrap();
    // Another program wrote into it; a crash lost its end; a crash left zeros; it is too long.
    let damaged: [Vec<u8>; 4] =
        [vec![b'x'; whole.len()], whole[..1000].to_vec(), vec![0; whole.len()], vec![1; 20 << 20]];
    for bytes in damaged {
        std::fs::remove_file(&part).unwrap_or_default();
        std::fs::write(&part, bytes).unwrap();
        let replica = match over.replica(dir.path()).start().await {
            Ok(replica) => replica,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Protocol);
                over.replica(dir.path()).start().await.unwrap()
            }
        };
        assert!(std::fs::read(copy(dir.path())).unwrap() == large("one").as_bytes());
        drop(replica);
        std::fs::remove_file(copy(dir.path())).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_copy_is_not_served_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let over = Over::new(fixture()).await;
    drop(over.replica(dir.path()).start().await.unwrap());
    let path = copy(dir.path());
    let whole = std::fs::read(&path).unwrap();
    for at in [0, 20, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        over.set_down(true);
        assert!(over.replica(dir.path()).start().await.is_err(), "byte {at}");
        over.set_down(false);
        let replica = over.replica(dir.path()).start().await.unwrap();
        check(&replica, &Fixture::small()).await.assert_complete();
        assert!(std::fs::read(&path).unwrap() == whole, "byte {at}");
    }
}

#[tokio::test]
async fn replica_that_demands_a_signature_keeps_its_edition_until_the_next_one_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let [ours, theirs] = [0; 2].map(|_| minisign::KeyPair::generate_unencrypted_keypair().unwrap());
    let sign = |pair: &minisign::KeyPair, dataset: &postcode_core::dataset::Dataset| {
        minisign::sign(None, &pair.sk, dataset.as_bytes(), None, None).unwrap().into_string()
    };
    let over = Over::new(fixture()).await;
    let start = || over.replica(dir.path()).public_key(ours.pk.to_base64().parse().unwrap()).start();
    let error = start().await.unwrap_err();
    assert!(error.kind() == ErrorKind::NotSupported && error.to_string().contains("not signed"), "{error}");
    over.publish_signed(&fixture(), &sign(&ours, &fixture())).await;
    let replica = start().await.unwrap();
    check(&replica, &Fixture::small()).await.assert_complete();

    // No signature, a signature with another key, and the signature of the previous edition.
    over.publish(next()).await;
    assert_eq!(replica.refresh().await.unwrap_err().kind(), ErrorKind::NotSupported);
    for signature in [sign(&theirs, &next()), sign(&ours, &fixture()), "nonsense".to_owned()] {
        over.publish_signed(&next(), &signature).await;
        let error = replica.refresh().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Protocol && error.to_string().contains("signature"), "{error}");
        check(&replica, &Fixture::small()).await.assert_complete();
    }
    over.publish_signed(&next(), &sign(&ours, &next())).await;
    assert!(replica.refresh().await.unwrap());
    check(&replica, &Fixture::small().next_edition()).await.assert_complete();
    drop(replica);

    // It starts from its copy, and from none that was put in its place.
    over.set_down(true);
    check(&start().await.unwrap(), &Fixture::small().next_edition()).await.assert_complete();
    std::fs::write(copy(dir.path()), fixture().as_bytes()).unwrap();
    assert!(start().await.is_err());
}
