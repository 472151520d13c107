//! `verify-walk`: a certificate is derived again, and a changed one is refused.
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::fs;
use std::time::Duration;

use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::layers::walk::{Certificate, CertifiedFile, CertifiedSide, Used, Walk, WalkStep, walk};
use postcode_core::layers::{Guard, Promotion, Stage};
use postcode_core::proof::root_of;
use postcode_core::wire::Digest;
use postcode_core::{PostcodeLookup, PostcodeLookupExt, connect};
use sha2::Digest as _;

use crate::program::{dataset, program};

fn ran(arguments: &[&str]) -> (i32, String, String) {
    let output = program().arg("verify-walk").args(arguments).spawn().unwrap().wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Walks from a file to the same file, with calls, and returns the certificate.
async fn certificate(source: &str) -> Certificate {
    let sides = [connect(source).await.unwrap(), connect(source).await.unwrap()];
    let info = sides[0].info().await.unwrap();
    let promotion = Promotion::new(sides[0].clone(), sides[1].clone());
    let mut first = WalkStep::new(Stage::Local, None);
    first.at_least = Duration::from_millis(1);
    let mut all = WalkStep::new(Stage::RemoteWithFallback, None);
    (all.calls, all.errors) = (5, Some(0.2));
    let steps = Walk::new(vec![first, all]);
    let caller = promotion.clone();
    let caller = tokio::spawn(async move {
        loop {
            assert!(caller.get("AB10 1AB".parse().unwrap()).await.unwrap().is_live());
            tokio::task::yield_now().await;
        }
    });
    let walked = walk(&promotion, &steps, Used::default, |_| ()).await.unwrap();
    caller.abort();
    let side = CertifiedSide {
        source: source.to_owned(),
        edition: info.edition,
        fingerprint: info.fingerprint,
        root: root_of(source).await.unwrap(),
    };
    Certificate::new("test".into(), [side.clone(), side], Guard::default(), steps, walked)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_is_derived_again_and_a_changed_digit_signature_root_or_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let source = dataset(&folder.path().join("one.postcodes"), "2025-11");
    let other = dataset(&folder.path().join("other.postcodes"), "2025-12");
    let mut certificate = certificate(&source).await;
    let bytes = fs::read(path("one.postcodes")).unwrap();
    certificate.files.push(CertifiedFile {
        name: "one.postcodes".into(),
        bytes: bytes.len() as u64,
        sha256: Digest(sha2::Sha256::digest(&bytes).into()),
    });
    let text = certificate.to_text().unwrap();
    let file = path("walk.json");
    let [ours, theirs] = [0; 2].map(|_| minisign::KeyPair::generate_unencrypted_keypair().unwrap());
    let sign = |text: &str| {
        let signature = minisign::sign(None, &ours.sk, text.as_bytes(), None, None).unwrap().into_string();
        fs::write(path("walk.json.minisig"), signature).unwrap();
    };
    fs::write(&file, &text).unwrap();
    sign(&text);
    let key = ours.pk.to_base64();
    let one = path("one.postcodes");

    let (status, out, error) =
        ran(&[&file, "--public-key", &key, "--old", &source, "--new", &source, "--file", &one]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    assert!(
        out.contains("signed\n") && out.contains("local to remote-with-fallback: all criteria are shown"),
        "{out}"
    );
    assert!(out.contains("outcome Done") && out.contains("roots equal: "), "{out}");
    assert_eq!(ran(&[&file]).0, 0);

    // The editions have different metadata and equal answers, so equal roots; another answer has not.
    assert_eq!(ran(&[&file, "--old", &other]).0, 0);
    let mut builder = DatasetBuilder::new(Metadata::new("2025-11"));
    builder.push(&Row::live("AB10 1AB".parse().unwrap())).unwrap();
    fs::write(path("third.postcodes"), builder.build().unwrap().as_bytes()).unwrap();
    let (status, _, error) = ran(&[&file, "--old", &path("third.postcodes")]);
    assert!(status == 1 && error.contains("the certificate says"), "{error}");
    let (status, _, error) = ran(&[&file, "--file", &file]);
    assert!(status == 1 && error.contains("not the digest of a file"), "{error}");
    let (status, _, error) = ran(&[&file, "--public-key", &theirs.pk.to_base64()]);
    assert!(status == 1 && !error.is_empty(), "{error}");

    // One digit.
    let at = text.find("\"at_ms\": 1").unwrap() + 12;
    let mut changed = text.clone().into_bytes();
    changed[at] = if changed[at] == b'9' { b'8' } else { changed[at] + 1 };
    fs::write(&file, &changed).unwrap();
    let (status, _, error) = ran(&[&file, "--public-key", &key]);
    assert!(status == 1, "{error}");
    let (status, _, error) = ran(&[&file]);
    assert!(status == 1 && error.contains("the file was changed"), "{error}");

    // Sealed and signed again: what was decided does not follow.
    let last = certificate.walked.moves.len() - 1;
    certificate.walked.moves[last].evidence.failed = certificate.walked.moves[last].evidence.asked;
    let text = certificate.to_text().unwrap();
    fs::write(&file, &text).unwrap();
    sign(&text);
    let (status, _, error) = ran(&[&file, "--public-key", &key]);
    assert!(status == 1 && error.contains("do not follow from the observations"), "{error}");
}
