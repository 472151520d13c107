//! Populated places, from OS Open Names.

use serde::{Deserialize, Serialize};

use crate::Outcode;
#[cfg(any(feature = "conformance", feature = "dataset"))]
use crate::{Error, ErrorKind, Result};

/// A city, town, village or other settlement of Great Britain, from OS Open Names. Its JSON is that of postcodes.io.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::Place;
///
/// let mut place = Place::new("osgb4000000074551019", "Ambleside", "Town");
/// place.county_unitary = Some("Westmorland and Furness".to_owned());
/// (place.eastings, place.northings) = (337_600, 504_500);
/// assert_eq!(place.outcode, None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// Ordnance Survey's identifier, such as `osgb4000000074551019`.
    pub code: String,
    /// The name.
    pub name_1: String,
    /// The language of the name (`eng`, `gla`, `cym`, `sco`), if there are two names.
    pub name_1_lang: Option<String>,
    /// The name in a second language.
    pub name_2: Option<String>,
    /// The language of the second name.
    pub name_2_lang: Option<String>,
    /// `City`, `Town`, `Village`, `Hamlet`, `Suburban Area` or `Other Settlement`.
    /// [`find_places`](crate::PlaceLookup::find_places) also finds `Island` and similar kinds,
    /// and areas with Ordnance Survey's names: `County`, `UnitaryAuthority`.
    pub local_type: String,
    /// The outcode in which the place lies.
    pub outcode: Option<Outcode>,
    /// County or unitary authority.
    pub county_unitary: Option<String>,
    /// The kind of `county_unitary` in Ordnance Survey's words, such as `UnitaryAuthority`.
    pub county_unitary_type: Option<String>,
    /// District or borough, in regions with counties.
    pub district_borough: Option<String>,
    /// The kind of `district_borough` in Ordnance Survey's words.
    pub district_borough_type: Option<String>,
    /// Region of England, or the country outside England.
    pub region: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Degrees WGS84; `None` outside the range of the transformation from the National Grid.
    pub longitude: Option<f64>,
    /// Degrees WGS84.
    pub latitude: Option<f64>,
    /// Metres east on the National Grid.
    pub eastings: u32,
    /// Metres north on the National Grid.
    pub northings: u32,
    /// West side of the box around the place, in metres.
    pub min_eastings: Option<u32>,
    /// South side of the box, in metres.
    pub min_northings: Option<u32>,
    /// East side of the box, in metres.
    pub max_eastings: Option<u32>,
    /// North side of the box, in metres.
    pub max_northings: Option<u32>,
}

/// The kinds of populated places, the largest first.
#[cfg(any(feature = "conformance", feature = "dataset"))]
const KINDS: [&str; 6] = ["City", "Town", "Village", "Suburban Area", "Hamlet", "Other Settlement"];

impl Place {
    /// Creates a place with only these fields; set the others as needed.
    ///
    /// ```
    /// use postcode_core::Place;
    ///
    /// let mut place = Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// place.outcode = Some("LA22".parse()?);
    /// assert_eq!((place.name_1.as_str(), place.county_unitary), ("Ambleside", None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(code: impl Into<String>, name: impl Into<String>, local_type: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            name_1: name.into(),
            name_1_lang: None,
            name_2: None,
            name_2_lang: None,
            local_type: local_type.into(),
            outcode: None,
            county_unitary: None,
            county_unitary_type: None,
            district_borough: None,
            district_borough_type: None,
            region: None,
            country: None,
            longitude: None,
            latitude: None,
            eastings: 0,
            northings: 0,
            min_eastings: None,
            min_northings: None,
            max_eastings: None,
            max_northings: None,
        }
    }

    /// Returns the box around the place, whose postcodes belong to it.
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if it is an area, or as large as one.
    #[cfg(any(feature = "conformance", feature = "dataset"))]
    pub(crate) fn square(&self) -> Result<Square> {
        /// The distance in metres to a side that is not given.
        const SIDE: u32 = 500;
        /// The longest side of a box, in metres: the postcodes of larger places can't be listed.
        const WIDEST: u32 = 200_000;
        let sides = [self.min_eastings, self.min_northings, self.max_eastings, self.max_northings];
        if !KINDS.contains(&self.local_type.as_str()) && sides == [None; 4] {
            let message = format!(
                "{} {:?} ({}) has no box: ask for the postcodes of that area, or of a place in it",
                self.code, self.name_1, self.local_type
            );
            return Err(Error::new(ErrorKind::NotSupported, message));
        }
        let square = Square {
            west: sides[0].unwrap_or(self.eastings.saturating_sub(SIDE)),
            south: sides[1].unwrap_or(self.northings.saturating_sub(SIDE)),
            east: sides[2].unwrap_or(self.eastings.saturating_add(SIDE)),
            north: sides[3].unwrap_or(self.northings.saturating_add(SIDE)),
        };
        let (wide, high) =
            (square.east.saturating_sub(square.west), square.north.saturating_sub(square.south));
        if wide.max(high) > WIDEST {
            let what = format!("{} {:?} is {wide} by {high} m large", self.code, self.name_1);
            let message = format!("{what}: ask for the postcodes of a place up to {WIDEST} m");
            return Err(Error::new(ErrorKind::NotSupported, message));
        }
        Ok(square)
    }

    /// Returns a code in lower case, as places have it, or `None` if no place can have it.
    #[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
    pub(crate) fn code_of(text: &str) -> Option<String> {
        let is_code = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_code.then(|| text.to_ascii_lowercase())
    }

    /// Returns the size class of a kind of place, 0 for the largest: a city before a town before a
    /// village.
    #[cfg(any(feature = "conformance", feature = "dataset"))]
    pub(crate) fn size_class(local_type: &str) -> u8 {
        KINDS.iter().position(|kind| *kind == local_type).unwrap_or(KINDS.len()) as u8
    }

    /// Returns the size class including islands and areas, which come after towns of the same name.
    #[cfg(any(feature = "conformance", feature = "dataset"))]
    pub(crate) fn rank_class(local_type: &str) -> u8 {
        const WIDER: u8 = 2;
        match Self::size_class(local_type) {
            class if class < WIDER => class,
            class if class < KINDS.len() as u8 => class + 1,
            _ => WIDER,
        }
    }
}

/// A box on the National Grid, in metres, including its sides.
#[cfg(any(feature = "conformance", feature = "dataset"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Square {
    west: u32,
    south: u32,
    east: u32,
    north: u32,
}

#[cfg(any(feature = "conformance", feature = "dataset"))]
impl Square {
    pub(crate) fn holds(&self, eastings: u32, northings: u32) -> bool {
        (self.west..=self.east).contains(&eastings) && (self.south..=self.north).contains(&northings)
    }

    /// Returns the distance in metres from the place to the farthest corner.
    #[cfg(feature = "dataset")]
    pub(crate) fn reach(&self, place: &Place) -> f64 {
        let east = place.eastings.abs_diff(self.west).max(place.eastings.abs_diff(self.east));
        let north = place.northings.abs_diff(self.south).max(place.northings.abs_diff(self.north));
        f64::from(east).hypot(f64::from(north))
    }
}
