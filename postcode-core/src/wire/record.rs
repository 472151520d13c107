//! The postcode object of postcodes.io, written from a [`Record`] and read into one.

use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Keys;
use super::position::PositionBody;
use crate::{
    AreaKind, Areas, Error, ErrorKind, GridReference, GridSystem, Location, Neighbour, OwnedArea, Postcode,
    Record, Result, Status, UserType, YearMonth,
};

/// How much of a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The keys of postcodes.io 18, in its order, and no others.
    Compatible,
    /// The same and then what else this project knows: `status`, `user_type`, `grid_system`,
    /// `date_of_termination`, `index_of_multiple_deprivation`, `parliamentary_constituency_before` (the last change of
    /// boundaries), `senedd_constituency`, `position` (where it is and whether exactly), and among the `codes` those of country, region,
    /// NHS authority, European electoral region, primary care trust and the constituency before.
    Extended,
}

/// A record to be written as JSON, without copying.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    record: &'a Record,
    shape: Shape,
    distance: Option<f64>,
    only: Option<&'a Keys>,
}

impl<'a> RecordView<'a> {
    /// In that shape.
    pub fn new(record: &'a Record, shape: Shape) -> Self {
        Self { record, shape, distance: None, only: None }
    }

    /// Nothing but these keys, if there are any given.
    #[must_use]
    pub fn only(self, only: Option<&'a Keys>) -> Self {
        Self { only, ..self }
    }
}

/// A neighbour to be written as JSON: a postcode object with its `distance` in metres.
#[derive(Clone, Copy, Debug)]
pub struct NeighbourView<'a>(RecordView<'a>);

impl<'a> NeighbourView<'a> {
    /// In that shape.
    pub fn new(neighbour: &'a Neighbour, shape: Shape) -> Self {
        let distance = Some(neighbour.distance);
        Self(RecordView { distance, ..RecordView::new(&neighbour.record, shape) })
    }

    /// Nothing but these keys, if there are any given.
    #[must_use]
    pub fn only(self, only: Option<&'a Keys>) -> Self {
        Self(self.0.only(only))
    }
}

impl Serialize for NeighbourView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The entries of a record's object, without those that are not asked for.
struct Entries<'a, M> {
    map: M,
    only: Option<&'a Keys>,
}

impl<M: SerializeMap> Entries<'_, M> {
    fn entry(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        match self.only {
            Some(only) if !only.has(key) => Ok(()),
            _ => self.map.serialize_entry(key, value),
        }
    }
}

impl Serialize for RecordView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use AreaKind::*;
        let record = self.record;
        let name = |kind| record.area_name(kind);
        let pcon = name(ParliamentaryConstituency);
        let (lsoa21, msoa21) = (name(Lsoa21), name(Msoa21));
        let mut map = Entries { map: serializer.serialize_map(None)?, only: self.only };
        map.entry("postcode", &record.postcode)?;
        map.entry("quality", &record.quality)?;
        map.entry("eastings", &record.grid.map(|grid| grid.eastings))?;
        map.entry("northings", &record.grid.map(|grid| grid.northings))?;
        map.entry("country", &name(Country))?;
        map.entry("nhs_ha", &name(HealthAuthority))?;
        map.entry("longitude", &record.location.map(Location::longitude))?;
        map.entry("latitude", &record.location.map(Location::latitude))?;
        map.entry("european_electoral_region", &name(EuropeanElectoralRegion))?;
        map.entry("primary_care_trust", &name(PrimaryCareTrust))?;
        map.entry("region", &name(Region))?;
        map.entry("lsoa", &lsoa21)?;
        map.entry("msoa", &msoa21)?;
        map.entry("incode", record.postcode.incode().as_str())?;
        map.entry("outcode", record.postcode.outcode().text().as_str())?;
        map.entry("parliamentary_constituency", &pcon)?;
        map.entry("parliamentary_constituency_2024", &pcon)?;
        map.entry("admin_district", &name(AdminDistrict))?;
        map.entry("parish", &name(Parish))?;
        map.entry("admin_county", &name(AdminCounty))?;
        map.entry("date_of_introduction", &record.introduced.map(Month))?;
        map.entry("admin_ward", &name(AdminWard))?;
        map.entry("ced", &name(CountyElectoralDivision))?;
        map.entry("ccg", &name(Ccg))?;
        map.entry("nuts", &name(Nuts))?;
        map.entry("pfa", &name(PoliceForceArea))?;
        map.entry("nhs_region", &name(NhsRegion))?;
        map.entry("ttwa", &name(TravelToWorkArea))?;
        map.entry("national_park", &name(NationalPark))?;
        map.entry("bua", &name(BuiltUpArea))?;
        map.entry("icb", &name(IntegratedCareBoard))?;
        map.entry("cancer_alliance", &name(CancerAlliance))?;
        map.entry("lsoa11", &name(Lsoa11))?;
        map.entry("msoa11", &name(Msoa11))?;
        map.entry("lsoa21", &lsoa21)?;
        map.entry("msoa21", &msoa21)?;
        map.entry("oa21", &record.area_code(OutputArea21))?;
        map.entry("ruc11", &name(RuralUrban11))?;
        map.entry("ruc21", &name(RuralUrban21))?;
        map.entry("lep1", &name(LocalEnterprisePartnership1))?;
        map.entry("lep2", &name(LocalEnterprisePartnership2))?;
        map.entry("codes", &CodesView(*self))?;
        if let Some(distance) = self.distance {
            map.entry("distance", &distance)?;
        }
        if self.shape == Shape::Extended {
            let status = match record.status {
                Status::Live => "live",
                Status::Terminated => "terminated",
            };
            let system = record.grid.map(|grid| match grid.system {
                GridSystem::Osgb => "osgb",
                GridSystem::Irish => "irish",
            });
            map.entry("status", status)?;
            map.entry("user_type", &record.user_type.map(UserType::as_str))?;
            map.entry("grid_system", &system)?;
            map.entry("index_of_multiple_deprivation", &record.deprivation_rank)?;
            map.entry("parliamentary_constituency_before", &name(ParliamentaryConstituencyBefore))?;
            map.entry("senedd_constituency", &record.senedd_constituency())?;
            map.entry("position", &PositionBody::of(record))?;
        }
        if self.shape == Shape::Extended || record.status == Status::Terminated {
            map.entry("date_of_termination", &record.terminated.map(Month))?;
        }
        map.map.end()
    }
}

