//! Counts of a file's rows by their result.

use std::fmt;

use postcode_core::Answer;
use serde::Serialize;

use super::column::Found;
use super::reading::Lack;

/// How many rows there were, by what their postcodes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// In use.
    pub live: u64,
    /// Once in use.
    pub terminated: u64,
    /// Never in use, as far as the data knows.
    pub unknown: u64,
    /// In an area that the data leaves out.
    pub not_covered: u64,
    /// Not a postcode as it stands, but one in use after the only repair that is possible.
    pub repaired: u64,
    /// Without a postcode; the next three are the kinds of it.
    pub invalid: u64,
    /// Nothing in the postcode's cell, or a word for a missing value such as `NaN`.
    pub blank: u64,
    /// A part of a postcode: an area, an outcode or a sector.
    pub partial: u64,
    /// Anything else.
    pub malformed: u64,
    /// Rows with nothing in any cell, as spreadsheets leave them at the end. They do not count as rows.
    pub empty: u64,
    /// Rows left out: of CSV with more cells than the header, of lines of JSON those that are not an object. They do not count as rows.
    pub set_aside: u64,
}

impl Counts {
    /// Returns the number of rows.
    pub fn rows(&self) -> u64 {
        self.live + self.terminated + self.unknown + self.not_covered + self.repaired + self.invalid
    }

    /// Adds those of other rows.
    pub fn add(&mut self, other: &Self) {
        self.live += other.live;
        self.terminated += other.terminated;
        self.unknown += other.unknown;
        self.not_covered += other.not_covered;
        self.repaired += other.repaired;
        self.invalid += other.invalid;
        self.blank += other.blank;
        self.partial += other.partial;
        self.malformed += other.malformed;
        self.empty += other.empty;
        self.set_aside += other.set_aside;
    }

    pub(super) fn count(&mut self, found: &Found<'_>, lack: Option<Lack>) {
        let kind = match (found.answer, lack) {
            (_, Some(lack)) => {
                self.invalid += 1;
                match lack {
                    Lack::Blank => &mut self.blank,
                    Lack::Partial => &mut self.partial,
                    Lack::Malformed => &mut self.malformed,
                }
            }
            (Some(_), None) if found.repaired => &mut self.repaired,
            (Some(Answer::Live(_)), None) => &mut self.live,
            (Some(Answer::Terminated(_)), None) => &mut self.terminated,
            (Some(Answer::NotCovered), None) => &mut self.not_covered,
            (_, None) => &mut self.unknown,
        };
        *kind += 1;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { live, terminated, unknown, not_covered, invalid, .. } = self;
        write!(
            f,
            "{} row{}: {live} live, {terminated} terminated, {unknown} unknown, {not_covered} not covered, \
             {invalid} without a postcode",
            self.rows(),
            if self.rows() == 1 { "" } else { "s" }
        )?;
        if self.invalid > 0 {
            let Self { blank, partial, malformed, .. } = self;
            write!(f, " ({blank} blank, {partial} only a part of one, {malformed} malformed)")?;
        }
        for (count, what) in [
            (self.repaired, "repaired"),
            (self.empty, "empty rows not counted"),
            (self.set_aside, "left out"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}
