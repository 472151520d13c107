//! A promotion that walks by itself: the steps, the walk, and the certificate that it leaves.

mod certificate;
mod plan;
mod run;

pub use certificate::{
    Cause, Certificate, CertifiedFile, CertifiedSide, Cost, Differences, Move, Outcome, Walked,
};
pub use plan::{Criterion, Decision, Otherwise, Walk, WalkStep};
pub use run::{Used, walk};
