//! Checks the contract's limits, with the same messages in every implementation.
#![allow(dead_code, reason = "the layers alone check only some of them")]

use super::limits::{MAX_BATCH, MAX_LIMIT, MAX_NEIGHBOURS, MAX_QUERY, MAX_RADIUS};
use super::nearest::{Nearest, NearestOutcodes};
use crate::{Error, Result};

pub(crate) fn batch(len: usize) -> Result<()> {
    if len > MAX_BATCH {
        return Err(Error::invalid(format!("{len} postcodes in one batch: give at most {MAX_BATCH}")));
    }
    Ok(())
}

pub(crate) fn limit(limit: usize) -> Result<()> {
    limit_to(limit, MAX_LIMIT)
}

fn limit_to(limit: usize, most: usize) -> Result<()> {
    if !(1..=most).contains(&limit) {
        return Err(Error::invalid(format!("a limit of {limit}: give 1 to {most}")));
    }
    Ok(())
}

pub(crate) fn text(text: &str) -> Result<()> {
    if text.len() > MAX_QUERY {
        return Err(Error::invalid(format!("a text of {} bytes: give at most {MAX_QUERY}", text.len())));
    }
    Ok(())
}

pub(crate) fn nearest(query: &Nearest) -> Result<()> {
    limit_to(query.limit, MAX_NEIGHBOURS)?;
    radius(query.radius, MAX_RADIUS)
}

pub(crate) fn nearest_outcodes(query: &NearestOutcodes) -> Result<()> {
    limit(query.limit)?;
    radius(query.radius, MAX_RADIUS)
}

pub(crate) fn radius(radius: f64, farthest: f64) -> Result<()> {
    if !(0.0..=farthest).contains(&radius) {
        return Err(Error::invalid(format!("a radius of {radius} m: give 0 to {farthest}")));
    }
    Ok(())
}
