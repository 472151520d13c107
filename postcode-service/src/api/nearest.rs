//! Around a point or a postcode: `/postcodes/{postcode}/nearest` and reverse geocoding in all its
//! forms.

use std::borrow::Cow;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use postcode_core::wire::{Shape, code, path};
use postcode_core::{Answer, Location, MAX_LIMIT, Nearest, NearestOutcodes, Neighbour, PostcodeLookupExt};

use super::failure::{Failure, Outcome};
use super::params::{Params, parse_float, parse_int};
use super::reply::records;
use super::syntax::{Reading, read};
use super::view::View;
use super::{App, Edition, Limits, compact, postcode};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::POSTCODE_NEAREST, get(of_postcode))
        .route(path::LON_LAT, get(of_lon_lat))
        .route(path::LAT_LON, get(of_lat_lon))
}

/// Farthest in the compatible API, metres, without a word. The extended one goes as far as the
/// operator allows, and says so.
const COMPATIBLE_RADIUS: f64 = 2_000.0;
/// The same of outcodes.
const COMPATIBLE_OUTCODE_RADIUS: f64 = 25_000.0;
/// Most answers in the compatible API.
const COMPATIBLE_LIMIT: usize = 100;
/// Farthest of a wide search, metres.
const WIDE_RADIUS: f64 = 20_000.0;
/// Most answers of a wide search.
const WIDE_LIMIT: usize = 10;

/// How far and how many, as the request's texts; an absent one is `None`.
#[derive(Debug, Default)]
pub(super) struct Reach<'a> {
    pub(super) limit: Option<Cow<'a, str>>,
    pub(super) radius: Option<Cow<'a, str>>,
    pub(super) wide: bool,
    pub(super) shape: Option<Shape>,
    pub(super) limits: Limits,
}

/// Around where, how many at most, and how far, in metres.
type Circle = (Location, usize, f64);

impl<'a> Reach<'a> {
    pub(super) fn of(params: &'a Params, limits: Limits) -> Self {
        Self {
            limits,
            limit: params.get("limit"),
            radius: params.get("radius"),
            // Any text switches it on, also `false`.
            wide: params.get("widesearch").is_some() || params.get("wideSearch").is_some(),
            shape: Some(params.shape()),
        }
    }

    /// Builds the query around the point that `origin` finds. Checks parameters in the order of
    /// postcodes.io. `None` if the answer is empty anyway: a limit of 0, or a negative radius.
    pub(super) fn around(
        &self,
        origin: impl FnOnce() -> Result<Location, Failure>,
    ) -> Result<Option<Nearest>, Failure> {
        let most = self.limits.max_nearest;
        let Some((origin, limit, radius)) = self.read(origin, 100.0, COMPATIBLE_RADIUS, most)? else {
            return Ok(None);
        };
        // postcodes.io widens a circle by 1 km steps until it holds ten; the ten nearest are the
        // same.
        let wide = (limit.min(WIDE_LIMIT), WIDE_RADIUS.min(self.limits.max_radius));
        let (limit, radius) = if self.wide { wide } else { (limit, radius) };
        Ok((radius >= 0.0).then(|| Nearest::to(origin).limit(limit).radius(radius)))
    }

    /// Builds the query for outcodes, which have no wide search.
    pub(super) fn around_outcodes(
        &self,
        origin: impl FnOnce() -> Result<Location, Failure>,
    ) -> Result<Option<NearestOutcodes>, Failure> {
        let farthest = COMPATIBLE_OUTCODE_RADIUS;
        let Some((origin, limit, radius)) = self.read(origin, 5_000.0, farthest, MAX_LIMIT)? else {
            return Ok(None);
        };
        Ok((radius >= 0.0).then(|| NearestOutcodes::to(origin).limit(limit).radius(radius)))
    }

