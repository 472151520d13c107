//! From an address to the lines on an envelope, by Royal Mail's rules.
//!
//! ```
//! use postcode_addresses::{Address, Style};
//!
//! let address = Address {
//!     sub_building: "Flat 2".into(),
//!     building_name: "Rose House 18A".into(),
//!     thoroughfare: "Ash Road".into(),
//!     post_town: "EXAMPLETON".into(),
//!     postcode: "ZZ1 1ZZ".into(),
//!     ..Address::default()
//! };
//! let formatted = address.format(Style::Guide);
//! assert_eq!(formatted.lines, ["Flat 2", "Rose House", "18A Ash Road"]);
//! assert_eq!(formatted.single_line(), "Flat 2, Rose House, 18A Ash Road, EXAMPLETON, ZZ1 1ZZ");
//! assert_eq!(address.lines(Style::Guide, 3), ["Flat 2, Rose House, 18A Ash Road", "EXAMPLETON", "ZZ1 1ZZ"]);
//! ```

mod label;
mod numbers;
mod parse;
mod rules;
mod style;
mod title;

use std::fmt::Write;

use serde::Serialize;

pub use label::LocalLabel;
#[cfg(feature = "layouts")]
pub(crate) use label::number_range;
pub use numbers::acts_as_number;
pub use parse::parse;
pub use style::{Style, UnknownStyle};
pub use title::{is_upper_case, title_case, title_case_address};

use crate::model::Address;
use rules::Plan;
use style::Overflow;

/// An address as it is written in one style.
///
/// [`single_line`](Self::single_line) and [`label`](Self::label) join the lines, and [`fit`](Self::fit) limits their number:
///
/// ```
/// use postcode_addresses::{Address, Style};
///
/// let address = Address {
///     sub_building: "Flat 2".into(), building_name: "Rose House".into(), building_number: "18".into(),
///     thoroughfare: "Ash Road".into(), post_town: "EXAMPLETON".into(), postcode: "ZE9 9ZZ".into(), ..Address::default()
/// };
/// let formatted = address.format(Style::Guide);
/// assert_eq!(formatted.lines, ["Flat 2", "Rose House", "18 Ash Road"]);
/// assert_eq!(formatted.label(), "Flat 2, Rose House, 18 Ash Road, EXAMPLETON");
/// assert_eq!(formatted.single_line(), "Flat 2, Rose House, 18 Ash Road, EXAMPLETON, ZE9 9ZZ");
/// assert_eq!(formatted.fit(2).len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Formatted {
    /// The lines above the post town.
    pub lines: Vec<String>,
    /// The post town.
    pub post_town: String,
    /// The postcode.
    pub postcode: String,
    /// Sub-building, building name and number on one line, or the PO Box.
    pub premise: String,
    /// The number of the building, or what acts as one.
    pub number: String,
    /// The sub-building.
    pub unit: String,
    #[serde(skip)]
    overflow: Option<Overflow>,
}

impl Formatted {
    /// Returns everything on one line, with commas.
    ///
    /// ```
    /// use postcode_addresses::Formatted;
    ///
    /// let mut formatted = Formatted::default();
    /// formatted.lines = vec!["18 Ash Road".to_owned()];
    /// formatted.post_town = "EXAMPLETON".to_owned();
    /// formatted.postcode = "ZE9 9ZZ".to_owned();
    /// assert_eq!(formatted.single_line(), "18 Ash Road, EXAMPLETON, ZE9 9ZZ");
    /// ```
    #[must_use]
    pub fn single_line(&self) -> String {
        join(self.lines.iter().chain([&self.post_town, &self.postcode]))
    }

    /// Returns everything but the postcode on one line, with commas.
    ///
    /// ```
    /// use postcode_addresses::Formatted;
    ///
    /// let mut formatted = Formatted::default();
    /// formatted.lines = vec!["18 Ash Road".to_owned()];
    /// formatted.post_town = "EXAMPLETON".to_owned();
    /// formatted.postcode = "ZE9 9ZZ".to_owned();
    /// assert_eq!(formatted.label(), "18 Ash Road, EXAMPLETON");
    /// ```
    #[must_use]
    pub fn label(&self) -> String {
        join(self.lines.iter().chain([&self.post_town]))
    }

