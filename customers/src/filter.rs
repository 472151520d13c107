//! Filters of listings.

use jiff::Timestamp;
use postcode_core::{Location, Outcode, Postcode};

use crate::fold::folded;
use crate::{Address, AddressStatus, Error, Result, Sort};

/// The longest text to search for, in bytes.
pub const MAX_SEARCH: usize = 256;
/// The farthest to search around a postcode, in metres.
pub const MAX_RADIUS: f64 = 500_000.0;

/// A filter for listings, and their order. A customer is listed if all given conditions hold. Case makes no
/// difference.
///
/// Conditions on an address must all hold for one and the same address, which may be any of the
/// customer's.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// use customers::Filter;
///
/// customers.create(ada).await?;
/// let filter = Filter { name: Some("LOVE".into()), postcode: Some("sw1y".into()), ..Filter::default() };
/// assert_eq!(customers.search(&filter, 10, None).await?.items.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// A part of the name or of the email address.
    pub text: Option<String>,
    /// A part of the name.
    pub name: Option<String>,
    /// A part of the email address.
    pub email: Option<String>,
    /// The beginning of the postcode, with or without its space: `SW1`, `sw1a 1`.
    pub postcode: Option<String>,
    /// The postcode's outcode.
    pub outcode: Option<Outcode>,
    /// The name of the local authority district.
    pub district: Option<String>,
    /// The status of the address.
    pub status: Option<AddressStatus>,
    /// A postcode and a distance from it in metres, 0 to [`MAX_RADIUS`].
    pub near: Option<(Postcode, f64)>,
    /// Lists customers that changed at that time or later.
    pub updated_since: Option<Timestamp>,
    /// Lists only deleted accounts if true, and only the others if false.
    pub deleted: bool,
    /// The order of the listing.
    pub sort: Sort,
}

/// The least number of metres in a degree of latitude, anywhere on WGS84.
const DEGREE: f64 = 110_570.0;

/// A circle on the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Circle {
    pub(crate) centre: Location,
    pub(crate) radius: f64,
}

impl Filter {
    /// Checks and normalises the filter.
    pub(crate) fn check(&self) -> Result<Self> {
        let wrong = |name: &str, what: &str| Err(Error::Listing(format!("{name}: {what}")));
        let texts = [
            ("q", &self.text),
            ("name", &self.name),
            ("email", &self.email),
            ("postcode", &self.postcode),
            ("district", &self.district),
        ];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            if text.len() > MAX_SEARCH {
                return wrong(name, &format!("has {} bytes: give at most {MAX_SEARCH}", text.len()));
            }
            if text.trim().is_empty() {
                return wrong(name, "nothing to search for: give a text, or leave it out");
            }
            if text.contains('\0') {
                return wrong(name, "contains a NUL character: remove it");
            }
        }
        if let Some((_, radius)) = self.near
            && !(0.0..=MAX_RADIUS).contains(&radius)
        {
            return wrong("radius", &format!("{radius}: give 0 to {MAX_RADIUS} metres"));
        }
        let lower = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_lowercase());
        let postcode = self.postcode.as_deref().map(|text| {
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect::<String>()
        });
        if let Some(prefix) = &postcode
            && !prefix.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return wrong(
                "postcode",
                &format!("{prefix:?} is not the beginning of a postcode: give letters and digits"),
            );
        }
        Ok(Self {
            text: lower(&self.text),
            name: lower(&self.name),
            email: lower(&self.email),
            postcode,
            district: self.district.as_deref().map(|text| folded(text.trim())),
            ..self.clone()
        })
    }

    /// Returns whether an address meets the conditions, apart from the circle. Expects a
    /// [checked](Self::check) filter.
    pub(crate) fn takes(&self, address: &Address) -> bool {
        let district = address.check.admin_district.as_deref().map(folded);
        self.postcode.as_ref().is_none_or(|prefix| address.postcode.compact().to_string().starts_with(prefix))
            && self.outcode.is_none_or(|outcode| address.postcode.outcode() == outcode)
            && self.district.as_ref().is_none_or(|name| district.as_ref() == Some(name))
            && self.status.is_none_or(|status| address.check.status == status)
    }
}

impl Circle {
    /// Returns the distance of an address from the centre; `None` if it is outside the circle or
    /// has no location.
    pub(crate) fn distance(&self, address: &Address) -> Option<f64> {
        self.distance_to(address.check.latitude?, address.check.longitude?)
    }