    /// `None` for a limit of none.
    fn read(
        &self,
        origin: impl FnOnce() -> Result<Location, Failure>,
        radius: f64,
        farthest: f64,
        most: usize,
    ) -> Result<Option<Circle>, Failure> {
        let extended = self.shape == Some(Shape::Extended);
        if extended {
            self.has_plain_numbers()?;
        }
        let limit = match &self.limit {
            None => 10,
            // A limit below zero is a 500 at postcodes.io.
            Some(text) => parse_int(text)
                .filter(|&limit| limit >= 0)
                .ok_or_else(|| Failure::bad_request("Invalid result limit submitted"))?,
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if extended && limit > most {
            let text = format!("Invalid result limit submitted. This server gives {most} at most");
            return Err(Failure::bad_request(text));
        }
        let origin = origin()?;
        let radius = match &self.radius {
            None => radius,
            Some(text) => {
                parse_float(text).ok_or_else(|| Failure::bad_request("Invalid lookup radius submitted"))?
            }
        };
        let max = self.limits.max_radius;
        if extended && !self.wide && self.radius.is_some() && radius > max {
            let text = format!("Invalid lookup radius submitted. This server looks {max} m far at most");
            return Err(Failure::bad_request(text));
        }
        let radius = if extended { radius.min(max) } else { radius.min(farthest).min(max) };
        let limit = if extended { limit } else { limit.min(COMPATIBLE_LIMIT).min(most) };
        Ok((limit > 0).then_some((origin, limit, radius)))
    }

    /// Refuses a number with something behind it. postcodes.io ignores that, so `1km` would be one metre.
    fn has_plain_numbers(&self) -> Result<(), Failure> {
        let is_plain =
            |text: &Option<_>| text.as_deref().is_none_or(|text: &str| text.trim().parse::<f64>().is_ok());
        if !is_plain(&self.limit) {
            return Err(Failure::bad_request("Invalid result limit submitted").advise("Give a whole number"));
        }
        if !is_plain(&self.radius) {
            let advice = "Give metres without a unit, such as 1000";
            return Err(Failure::bad_request("Invalid lookup radius submitted").advise(advice));
        }
        Ok(())
    }
}

/// Parses a point from two texts.
pub(super) fn point(longitude: &str, latitude: &str) -> Result<Location, Failure> {
    let read = |text: &str| parse_float(text).filter(|degrees| degrees.is_finite());
    let (Some(longitude), Some(latitude)) = (read(longitude), read(latitude)) else { return Err(no_point()) };
    Ok(Location::new(wrap_latitude(latitude), wrap_longitude(longitude))?)
}

/// Returns the texts of the point in the parameters `longitude` and `latitude`, or `lon` and `lat`.
fn pair(params: &Params) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let pair = |longitude, latitude| params.get(longitude).zip(params.get(latitude));
    pair("longitude", "latitude").or_else(|| pair("lon", "lat"))
}

/// Parses the point in the parameters, which is required.
pub(super) fn point_of_params(params: &Params) -> Result<Location, Failure> {
    let (longitude, latitude) = pair(params).ok_or_else(no_point)?;
    point(&longitude, &latitude)
}

fn no_point() -> Failure {
    Failure::bad_request("Invalid longitude/latitude submitted")
}

/// Wraps a longitude as PostGIS does (`longitude_degrees_normalize` of liblwgeom).
fn wrap_longitude(degrees: f64) -> f64 {
    let within = if degrees.abs() > 360.0 { degrees % 360.0 } else { degrees };
    if within > 180.0 {
        within - 360.0
    } else if within < -180.0 {
        within + 360.0
    } else {
        within
    }
}

/// Wraps a latitude over the pole, as PostGIS does (`latitude_degrees_normalize`).
fn wrap_latitude(degrees: f64) -> f64 {
    let within = if degrees.abs() > 360.0 { degrees % 360.0 } else { degrees };
    let within = if within.abs() > 180.0 { within.signum() * 180.0 - within } else { within };
    if within.abs() > 90.0 { within.signum() * 180.0 - within } else { within }
}

pub(super) async fn neighbours(edition: &Edition, query: Option<Nearest>) -> Result<Vec<Neighbour>, Failure> {
    match query {
        None => Ok(Vec::new()),
        Some(query) => Ok(edition.lookup.nearest(&query).await?.unwrap_or_default()),
    }
}

/// Returns the error for a postcode without a location to search around.
pub(super) fn no_location(edition: &Edition) -> Failure {
    let text = "Invalid longitude/latitude submitted";
    Failure::new(http::StatusCode::BAD_REQUEST, text, code::NO_LOCATION).by(&edition.fingerprint)
}

pub(super) async fn answer(edition: &Edition, query: Option<Nearest>, params: &Params) -> Outcome {
    let neighbours = neighbours(edition, query).await?;
    if params.wants_compact() {
        return compact::cached(edition, &neighbours).await;
    }
    let view = View::of(params);
    let views: Vec<_> = neighbours.iter().map(|neighbour| view.neighbour(neighbour)).collect();
    records(edition, &(!views.is_empty()).then_some(views)).map(compact::varying)
}

