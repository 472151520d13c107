//! Columns from address data, and the comparison of the address in each row with those of its postcode.

use postcode_addresses::lookup::conformance;
use postcode_core::Local;

use crate::common::{api_over, post, program};

#[test]
fn enrich_adds_columns_of_addresses_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let addresses = folder.path().join("invented.addresses");
    std::fs::write(&addresses, conformance::file().unwrap().as_bytes()).unwrap();
    let postcodes = folder.path().join("invented.postcodes");
    std::fs::write(&postcodes, conformance::postcodes().unwrap().as_bytes()).unwrap();
    let input = folder.path().join("in.csv");
    std::fs::write(&input, "id,postcode\n1,ze99aa\n2,ZE9 9AE\n3,AB1 0AA\n4,ZE9 9ZZ\n5,?\n6,ZE9 9AD\n")
        .unwrap();
    let enrich = |columns: &str, more: &[&str]| {
        let (input, source) = (input.to_str().unwrap(), format!("file:{}", postcodes.display()));
        let arguments = ["enrich", input, "--source", &source, "--columns", columns];
        program().args(arguments).args(more).output().unwrap()
    };
    let file = addresses.to_str().unwrap();
    let columns = "status,address_count,address_status,address_street,address_town";
    let done = enrich(columns, &["--addresses", file]);
    let (out, said) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    assert!(done.status.success(), "{said}");
    assert_eq!(
        out,
        "id,postcode,status,address_count,address_status,address_street,address_town\n\
         1,ze99aa,live,12,found,Ash Road,EXAMPLETON\n\
         2,ZE9 9AE,live,0,no_addresses,,\n\
         3,AB1 0AA,live,,not_covered,,\n\
         4,ZE9 9ZZ,unknown,,unknown,,\n\
         5,?,invalid,,,,\n\
         6,ZE9 9AD,live,151,found,Elm Lane,EXAMPLETON\n"
    );
    assert!(said.contains("Invented by the tests"), "the attribution: {said}");

    let done = enrich("address_count", &[]);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&done.stderr).contains("--addresses"), "{done:?}");
    let usual = enrich("status", &["--addresses", "/nowhere.addresses"]);
    assert!(usual.status.success(), "a file that no column needs is not opened: {usual:?}");
}

#[test]
fn enrich_compares_the_address_of_each_row_with_those_of_its_postcode() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let addresses = write("invented.addresses", conformance::file().unwrap().as_bytes());
    let source =
        format!("file:{}", write("invented.postcodes", conformance::postcodes().unwrap().as_bytes()));
    let enrich = |input: &str, more: &[&str]| {
        let columns = "address_match,address_udprn,address_umprn,address_uprn,address_line";
        let arguments =
            ["enrich", input, "--source", &source, "--addresses", &addresses, "--columns", columns];
        let done = program().args(arguments).args(more).output().unwrap();
        (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let certificates = "ADDRESS1,ADDRESS2,POSTCODE\n\
        7 ASH RD,EXAMPLETON,ZE9 9AA\n\
        \"Room 150, Oak Hall\",Elm Lane,ZE9 9AD\n\
        \"Room 151, Oak Hall\",Elm Lane,ZE9 9AD\n\
        70 Ash Road,,ZE9 9AA\n\
        ,,ZE9 9AA\n\
        1 Ash Road,,AB1 0AA\n";
    let (out, said) = enrich(&write("certificates.csv", certificates.as_bytes()), &[]);
    assert_eq!(
        out,
        "ADDRESS1,ADDRESS2,POSTCODE,address_match,address_udprn,address_umprn,address_uprn,address_line\n\
         7 ASH RD,EXAMPLETON,ZE9 9AA,one,1007,,100000000007,\"Example Bakery Ltd, 7 Ash Road, EXAMPLETON, ZE9 9AA\"\n\
         \"Room 150, Oak Hall\",Elm Lane,ZE9 9AD,one,52000001,60000150,200000000001,\
         \"Room 150, Oak Hall, Elm Lane, EXAMPLETON, ZE9 9AD\"\n\
         \"Room 151, Oak Hall\",Elm Lane,ZE9 9AD,none,,,,\n\
         70 Ash Road,,ZE9 9AA,none,,,,\n\
         ,,ZE9 9AA,,,,,\n\
         1 Ash Road,,AB1 0AA,,,,,\n",
        "{said}"
    );
    assert!(said.contains("the addresses are in the columns \"ADDRESS1\", \"ADDRESS2\""), "{said}");

    let rows = "{\"where\":\"Apt 7, 1 Ash Road\",\"postcode\":\"ZE9 9AA\"}\n{\"where\":\"12 Ash Road\",\"postcode\":\"ZE9 9AA\"}\n";
    let rows = write("rows.ndjson", rows.as_bytes());
    let (out, said) = enrich(&rows, &["--address-columns", "where"]);
    let matches: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["address_uprn"].clone())
        .collect();
    assert_eq!(matches, [serde_json::Value::Null, 100_000_000_012_u64.into()], "{said}");

    let (out, said) = enrich(&write("places.csv", b"site,postcode\n7 Ash Road,ZE9 9AA\n"), &[]);
    assert!(out.is_empty() && said.contains("--address-columns"), "{said}");
}