/// A month as `"YYYYMM"`.
struct Month(YearMonth);

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The `codes` of a postcode object.
pub(super) struct CodesView<'a>(pub(super) RecordView<'a>);

impl Serialize for CodesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use AreaKind::*;
        let record = self.0.record;
        let code = |kind| record.area_code(kind);
        let (pcon, lsoa21, msoa21) = (code(ParliamentaryConstituency), code(Lsoa21), code(Msoa21));
        let ccg = record.area(Ccg);
        let nuts = record.area(Nuts);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("admin_district", &code(AdminDistrict))?;
        map.serialize_entry("admin_county", &code(AdminCounty))?;
        map.serialize_entry("admin_ward", &code(AdminWard))?;
        map.serialize_entry("parish", &code(Parish))?;
        map.serialize_entry("parliamentary_constituency", &pcon)?;
        map.serialize_entry("parliamentary_constituency_2024", &pcon)?;
        map.serialize_entry("ccg", &ccg.and_then(|area| area.code))?;
        map.serialize_entry("ccg_id", &ccg.and_then(|area| area.alias))?;
        map.serialize_entry("ced", &code(CountyElectoralDivision))?;
        map.serialize_entry("nuts", &nuts.and_then(|area| area.alias))?;
        map.serialize_entry("lsoa", &lsoa21)?;
        map.serialize_entry("msoa", &msoa21)?;
        map.serialize_entry("lau2", &nuts.and_then(|area| area.code))?;
        map.serialize_entry("pfa", &code(PoliceForceArea))?;
        map.serialize_entry("nhs_region", &code(NhsRegion))?;
        map.serialize_entry("ttwa", &code(TravelToWorkArea))?;
        map.serialize_entry("national_park", &code(NationalPark))?;
        map.serialize_entry("bua", &code(BuiltUpArea))?;
        map.serialize_entry("icb", &code(IntegratedCareBoard))?;
        map.serialize_entry("cancer_alliance", &code(CancerAlliance))?;
        map.serialize_entry("lsoa11", &code(Lsoa11))?;
        map.serialize_entry("msoa11", &code(Msoa11))?;
        map.serialize_entry("lsoa21", &lsoa21)?;
        map.serialize_entry("msoa21", &msoa21)?;
        map.serialize_entry("oa21", &code(OutputArea21))?;
        map.serialize_entry("ruc11", &code(RuralUrban11))?;
        map.serialize_entry("ruc21", &code(RuralUrban21))?;
        map.serialize_entry("lep1", &code(LocalEnterprisePartnership1))?;
        map.serialize_entry("lep2", &code(LocalEnterprisePartnership2))?;
        if self.0.shape == Shape::Extended {
            map.serialize_entry("country", &code(Country))?;
            map.serialize_entry("region", &code(Region))?;
            map.serialize_entry("nhs_ha", &code(HealthAuthority))?;
            map.serialize_entry("european_electoral_region", &code(EuropeanElectoralRegion))?;
            map.serialize_entry("primary_care_trust", &code(PrimaryCareTrust))?;
            map.serialize_entry("parliamentary_constituency_before", &code(ParliamentaryConstituencyBefore))?;
        }
        map.end()
    }
}

