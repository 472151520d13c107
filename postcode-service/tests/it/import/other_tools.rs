//! Tables of other publishers and tools, and tables that went through other programs.

use postcode_core::AreaKind;
use postcode_service::import::Doubt;

use super::{Bench, run};

fn imported(name: &str, table: impl AsRef<[u8]>) -> (Bench, u64) {
    let bench = Bench::new();
    let report = run(&bench.import(bench.file(name, table))).unwrap();
    (bench, report.refused)
}

fn status(bench: &Bench, postcode: &str) -> &'static str {
    bench.dataset().get(postcode.parse().unwrap()).status()
}

#[test]
fn doogal_table_keeps_status_dates_positions_and_codes() {
    let table = "Postcode,In Use?,Latitude,Longitude,Easting,Northing,County,District,Ward,District Code,Ward Code,Introduced,Terminated\n\
                 AB1 0AA,No,57.101474,-2.242851,385386,801193,,Aberdeen City,Lower Deeside,S12000033,S13002843,1980-01-01,1996-06-01\n\
                 SW1A 1AA,Yes,51.50101,-0.141563,529090,179645,,Westminster,St James\u{2019}s,E09000033,E05013806,1980-01-01,\n";
    let (bench, refused) = imported("postcodes.csv", table);
    assert_eq!((refused, status(&bench, "AB1 0AA"), status(&bench, "SW1A 1AA")), (0, "terminated", "live"));
    let record = bench.dataset().get("AB1 0AA".parse().unwrap()).into_record().unwrap();
    assert_eq!(record.terminated.unwrap().to_string(), "199606");
    assert_eq!(record.introduced.unwrap().to_string(), "198001");
    assert_eq!(record.grid.unwrap().eastings, 385_386);
    assert_eq!(record.area_code(AreaKind::AdminWard), Some("S13002843"));
    assert_eq!(record.country(), Some("Scotland"));
    // Names alone are names, and not codes.
    let (bench, refused) =
        imported("wards.csv", "Postcode,In Use?,Ward\nAB1 0AA,No,Lower Deeside\nAB1 0AB,Yes,Lower Deeside\n");
    assert_eq!((refused, status(&bench, "AB1 0AA")), (0, "terminated"));
}

#[test]
fn lookup_of_national_statistics_gives_district_region_and_country() {
    let table = "pcd7,pcd8,pcds,dointr,doterm,usertype,oa11cd,lsoa11cd,msoa11cd,ladcd,lsoa11nm,msoa11nm,ladnm,ladnmw\n\
                 AB1 0AA,AB1  0AA,AB1 0AA,198001,199606,0,S00090303,S01006514,S02001237,S12000033,x,y,Aberdeen City,\n\
                 SW1A1AA,SW1A 1AA,SW1A 1AA,198001,,1,E00023938,E01004736,E02000977,E09000033,x,y,Westminster,\n";
    let (bench, _) = imported("PCD_OA_LSOA_MSOA_LAD_NOV20_UK_LU.csv", table);
    let record = bench.dataset().get("SW1A 1AA".parse().unwrap()).into_record().unwrap();
    assert_eq!(
        (record.admin_district(), record.region(), record.country()),
        (Some("Westminster"), Some("London"), Some("England"))
    );
    assert_eq!(record.area_code(AreaKind::Lsoa11), Some("E01004736"));
}

#[test]
fn open_postcode_geo_has_the_scale_of_national_statistics() {
    let table = "postcode,status,usertype,easting,northing,positional_quality_indicator,country,latitude,longitude\n\
                 AB1 0AA,terminated,small,385386,801193,1,Scotland,57.101474,-2.242851\n\
                 JE2 3AB,Live,\\N,\\N,\\N,9,\\N,\\N,\\N\n";
    let (bench, refused) = imported("open_postcode_geo.csv", table);
    assert_eq!((refused, status(&bench, "AB1 0AA"), status(&bench, "JE2 3AB")), (0, "terminated", "live"));
    let record = bench.dataset().get("AB1 0AA".parse().unwrap()).into_record().unwrap();
    assert_eq!(record.quality, Some(1));
}

