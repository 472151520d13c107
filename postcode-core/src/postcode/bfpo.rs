//! British Forces Post Office numbers.

use std::num::NonZeroU16;

use super::Text;

/// A British Forces Post Office number, such as `BFPO 801`: an address in itself, used instead of a
/// postcode.
///
/// Since 2012 each also has an ordinary postcode in the area BF, such as `BF1 3AA`; this crate does
/// not know which. Numbers are 1 to 9999 (the format of Unicode CLDR's postal code data: up to four
/// digits).
///
/// [`number`](Self::number) and [`text`](Self::text) read it:
///
/// ```
/// use postcode_core::{Bfpo, PostalCode};
///
/// let bfpo: Bfpo = "bfpo801".parse()?;
/// assert_eq!(bfpo.number(), 801);
/// assert_eq!(bfpo.text(), "BFPO 801");
/// assert_eq!(bfpo.to_string(), "BFPO 801");
/// assert_eq!("BFPO 801".parse::<PostalCode>()?, PostalCode::Bfpo(bfpo));
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bfpo(NonZeroU16);

impl Bfpo {
    /// Returns the number, 1 to 9999.
    ///
    /// ```
    /// use postcode_core::Bfpo;
    ///
    /// assert_eq!("BFPO 57".parse::<Bfpo>()?.number(), 57);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn number(self) -> u16 {
        self.0.get()
    }

    /// Parses the digits after `BFPO`.
    pub(super) fn of_digits(digits: &[u8]) -> Option<Self> {
        if digits.is_empty() || digits.len() > 4 || digits[0] == b'0' {
            return None;
        }
        let number = digits
            .iter()
            .try_fold(0, |number: u16, c| c.is_ascii_digit().then(|| number * 10 + u16::from(c - b'0')))?;
        NonZeroU16::new(number).map(Self)
    }

    /// Returns the usual form, such as `BFPO 801`.
    ///
    /// ```
    /// use postcode_core::Bfpo;
    ///
    /// assert_eq!("bfpo57".parse::<Bfpo>()?.text(), "BFPO 57");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn text(self) -> Text<9> {
        let mut text = Text::new();
        text.push(b"BFPO ");
        let mut divisor = 1000;
        while divisor > 0 {
            if self.number() >= divisor {
                text.push(&[b'0' + (self.number() / divisor % 10) as u8]);
            }
            divisor /= 10;
        }
        text
    }
}