type Text = Option<Box<str>>;

/// A postcode object as it is read: of either shape, of any release of postcodes.io. Unknown keys are passed
/// over and absent ones are `None`, so that an old client reads a new server and the reverse.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the key of postcodes.io of that name")]
pub struct RecordBody {
    pub postcode: String,
    pub quality: Option<u8>,
    pub eastings: Option<u32>,
    pub northings: Option<u32>,
    pub country: Text,
    pub nhs_ha: Text,
    pub longitude: Option<f64>,
    pub latitude: Option<f64>,
    pub european_electoral_region: Text,
    pub primary_care_trust: Text,
    pub region: Text,
    pub lsoa: Text,
    pub msoa: Text,
    pub parliamentary_constituency: Text,
    pub admin_district: Text,
    pub parish: Text,
    pub admin_county: Text,
    pub date_of_introduction: Text,
    pub admin_ward: Text,
    pub ced: Text,
    pub ccg: Text,
    pub nuts: Text,
    pub pfa: Text,
    pub nhs_region: Text,
    pub ttwa: Text,
    pub national_park: Text,
    pub bua: Text,
    pub icb: Text,
    pub cancer_alliance: Text,
    pub lsoa11: Text,
    pub msoa11: Text,
    pub lsoa21: Text,
    pub msoa21: Text,
    pub ruc11: Text,
    pub ruc21: Text,
    pub lep1: Text,
    pub lep2: Text,
    pub codes: CodesBody,
    pub distance: Option<f64>,
    pub status: Text,
    pub user_type: Text,
    pub grid_system: Text,
    pub date_of_termination: Text,
    pub index_of_multiple_deprivation: Option<u16>,
    pub parliamentary_constituency_before: Text,
    pub position: Option<PositionBody>,
}

/// The `codes` of a [`RecordBody`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the key of postcodes.io of that name")]
pub struct CodesBody {
    pub admin_district: Text,
    pub admin_county: Text,
    pub admin_ward: Text,
    pub parish: Text,
    pub parliamentary_constituency: Text,
    pub ccg: Text,
    pub ccg_id: Text,
    pub ced: Text,
    pub nuts: Text,
    pub lsoa: Text,
    pub msoa: Text,
    pub lau2: Text,
    pub pfa: Text,
    pub nhs_region: Text,
    pub ttwa: Text,
    pub national_park: Text,
    pub bua: Text,
    pub icb: Text,
    pub cancer_alliance: Text,
    pub lsoa11: Text,
    pub msoa11: Text,
    pub lsoa21: Text,
    pub msoa21: Text,
    pub oa21: Text,
    pub ruc11: Text,
    pub ruc21: Text,
    pub lep1: Text,
    pub lep2: Text,
    pub country: Text,
    pub region: Text,
    pub nhs_ha: Text,
    pub european_electoral_region: Text,
    pub primary_care_trust: Text,
    pub parliamentary_constituency_before: Text,
}

impl RecordBody {
    /// Nothing but the postcode.
    pub fn new(postcode: impl Into<String>) -> Self {
        Self { postcode: postcode.into(), ..Self::default() }
    }

