//! The addresses of a service against those of a file: by the root of all answers, and by asking for each.

use std::io::Cursor;
use std::sync::Arc;

use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
use postcode_addresses::lookup::conformance;
use postcode_addresses::proof::Tree;
use postcode_addresses::{LocalAddresses, RemoteAddresses};
use postcode_core::Local;
use postcode_core::proof::compare;
use postcode_service::prove::{AddressCounts, AddressOptions, AddressSide, Difference, prove_addresses};
use serde_json::{Value, json};

use crate::common::{api_over, get, program, small};
use crate::conformance::in_memory::Duplex;
use crate::program::{Server, dataset};

/// The fixture with another building number in one address.
fn renumbered(udprn: u32) -> AddressFile {
    let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("renumbered")).unwrap();
    for mut address in conformance::addresses() {
        if address.udprn == Some(udprn) && address.umprn.is_none() {
            address.building_number = "99".into();
        }
        writer.push(&address).unwrap();
    }
    AddressFile::from_bytes(writer.finish().unwrap().0.into_inner()).unwrap()
}

async fn service(file: AddressFile) -> RemoteAddresses {
    let postcodes = Local::new(conformance::postcodes().unwrap());
    let duplex = Duplex::over(Arc::new(postcodes)).await;
    duplex.api().serve_addresses(file);
    duplex.remote().into()
}

fn local() -> (Arc<LocalAddresses>, Arc<AddressFile>) {
    let local = Arc::new(LocalAddresses::new(conformance::file().unwrap()));
    let file = local.file();
    (local, file)
}

#[tokio::test]
async fn service_that_is_wrong_about_one_postcode_is_named_by_its_root() {
    let (lookup, file) = local();
    let tree = Tree::build(lookup, file, 2).await.unwrap();
    let same = service(conformance::file().unwrap()).await;
    let seen = compare(&tree, &same, 8).await.unwrap();
    assert_eq!((seen.roots[0], seen.requests), (seen.roots[1], 1));
    let wrong = service(renumbered(1_003)).await;
    let seen = compare(&tree, &wrong, 8).await.unwrap();
    assert_ne!(seen.roots[0], seen.roots[1]);
    assert_eq!((&seen.different[..], seen.is_complete), (&["ZE9 9AA".to_owned()][..], true), "{seen:?}");
}

async fn proved(file: AddressFile) -> (AddressCounts, Vec<Difference>) {
    let (lookup, listed) = local();
    let one = AddressSide::of(lookup, Some(listed)).await.unwrap();
    let other = AddressSide::of(Arc::new(service(file).await), None).await.unwrap();
    let mut differences = Vec::new();
    let found = |difference: &Difference| {
        differences.push(difference.clone());
        Ok(())
    };
    let options = AddressOptions { numbers: true, at_once: 2 };
    let counts = prove_addresses([one, other], options, found, |_, _| {}).await.unwrap();
    (counts, differences)
}

#[tokio::test]
async fn every_page_and_number_of_a_service_is_compared() {
    let (counts, differences) = proved(conformance::file().unwrap()).await;
    assert_eq!(differences, []);
    // 13 UDPRNs, 13 UPRNs and 150 UMPRNs.
    assert_eq!(counts, AddressCounts { postcodes: 2, addresses: 163, numbers: 176, different: 0 });

    let (counts, differences) = proved(renumbered(1_003)).await;
    let queries: Vec<&str> = differences.iter().map(|difference| difference.query.as_str()).collect();
    assert_eq!(queries, ["ZE9 9AA", "udprn:1003", "uprn:100000000003"]);
    assert_eq!(counts.different, 3);
    let told = differences[0].to_string();
    assert!(told.contains("addresses.2.building_number: \"3\" | \"99\""), "{told}");
}

#[tokio::test]
async fn neither_side_a_file_proves_nothing() {
    let side = AddressSide::of(Arc::new(service(conformance::file().unwrap()).await), None).await.unwrap();
    let options = AddressOptions { numbers: false, at_once: 1 };
    let error = prove_addresses([side.clone(), side], options, |_| Ok(()), |_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("must be a file of addresses"), "{error}");
}

#[tokio::test]
async fn route_of_the_root_is_bounded_and_follows_the_file() {
    let api = api_over(Local::new(conformance::postcodes().unwrap())).await;
    let lookup = api.serve_addresses(conformance::file().unwrap());
    let first = get(&api, "/addresses/proof").await;
    assert_eq!((first.status.as_u16(), &first.json()["retryable"]), (503, &json!(true)));
    let root = async || loop {
        let answer = get(&api, "/addresses/proof?of=root").await;
        if answer.status == 200 {
            assert_eq!(answer.header("cache-control"), "private, no-store");
            assert_eq!(answer.json()["result"]["nodes"][0]["children"][0][0], "area ZE");
            return answer.json()["result"]["root"].clone();
        }
        tokio::task::yield_now().await;
    };
    let before = root().await;
    let many = vec!["root"; 65].join(",");
    assert_eq!(get(&api, &format!("/addresses/proof?of={many}")).await.status, 400);
    lookup.replace(renumbered(1_003));
    assert_ne!(root().await, before);

    let none = api_over(small()).await;
    assert_eq!(get(&none, "/addresses/proof").await.status, 501);
}

#[test]
fn program_proves_a_service_against_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let postcodes = dataset(&folder.path().join("uk.postcodes"), "made by hand");
    let write = |name: &str, file: AddressFile| {
        let path = folder.path().join(name);
        std::fs::write(&path, file.as_bytes()).unwrap();
        path.display().to_string()
    };
    let (right, wrong) =
        (write("right.addresses", conformance::file().unwrap()), write("wrong.addresses", renumbered(1_003)));
    let server = Server::start(&[
        "--listen",
        "127.0.0.1:0",
        "--jobs",
        "none",
        "--data",
        &postcodes,
        "--addresses",
        &right,
    ]);
    let run = |file: &str, more: &[&str]| {
        let arguments = ["prove", "--addresses", "--quiet", file, &server.address];
        let output = program().args(arguments).args(more).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, error) = run(&right, &["--by-root"]);
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(out.contains("all answers are equal: root "), "{out}");
    let (code, out, error) = run(&wrong, &["--by-root", "--json"]);
    assert_eq!(code, Some(1), "{out}{error}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["different"], &told["complete"]), (&json!(["ZE9 9AA"]), &json!(true)));
    let (code, out, error) = run(&right, &["--numbers"]);
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(out.contains("2 postcodes, 163 addresses, 176 numbers: all answers are equal"), "{out}");
    let (code, out, error) = run(&wrong, &[]);
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(out.contains("ZE9 9AA") && out.contains("1 different"), "{out}");
    drop(server);
}
