//! Rules for comparing texts, shared by the dataset, the client and the conformance suite.

#[cfg(any(feature = "conformance", feature = "dataset"))]
pub(crate) mod place_name;
pub(crate) mod prefix;
