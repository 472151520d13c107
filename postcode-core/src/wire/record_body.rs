//! Reads the postcode object of postcodes.io into a [`Record`].

use serde::Deserialize;

use super::position::{PositionBody, protocol};
use crate::{
    AreaKind, Areas, GridReference, GridSystem, Location, Neighbour, OwnedArea, Postcode, Record, Result,
    Status, UserType, YearMonth,
};

type Text = Option<Box<str>>;

/// A postcode object as received: in either shape, from any release of postcodes.io. Unknown keys
/// are ignored and missing ones are `None`, so that old clients and new servers work together, and
/// the reverse.
///
/// [`into_record`](Self::into_record) and [`into_neighbour`](Self::into_neighbour) check the values. [`new`](Self::new)
/// makes one to fill.
///
/// ```
/// use postcode_core::Status;
/// use postcode_core::wire::RecordBody;
///
/// let body: RecordBody = serde_json::from_str(r#"{"postcode":"SW1A 1AA","quality":1,"new_key":7}"#)?;
/// let record = body.into_record(Status::Live)?;
/// assert_eq!((record.postcode.to_string(), record.quality), ("SW1A 1AA".to_owned(), Some(1)));
///
/// let mut body = RecordBody::new("SW1A 1AA");
/// body.distance = Some(12.5); // metres
/// assert_eq!(body.into_neighbour()?.distance, 12.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use postcode_core::wire::CodesBody;
///
/// let codes: CodesBody = serde_json::from_str(r#"{"admin_district":"E09000033"}"#)?;
/// assert_eq!(codes.admin_district.as_deref(), Some("E09000033"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// Creates a body with nothing but the postcode.
    ///
    /// ```
    /// use postcode_core::Status;
    /// use postcode_core::wire::RecordBody;
    ///
    /// let mut body = RecordBody::new("SW1A 1AA");
    /// body.admin_district = Some("Westminster".into());
    /// assert_eq!(body.into_record(Status::Live)?.admin_district(), Some("Westminster"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(postcode: impl Into<String>) -> Self {
        Self { postcode: postcode.into(), ..Self::default() }
    }

    /// Converts the body to a record. `status` applies if the body has none.
    ///
    /// ```
    /// use postcode_core::wire::RecordBody;
    /// use postcode_core::{ErrorKind, Status};
    ///
    /// let mut body = RecordBody::new("SW1A 1AA");
    /// (body.latitude, body.longitude) = (Some(151.5), Some(-0.1416));
    /// let error = body.into_record(Status::Live).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Protocol); // there is no such latitude
    /// ```
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if a postcode, a date or a location is invalid.
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

    /// Converts the body to a neighbour.
    ///
    /// ```
    /// use postcode_core::wire::RecordBody;
    ///
    /// let body: RecordBody = serde_json::from_str(r#"{"postcode":"SW1A 1AA","distance":12.5}"#)?;
    /// assert_eq!(body.into_neighbour()?.distance, 12.5); // metres
    /// assert!(RecordBody::new("SW1A 1AA").into_neighbour().is_err()); // without a distance
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) as for [`into_record`](Self::into_record), and if the
    /// distance is missing.
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
                // Before its release 18 postcodes.io had only `lsoa` and `msoa`.
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
