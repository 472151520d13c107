//! What is said after the `?`.

use std::str::FromStr;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use super::problem::Problem;
use crate::Error;

/// A query as an extractor gives it: what is wrong with it is for the route to say.
pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;

/// Why a query can't be taken.
pub(super) fn refused(rejection: QueryRejection) -> Problem {
    wrong(rejection.body_text())
}

/// A query that can't be taken, and what to give instead.
pub(super) fn wrong(detail: String) -> Problem {
    Error::Listing(detail).into()
}

/// The number that a parameter gives; the usual one where it gives none.
pub(super) fn number<T: FromStr>(name: &str, text: &str, usual: T) -> Result<T, Problem> {
    match text {
        "" => Ok(usual),
        text => text.parse().map_err(|_| wrong(format!("a {name} of {text:?}: give a number"))),
    }
}
