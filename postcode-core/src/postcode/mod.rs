//! Postcodes as values: [`Postcode`] and its parts.
//!
//! A postcode such as `SW1A 1AA` has these parts:
//!
//! | part | here | |
//! |---|---|---|
//! | outcode | `SW1A` | [`Outcode`], the outward code |
//! | area | `SW` | its one or two letters |
//! | district | `SW1` | the outcode without a final letter |
//! | sub-district | `SW1A` | the outcode, if it ends in a letter |
//! | incode | `1AA` | [`Postcode::incode`] |
//! | sector | `SW1A 1` | [`Sector`] |
//! | unit | `AA` | about fifteen addresses |
//!
//! The terms are those of Royal Mail's Programmer's Guide to the Postcode Address File (PAF).

mod area;
mod bfpo;
mod by_text;
mod error;
mod explain;
mod grammar;
mod inline;
mod packed;
mod postal_code;
mod repair;
mod rules;
mod territory;
pub mod text;
mod typed;
mod usual;

use std::num::NonZeroU32;

pub use area::PostcodeArea;
#[cfg(feature = "lookup")]
pub(crate) use area::UNLISTED;
pub use bfpo::Bfpo;
pub use error::{ParseError, ParseReason};
pub use inline::Text;
pub use postal_code::PostalCode;
pub use repair::{Change, Repaired};
pub use territory::{Territory, TerritoryCode};

#[cfg(feature = "dataset")]
pub(crate) use packed::{OUTCODES, PER_OUTCODE, UNITS, incodes_beginning, outcodes_beginning};

/// A whole UK postcode: four bytes, `Copy`, and ordered as postcodes sort.
///
/// It is well formed, which does not mean that it is in use. A
/// [`PostcodeLookup`](crate::PostcodeLookup) knows whether it is.
///
/// ```
/// use postcode_core::Postcode;
///
/// let postcode: Postcode = " sw1a1aa ".parse()?;
/// assert_eq!(postcode.to_string(), "SW1A 1AA");
/// assert_eq!(postcode.outcode().to_string(), "SW1A");
/// assert_eq!(postcode.sector().to_string(), "SW1A 1");
/// assert_eq!(std::mem::size_of::<Option<Postcode>>(), 4);
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Postcode(NonZeroU32);

/// The first half of a postcode, `SW1A` in `SW1A 1AA`: a postal district.
///
/// ```
/// use postcode_core::Outcode;
///
/// let outcode: Outcode = "sw1a".parse()?;
/// assert_eq!(outcode.area(), "SW");
/// assert_eq!(outcode.district(), "SW1");
/// assert_eq!(outcode.sub_district().as_deref(), Some("SW1A"));
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcode(NonZeroU32);

/// An outcode and the digit after it, `SW1A 1` in `SW1A 1AA`: about three thousand addresses.
///
/// Without the space it may look like an outcode. As a `Sector`, `SW11` is `SW1 1`.
///
/// ```
/// use postcode_core::Sector;
///
/// let sector: Sector = "sw1a 1".parse()?;
/// assert_eq!(sector.outcode().to_string(), "SW1A");
/// assert_eq!(sector.digit(), 1);
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sector(NonZeroU32);

impl From<Postcode> for Outcode {
    fn from(postcode: Postcode) -> Self {
        postcode.outcode()
    }
}

impl From<Postcode> for Sector {
    fn from(postcode: Postcode) -> Self {
        postcode.sector()
    }
}

impl From<Sector> for Outcode {
    fn from(sector: Sector) -> Self {
        sector.outcode()
    }
}

impl Postcode {
    /// Creates a postcode from its parts in capitals, or returns `None` if they don't form one.
    pub(crate) fn from_parts(outcode: &[u8], digit: u8, unit: [u8; 2]) -> Option<Self> {
        let outcode = packed::encode_outcode(outcode)?;
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        let unit = packed::encode_unit(unit[0], unit[1])?;
        Self::from_code(outcode * packed::PER_OUTCODE + digit * packed::UNITS + unit)
    }

