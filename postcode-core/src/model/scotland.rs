//! The Scottish Postcode Directory.

use serde::{Deserialize, Serialize};

use crate::Postcode;

/// Lists the columns of the directory that are kept, with their names in postcodes.io since its
/// release 20. Generates the kinds of areas, the fields for their names and those for their codes,
/// so that the three always match.
macro_rules! directory {
    ($($(#[doc = $doc:literal])+ $area:ident = $number:literal, $field:ident;)+) => {
        /// A kind of area of the Scottish Postcode Directory. `as u16` is its number in a dataset file.
        ///
        /// [`key`](Self::key) names it in JSON:
        ///
        /// ```
        /// use postcode_core::ScottishArea;
        ///
        /// assert_eq!(ScottishArea::CouncilArea.key(), "council_area");
        /// assert_eq!(ScottishArea::ALL.len(), 23);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ScottishArea {
            /// A constituency of the Scottish Parliament (`S16…`).
            ScottishParliamentaryConstituency = 0,
            $($(#[doc = $doc])+ $area = $number,)+
        }

        impl ScottishArea {
            /// All kinds, by number.
            ///
            /// ```
            /// use postcode_core::ScottishArea;
            ///
            /// let mut keys = ScottishArea::ALL.iter().map(|area| area.key());
            /// assert_eq!(keys.next(), Some("scottish_parliamentary_constituency"));
            /// assert!(keys.any(|key| key == "health_board_area"));
            /// ```
            pub const ALL: &[Self] = &[Self::ScottishParliamentaryConstituency, $(Self::$area,)+];

            /// Returns the JSON key of the area's name, and of its code under `codes`.
            ///
            /// ```
            /// use postcode_core::ScottishArea;
            ///
            /// assert_eq!(ScottishArea::IntegrationAuthority.key(), "integration_authority");
            /// ```
            pub const fn key(self) -> &'static str {
                match self {
                    Self::ScottishParliamentaryConstituency => "scottish_parliamentary_constituency",
                    $(Self::$area => stringify!($field),)+
                }
            }
        }

        /// A live postcode of the Scottish Postcode Directory (National Records of Scotland): the
        /// names of its areas, and their codes under `codes`. postcodes.io 18 has only the
        /// constituency. Other fields that are `None` are left out of the JSON.
        ///
        /// [`name`](Self::name) and [`code`](Self::code) read an area, [`set`](Self::set) changes it in an entry made by
        /// [`new`](Self::new), and [`compatible`](Self::compatible) leaves the fields of postcodes.io 18:
        ///
        /// ```
        /// use postcode_core::{ScottishArea, ScottishPostcode};
        ///
        /// let mut entry = ScottishPostcode::new("EH99 1SP".parse()?, None, None);
        /// entry.set(ScottishArea::CouncilArea, Some("City of Edinburgh".to_owned()), Some("S12000036".to_owned()));
        /// assert_eq!(entry.name(ScottishArea::CouncilArea), Some("City of Edinburgh"));
        /// assert_eq!(entry.code(ScottishArea::CouncilArea), Some("S12000036"));
        /// assert_eq!(entry.compatible().council_area, None);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct ScottishPostcode {
            /// The postcode.
            pub postcode: Postcode,
            /// A constituency of the Scottish Parliament.
            pub scottish_parliamentary_constituency: Option<String>,
            $($(#[doc = $doc])+
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<String>,)+
            /// `Y` if the postcode lies in several areas of a kind; the data is then for the
            /// greater part.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub split_indicator: Option<String>,
            /// Urban and rural in 6 classes, `1` (large urban) to `6` (remote rural).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub urban_rural_6_fold: Option<String>,
            /// Urban and rural in 8 classes, `1` (large urban) to `8` (very remote rural).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub urban_rural_8_fold: Option<String>,
            /// Rank of the data zone in the Scottish Index of Multiple Deprivation, 1 the most deprived.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub scottish_index_of_multiple_deprivation: Option<u16>,
            /// The codes of the areas named above.
            pub codes: ScottishCodes,
        }

        /// The codes of a [`ScottishPostcode`].
        ///
        /// ```
        /// use postcode_core::ScottishPostcode;
        ///
        /// let entry = ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned()));
        /// assert_eq!(entry.codes.scottish_parliamentary_constituency.as_deref(), Some("S16000104"));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct ScottishCodes {
            /// `S16…`.
            pub scottish_parliamentary_constituency: Option<String>,
            $($(#[doc = $doc])+
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<String>,)+
        }

        impl ScottishPostcode {
            /// Creates an entry with only the name and the code of the constituency.
            ///
            /// ```
            /// use postcode_core::{ScottishArea, ScottishPostcode};
            ///
            /// let (name, code) = ("Edinburgh Central".to_owned(), "S16000104".to_owned());
            /// let entry = ScottishPostcode::new("EH99 1SP".parse()?, Some(name), Some(code));
            /// assert_eq!(entry.name(ScottishArea::ScottishParliamentaryConstituency), Some("Edinburgh Central"));
            /// assert_eq!(entry.name(ScottishArea::CouncilArea), None);
            /// # Ok::<(), postcode_core::ParseError>(())
            /// ```
            pub fn new(postcode: Postcode, name: Option<String>, code: Option<String>) -> Self {
                Self {
                    postcode,
                    scottish_parliamentary_constituency: name,
                    $($field: None,)+
                    split_indicator: None,
                    urban_rural_6_fold: None,
                    urban_rural_8_fold: None,
                    scottish_index_of_multiple_deprivation: None,
                    codes: ScottishCodes { scottish_parliamentary_constituency: code, ..ScottishCodes::default() },
                }
            }

            /// Returns the name of an area.
            ///
            /// ```
            /// use postcode_core::{ScottishArea, ScottishPostcode};
            ///
            /// let mut entry = ScottishPostcode::new("EH99 1SP".parse()?, None, None);
            /// entry.council_area = Some("City of Edinburgh".to_owned());
            /// assert_eq!(entry.name(ScottishArea::CouncilArea), Some("City of Edinburgh"));
            /// # Ok::<(), postcode_core::ParseError>(())
            /// ```
            pub fn name(&self, area: ScottishArea) -> Option<&str> {
                match area {
                    ScottishArea::ScottishParliamentaryConstituency => self.scottish_parliamentary_constituency.as_deref(),
                    $(ScottishArea::$area => self.$field.as_deref(),)+
                }
            }

            /// Returns the code of an area.
            ///
            /// ```
            /// use postcode_core::{ScottishArea, ScottishPostcode};
            ///
            /// let mut entry = ScottishPostcode::new("EH99 1SP".parse()?, None, None);
            /// entry.codes.council_area = Some("S12000036".to_owned());
            /// assert_eq!(entry.code(ScottishArea::CouncilArea), Some("S12000036"));
            /// # Ok::<(), postcode_core::ParseError>(())
            /// ```
            pub fn code(&self, area: ScottishArea) -> Option<&str> {
                match area {
                    ScottishArea::ScottishParliamentaryConstituency => self.codes.scottish_parliamentary_constituency.as_deref(),
                    $(ScottishArea::$area => self.codes.$field.as_deref(),)+
                }
            }

            /// Sets an area's name and code.
            ///
            /// ```
            /// use postcode_core::{ScottishArea, ScottishPostcode};
            ///
            /// let mut entry = ScottishPostcode::new("EH99 1SP".parse()?, None, None);
            /// entry.set(ScottishArea::Locality, Some("Edinburgh".to_owned()), None);
            /// assert_eq!((entry.locality.as_deref(), entry.codes.locality), (Some("Edinburgh"), None));
            /// # Ok::<(), postcode_core::ParseError>(())
            /// ```
            pub fn set(&mut self, area: ScottishArea, name: Option<String>, code: Option<String>) {
                let (name_of, code_of) = match area {
                    ScottishArea::ScottishParliamentaryConstituency => (
                        &mut self.scottish_parliamentary_constituency,
                        &mut self.codes.scottish_parliamentary_constituency,
                    ),
                    $(ScottishArea::$area => (&mut self.$field, &mut self.codes.$field),)+
                };
                (*name_of, *code_of) = (name, code);
            }
        }
    };
}

directory! {
    /// The region of the Scottish Parliament (`S17…`).
    ScottishParliamentaryRegion = 1, scottish_parliamentary_region;
    /// The Westminster constituency (`S14…`).
    UkParliamentaryConstituency = 2, uk_parliamentary_constituency;
    /// The council area (`S12…`).
    CouncilArea = 3, council_area;
    /// The electoral ward (`S13…`).
    ElectoralWard = 4, electoral_ward;
    /// The health board (`S08…`).
    HealthBoardArea = 5, health_board_area;
    /// The integration authority of health and social care (`S37…`).
    IntegrationAuthority = 6, integration_authority;
    /// The data zone of 2022 (`S01…`).
    DataZone = 7, data_zone;
    /// The data zone of 2011 (`S01…`), used by the index of deprivation.
    DataZone2011 = 8, data_zone_2011;
    /// The intermediate zone of 2022 (`S02…`).
    IntermediateZone = 9, intermediate_zone;
    /// The intermediate zone of 2011 (`S02…`).
    IntermediateZone2011 = 10, intermediate_zone_2011;
    /// The locality (`S19…` or `S52…`), in the newest version in the data.
    Locality = 11, locality;
    /// The settlement (`S20…` or `S45…`), in the newest version in the data.
    Settlement = 12, settlement;
    /// The civil parish of 1930 (`S35…`).
    CivilParish = 13, civil_parish;
    /// The island.
    Island = 14, island;
    /// The national park (`S21…`).
    NationalPark = 15, national_park;
    /// The travel to work area (`S22…`).
    TravelToWorkArea = 16, travel_to_work_area;
    /// The local administrative unit, level 1 (`S30…`).
    LauLevel1 = 17, lau_level_1;
    /// The territorial level 2 (`UKM7`, `TLM0`).
    ItlLevel2 = 18, itl_level_2;
    /// The territorial level 3 (`UKM75`, `TLM13`).
    ItlLevel3 = 19, itl_level_3;
    /// The enterprise region of 2008 (`S09…`).
    EnterpriseRegion = 20, enterprise_region;
    /// The strategic development planning area of 2013 (`S11…`).
    StrategicDevelopmentPlanningArea = 21, strategic_development_planning_area;
    /// The registration district of 2007.
    RegistrationDistrict = 22, registration_district;
}

impl ScottishPostcode {
    /// Returns a copy with only the fields of postcodes.io 18: the postcode, and the name and code of its
    /// constituency of the Scottish Parliament.
    ///
    /// ```
    /// use postcode_core::{ScottishArea, ScottishPostcode};
    ///
    /// let mut entry = ScottishPostcode::new("EH99 1SP".parse()?, None, None);
    /// entry.set(ScottishArea::Locality, Some("Edinburgh".to_owned()), None);
    /// let json = serde_json::to_value(entry.compatible())?;
    /// assert_eq!(json.as_object().map(|fields| fields.contains_key("locality")), Some(false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn compatible(&self) -> Self {
        let name = self.scottish_parliamentary_constituency.clone();
        Self::new(self.postcode, name, self.codes.scottish_parliamentary_constituency.clone())
    }
}
