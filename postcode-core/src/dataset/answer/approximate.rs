//! Approximate positions of outcodes.

use crate::dataset::Dataset;
use crate::{Approximate, Outcode};

impl Dataset {
    /// Returns the approximate position of an outcode's postcodes that have no exact one. It comes
    /// from a different source than the rest ([`Approximate::source`]). `None` if the data has no
    /// such position, or all postcodes of the outcode have an exact one.
    pub fn approximate(&self, outcode: Outcode) -> Option<Approximate> {
        self.inner().positions.of(self.as_bytes(), outcode)
    }
}
