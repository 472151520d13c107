//! Writes a [`Record`] as the postcode object of postcodes.io.

use std::cell::OnceCell;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::keys::Keys;
use super::position::PositionBody;
use crate::{
    Area, AreaKind, Areas, GridSystem, Location, Neighbour, Record, Status, UserType, YearMonth, names,
};

/// Which keys of a record are written.
///
/// ```
/// use postcode_core::Record;
/// use postcode_core::wire::{RecordView, Shape};
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// let json = |shape| serde_json::to_value(RecordView::new(&record, shape));
/// assert!(json(Shape::Compatible)?.get("status").is_none());
/// assert_eq!(json(Shape::Extended)?["status"], "live");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// Created by [`new`](Self::new). [`only`](Self::only) selects keys:
///
/// ```
/// use postcode_core::Record;
/// use postcode_core::wire::{Keys, RecordView, Shape};
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// let keys = Keys::list("postcode,status");
/// let view = RecordView::new(&record, Shape::Extended).only(Some(&keys));
/// assert_eq!(serde_json::to_string(&view)?, r#"{"postcode":"SW1A 1AA","status":"live"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    record: &'a Record,
    shape: Shape,
    distance: Option<f64>,
    only: Option<&'a Keys>,
}

impl<'a> RecordView<'a> {
    /// Creates a view that writes a record in this shape.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::{RecordView, Shape};
    ///
    /// let record = Record::terminated("AB1 0AA".parse()?);
    /// let json = serde_json::to_value(RecordView::new(&record, Shape::Extended))?;
    /// assert_eq!((&json["outcode"], &json["status"]), (&"AB1".into(), &"terminated".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(record: &'a Record, shape: Shape) -> Self {
        Self { record, shape, distance: None, only: None }
    }

    /// Selects the keys to write. `None` writes all.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::{Keys, RecordView, Shape};
    ///
    /// let record = Record::live("SW1A 1AA".parse()?);
    /// let (keys, view) = (Keys::list("incode,postcode"), RecordView::new(&record, Shape::Compatible));
    /// let text = serde_json::to_string(&view.only(Some(&keys)))?;
    /// assert_eq!(text, r#"{"postcode":"SW1A 1AA","incode":"1AA"}"#); // in the order of the object
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn only(self, only: Option<&'a Keys>) -> Self {
        Self { only, ..self }
    }
}

/// A neighbour to be written as JSON: a postcode object with its `distance` in metres.
///
/// Created by [`new`](Self::new). [`only`](Self::only) selects keys:
///
/// ```
/// use postcode_core::{Neighbour, Record};
/// use postcode_core::wire::{Keys, NeighbourView, Shape};
///
/// let neighbour = Neighbour::new(Record::live("SW1A 1AA".parse()?), 12.5);
/// let keys = Keys::list("postcode,distance");
/// let view = NeighbourView::new(&neighbour, Shape::Compatible).only(Some(&keys));
/// assert_eq!(serde_json::to_string(&view)?, r#"{"postcode":"SW1A 1AA","distance":12.5}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NeighbourView<'a>(RecordView<'a>);

impl<'a> NeighbourView<'a> {
    /// Creates a view that writes a neighbour in this shape.
    ///
    /// ```
    /// use postcode_core::{Neighbour, Record};
    /// use postcode_core::wire::{NeighbourView, Shape};
    ///
    /// let neighbour = Neighbour::new(Record::live("SW1A 1AA".parse()?), 12.5);
    /// let json = serde_json::to_value(NeighbourView::new(&neighbour, Shape::Compatible))?;
    /// assert_eq!(json["postcode"], "SW1A 1AA");
    /// assert_eq!(json["distance"], 12.5); // metres
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(neighbour: &'a Neighbour, shape: Shape) -> Self {
        let distance = Some(neighbour.distance);
        Self(RecordView { distance, ..RecordView::new(&neighbour.record, shape) })
    }

    /// Selects the keys to write. `None` writes all.
    ///
    /// ```
    /// use postcode_core::{Neighbour, Record};
    /// use postcode_core::wire::{Keys, NeighbourView, Shape};
    ///
    /// let neighbour = Neighbour::new(Record::live("SW1A 1AA".parse()?), 12.5);
    /// let keys = Keys::list("distance");
    /// let view = NeighbourView::new(&neighbour, Shape::Extended).only(Some(&keys));
    /// assert_eq!(serde_json::to_string(&view)?, r#"{"distance":12.5}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn only(self, only: Option<&'a Keys>) -> Self {
        Self(self.0.only(only))
    }

    pub(super) fn record(&self) -> &RecordView<'a> {
        &self.0
    }
}

impl Serialize for NeighbourView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Where the entries of a record's object go: there is one list of them, for all forms.
pub(super) trait Sink {
    type Error;

    fn entry(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), Self::Error>;

