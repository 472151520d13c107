//! The administrative, health, statistical and electoral areas that a postcode lies in.

use std::fmt;
use std::sync::Arc;

/// The geographies that ONSPD assigns to a postcode and that postcodes.io returns.
///
/// [`key`](Self::key) is the name in JSON, and [`from_key`](Self::from_key) reads it. A
/// [`Record`](crate::Record) returns the area of a kind:
///
/// ```
/// use postcode_core::{AreaKind, Record};
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// assert_eq!(record.area_code(AreaKind::AdminDistrict), None); // a record made by hand has no areas
/// assert_eq!(AreaKind::AdminDistrict.key(), "admin_district");
/// assert_eq!(AreaKind::from_key("region"), Some(AreaKind::Region));
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
// The numbers are part of the dataset file (`docs/FORMAT.md`): add new ones at the end, and never renumber.
pub enum AreaKind {
    /// Country (`ctry`): England, Scotland, Wales, Northern Ireland, Channel Islands, Isle of Man.
    Country,
    /// Former strategic health authority, Welsh or Scottish health board (`oshlthau`, `hlth`).
    HealthAuthority,
    /// European electoral region (`eer`), historic.
    EuropeanElectoralRegion,
    /// Former primary care trust, local health board, community health partnership (`pct`, `pco`).
    PrimaryCareTrust,
    /// Region of England (`rgn`).
    Region,
    /// Westminster parliamentary constituency (`pcon`).
    ParliamentaryConstituency,
    /// Local authority district, unitary, London borough, council area (`oslaua`, `lad`).
    AdminDistrict,
    /// Civil parish, Welsh community (`parish`, `parncp`).
    Parish,
    /// County (`oscty`, `cty`).
    AdminCounty,
    /// Electoral ward (`osward`, `wd`).
    AdminWard,
    /// County electoral division (`ced`).
    CountyElectoralDivision,
    /// Sub-integrated-care-board location, once clinical commissioning group (`ccg`, `sicbl`);
    /// its alias is the NHS short code.
    Ccg,
    /// International territorial level, once NUTS (`nuts`, `itl`): the code is the local
    /// administrative unit's, the alias that of level 3 (`TLM50`).
    Nuts,
    /// Police force area (`pfa`).
    PoliceForceArea,
    /// NHS England region (`nhser`).
    NhsRegion,
    /// Travel to work area (`ttwa`).
    TravelToWorkArea,
    /// National park (`park`, `npark`).
    NationalPark,
    /// Built-up area (`bua`, of 2024 where present).
    BuiltUpArea,
    /// Integrated care board (`stp`, `icb`).
    IntegratedCareBoard,
    /// Cancer alliance (`calncv`, `cal`).
    CancerAlliance,
    /// Lower layer super output area, data zone, of the 2011 census.
    Lsoa11,
    /// Middle layer super output area, intermediate zone, of the 2011 census.
    Msoa11,
    /// Lower layer super output area, data zone, of the 2021 census (Scotland 2022).
    Lsoa21,
    /// Middle layer super output area, intermediate zone, of the 2021 census (Scotland 2022).
    Msoa21,
    /// Output area of the 2021 census (Scotland 2022); a code without a name.
    OutputArea21,
    /// Rural-urban classification of 2011.
    RuralUrban11,
    /// Rural-urban classification of 2021.
    RuralUrban21,
    /// Local enterprise partnership (`lep1`).
    LocalEnterprisePartnership1,
    /// Second, overlapping, local enterprise partnership (`lep2`).
    LocalEnterprisePartnership2,
    /// The previous Westminster parliamentary constituency, before the last boundary change, if the
    /// data has both.
    ParliamentaryConstituencyBefore,
}