/// Around the point that the parameters name, if they name one.
pub(super) async fn of_params(edition: &Edition, params: &Params, limits: Limits) -> Option<Outcome> {
    let (longitude, latitude) = pair(params)?;
    Some(of_point(edition, &longitude, &latitude, params, limits).await)
}

async fn of_point(
    edition: &Edition,
    longitude: &str,
    latitude: &str,
    params: &Params,
    limits: Limits,
) -> Outcome {
    let query = Reach::of(params, limits).around(|| point(longitude, latitude))?;
    answer(edition, query, params).await
}

async fn of_lon_lat(
    State(app): State<App>,
    Path((longitude, latitude)): Path<(String, String)>,
    params: Params,
) -> Outcome {
    of_point(&app.edition(), &longitude, &latitude, &params, app.limits).await
}

async fn of_lat_lon(
    State(app): State<App>,
    Path((latitude, longitude)): Path<(String, String)>,
    params: Params,
) -> Outcome {
    of_point(&app.edition(), &longitude, &latitude, &params, app.limits).await
}

async fn of_postcode(State(app): State<App>, Path(text): Path<String>, params: Params) -> Outcome {
    let shape = params.shape();
    let edition = app.edition();
    let postcode = match read(&text, shape) {
        Reading::Postcode(postcode) => postcode,
        Reading::Invalid(Some(error)) => {
            return Err(postcode::unknown().by(&edition.fingerprint).explain(&error));
        }
        Reading::NoSuch | Reading::Invalid(None) => return Err(postcode::unknown().by(&edition.fingerprint)),
    };
    let record = match (edition.lookup.get(postcode).await?, shape) {
        (Answer::Live(record), _) | (Answer::Terminated(record), Shape::Extended) => record,
        (Answer::NotCovered, _) => {
            return Err(postcode::unknown()
                .by(&edition.fingerprint)
                .not_covered(edition.advice_for(postcode)));
        }
        (Answer::Unknown | Answer::Terminated(_), _) => {
            return Err(postcode::unknown().by(&edition.fingerprint));
        }
    };
    let origin = || record.location.ok_or_else(|| no_location(&edition));
    let query = Reach::of(&params, app.limits).around(origin)?;
    answer(&edition, query, &params).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_out_of_range_are_wrapped() {
        for (degrees, longitude, latitude) in [
            (181.0, -179.0, -1.0),
            (-181.0, 179.0, 1.0),
            (91.0, 91.0, 89.0),
            (-91.0, -91.0, -89.0),
            (270.0, -90.0, -90.0),
            (725.0, 5.0, 5.0),
            (180.0, 180.0, 0.0),
        ] {
            assert_eq!((wrap_longitude(degrees), wrap_latitude(degrees)), (longitude, latitude), "{degrees}");
        }
        assert!(point("1e10", "1e10").is_ok());
        for (longitude, latitude) in [("Infinity", "0"), ("1e400", "0"), ("x", "0"), ("0", "")] {
            assert_eq!(point(longitude, latitude).unwrap_err().status(), 400);
        }
    }

    #[test]
    fn checks_are_in_the_order_of_postcodes_io() {
        let reach = |limit: &'static str, radius: &'static str| Reach {
            limit: Some(limit.into()),
            radius: Some(radius.into()),
            ..Reach::default()
        };
        let error = |reach: Reach<'_>, lon: &str| {
            let failure = reach.around(|| point(lon, "0")).unwrap_err();
            let response = failure.respond(None);
            response.status().as_u16()
        };
        assert_eq!(error(reach("x", "x"), "x"), 400);
        assert_eq!(error(reach("-1", "1"), "0"), 400);
        assert!(reach("0", "1").around(|| point("0", "0")).unwrap().is_none());
        assert!(reach("1", "-1").around(|| point("0", "0")).unwrap().is_none());
        let far = reach("1000", "1e9").around(|| point("0", "0")).unwrap().unwrap();
        assert_eq!((far.limit, far.radius), (100, 2000.0));
        let wide = Reach { wide: true, ..reach("50", "-1") }.around(|| point("0", "0")).unwrap().unwrap();
        assert_eq!((wide.limit, wide.radius), (10, 20_000.0));
    }
}
