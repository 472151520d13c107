//! The one table of routes, relative to the base address. Router, client, strict mode and OpenAPI are made from it, and
//! `.ci/routes` checks that no route is spelt anywhere else.

use std::fmt::Display;

macro_rules! routes {
    ($($name:ident $path:literal,)*) => {
        $(
            #[doc = concat!("`", $path, "`")]
            pub const $name: &str = $path;
        )*

        /// All routes.
        pub const ALL: &[&str] = &[$($path),*];
    };
}

routes! {
    HOME "/",
    POSTCODE "/postcodes/{postcode}",
    POSTCODES "/postcodes",
    POSTCODE_VALIDATE "/postcodes/{postcode}/validate",
    POSTCODE_NEAREST "/postcodes/{postcode}/nearest",
    POSTCODE_AUTOCOMPLETE "/postcodes/{postcode}/autocomplete",
    DISTANCE "/postcodes/{postcode}/distance/{other}",
    LON_LAT "/postcodes/lon/{longitude}/lat/{latitude}",
    LAT_LON "/postcodes/lat/{latitude}/lon/{longitude}",
    RANDOM "/random/postcodes",
    OUTCODES "/outcodes",
    OUTCODE "/outcodes/{outcode}",
    OUTCODE_NEAREST "/outcodes/{outcode}/nearest",
    OUTCODE_AUTOCOMPLETE "/outcodes/{outcode}/autocomplete",
    OUTCODE_VALIDATE "/outcodes/{outcode}/validate",
    OUTCODE_STREETS "/outcodes/{outcode}/streets",
    OUTCODE_POSTCODES "/outcodes/{outcode}/postcodes",
    SECTOR_POSTCODES "/sectors/{sector}/postcodes",
    AREA_POSTCODES "/areas/{code}/postcodes",
    WITHIN "/within",
    ENRICH "/enrich",
    JOBS "/jobs",
    JOB "/jobs/{id}",
    JOB_EVENTS "/jobs/{id}/events",
    JOB_RESULT "/jobs/{id}/result",
    CALLBACKS "/jobs/callbacks",
    CALLBACK_RETRY "/jobs/callbacks/{id}/retry",
    TERMINATED "/terminated_postcodes/{postcode}",
    TERMINATED_NEAREST "/terminated_postcodes/{postcode}/nearest",
    BULK_VALIDATE "/bulk/validate",
    BULK_TERMINATED "/bulk/terminated_postcodes",
    BULK_OUTCODES "/bulk/outcodes",
    PLACES "/places",
    PLACE "/places/{code}",
    PLACE_POSTCODES "/places/{code}/postcodes",
    FIND_PLACES "/find/places",
    RANDOM_PLACES "/random/places",
    SCOTTISH_POSTCODE "/scotland/postcodes/{postcode}",
    DATASET_INFO "/dataset/info",
    DATASET "/dataset",
    DATASET_SIGNATURE "/dataset/signature",
    POSTCODE_ADDRESSES "/postcodes/{postcode}/addresses",
    ADDRESSES "/addresses",
    ADDRESSES_INFO "/addresses/info",
    ADDRESSES_PROOF "/addresses/proof",
    ADDRESSES_NEAREST "/addresses/nearest",
    ADDRESSES_WITHIN "/addresses/within",
    ADDRESS "/addresses/{number_kind}/{number}",
    IDEAL_POSTCODE "/v1/postcodes/{postcode}",
    IDEAL_UDPRN "/v1/udprn/{udprn}",
    IDEAL_UMPRN "/v1/umprn/{umprn}",
    IDEAL_KEY "/v1/keys/{key}",
    IDEAL_SUGGEST "/v1/autocomplete/addresses",
    IDEAL_RESOLVE "/v1/autocomplete/addresses/{suggestion}/gbr",
    PROOF "/proof",
    PROMOTION_PLAN "/promotion/plan",
    PROMOTION_FLEET "/promotion/fleet",
    MCP "/mcp",
    DOCS "/docs",
    GUIDE "/docs/guides/{guide}",
    OPENAPI "/openapi.json",
    CATALOG "/.well-known/api-catalog",
    PING "/ping",
    READY "/ready",
    METRICS "/metrics",
}

/// Puts values in the place of a route's parameters, in their order. They must be fit to stand in a path.
///
/// ```
/// use postcode_core::wire::path::{DISTANCE, filled};
///
/// assert_eq!(filled(DISTANCE, &[&"M11AE", &"M11AD"]), "/postcodes/M11AE/distance/M11AD");
/// ```
pub fn filled(route: &str, values: &[&(dyn Display + Sync)]) -> String {
    let mut values = values.iter();
    let segments = route.split('/').map(|segment| match segment.starts_with('{') {
        true => values.next().map_or_else(|| segment.to_owned(), |value| value.to_string()),
        false => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Returns the fixed segments of all routes, each once. None of them is a postcode, an outcode or a number, so they can be put
/// in lower case wherever they stand.
///
/// ```
/// use postcode_core::wire::path;
///
/// let words = path::words();
/// assert!(words.contains(&"postcodes") && !words.contains(&"sw1a1aa"));
/// ```
pub fn words() -> Vec<&'static str> {
    let mut words: Vec<_> = ALL
        .iter()
        .flat_map(|route| route.split('/'))
        .filter(|word| !word.is_empty() && !word.starts_with('{'))
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_route_has_its_values_in_order() {
        assert_eq!(filled(POSTCODES, &[]), "/postcodes");
        assert_eq!(filled(LON_LAT, &[&-0.1, &51.5]), "/postcodes/lon/-0.1/lat/51.5");
    }

    #[test]
    fn words_of_routes_are_fixed_segments_in_lower_case() {
        let words = words();
        assert!(words.contains(&"api-catalog") && words.contains(&"lon"));
        assert!(words.iter().all(|word| *word == word.to_lowercase()), "{words:?}");
    }
}
