//! Reads the shared real data in place.

use std::collections::HashMap;
use std::io::Read;

use postcode_testing::shared;

use crate::dataset::{DatasetBuilder, Metadata, Row};
use crate::{AreaKind, GridReference, GridSystem, Location, Postcode, Status, UserType};

fn grid_system(postcode: Postcode) -> GridSystem {
    if postcode.area() == "BT" { GridSystem::Irish } else { GridSystem::Osgb }
}

/// Returns all postcodes of `uk_postcodes_joined_nov2025.csv.zst`, or those whose line number
/// `keep` accepts.
pub(super) fn national_rows(keep: impl Fn(usize) -> bool) -> Option<Vec<(Row, String)>> {
    let path = shared("data/uk_postcodes_joined_nov2025.csv.zst")?;
    let mut text = String::new();
    zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap().read_to_string(&mut text).unwrap();
    let rows = text.lines().skip(1).enumerate().filter(|(n, _)| keep(*n)).map(|(_, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        let mut row = Row::live(cells[0].parse().unwrap());
        if cells[1] == "terminated" {
            row.status = Status::Terminated;
        }
        row.user_type = match cells[3] {
            "small" => Some(UserType::Small),
            "large" => Some(UserType::Large),
            _ => None,
        };
        row.quality = cells[4].parse().ok();
        if let (Ok(eastings), Ok(northings)) = (cells[5].parse(), cells[6].parse()) {
            row.grid = Some(GridReference { eastings, northings, system: grid_system(row.postcode) });
        }
        if let (Ok(latitude), Ok(longitude)) = (cells[7].parse(), cells[8].parse()) {
            row.location = Some(Location::new(latitude, longitude).unwrap());
        }
        (row, cells[9].to_owned())
    });
    Some(rows.collect())
}

/// Returns a dataset of these rows, with districts.
pub(super) fn national_builder(rows: &[(Row, String)]) -> DatasetBuilder {
    let mut builder = DatasetBuilder::new(Metadata::new("ONSPD November 2025, joined"));
    for (row, district) in rows {
        let mut row = row.clone();
        if !district.is_empty() {
            row.areas.set(builder.area(AreaKind::AdminDistrict, district).unwrap());
        }
        builder.push(&row).unwrap();
    }
    builder
}

/// Returns the ONSPD that the recorded server was loaded with: all columns, with names from its
/// documents.
pub(super) fn recorded_builder() -> Option<DatasetBuilder> {
    let folder = shared("cases/postcodes-io/dataset")?;
    let mut builder = DatasetBuilder::new(Metadata::new("ONSPD November 2025, 8,048 rows"));
    for (file, kind) in DOCUMENTS {
        let path = folder.join("Documents").join(format!("{file} names and codes.csv"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        for record in reader.records() {
            let record = record.unwrap();
            let (name, alias) =
                if record.len() == 3 { (&record[2], Some(&record[1])) } else { (&record[1], None) };
            builder.name_area(*kind, &record[0], Some(name), alias).unwrap();
        }
    }
    let mut reader = csv::Reader::from_path(folder.join("Data/ONSPD_NOV_2025_UK.csv")).unwrap();
    let columns: HashMap<String, usize> =
        reader.headers().unwrap().iter().enumerate().map(|(n, name)| (name.to_owned(), n)).collect();
    for record in reader.records() {
        let record = record.unwrap();
        let cell = |name: &str| Some(&record[columns[name]]).filter(|cell| !cell.is_empty());
        let mut row = Row::live(cell("pcds").unwrap().parse().unwrap());
        row.introduced = cell("dointr").map(|cell| cell.parse().unwrap());
        row.terminated = cell("doterm").map(|cell| cell.parse().unwrap());
        if row.terminated.is_some() {
            row.status = Status::Terminated;
        }
        row.user_type = cell("usrtypind").map(|c| if c == "1" { UserType::Large } else { UserType::Small });
        row.quality = cell("gridind").map(|cell| cell.parse().unwrap());
        if let (Some(eastings), Some(northings)) = (cell("east1m"), cell("north1m")) {
            row.grid = Some(GridReference {
                eastings: eastings.parse().unwrap(),
                northings: northings.parse().unwrap(),
                system: grid_system(row.postcode),
            });
            let degrees = |name| cell(name).unwrap().parse::<f64>().unwrap();
            row.location = Location::new(degrees("lat"), degrees("long")).ok();
        }
        row.deprivation_rank = cell("imd20ind").map(|cell| cell.parse().unwrap());
        for (column, kind) in COLUMNS {
            if let Some(code) = cell(column) {
                row.areas.set(builder.area(*kind, code).unwrap());
            }
        }
        builder.push(&row).unwrap();
    }
    Some(builder)
}

const DOCUMENTS: &[(&str, AreaKind)] = {
    use AreaKind::*;
    &[
        ("CTRY25", Country),
        ("HLTH19", HealthAuthority),
        ("EER20", EuropeanElectoralRegion),
        ("PCO19", PrimaryCareTrust),
        ("RGN25", Region),
        ("PCON24", ParliamentaryConstituency),
        ("LAD25", AdminDistrict),
        ("PARNCP25", Parish),
        ("CTY25", AdminCounty),
        ("WD25", AdminWard),
        ("CED25", CountyElectoralDivision),
        ("SICBL24", Ccg),
        ("ITL25", Nuts),
        ("PFA23", PoliceForceArea),
        ("NHSER24", NhsRegion),
        ("TTWA15", TravelToWorkArea),
        ("NPARK16", NationalPark),
        ("BUA24", BuiltUpArea),
        ("ICB23", IntegratedCareBoard),
        ("CAL24", CancerAlliance),
        ("LSOA11", Lsoa11),
        ("MSOA11", Msoa11),
        ("LSOA21", Lsoa21),
        ("MSOA21", Msoa21),
        ("RUC11", RuralUrban11),
        ("RUC21", RuralUrban21),
        ("LEP21", LocalEnterprisePartnership1),
        ("LEP21", LocalEnterprisePartnership2),
    ]
};

const COLUMNS: &[(&str, AreaKind)] = {
    use AreaKind::*;
    &[
        ("ctry25cd", Country),
        ("hlth19cd", HealthAuthority),
        ("eer20cd", EuropeanElectoralRegion),
        ("pco19cd", PrimaryCareTrust),
        ("rgn25cd", Region),
        ("pcon24cd", ParliamentaryConstituency),
        ("lad25cd", AdminDistrict),
        ("parncp25cd", Parish),
        ("cty25cd", AdminCounty),
        ("wd25cd", AdminWard),
        ("ced25cd", CountyElectoralDivision),
        ("sicbl24cd", Ccg),
        ("itl25cd", Nuts),
        ("pfa23cd", PoliceForceArea),
        ("nhser24cd", NhsRegion),
        ("ttwa15cd", TravelToWorkArea),
        ("npark16cd", NationalPark),
        ("bua24cd", BuiltUpArea),
        ("icb23cd", IntegratedCareBoard),
        ("cal24cd", CancerAlliance),
        ("lsoa11cd", Lsoa11),
        ("msoa11cd", Msoa11),
        ("lsoa21cd", Lsoa21),
        ("msoa21cd", Msoa21),
        ("oa21cd", OutputArea21),
        ("ruc11ind", RuralUrban11),
        ("ruc21ind", RuralUrban21),
        ("lep21cd1", LocalEnterprisePartnership1),
        ("lep21cd2", LocalEnterprisePartnership2),
    ]
};