    /// Creates a postcode from the number that [`Self::code`] returns.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        (code < packed::OUTCODES * packed::PER_OUTCODE).then(|| NonZeroU32::new(code + 1).map(Self)).flatten()
    }

    /// Returns the position among all possible postcodes, in order (see `docs/FORMAT.md`).
    pub(crate) fn code(self) -> u32 {
        self.0.get() - 1
    }

    /// Returns the outcode: `SW1A` for `SW1A 1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.outcode().to_string(), "SW1A");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn outcode(self) -> Outcode {
        Outcode(NonZeroU32::MIN.saturating_add(self.code() / packed::PER_OUTCODE))
    }

    /// Returns the incode: `1AA` for `SW1A 1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.incode(), "1AA");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn incode(self) -> Text<3> {
        let mut text = Text::new();
        text.push(&self.incode_bytes());
        text
    }

    fn incode_bytes(self) -> [u8; 3] {
        let [a, b] = packed::decode_unit(self.code() % packed::UNITS);
        [b'0' + (self.code() / packed::UNITS % 10) as u8, a, b]
    }

    /// Returns the sector: `SW1A 1` for `SW1A 1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.sector().to_string(), "SW1A 1");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn sector(self) -> Sector {
        Sector(NonZeroU32::MIN.saturating_add(self.code() / packed::UNITS))
    }

    /// Returns the unit: `AA` for `SW1A 1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.unit(), "AA");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn unit(self) -> Text<2> {
        let mut text = Text::new();
        text.push(&packed::decode_unit(self.code() % packed::UNITS));
        text
    }

    /// Returns the letters of the area: `SW` for `SW1A 1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.area(), "SW");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn area(self) -> Text<2> {
        self.outcode().area()
    }

    /// Returns the district: `SW1` for `SW1A 1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.district(), "SW1");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn district(self) -> Text<4> {
        self.outcode().district()
    }

    /// Returns the sub-district: `SW1A` for `SW1A 1AA`. `None` if the outcode does not end in a
    /// letter, as in `M1 1AE`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.sub_district().as_deref(), Some("SW1A"));
    /// assert!("M1 1AD".parse::<Postcode>()?.sub_district().is_none());
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn sub_district(self) -> Option<Text<4>> {
        self.outcode().sub_district()
    }

    /// Returns the usual form with one space: `SW1A 1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "sw1a1aa".parse()?;
    /// assert_eq!(postcode.spaced(), "SW1A 1AA");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn spaced(self) -> Text<8> {
        let mut text = Text::new();
        text.push(self.outcode().text().as_str().as_bytes());
        text.push(b" ");
        text.push(&self.incode_bytes());
        text
    }

    /// Returns the form without a space: `SW1A1AA`.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(postcode.compact(), "SW1A1AA");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn compact(self) -> Text<7> {
        let mut text = Text::new();
        text.push(self.outcode().text().as_str().as_bytes());
        text.push(&self.incode_bytes());
        text
    }
}

