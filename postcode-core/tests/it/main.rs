//! The integration tests of postcode-core, in one binary, so that its dependencies are linked once.

mod embedded_country;
mod fuzz_corpora;
mod postcode_cases;
mod postcode_country;
mod postcode_errors;
mod postcode_properties;
mod remote;
