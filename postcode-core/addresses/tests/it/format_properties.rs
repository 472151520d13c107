//! Properties of the formatter that hold for any address.

use postcode_addresses::{Address, Style};
use proptest::prelude::*;

/// Returns texts of the kinds that files hold: numbers, letters, flats, names with and without a number.
fn element() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        1 => "[0-9]{1,4}",
        1 => "[A-Z]",
        1 => "[0-9]{1,3}[A-C]",
        1 => "[0-9]{1,3}[-:/.][0-9]{1,3}",
        1 => "(Flat|Unit|Block|Rear of|PO Box) [0-9]{1,2}[A-C]?",
        2 => "[A-Z][a-z]{2,8} (House|Court|Mill)( [0-9]{1,3}(-[0-9]{1,3}|[A-C])?| [A-C])?",
        1 => "\\PC{0,12}",
    ]
}

fn address() -> impl Strategy<Value = Address> {
    let texts = proptest::collection::vec(element(), 11);
    (texts, any::<Option<bool>>(), "[A-Z]{3,9}").prop_map(|(texts, joined, town)| {
        let mut address = Address { concatenation_indicator: joined, ..Address::default() };
        for (place, text) in address.texts_mut().into_iter().zip(texts) {
            *place = text;
        }
        address.post_town = town;
        address.postcode = "ZZ1 1ZZ".into();
        address
    })
}

/// Returns a text without blanks and commas, which lines may add.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && *letter != ',').collect()
}

/// Returns what a line holds of a building number.
fn shown(number: &str) -> &str {
    let number = number.trim();
    if number.bytes().all(|byte| byte == b'0') { "" } else { number }
}

proptest! {
    #[test]
    fn guide_never_loses_an_element(address in address(), most in 0_usize..12) {
        for written in [address.single_line(), address.lines(Style::Guide, most).join("\n")] {
            let written = bare(&written);
            for (at, text) in address.texts().into_iter().take(12).enumerate() {
                let text = if at == 5 { shown(text) } else { text };
                // A name that is split still stands there in two parts.
                let words: Vec<&str> = text.split_whitespace().collect();
                let (last, rest) = words.split_last().map_or(("", &[][..]), |(last, rest)| (*last, rest));
                prop_assert!(written.contains(&bare(&rest.join(" "))) && written.contains(&bare(last)), "{text:?} in {written:?}");
            }
        }
    }

    #[test]
    fn lines_are_at_most_as_many_as_asked_for(address in address(), most in 0_usize..12) {
        for style in Style::ALL {
            let lines = address.lines(style, most);
            prop_assert!(lines.len() <= most.max(1));
            prop_assert!(lines.iter().all(|line| !line.is_empty()));
        }
        prop_assert!(address.format(Style::Ideal).lines.len() <= 3);
        prop_assert!(address.format(Style::Dvla).lines.len() <= 4);
    }

    #[test]
    fn lines_written_into_a_text_are_the_lines(address in address()) {
        for style in Style::ALL {
            let mut written = String::new();
            address.write_lines(style, &mut written);
            let lines = address.format(style).lines;
            prop_assert_eq!(written, lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        }
    }

    #[test]
    fn order_is_total(mut list in proptest::collection::vec(address(), 0..8)) {
        postcode_addresses::order::sort(&mut list);
        for (at, a) in list.iter().enumerate() {
            for b in &list[at..] {
                prop_assert!(postcode_addresses::order::compare(a, b).is_le());
            }
        }
    }

    #[test]
    fn title_case_changes_letters_only(text in "\\PC{0,20}") {
        let title = postcode_addresses::format::title_case(&text);
        prop_assert_eq!(title.to_uppercase(), text.to_uppercase());
        prop_assert_eq!(postcode_addresses::format::title_case(&title), title);
    }
}
