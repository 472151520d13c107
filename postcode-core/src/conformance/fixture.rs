//! The data of the suite, as plain records with which any implementation can be filled.

use std::collections::BTreeMap;

use crate::{
    Approximate, AreaKind, Areas, DatasetInfo, Error, GridReference, GridSystem, Location, OwnedArea, Place,
    Postcode, Record, Result, ScottishArea, ScottishPostcode, Status, UserType,
};

/// A small dataset to check implementations with: a description, records, populated places, islands
/// and areas, and Scottish postcodes.
///
/// [`Fixture::small`] is invented: well-formed postcodes at invented places, with every case that
/// the contract distinguishes. Coordinates are whole metres and millionths of a degree, as in
/// ONSPD.
///
/// [`info`](Self::info) describes it. [`records`](Self::records), [`live`](Self::live) and [`get`](Self::get) return what is
/// in it, [`covers`](Self::covers) says which areas it covers, and [`next_edition`](Self::next_edition) changes every record:
///
/// ```
/// use postcode_core::conformance::Fixture;
///
/// let fixture = Fixture::small();
/// let record = fixture.live().next().ok_or("no records")?;
/// assert_eq!(fixture.get(record.postcode), Some(record));
/// assert_eq!(fixture.records().count() as u64, fixture.info().live + fixture.info().terminated);
/// assert!(!fixture.covers("BT1 5GS".parse()?));
/// assert_ne!(fixture.next_edition().info().fingerprint, fixture.info().fingerprint);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fixture {
    info: DatasetInfo,
    records: BTreeMap<Postcode, Record>,
    places: BTreeMap<String, Place>,
    wider: BTreeMap<String, Place>,
    scottish: BTreeMap<Postcode, ScottishPostcode>,
}

/// Postcode, status, quality, user type, eastings and northings, latitude and longitude,
/// introduced, terminated, deprivation rank, place; `-` for a missing value. Everything is invented.
const ROWS: &[&str] = &[
    // Outcodes that begin with each other. The order of postcodes is not that of their letters
    // without the space.
    "M1 1AD   | live       | 1 | small | 384500 398100 | 53.479000 -2.235000 | 198001 | -      | 4321 | Manchester",
    "M1 1AE   | live       | 1 | large | 384560 398130 | 53.479270 -2.234100 | 198001 | -      | 4321 | Manchester",
    "M1 1AF   | terminated | 1 | small | 384570 398120 | 53.479180 -2.233950 | 198001 | 199912 | 4321 | Manchester",
    "M1 2AB   | live       | 1 | small | 384900 398400 | 53.481700 -2.228900 | 198502 | -      | 77   | Manchester",
    "M11 1AA  | live       | 1 | small | 387000 398300 | 53.480900 -2.197300 | 198001 | -      | 12   | Clayton",
    "M11 2AB  | live       | 2 | small | 387400 398500 | 53.482700 -2.191300 | 199007 | -      | 12   | Clayton",
    "M1A 1AA  | live       | 1 | small | 384100 397900 | 53.477200 -2.241100 | 201203 | -      | 900  | Manchester",
    "M2 1AA   | live       | 1 | large | 383900 398200 | 53.479900 -2.244100 | 198001 | -      | 5000 | Manchester",
    "M90 1AA  | live       | 1 | large | 381900 385900 | 53.369200 -2.273200 | 199301 | -      | 6100 | Ringway",
    // Three at one point: ties are in the order of postcodes.
    "EH1 1AB  | live       | 1 | small | 325900 673600 | 55.948600 -3.188300 | 198001 | -      | 3001 | Edinburgh",
    "EH1 1AA  | live       | 1 | small | 325900 673600 | 55.948600 -3.188300 | 198001 | -      | 3001 | Edinburgh",
    "EH1 2AA  | live       | 1 | small | 325900 673600 | 55.948600 -3.188300 | 198001 | -      | 3001 | Edinburgh",
    "EH1 1AD  | terminated | 1 | small | 325900 673600 | 55.948600 -3.188300 | 198001 | 200506 | 3001 | Edinburgh",
    "EH1 3AA  | live       | 1 | small | 326100 674000 | 55.952200 -3.185200 | 198001 | -      | 2500 | Leith",
    // A live postcode without a location, in outcodes without any. Those of Jersey have an
    // approximate position.
    "JE2 3AB  | live       | 9 | small | -             | -                   | 199001 | -      | -    | Jersey",
    "JE2 4WD  | live       | 9 | large | -             | -                   | 199001 | -      | -    | Jersey",
    "IM1 1AA  | live       | 9 | small | -             | -                   | 199508 | -      | -    | Man",
    // Records with a sub-district, with every field, and with hardly any.
    "SW1A 1AA | live       | 1 | large | 529100 179600 | 51.501000 -0.141500 | 198001 | -      | 30000 | Westminster",
    "SW1A 2AB | live       | 1 | large | 530000 179900 | 51.503500 -0.128400 | 198001 | -      | 29999 | Westminster",
    "SW1H 0AA | live       | 5 | -     | 529700 179500 | 51.500000 -0.132900 | -      | -      | -    | -",
    "SE1 2DL  | live       | 1 | small | 533300 179900 | 51.502700 -0.080900 | 198001 | -      | 15000 | Southwark",
    "SE1P 5ZZ | live       | 1 | large | 532300 180100 | 51.504800 -0.095200 | 200105 | -      | 15001 | Southwark",
    // Outcodes with only terminated postcodes, which autocomplete must not find; one has no date.
    "NPT 1AA  | terminated | 1 | small | 331000 188000 | 51.586000 -2.997000 | 198001 | 199806 | 800  | Newport",
    "AB1 0AA  | terminated | 1 | small | 385300 801100 | 57.101400 -2.242800 | 198001 | 199606 | 6808 | Aberdeen",
    "AB1 0AB  | terminated | 9 | -     | -             | -                   | 198001 | -      | -    | -",
    "AB10 1AB | live       | 1 | large | 394200 806500 | 57.149600 -2.096900 | 201109 | -      | 3888 | Aberdeen",
    "GIR 0AA  | terminated | 8 | large | 335300 394900 | 53.445700 -2.976000 | 198001 | 201104 | -    | Bootle",
];

