//! The columns of the Scottish Postcode Directory. They are found by name, with any year in it, or
//! by position in files without a header, in the order that National Records of Scotland used for
//! years.

use postcode_core::ScottishArea;

use super::columns::key;

/// The contents of a column of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// The code of an area.
    Area(ScottishArea),
    DeprivationRank,
    UrbanRural6,
    UrbanRural8,
    Split,
}

impl Held {
    /// Returns the name for messages.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Area(ScottishArea::ScottishParliamentaryConstituency) => {
                "ScottishParliamentaryConstituencyCode"
            }
            Self::Area(area) => area.key(),
            Self::DeprivationRank => "ScottishIndexOfMultipleDeprivationRank",
            Self::UrbanRural6 => "UrbanRural6FoldCode",
            Self::UrbanRural8 => "UrbanRural8FoldCode",
            Self::Split => "SplitIndicator",
        }
    }
}

/// Any year, or none.
const ANY: (u16, u16) = (0, u16::MAX);
/// Years of areas since the boards and authorities of today, as opposed to their previous
/// boundaries.
const TODAY: (u16, u16) = (2014, u16::MAX);

/// The name of a column before and after its year, in small letters, and the years that count. The
/// newest column wins.
const COLUMNS: &[(Held, &str, &str, (u16, u16))] = {
    use Held::*;
    use ScottishArea::*;
    &[
        // postcodes.io 18 has those of 2014, which the column without a newer year is of.
        (Area(ScottishParliamentaryConstituency), "scottishparliamentaryconstituency", "code", ANY),
        (Area(ScottishParliamentaryRegion), "scottishparliamentaryregion", "code", ANY),
        (Area(UkParliamentaryConstituency), "ukparliamentaryconstituency", "code", ANY),
        (Area(CouncilArea), "councilarea", "code", ANY),
        (Area(ElectoralWard), "electoralward", "code", ANY),
        (Area(HealthBoardArea), "healthboardarea", "code", TODAY),
        (Area(IntegrationAuthority), "integrationauthority", "code", TODAY),
        (Area(DataZone), "datazone", "code", (2022, u16::MAX)),
        (Area(DataZone2011), "datazone", "code", (2011, 2011)),
        (Area(IntermediateZone), "intermediatezone", "code", (2022, u16::MAX)),
        (Area(IntermediateZone2011), "intermediatezone", "code", (2011, 2011)),
        (Area(Locality), "locality", "code", (2010, u16::MAX)),
        (Area(Settlement), "settlement", "code", (2010, u16::MAX)),
        (Area(CivilParish), "civilparish", "code", ANY),
        (Area(Island), "island", "code", ANY),
        (Area(Island), "islands", "code", ANY),
        (Area(NationalPark), "nationalpark", "code", ANY),
        (Area(TravelToWorkArea), "traveltoworkarea", "code", ANY),
        (Area(LauLevel1), "lau", "level1code", ANY),
        (Area(ItlLevel2), "itl", "level2code", ANY),
        (Area(ItlLevel2), "nuts", "level2code", ANY),
        (Area(ItlLevel3), "itl", "level3code", ANY),
        (Area(ItlLevel3), "nuts", "level3code", ANY),
        (Area(EnterpriseRegion), "enterpriseregion", "code", ANY),
        (Area(StrategicDevelopmentPlanningArea), "strategicdevelopmentplanningarea", "code", ANY),
        (Area(RegistrationDistrict), "registrationdistrict", "code", ANY),
        (DeprivationRank, "scottishindexofmultipledeprivation", "rank", ANY),
        (UrbanRural6, "urbanrural6fold", "code", ANY),
        (UrbanRural8, "urbanrural8fold", "code", ANY),
        (Split, "splitindicator", "", ANY),
    ]
};

/// Returns the contents that a column name stands for, and its year; 0 without a year.
fn of_name(name: &str) -> impl Iterator<Item = (Held, u16)> {
    let key = key(name);
    COLUMNS.iter().filter_map(move |(held, before, after, years)| {
        let year = key.strip_prefix(before)?.strip_suffix(after)?;
        let year = match year.len() {
            0 => 0,
            4 => year.parse().ok()?,
            _ => return None,
        };
        (years.0..=years.1).contains(&year).then_some((*held, year))
    })
}

/// Finds the useful columns of a header: the newest of each kind.
pub(super) fn find<S: AsRef<str>>(header: &[S]) -> Vec<(Held, usize)> {
    let mut found: Vec<(Held, u16, usize)> = Vec::new();
    for (at, name) in header.iter().enumerate() {
        for (held, year) in of_name(name.as_ref()) {
            match found.iter_mut().find(|(other, ..)| *other == held) {
                Some(known) if known.1 < year => *known = (held, year, at),
                Some(_) => {}
                None => found.push((held, year, at)),
            }
        }
    }
    found.into_iter().map(|(held, _, at)| (held, at)).collect()
}

/// Returns the area and year of a list of names, by its column of codes
/// (`ElectoralWard2022Code`).
pub(super) fn area_of_list(code: &str) -> Option<(ScottishArea, u16)> {
    of_name(code).find_map(|(held, year)| match held {
        Held::Area(area) => Some((area, year)),
        _ => None,
    })
}