#[test]
fn freemaptools_table_keeps_positions_and_none_for_unknown_ones() {
    let table = "id,postcode,latitude,longitude\n\
                 1,AB10 1XG,57.144165160000000,-2.114847768000000\n\
                 2,AB106RN,57.13787976,-2.121486688\n\
                 3,BN10 8JU,50.79,-3.7e-05\n\
                 4,JE2 4WD,99.999999000000000,0.000000000000000\n";
    let (bench, refused) = imported("ukpostcodes.csv", table);
    assert_eq!(refused, 0);
    let place = |postcode: &str| {
        let record = bench.dataset().get(postcode.parse().unwrap()).into_record().unwrap();
        record.location.map(|location| (location.latitude(), location.longitude()))
    };
    assert_eq!(place("AB10 1XG"), Some((57.144_165, -2.114_848)));
    assert_eq!(place("AB10 6RN"), Some((57.137_88, -2.121_487)));
    assert_eq!(place("BN10 8JU"), Some((50.79, -0.000_037)));
    assert_eq!((place("JE2 4WD"), status(&bench, "JE2 4WD")), (None, "live"));
    assert_eq!(bench.dataset().info().columns, ["status", "latitude", "longitude"]);
    // As it is downloaded: in a zip. Its table of outcodes is not one of postcodes, and says so.
    let zip = postcode_testing::zipped(&[("ukpostcodes.csv", table.as_bytes())]);
    assert_eq!(imported("ukpostcodes.zip", zip).1, 0);
    let bench = Bench::new();
    let outcodes =
        bench.file("postcode-outcodes.csv", "id,postcode,latitude,longitude\n2,AB10,57.13514,-2.11731\n");
    let error = run(&bench.import(outcodes)).unwrap_err().to_string();
    assert!(error.contains("all 1 rows were refused"), "{error}");
}

