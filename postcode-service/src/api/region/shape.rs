//! Circles, boxes and polygons, as parameters and as a body.

use postcode_core::wire::PolygonBody;
use postcode_core::{Location, MAX_CORNERS, Region};
use serde_json::{Map, Value};

use crate::api::failure::Failure;
use crate::api::params::Params;
use crate::enrich::short;

/// Exactly one of a circle, `lon`, `lat` and `radius`, a `bbox` and a `polygon`.
pub(in crate::api) fn of_params(params: &Params, max_radius: f64) -> Result<Region, Failure> {
    let pair = |one, other| params.get(one).zip(params.get(other));
    let centre = pair("lon", "lat").or_else(|| pair("longitude", "latitude"));
    match (centre, params.get("bbox"), params.get("polygon")) {
        (Some((longitude, latitude)), None, None) => {
            let centre = Location::new(degrees(&latitude, "lat")?, degrees(&longitude, "lon")?)?;
            let radius = params.get("radius").ok_or_else(|| bad("radius", "Give metres, such as 500"))?;
            let radius = number(&radius).ok_or_else(|| bad("radius", "Give metres, such as 500"))?;
            if radius > max_radius {
                let text = format!("This server looks {max_radius} m far at most");
                return Err(bad("radius", &text));
            }
            Ok(Region::circle(centre, radius))
        }
        (None, Some(edges), None) => {
            let usage = "Give west,south,east,north in degrees (WGS84), such as -0.2,51.4,0.1,51.6";
            let edges: Option<Vec<f64>> = edges.split(',').map(number).collect();
            let Some([west, south, east, north]) = edges.as_deref() else { return Err(bad("bbox", usage)) };
            let (south_west, north_east) = (Location::new(*south, *west)?, Location::new(*north, *east)?);
            Ok(Region::Box { south_west, north_east })
        }
        (None, None, Some(corners)) => {
            let usage = "Give lon,lat of each corner in degrees (WGS84), with ; between them, or POST them";
            let corner = |text: &str| {
                let (longitude, latitude) = text.split_once(',')?;
                Some([number(longitude)?, number(latitude)?])
            };
            let polygon: Option<Vec<_>> = corners.split(';').map(corner).collect();
            Ok(PolygonBody { polygon: polygon.ok_or_else(|| bad("polygon", usage))? }.into_region()?)
        }
        _ => Err(Failure::bad_request(
            "Invalid region submitted. Give either lon, lat and radius, or bbox, or polygon",
        )),
    }
}

/// How deep geometries may lie in each other: a collection of features with collections of
/// polygons is three deep.
const MAX_DEPTH: usize = 4;

/// `{"polygon":[[longitude,latitude],…]}`, or GeoJSON (RFC 7946): a Polygon or a MultiPolygon, or a
/// Feature or a collection of these.
pub(super) fn of_body(mut body: Map<String, Value>) -> Result<Region, Failure> {
    if let Some(polygon) = body.remove("polygon") {
        if body.contains_key("coordinates") {
            return Err(Failure::bad_request(USAGE));
        }
        let corners = Rings::default().ring(&polygon, "the polygon")?;
        return Ok(Region::Polygon(corners));
    }
    let mut rings = Rings::default();
    let mut polygons = Vec::new();
    rings.geometry(&Value::Object(body), 0, &mut polygons)?;
    if polygons.is_empty() {
        return Err(Failure::bad_request(format!("{USAGE}; in this there is no polygon")));
    }
    Ok(match polygons.as_mut_slice() {
        [one] if one.len() == 1 => Region::Polygon(one.pop().unwrap_or_default()),
        _ => Region::MultiPolygon(polygons),
    })
}

const USAGE: &str = "Invalid region submitted. Send {\"polygon\":[[longitude,latitude],…]}, or GeoJSON: a Polygon or \
                     MultiPolygon, or a Feature or FeatureCollection of these";

