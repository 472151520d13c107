//! The formats of postcodes.

use std::fmt;

/// The format of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Format {
    /// Whatever it is, by its content.
    #[default]
    Auto,
    /// ONS Postcode Directory; also this project's extract of it, whose column `status` says live
    /// or terminated.
    Onspd,
    /// National Statistics Postcode Lookup.
    Nspl,
    /// OS Code-Point Open.
    CodePointOpen,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Onspd => "ONSPD",
            Self::Nspl => "NSPL",
            Self::CodePointOpen => "Code-Point Open",
        })
    }
}
