//! Postcode areas: the first letters of a postcode, and the towns after which they are named.

/// A postcode area in use, such as `SW`: one or two letters.
///
/// There are 121 in the United Kingdom, three in the Crown dependencies (`GY`, `IM`, `JE`), three
/// without a location (`BF`, `BX`, `XX`), and Gibraltar's (`GX`).
///
/// ```
/// use postcode_core::{Postcode, PostcodeArea};
///
/// let area: PostcodeArea = "SW".parse()?;
/// assert_eq!(area.name(), "South West London");
/// assert!(area.contains("SW1A".parse()?));
/// assert_eq!("SW1A 1AA".parse::<Postcode>()?.outcode().postcode_area(), Some(area));
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostcodeArea(u8);

impl PostcodeArea {
    /// Iterates over all areas in use, in order.
    ///
    /// ```
    /// use postcode_core::PostcodeArea;
    ///
    /// assert!(PostcodeArea::all().any(|area| area.code() == "SW"));
    /// ```
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..AREAS.len()).map(|i| Self(i as u8))
    }

    /// Returns the area with these one or two capital letters.
    pub(super) fn of(letters: &[u8]) -> Option<Self> {
        AREAS.binary_search_by_key(&letters, |(code, _)| code.as_bytes()).ok().map(|i| Self(i as u8))
    }

    /// Returns the letters.
    ///
    /// ```
    /// use postcode_core::PostcodeArea;
    ///
    /// assert_eq!("sw".parse::<PostcodeArea>()?.code(), "SW");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn code(self) -> &'static str {
        AREAS[usize::from(self.0)].0
    }

    /// Returns the town or region after which it is named.
    ///
    /// ```
    /// use postcode_core::PostcodeArea;
    ///
    /// assert_eq!("EH".parse::<PostcodeArea>()?.name(), "Edinburgh");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name(self) -> &'static str {
        AREAS[usize::from(self.0)].1
    }

    /// Returns advice about an area whose postcodes are real, but that lists of postcodes such as
    /// ONSPD leave out: `BF`, `BX`, `GX` and `XX`. Returns `None` for all other areas.
    ///
    /// A dataset without postcodes in such an area does not cover it.
    ///
    /// ```
    /// use postcode_core::PostcodeArea;
    ///
    /// let advice = "BF".parse::<PostcodeArea>()?.unlisted_advice();
    /// assert!(advice.is_some_and(|advice| advice.contains("British Forces")));
    /// assert_eq!("SW".parse::<PostcodeArea>()?.unlisted_advice(), None);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn unlisted_advice(self) -> Option<&'static str> {
        UNLISTED.iter().find(|(code, _)| *code == self.code()).map(|(_, advice)| *advice)
    }
}

/// The areas that ONSPD has no row of, in order, with the advice about each.
pub(crate) const UNLISTED: [(&str, &str); 4] = [
    (
        "BF",
        "BF postcodes are those of the British Forces Post Office (BFPO), and no open data lists them. The postcode \
         can be right: check it with the BFPO number at gov.uk/bfpo",
    ),
    (
        "BX",
        "BX postcodes are for the mail of large organisations such as banks and HMRC. They have no location, and no \
         open data lists them. The postcode can be right: compare it with the organisation's letters",
    ),
    (
        "GX",
        "GX is Gibraltar, whose only postcode is GX11 1AA. It is outside the United Kingdom, and UK data does not \
         list it",
    ),
    (
        "XX",
        "XX postcodes are for parcels that are returned to online shops. They have no location, and no open data \
         lists them. The postcode can be right: compare it with the shop's label",
    ),
];

