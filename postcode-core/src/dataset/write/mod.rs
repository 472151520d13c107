//! Writes dataset files.

pub(crate) mod approximate;
pub(crate) mod assemble;
pub(crate) mod builder;
pub(crate) mod dictionary;
pub(crate) mod from_record;
pub(crate) mod optional;
pub(crate) mod parallel;
pub(crate) mod places;
pub(crate) mod publish;
pub(crate) mod row;
pub(crate) mod scotland;
