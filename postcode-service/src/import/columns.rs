//! Which column of a source is what: the one table, and the matching of a header against it.
//!
//! ONS renames columns with every generation of ONSPD and NSPL (`oslaua`, `laua`, `lad25cd`) and
//! puts the year of the geography into the newer names, so columns are recognised by pattern.

use postcode_core::AreaKind;

/// The contents of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Postcode,
    Introduced,
    Terminated,
    /// `live` or `terminated`, from sources that know this and not the date.
    Status,
    /// `Yes` or `No`: whether the postcode is in use.
    InUse,
    UserType,
    Eastings,
    Northings,
    /// ONSPD's positional quality, 1 to 9.
    Quality,
    /// Code-Point Open's positional quality, 10 to 90.
    QualityTens,
    Latitude,
    Longitude,
    DeprivationRank,
    Area(AreaKind),
}

/// The table. In a pattern `#` is a digit and `##` the two-digit year of a geography; names are
/// compared in lower case with `_` for spaces. Where several columns match, the pattern named first
/// wins, and of one pattern the newest year: `bua24cd` before `bua22`, `pcon24cd` before
/// `pcon14cd`.
pub(super) const COLUMNS: &[(Field, &[&str])] = &[
    (Field::Postcode, &["pcds", "pcd8", "pcd2", "pcd7", "pcd", "postcode", "pc"]),
    (Field::Introduced, &["dointr", "introduced", "date_of_introduction"]),
    (Field::Terminated, &["doterm", "terminated", "date_of_termination"]),
    (Field::Status, &["status", "postcode_status"]),
    (Field::InUse, &["in_use?", "in_use"]),
    (Field::UserType, &["usrtypind", "usertype", "user_type"]),
    (Field::Eastings, &["east1m", "oseast1m", "eastings", "easting", "ea"]),
    (Field::Northings, &["north1m", "osnrth1m", "northings", "northing", "no"]),
    (Field::Quality, &["gridind", "osgrdind", "quality"]),
    (Field::QualityTens, &["positional_quality_indicator", "pq"]),
    (Field::Latitude, &["lat", "latitude"]),
    (Field::Longitude, &["long", "longitude", "lon"]),
    (Field::DeprivationRank, &["imd##ind", "imd"]),
    (Field::Area(AreaKind::Country), &["ctry##cd", "ctry", "country_code", "cy"]),
    (
        Field::Area(AreaKind::HealthAuthority),
        &["hlth##cd", "oshlthau", "hlthau", "hlth", "nhs_ha_code", "lh"],
    ),
    (Field::Area(AreaKind::EuropeanElectoralRegion), &["eer##cd", "eer"]),
    (Field::Area(AreaKind::PrimaryCareTrust), &["pco##cd", "pct##cd", "pct", "pco"]),
    (Field::Area(AreaKind::Region), &["rgn##cd", "rgn", "gor##cd", "gor"]),
    (Field::Area(AreaKind::ParliamentaryConstituency), PCON),
    // The next newest of the same, where there are two.
    (Field::Area(AreaKind::ParliamentaryConstituencyBefore), PCON),
    (
        Field::Area(AreaKind::AdminDistrict),
        &["lad##cd", "ladcd", "district_code", "oslaua", "laua", "lad", "admin_district_code", "dc"],
    ),
    (Field::Area(AreaKind::Parish), &["parncp##cd", "parncp", "parish_code", "parish"]),
    (
        Field::Area(AreaKind::AdminCounty),
        &["cty##cd", "county_code", "oscty", "cty", "admin_county_code", "cc"],
    ),
    (
        Field::Area(AreaKind::AdminWard),
        &["wd##cd", "ward_code", "osward", "ward", "wd", "admin_ward_code", "wc", "wardcd_20##"],
    ),
    (Field::Area(AreaKind::CountyElectoralDivision), &["ced##cd", "ced"]),
    (Field::Area(AreaKind::Ccg), &["sicbl##cd", "sicbl", "ccg##cd", "ccg"]),
    (Field::Area(AreaKind::Nuts), &["itl##cd", "itl", "nuts##cd", "nuts"]),
    (Field::Area(AreaKind::PoliceForceArea), &["pfa##cd", "pfa"]),
    (Field::Area(AreaKind::NhsRegion), &["nhser##cd", "nhser"]),
    (Field::Area(AreaKind::TravelToWorkArea), &["ttwa##cd", "ttwa"]),
    (Field::Area(AreaKind::NationalPark), &["npark##cd", "npark", "park"]),
    (Field::Area(AreaKind::BuiltUpArea), &["bua##cd", "bua##", "bua"]),
    (Field::Area(AreaKind::IntegratedCareBoard), &["icb##cd", "icb", "stp##cd", "stp"]),
    (Field::Area(AreaKind::CancerAlliance), &["cal##cd", "calncv##cd", "calncv", "cal"]),
    (Field::Area(AreaKind::Lsoa11), &["lsoa11cd", "lsoa11"]),
    (Field::Area(AreaKind::Msoa11), &["msoa11cd", "msoa11"]),
    (Field::Area(AreaKind::Lsoa21), &["lsoa21cd", "lsoa21"]),
    (Field::Area(AreaKind::Msoa21), &["msoa21cd", "msoa21"]),
    (Field::Area(AreaKind::OutputArea21), &["oa21cd", "oa21"]),
    (Field::Area(AreaKind::RuralUrban11), &["ruc11ind", "ru11ind"]),
    (Field::Area(AreaKind::RuralUrban21), &["ruc21ind", "ru21ind"]),
    (Field::Area(AreaKind::LocalEnterprisePartnership1), &["lep##cd1", "lep1"]),
    (Field::Area(AreaKind::LocalEnterprisePartnership2), &["lep##cd2", "lep2"]),
];

