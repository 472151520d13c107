//! Converts grid references to latitude and longitude.

use postcode_core::{Coordinates, GridReference, GridSystem, Location};

use crate::ostn15;

/// Metres that the National Grid and the Irish Grid reach, east and north.
#[cfg(any(feature = "import", test))]
const OSGB: (u32, u32) = (700_000, 1_300_000);
#[cfg(any(feature = "import", test))]
const IRISH: (u32, u32) = (400_000, 500_000);

/// Returns whether a point, in degrees, is in the British Isles.
#[cfg(feature = "import")]
pub(crate) fn in_the_isles(latitude: f64, longitude: f64) -> bool {
    (49.0..=61.5).contains(&latitude) && (-9.5..=2.5).contains(&longitude)
}

/// Returns whether a reference is within its grid.
#[cfg(any(feature = "import", test))]
pub(crate) fn on_grid(grid: GridReference) -> bool {
    let (eastings, northings) = match grid.system {
        GridSystem::Osgb => OSGB,
        GridSystem::Irish => IRISH,
    };
    grid.eastings <= eastings && grid.northings <= northings
}

/// Converts a National Grid reference to WGS84, to a millionth of a degree like ONS, through
/// Ordnance Survey's OSTN15. `None` outside the area of OSTN15, and for the Irish Grid, which needs
/// another transformation.
pub(crate) fn locate(grid: GridReference) -> Option<Location> {
    if grid.system != GridSystem::Osgb {
        return None;
    }
    let exact = ostn15::location(f64::from(grid.eastings), f64::from(grid.northings))?;
    let round = |degrees: f64| (degrees * 1e6).round() / 1e6;
    Location::new(round(exact.latitude()), round(exact.longitude())).ok()
}

/// Returns the coordinates that a text says, and their point.
pub(crate) fn point(text: &str) -> Option<(Coordinates, Location)> {
    let found = Coordinates::parse(text)?;
    let location = match found {
        Coordinates::Letters(grid) | Coordinates::Metres(grid) => locate(grid)?,
        degrees => degrees.location()?,
    };
    Some((found, location))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OS's own test point of the transformation guide, OSGB36 651409.903 313177.270 in whole
    /// metres.
    #[test]
    fn caister_water_tower() {
        let grid = GridReference { eastings: 651_410, northings: 313_177, system: GridSystem::Osgb };
        let location = locate(grid).expect("within Great Britain");
        assert!((location.latitude() - 52.658_007).abs() < 5e-6, "{location:?}");
        assert!((location.longitude() - 1.716_074).abs() < 5e-6, "{location:?}");
    }

    #[test]
    fn no_guess_where_the_transformation_does_not_hold() {
        assert_eq!(
            locate(GridReference { eastings: 333_800, northings: 374_000, system: GridSystem::Irish }),
            None
        );
        assert_eq!(
            locate(GridReference { eastings: 0, northings: 1_290_000, system: GridSystem::Osgb }),
            None
        );
        assert!(!on_grid(GridReference { eastings: 700_001, northings: 1, system: GridSystem::Osgb }));
    }
}