impl AreaKind {
    /// All kinds, in the order of their numbers.
    ///
    /// ```
    /// use postcode_core::AreaKind;
    ///
    /// let of_the_census: Vec<_> = AreaKind::ALL.iter().filter(|kind| kind.key().ends_with("soa21")).collect();
    /// assert_eq!(of_the_census, [&AreaKind::Lsoa21, &AreaKind::Msoa21]);
    /// ```
    pub const ALL: [Self; 30] = {
        use AreaKind::*;
        [
            Country,
            HealthAuthority,
            EuropeanElectoralRegion,
            PrimaryCareTrust,
            Region,
            ParliamentaryConstituency,
            AdminDistrict,
            Parish,
            AdminCounty,
            AdminWard,
            CountyElectoralDivision,
            Ccg,
            Nuts,
            PoliceForceArea,
            NhsRegion,
            TravelToWorkArea,
            NationalPark,
            BuiltUpArea,
            IntegratedCareBoard,
            CancerAlliance,
            Lsoa11,
            Msoa11,
            Lsoa21,
            Msoa21,
            OutputArea21,
            RuralUrban11,
            RuralUrban21,
            LocalEnterprisePartnership1,
            LocalEnterprisePartnership2,
            ParliamentaryConstituencyBefore,
        ]
    };

    /// Returns the name in the HTTP API and the command line: the key in the postcode object.
    ///
    /// ```
    /// use postcode_core::AreaKind;
    ///
    /// assert_eq!(AreaKind::AdminWard.key(), "admin_ward");
    /// assert_eq!(AreaKind::from_key("admin_ward"), Some(AreaKind::AdminWard));
    /// ```
    pub fn key(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::HealthAuthority => "nhs_ha",
            Self::EuropeanElectoralRegion => "european_electoral_region",
            Self::PrimaryCareTrust => "primary_care_trust",
            Self::Region => "region",
            Self::ParliamentaryConstituency => "parliamentary_constituency",
            Self::AdminDistrict => "admin_district",
            Self::Parish => "parish",
            Self::AdminCounty => "admin_county",
            Self::AdminWard => "admin_ward",
            Self::CountyElectoralDivision => "ced",
            Self::Ccg => "ccg",
            Self::Nuts => "nuts",
            Self::PoliceForceArea => "pfa",
            Self::NhsRegion => "nhs_region",
            Self::TravelToWorkArea => "ttwa",
            Self::NationalPark => "national_park",
            Self::BuiltUpArea => "bua",
            Self::IntegratedCareBoard => "icb",
            Self::CancerAlliance => "cancer_alliance",
            Self::Lsoa11 => "lsoa11",
            Self::Msoa11 => "msoa11",
            Self::Lsoa21 => "lsoa21",
            Self::Msoa21 => "msoa21",
            Self::OutputArea21 => "oa21",
            Self::RuralUrban11 => "ruc11",
            Self::RuralUrban21 => "ruc21",
            Self::LocalEnterprisePartnership1 => "lep1",
            Self::LocalEnterprisePartnership2 => "lep2",
            Self::ParliamentaryConstituencyBefore => "parliamentary_constituency_before",
        }
    }

    /// Returns the kind with this [`key`](Self::key), in any case.
    ///
    /// ```
    /// use postcode_core::AreaKind;
    ///
    /// assert_eq!(AreaKind::from_key("admin_district"), Some(AreaKind::AdminDistrict));
    /// assert_eq!(AreaKind::from_key("galaxy"), None);
    /// ```
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key().eq_ignore_ascii_case(key))
    }
}

/// One area that a postcode lies in.
///
/// ```
/// use postcode_core::{AreaKind, Areas, OwnedArea};
///
/// let westminster = OwnedArea { code: Some("E09000033".into()), name: Some("Westminster".into()), alias: None };
/// let areas = Areas::owned([(AreaKind::AdminDistrict, westminster)]);
/// let area = areas.get(AreaKind::AdminDistrict).ok_or("not known")?;
/// assert_eq!((area.code, area.name), (Some("E09000033"), Some("Westminster")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area<'a> {
    /// The ONS code, such as `E09000033`. A few servers give only a name.
    pub code: Option<&'a str>,
    /// The name, if the source has one for the code.
    pub name: Option<&'a str>,
    /// A second code for the same area: see [`AreaKind::Ccg`] and [`AreaKind::Nuts`].
    pub alias: Option<&'a str>,
}

/// An [`Area`] that owns its text.
///
/// ```
/// use postcode_core::OwnedArea;
///
/// let coded = OwnedArea { code: Some("E09000033".into()), ..OwnedArea::default() };
/// assert_eq!((coded.code.as_deref(), coded.name), (Some("E09000033"), None));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedArea {
    /// See [`Area::code`].
    pub code: Option<Box<str>>,
    /// See [`Area::name`].
    pub name: Option<Box<str>>,
    /// See [`Area::alias`].
    pub alias: Option<Box<str>>,
}

