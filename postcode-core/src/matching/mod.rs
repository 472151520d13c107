//! How texts are compared: the rules that the dataset, the client and the conformance suite share.

#[cfg(any(feature = "conformance", feature = "dataset"))]
pub(crate) mod place_name;
pub(crate) mod prefix;
