//! Checks of single fields. They trim and normalise the value.

use email_address::{EmailAddress, Options};
use postcode_addresses::AddressNumber;
use postcode_core::{ParseError, ParseReason, Postcode};

use super::invalid::Invalid;
use crate::fold::{is_invisible, visible};
use crate::{
    MAX_ADDRESS_LINE, MAX_ADDRESS_LINES, MAX_EMAIL, MAX_NOTES, MAX_POSTCODE, MAX_REFERENCE, MAX_REFERENCES,
    Reference,
};

/// Returns what to say about a field that must be filled.
fn empty(field: &str) -> &'static str {
    match field {
        "name" => "enter the customer's name",
        "email" => "enter an email address, such as ada@example.com",
        _ => "is empty: enter something",
    }
}

/// Checks one line of text, trims it, and removes invisible characters.
pub(super) fn line(invalid: &mut Invalid, field: &str, text: &str, max: usize) -> String {
    let text = visible(text);
    let text = text.trim();
    let length = text.chars().count();
    if text.is_empty() {
        invalid.add(field, empty(field));
    } else if length > max {
        invalid.add(field, format!("has {length} characters: give at most {max}"));
    } else if text.chars().any(char::is_control) {
        invalid.add(field, "contains a line break or another control character: remove it");
    }
    text.to_owned()
}

pub(super) fn email(invalid: &mut Invalid, text: &str) -> String {
    // Nothing invisible belongs in an email, joiners included.
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let text = text.trim();
    let options = Options::default().without_display_text().without_domain_literal();
    if text.is_empty() {
        invalid.add("email", empty("email"));
    } else if text.len() > MAX_EMAIL {
        invalid.add("email", format!("has {} bytes: give at most {MAX_EMAIL}", text.len()));
    } else if EmailAddress::parse_with_options(text, options).is_err() {
        invalid
            .add("email", format!("not an email address: {}. Write it like ada@example.com", quoted(text)));
    }
    text.to_owned()
}

pub(super) fn postcode(invalid: &mut Invalid, field: &str, text: &str) -> Option<Postcode> {
    if text.len() > MAX_POSTCODE {
        invalid.add(field, format!("has {} bytes: give at most {MAX_POSTCODE}", text.len()));
        return None;
    }
    let explain = |error: ParseError| match error.reason() {
        ParseReason::Empty => "enter a postcode, such as SW1A 1AA".to_owned(),
        _ => format!("{}: {error}", quoted(text)),
    };
    let suggestion = |error: &ParseError| error.suggestion().map(|suggestion| suggestion.to_string());
    text.parse().map_err(|error| invalid.add_with(field, explain(error), suggestion(&error))).ok()
}

pub(super) fn address_lines(invalid: &mut Invalid, field: &str, lines: &[String]) -> Vec<String> {
    let mut checked = Vec::new();
    // Forms send their empty lines too. They are not part of the address.
    let filled = lines.iter().enumerate().filter(|(_, text)| !visible(text).trim().is_empty());
    for (n, text) in filled.take(MAX_ADDRESS_LINES + 1) {
        checked.push(line(invalid, &format!("{field}[{n}]"), text, MAX_ADDRESS_LINE));
    }
    if checked.is_empty() {
        invalid.add(field, "enter at least one line, such as a house number and street");
    } else if checked.len() > MAX_ADDRESS_LINES {
        invalid.add(field, format!("has too many lines: give at most {MAX_ADDRESS_LINES}"));
    }
    checked
}

/// Checks the number of an entry of the address data. The outer `None` means that nothing is said,
/// the inner one that the address has no entry.
pub(super) fn address_id(
    invalid: &mut Invalid,
    field: &str,
    text: Option<&str>,
) -> Option<Option<AddressNumber>> {
    let text = text?.trim();
    if text.is_empty() {
        return Some(None);
    }
    text.parse().map(Some).map_err(|error: postcode_core::Error| invalid.add(field, error.to_string())).ok()
}

