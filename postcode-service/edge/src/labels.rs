//! Labels of metrics, and pieces of requests in logs, that the programs share.

use http::StatusCode;

/// The longest piece of a request that is logged, in bytes.
const LONGEST: usize = 256;

/// Returns the first 256 bytes of a client's text, for the log.
pub fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// Returns the class of a status, as metrics have it: `2xx`, `3xx`, `4xx` or `5xx`.
pub fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_are_cut_between_characters() {
        assert_eq!(cut("/short"), "/short");
        let long = format!("{}{}", "x".repeat(255), "é".repeat(1000));
        assert_eq!(cut(&long), "x".repeat(255));
    }
}