/// For each place: the codes and names of its district, ward and country, and in England of its
/// region. Only the countries and regions are real.
const PLACES: &[(&str, [(&str, &str); 4])] = &[
    ("Manchester", [("E08990001", "Manchester"), ("E05990001", "Deansgate"), ENGLAND, NORTH_WEST]),
    ("Clayton", [("E08990001", "Manchester"), ("E05990002", "Clayton"), ENGLAND, NORTH_WEST]),
    ("Ringway", [("E08990002", "Stockport"), ("E05990003", "Ringway"), ENGLAND, NORTH_WEST]),
    ("Bootle", [("E08990003", "Sefton"), ("E05990004", "Bootle"), ENGLAND, NORTH_WEST]),
    (
        "Leeds",
        [
            ("E08990004", "Leeds"),
            ("E05990005", "Burmantofts"),
            ENGLAND,
            ("E12000003", "Yorkshire and The Humber"),
        ],
    ),
    ("Westminster", [("E09990001", "Westminster"), ("E05990006", "St James's"), ENGLAND, LONDON]),
    ("Southwark", [("E09990002", "Southwark"), ("E05990007", "Borough & Bankside"), ENGLAND, LONDON]),
    ("Edinburgh", [("S12990001", "City of Edinburgh"), ("S13990001", "City Centre"), SCOTLAND, NOWHERE]),
    ("Leith", [("S12990001", "City of Edinburgh"), ("S13990002", "Leith Walk"), SCOTLAND, NOWHERE]),
    ("Aberdeen", [("S12990002", "Aberdeen City"), ("S13990003", "George St/Harbour"), SCOTLAND, NOWHERE]),
    ("Newport", [("W06990001", "Newport"), ("W05990001", "Stow Hill"), ("W92000004", "Wales"), NOWHERE]),
    ("Jersey", [NOWHERE, NOWHERE, ("L93000001", "Channel Islands"), NOWHERE]),
    ("Man", [NOWHERE, NOWHERE, ("M83000003", "Isle of Man"), NOWHERE]),
];