const PCON: &[&str] = &["pcon##cd", "pcon", "constituency_code"];

/// The ten columns of Code-Point Open, which ships without a header. The regional health authority
/// is not kept.
pub(super) const CODE_POINT_OPEN: [&str; 10] = [
    "postcode",
    "positional_quality_indicator",
    "eastings",
    "northings",
    "country_code",
    "nhs_regional_ha_code",
    "nhs_ha_code",
    "admin_county_code",
    "admin_district_code",
    "admin_ward_code",
];

/// The columns of Open Postcode Geo, which ships without a header. Only files of one region have the last two.
pub(super) const OPEN_POSTCODE_GEO: &[&str] = &[
    "postcode",
    "status",
    "usertype",
    "easting",
    "northing",
    "positional_quality_indicator",
    "country",
    "latitude",
    "longitude",
    "postcode_no_space",
    "postcode_fixed_width_seven",
    "postcode_fixed_width_eight",
    "postcode_area",
    "postcode_district",
    "postcode_sector",
    "outcode",
    "incode",
    "local_authority_code",
    "local_authority_name",
];

/// A header, matched: for each field of the table where it is.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// The names as the source has them.
    pub(super) names: Vec<String>,
    /// Fields in the order of the table, each with its column's index.
    pub(super) fields: Vec<(Field, usize)>,
}

impl Columns {
    /// Matches a header. Columns that match no pattern are ignored.
    pub(super) fn of<S: AsRef<str>>(header: impl IntoIterator<Item = S>) -> Self {
        let names: Vec<String> = header.into_iter().map(|name| name.as_ref().trim().to_owned()).collect();
        let keys: Vec<String> = names.iter().map(|name| key(name)).collect();
        let best = |patterns: &[&str], but: Option<usize>| {
            patterns.iter().find_map(|pattern| {
                let others = keys.iter().enumerate().filter(|(at, _)| Some(*at) != but);
                let matched = others.filter_map(|(at, key)| Some((vintage(pattern, key)?, at)));
                // Of two columns with one name the first is meant.
                matched.max_by_key(|(year, at)| (*year, std::cmp::Reverse(*at))).map(|(_, at)| at)
            })
        };
        let current = best(PCON, None);
        let place = |field, patterns| match field {
            Field::Area(AreaKind::ParliamentaryConstituencyBefore) => best(patterns, Some(current?)),
            _ => best(patterns, None),
        };
        let fields = COLUMNS.iter().filter_map(|(field, patterns)| Some((*field, place(*field, patterns)?)));
        let fields = fields.collect();
        Self { names, fields }
    }