    /// Returns at most `most` lines. 0 is read as 1.
    ///
    /// In the style Guide these include the post town and the postcode, on separate lines if there is room, and no
    /// element is left out: the lowest lines are joined. In the style Ideal they include neither, and in the style Dvla
    /// the post town is the last line.
    ///
    /// ```
    /// use postcode_addresses::{Address, Style};
    ///
    /// let address = Address {
    ///     sub_building: "Flat 2".into(), building_name: "Rose House".into(), building_number: "18".into(),
    ///     thoroughfare: "Ash Road".into(), post_town: "EXAMPLETON".into(), postcode: "ZE9 9ZZ".into(), ..Address::default()
    /// };
    /// let fitted = address.format(Style::Guide).fit(3);
    /// assert_eq!(fitted, ["Flat 2, Rose House, 18 Ash Road", "EXAMPLETON", "ZE9 9ZZ"]);
    /// ```
    #[must_use]
    pub fn fit(self, most: usize) -> Vec<String> {
        let most = most.max(1);
        let mut lines = self.lines;
        match self.overflow {
            None => {
                let own: Vec<String> =
                    [self.post_town, self.postcode].into_iter().filter(|text| !text.is_empty()).collect();
                if most > own.len() {
                    fold(&mut lines, most - own.len());
                    lines.extend(own);
                } else if most == 2 {
                    fold(&mut lines, 1);
                    lines.push(join(&own));
                } else {
                    lines.extend(own);
                    fold(&mut lines, 1);
                }
            }
            Some(Overflow::Join) => fold(&mut lines, most),
            Some(Overflow::Drop) => {
                let town = usize::from(most > 1 && !self.post_town.is_empty());
                lines.truncate(most - town);
                lines.extend([self.post_town].into_iter().take(town));
            }
        }
        lines
    }
}

/// Joins the last lines until at most `most` are left.
fn fold(lines: &mut Vec<String>, most: usize) {
    if lines.len() > most {
        let rest = join(&lines[most - 1..]);
        lines.truncate(most - 1);
        lines.push(rest);
    }
}

/// Joins the texts that are not empty with commas.
fn join<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let mut line = String::new();
    for text in texts {
        if !line.is_empty() && !text.is_empty() {
            line.push_str(", ");
        }
        line.push_str(text);
    }
    line
}

impl Address {
    /// Returns the address as it is written in a style.
    ///
    /// ```
    /// # use postcode_addresses::{Address, Style};
    /// #
    /// # let address = Address {
    /// #     sub_building: "Flat 2".into(), building_name: "Rose House".into(), building_number: "18".into(),
    /// #     thoroughfare: "Ash Road".into(), post_town: "EXAMPLETON".into(), postcode: "ZE9 9ZZ".into(), ..Address::default()
    /// # };
    /// assert_eq!(address.format(Style::Guide).lines, ["Flat 2", "Rose House", "18 Ash Road"]);
    /// ```
    #[must_use]
    pub fn format(&self, style: Style) -> Formatted {
        let plan = Plan::of(self, style);
        let (most, overflow) =
            style.limit().map_or((usize::MAX, None), |(most, overflow)| (most, Some(overflow)));
        let mut lines: Vec<String> = Vec::with_capacity(plan.lines().len().min(most));
        for (at, line) in plan.lines().iter().enumerate() {
            if at < most {
                lines.push(text(line));
            } else if overflow == Some(Overflow::Join)
                && let Some(last) = lines.last_mut()
            {
                last.push_str(", ");
                last.extend(line.pieces());
            }
        }
        let town = self.post_town.trim();
        Formatted {
            lines,
            post_town: if style.keeps_case() { town.to_owned() } else { town.to_uppercase() },
            postcode: self.postcode.trim().to_owned(),
            premise: text(&plan.premise),
            number: plan.number.to_owned(),
            unit: plan.unit.to_owned(),
            overflow,
        }
    }