/// Reads the rings of polygons, and counts their corners.
#[derive(Default)]
struct Rings {
    corners: usize,
}

impl Rings {
    /// Adds the polygons of a GeoJSON object.
    fn geometry(
        &mut self,
        object: &Value,
        depth: usize,
        into: &mut Vec<Vec<Vec<Location>>>,
    ) -> Result<(), Failure> {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or("no type");
        let list = |name: &str| {
            let missing = || Failure::bad_request(format!("{USAGE}; {} has no {name}", short(kind)));
            object.get(name).and_then(Value::as_array).ok_or_else(missing)
        };
        if depth == MAX_DEPTH {
            return Err(Failure::bad_request(
                "The GeoJSON is nested too deeply: send its polygons as one MultiPolygon",
            ));
        }
        match kind {
            "Polygon" => {
                let polygon = self.polygon(list("coordinates")?)?;
                into.push(polygon);
            }
            "MultiPolygon" => {
                for rings in list("coordinates")? {
                    let missing =
                        || Failure::bad_request(format!("{USAGE}; a polygon of it is not a list of rings"));
                    let polygon = self.polygon(rings.as_array().ok_or_else(missing)?)?;
                    into.push(polygon);
                }
            }
            "Feature" => self.geometry(object.get("geometry").unwrap_or(&Value::Null), depth + 1, into)?,
            "FeatureCollection" | "GeometryCollection" => {
                let name = if kind == "FeatureCollection" { "features" } else { "geometries" };
                for item in list(name)? {
                    self.geometry(item, depth + 1, into)?;
                }
            }
            other => return Err(Failure::bad_request(format!("{USAGE}; this is {}", short(other)))),
        }
        Ok(())
    }

    fn polygon(&mut self, rings: &[Value]) -> Result<Vec<Vec<Location>>, Failure> {
        if rings.is_empty() {
            return Err(Failure::bad_request(format!("{USAGE}; a polygon of it has no ring")));
        }
        rings.iter().map(|ring| self.ring(ring, "the polygon")).collect()
    }

    /// Reads a ring of positions. A position may have an altitude, which is ignored.
    fn ring(&mut self, ring: &Value, of: &str) -> Result<Vec<Location>, Failure> {
        let Value::Array(positions) = ring else { return Err(Failure::bad_request(USAGE)) };
        self.corners = self.corners.saturating_add(positions.len());
        if self.corners > MAX_CORNERS {
            let text =
                format!("a polygon of {} corners: give 3 to {MAX_CORNERS} in all its rings", self.corners);
            return Err(Failure::bad_request(text));
        }
        let corner = |(n, position): (usize, &Value)| {
            let numbers: Option<Vec<f64>> =
                position.as_array().and_then(|numbers| numbers.iter().take(2).map(Value::as_f64).collect());
            let Some([longitude, latitude]) = numbers.as_deref() else {
                let advice = format!("Corner {} of {of} is not [longitude,latitude]", n + 1);
                return Err(Failure::bad_request(USAGE).advise(advice));
            };
            Location::new(*latitude, *longitude).map_err(|error| {
                Failure::bad_request(format!("corner {} of {of}: {}", n + 1, error.message()))
            })
        };
        positions.iter().enumerate().map(corner).collect()
    }
}

/// Returns what to say about a region without postcodes, if latitude and longitude were probably
/// confused.
pub(super) fn swapped(region: &Region) -> Option<&'static str> {
    region.looks_swapped().then_some(
        "No postcode is there, and latitude and longitude seem to be exchanged: give the longitude first in bbox, \
         polygon and GeoJSON, as in -0.1416,51.501",
    )
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn degrees(text: &str, name: &str) -> Result<f64, Failure> {
    number(text).ok_or_else(|| bad(name, "Give degrees (WGS84), such as 51.501"))
}

fn bad(name: &str, usage: &str) -> Failure {
    Failure::bad_request(format!("Invalid {name} submitted. {usage}"))
}