    /// Leaves out columns of areas that hold names and not codes, by the first rows: `Ward` may be either.
    pub(super) fn leave_out_names(&mut self, rows: &[Vec<String>]) {
        let is_code = |cell: &String| cell.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        self.fields.retain(|(field, at)| {
            let cells = || rows.iter().filter_map(|row| row.get(*at)).filter(|cell| !cell.is_empty());
            let codes = cells().filter(|cell| is_code(cell)).count();
            !matches!(field, Field::Area(_)) || codes * 2 >= cells().count()
        });
    }

    /// Columns that seem to say whether, since when or where a postcode is in use, and that nothing is made of.
    pub(super) fn not_understood(&self) -> Vec<&str> {
        let has = |fields: &[Field]| fields.iter().any(|field| self.index(*field).is_some());
        let both = |fields: &[Field]| fields.iter().all(|field| self.index(*field).is_some());
        let status = has(&[Field::Status, Field::InUse, Field::Terminated]);
        let introduced = has(&[Field::Introduced]);
        let located =
            both(&[Field::Eastings, Field::Northings]) || both(&[Field::Latitude, Field::Longitude]);
        let says = |name: &str| {
            let key = key(name);
            let starts = |stems: &[&str]| {
                key.split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|word| stems.iter().any(|stem| word.starts_with(stem)))
            };
            let is = |names: &[&str]| names.contains(&key.as_str());
            (!status
                && (starts(&["terminat", "doterm", "expir", "delet"])
                    || is(&["status", "live", "active", "in_use"])))
                || (!introduced && starts(&["introduc", "dointr"]))
                || (!located
                    && (starts(&["easting", "northing", "latitude", "longitude"])
                        || is(&["lat", "lng", "long", "lon", "x", "y", "coordinates"])))
        };
        self.unused().filter(|name| says(name)).collect()
    }

    /// Where a field is.
    pub(super) fn index(&self, field: Field) -> Option<usize> {
        self.fields.iter().find(|(other, _)| *other == field).map(|(_, at)| *at)
    }

    /// The names of columns that are read, and that a column further right has too.
    pub(super) fn namesakes(&self) -> Vec<&str> {
        let has_other = |at: &usize| {
            let others = self.names.iter().enumerate().filter(|(other, _)| other != at);
            self.names.get(*at).is_some_and(|name| others.clone().any(|(_, other)| key(other) == key(name)))
        };
        let read = self.fields.iter().map(|(_, at)| *at).filter(|at| has_other(at));
        let mut read: Vec<usize> = read.collect();
        read.sort_unstable();
        read.dedup();
        read.into_iter().filter_map(|at| self.names.get(at)).map(String::as_str).collect()
    }

    /// The columns that nothing is made of.
    pub(super) fn unused(&self) -> impl Iterator<Item = &str> {
        let used = |at: usize| self.fields.iter().any(|(_, other)| *other == at);
        // An index and names of rows have no name.
        let unused = self.names.iter().enumerate().filter(move |(at, name)| !used(*at) && !name.is_empty());
        unused.map(|(_, name)| name.as_str())
    }
}

/// How names are compared: lower case, `_` for spaces, no byte-order mark.
pub(super) fn key(name: &str) -> String {
    name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase().replace(' ', "_")
}

/// The year that a name has in the place of `##`, 0 for a pattern without; `None` if the name does
/// not match.
pub(super) fn vintage(pattern: &str, name: &str) -> Option<u16> {
    if pattern.len() != name.len() {
        return None;
    }
    let mut digits = 0;
    let mut any = false;
    for (expected, found) in pattern.bytes().zip(name.bytes()) {
        match expected {
            b'#' if found.is_ascii_digit() => {
                digits = digits * 10 + u16::from(found - b'0');
                any = true;
            }
            b'#' => return None,
            _ if expected != found => return None,
            _ => {}
        }
    }
    // Geographies of the last century are still in use: park95cd is older than npark16cd.
    Some(if any { digits + if digits < 70 { 2000 } else { 1900 } } else { 0 })
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
