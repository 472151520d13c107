//! Approximate positions from GeoNames, in addition to ONSPD.

use postcode_core::dataset::Dataset;
use postcode_core::wire::{RecordView, Shape};
use postcode_core::{Location, Nearest};

use super::real::unpack_tar;
use super::{Bench, run, shared};

const POSTCODES: &str = "pcds,dointr,doterm,oseast1m,osnrth1m,lat,long\nJE2 3AB,199606,,,,99.999999,0.000000\n\
    JE2 4WD,199606,199906,,,99.999999,0.000000\nAB10 1AB,199606,,394235,806529,57.149606,-2.096916\n";

fn line(country: &str, code: &str, latitude: &str, longitude: &str, accuracy: &str) -> String {
    format!("{country}\t{code}\tSomewhere\t\t\t\t\t\t\t{latitude}\t{longitude}\t{accuracy}\n")
}

fn about(dataset: &Dataset, postcode: &str) -> Option<(f64, f64)> {
    let record = dataset.get(postcode.parse().unwrap()).into_record().unwrap();
    let about = record.approximate?;
    assert!(record.location.is_none() && &*about.source == "GeoNames");
    Some((about.location.latitude(), about.location.longitude()))
}

#[test]
fn postcodes_without_a_location_get_that_of_their_outcode_and_say_so() {
    let bench = Bench::new();
    bench.file("in/ONSPD_NOV_2025_UK.csv", POSTCODES);
    let lines = [
        line("JE", "JE2", "49.2", "-2.1333", ""),
        line("JE", "JE2", "49.1", "-2.1", "4"),
        line("JE", "JE2", "49.3", "-2.3", "4"),
        line("GB", "AB10", "57", "-2", "6"),
        line("GB", "M1 1AD", "53", "-2", "6"),
        line("GB", "EC1", "51.5", "-0.1", "4"),
    ];
    bench.file("in/geonames/JE.txt", lines.concat());
    bench.file("in/geonames/readme.txt", "not read\n");
    let report = run(&bench.import(bench.path("in"))).unwrap();
    assert_eq!((report.approximate_outcodes, report.approximate, report.refused), (3, 1, 0));
    let dataset = bench.dataset();
    assert_eq!(dataset.summary().format, "1.2");
    assert!(dataset.info().attribution.ends_with("GeoNames (https://www.geonames.org), CC BY 4.0."));
    assert!(dataset.metadata().licence.ends_with("approximate positions: CC BY 4.0"));
    // The mean of the most exact lines. An outcode with a location, or unknown to ONS, is left out.
    assert_eq!(
        (about(&dataset, "JE2 3AB"), about(&dataset, "JE2 4WD")),
        (Some((49.2, -2.2)), Some((49.2, -2.2)))
    );
    assert_eq!(about(&dataset, "AB10 1AB"), None);
    assert!(dataset.approximate("AB10".parse().unwrap()).is_none());
    assert!(dataset.approximate("JE2".parse().unwrap()).is_some());
    // Approximate positions are never mixed with exact ones.
    let record = dataset.get("JE2 3AB".parse().unwrap()).live().unwrap();
    let compatible = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
    assert!(compatible["longitude"].is_null() && compatible.get("position").is_none());
    let extended = serde_json::to_value(RecordView::new(&record, Shape::Extended)).unwrap();
    let position =
        serde_json::json!({"kind": "approximate", "source": "GeoNames", "longitude": -2.2, "latitude": 49.2});
    assert_eq!((&extended["position"], &extended["longitude"]), (&position, &serde_json::Value::Null));
    let near = Nearest::to(Location::new(49.2, -2.2).unwrap());
    assert!(dataset.nearest(&near).unwrap().unwrap_or_default().is_empty());
    assert_eq!(dataset.outcode("JE2".parse().unwrap()).unwrap().latitude, None);
}

#[test]
fn wrong_lines_are_named() {
    let bench = Bench::new();
    bench.file("in/data.csv", POSTCODES);
    let good = line("JE", "JE2", "49.2", "-2.1333", "");
    for (wrong, column) in [
        (line("JE", "nonsense", "49.2", "-2.1", ""), "postal code"),
        (line("JE", "JE2", "x", "-2.1", ""), "latitude"),
        (line("JE", "JE2", "49.2", "inf", ""), "latitude"),
        (line("JE", "JE2", "48.2", "2.3", ""), "latitude"),
        ("JE\tJE2\n".to_owned(), ""),
    ] {
        bench.file("in/JE.txt", format!("{good}{wrong}"));
        let mut import = bench.import(bench.path("in"));
        import.errors = Some(bench.path("errors.csv"));
        let report = run(&import).unwrap();
        assert_eq!((report.refused, report.approximate), (1, 1), "{wrong}");
        let errors = std::fs::read_to_string(bench.path("errors.csv")).unwrap();
        assert!(errors.contains(&format!("JE.txt,2,{column},")), "{wrong}: {errors}");
    }
    bench.file("in/JE.txt", line("FR", "75001", "48.8", "2.3", ""));
    assert_eq!(run(&bench.import(bench.path("in"))).unwrap().approximate, 0);
}

#[test]
fn the_crown_dependencies_of_nspl() {
    let (Some(nspl), Some(names)) =
        (shared("data/nspl_nov2021_20areas.tar.zst"), shared("data/geonames.tar.zst"))
    else {
        return;
    };
    let bench = Bench::new();
    for (archive, folder) in [(nspl, "nspl"), (names, "geonames")] {
        unpack_tar(zstd::Decoder::new(std::fs::File::open(archive).unwrap()).unwrap(), &bench.path(folder));
    }
    let mut import = bench.import(bench.path("nspl"));
    import.inputs.push(bench.path("geonames"));
    let report = run(&import).unwrap();
    assert_eq!((report.fill.rows, report.refused), (123_018, 0));
    let dataset = bench.dataset();
    let without = dataset.iter().filter(|record| record.location.is_none());
    let (mut found, mut lacking) = (0, std::collections::BTreeSet::new());
    for record in without {
        match record.approximate {
            Some(_) => found += 1,
            None => drop(lacking.insert(record.postcode.outcode().to_string())),
        }
    }
    assert!(found > 10_000, "{found}");
    // Outcodes of large users, which are not places.
    assert!(lacking.contains("IM99") && !lacking.contains("JE2"), "{lacking:?}");
    assert_eq!(about(&dataset, "IM1 1AG").map(|(latitude, _)| latitude), Some(54.15));
}
