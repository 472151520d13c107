//! The styles, and all questions that they answer differently.

use std::str::FromStr;

/// How an address is written. All styles share one engine, and differ only in what the functions of this file answer.
///
/// [`as_str`](Self::as_str) names it:
///
/// ```
/// use postcode_addresses::Style;
///
/// assert_eq!("dvla".parse::<Style>()?, Style::Dvla);
/// assert_eq!(Style::default().as_str(), "guide");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// Royal Mail's Programmers' Guide: a line for each element, and no element is ever lost.
    #[default]
    Guide,
    /// The three lines of Ideal Postcodes' API.
    Ideal,
    /// The five lines of the Driver and Vehicle Licensing Agency.
    Dvla,
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 3] = [Self::Guide, Self::Ideal, Self::Dvla];

    /// Returns the name, as in options: `guide`, `ideal`, `dvla`.
    ///
    /// ```
    /// use postcode_addresses::Style;
    ///
    /// assert_eq!(Style::ALL.map(Style::as_str), ["guide", "ideal", "dvla"]);
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guide => "guide",
            Self::Ideal => "ideal",
            Self::Dvla => "dvla",
        }
    }
}

/// The text does not name a style.
///
/// ```
/// use postcode_addresses::Style;
///
/// let error = "poster".parse::<Style>().unwrap_err();
/// assert_eq!(error.to_string(), "\"poster\" is not a style. Styles: guide, ideal, dvla.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a style. Styles: guide, ideal, dvla.")]
pub struct UnknownStyle(String);

impl FromStr for Style {
    type Err = UnknownStyle;

    fn from_str(text: &str) -> Result<Self, UnknownStyle> {
        Self::ALL
            .into_iter()
            .find(|style| style.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownStyle(text.to_owned()))
    }
}

/// Where in a building name a keyword keeps the number from being split off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// At the beginning of the name.
    First,
    /// Anywhere before the last word.
    Anywhere,
    /// Directly before the last word.
    Last,
}

/// Each function answers one question of the table in docs/ADDRESSES.md.
impl Style {
    /// Whether a single letter in front of a street or a name gets a comma.
    pub(super) const fn comma_after_letter(self) -> bool {
        matches!(self, Self::Ideal)
    }

    /// Whether a sub-building without a name or number always stands in front of the street.
    pub(super) const fn lone_sub_joins_street(self) -> bool {
        matches!(self, Self::Ideal)
    }

    /// Whether a Multiple Residence child and its building share a line.
    pub(super) const fn joins_child_and_building(self) -> bool {
        matches!(self, Self::Ideal)
    }

    /// Whether a single letter at the end of a name is split off.
    pub(super) const fn splits_letters(self) -> bool {
        matches!(self, Self::Ideal)
    }

    /// Whether a decimal, or a number with a stroke, at the end of a name is split off.
    pub(super) const fn splits_decimals(self) -> bool {
        matches!(self, Self::Ideal)
    }

    /// Where a keyword is looked for.
    pub(super) const fn keyword(self) -> Keyword {
        match self {
            Self::Guide => Keyword::Last,
            Self::Ideal => Keyword::First,
            Self::Dvla => Keyword::Anywhere,
        }
    }

    /// The keywords that not all styles know.
    pub(super) const fn more_keywords(self) -> &'static [&'static str] {
        match self {
            Self::Guide => &["FLAT", "FLATS", "PO BOX"],
            Self::Ideal => &[],
            Self::Dvla => &["FLAT", "FLATS"],
        }
    }

    /// Whether a PO Box stands alone, without the premises.
    pub(super) const fn po_box_replaces_premises(self) -> bool {
        matches!(self, Self::Ideal)
    }

    /// Whether a department is written without an organisation.
    pub(super) const fn keeps_lone_department(self) -> bool {
        !matches!(self, Self::Ideal)
    }

    /// Whether a number without a street or locality is written on a separate line.
    pub(super) const fn keeps_lone_number(self) -> bool {
        !matches!(self, Self::Ideal)
    }

    /// Whether a sub-building that acts as a number stands before the number on the street's line.
    pub(super) const fn numeric_sub_joins_number(self) -> bool {
        matches!(self, Self::Dvla)
    }

    /// Whether `PO BOX` and the post town are written as the source has them, or always in the same way.
    pub(super) const fn keeps_case(self) -> bool {
        matches!(self, Self::Dvla)
    }

    /// How many lines there may be above the post town, and whether what does not fit is left out.
    pub(super) const fn limit(self) -> Option<(usize, Overflow)> {
        match self {
            Self::Guide => None,
            Self::Ideal => Some((3, Overflow::Join)),
            Self::Dvla => Some((4, Overflow::Drop)),
        }
    }
}

/// Says where lines go for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// They are joined to the last line that fits.
    Join,
    /// They are left out.
    Drop,
}
