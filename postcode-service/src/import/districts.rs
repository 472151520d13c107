//! The region and country of each district.

use std::collections::HashMap;

use postcode_core::AreaKind;

/// The region and country of each district, for sources that give districts only.
pub(super) struct Districts {
    above: HashMap<&'static str, (Option<&'static str>, Option<&'static str>)>,
}

impl Districts {
    pub(super) fn new() -> Self {
        let all = postcode_core::names::districts();
        Self { above: all.map(|district| (district.code, (district.region, district.country))).collect() }
    }

    /// Returns the areas that contain a district. For an abolished district only the country is
    /// known, by the first letter of its ONS code.
    pub(super) fn above(&self, district: &[u8]) -> impl Iterator<Item = (AreaKind, &'static str)> + use<> {
        let known = std::str::from_utf8(district).ok().and_then(|code| self.above.get(code));
        let (region, country) = known.copied().unwrap_or_else(|| {
            let country = match district.first() {
                Some(b'E') => Some("E92000001"),
                Some(b'N') => Some("N92000002"),
                Some(b'S') => Some("S92000003"),
                Some(b'W') => Some("W92000004"),
                _ => None,
            };
            (None, country)
        });
        region
            .map(|code| (AreaKind::Region, code))
            .into_iter()
            .chain(country.map(|code| (AreaKind::Country, code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_above_a_district() {
        let districts = Districts::new();
        let above = |code: &str| districts.above(code.as_bytes()).map(|(_, code)| code).collect::<Vec<_>>();
        assert_eq!(above("E09000033"), ["E12000007", "E92000001"]);
        assert_eq!(above("S12000033"), ["S92000003"]);
        assert_eq!(above("E07999999"), ["E92000001"]);
        assert!(above("X1").is_empty());
    }
}
