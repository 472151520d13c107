//! Query parameters.

use std::str::FromStr;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use super::problem::Problem;
use crate::Error;

/// A query as extracted. The route reports what is wrong with it.
pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;

/// Builds the problem for a query that can't be parsed. Its message names the parameter and those that are known.
pub(super) fn refused(rejection: QueryRejection) -> Problem {
    let text = rejection.body_text();
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
    wrong(text.replace("unknown field", "unknown parameter"))
}

/// Builds the problem for an invalid query, with a message that says what to give instead.
pub(super) fn wrong(detail: String) -> Problem {
    Error::Listing(detail).into()
}

/// Parses a number, or returns the default for an empty parameter.
pub(super) fn number<T: FromStr>(name: &str, text: &str, usual: T) -> Result<T, Problem> {
    match text {
        "" => Ok(usual),
        text => text.parse().map_err(|_| wrong(format!("a {name} of {text:?}: give a number"))),
    }
}