/// Populated places: code, names with their languages, kind, outcode, county, eastings and
/// northings, latitude and longitude. All are invented.
const SETTLEMENTS: &[&str] = &[
    "osgb1001 | Newport                | City             | NP20 | Newport     | 331000 188000 | 51.5860000 -2.9970000",
    "osgb1002 | Newport                | Town             | TF10 | Telford     | 374000 319000 | 52.7680000 -2.3780000",
    "osgb1003 | Newport                | Hamlet           | -    | -           | 300001 200002 | -",
    "osgb1004 | Newport Pagnell        | Town             | MK16 | -           | 487000 243000 | 52.0870001 -0.7220009",
    "osgb1005 | Llwyn-y-groes          | Other Settlement | SY25 | Ceredigion  | 259000 256000 | 52.1800000 -4.0600000",
    "osgb1006 | Dre-gôch               | Hamlet           | LL16 | -           | 309000 369000 | 53.2090000 -3.3630000",
    "osgb1007 | Bridge of Allan        | Town             | FK9  | Stirling    | 279000 697000 | 56.1550000 -3.9480000",
    "osgb1008 | Allanbridge            | Village          | FK9  | Stirling    | 279100 697100 | 56.1560000 -3.9470000",
    "osgb1009 | Taobh a' Chaolais, gla, East Kilbride, eng | Other Settlement | HS8 | - | 77600 813900 | 57.1030000 -7.3260000",
    "osgb1010 | Caernarfon, cym, Carnarvon, eng | Town    | LL55 | Gwynedd     | 248000 362000 | 53.1400000 -4.2700000",
    "osgb1011 | St John's              | Suburban Area    | WR2  | Worcester   | 384000 254000 | 52.1870000 -2.2350000",
    "osgb1012 | Brough                 | Village          | KW17 | Orkney      | 331400 1018400 | 59.0470000 -3.1960000",
    "osgb1013 | Brough                 | Village          | KW17 | Orkney      | 331500 1018500 | 59.0480000 -3.1950000",
    "osgb1014 | Leeds                  | City             | LS9  | Leeds       | 431600 434000 | 53.8014000 -1.5190000",
    "osgb1015 | Leith                  | Suburban Area    | EH6  | -           | 326700 676200 | 55.9720000 -3.1740000",
];

/// Islands and areas in the same format. Areas have no box.
const WIDER: &[&str] = &[
    "osgb2001 | Orkney                 | UnitaryAuthority | -    | -           | 331450 1018450 | 59.0475000 -3.1955000",
    "osgb2002 | Stronsay               | Island           | KW17 | Orkney      | 365000 1024000 | 59.1000000 -2.6120000",
    "osgb2003 | Newport                | UnitaryAuthority | -    | -           | 331000 188000 | 51.5860000 -2.9970000",
    "osgb2004 | Inis Lìth, gla, Isle of Leith, eng | Island | EH6 | -          | 326700 676200 | 55.9720000 -3.1740000",
];

/// Postcodes of the Scottish Postcode Directory with the codes and names of their constituencies.
/// One is in no other list, and one is terminated in the other.
const SCOTTISH: &[(&str, &str, &str)] = &[
    ("EH1 1AA", "S16990001", "Edinburgh Central"),
    ("EH1 1AD", "S16990001", "Edinburgh Central"),
    ("EH1 3AA", "S16990002", "Edinburgh Northern and Leith"),
    ("AB10 1AB", "S16990003", ""),
    ("G2 8AE", "", ""),
];

const ENGLAND: (&str, &str) = ("E92000001", "England");
const SCOTLAND: (&str, &str) = ("S92000003", "Scotland");
const NORTH_WEST: (&str, &str) = ("E12000002", "North West");
const LONDON: (&str, &str) = ("E12000007", "London");
const NOWHERE: (&str, &str) = ("", "");

/// Live postcodes in one outcode, more than any limit, each farther from the first than the
/// previous one.
const DENSE: usize = 130;

