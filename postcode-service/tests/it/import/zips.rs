//! Zip files as they come, whole and cut off.

use postcode_testing::{gzip, zipped as zip};

use super::{Bench, run};

const CSV: &str = "pcds,dointr,doterm,lad25cd\nAB1 0AA,198001,199606,S12000033\nAB10 1AB,199606,,S12000033\n";

#[test]
fn a_published_zip_with_its_documents() {
    let bench = Bench::new();
    let names: &[u8] = b"\xef\xbb\xbfLAD25CD,LAD25NM\r\nS12000033,Aberdeen of the test\r\n";
    let bytes = zip(&[
        ("Data/ONSPD_NOV_2025_UK.csv", CSV.as_bytes()),
        ("Data/multi_csv/ONSPD_NOV_2025_UK_AB.csv", CSV.as_bytes()),
        ("Documents/LAD25 names and codes.csv", names),
        ("Documents/OA25 names and codes.csv", b"OA25CD,OA25NM\r\nS1,x\r\n"),
        ("User Guide/guide.pdf", b"%PDF"),
        ("../../outside.csv", b"nothing,of,use\n"),
        ("__MACOSX/Data/._ONSPD_NOV_2025_UK.csv", b"\0\0"),
    ]);
    let report = run(&bench.import(bench.file("download.zip", bytes))).unwrap();
    assert_eq!((report.tables, report.lists, report.fill.rows, report.refused), (1, 1, 2, 0));
    assert_eq!(report.edition, "ONSPD November 2025");
    let record = bench.dataset().get("AB10 1AB".parse().unwrap()).live().unwrap();
    assert_eq!(
        record.admin_district(),
        Some("Aberdeen of the test"),
        "the documents come before what is built in"
    );
    assert!(!bench.folder.path().parent().unwrap().join("outside.csv").exists());
}

#[test]
fn a_zip_within_a_zip() {
    let bench = Bench::new();
    let inner = zip(&[("NSPL_AUG_2024_UK_AB.csv", CSV.as_bytes())]);
    let bytes = zip(&[("Data/multi_csv.zip", &inner)]);
    let report = run(&bench.import(bench.file("nspl.zip", bytes))).unwrap();
    assert_eq!((report.edition.as_str(), report.fill.rows), ("NSPL August 2024", 2));
    let inner = zip(&[("x.zip", &inner)]);
    let error = run(&bench.import(bench.file("deep.zip", zip(&[("y.zip", &inner)])))).unwrap_err();
    assert!(error.to_string().contains("unpack the outer ones"), "{error}");
}

#[test]
fn every_truncation_is_an_error() {
    let bench = Bench::new();
    let bytes = zip(&[("Data/ONSPD_NOV_2025_UK.csv", CSV.as_bytes())]);
    for length in 0..bytes.len() {
        let path = bench.file("cut.zip", &bytes[..length]);
        assert!(run(&bench.import(path)).is_err(), "{length} of {} bytes", bytes.len());
        assert!(!bench.path("out.postcodes").exists());
    }
}

#[test]
fn altered_contents_are_an_error() {
    let bench = Bench::new();
    let mut bytes = zip(&[("Data/ONSPD_NOV_2025_UK.csv", CSV.as_bytes())]);
    let name = b"ONSPD_NOV_2025_UK.csv";
    let start = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    bytes[start + 40] ^= 0x10;
    let error = format!("{:#}", run(&bench.import(bench.file("altered.zip", bytes))).unwrap_err());
    assert!(error.contains("altered.zip/Data/ONSPD_NOV_2025_UK.csv"), "{error}");
}

#[test]
fn gzip_and_zstd_by_content() {
    let bench = Bench::new();
    let gzip = gzip(CSV.as_bytes());
    let zstd = zstd::encode_all(CSV.as_bytes(), 3).unwrap();
    for (name, bytes) in [("a.csv.gz", &gzip), ("b.csv.zst", &zstd), ("c.csv", &gzip)] {
        assert_eq!(run(&bench.import(bench.file(name, bytes))).unwrap().fill.rows, 2, "{name}");
        let cut = run(&bench.import(bench.file(name, &bytes[..bytes.len() - 6])));
        assert!(cut.is_err(), "{name} cut off");
    }
}

#[test]
fn a_bomb_ends_early() {
    let bench = Bench::new();
    // 256 MB of one letter in 250 kB: no line of it fits.
    let bytes = zip(&[("Data/ONSPD.csv", &[CSV.as_bytes(), &vec![b'a'; 256 << 20]].concat())]);
    let error = run(&bench.import(bench.file("bomb.zip", bytes))).unwrap_err();
    assert!(error.to_string().contains("a line of more than"), "{error}");
}

#[test]
fn a_name_in_another_encoding_than_it_says_is_no_reason_to_refuse() {
    let bench = Bench::new();
    // Said to be UTF-8 by the flag that the writer sets for it, and then made Latin-1 of the same
    // length.
    let mut bytes = zip(&[("Documents/Ynys Mô.csv", CSV.as_bytes()), ("Data/onspd.csv", b"x,y\n1,2\n")]);
    let good = "Mô".as_bytes();
    let places: Vec<usize> =
        (0..bytes.len() - good.len()).filter(|at| &bytes[*at..at + good.len()] == good).collect();
    assert_eq!(places.len(), 2, "in the header of the file and in the directory");
    for at in places {
        bytes[at + 1..at + 3].copy_from_slice(b"\xf4\xf4");
    }
    assert_eq!(run(&bench.import(bench.file("named.zip", bytes))).unwrap().fill.rows, 2);
}