impl Outcode {
    /// Creates an outcode from its characters in capitals, or returns `None` if they don't form
    /// one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_code(packed::encode_outcode(bytes)?)
    }

    pub(crate) fn from_code(code: u32) -> Option<Self> {
        (code < packed::OUTCODES).then(|| NonZeroU32::new(code + 1).map(Self)).flatten()
    }

    pub(crate) fn code(self) -> u32 {
        self.0.get() - 1
    }

    /// Returns the characters of the outcode.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// let outcode: Outcode = "sw1a".parse()?;
    /// assert_eq!(outcode.text(), "SW1A");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn text(self) -> Text<4> {
        let (bytes, len) = packed::decode_outcode(self.code());
        Text::of(bytes, len)
    }

    /// Returns whether the postcode begins with this outcode.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// let outcode: Outcode = "SW1A".parse()?;
    /// assert!(outcode.contains("SW1A 1AA".parse()?));
    /// assert!(!outcode.contains("SW1P 1AA".parse()?));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn contains(self, postcode: Postcode) -> bool {
        postcode.outcode() == self
    }

    /// Returns its ten possible sectors, `SW1A 0` to `SW1A 9`.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// let outcode: Outcode = "SW1A".parse()?;
    /// let sectors: Vec<String> = outcode.sectors().map(|sector| sector.to_string()).collect();
    /// assert_eq!((sectors.len(), sectors[9].as_str()), (10, "SW1A 9"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn sectors(self) -> impl Iterator<Item = Sector> {
        (0..10).filter_map(move |digit| Sector::from_code(self.code() * 10 + digit))
    }

    /// Returns the postcode area, if the letters are those of an area in use.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// let outcode: Outcode = "SW1A".parse()?;
    /// let area = outcode.postcode_area();
    /// assert_eq!(area.map(|area| area.name()), Some("South West London"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn postcode_area(self) -> Option<PostcodeArea> {
        PostcodeArea::of(self.area().as_bytes())
    }

    /// Returns the letters of the postcode area: `SW` for `SW1A`.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// let outcode: Outcode = "SW1A".parse()?;
    /// assert_eq!(outcode.area(), "SW");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn area(self) -> Text<2> {
        let text = self.text();
        let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
        let mut area = Text::new();
        // GIR and NPT are the only outcodes of three letters. Their areas were GI and NP.
        area.push(&text.as_bytes()[..letters.min(2)]);
        area
    }

    /// Returns the district, the outcode without a final letter: `SW1` for `SW1A`.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// let outcode: Outcode = "SW1A".parse()?;
    /// assert_eq!(outcode.district(), "SW1");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn district(self) -> Text<4> {
        let mut text = self.text();
        if self.sub_district().is_some() {
            text.pop();
        }
        text
    }

    /// Returns the sub-district: `SW1A` for `SW1A`. `None` if the outcode does not end in a letter.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// let outcode: Outcode = "SW1A".parse()?;
    /// assert_eq!(outcode.sub_district().as_deref(), Some("SW1A"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn sub_district(self) -> Option<Text<4>> {
        let text = self.text();
        let bytes = text.as_bytes();
        let ends_in_letter = bytes.last().is_some_and(u8::is_ascii_alphabetic);
        (ends_in_letter && bytes.iter().any(u8::is_ascii_digit)).then_some(text)
    }
}

impl Sector {
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        (code < packed::OUTCODES * 10).then(|| NonZeroU32::new(code + 1).map(Self)).flatten()
    }

    pub(crate) fn code(self) -> u32 {
        self.0.get() - 1
    }

    /// Returns the outcode: `SW1A` for `SW1A 1`.
    ///
    /// ```
    /// use postcode_core::Sector;
    ///
    /// let sector: Sector = "SW1A 1".parse()?;
    /// assert_eq!(sector.outcode().to_string(), "SW1A");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn outcode(self) -> Outcode {
        Outcode(NonZeroU32::MIN.saturating_add(self.code() / 10))
    }

    /// Returns whether the postcode is in this sector.
    ///
    /// ```
    /// use postcode_core::Sector;
    ///
    /// let sector: Sector = "SW1A 1".parse()?;
    /// assert!(sector.contains("SW1A 1AA".parse()?));
    /// assert!(!sector.contains("SW1A 2AA".parse()?));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn contains(self, postcode: Postcode) -> bool {
        postcode.sector() == self
    }

    /// Returns the digit, 0 to 9: `1` for `SW1A 1`.
    ///
    /// ```
    /// use postcode_core::Sector;
    ///
    /// let sector: Sector = "SW1A 1".parse()?;
    /// assert_eq!(sector.digit(), 1);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn digit(self) -> u8 {
        (self.code() % 10) as u8
    }

    /// Returns the usual form with one space: `SW1A 1`.
    ///
    /// ```
    /// use postcode_core::Sector;
    ///
    /// let sector: Sector = "sw1a1".parse()?;
    /// assert_eq!(sector.text(), "SW1A 1");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn text(self) -> Text<6> {
        let mut text = Text::new();
        text.push(self.outcode().text().as_str().as_bytes());
        text.push(&[b' ', b'0' + self.digit()]);
        text
    }
}

impl PostcodeArea {
    /// Returns whether the outcode is in this area.
    ///
    /// ```
    /// use postcode_core::{Outcode, PostcodeArea};
    ///
    /// let area: PostcodeArea = "SW".parse()?;
    /// assert!(area.contains("SW1A".parse()?));
    /// assert!(!area.contains("SE1".parse()?));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn contains(self, outcode: Outcode) -> bool {
        outcode.postcode_area() == Some(self)
    }
}