/// Royal Mail's postcode areas with the town or region of each, in order.
#[rustfmt::skip]
const AREAS: [(&str, &str); 128] = [
    ("AB", "Aberdeen"), ("AL", "St Albans"), ("B", "Birmingham"), ("BA", "Bath"), ("BB", "Blackburn"),
    ("BD", "Bradford"), ("BF", "British Forces"), ("BH", "Bournemouth"), ("BL", "Bolton"), ("BN", "Brighton"),
    ("BR", "Bromley"), ("BS", "Bristol"), ("BT", "Northern Ireland"), ("BX", "Non-geographic"), ("CA", "Carlisle"),
    ("CB", "Cambridge"), ("CF", "Cardiff"), ("CH", "Chester"), ("CM", "Chelmsford"), ("CO", "Colchester"),
    ("CR", "Croydon"), ("CT", "Canterbury"), ("CV", "Coventry"), ("CW", "Crewe"), ("DA", "Dartford"),
    ("DD", "Dundee"), ("DE", "Derby"), ("DG", "Dumfries"), ("DH", "Durham"), ("DL", "Darlington"),
    ("DN", "Doncaster"), ("DT", "Dorchester"), ("DY", "Dudley"), ("E", "East London"),
    ("EC", "East Central London"), ("EH", "Edinburgh"), ("EN", "Enfield"), ("EX", "Exeter"), ("FK", "Falkirk"),
    ("FY", "Blackpool"), ("G", "Glasgow"), ("GL", "Gloucester"), ("GU", "Guildford"), ("GX", "Gibraltar"), ("GY", "Guernsey"),
    ("HA", "Harrow"), ("HD", "Huddersfield"), ("HG", "Harrogate"), ("HP", "Hemel Hempstead"), ("HR", "Hereford"),
    ("HS", "Outer Hebrides"), ("HU", "Hull"), ("HX", "Halifax"), ("IG", "Ilford"), ("IM", "Isle of Man"),
    ("IP", "Ipswich"), ("IV", "Inverness"), ("JE", "Jersey"), ("KA", "Kilmarnock"), ("KT", "Kingston upon Thames"),
    ("KW", "Kirkwall"), ("KY", "Kirkcaldy"), ("L", "Liverpool"), ("LA", "Lancaster"), ("LD", "Llandrindod Wells"),
    ("LE", "Leicester"), ("LL", "Llandudno"), ("LN", "Lincoln"), ("LS", "Leeds"), ("LU", "Luton"),
    ("M", "Manchester"), ("ME", "Rochester"), ("MK", "Milton Keynes"), ("ML", "Motherwell"), ("N", "North London"),
    ("NE", "Newcastle upon Tyne"), ("NG", "Nottingham"), ("NN", "Northampton"), ("NP", "Newport"), ("NR", "Norwich"),
    ("NW", "North West London"), ("OL", "Oldham"), ("OX", "Oxford"), ("PA", "Paisley"), ("PE", "Peterborough"),
    ("PH", "Perth"), ("PL", "Plymouth"), ("PO", "Portsmouth"), ("PR", "Preston"), ("RG", "Reading"),
    ("RH", "Redhill"), ("RM", "Romford"), ("S", "Sheffield"), ("SA", "Swansea"), ("SE", "South East London"),
    ("SG", "Stevenage"), ("SK", "Stockport"), ("SL", "Slough"), ("SM", "Sutton"), ("SN", "Swindon"),
    ("SO", "Southampton"), ("SP", "Salisbury"), ("SR", "Sunderland"), ("SS", "Southend-on-Sea"),
    ("ST", "Stoke-on-Trent"), ("SW", "South West London"), ("SY", "Shrewsbury"), ("TA", "Taunton"),
    ("TD", "Galashiels"), ("TF", "Telford"), ("TN", "Tonbridge"), ("TQ", "Torquay"), ("TR", "Truro"),
    ("TS", "Cleveland"), ("TW", "Twickenham"), ("UB", "Southall"), ("W", "West London"), ("WA", "Warrington"),
    ("WC", "West Central London"), ("WD", "Watford"), ("WF", "Wakefield"), ("WN", "Wigan"), ("WR", "Worcester"),
    ("WS", "Walsall"), ("WV", "Wolverhampton"), ("XX", "Returns of online shops"), ("YO", "York"), ("ZE", "Lerwick"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_in_order_and_found() {
        assert!(AREAS.is_sorted_by(|a, b| a.0 < b.0));
        for area in PostcodeArea::all() {
            assert_eq!(area.code().parse(), Ok(area));
            assert!(!area.name().is_empty());
        }
    }

    #[test]
    fn unlisted_areas_are_in_order_and_are_areas() {
        assert!(UNLISTED.is_sorted_by(|a, b| a.0 < b.0));
        for (code, advice) in UNLISTED {
            let area: PostcodeArea = code.parse().unwrap();
            assert_eq!(area.unlisted_advice(), Some(advice));
            assert!(advice.starts_with(code));
        }
        assert_eq!(PostcodeArea::all().filter(|area| area.unlisted_advice().is_some()).count(), 4);
    }
}
