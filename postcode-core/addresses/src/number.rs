//! Numbers by which addresses are found.

use std::fmt;
use std::str::FromStr;

use postcode_core::Error;
use serde::{Deserialize, Serialize};

use crate::Address;

/// A number by which an address is found.
///
/// [`kind`](Self::kind) and [`number`](Self::number) are its two parts, which [`parse`](Self::parse) reads:
///
/// ```
/// use postcode_addresses::AddressNumber;
///
/// let number: AddressNumber = "udprn:12345678".parse()?;
/// assert_eq!(number, AddressNumber::Udprn(12_345_678));
/// assert_eq!(number.to_string(), "udprn:12345678");
/// assert_eq!((number.kind(), number.number()), ("udprn", 12_345_678));
/// assert_eq!(AddressNumber::parse("uprn", "0042")?, AddressNumber::Uprn(42));
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AddressNumber {
    /// Royal Mail's number of the delivery point.
    Udprn(u32),
    /// Royal Mail's number of a household of a Multiple Residence.
    Umprn(u32),
    /// The Unique Property Reference Number.
    Uprn(u64),
}

impl AddressNumber {
    /// Returns the kind: `udprn`, `umprn` or `uprn`.
    ///
    /// ```
    /// use postcode_addresses::AddressNumber;
    ///
    /// assert_eq!(AddressNumber::Uprn(100_023_336_956).kind(), "uprn");
    /// ```
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Udprn(_) => "udprn",
            Self::Umprn(_) => "umprn",
            Self::Uprn(_) => "uprn",
        }
    }

    /// Returns the number without its kind.
    ///
    /// ```
    /// use postcode_addresses::AddressNumber;
    ///
    /// assert_eq!(AddressNumber::Udprn(12_345_678).number(), 12_345_678);
    /// ```
    #[must_use]
    pub fn number(&self) -> u64 {
        match *self {
            Self::Udprn(number) | Self::Umprn(number) => u64::from(number),
            Self::Uprn(number) => number,
        }
    }

    /// Reads a number of a kind. Leading zeros are allowed.
    ///
    /// ```
    /// use postcode_addresses::AddressNumber;
    ///
    /// assert_eq!(AddressNumber::parse("UDPRN", "00001007")?, AddressNumber::Udprn(1_007));
    /// assert!(AddressNumber::parse("udprn", "123456789").is_err()); // more than eight digits
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](postcode_core::ErrorKind::InvalidInput) for an unknown kind, or if it is not a number of at most
    /// eight digits, twelve for a UPRN.
    pub fn parse(kind: &str, number: &str) -> Result<Self, Error> {
        let digits = |most: usize| {
            let digits = number.trim();
            let valid =
                (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            let parsed = if valid { digits.parse::<u64>().ok() } else { None };
            parsed.ok_or_else(|| {
                let shown: String = number.chars().take(40).collect();
                Error::invalid(format!("{kind}: {shown:?} is not a number of 1 to {most} digits"))
            })
        };
        // Eight digits fit.
        match kind.to_ascii_lowercase().as_str() {
            "udprn" => Ok(Self::Udprn(digits(8)? as u32)),
            "umprn" => Ok(Self::Umprn(digits(8)? as u32)),
            "uprn" => Ok(Self::Uprn(digits(12)?)),
            _ => {
                let shown: String = kind.chars().take(40).collect();
                Err(Error::invalid(format!("{shown:?}: not a kind of number: give udprn, umprn or uprn")))
            }
        }
    }

    /// Returns whether an address is the one of this number. A household of a Multiple Residence has the UDPRN and the UPRN
    /// of its parent, and only its own UMPRN finds it.
    ///
    /// ```
    /// use postcode_addresses::{Address, AddressNumber};
    ///
    /// let address = Address { udprn: Some(1_007), ..Address::default() };
    /// assert!(AddressNumber::Udprn(1_007).is_of(&address));
    /// assert!(!AddressNumber::Uprn(1_007).is_of(&address));
    /// ```
    #[must_use]
    pub fn is_of(&self, address: &Address) -> bool {
        match *self {
            Self::Umprn(number) => address.umprn == Some(number),
            Self::Udprn(number) => address.udprn == Some(number) && address.umprn.is_none(),
            Self::Uprn(number) => address.uprn == Some(number) && address.umprn.is_none(),
        }
    }
}

impl fmt::Display for AddressNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.number())
    }
}

impl FromStr for AddressNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once(':') {
            Some((kind, number)) => Self::parse(kind.trim(), number),
            None => {
                let shown: String = text.chars().take(40).collect();
                Err(Error::invalid(format!("{shown:?}: give a kind and a number, such as udprn:12345678")))
            }
        }
    }
}

impl TryFrom<String> for AddressNumber {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<AddressNumber> for String {
    fn from(number: AddressNumber) -> Self {
        number.to_string()
    }
}
