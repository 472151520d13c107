//! Writes a [`Record`] as the postcode object of postcodes.io.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::keys::Keys;
use super::position::PositionBody;
use crate::{AreaKind, GridSystem, Location, Neighbour, Record, Status, UserType, YearMonth};

/// Which keys of a record are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The keys of postcodes.io 18, in its order, and no others.
    Compatible,
    /// The same keys, followed by those that this project adds: `status`, `user_type`,
    /// `grid_system`, `date_of_termination`, `index_of_multiple_deprivation`,
    /// `parliamentary_constituency_before` (before the last boundary change), `senedd_constituency`,
    /// `admin_district_welsh` and `position` (the location, and whether it is exact). The `codes` add country, region, NHS
    /// authority, European electoral region, primary care trust and previous constituency.
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
    /// Writes a record in this shape.
    pub fn new(record: &'a Record, shape: Shape) -> Self {
        Self { record, shape, distance: None, only: None }
    }

    /// Selects the keys to write. `None` writes all.
    #[must_use]
    pub fn only(self, only: Option<&'a Keys>) -> Self {
        Self { only, ..self }
    }
}

/// A neighbour to be written as JSON: a postcode object with its `distance` in metres.
#[derive(Clone, Copy, Debug)]
pub struct NeighbourView<'a>(RecordView<'a>);

impl<'a> NeighbourView<'a> {
    /// Writes a neighbour in this shape.
    pub fn new(neighbour: &'a Neighbour, shape: Shape) -> Self {
        let distance = Some(neighbour.distance);
        Self(RecordView { distance, ..RecordView::new(&neighbour.record, shape) })
    }

    /// Selects the keys to write. `None` writes all.
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

/// Writes the entries of a record's object, except those that are not selected.
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
            map.entry("admin_district_welsh", &record.admin_district_welsh())?;
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
