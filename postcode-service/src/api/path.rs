//! Paths as Express matches them: in any case, with or without one slash at the end.

use std::sync::LazyLock;

use axum::body::Body;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use percent_encoding::percent_decode_str;

use super::failure::Failure;

/// The fixed segments of all routes.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(postcode_core::wire::path::words);

/// Puts the path in the form that the router knows.
///
/// # Errors
/// 400 for percent-encoding that is cut short or gives no UTF-8; 404 for an empty segment.
pub(super) fn normalise(request: &mut Request<Body>) -> Result<(), Failure> {
    let path = request.uri().path();
    if path.contains('%') && !well_encoded(path) {
        return Err(Failure::bad_request("Malformed percent-encoding in the path"));
    }
    let trimmed = match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => path,
    };
    // The links of this page are relative, and would lead astray. postcodes.io has no such path either.
    if trimmed.len() < path.len() && trimmed.eq_ignore_ascii_case(postcode_core::wire::path::DOCS) {
        return Err(Failure::no_route());
    }
    // The router would take an empty segment for a parameter.
    if trimmed.contains("//") {
        return Err(Failure::no_route());
    }
    let word = |segment: &str| WORDS.iter().find(|word| word.eq_ignore_ascii_case(segment));
    let as_is = |segment: &str| word(segment).is_none_or(|word| *word == segment);
    if trimmed.len() == path.len() && path.split('/').all(as_is) {
        return Ok(());
    }
    let mut target = String::with_capacity(request.uri().to_string().len());
    for (i, segment) in trimmed.split('/').enumerate() {
        if i > 0 {
            target.push('/');
        }
        target.push_str(word(segment).copied().unwrap_or(segment));
    }
    if let Some(query) = request.uri().query() {
        target.push('?');
        target.push_str(query);
    }
    let target: PathAndQuery =
        target.parse().map_err(|_| Failure::bad_request("The path is not a valid path of a URL"))?;
    *request.uri_mut() = Uri::from(target);
    Ok(())
}

fn well_encoded(path: &str) -> bool {
    let bytes = path.as_bytes();
    let complete =
        |i: usize| bytes.get(i + 1..i + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    (0..bytes.len()).filter(|&i| bytes[i] == b'%').all(complete)
        && percent_decode_str(path).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(uri: &str) -> Result<String, u16> {
        let mut request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        normalise(&mut request).map_err(|failure| failure.status().as_u16())?;
        Ok(request.uri().to_string())
    }

    #[test]
    fn case_and_one_trailing_slash_do_not_matter() {
        assert_eq!(normalised("/POSTCODES/aB1/Nearest/?Q=X").unwrap(), "/postcodes/aB1/nearest?Q=X");
        assert_eq!(normalised("/").unwrap(), "/");
        for uri in ["/docs/", "//postcodes/AB1", "/postcodes/lon//lat/57", "/postcodes//nearest"] {
            assert_eq!(normalised(uri), Err(404), "{uri}");
        }
        assert_eq!(normalised("/postcodes/%41B").unwrap(), "/postcodes/%41B");
    }

    #[test]
    fn encoding_that_is_none_is_refused() {
        for uri in ["/postcodes/%", "/postcodes/%FF", "/postcodes/%E0%A4%A", "/%zz"] {
            assert_eq!(normalised(uri), Err(400), "{uri}");
        }
    }
}