#[test]
fn districts_of_before_2011_are_joined_with_their_county() {
    let table = "pcd7,pcd8,dointr,doterm,oscty,oslaua,oseast1m,osnrth1m,osgrdind,ctry\n\
                 AL1 1AA,AL1  1AA,198001,,26,UG,514617,0206911,1,064\n\
                 GU511AA,GU51 1AA,199801,,24,UG,480522,0155004,1,064\n\
                 AB1 0AA,AB1  0AA,198001,199606,00,QA,385386,0801193,1,179\n";
    let (bench, refused) = imported("NSPD_FEB_2008_UK.csv", table);
    assert_eq!(refused, 0);
    let record = |postcode: &str| bench.dataset().get(postcode.parse().unwrap()).into_record().unwrap();
    let codes = |postcode: &str| {
        let record = record(postcode);
        let code = |kind| record.area_code(kind).map(str::to_owned);
        (code(AreaKind::AdminDistrict), code(AreaKind::AdminCounty), record.country().map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(codes("AL1 1AA"), (some("26UG"), some("26"), some("England")));
    assert_eq!(codes("GU51 1AA"), (some("24UG"), some("24"), some("England")));
    assert_eq!(codes("AB1 0AA"), (some("00QA"), None, some("Scotland")));
}

#[test]
fn numbers_are_read_as_pandas_prints_them() {
    let table = "pcds,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,lat,long,imd\n\
                 BN10 8JU,198001.0,,0.0,541000.0,101000.0,1.0,50.79,-3.7e-05,6808.0\n";
    let (bench, refused) = imported("data.csv", table);
    assert_eq!(refused, 0);
    let record = bench.dataset().get("BN10 8JU".parse().unwrap()).into_record().unwrap();
    assert_eq!((record.location.unwrap().longitude(), record.deprivation_rank), (-0.000_037, Some(6808)));
    assert_eq!(record.introduced.unwrap().to_string(), "198001");
}

#[test]
fn tables_are_read_however_they_are_written() {
    let table = "pcds;doterm;lad25cd\nAB1 0AA;199606;S12000033\n;;\nAB10 1AB;;S12000033\n";
    let wide: Vec<u8> =
        format!("\u{feff}{}", table.replace(';', "\t")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for written in
        [table.as_bytes().to_vec(), table.replace('\n', "\r").into(), table.replace(';', ",").into(), wide]
    {
        let (bench, refused) = imported("table.csv", written);
        assert_eq!(
            (refused, status(&bench, "AB1 0AA"), status(&bench, "AB10 1AB")),
            (0, "terminated", "live")
        );
    }
}

#[test]
fn open_postcode_geo_is_read_without_a_header() {
    let row = |postcode: &str, status: &str, more: &str| {
        format!(
            "{postcode},{status},small,385386,801193,1,Scotland,57.101474,-2.242851,AB10AA,AB1 0AA,AB1  0AA,AB,AB1,AB1 0,AB1,0AA{more}\n"
        )
    };
    for more in ["", ",S12000033,Aberdeen City"] {
        let table = row("AB1 0AA", "terminated", more) + &row("AB10 1AB", "live", more);
        let (bench, refused) = imported("open_postcode_geo.csv", table);
        assert_eq!(
            (refused, status(&bench, "AB1 0AA"), status(&bench, "AB10 1AB")),
            (0, "terminated", "live")
        );
        let record = bench.dataset().get("AB1 0AA".parse().unwrap()).into_record().unwrap();
        assert_eq!((record.quality, record.grid.unwrap().eastings), (Some(1), 385_386));
        assert_eq!(record.location.unwrap().latitude(), 57.101_474);
    }
    // Another order of columns is not guessed.
    let bench = Bench::new();
    let error = run(&bench.import(bench.file("table.csv", "1,AB1 0AA,live\n2,AB10 1AB,live\n"))).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("its first line is a row: add a line with the names of the columns"), "{error}");
}

#[test]
fn quotes_with_backslashes_and_names_of_rows_are_read_as_r_writes_them() {
    let table = "\"pcds\",\"lad25cd\",\"doterm\",\"ladnm\"\n\
                 \"1\",\"AB1 0AA\",\"S12000033\",\"199606\",\"the \\\"old\\\", town\"\n\
                 \"2\",\"AB10 1AB\",\"S12000033\",\"\",\"two\nlines \\\"x\\\"\"\n\
                 \"3\",\"EH1 1YZ\",\"S12000036\",\"\",\"C:\\\\\"\n";
    let (bench, refused) = imported("table.csv", table);
    assert_eq!(refused, 0);
    for (postcode, expected, district) in [
        ("AB1 0AA", "terminated", "S12000033"),
        ("AB10 1AB", "live", "S12000033"),
        ("EH1 1YZ", "live", "S12000036"),
    ] {
        assert_eq!(status(&bench, postcode), expected, "{postcode}");
        let record = bench.dataset().get(postcode.parse().unwrap()).into_record().unwrap();
        assert_eq!(record.area_code(AreaKind::AdminDistrict), Some(district), "{postcode}");
    }
}

#[test]
fn header_with_line_ends_in_it_and_decimal_commas_are_read() {
    let table = "pcds;\"end\nof use\";lat;long;lad25cd\nAB1 0AA;;57,101474;-2,242851;S12000033\n";
    let (bench, refused) = imported("table.csv", table);
    assert_eq!(refused, 0);
    let record = bench.dataset().get("AB1 0AA".parse().unwrap()).into_record().unwrap();
    let location = record.location.unwrap();
    assert_eq!((location.latitude(), location.longitude()), (57.101_474, -2.242_851));
    // With two commas it is not a number.
    let (_, refused) = imported("table.csv", "pcds;lat;long\nAB1 0AA;57,1,2;-2,2\nAB10 1AB;57,1;-2,1\n");
    assert_eq!(refused, 1);
}

#[test]
fn column_of_status_that_is_not_understood_stops_the_import() {
    let bench = Bench::new();
    let table = "pcds,lad25cd,Date terminated,lng\nAB1 0AA,S12000033,June 1996,1\n";
    let mut import = bench.import(bench.file("table.csv", table));
    let error = run(&import).unwrap_err().to_string();
    assert!(error.contains("\"Date terminated\"") && error.contains("\"lng\""), "{error}");
    assert!(!bench.path("out.postcodes").exists());
    import.accept = vec![Doubt::Unread];
    assert_eq!(run(&import).unwrap().fill.rows, 1);
}

#[test]
fn import_of_which_every_row_was_refused_says_so() {
    let bench = Bench::new();
    let table = format!("pcds,status\n{}", "AB1 0AA,perhaps\n".repeat(6));
    let error = run(&bench.import(bench.file("table.csv", table))).unwrap_err().to_string();
    assert!(error.contains("all 6 rows were refused"), "{error}");
}
