//! Summaries and verification of dataset files.

pub(crate) mod demands;
pub(crate) mod summary;
pub(crate) mod verify;