    /// Returns at most `most` lines: see [`Formatted::fit`].
    ///
    /// ```
    /// # use postcode_addresses::{Address, Style};
    /// #
    /// # let address = Address {
    /// #     sub_building: "Flat 2".into(), building_name: "Rose House".into(), building_number: "18".into(),
    /// #     thoroughfare: "Ash Road".into(), post_town: "EXAMPLETON".into(), postcode: "ZE9 9ZZ".into(), ..Address::default()
    /// # };
    /// assert_eq!(address.lines(Style::Guide, 3), ["Flat 2, Rose House, 18 Ash Road", "EXAMPLETON", "ZE9 9ZZ"]);
    /// ```
    #[must_use]
    pub fn lines(&self, style: Style, most: usize) -> Vec<String> {
        self.format(style).fit(most)
    }

    /// Writes the lines above the post town into a text, each with a line feed after it. This does not allocate, except
    /// for the text to grow.
    ///
    /// ```
    /// # use postcode_addresses::{Address, Style};
    /// #
    /// # let address = Address {
    /// #     sub_building: "Flat 2".into(), building_name: "Rose House".into(), building_number: "18".into(),
    /// #     thoroughfare: "Ash Road".into(), post_town: "EXAMPLETON".into(), postcode: "ZE9 9ZZ".into(), ..Address::default()
    /// # };
    /// let mut text = String::new();
    /// address.write_lines(Style::Guide, &mut text);
    /// assert_eq!(text, "Flat 2\nRose House\n18 Ash Road\n");
    /// ```
    pub fn write_lines(&self, style: Style, out: &mut String) {
        let (most, overflow) =
            style.limit().map_or((usize::MAX, None), |(most, overflow)| (most, Some(overflow)));
        for (at, line) in Plan::of(self, style).lines().iter().enumerate() {
            if at >= most {
                if overflow != Some(Overflow::Join) {
                    break;
                }
                out.pop();
                out.push_str(", ");
            }
            out.extend(line.pieces());
            out.push('\n');
        }
    }

    /// Returns the address on one line in the style Guide.
    ///
    /// ```
    /// # use postcode_addresses::Address;
    /// #
    /// # let address = Address {
    /// #     sub_building: "Flat 2".into(), building_name: "Rose House".into(), building_number: "18".into(),
    /// #     thoroughfare: "Ash Road".into(), post_town: "EXAMPLETON".into(), postcode: "ZE9 9ZZ".into(), ..Address::default()
    /// # };
    /// assert_eq!(address.single_line(), "Flat 2, Rose House, 18 Ash Road, EXAMPLETON, ZE9 9ZZ");
    /// ```
    #[must_use]
    pub fn single_line(&self) -> String {
        self.format(Style::Guide).single_line()
    }

    /// Returns sub-building, building name and number on one line, or the PO Box.
    ///
    /// ```
    /// # use postcode_addresses::Address;
    /// #
    /// # let address = Address {
    /// #     sub_building: "Flat 2".into(), building_name: "Rose House".into(), building_number: "18".into(),
    /// #     thoroughfare: "Ash Road".into(), post_town: "EXAMPLETON".into(), postcode: "ZE9 9ZZ".into(), ..Address::default()
    /// # };
    /// assert_eq!(address.premise(), "Flat 2, Rose House, 18");
    /// ```
    #[must_use]
    pub fn premise(&self) -> String {
        text(&Plan::of(self, Style::Guide).premise)
    }
}

fn text(line: &rules::Line<'_>) -> String {
    let mut text = String::with_capacity(line.pieces().map(str::len).sum());
    // Writing to a String does not fail.
    let _ = write!(text, "{line}");
    text
}