impl Fixture {
    /// Creates a fixture with these records and this description, whose counts are set from the
    /// records.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    /// use postcode_core::{DatasetInfo, Record};
    ///
    /// let fixture = Fixture::new(DatasetInfo::new("made by hand"), [Record::live("SW1A 1AA".parse()?)]);
    /// assert_eq!(fixture.info().live, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(mut info: DatasetInfo, records: impl IntoIterator<Item = Record>) -> Self {
        let records: BTreeMap<_, _> = records.into_iter().map(|record| (record.postcode, record)).collect();
        info.live = records.values().filter(|record| record.status == Status::Live).count() as u64;
        info.terminated = records.len() as u64 - info.live;
        (info.places, info.scottish_postcodes) = (0, 0);
        Self { info, records, places: BTreeMap::new(), wider: BTreeMap::new(), scottish: BTreeMap::new() }
    }

    /// Adds populated places and Scottish postcodes.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    /// use postcode_core::{DatasetInfo, Place};
    ///
    /// let ambleside = Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// let fixture = Fixture::new(DatasetInfo::new("made by hand"), []).with([ambleside], []);
    /// assert_eq!(fixture.info().places, 1);
    /// ```
    #[must_use]
    pub fn with(
        mut self,
        places: impl IntoIterator<Item = Place>,
        scottish: impl IntoIterator<Item = ScottishPostcode>,
    ) -> Self {
        self.places = places.into_iter().map(|place| (place.code.clone(), place)).collect();
        self.scottish = scottish.into_iter().map(|entry| (entry.postcode, entry)).collect();
        self.info.places = self.places.len() as u64;
        self.info.scottish_postcodes = self.scottish.len() as u64;
        self
    }

    /// Adds islands and areas.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    /// use postcode_core::{DatasetInfo, Place};
    ///
    /// let skye = Place::new("osgb4000000074557226", "Isle of Skye", "Island");
    /// let fixture = Fixture::new(DatasetInfo::new("made by hand"), []).with_wider([skye]);
    /// assert_eq!(fixture.wider_places().count(), 1);
    /// ```
    #[must_use]
    pub fn with_wider(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.wider = places.into_iter().map(|place| (place.code.clone(), place)).collect();
        self
    }

    /// Returns about a hundred and fifty invented records; the postcode area BT is not covered,
    /// nor are those that no list of postcodes has.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert!(fixture.records().count() > 100);
    /// assert!(fixture.info().not_covered.contains(&"BT".to_owned()));
    /// ```
    pub fn small() -> Self {
        let mut info = DatasetInfo::new("Conformance fixture");
        info.source = "made up".to_owned();
        info.attribution = "Made up, no rights reserved.".to_owned();
        info.fingerprint = "fixture-1".to_owned();
        info.not_covered = ["BF", "BT", "BX", "GX", "XX"].map(str::to_owned).to_vec();
        info.not_covered_advice = Some("The fixture leaves BT out.".to_owned());
        let dense = (0..DENSE).map(|n| {
            let (digit, first, second) = (n / 100, b"ABDEFGHJLN"[n / 10 % 10], b"ABDEFGHJLN"[n % 10]);
            let unit = [first, second].map(char::from);
            // Ten metres apart on a line to the north.
            format!(
                "LS9 {digit}{}{} | live | 1 | small | 431600 {} | {:.6} -1.519000 | 198001 | - | {} | Leeds",
                unit[0],
                unit[1],
                433_400 + 10 * n,
                53.796 + 0.000_09 * n as f64,
                100 + n,
            )
        });
        let rows = ROWS.iter().map(|row| (*row).to_owned()).chain(dense);
        #[expect(clippy::panic, reason = "the rows are constants, and a test reads them")]
        let records = rows.map(|row| record(&row).unwrap_or_else(|error| panic!("{row}: {error}")));
        #[expect(clippy::panic, reason = "the rows are constants, and a test reads them")]
        let parse = |row: &&str| place(row).unwrap_or_else(|error| panic!("{row}: {error}"));
        let scottish = SCOTTISH.iter().filter_map(|(postcode, code, name)| {
            let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let mut entry = ScottishPostcode::new(postcode.parse().ok()?, given(name), given(code));
            if *postcode == "EH1 3AA" {
                let named = |text: &str| Some(text.to_owned());
                entry.set(ScottishArea::DataZone2011, named("Calton Hill - 01"), named("S01990001"));
                entry.set(ScottishArea::ScottishParliamentaryRegion, None, named("S17990001"));
                (entry.split_indicator, entry.urban_rural_6_fold) = (named("Y"), named("1"));
                entry.scottish_index_of_multiple_deprivation = Some(4_972);
            }
            Some(entry)
        });
        Self::new(info, records)
            .with(SETTLEMENTS.iter().map(parse), scottish)
            .with_wider(WIDER.iter().map(parse))
    }

    /// Returns the same postcodes in another edition, in which every record is different. It shows
    /// from which edition an answer comes, and that no batch mixes them.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let (fixture, postcode) = (Fixture::small(), "SW1A 1AA".parse()?);
    /// let rank = |fixture: &Fixture| fixture.get(postcode).and_then(|record| record.deprivation_rank);
    /// assert_eq!((rank(&fixture), rank(&fixture.next_edition())), (Some(30_000), Some(30_001)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn next_edition(&self) -> Self {
        let mut info = self.info.clone();
        info.edition = format!("{}, next", info.edition);
        info.fingerprint = format!("{}+", info.fingerprint);
        let records = self.records.values().cloned().map(|mut record| {
            record.deprivation_rank = Some(record.deprivation_rank.unwrap_or(0).wrapping_add(1));
            record
        });
        Self::new(info, records)
            .with(self.places.values().cloned(), self.scottish.values().cloned())
            .with_wider(self.wider.values().cloned())
    }

    /// Returns the expected `info` of an implementation with this data. The edition, the
    /// fingerprint and the source may be the implementation's own.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert_eq!(fixture.info().edition, "Conformance fixture");
    /// assert_eq!(fixture.info().live, fixture.live().count() as u64);
    /// ```
    pub fn info(&self) -> &DatasetInfo {
        &self.info
    }

    /// Returns the records, live and terminated, in the order of postcodes.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// let postcodes: Vec<_> = fixture.records().map(|record| record.postcode).collect();
    /// assert!(postcodes.is_sorted());
    /// assert!(postcodes.contains(&"AB1 0AA".parse()?)); // terminated
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Returns the live records, in the order of postcodes.
    ///
    /// ```
    /// use postcode_core::Status;
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert!(fixture.live().all(|record| record.status == Status::Live));
    /// assert!(fixture.live().count() < fixture.records().count());
    /// ```
    pub fn live(&self) -> impl Iterator<Item = &Record> {
        self.records().filter(|record| record.status == Status::Live)
    }

    /// Returns the record of a postcode, live or terminated.
    ///
    /// ```
    /// use postcode_core::Status;
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert_eq!(fixture.get("AB1 0AA".parse()?).map(|record| record.status), Some(Status::Terminated));
    /// assert_eq!(fixture.get("SW1A 9ZZ".parse()?), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get(&self, postcode: Postcode) -> Option<&Record> {
        self.records.get(&postcode)
    }

    /// Returns the populated places, in the order of their codes.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert_eq!(fixture.places().count() as u64, fixture.info().places);
    /// ```
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.values()
    }

    /// Returns the islands and areas, in the order of their codes.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert!(fixture.wider_places().any(|place| place.local_type == "Island"));
    /// ```
    pub fn wider_places(&self) -> impl Iterator<Item = &Place> {
        self.wider.values()
    }

    /// Returns the Scottish postcodes, in order.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert_eq!(fixture.scottish().count() as u64, fixture.info().scottish_postcodes);
    /// ```
    pub fn scottish(&self) -> impl Iterator<Item = &ScottishPostcode> {
        self.scottish.values()
    }

    /// Returns whether the dataset covers the area of a postcode.
    ///
    /// ```
    /// use postcode_core::conformance::Fixture;
    ///
    /// let fixture = Fixture::small();
    /// assert!(fixture.covers("SW1A 9ZZ".parse()?)); // unknown, but its area is there
    /// assert!(!fixture.covers("BT1 5GS".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn covers(&self, postcode: Postcode) -> bool {
        self.info.not_covered.iter().all(|area| *area != postcode.area().as_str())
    }
}

