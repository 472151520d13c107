//! The overseas territories and Crown dependencies, and the separate postal codes that some have.

use super::{Outcode, Postcode, PostcodeArea, Text};

/// A British overseas territory or Crown dependency that has postal codes.
///
/// ```
/// use postcode_core::Territory;
///
/// assert_eq!(Territory::Jersey.name(), "Jersey");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Territory {
    /// Codes `AI-2640`.
    Anguilla,
    /// `ASCN 1ZZ`.
    AscensionIsland,
    /// Codes such as `HM 12` (streets) and `HM GX` (PO boxes).
    Bermuda,
    /// `BIQQ 1ZZ`.
    BritishAntarcticTerritory,
    /// `BBND 1ZZ`.
    BritishIndianOceanTerritory,
    /// Codes `VG1110` to `VG1160`.
    BritishVirginIslands,
    /// Codes such as `KY1-1001`.
    CaymanIslands,
    /// `FIQQ 1ZZ`.
    FalklandIslands,
    /// `GX11 1AA`.
    Gibraltar,
    /// Ordinary postcodes in the area `GY`.
    Guernsey,
    /// Ordinary postcodes in the area `IM`.
    IsleOfMan,
    /// Ordinary postcodes in the area `JE`.
    Jersey,
    /// Codes `MSR 1110` to `MSR 1350`.
    Montserrat,
    /// `PCRN 1ZZ`.
    PitcairnIslands,
    /// `STHL 1ZZ`.
    SaintHelena,
    /// `SIQQ 1ZZ`.
    SouthGeorgia,
    /// `TDCU 1ZZ`.
    TristanDaCunha,
    /// `TKCA 1ZZ`.
    TurksAndCaicosIslands,
}

impl Territory {
    /// Returns the English name.
    ///
    /// ```
    /// use postcode_core::Territory;
    ///
    /// assert_eq!(Territory::Gibraltar.name(), "Gibraltar");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Anguilla => "Anguilla",
            Self::AscensionIsland => "Ascension Island",
            Self::Bermuda => "Bermuda",
            Self::BritishAntarcticTerritory => "British Antarctic Territory",
            Self::BritishIndianOceanTerritory => "British Indian Ocean Territory",
            Self::BritishVirginIslands => "British Virgin Islands",
            Self::CaymanIslands => "Cayman Islands",
            Self::FalklandIslands => "Falkland Islands",
            Self::Gibraltar => "Gibraltar",
            Self::Guernsey => "Guernsey",
            Self::IsleOfMan => "Isle of Man",
            Self::Jersey => "Jersey",
            Self::Montserrat => "Montserrat",
            Self::PitcairnIslands => "Pitcairn Islands",
            Self::SaintHelena => "Saint Helena",
            Self::SouthGeorgia => "South Georgia and the South Sandwich Islands",
            Self::TristanDaCunha => "Tristan da Cunha",
            Self::TurksAndCaicosIslands => "Turks and Caicos Islands",
        }
    }

    /// Returns whether it is a Crown dependency: Guernsey, Jersey or the Isle of Man.
    ///
    /// ```
    /// use postcode_core::Territory;
    ///
    /// assert!(Territory::Jersey.is_crown_dependency());
    /// assert!(!Territory::Gibraltar.is_crown_dependency());
    /// ```
    pub fn is_crown_dependency(self) -> bool {
        matches!(self, Self::Guernsey | Self::IsleOfMan | Self::Jersey)
    }
}

impl std::fmt::Display for Territory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl Outcode {
    /// Returns the territory that uses this outcode like a UK postcode: the Crown dependencies'
    /// areas `GY`, `IM` and `JE`, and Gibraltar's `GX11`. `None` for outcodes of the United
    /// Kingdom.
    ///
    /// ```
    /// use postcode_core::{Outcode, Territory};
    ///
    /// assert_eq!("JE2".parse::<Outcode>()?.territory(), Some(Territory::Jersey));
    /// assert_eq!("SW1A".parse::<Outcode>()?.territory(), None);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn territory(self) -> Option<Territory> {
        match self.area().as_str() {
            "GY" => Some(Territory::Guernsey),
            "IM" => Some(Territory::IsleOfMan),
            "JE" => Some(Territory::Jersey),
            _ if self.text() == "GX11" => Some(Territory::Gibraltar),
            _ => None,
        }
    }
}

