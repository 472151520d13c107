//! Which postcode areas a dataset says that it covers.

use postcode_service::import::Covers;

use super::{Bench, run};

const HEADER: &str = "pcds,dointr,doterm,lad25cd\n";
const AB: &str = "AB10 1AB,199606,,S12000033\n";
const BT: &str = "BT1 1AA,199606,,N09000003\n";

#[test]
fn a_table_of_one_area_covers_that_area_whatever_it_is_called() {
    let bench = Bench::new();
    for name in ["aberdeen.csv", "ONSPD_NOV_2025_UK_AB.csv", "ONSPD_NOV_2025_UK.csv"] {
        let import = bench.import(bench.file(name, format!("{HEADER}{AB}")));
        assert_eq!(run(&import).unwrap().not_covered.len(), 123, "{name}");
        assert_eq!(bench.dataset().get("BT1 1AA".parse().unwrap()).status(), "not_covered");
        assert_eq!(bench.dataset().get("AB10 1AA".parse().unwrap()).status(), "unknown");
    }
}

#[test]
fn a_table_of_several_areas_is_of_the_country_unless_told_otherwise() {
    let bench = Bench::new();
    let mut import = bench.import(bench.file("own.csv", format!("{HEADER}{AB}{BT}")));
    let report = run(&import).unwrap();
    assert_eq!((report.not_covered.len(), report.absent.len()), (0, 122));
    assert!(report.to_string().contains("counted as a file of the whole country, but without a row of 122"));
    assert_eq!(bench.dataset().get("M1 1AD".parse().unwrap()).status(), "unknown");
    import.covers = Covers::Present;
    let report = run(&import).unwrap();
    assert_eq!((report.not_covered.len(), report.absent.len()), (122, 0));
    assert_eq!(bench.dataset().get("M1 1AD".parse().unwrap()).status(), "not_covered");
    // And the other way round.
    let mut import = bench.import(bench.file("one.csv", format!("{HEADER}{AB}")));
    import.covers = Covers::All;
    assert!(run(&import).unwrap().not_covered.is_empty());
}