/// The columns of small users without header, of the editions before the census of 2022: 57. Those
/// since have 64.
const SMALL_USERS: [&str; 57] = [
    "Postcode",
    "PostcodeDistrict",
    "PostcodeSector",
    "DateOfIntroduction",
    "DateOfDeletion",
    "GridReferenceEasting",
    "GridReferenceNorthing",
    "Latitude",
    "Longitude",
    "SplitIndicator",
    "CouncilAreaCode",
    "UKParliamentaryConstituencyCode",
    "ScottishParliamentaryRegionCode",
    "ScottishParliamentaryConstituencyCode",
    "ElectoralWardCode",
    "HealthBoardArea2019Code",
    "HealthBoardArea2006Code",
    "HealthBoardArea1995Code",
    "IntegrationAuthority2019Code",
    "OutputArea2011Code",
    "OutputArea2001Code",
    "OutputArea1991Code",
    "DataZone2011Code",
    "DataZone2001Code",
    "IntermediateZone2011Code",
    "IntermediateZone2001Code",
    "CensusHouseholdCount2011",
    "CensusPopulationCount2011",
    "CensusHouseholdCount2001",
    "CensusPopulationCount2001",
    "CensusHouseholdCount1991",
    "CensusPopulationCount1991",
    "ScottishIndexOfMultipleDeprivationRank",
    "LAULevel1Code",
    "ITLLevel2Code",
    "ITLLevel3Code",
    "Locality2020Code",
    "Locality2001Code",
    "Locality1991Code",
    "Settlement2020Code",
    "Settlement2001Code",
    "CivilParish1930Code",
    "EnterpriseRegion2008Code",
    "IslandsCode",
    "LocalGovernmentDistrict1995Code",
    "LocalGovernmentDistrict1991Code",
    "NationalPark2010Code",
    "RegistrationDistrict2007Code",
    "ROACommunityPlanningPartnership2006Code",
    "ROALocal2006Code",
    "StrategicDevelopmentPlanningArea2013Code",
    "TravelToWorkAreaCode",
    "UrbanRural6FoldCode",
    "UrbanRural8FoldCode",
    "GridLinkIndicator",
    "GridLinkPositionalAccuracy",
    "NeverDigitised",
];

/// The columns that the census of 2022 added, and the column that each precedes.
const SINCE_2022: [(&str, &str); 7] = [
    ("OutputArea2022Code", "OutputArea2011Code"),
    ("DataZone2022Code", "DataZone2011Code"),
    ("IntermediateZone2022Code", "IntermediateZone2011Code"),
    ("CensusHouseholdCount2022", "CensusHouseholdCount2011"),
    ("CensusPopulationCount2022", "CensusHouseholdCount2011"),
    ("Locality2022Code", "Locality2001Code"),
    ("Settlement2022Code", "Settlement2001Code"),
];

/// Returns the columns of a file without a header, by its number of cells and whether it has the
/// link of large users; `None` for an unknown layout.
pub(super) fn layout(cells: usize, large: bool) -> Option<Vec<&'static str>> {
    let mut names = SMALL_USERS.to_vec();
    if cells == if large { 56 } else { 64 } {
        for (name, before) in SINCE_2022 {
            let at = names.iter().position(|other| *other == before)?;
            names.insert(at, name);
        }
    }
    if large {
        names.retain(|name| !name.starts_with("Census") && *name != "NeverDigitised");
        names.insert(5, "LinkedSmallUserPostcode");
    }
    (names.len() == cells).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_kind_counts() {
        let header = [
            "Postcode",
            "DataZone2001Code",
            "DataZone2011Code",
            "DataZone2022Code",
            "HealthBoardArea1995Code",
        ];
        assert_eq!(
            find(&header),
            [(Held::Area(ScottishArea::DataZone2011), 2), (Held::Area(ScottishArea::DataZone), 3)]
        );
        let header = [
            "UKParliamentaryConstituency2005Code",
            "UKParliamentaryConstituency2024Code",
            "Locality2020Code",
        ];
        assert_eq!(
            find(&header),
            [
                (Held::Area(ScottishArea::UkParliamentaryConstituency), 1),
                (Held::Area(ScottishArea::Locality), 2)
            ]
        );
        assert_eq!(area_of_list("ElectoralWard2022Code"), Some((ScottishArea::ElectoralWard, 2022)));
        assert_eq!(area_of_list("ElectoralWard22Code"), None);
    }

    #[test]
    fn layouts_without_header_have_the_published_numbers_of_columns() {
        let place = |cells, large, name: &str| layout(cells, large)?.iter().position(|other| *other == name);
        let constituency = "ScottishParliamentaryConstituencyCode";
        for (cells, large, at) in [(57, false, 13), (51, true, 14), (64, false, 13), (56, true, 14)] {
            assert_eq!(place(cells, large, constituency), Some(at));
        }
        assert_eq!(place(64, false, "DataZone2022Code"), Some(23));
        assert_eq!(place(57, false, "UrbanRural8FoldCode"), Some(53));
        assert_eq!(place(51, true, "UrbanRural8FoldCode"), Some(48));
        assert_eq!((layout(58, false), layout(57, true)), (None, None));
    }
}