    /// An entry with a name or a code.
    fn text(&mut self, key: &'static str, text: Option<&str>) -> Result<(), Self::Error>;

    /// The entry `codes`.
    fn codes(&mut self, codes: CodesView<'_, '_>) -> Result<(), Self::Error>;

    /// Entries that depend on nothing but the set of areas. A set has [`PARTS`] of them.
    fn areas(
        &mut self,
        _part: usize,
        write: impl FnOnce(&mut Self) -> Result<(), Self::Error>,
    ) -> Result<(), Self::Error> {
        write(self)
    }
}

/// See [`Sink::areas`].
pub(super) const PARTS: usize = 5;

/// The areas of a record, looked up together when the first one is needed.
pub(super) struct AreasOf<'a> {
    areas: &'a Areas,
    all: OnceCell<[Option<Area<'a>>; AreaKind::ALL.len()]>,
}

impl<'a> AreasOf<'a> {
    fn new(areas: &'a Areas) -> Self {
        Self { areas, all: OnceCell::new() }
    }

    fn get(&self, kind: AreaKind) -> Option<&Area<'a>> {
        let all = self.all.get_or_init(|| AreaKind::ALL.map(|kind| self.areas.get(kind)));
        all.get(kind as usize)?.as_ref()
    }

    fn name(&self, kind: AreaKind) -> Option<&'a str> {
        self.get(kind)?.name
    }

    fn code(&self, kind: AreaKind) -> Option<&'a str> {
        self.get(kind)?.code
    }

    fn alias(&self, kind: AreaKind) -> Option<&'a str> {
        self.get(kind)?.alias
    }
}

/// Entries of a map, except those that are not selected.
struct Entries<'a, M> {
    map: M,
    only: Option<&'a Keys>,
}

impl<M: SerializeMap> Sink for Entries<'_, M> {
    type Error = M::Error;

    fn entry(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        match self.only {
            Some(only) if !only.has(key) => Ok(()),
            _ => self.map.serialize_entry(key, value),
        }
    }

    fn text(&mut self, key: &'static str, text: Option<&str>) -> Result<(), M::Error> {
        self.entry(key, &text)
    }

    fn codes(&mut self, codes: CodesView<'_, '_>) -> Result<(), M::Error> {
        self.entry("codes", &codes)
    }
}

impl Serialize for RecordView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = Entries { map: serializer.serialize_map(None)?, only: self.only };
        self.entries(&mut entries)?;
        entries.map.end()
    }
}

impl RecordView<'_> {
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn areas(&self) -> &Areas {
        &self.record.areas
    }

    pub(super) fn is_whole(&self) -> bool {
        self.only.is_none()
    }

    pub(super) fn entries<S: Sink>(&self, to: &mut S) -> Result<(), S::Error> {
        use AreaKind::*;
        let record = self.record;
        let areas = AreasOf::new(&record.areas);
        let name = |kind| areas.name(kind);
        to.entry("postcode", &record.postcode)?;
        to.entry("quality", &record.quality)?;
        to.entry("eastings", &record.grid.map(|grid| grid.eastings))?;
        to.entry("northings", &record.grid.map(|grid| grid.northings))?;
        to.areas(0, |to| {
            to.text("country", name(Country))?;
            to.text("nhs_ha", name(HealthAuthority))
        })?;
        to.entry("longitude", &record.location.map(Location::longitude))?;
        to.entry("latitude", &record.location.map(Location::latitude))?;
        to.areas(1, |to| {
            to.text("european_electoral_region", name(EuropeanElectoralRegion))?;
            to.text("primary_care_trust", name(PrimaryCareTrust))?;
            to.text("region", name(Region))?;
            to.text("lsoa", name(Lsoa21))?;
            to.text("msoa", name(Msoa21))
        })?;
        to.text("incode", Some(record.postcode.incode().as_str()))?;
        to.text("outcode", Some(record.postcode.outcode().text().as_str()))?;
        to.areas(2, |to| {
            to.text("parliamentary_constituency", name(ParliamentaryConstituency))?;
            to.text("parliamentary_constituency_2024", name(ParliamentaryConstituency))?;
            to.text("admin_district", name(AdminDistrict))?;
            to.text("parish", name(Parish))?;
            to.text("admin_county", name(AdminCounty))
        })?;
        to.entry("date_of_introduction", &record.introduced.map(Month))?;
        to.areas(3, |to| {
            to.text("admin_ward", name(AdminWard))?;
            to.text("ced", name(CountyElectoralDivision))?;
            to.text("ccg", name(Ccg))?;
            to.text("nuts", name(Nuts))?;
            to.text("pfa", name(PoliceForceArea))?;
            to.text("nhs_region", name(NhsRegion))?;
            to.text("ttwa", name(TravelToWorkArea))?;
            to.text("national_park", name(NationalPark))?;
            to.text("bua", name(BuiltUpArea))?;
            to.text("icb", name(IntegratedCareBoard))?;
            to.text("cancer_alliance", name(CancerAlliance))?;
            to.text("lsoa11", name(Lsoa11))?;
            to.text("msoa11", name(Msoa11))?;
            to.text("lsoa21", name(Lsoa21))?;
            to.text("msoa21", name(Msoa21))?;
            to.text("oa21", areas.code(OutputArea21))?;
            to.text("ruc11", name(RuralUrban11))?;
            to.text("ruc21", name(RuralUrban21))?;
            to.text("lep1", name(LocalEnterprisePartnership1))?;
            to.text("lep2", name(LocalEnterprisePartnership2))?;
            to.codes(CodesView { areas: &areas, shape: self.shape })
        })?;
        if let Some(distance) = self.distance {
            to.entry("distance", &distance)?;
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
            to.text("status", Some(status))?;
            to.text("user_type", record.user_type.map(UserType::as_str))?;
            to.text("grid_system", system)?;
            to.entry("index_of_multiple_deprivation", &record.deprivation_rank)?;
            to.areas(4, |to| {
                to.text("parliamentary_constituency_before", name(ParliamentaryConstituencyBefore))?;
                let senedd = areas.code(ParliamentaryConstituency).and_then(names::senedd_constituency);
                to.text("senedd_constituency", senedd)?;
                let welsh = areas.code(AdminDistrict).and_then(names::welsh_district);
                to.text("admin_district_welsh", welsh)
            })?;
            to.entry("position", &PositionBody::of(record))?;
        }
        if self.shape == Shape::Extended || record.status == Status::Terminated {
            to.entry("date_of_termination", &record.terminated.map(Month))?;
        }
        Ok(())
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
#[derive(Clone, Copy)]
pub(super) struct CodesView<'v, 'a> {
    areas: &'v AreasOf<'a>,
    shape: Shape,
}

impl Serialize for CodesView<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = Entries { map: serializer.serialize_map(None)?, only: None };
        self.entries(&mut entries)?;
        entries.map.end()
    }
}

