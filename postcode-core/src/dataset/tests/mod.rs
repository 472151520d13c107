//! Tests that need more than one part of the dataset.

mod behaviour;
mod damage;
mod differential;
mod national;
mod oracle;
#[cfg(feature = "embedded")]
mod packed;
mod places;
mod recorded;
mod shared;