#[tokio::test]
async fn enrich_over_http_has_no_columns_of_addresses() {
    let api = api_over(Local::new(conformance::postcodes().unwrap())).await;
    api.serve_addresses(conformance::file().unwrap());
    let answer = post(&api, "/enrich?columns=address_count", "text/csv", "postcode\nZE9 9AA\n").await;
    let said = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status.as_u16(), 400, "{said}");
    assert!(said.contains("--addresses"), "{said}");
}

/// A folder with invented address data, and the postcodes to it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.write("invented.addresses", conformance::file().unwrap().as_bytes());
        bench.write("invented.postcodes", conformance::postcodes().unwrap().as_bytes());
        bench
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Returns the output of `enrich` for a file with that content, and what it said.
    fn enrich(&self, name: &str, input: &str, more: &[&str]) -> (String, String) {
        self.write(name, input.as_bytes());
        let source = format!("file:{}", self.path("invented.postcodes"));
        let addresses = self.path("invented.addresses");
        let arguments = ["enrich", &self.path(name), "--source", &source, "--addresses", &addresses];
        let done = program().args(arguments).args(more).output().unwrap();
        (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    }
}

const MATCHED: [&str; 2] = ["--columns", "address_match,address_uprn"];

#[test]
fn price_paid_data_is_compared_without_headings() {
    let bench = Bench::new();
    let sales = "\"{F887F88E-7D15-4415-804E-52EAC2F10958}\",\"250000\",\"2024-05-31 00:00\",\"\",\"T\",\"N\",\"F\",\"7\",\"\",\"ASH ROAD\",\"\",\"EXAMPLETON\",\"EXAMPLE\",\"EXAMPLE\",\"A\",\"A\"\r\n\
                 \"{F887F88E-7D15-4415-804E-52EAC2F10959}\",\"250000\",\"2024-05-31 00:00\",\"ZE9 9AA\",\"T\",\"N\",\"F\",\"7\",\"\",\"ASH ROAD\",\"\",\"EXAMPLETON\",\"EXAMPLE\",\"EXAMPLE\",\"A\",\"A\"\r\n\
                 \"{F887F88E-7D15-4415-804E-52EAC2F1095A}\",\"90000\",\"2024-05-31 00:00\",\"ZE9 9AD\",\"F\",\"N\",\"L\",\"OAK HALL\",\"ROOM 150\",\"ELM LANE\",\"\",\"EXAMPLETON\",\"EXAMPLE\",\"EXAMPLE\",\"A\",\"A\"\r\n";
    let expected: Vec<String> = sales
        .lines()
        .zip([",,", ",one,100000000007", ",one,200000000001"])
        .map(|(line, added)| line.to_owned() + added)
        .collect();
    let (out, said) = bench.enrich("pp-2024.csv", sales, &[&MATCHED[..], &["--no-header"]].concat());
    assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{said}");
    assert!(said.contains("the postcodes are in the column \"4\", by what stands there"), "{said}");
    assert!(said.contains("the addresses are in the columns \"9\", \"8\", \"10\""), "{said}");
    // Other tables say where their addresses are.
    let other = "1,ZE9 9AA,7 Ash Road\n2,ZE9 9AA,70 Ash Road\n";
    let (out, said) = bench.enrich("other.csv", other, &[&MATCHED[..], &["--no-header"]].concat());
    assert!(out.is_empty() && said.contains("--address-columns"), "{said}");
    let named = [&MATCHED[..], &["--no-header", "--address-columns", "3"]].concat();
    let (out, said) = bench.enrich("other.csv", other, &named);
    assert_eq!(out, "1,ZE9 9AA,7 Ash Road,one,100000000007\n2,ZE9 9AA,70 Ash Road,none,\n", "{said}");
}