/// The `codes` of the compatible shape alone.
pub(super) struct CodesOf<'a>(pub(super) &'a Record);

impl Serialize for CodesOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CodesView { areas: &AreasOf::new(&self.0.areas), shape: Shape::Compatible }.serialize(serializer)
    }
}

impl CodesView<'_, '_> {
    pub(super) fn entries<S: Sink>(&self, to: &mut S) -> Result<(), S::Error> {
        use AreaKind::*;
        let code = |kind| self.areas.code(kind);
        to.text("admin_district", code(AdminDistrict))?;
        to.text("admin_county", code(AdminCounty))?;
        to.text("admin_ward", code(AdminWard))?;
        to.text("parish", code(Parish))?;
        to.text("parliamentary_constituency", code(ParliamentaryConstituency))?;
        to.text("parliamentary_constituency_2024", code(ParliamentaryConstituency))?;
        to.text("ccg", code(Ccg))?;
        to.text("ccg_id", self.areas.alias(Ccg))?;
        to.text("ced", code(CountyElectoralDivision))?;
        to.text("nuts", self.areas.alias(Nuts))?;
        to.text("lsoa", code(Lsoa21))?;
        to.text("msoa", code(Msoa21))?;
        to.text("lau2", code(Nuts))?;
        to.text("pfa", code(PoliceForceArea))?;
        to.text("nhs_region", code(NhsRegion))?;
        to.text("ttwa", code(TravelToWorkArea))?;
        to.text("national_park", code(NationalPark))?;
        to.text("bua", code(BuiltUpArea))?;
        to.text("icb", code(IntegratedCareBoard))?;
        to.text("cancer_alliance", code(CancerAlliance))?;
        to.text("lsoa11", code(Lsoa11))?;
        to.text("msoa11", code(Msoa11))?;
        to.text("lsoa21", code(Lsoa21))?;
        to.text("msoa21", code(Msoa21))?;
        to.text("oa21", code(OutputArea21))?;
        to.text("ruc11", code(RuralUrban11))?;
        to.text("ruc21", code(RuralUrban21))?;
        to.text("lep1", code(LocalEnterprisePartnership1))?;
        to.text("lep2", code(LocalEnterprisePartnership2))?;
        if self.shape == Shape::Extended {
            to.text("country", code(Country))?;
            to.text("region", code(Region))?;
            to.text("nhs_ha", code(HealthAuthority))?;
            to.text("european_electoral_region", code(EuropeanElectoralRegion))?;
            to.text("primary_care_trust", code(PrimaryCareTrust))?;
            to.text("parliamentary_constituency_before", code(ParliamentaryConstituencyBefore))?;
        }
        Ok(())
    }
}