/// Parses one of [`ROWS`].
fn record(row: &str) -> Result<Record> {
    let given = |text: &str| (text != "-").then(|| text.to_owned());
    let fields: Vec<_> = row.split('|').map(|field| given(field.trim())).collect();
    let [postcode, status, quality, user, grid, location, introduced, terminated, rank, place] = &fields[..]
    else {
        return Err(Error::invalid("not ten fields"));
    };
    let bad = |what: &str| Error::invalid(format!("no {what}"));
    let postcode = postcode.as_deref().and_then(|text| text.parse().ok()).ok_or_else(|| bad("postcode"))?;
    let mut record = Record::live(postcode);
    record.status = match status.as_deref() {
        Some("live") => Status::Live,
        Some("terminated") => Status::Terminated,
        _ => return Err(bad("status")),
    };
    record.quality = quality.as_deref().map(str::parse).transpose().map_err(|_| bad("quality"))?;
    record.user_type = match user.as_deref() {
        Some("small") => Some(UserType::Small),
        Some("large") => Some(UserType::Large),
        _ => None,
    };
    if let Some(grid) = grid {
        let (eastings, northings) = pair(grid).ok_or_else(|| bad("grid reference"))?;
        record.grid = Some(GridReference { eastings, northings, system: GridSystem::Osgb });
    }
    if let Some(location) = location {
        let (latitude, longitude) = pair(location).ok_or_else(|| bad("location"))?;
        record.location = Some(Location::new(latitude, longitude)?);
    }
    if record.location.is_none() && postcode.area() == "JE" {
        // The position of the outcode, as a dataset has it from another source.
        let location = Location::new(49.2, -2.1333)?;
        record.approximate = Some(Approximate { location, source: "GeoNames".into() });
    }
    record.introduced = introduced.as_deref().map(str::parse).transpose()?;
    record.terminated = terminated.as_deref().map(str::parse).transpose()?;
    record.deprivation_rank = rank.as_deref().map(str::parse).transpose().map_err(|_| bad("rank"))?;
    if let Some(place) = place {
        let (_, areas) = PLACES.iter().find(|(name, _)| name == place).ok_or_else(|| bad("place"))?;
        let kinds = [AreaKind::AdminDistrict, AreaKind::AdminWard, AreaKind::Country, AreaKind::Region];
        record.areas = Areas::owned(kinds.into_iter().zip(areas).filter(|(_, area)| **area != NOWHERE).map(
            |(kind, (code, name))| {
                (kind, OwnedArea { code: Some((*code).into()), name: Some((*name).into()), alias: None })
            },
        ));
    }
    Ok(record)
}

