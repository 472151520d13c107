//! The syntax of postcodes at postcodes.io: the rule of the npm library `postcode` 5.
//!
//! It checks the shape and not the letters. So it accepts texts that can't be postcodes (`QQ9Q
//! 9QQ`, `AB10 1II`), and refuses real ones of another shape (`GIR 0AA`). It only decides between
//! "Invalid postcode" and "Postcode not found". The extended API parses with [`Postcode`].

use postcode_core::wire::Shape;
use postcode_core::{ParseError, Postcode};

use super::params::is_space;

/// The kind of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Postcode(Postcode),
    /// The shape of a postcode with letters that no postcode has.
    NoSuch,
    /// Not a postcode, with the reason if the text was read by our own rules.
    Invalid(Option<ParseError>),
}

pub(super) fn read(text: &str, shape: Shape) -> Reading {
    if shape == Shape::Extended {
        return text.parse().map_or_else(|error| Reading::Invalid(Some(error)), Reading::Postcode);
    }
    let Some((outcode, incode)) = halves(text) else { return Reading::Invalid(None) };
    let mut spaced = String::with_capacity(8);
    spaced.extend([outcode, " ", incode]);
    spaced.parse().map_or(Reading::NoSuch, Reading::Postcode)
}

/// Returns the postcode of a text without spaces, or of its halves, if it is one by this rule.
pub(super) fn usual(text: &str, incode: &str) -> Option<Postcode> {
    let (outcode, incode) = match incode {
        "" => text.split_at_checked(text.len().checked_sub(3)?)?,
        incode => (text, incode),
    };
    if !is_outcode(outcode.as_bytes()) || !is_incode(incode.as_bytes()) {
        return None;
    }
    let mut both = [0; 7];
    let both = both.get_mut(..outcode.len() + 3)?;
    let (start, end) = both.split_at_mut(outcode.len());
    start.copy_from_slice(outcode.as_bytes());
    end.copy_from_slice(incode.as_bytes());
    std::str::from_utf8(both).ok()?.parse().ok()
}

/// `^\s*([a-z]{1,2}\d[a-z\d]?)\s*(\d[a-z]{2})\s*$`, in any case.
fn halves(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_matches(is_space);
    let (at, _) = text.char_indices().nth_back(2)?;
    let (outcode, incode) = text.split_at(at);
    let outcode = outcode.trim_end_matches(is_space);
    (is_outcode(outcode.as_bytes()) && is_incode(incode.as_bytes())).then_some((outcode, incode))
}

fn is_incode(text: &[u8]) -> bool {
    matches!(text, [d, a, b] if d.is_ascii_digit() && a.is_ascii_alphabetic() && b.is_ascii_alphabetic())
}

fn is_outcode(text: &[u8]) -> bool {
    let letters = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    matches!(letters, 1..=2)
        && matches!(&text[letters..], [d] | [d, _] if d.is_ascii_digit())
        && text.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_the_npm_library() {
        let is_postcode = |text| matches!(read(text, Shape::Compatible), Reading::Postcode(_));
        for text in ["AB101AB", " ab10 \t 1ab\u{feff}", "\u{a0}M1 1AD", "SE1P5ZZ", "W1A\u{2003}0AX"] {
            assert!(is_postcode(text), "{text:?}");
        }
        for text in
            ["", "AB", "AB 101AB", "AB101 AB", "AB10-1AB", "AB10+1AB", "GIR 0AA", "BFPO 801", "é1 1AA", "\0"]
        {
            assert_eq!(read(text, Shape::Compatible), Reading::Invalid(None), "{text:?}");
        }
    }

    #[test]
    fn letters_that_no_postcode_has_are_not_found() {
        assert_eq!(read("AB10 1II", Shape::Compatible), Reading::NoSuch);
        assert!(matches!(read("AB10 1II", Shape::Extended), Reading::Invalid(Some(_))));
        assert_eq!(read("GIR 0AA", Shape::Extended), Reading::Postcode("GIR 0AA".parse().unwrap()));
    }
}