    /// Returns whether a place is within the circle.
    pub(crate) fn holds(&self, latitude: f64, longitude: f64) -> bool {
        self.distance_to(latitude, longitude).is_some()
    }

    fn distance_to(&self, latitude: f64, longitude: f64) -> Option<f64> {
        let distance = self.centre.distance(Location::new(latitude, longitude).ok()?);
        (distance <= self.radius).then_some(distance)
    }

    /// Returns the metres of a degree of latitude and of a degree of longitude where they are
    /// shortest in the circle. On a plane with these scales no two points of the circle are farther
    /// apart than on the ground, because no step of a path is longer.
    pub(crate) fn shortest_degrees(&self) -> [f64; 2] {
        let farthest = (self.centre.latitude().abs() + self.radius / DEGREE + 1e-6).min(90.0);
        // On WGS84 a degree of longitude is a little longer than on a sphere with the same equator.
        [DEGREE, 111_319.0 * farthest.to_radians().cos()]
    }

    /// Returns a box that contains the circle: latitudes from and to, longitudes from and to.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        let (latitude, longitude) = (self.centre.latitude(), self.centre.longitude());
        let up = self.radius / DEGREE + 1e-6;
        // Degrees of longitude are shortest at the edge that is nearest to a pole.
        let widest = (latitude.abs() + up).min(89.0).to_radians().cos();
        let across = (up / widest).min(360.0);
        [latitude - up, latitude + up, longitude - across, longitude + across]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_holds_its_circle() {
        for (latitude, longitude) in [(49.9, -6.3), (51.5, 0.0), (60.8, -0.9)] {
            let centre = Location::new(latitude, longitude).unwrap();
            for radius in [0.0, 1.0, 2_000.0, MAX_RADIUS] {
                let [south, north, west, east] = Circle { centre, radius }.bounds();
                for n in 0..360_u16 {
                    let angle = f64::from(n).to_radians();
                    // A point on the box's edge is never nearer than the radius.
                    let (dy, dx) = (angle.sin(), angle.cos());
                    let scale = 1.0 / dy.abs().max(dx.abs());
                    let y = (south + north) / 2.0 + (north - south) / 2.0 * dy * scale;
                    let x = (west + east) / 2.0 + (east - west) / 2.0 * dx * scale;
                    let edge = centre.distance(Location::new(y, x).unwrap());
                    assert!(edge >= radius, "{latitude} {radius} {n}: {edge}");
                }
            }
        }
    }

    #[test]
    fn distance_on_the_plane_is_never_longer_than_on_the_ground() {
        for (latitude, longitude) in [(49.9, -6.3), (51.5, 0.0), (60.8, -0.9)] {
            let centre = Location::new(latitude, longitude).unwrap();
            for radius in [1.0, 2_000.0, 100_000.0, MAX_RADIUS] {
                let circle = Circle { centre, radius };
                let [up, across] = circle.shortest_degrees();
                let [south, north, west, east] = circle.bounds();
                for n in 0..=40_u16 {
                    for m in 0..=40_u16 {
                        let part = |from: f64, to: f64, n: u16| from + (to - from) * f64::from(n) / 40.0;
                        let (y, x) = (part(south, north, n), part(west, east, m));
                        let plane = ((y - latitude) * up).hypot((x - longitude) * across);
                        let ground = centre.distance(Location::new(y, x).unwrap());
                        assert!(
                            ground > radius || plane <= ground * (1.0 + 1e-9) + 1e-3,
                            "{latitude} {radius} {y} {x}: {plane} {ground}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_can_not_be_searched_for_is_refused() {
        let near = |radius| Filter { near: Some(("SW1A 1AA".parse().unwrap(), radius)), ..Filter::default() };
        assert!(near(0.0).check().is_ok() && near(MAX_RADIUS).check().is_ok());
        for radius in [-1.0, f64::NAN, f64::INFINITY, MAX_RADIUS + 1.0] {
            assert!(near(radius).check().unwrap_err().to_string().contains("radius"), "{radius}");
        }
        let text = |text: &str| Filter { text: Some(text.into()), ..Filter::default() };
        assert!(text("ada").check().is_ok());
        for bad in ["", "  ", "a\0b", &"x".repeat(MAX_SEARCH + 1)] {
            assert!(text(bad).check().is_err(), "{bad:?}");
        }
        let postcode = Filter { postcode: Some(" sw1a 1 ".into()), ..Filter::default() };
        assert_eq!(postcode.check().unwrap().postcode.as_deref(), Some("SW1A1"));
    }
}