/// Parses one of [`SETTLEMENTS`].
fn place(row: &str) -> Result<Place> {
    let fields: Vec<_> = row.split('|').map(str::trim).collect();
    let [code, names, local_type, outcode, county, grid, location] = fields[..] else {
        return Err(Error::invalid("not seven fields"));
    };
    let names: Vec<_> = names.split(", ").collect();
    let given = |text: &str| (text != "-").then(|| text.to_owned());
    let mut place = Place::new(code, names[0], local_type);
    if let [_, first, second, other] = names[..] {
        place.name_1_lang = Some(first.to_owned());
        (place.name_2, place.name_2_lang) = (Some(second.to_owned()), Some(other.to_owned()));
    }
    place.outcode = given(outcode).and_then(|text| text.parse().ok());
    place.county_unitary = given(county);
    place.county_unitary_type = place.county_unitary.as_ref().map(|_| "UnitaryAuthority".to_owned());
    place.country = Some("Great Britain".to_owned());
    (place.eastings, place.northings) = pair(grid).ok_or_else(|| Error::invalid("no grid reference"))?;
    if let Some((latitude, longitude)) = pair(location) {
        (place.latitude, place.longitude) = (Some(latitude), Some(longitude));
    }
    // Areas have no box, and others not all sides.
    if place.latitude.is_some() && local_type != "UnitaryAuthority" {
        place.min_eastings = Some(place.eastings - 250);
        place.max_northings = Some(place.northings + 250);
    }
    Ok(place)
}

fn pair<T: std::str::FromStr>(text: &str) -> Option<(T, T)> {
    let (one, other) = text.split_once(' ')?;
    Some((one.parse().ok()?, other.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_what_they_say() {
        let fixture = Fixture::small();
        assert_eq!(fixture.records().count(), ROWS.len() + DENSE, "no postcode twice");
        assert_eq!((fixture.info().live, fixture.info().terminated), (151, 6));
        let record = fixture.get("EH1 3AA".parse().unwrap()).unwrap();
        assert_eq!(record.area_name(AreaKind::AdminWard), Some("Leith Walk"));
        assert_eq!(record.region(), None);
        assert_eq!(record.location, Some(Location::new(55.9522, -3.1852).unwrap()));
        assert_eq!(
            (fixture.places().count(), fixture.scottish().count()),
            (SETTLEMENTS.len(), SCOTTISH.len())
        );
        let place = fixture.places().find(|place| place.code == "osgb1010").unwrap();
        assert_eq!((place.name_2.as_deref(), place.longitude), (Some("Carnarvon"), Some(-4.27)));
        assert!(!fixture.covers("BT1 5GS".parse().unwrap()));
    }

    #[test]
    fn in_the_next_edition_every_record_is_different() {
        let (one, next) = (Fixture::small(), Fixture::small().next_edition());
        assert!(one.records().zip(next.records()).all(|(a, b)| a.postcode == b.postcode && a != b));
        assert_ne!(one.info().fingerprint, next.info().fingerprint);
    }
}
