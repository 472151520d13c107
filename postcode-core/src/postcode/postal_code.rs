//! Parses any postal code: a postcode, a part of one, or a code of another kind.

use super::{Bfpo, Outcode, Postcode, PostcodeArea, Sector, Territory, TerritoryCode, Text};

/// Any postal code of the United Kingdom, the Crown dependencies and the overseas territories,
/// whole or in part.
///
/// An ambiguous text is read as the likelier code: `SW11` is the outcode, `SW1 1` the sector. `GX11
/// 1AA` has the format of a postcode but is Gibraltar's code. `HM 12` is Bermuda's if the letters
/// are not a postcode area or the number begins with 0, and only with its space.
///
/// ```
/// use postcode_core::{PostalCode, Territory};
///
/// assert!(matches!("SW1A 1AA".parse()?, PostalCode::Postcode(_)));
/// assert!(matches!("SW1A".parse()?, PostalCode::Outcode(_)));
/// assert!(matches!("SW1A 1".parse()?, PostalCode::Sector(_)));
/// assert!(matches!("SW".parse()?, PostalCode::Area(_)));
/// assert!(matches!("BFPO 801".parse()?, PostalCode::Bfpo(bfpo) if bfpo.number() == 801));
/// let PostalCode::Territory(code) = "FIQQ 1ZZ".parse()? else { panic!() };
/// assert_eq!(code.territory().name(), "Falkland Islands");
/// assert_eq!("GX11 1AA".parse::<PostalCode>()?.territory(), Some(Territory::Gibraltar));
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PostalCode {
    /// A whole postcode, `SW1A 1AA`.
    Postcode(Postcode),
    /// The first half, `SW1A`.
    Outcode(Outcode),
    /// The first half and a digit, `SW1A 1`.
    Sector(Sector),
    /// The first letters, `SW`.
    Area(PostcodeArea),
    /// A British Forces Post Office number, `BFPO 801`.
    Bfpo(Bfpo),
    /// An overseas territory's code, `FIQQ 1ZZ`.
    Territory(TerritoryCode),
}

impl PostalCode {
    /// Returns the usual form.
    ///
    /// ```
    /// use postcode_core::PostalCode;
    ///
    /// assert_eq!("sw1a1aa".parse::<PostalCode>()?.text(), "SW1A 1AA");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(self) -> Text<9> {
        let mut text = Text::new();
        match self {
            Self::Postcode(postcode) => text.push(postcode.spaced().as_bytes()),
            Self::Outcode(outcode) => text.push(outcode.text().as_bytes()),
            Self::Sector(sector) => text.push(sector.text().as_bytes()),
            Self::Area(area) => text.push(area.code().as_bytes()),
            Self::Bfpo(bfpo) => text = bfpo.text(),
            Self::Territory(code) => text.push(code.text().as_bytes()),
        }
        text
    }

    /// Returns the kind with its article, for use in a sentence: `an outcode`, `the code of
    /// Anguilla`…
    ///
    /// ```
    /// use postcode_core::PostalCode;
    ///
    /// assert_eq!("SW1A".parse::<PostalCode>()?.kind(), "an outcode");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kind(self) -> &'static str {
        match self {
            Self::Postcode(_) => "a whole postcode",
            Self::Outcode(_) => "an outcode",
            Self::Sector(_) => "a sector",
            Self::Area(_) => "a postcode area",
            Self::Bfpo(_) => "a British Forces Post Office number",
            Self::Territory(_) => "an overseas territory's own code",
        }
    }

    /// Returns the name of the kind, for programs: `postcode`, `outcode`, `sector`, `area`, `bfpo` or
    /// `territory`.
    ///
    /// ```
    /// use postcode_core::PostalCode;
    ///
    /// assert_eq!("SW1A 1".parse::<PostalCode>()?.kind_name(), "sector");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kind_name(self) -> &'static str {
        match self {
            Self::Postcode(_) => "postcode",
            Self::Outcode(_) => "outcode",
            Self::Sector(_) => "sector",
            Self::Area(_) => "area",
            Self::Bfpo(_) => "bfpo",
            Self::Territory(_) => "territory",
        }
    }

    /// Returns the overseas territory or Crown dependency to which the code belongs, or `None` for
    /// codes of the United Kingdom.
    ///
    /// ```
    /// use postcode_core::PostalCode;
    ///
    /// assert_eq!("SW1A 1AA".parse::<PostalCode>()?.territory(), None);
    /// assert!("JE2 3AB".parse::<PostalCode>()?.territory().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn territory(self) -> Option<Territory> {
        match self {
            Self::Postcode(postcode) => postcode.outcode().territory(),
            Self::Outcode(outcode) => outcode.territory(),
            Self::Sector(sector) => sector.outcode().territory(),
            Self::Area(area) => match area.code() {
                "GX" => Some(Territory::Gibraltar),
                "GY" => Some(Territory::Guernsey),
                "IM" => Some(Territory::IsleOfMan),
                "JE" => Some(Territory::Jersey),
                _ => None,
            },
            Self::Bfpo(_) => None,
            Self::Territory(code) => Some(code.territory()),
        }
    }

    /// Returns the postcode, if it is a whole one.
    ///
    /// ```
    /// use postcode_core::PostalCode;
    ///
    /// assert!("SW1A 1AA".parse::<PostalCode>()?.postcode().is_some());
    /// assert_eq!("SW1A".parse::<PostalCode>()?.postcode(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn postcode(self) -> Option<Postcode> {
        match self {
            Self::Postcode(postcode) => Some(postcode),
            _ => None,
        }
    }
}

impl From<Postcode> for PostalCode {
    /// Converts Gibraltar's `GX11 1AA` to [`PostalCode::Territory`], as parsing does.
    fn from(postcode: Postcode) -> Self {
        TerritoryCode::of_postcode(postcode).map_or(Self::Postcode(postcode), Self::Territory)
    }
}

macro_rules! from {
    ($($variant:ident($type:ty)),*) => {$(
        impl From<$type> for PostalCode {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}

from!(Outcode(Outcode), Sector(Sector), Area(PostcodeArea), Bfpo(Bfpo), Territory(TerritoryCode));