/// The code of an overseas territory with separate codes, which are not UK postcodes.
///
/// ```
/// use postcode_core::{Territory, TerritoryCode};
///
/// let code: TerritoryCode = "fiqq1zz".parse()?;
/// assert_eq!(code.to_string(), "FIQQ 1ZZ");
/// assert_eq!(code.territory(), Territory::FalklandIslands);
/// assert_eq!("ai2640".parse::<TerritoryCode>()?.to_string(), "AI-2640");
/// assert_eq!("KY1 1001".parse::<TerritoryCode>()?.to_string(), "KY1-1001");
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerritoryCode {
    text: Text<8>,
    territory: Territory,
}

/// The codes that stand for a whole territory, in the format `AAAA 9AA`.
const SINGLE: [(&[u8; 4], Territory); 9] = [
    (b"ASCN", Territory::AscensionIsland),
    (b"BBND", Territory::BritishIndianOceanTerritory),
    (b"BIQQ", Territory::BritishAntarcticTerritory),
    (b"FIQQ", Territory::FalklandIslands),
    (b"PCRN", Territory::PitcairnIslands),
    (b"SIQQ", Territory::SouthGeorgia),
    (b"STHL", Territory::SaintHelena),
    (b"TDCU", Territory::TristanDaCunha),
    (b"TKCA", Territory::TurksAndCaicosIslands),
];

/// The Bermuda Post Office's sub-post offices.
const BERMUDA: [&[u8; 2]; 14] =
    [b"CR", b"DD", b"DV", b"FL", b"GE", b"HA", b"HM", b"HS", b"MA", b"PG", b"SB", b"SN", b"TR", b"WK"];

impl TerritoryCode {
    /// Returns the code as it is usually written.
    ///
    /// ```
    /// use postcode_core::TerritoryCode;
    ///
    /// let code: TerritoryCode = "fiqq1zz".parse()?;
    /// assert_eq!(code.text(), "FIQQ 1ZZ");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(self) -> Text<8> {
        self.text
    }

    /// Returns the territory of the code.
    ///
    /// ```
    /// use postcode_core::{Territory, TerritoryCode};
    ///
    /// let code: TerritoryCode = "KY1-1001".parse()?;
    /// assert_eq!(code.territory(), Territory::CaymanIslands);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn territory(self) -> Territory {
        self.territory
    }

    fn new(parts: &[&[u8]], territory: Territory) -> Self {
        let mut text = Text::new();
        parts.iter().for_each(|part| text.push(part));
        Self { text, territory }
    }

    /// Converts Gibraltar's only code, which has the format of a postcode.
    pub(super) fn of_postcode(postcode: Postcode) -> Option<Self> {
        let text = postcode.spaced();
        (text == "GX11 1AA").then_some(Self { text, territory: Territory::Gibraltar })
    }

    /// Parses letters and digits in capitals, with the position of the gap between the halves if
    /// there is one.
    pub(super) fn of(s: &[u8], gap: Option<usize>) -> Option<Self> {
        let fits = |at: usize| gap.is_none_or(|gap| gap == at);
        match s {
            [head @ .., b'1', b'Z', b'Z'] if fits(4) => {
                let (_, territory) = SINGLE.iter().find(|(code, _)| code.as_slice() == head)?;
                Some(Self::new(&[head, b" 1ZZ"], *territory))
            }
            b"AI2640" if fits(2) => Some(Self::new(&[b"AI-2640"], Territory::Anguilla)),
            [b'K', b'Y', b'1'..=b'9', box_code @ ..]
                if box_code.len() == 4 && digits(box_code) && fits(3) =>
            {
                Some(Self::new(&[&s[..3], b"-", box_code], Territory::CaymanIslands))
            }
            [b'V', b'G', b'1', b'1', tens @ ..]
                if tens.len() == 2 && (b"10"..=b"60").contains(&&[tens[0], tens[1]]) =>
            {
                (digits(tens) && fits(2)).then(|| Self::new(&[s], Territory::BritishVirginIslands))
            }
            [b'M', b'S', b'R', number @ ..] if number.len() == 4 && digits(number) && fits(3) => {
                (b"1110".as_slice()..=b"1350")
                    .contains(&number)
                    .then(|| Self::new(&[b"MSR ", number], Territory::Montserrat))
            }
            [a, b, c, d] if gap == Some(2) && BERMUDA.contains(&&[*a, *b]) => {
                let street = digits(&[*c, *d]) && (*c == b'0' || PostcodeArea::of(&[*a, *b]).is_none());
                let box_section = c.is_ascii_uppercase() && *d == b'X';
                (street || box_section).then(|| Self::new(&[&[*a, *b], b" ", &[*c, *d]], Territory::Bermuda))
            }
            _ => None,
        }
    }
}

fn digits(s: &[u8]) -> bool {
    s.iter().all(u8::is_ascii_digit)
}
