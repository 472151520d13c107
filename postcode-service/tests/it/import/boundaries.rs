//! Old and new constituencies next to each other, before and after a change of boundaries.

use postcode_core::AreaKind::{ParliamentaryConstituency as Now, ParliamentaryConstituencyBefore as Before};
use postcode_core::wire::{RecordView, Shape};

use super::{Bench, run, shared};

#[test]
fn from_two_columns_of_one_table() {
    let bench = Bench::new();
    bench.file(
        "in/ONSPD_NOV_2025_UK.csv",
        "pcds,dointr,doterm,pcon14cd,pcon24cd\nAB10 1AB,199606,,S14000002,S14000061\n",
    );
    bench.file("in/PCON24.csv", "PCON24CD,PCON24NM\nS14000061,Aberdeen South\n");
    bench.file("in/PCON14.csv", "PCON14CD,PCON14NM\nS14000002,Old Aberdeen South\n");
    let report = run(&bench.import(bench.path("in"))).unwrap();
    assert!(report.unused.is_empty() && report.findings.kept.is_empty(), "{report}");
    let dataset = bench.dataset();
    assert_eq!(dataset.summary().format, "1.2");
    let record = dataset.get("AB10 1AB".parse().unwrap()).live().unwrap();
    assert_eq!((record.area_code(Now), record.area_code(Before)), (Some("S14000061"), Some("S14000002")));
    let compatible = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
    assert!(compatible.get("parliamentary_constituency_before").is_none());
    let extended = serde_json::to_value(RecordView::new(&record, Shape::Extended)).unwrap();
    assert_eq!(extended["parliamentary_constituency"], "Aberdeen South");
    assert_eq!(extended["parliamentary_constituency_before"], "Old Aberdeen South");
    assert_eq!(extended["codes"]["parliamentary_constituency_before"], "S14000002");
    assert!(
        extended["codes"].get("senedd_constituency").is_none() && extended["senedd_constituency"].is_null()
    );
}

/// Checks that the previous constituencies come from an older edition: ONS gives one column a year.
#[test]
fn from_the_real_editions_of_2020_and_2024() {
    let (Some(old), Some(new)) =
        (shared("data/onspd-editions/onspd_2020-07.csv"), shared("data/onspd-editions/onspd_2024-09.csv"))
    else {
        return;
    };
    let bench = Bench::new();
    run(&bench.import(&old)).unwrap();
    std::fs::rename(bench.path("out.postcodes"), bench.path("old.postcodes")).unwrap();
    let mut import = bench.import(&new);
    import.boundaries_before = Some(bench.path("old.postcodes"));
    run(&import).unwrap();
    let (dataset, older) =
        (bench.dataset(), postcode_core::dataset::Dataset::open(bench.path("old.postcodes")).unwrap());
    let (mut both, mut introduced) = (0, 0);
    for record in dataset.iter() {
        match older.get(record.postcode).record() {
            Some(before) => {
                assert_eq!(record.area_code(Before), before.area_code(Now), "{}", record.postcode);
                both += u32::from(record.area_code(Before) != record.area_code(Now));
            }
            None => {
                assert_eq!(record.area_code(Before), None);
                introduced += 1;
            }
        }
    }
    assert!(both > 4_000 && introduced > 0, "{both} changed, {introduced} introduced");
    let record = dataset.get("AB10 1AB".parse().unwrap()).live().unwrap();
    assert_eq!((record.area_code(Now), record.area_code(Before)), (Some("S14000061"), Some("S14000001")));

    // An edition that has both hands them on; one of after the change has nothing to say.
    std::fs::rename(bench.path("out.postcodes"), bench.path("both.postcodes")).unwrap();
    let Some(newer) = shared("data/onspd-editions/onspd_2025-09.csv") else { return };
    let mut import = bench.import(&newer);
    import.boundaries_before = Some(bench.path("both.postcodes"));
    run(&import).unwrap();
    let record = bench.dataset().get("AB10 1AB".parse().unwrap()).live().unwrap();
    assert_eq!(record.area_code(Before), Some("S14000001"));
    import.boundaries_before = None;
    run(&import).unwrap();
    std::fs::rename(bench.path("out.postcodes"), bench.path("same.postcodes")).unwrap();
    import.boundaries_before = Some(bench.path("same.postcodes"));
    let error = run(&import).unwrap_err().to_string();
    assert!(error.contains("give an older edition"), "{error}");
}