/// Returns the areas of many postcodes. A dataset implements it and shares the areas among its
/// records.
///
/// ```
/// use std::sync::Arc;
/// use postcode_core::model::AreaSource;
/// use postcode_core::{Area, AreaKind, Areas};
///
/// /// Knows one area.
/// #[derive(Debug)]
/// struct Westminster;
///
/// impl AreaSource for Westminster {
///     fn area(&self, _set: u32, kind: AreaKind) -> Option<Area<'_>> {
///         let district = Area { code: Some("E09000033"), name: Some("Westminster"), alias: None };
///         (kind == AreaKind::AdminDistrict).then_some(district)
///     }
/// }
///
/// let areas = Areas::shared(Arc::new(Westminster), 0);
/// assert_eq!(areas.name(AreaKind::AdminDistrict), Some("Westminster"));
/// assert_eq!(areas.code(AreaKind::Region), None);
/// ```
pub trait AreaSource: fmt::Debug + Send + Sync {
    /// Returns the area of a kind in the set of areas with this number.
    ///
    /// ```
    /// # use postcode_core::model::AreaSource;
    /// # use postcode_core::{Area, AreaKind};
    /// # #[derive(Debug)]
    /// # struct Countries;
    /// # impl AreaSource for Countries {
    /// #     fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>> {
    /// #         let area = |(code, name)| Area { code: Some(code), name: Some(name), alias: None };
    /// #         let countries = [("E92000001", "England"), ("W92000004", "Wales")];
    /// #         countries.get(set as usize).filter(|_| kind == AreaKind::Country).copied().map(area)
    /// #     }
    /// # }
    /// // `Countries` knows England as set 0, and Wales as set 1.
    /// assert_eq!(Countries.area(1, AreaKind::Country).and_then(|area| area.name), Some("Wales"));
    /// assert_eq!(Countries.area(1, AreaKind::Region), None);
    /// ```
    fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>>;

    /// Returns only the name of that area.
    ///
    /// ```
    /// # use postcode_core::model::AreaSource;
    /// # use postcode_core::{Area, AreaKind};
    /// # #[derive(Debug)]
    /// # struct Countries;
    /// # impl AreaSource for Countries {
    /// #     fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>> {
    /// #         let area = |(code, name)| Area { code: Some(code), name: Some(name), alias: None };
    /// #         let countries = [("E92000001", "England"), ("W92000004", "Wales")];
    /// #         countries.get(set as usize).filter(|_| kind == AreaKind::Country).copied().map(area)
    /// #     }
    /// # }
    /// // `Countries` knows England as set 0, and Wales as set 1.
    /// assert_eq!(Countries.name(0, AreaKind::Country), Some("England"));
    /// ```
    fn name(&self, set: u32, kind: AreaKind) -> Option<&str> {
        self.area(set, kind)?.name
    }

    /// Returns only the code of that area.
    ///
    /// ```
    /// # use postcode_core::model::AreaSource;
    /// # use postcode_core::{Area, AreaKind};
    /// # #[derive(Debug)]
    /// # struct Countries;
    /// # impl AreaSource for Countries {
    /// #     fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>> {
    /// #         let area = |(code, name)| Area { code: Some(code), name: Some(name), alias: None };
    /// #         let countries = [("E92000001", "England"), ("W92000004", "Wales")];
    /// #         countries.get(set as usize).filter(|_| kind == AreaKind::Country).copied().map(area)
    /// #     }
    /// # }
    /// // `Countries` knows England as set 0, and Wales as set 1.
    /// assert_eq!(Countries.code(1, AreaKind::Country), Some("W92000004"));
    /// ```
    fn code(&self, set: u32, kind: AreaKind) -> Option<&str> {
        self.area(set, kind)?.code
    }

