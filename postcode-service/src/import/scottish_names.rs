//! Names for the areas of the Scottish Postcode Directory: from the directory's lists, or else from
//! those of ONS, which have most of them.

use anyhow::Result;
use postcode_core::dataset::DatasetBuilder;
use postcode_core::{AreaKind, ScottishArea};

use super::names::{Garbled, Name, Names};

/// Returns the kinds of ONS whose lists have an area's name.
fn of_ons(area: ScottishArea) -> &'static [AreaKind] {
    use AreaKind::*;
    match area {
        ScottishArea::UkParliamentaryConstituency => &[ParliamentaryConstituency],
        ScottishArea::CouncilArea => &[AdminDistrict],
        ScottishArea::ElectoralWard => &[AdminWard],
        ScottishArea::HealthBoardArea => &[HealthAuthority],
        ScottishArea::IntegrationAuthority => &[Ccg],
        ScottishArea::DataZone => &[Lsoa21],
        ScottishArea::DataZone2011 => &[Lsoa11],
        ScottishArea::IntermediateZone => &[Msoa21],
        ScottishArea::IntermediateZone2011 => &[Msoa11],
        ScottishArea::NationalPark => &[NationalPark],
        ScottishArea::TravelToWorkArea => &[TravelToWorkArea],
        _ => &[],
    }
}

/// Damaged names in use: column, code, and where.
pub(super) type Wrong<'a> = Vec<(String, &'a str, &'a Garbled)>;

impl Names {
    /// Names the areas that entries of the directory have.
    pub(super) fn apply_scottish(&self, builder: &mut DatasetBuilder) -> Result<Wrong<'_>> {
        let mut wrong = Vec::new();
        for area in ScottishArea::ALL {
            let codes: Vec<String> = builder.scottish_codes(*area).map(str::to_owned).collect();
            for code in codes {
                let own = self.scottish[*area as usize].get_key_value(&*code);
                let found = own.or_else(|| {
                    of_ons(*area).iter().find_map(|kind| self.kinds[*kind as usize].get_key_value(&*code))
                });
                if let Some((code, Name { name: Some(name), wrong: garbled, .. })) = found {
                    builder.name_scottish_area(*area, code, name)?;
                    // A wrong encoding in ONS's lists is reported for ONS's own areas.
                    let garbled = garbled.as_deref().filter(|_| own.is_some());
                    wrong.extend(garbled.map(|garbled| (area.key().to_owned(), code.as_ref(), garbled)));
                } else if let Some(name) = self.of_level_3(*area, &code) {
                    builder.name_scottish_area(*area, &code, name)?;
                }
            }
        }
        Ok(wrong)
    }

    /// Returns the name of a territorial level 3, which ONS's list has as a second code.
    fn of_level_3(&self, area: ScottishArea, code: &str) -> Option<&str> {
        let levels = (area == ScottishArea::ItlLevel3).then(|| &self.kinds[AreaKind::Nuts as usize])?;
        levels.values().find(|level| level.alias.as_deref() == Some(code))?.name.as_deref()
    }
}