#[test]
fn objects_without_an_address_are_an_error_as_tables_are() {
    let bench = Bench::new();
    let (out, said) = bench.enrich("rows.csv", "site,postcode\n7 Ash Road,ZE9 9AA\n", &MATCHED);
    let why = "the column address_match compares the address of each row, but which columns hold it? Name them \
               (--address-columns); here are \"site\", \"postcode\"";
    assert!(out.is_empty() && said.contains(why), "{said}");
    let object = "{\"site\":\"7 Ash Road\",\"postcode\":\"ZE9 9AA\"}";
    let split = "{\"columns\":[\"address\",\"postcode\"],\"data\":[[\"7 Ash Road\",\"ZE9 9AA\"]]}";
    for (name, rows, says) in [
        ("rows.ndjson", format!("{object}\n{object}\n"), why),
        ("rows.json", format!("[{object}]"), why),
        ("wrapped.json", format!("{{\"data\":[{object}]}}"), why),
        ("split.json", split.to_owned(), "address_match can't be added in pandas' layout split"),
    ] {
        let (out, said) = bench.enrich(name, &rows, &MATCHED);
        assert!(out.is_empty() && said.contains(says), "{name}: {said}");
    }
    let asked = [&MATCHED[..], &["--address-columns", "place"]].concat();
    let (out, said) = bench.enrich("rows.ndjson", object, &asked);
    assert!(out.is_empty() && said.contains("there is no column \"place\", only"), "{said}");
}

#[test]
fn addresses_within_objects_are_compared() {
    let bench = Bench::new();
    let rows = "{\"id\":1}\n\
                {\"address\":{\"line1\":\"7 Ash Road\",\"line2\":\"Exampleton\",\"postcode\":\"ZE9 9AA\"}}\n\
                {\"address\":{\"line1\":\"70 Ash Road\",\"postcode\":\"ZE9 9AA\"}}\n";
    let (out, said) = bench.enrich("rows.ndjson", rows, &MATCHED);
    let found: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["address_match"].take())
        .collect();
    assert_eq!(found, [serde_json::Value::Null, "one".into(), "none".into()], "{said}");
    assert!(said.contains("the addresses are under the keys \"address.line1\", \"address.line2\""), "{said}");
    // A list of lines, and a key with a dot in its name.
    for (rows, columns) in [
        ("{\"to\":[\"7 Ash Road\",\"Exampleton\"],\"postcode\":\"ZE9 9AA\"}\n", "to.0,to.1"),
        ("{\"to.line\":\"7 Ash Road\",\"postcode\":\"ZE9 9AA\"}\n", "to.line"),
    ] {
        let (out, said) =
            bench.enrich("rows.ndjson", rows, &[&MATCHED[..], &["--address-columns", columns]].concat());
        assert!(out.contains("\"address_match\":\"one\",\"address_uprn\":100000000007"), "{out} {said}");
    }
}