/// Normalises a telephone number to ITU-T E.164: `+` and 7 to 15 digits, the first not 0. Accepts
/// spaces, hyphens, dots and brackets, `00` for `+`, the `(0)` that callers from abroad leave out,
/// and UK numbers without a country code (`020 7946 0018`). Does not check whether the number is in
/// use. An empty text means no number.
pub(super) fn phone(invalid: &mut Invalid, text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let mut refuse = || {
        let message = format!(
            "not a valid UK or international number: {}. Leave it out or write it like 020 7946 0018",
            quoted(text)
        );
        invalid.add("phone", message);
        None
    };
    if text.len() > 64 {
        return refuse();
    }
    let without_trunk = if text.starts_with(['+']) || text.starts_with("00") {
        text.replacen("(0)", "", 1)
    } else {
        text.to_owned()
    };
    let bare: String = without_trunk
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '-' | '\u{2010}'..='\u{2013}' | '.' | '(' | ')' | '/'))
        .collect();
    let digits = match (bare.strip_prefix('+'), bare.strip_prefix("00"), bare.strip_prefix('0')) {
        (Some(international), _, _) | (_, Some(international), _) => international.to_owned(),
        (_, _, Some(national)) => format!("44{national}"),
        _ => return refuse(),
    };
    let well_formed = digits.bytes().all(|b| b.is_ascii_digit())
        && (7..=15).contains(&digits.len())
        && !digits.starts_with('0');
    // A UK number has 9 or 10 digits after its country code (a few old ones have 7: Ofcom's
    // numbering plan).
    let national = digits.strip_prefix("44").map(str::len);
    if !well_formed || national.is_some_and(|length| !matches!(length, 7 | 9 | 10)) {
        return refuse();
    }
    Some(format!("+{digits}"))
}

/// Checks text of several lines. An empty text means no notes.
pub(super) fn notes(invalid: &mut Invalid, text: &str) -> Option<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length > MAX_NOTES {
        invalid.add("notes", format!("has {length} characters: give at most {MAX_NOTES}"));
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        invalid.add("notes", "contains a control character other than a line break or tab: remove it");
    }
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn references(invalid: &mut Invalid, given: &[Reference]) -> Vec<Reference> {
    let mut checked: Vec<Reference> = Vec::new();
    if invalid.too_many("references", given.len(), MAX_REFERENCES) {
        return checked;
    }
    for (n, reference) in given.iter().enumerate() {
        let system = line(invalid, &format!("references[{n}].system"), &reference.system, MAX_REFERENCE);
        let id = line(invalid, &format!("references[{n}].id"), &reference.id, MAX_REFERENCE);
        let reference = Reference { system, id };
        if checked.contains(&reference) {
            invalid.add(format!("references[{n}]"), "appears twice in the list");
        }
        checked.push(reference);
    }
    checked
}

/// Quotes a text for a message, shortened if it is long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_take_the_form_of_e164() {
        let mut invalid = Invalid::default();
        for (text, expected) in [
            ("+44 20 7946 0018", "+442079460018"),
            ("+44 (0)20 7946-0018", "+442079460018"),
            ("0044 20.7946.0018", "+442079460018"),
            ("(020) 7946 0018", "+442079460018"),
            ("07700 900123", "+447700900123"),
            ("+1 650-253-0000", "+16502530000"),
            ("+353 1 234 5678", "+35312345678"),
            ("\u{202a}+44 7700 900123\u{202c}", "+447700900123"),
        ] {
            assert_eq!(phone(&mut invalid, text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(phone(&mut invalid, "  "), None);
        assert_eq!(invalid.errors, []);
        for bad in
            ["7946 0018", "+44", "+44 20 7946", "ring me", "+0123456789", "+1234567890123456", "٠٢٠٧٩٤٦٠٠١٨"]
        {
            let mut invalid = Invalid::default();
            assert_eq!(phone(&mut invalid, bad), None, "{bad}");
            assert_eq!(invalid.errors.len(), 1, "{bad}");
        }
    }

    #[test]
    fn references_are_checked_one_by_one() {
        let reference = |system: &str, id: &str| Reference { system: system.into(), id: id.into() };
        let fields = |given: &[Reference]| {
            let mut invalid = Invalid::default();
            references(&mut invalid, given);
            invalid.errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert!(fields(&[reference("crm", "1"), reference("crm", "2"), reference("erp", "1")]).is_empty());
        assert_eq!(fields(&[reference("crm", "1"), reference(" crm", "1 ")]), ["references[1]"]);
        assert_eq!(fields(&[reference("", "1")]), ["references[0].system"]);
        assert_eq!(fields(&vec![reference("crm", "1"); MAX_REFERENCES + 1]), ["references"]);
    }
}
