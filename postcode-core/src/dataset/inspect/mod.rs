//! Summaries and verification of dataset files.

pub(crate) mod demands;
mod fields;
pub(crate) mod summary;
pub(crate) mod verify;
