//! Circles, boxes and polygons, as parameters and as a body.

use postcode_core::wire::PolygonBody;
use postcode_core::{Location, MAX_CORNERS, Region};
use serde_json::{Map, Value};

use crate::api::params::Params;
use crate::api::reply::Failure;
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

/// `{"polygon":[[longitude,latitude],…]}`, or a Polygon of GeoJSON.
pub(super) fn of_body(mut body: Map<String, Value>) -> Result<Region, Failure> {
    let usage = "Invalid region submitted. Send {\"polygon\":[[longitude,latitude],…]} or a GeoJSON Polygon of one ring";
    let ring = match (body.remove("polygon"), body.remove("coordinates")) {
        (Some(polygon), None) => polygon,
        (None, Some(Value::Array(mut rings))) if body.get("type").is_some_and(|it| it == "Polygon") => {
            match (rings.pop(), rings.len()) {
                (Some(ring), 0) => ring,
                (Some(_), holes) => {
                    return Err(Failure::bad_request(format!(
                        "a polygon with holes ({holes} in addition to the outer ring): send a GeoJSON Polygon of one ring, the outer one, and leave \
                         out of the answer what lies in the others, which you can ask for one by one"
                    )));
                }
                (None, _) => return Err(Failure::bad_request(usage)),
            }
        }
        (None, Some(_)) => {
            let kind = body.get("type").and_then(Value::as_str).unwrap_or("no type");
            let usage =
                format!("{usage}; this is {}, and several polygons are as many requests", short(kind));
            return Err(Failure::bad_request(usage));
        }
        _ => return Err(Failure::bad_request(usage)),
    };
    if let Value::Array(corners) = &ring
        && corners.len() > MAX_CORNERS
    {
        let text = format!("a polygon of {} corners: give 3 to {MAX_CORNERS}", corners.len());
        return Err(Failure::bad_request(text));
    }
    let polygon = serde_json::from_value(ring)
        .map_err(|e| Failure::bad_request(usage).advise(format!("In the polygon: {e}")))?;
    Ok(PolygonBody { polygon }.into_region()?)
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
