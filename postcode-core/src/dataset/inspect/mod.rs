//! What a file says about itself, and whether it can be trusted.

pub(crate) mod demands;
pub(crate) mod summary;
pub(crate) mod verify;
