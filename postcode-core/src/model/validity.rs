//! The result of validating a text.

use crate::{Answer, ParseError, Postcode};

/// Whether a text is a postcode, and whether it is in use.
///
/// Returned by [`validate_all`](crate::PostcodeLookupExt::validate_all), and made from an answer by [`of`](Self::of).
/// [`is_live`](Self::is_live), [`status`](Self::status) and [`postcode`](Self::postcode) read it:
///
/// ```
/// use postcode_core::{Answer, Validity};
///
/// let validity = Validity::of("SW1A 9ZZ".parse()?, &Answer::Unknown);
/// assert!(!validity.is_live());
/// assert_eq!(validity.status(), "unknown");
/// assert_eq!(validity.postcode().map(|postcode| postcode.to_string()).as_deref(), Some("SW1A 9ZZ"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Validity {
    /// In use.
    Live(Postcode),
    /// No longer in use.
    Terminated(Postcode),
    /// Well formed and in an area that the dataset covers, but not in the dataset.
    Unknown(Postcode),
    /// Well formed, in an area that the dataset leaves out.
    NotCovered(Postcode),
    /// Not a postcode, with the reason.
    Invalid(ParseError),
}

impl Validity {
    /// Creates the result for a postcode that was looked up.
    ///
    /// ```
    /// use postcode_core::{Answer, Postcode, Validity};
    ///
    /// let postcode: Postcode = "BT1 5GS".parse()?;
    /// assert_eq!(Validity::of(postcode, &Answer::NotCovered), Validity::NotCovered(postcode));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn of(postcode: Postcode, answer: &Answer) -> Self {
        match answer {
            Answer::Live(_) => Self::Live(postcode),
            Answer::Terminated(_) => Self::Terminated(postcode),
            Answer::Unknown => Self::Unknown(postcode),
            Answer::NotCovered => Self::NotCovered(postcode),
        }
    }

    /// Returns whether it is a postcode in use, which postcodes.io calls valid.
    ///
    /// ```
    /// use postcode_core::Validity;
    ///
    /// assert!(Validity::Live("SW1A 1AA".parse()?).is_live());
    /// assert!(!Validity::Terminated("AB1 0AA".parse()?).is_live());
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Returns the postcode, if it is one.
    ///
    /// ```
    /// use postcode_core::{Postcode, Validity};
    ///
    /// let postcode: Postcode = "AB1 0AA".parse()?;
    /// assert_eq!(Validity::Terminated(postcode).postcode(), Some(postcode));
    /// let invalid = Validity::Invalid("SWIA 1AA".parse::<Postcode>().unwrap_err());
    /// assert_eq!(invalid.postcode(), None);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn postcode(&self) -> Option<Postcode> {
        match self {
            Self::Live(postcode)
            | Self::Terminated(postcode)
            | Self::Unknown(postcode)
            | Self::NotCovered(postcode) => Some(*postcode),
            Self::Invalid(_) => None,
        }
    }

    /// Returns the stable name in the command line and the HTTP API: that of the
    /// [answer](Answer::status), or `invalid`.
    ///
    /// ```
    /// use postcode_core::{Postcode, Validity};
    ///
    /// assert_eq!(Validity::Terminated("AB1 0AA".parse()?).status(), "terminated");
    /// let invalid = Validity::Invalid("SWIA 1AA".parse::<Postcode>().unwrap_err());
    /// assert_eq!(invalid.status(), "invalid");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
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
