//! Royal Mail's rules 1 to 7: which element stands on which line.

use std::fmt;

use super::numbers::{acts_as_number, is_letter, split_name};
use super::style::Style;
use crate::model::Address;

/// A text made of pieces of the address's elements, without a copy of them.
#[derive(Clone, Copy, Default)]
pub(super) struct Line<'a> {
    pieces: [&'a str; 7],
    count: usize,
}

impl<'a> Line<'a> {
    fn of(pieces: &[&'a str]) -> Self {
        let mut line = Self::default();
        for piece in pieces {
            line.push(piece);
        }
        line
    }

    fn push(&mut self, piece: &'a str) {
        if let Some(place) = self.pieces.get_mut(self.count)
            && !piece.is_empty()
        {
            *place = piece;
            self.count += 1;
        }
    }

    /// Adds a text after a separator, or without one if the line is empty.
    fn join(&mut self, separator: &'static str, line: Self) {
        if self.count > 0 && line.count > 0 {
            self.push(separator);
        }
        for piece in line.pieces() {
            self.push(piece);
        }
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.pieces.into_iter().take(self.count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

/// The lines of an address above its post town.
pub(super) struct Plan<'a> {
    lines: [Line<'a>; 10],
    count: usize,
    pub(super) premise: Line<'a>,
    pub(super) number: &'a str,
    pub(super) unit: &'a str,
}

impl<'a> Plan<'a> {
    fn push(&mut self, line: Line<'a>) {
        if !line.is_empty()
            && let Some(place) = self.lines.get_mut(self.count)
        {
            *place = line;
            self.count += 1;
        }
    }

    pub(super) fn lines(&self) -> &[Line<'a>] {
        &self.lines[..self.count]
    }

    /// Lays an address out.
    pub(super) fn of(address: &'a Address, style: Style) -> Self {
        let organisation = address.organisation.trim();
        let department = address.department.trim();
        let po_box = address.po_box.trim();
        let premises = Premises::of(address, style);
        let mut plan =
            Self { lines: Default::default(), count: 0, premise: Line::default(), number: "", unit: "" };

        plan.push(Line::of(&[organisation]));
        if style.keeps_lone_department() || !organisation.is_empty() {
            plan.push(Line::of(&[department]));
        }
        let mut in_front = Line::default();
        if !po_box.is_empty() {
            let line = Line::of(&[po_box_words(address, style), po_box]);
            plan.premise = line;
            plan.push(line);
        }
        if po_box.is_empty() || !style.po_box_replaces_premises() {
            if premises.lines.iter().chain([&premises.in_front]).any(|line| !line.is_empty()) {
                plan.premise = premises.text;
            }
            (plan.number, plan.unit) = (premises.number, premises.unit);
            for line in premises.lines {
                plan.push(line);
            }
            in_front = premises.in_front;
        }
        for place in [
            &address.dependent_thoroughfare,
            &address.thoroughfare,
            &address.double_dependent_locality,
            &address.dependent_locality,
        ] {
            let place = place.trim();
            if !place.is_empty() {
                let mut line = std::mem::take(&mut in_front);
                line.join(" ", Line::of(&[place]));
                plan.push(line);
            }
        }
        // No street and no locality to stand in front of.
        if style.keeps_lone_number() {
            plan.push(in_front);
        }
        plan
    }
}

/// Returns `PO Box `, in capitals if the rest of the address is.
fn po_box_words(address: &Address, style: Style) -> &'static str {
    let capitals = || {
        let texts = &address.texts()[..10];
        !texts.iter().any(|text| text.bytes().any(|byte| byte.is_ascii_lowercase()))
    };
    match style {
        Style::Ideal => "PO Box ",
        Style::Dvla => "PO BOX ",
        Style::Guide if capitals() => "PO BOX ",
        Style::Guide => "PO Box ",
    }
}

/// The part of an address between organisation and street.
#[derive(Default)]
struct Premises<'a> {
    lines: [Line<'a>; 2],
    /// Stands in front of the first street or locality.
    in_front: Line<'a>,
    /// The whole on one line.
    text: Line<'a>,
    number: &'a str,
    unit: &'a str,
}

impl<'a> Premises<'a> {
    fn of(address: &'a Address, style: Style) -> Self {
        let sub = address.sub_building.trim();
        let name = address.building_name.trim();
        let number = address.building_number.trim();
        let zero = !number.is_empty() && number.bytes().all(|byte| byte == b'0');
        let number = if zero { "" } else { number };
        match (sub.is_empty(), name.is_empty(), number.is_empty()) {
            (true, true, true) => Self::default(),
            (true, true, false) => Self::rule_2(number),
            (true, false, true) => Self::rule_3(name, style),
            (true, false, false) => Self::rule_4(name, number),
            (false, true, false) => Self::rule_5(sub, number, address.concatenation_indicator, style),
            (false, false, true) if zero => Self::rule_7_with_zero(sub, name, style),
            (false, false, true) => Self::rule_6(sub, name, address.umprn.is_some(), style),
            (false, false, false) => Self::rule_7(sub, name, number, style),
            (false, true, true) => Self::sub_only(sub, style),
        }
    }

    fn rule_2(number: &'a str) -> Self {
        let line = Line::of(&[number]);
        Self { in_front: line, text: line, number, ..Self::default() }
    }

    fn rule_3(name: &'a str, style: Style) -> Self {
        if acts_as_number(name) {
            return Self {
                in_front: with_comma(name, style),
                text: Line::of(&[name]),
                number: name,
                ..Self::default()
            };
        }
        match split_name(name, style) {
            Some((rest, last)) => Self {
                lines: [Line::of(&[rest]), Line::default()],
                in_front: Line::of(&[last]),
                text: Line::of(&[rest, ", ", last]),
                number: last,
                unit: "",
            },
            None => Self {
                lines: [Line::of(&[name]), Line::default()],
                text: Line::of(&[name]),
                ..Self::default()
            },
        }
    }

    fn rule_4(name: &'a str, number: &'a str) -> Self {
        Self {
            lines: [Line::of(&[name]), Line::default()],
            in_front: Line::of(&[number]),
            text: Line::of(&[name, ", ", number]),
            number,
            unit: "",
        }
    }

    fn rule_5(sub: &'a str, number: &'a str, joined: Option<bool>, style: Style) -> Self {
        // Files without the indicator mean a joined letter by a sub-building of one letter.
        if joined.unwrap_or_else(|| is_letter(sub)) {
            let line = Line::of(&[number, sub]);
            return Self { in_front: line, text: line, number, unit: sub, ..Self::default() };
        }
        let text = Line::of(&[sub, ", ", number]);
        if style.numeric_sub_joins_number() && !is_letter(sub) && acts_as_number(sub) {
            return Self {
                in_front: Line::of(&[sub, " ", number]),
                text,
                number,
                unit: sub,
                ..Self::default()
            };
        }
        Self {
            lines: [Line::of(&[sub]), Line::default()],
            in_front: Line::of(&[number]),
            text,
            number,
            unit: sub,
        }
    }

    fn rule_6(sub: &'a str, name: &'a str, child: bool, style: Style) -> Self {
        let unit = sub;
        if acts_as_number(name) {
            return Self {
                lines: [Line::of(&[sub]), Line::default()],
                in_front: with_comma(name, style),
                text: Line::of(&[sub, ", ", name]),
                number: name,
                unit,
            };
        }
        if let Some((rest, last)) = split_name(name, style) {
            let lines = if acts_as_number(sub) {
                [before_name(sub, rest, style), Line::default()]
            } else {
                [Line::of(&[sub]), Line::of(&[rest])]
            };
            let text = Line::of(&[sub, ", ", rest, ", ", last]);
            return Self { lines, in_front: Line::of(&[last]), text, number: last, unit };
        }
        if acts_as_number(sub) {
            let line = before_name(sub, name, style);
            return Self { lines: [line, Line::default()], text: line, unit, ..Self::default() };
        }
        let text = Line::of(&[sub, ", ", name]);
        let lines = if child && style.joins_child_and_building() {
            [text, Line::default()]
        } else {
            [Line::of(&[sub]), Line::of(&[name])]
        };
        Self { lines, text, unit, ..Self::default() }
    }

    fn rule_7(sub: &'a str, name: &'a str, number: &'a str, style: Style) -> Self {
        let in_front = Line::of(&[number]);
        let (lines, mut text) = if acts_as_number(sub) {
            let line = before_name(sub, name, style);
            ([line, Line::default()], line)
        } else {
            ([Line::of(&[sub]), Line::of(&[name])], Line::of(&[sub, ", ", name]))
        };
        text.join(", ", in_front);
        Self { lines, in_front, text, number, unit: sub }
    }

    /// The number 0 says that sub-building and name belong on one line.
    fn rule_7_with_zero(sub: &'a str, name: &'a str, style: Style) -> Self {
        let line =
            if acts_as_number(sub) { before_name(sub, name, style) } else { Line::of(&[sub, ", ", name]) };
        Self { lines: [line, Line::default()], text: line, unit: sub, ..Self::default() }
    }

    /// No rule of the Guide, but there are such records.
    fn sub_only(sub: &'a str, style: Style) -> Self {
        let text = Line::of(&[sub]);
        if style.lone_sub_joins_street() || acts_as_number(sub) {
            return Self { in_front: with_comma(sub, style), text, unit: sub, ..Self::default() };
        }
        Self { lines: [text, Line::default()], text, unit: sub, ..Self::default() }
    }
}

/// Returns a name or sub-building as it stands in front of something, with a comma after a letter if the style wants it.
fn with_comma(text: &str, style: Style) -> Line<'_> {
    Line::of(&[text, if style.comma_after_letter() && is_letter(text) { "," } else { "" }])
}

/// Returns a sub-building that acts as a number, and the name, on one line.
fn before_name<'a>(sub: &'a str, name: &'a str, style: Style) -> Line<'a> {
    let mut line = with_comma(sub, style);
    line.join(" ", Line::of(&[name]));
    line
}