    /// Returns the bytes of memory that live no longer than the records of one set: 0 for a dataset.
    ///
    /// ```
    /// use postcode_core::model::AreaSource;
    /// use postcode_core::{Area, AreaKind};
    ///
    /// /// The ward of one record, which no other record shares.
    /// #[derive(Debug)]
    /// struct Ward(String);
    ///
    /// impl AreaSource for Ward {
    ///     fn area(&self, _set: u32, kind: AreaKind) -> Option<Area<'_>> {
    ///         (kind == AreaKind::AdminWard).then_some(Area { code: None, name: Some(&self.0), alias: None })
    ///     }
    ///
    ///     fn heap_size(&self) -> usize {
    ///         size_of::<Self>() + self.0.capacity()
    ///     }
    /// }
    ///
    /// assert_eq!(Ward("St James's".to_owned()).heap_size(), size_of::<Ward>() + 10);
    /// ```
    fn heap_size(&self) -> usize {
        0
    }
}

/// The areas that one postcode lies in: a handle that is cheap to clone and looks areas up on
/// demand.
///
/// [`get`](Self::get) returns one area, [`name`](Self::name) and [`code`](Self::code) a part of it, and [`iter`](Self::iter) all.
/// [`owned`](Self::owned) makes a handle from areas that you have, [`shared`](Self::shared) one to an [`AreaSource`].
///
/// ```
/// use postcode_core::{AreaKind, Areas, OwnedArea};
///
/// let ward = OwnedArea { code: Some("E05013806".into()), name: Some("St James's".into()), alias: None };
/// let areas = Areas::owned([(AreaKind::AdminWard, ward)]);
/// assert_eq!(areas.name(AreaKind::AdminWard), Some("St James's"));
/// assert_eq!(areas.code(AreaKind::AdminWard), Some("E05013806"));
/// assert!(areas.get(AreaKind::Region).is_none());
/// assert_eq!(areas.iter().count(), 1);
/// ```
#[derive(Clone)]
pub struct Areas(Repr);

#[derive(Clone)]
enum Repr {
    None,
    Shared(Arc<dyn AreaSource>, u32),
    Owned(Arc<[Option<OwnedArea>; AreaKind::ALL.len()]>),
}

impl Areas {
    /// No areas.
    ///
    /// ```
    /// use postcode_core::{Areas, Record};
    ///
    /// assert_eq!(Record::live("SW1A 1AA".parse()?).areas, Areas::NONE); // until they are set
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub const NONE: Self = Self(Repr::None);

    /// Creates a handle to the set of areas with this number in a shared source.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use postcode_core::model::AreaSource;
    /// use postcode_core::{Area, AreaKind, Areas};
    ///
    /// /// Postcodes of set 0 lie in England, those of set 1 in Wales.
    /// #[derive(Debug)]
    /// struct Countries;
    ///
    /// impl AreaSource for Countries {
    ///     fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>> {
    ///         let name = ["England", "Wales"].get(set as usize).copied();
    ///         (kind == AreaKind::Country).then_some(Area { code: None, name, alias: None })
    ///     }
    /// }
    ///
    /// let areas = Areas::shared(Arc::new(Countries), 1);
    /// assert_eq!(areas.name(AreaKind::Country), Some("Wales"));
    /// ```
    pub fn shared(source: Arc<dyn AreaSource>, set: u32) -> Self {
        Self(Repr::Shared(source, set))
    }

