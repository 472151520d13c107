//! The names of countries, regions and local-authority districts, for data that has only their
//! codes.
//!
//! The tables are `countries.csv`, `regions.csv`, `districts.csv`, `welsh.csv` and `senedd.csv` next to
//! this file; `data/README.md` names their sources. They also contain the region and
//! country of each district.

/// A local-authority district, unitary authority, London borough or council area.
///
/// ```
/// use postcode_core::names::{District, districts};
///
/// let westminster: Option<District> = districts().find(|district| district.name == "Westminster");
/// assert_eq!(westminster.map(|district| district.code), Some("E09000033"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct District {
    /// The ONS code, such as `E09000033`.
    pub code: &'static str,
    /// The name.
    pub name: &'static str,
    /// The ONS code of the region; England only.
    pub region: Option<&'static str>,
    /// The ONS code of the country.
    pub country: Option<&'static str>,
}

const COUNTRIES: &str = include_str!("countries.csv");
const REGIONS: &str = include_str!("regions.csv");
const SENEDD: &str = include_str!("senedd.csv");
const WELSH: &str = include_str!("welsh.csv");
const DISTRICTS: &str = include_str!("districts.csv");

/// Returns the countries: ONS code and name.
///
/// ```
/// use postcode_core::names;
///
/// assert!(names::countries().any(|country| country == ("E92000001", "England")));
/// ```
pub fn countries() -> impl Iterator<Item = (&'static str, &'static str)> {
    pairs(COUNTRIES)
}

/// Returns the regions of England: ONS code and name.
///
/// ```
/// use postcode_core::names::regions;
///
/// assert!(regions().any(|region| region == ("E12000007", "London")));
/// ```
pub fn regions() -> impl Iterator<Item = (&'static str, &'static str)> {
    pairs(REGIONS)
}

/// Returns the constituency of the Senedd (from 2026) that contains a Westminster constituency
/// (from 2024), by the latter's ONS code. By the Senedd Cymru (Members and Elections) Act 2024,
/// each consists of two Westminster constituencies. The determination of the Democracy and Boundary
/// Commission Cymru of March 2025 says which two.
///
/// ```
/// assert_eq!(postcode_core::names::senedd_constituency("W07000085"), Some("Brycheiniog Tawe Nedd"));
/// assert_eq!(postcode_core::names::senedd_constituency("E14001063"), None);
/// ```
pub fn senedd_constituency(code: &str) -> Option<&'static str> {
    let mut all = pairs(SENEDD).filter(|_| code.starts_with('W'));
    all.find(|(other, _)| *other == code).map(|(_, name)| name)
}

/// Returns the Welsh name of a district of Wales, by its ONS code. It may be the same as the English
/// one.
///
/// ```
/// assert_eq!(postcode_core::names::welsh_district("W06000015"), Some("Caerdydd"));
/// assert_eq!(postcode_core::names::welsh_district("E09000033"), None);
/// ```
pub fn welsh_district(code: &str) -> Option<&'static str> {
    let mut all = pairs(WELSH).filter(|_| code.starts_with('W'));
    all.find(|(other, _)| *other == code).map(|(_, name)| name)
}

/// Returns the districts of the United Kingdom and the Crown dependencies.
///
/// ```
/// use postcode_core::names;
///
/// let westminster = names::districts().find(|district| district.code == "E09000033");
/// assert_eq!(westminster.map(|district| district.name), Some("Westminster"));
/// ```
pub fn districts() -> impl Iterator<Item = District> {
    rows(DISTRICTS).filter_map(|line| {
        // Only quoted names contain a comma.
        let (code, rest) = line.split_once(',')?;
        let (rest, country) = rest.rsplit_once(',')?;
        let (name, region) = rest.rsplit_once(',')?;
        let present = |code: &'static str| (!code.is_empty()).then_some(code);
        Some(District { code, name: unquoted(name), region: present(region), country: present(country) })
    })
}

fn pairs(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows(table).filter_map(|line| line.split_once(',')).map(|(code, name)| (code, unquoted(name)))
}

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().skip(1).map(str::trim_end)
}

fn unquoted(name: &'static str) -> &'static str {
    name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        assert_eq!(countries().count(), COUNTRIES.lines().count() - 1);
        assert_eq!(regions().count(), REGIONS.lines().count() - 1);
        assert_eq!(districts().count(), DISTRICTS.lines().count() - 1);
    }

    #[test]
    fn every_district_of_wales_has_a_welsh_name() {
        let welsh: Vec<&str> = pairs(WELSH).map(|(code, _)| code).collect();
        let districts = districts().filter(|district| district.code.starts_with('W'));
        assert_eq!(districts.map(|district| district.code).collect::<Vec<_>>(), welsh);
        assert_eq!(welsh_district("W06000001"), Some("Ynys M\u{f4}n"));
    }

    #[test]
    fn each_constituency_of_the_senedd_is_two_of_westminster() {
        let mut counts = std::collections::BTreeMap::new();
        pairs(SENEDD).for_each(|(_, name)| *counts.entry(name).or_insert(0) += 1);
        assert_eq!((counts.len(), counts.values().all(|count| *count == 2)), (16, true), "{counts:?}");
    }

    #[test]
    fn districts_point_at_regions_and_countries_that_exist() {
        for district in districts() {
            assert!(!district.name.is_empty() && !district.name.contains('"'), "{district:?}");
            assert!(countries().any(|(code, _)| Some(code) == district.country), "{district:?}");
            assert!(
                district.region.is_none_or(|region| regions().any(|(code, _)| code == region)),
                "{district:?}"
            );
        }
        let westminster = districts().find(|district| district.code == "E09000033").expect("Westminster");
        assert_eq!((westminster.name, westminster.region), ("Westminster", Some("E12000007")));
    }
}
