//! The one-line label of a record of a local authority: secondary object, primary object, street.

use std::fmt::Write;

/// A record of a local authority in AddressBase (LPI), with its street.
///
/// [`secondary`](Self::secondary) and [`primary`](Self::primary) write the objects, and [`label`](Self::label) all:
///
/// ```
/// use postcode_addresses::format::LocalLabel;
///
/// let label = LocalLabel {
///     organisation: "", sao_text: "FLAT", sao: ["1", "", "", ""], pao_text: "", pao: ["12", "A", "14", ""],
///     street: "ASH ROAD", locality: "", town: "EXAMPLETON",
/// };
/// assert_eq!((label.secondary(), label.primary()), ("FLAT 1".to_owned(), "12A-14".to_owned()));
/// assert_eq!(label.label(), "FLAT 1 12A-14 ASH ROAD, EXAMPLETON");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalLabel<'a> {
    /// The organisation.
    pub organisation: &'a str,
    /// The text of the secondary object, for example `FLAT 1`.
    pub sao_text: &'a str,
    /// Start number, start suffix, end number and end suffix of the secondary object.
    pub sao: [&'a str; 4],
    /// The text of the primary object, for example the name of the building.
    pub pao_text: &'a str,
    /// Start number, start suffix, end number and end suffix of the primary object.
    pub pao: [&'a str; 4],
    /// The name of the street.
    pub street: &'a str,
    /// The locality.
    pub locality: &'a str,
    /// The town.
    pub town: &'a str,
}

/// Returns a range of numbers: `1`, `1A`, `1C-1D`, or nothing.
#[must_use]
pub(crate) fn number_range([start, start_suffix, end, end_suffix]: [&str; 4]) -> String {
    let mut range = format!("{start}{start_suffix}");
    if !end.is_empty() || !end_suffix.is_empty() {
        // Writing to a String does not fail.
        let _ = write!(range, "-{end}{end_suffix}");
    }
    range
}

impl LocalLabel<'_> {
    /// Returns the secondary object on one line.
    ///
    /// ```
    /// use postcode_addresses::format::LocalLabel;
    ///
    /// let label = LocalLabel { sao_text: "FLAT", sao: ["1", "A", "", ""], ..LocalLabel::default() };
    /// assert_eq!(label.secondary(), "FLAT 1A");
    /// ```
    #[must_use]
    pub fn secondary(&self) -> String {
        words([self.sao_text, &number_range(self.sao)])
    }

    /// Returns the primary object on one line.
    ///
    /// ```
    /// use postcode_addresses::format::LocalLabel;
    ///
    /// let label = LocalLabel { pao_text: "ROSE HOUSE", pao: ["12", "", "14", ""], ..LocalLabel::default() };
    /// assert_eq!(label.primary(), "ROSE HOUSE 12-14");
    /// ```
    #[must_use]
    pub fn primary(&self) -> String {
        words([self.pao_text, &number_range(self.pao)])
    }

    /// Returns the label: organisation, objects and street, locality, town.
    ///
    /// ```
    /// use postcode_addresses::format::LocalLabel;
    ///
    /// let pao = ["12", "", "", ""];
    /// let label = LocalLabel { pao, street: "ASH ROAD", town: "EXAMPLETON", ..LocalLabel::default() };
    /// assert_eq!(label.label(), "12 ASH ROAD, EXAMPLETON");
    /// ```
    #[must_use]
    pub fn label(&self) -> String {
        let street = words([&self.secondary(), &self.primary(), self.street]);
        [self.organisation, &street, self.locality, self.town]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn words<const N: usize>(parts: [&str; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