    /// Creates a handle that owns its areas. Of two areas of one kind the last one is kept.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea};
    ///
    /// let westminster = OwnedArea { code: Some("E09000033".into()), name: Some("Westminster".into()), alias: None };
    /// let areas = Areas::owned([(AreaKind::AdminDistrict, westminster)]);
    ///
    /// let mut record = postcode_core::Record::live("SW1A 1AA".parse()?);
    /// record.areas = areas;
    /// assert_eq!(record.admin_district(), Some("Westminster"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn owned(areas: impl IntoIterator<Item = (AreaKind, OwnedArea)>) -> Self {
        let mut all: [Option<OwnedArea>; AreaKind::ALL.len()] = [const { None }; AreaKind::ALL.len()];
        for (kind, area) in areas {
            all[kind as usize] = Some(area);
        }
        Self(Repr::Owned(Arc::new(all)))
    }

    /// Returns the area of a kind, if the source knows one.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea};
    ///
    /// let westminster = OwnedArea { code: Some("E09000033".into()), name: Some("Westminster".into()), alias: None };
    /// let areas = Areas::owned([(AreaKind::AdminDistrict, westminster)]);
    ///
    /// assert_eq!(areas.get(AreaKind::AdminDistrict).and_then(|area| area.code), Some("E09000033"));
    /// assert_eq!(areas.get(AreaKind::Parish), None);
    /// ```
    pub fn get(&self, kind: AreaKind) -> Option<Area<'_>> {
        match &self.0 {
            Repr::None => None,
            Repr::Shared(source, set) => source.area(*set, kind),
            Repr::Owned(all) => all[kind as usize].as_ref().map(|area| Area {
                code: area.code.as_deref(),
                name: area.name.as_deref(),
                alias: area.alias.as_deref(),
            }),
        }
    }

    /// Returns the name of the area of a kind: faster than [`get`](Self::get) where that is all.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea};
    ///
    /// let westminster = OwnedArea { code: Some("E09000033".into()), name: Some("Westminster".into()), alias: None };
    /// let areas = Areas::owned([(AreaKind::AdminDistrict, westminster)]);
    ///
    /// assert_eq!(areas.name(AreaKind::AdminDistrict), Some("Westminster"));
    /// ```
    pub fn name(&self, kind: AreaKind) -> Option<&str> {
        match &self.0 {
            Repr::Shared(source, set) => source.name(*set, kind),
            _ => self.get(kind)?.name,
        }
    }

    /// Returns the code of the area of a kind: faster than [`get`](Self::get) where that is all.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea};
    ///
    /// let westminster = OwnedArea { code: Some("E09000033".into()), name: Some("Westminster".into()), alias: None };
    /// let areas = Areas::owned([(AreaKind::AdminDistrict, westminster)]);
    ///
    /// assert_eq!(areas.code(AreaKind::AdminDistrict), Some("E09000033"));
    /// ```
    pub fn code(&self, kind: AreaKind) -> Option<&str> {
        match &self.0 {
            Repr::Shared(source, set) => source.code(*set, kind),
            _ => self.get(kind)?.code,
        }
    }

    /// Returns whether both are the same set of the same shared source.
    pub(crate) fn same_set(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Shared(source, set), Repr::Shared(other, with)) => {
                set == with && std::ptr::addr_eq(Arc::as_ptr(source), Arc::as_ptr(other))
            }
            _ => false,
        }
    }

    /// Returns the number of the set in its shared source.
    pub(crate) fn set(&self) -> Option<u32> {
        match &self.0 {
            Repr::Shared(_, set) => Some(*set),
            Repr::None | Repr::Owned(_) => None,
        }
    }

    /// Returns numbers that are equal for two handles to the same set, as long as one of them lives.
    pub(crate) fn identity(&self) -> Option<(usize, u32)> {
        match &self.0 {
            Repr::None => None,
            Repr::Shared(source, set) => Some((Arc::as_ptr(source).addr(), *set)),
            Repr::Owned(all) => Some((Arc::as_ptr(all).addr(), 0)),
        }
    }

    /// Returns the bytes of memory that belong only to this handle and its clones.
    #[cfg(feature = "layers")]
    pub(crate) fn heap_size(&self) -> usize {
        let all = match &self.0 {
            Repr::None => return 0,
            Repr::Shared(source, _) => return source.heap_size(),
            Repr::Owned(all) => all,
        };
        let text = |text: &Option<Box<str>>| text.as_deref().map_or(0, str::len);
        let texts = all.iter().flatten().map(|area| text(&area.code) + text(&area.name) + text(&area.alias));
        size_of_val(&**all) + texts.sum::<usize>()
    }

    /// Iterates over all known areas.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea};
    ///
    /// let westminster = OwnedArea { code: Some("E09000033".into()), name: Some("Westminster".into()), alias: None };
    /// let areas = Areas::owned([(AreaKind::AdminDistrict, westminster)]);
    ///
    /// let lines: Vec<String> =
    ///     areas.iter().map(|(kind, area)| format!("{}: {}", kind.key(), area.name.unwrap_or("-"))).collect();
    /// assert_eq!(lines, ["admin_district: Westminster"]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (AreaKind, Area<'_>)> {
        AreaKind::ALL.into_iter().filter_map(|kind| Some((kind, self.get(kind)?)))
    }
}

impl PartialEq for Areas {
    fn eq(&self, other: &Self) -> bool {
        AreaKind::ALL.into_iter().all(|kind| self.get(kind) == other.get(kind))
    }
}

impl fmt::Debug for Areas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
