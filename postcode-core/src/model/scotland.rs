//! What the Scottish Postcode Directory adds.

use serde::{Deserialize, Serialize};

use crate::Postcode;

/// A live postcode of the Scottish Postcode Directory (National Records of Scotland). Its JSON is that of postcodes.io.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScottishPostcode {
    /// The postcode.
    pub postcode: Postcode,
    /// The name of the constituency of the Scottish Parliament.
    pub scottish_parliamentary_constituency: Option<String>,
    /// Codes of what has names above.
    pub codes: ScottishCodes,
}

/// The codes of a [`ScottishPostcode`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScottishCodes {
    /// `S16…`.
    pub scottish_parliamentary_constituency: Option<String>,
}

impl ScottishPostcode {
    /// With the name and the code of its constituency.
    pub fn new(postcode: Postcode, name: Option<String>, code: Option<String>) -> Self {
        Self {
            postcode,
            scottish_parliamentary_constituency: name,
            codes: ScottishCodes { scottish_parliamentary_constituency: code },
        }
    }
}