    /// The record; `status` where the body does not say.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) if a postcode, a date or a location is none.
    pub fn into_record(self, status: Status) -> Result<Record> {
        let postcode: Postcode =
            self.postcode.parse().map_err(|e| protocol(&self.postcode, "postcode").with_source(e))?;
        let mut record = match self.status.as_deref() {
            Some("live") => Record::live(postcode),
            Some("terminated") => Record::terminated(postcode),
            Some(other) => return Err(protocol(other, "status")),
            None if status == Status::Live => Record::live(postcode),
            None => Record::terminated(postcode),
        };
        record.quality = self.quality;
        record.user_type = match self.user_type.as_deref() {
            None => None,
            Some("small") => Some(UserType::Small),
            Some("large") => Some(UserType::Large),
            Some(other) => return Err(protocol(other, "user type")),
        };
        let system = match self.grid_system.as_deref() {
            Some("irish") => GridSystem::Irish,
            None if postcode.area() == "BT" => GridSystem::Irish,
            _ => GridSystem::Osgb,
        };
        record.grid = self.eastings.zip(self.northings).map(|(eastings, northings)| GridReference {
            eastings,
            northings,
            system,
        });
        record.location = self
            .latitude
            .zip(self.longitude)
            .map(|(latitude, longitude)| Location::new(latitude, longitude))
            .transpose()
            .map_err(|e| protocol(&self.postcode, "location").with_source(e))?;
        if record.location.is_none() {
            record.approximate = self.position.as_ref().map(PositionBody::approximate).transpose()?.flatten();
        }
        record.introduced = month(self.date_of_introduction.as_deref())?;
        record.terminated = month(self.date_of_termination.as_deref())?;
        record.deprivation_rank = self.index_of_multiple_deprivation;
        record.areas = self.areas();
        Ok(record)
    }

    /// The neighbour, if the body has a distance.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) as [`into_record`](Self::into_record), and without a distance.
    pub fn into_neighbour(self) -> Result<Neighbour> {
        let distance = self.distance.ok_or_else(|| protocol(&self.postcode, "distance of"))?;
        Ok(Neighbour::new(self.into_record(Status::Live)?, distance))
    }

    fn areas(self) -> Areas {
        use AreaKind::*;
        let codes = self.codes;
        let area = |kind, name: Text, code: Text, alias: Text| {
            (name.is_some() || code.is_some()).then_some((kind, OwnedArea { code, name, alias }))
        };
        Areas::owned(
            [
                area(Country, self.country, codes.country, None),
                area(HealthAuthority, self.nhs_ha, codes.nhs_ha, None),
                area(
                    EuropeanElectoralRegion,
                    self.european_electoral_region,
                    codes.european_electoral_region,
                    None,
                ),
                area(PrimaryCareTrust, self.primary_care_trust, codes.primary_care_trust, None),
                area(Region, self.region, codes.region, None),
                area(
                    ParliamentaryConstituency,
                    self.parliamentary_constituency,
                    codes.parliamentary_constituency,
                    None,
                ),
                area(AdminDistrict, self.admin_district, codes.admin_district, None),
                area(Parish, self.parish, codes.parish, None),
                area(AdminCounty, self.admin_county, codes.admin_county, None),
                area(AdminWard, self.admin_ward, codes.admin_ward, None),
                area(CountyElectoralDivision, self.ced, codes.ced, None),
                area(Ccg, self.ccg, codes.ccg, codes.ccg_id),
                area(Nuts, self.nuts, codes.lau2, codes.nuts),
                area(PoliceForceArea, self.pfa, codes.pfa, None),
                area(NhsRegion, self.nhs_region, codes.nhs_region, None),
                area(TravelToWorkArea, self.ttwa, codes.ttwa, None),
                area(NationalPark, self.national_park, codes.national_park, None),
                area(BuiltUpArea, self.bua, codes.bua, None),
                area(IntegratedCareBoard, self.icb, codes.icb, None),
                area(CancerAlliance, self.cancer_alliance, codes.cancer_alliance, None),
                area(Lsoa11, self.lsoa11, codes.lsoa11, None),
                area(Msoa11, self.msoa11, codes.msoa11, None),
                // Before release 18 of postcodes.io `lsoa` and `msoa` were all there was.
                area(Lsoa21, self.lsoa21.or(self.lsoa), codes.lsoa21.or(codes.lsoa), None),
                area(Msoa21, self.msoa21.or(self.msoa), codes.msoa21.or(codes.msoa), None),
                area(OutputArea21, None, codes.oa21, None),
                area(RuralUrban11, self.ruc11, codes.ruc11, None),
                area(RuralUrban21, self.ruc21, codes.ruc21, None),
                area(LocalEnterprisePartnership1, self.lep1, codes.lep1, None),
                area(LocalEnterprisePartnership2, self.lep2, codes.lep2, None),
                area(
                    ParliamentaryConstituencyBefore,
                    self.parliamentary_constituency_before,
                    codes.parliamentary_constituency_before,
                    None,
                ),
            ]
            .into_iter()
            .flatten(),
        )
    }
}

fn month(text: Option<&str>) -> Result<Option<YearMonth>> {
    text.map(|text| text.parse().map_err(|e| protocol(text, "month").with_source(e))).transpose()
}

