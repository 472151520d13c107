//! What a text is that may be a postcode.

use crate::{Answer, ParseError, Postcode};

/// Whether a text is a postcode, and if so whether it is in use.
#[derive(Clone, Debug, PartialEq)]
pub enum Validity {
    /// In use.
    Live(Postcode),
    /// Once in use.
    Terminated(Postcode),
    /// Well formed, and the dataset, which covers its area, has it not.
    Unknown(Postcode),
    /// Well formed, of an area that the dataset leaves out.
    NotCovered(Postcode),
    /// No postcode, and why.
    Invalid(ParseError),
}

impl Validity {
    /// Of a postcode that was looked up.
    pub fn of(postcode: Postcode, answer: &Answer) -> Self {
        match answer {
            Answer::Live(_) => Self::Live(postcode),
            Answer::Terminated(_) => Self::Terminated(postcode),
            Answer::Unknown => Self::Unknown(postcode),
            Answer::NotCovered => Self::NotCovered(postcode),
        }
    }

    /// Whether it is a postcode in use: what postcodes.io calls valid.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// The postcode, if it is one.
    pub fn postcode(&self) -> Option<Postcode> {
        match self {
            Self::Live(postcode)
            | Self::Terminated(postcode)
            | Self::Unknown(postcode)
            | Self::NotCovered(postcode) => Some(*postcode),
            Self::Invalid(_) => None,
        }
    }

    /// Its stable name in the command line and the HTTP API: that of the [answer](Answer::status), or `invalid`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Live(_) => "live",
            Self::Terminated(_) => "terminated",
            Self::Unknown(_) => "unknown",
            Self::NotCovered(_) => "not_covered",
            Self::Invalid(_) => "invalid",
        }
    }
}
