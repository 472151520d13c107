//! Approximate positions of outcodes.

use crate::dataset::Dataset;
use crate::{Approximate, Outcode};

impl Dataset {
    /// Where the postcodes of an outcode are, about, that have no location of their own; from another source than the rest
    /// ([`Approximate::source`]). `None` where the data has none, or all its postcodes have one.
    pub fn approximate(&self, outcode: Outcode) -> Option<Approximate> {
        self.inner().positions.of(self.as_bytes(), outcode)
    }
}