pub(super) fn protocol(text: &str, what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the server answered with a {what} that is none: {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Approximate, Area};

    /// A record in which every field and every area is set, each to something else.
    fn full(status: Status) -> Record {
        let mut record = Record::live("AB10 1AB".parse().unwrap());
        record.status = status;
        record.quality = Some(1);
        record.user_type = Some(UserType::Large);
        record.grid = Some(GridReference { eastings: 394_235, northings: 806_529, system: GridSystem::Osgb });
        record.location = Some(Location::new(57.149606, -2.096916).unwrap());
        record.introduced = Some(YearMonth::new(2011, 9).unwrap());
        record.terminated = (status == Status::Terminated).then(|| YearMonth::new(2020, 12).unwrap());
        record.deprivation_rank = Some(3888);
        record.areas = Areas::owned(AreaKind::ALL.into_iter().enumerate().map(|(i, kind)| {
            let alias = matches!(kind, AreaKind::Ccg | AreaKind::Nuts).then(|| format!("A{i}").into());
            let name = (kind != AreaKind::OutputArea21).then(|| format!("Name {i}").into());
            (kind, OwnedArea { code: Some(format!("S{i:08}").into()), name, alias })
        }));
        record
    }

    fn read(json: &str) -> Record {
        serde_json::from_str::<RecordBody>(json).unwrap().into_record(Status::Live).unwrap()
    }

    #[test]
    fn the_extended_shape_carries_a_whole_record() {
        for status in [Status::Live, Status::Terminated] {
            let record = full(status);
            let json = serde_json::to_string(&RecordView::new(&record, Shape::Extended)).unwrap();
            assert_eq!(read(&json), record);
            let mut about = record;
            let location = about.location.take().unwrap();
            about.approximate = Some(Approximate { location, source: "GeoNames".into() });
            let json = serde_json::to_value(RecordView::new(&about, Shape::Extended)).unwrap();
            assert_eq!(json["position"]["kind"], "approximate");
            assert!(json["longitude"].is_null() && json["latitude"].is_null());
            assert_eq!(read(&json.to_string()), about);
        }
        let empty = Record::live("BT1 5GS".parse().unwrap());
        let json = serde_json::to_string(&RecordView::new(&empty, Shape::Extended)).unwrap();
        assert_eq!(read(&json), empty);
    }

    #[test]
    fn the_compatible_shape_has_the_42_keys_and_29_codes() {
        let record = full(Status::Live);
        let json = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 42);
        assert_eq!(json["codes"].as_object().unwrap().len(), 29);
        assert_eq!(json["parliamentary_constituency_2024"], "Name 5");
        assert_eq!(json["codes"]["nuts"], "A12");
        assert_eq!(json["codes"]["lau2"], "S00000012");
        assert_eq!(json["date_of_introduction"], "201109");
    }

    #[test]
    fn the_shapes_agree_on_what_they_share() {
        let record = full(Status::Live);
        let compatible = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
        let extended = serde_json::to_value(RecordView::new(&record, Shape::Extended)).unwrap();
        for (key, value) in compatible.as_object().unwrap().iter().filter(|(key, _)| *key != "codes") {
            assert_eq!(&extended[key], value, "{key}");
        }
        for (key, value) in compatible["codes"].as_object().unwrap() {
            assert_eq!(&extended["codes"][key], value, "codes.{key}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_a_protocol_error() {
        for json in [
            r#"{"postcode":"nonsense"}"#,
            r#"{"postcode":"AB10 1AB","status":"asleep"}"#,
            r#"{"postcode":"AB10 1AB","latitude":999.0,"longitude":0.0}"#,
            r#"{"postcode":"AB10 1AB","date_of_introduction":"yesterday"}"#,
            r#"{"postcode":"JE2 3AB","position":{"kind":"approximate","longitude":0.0,"latitude":99.0}}"#,
        ] {
            let body: RecordBody = serde_json::from_str(json).unwrap();
            assert_eq!(body.into_record(Status::Live).unwrap_err().kind(), ErrorKind::Protocol, "{json}");
        }
    }

    #[test]
    fn an_area_without_code_or_name_is_no_area() {
        let record = read(r#"{"postcode":"AB10 1AB","country":"Scotland","codes":{}}"#);
        assert_eq!(
            record.area(AreaKind::Country),
            Some(Area { code: None, name: Some("Scotland"), alias: None })
        );
        assert_eq!(record.area(AreaKind::Region), None);
    }
}
