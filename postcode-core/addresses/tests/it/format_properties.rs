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

/// Returns an address whose elements have the words by which they are told from others.
fn telling_address() -> impl Strategy<Value = Address> {
    let name = || "[A-Z][a-z]{2,8}";
    let street = (name(), prop::sample::select(vec!["Road", "Street", "Lane", "Close", "Avenue"]))
        .prop_map(|(name, word)| format!("{name} {word}"));
    let smaller = (name(), prop::sample::select(vec!["Mews", "Place", "Terrace"]))
        .prop_map(|(name, word)| format!("{name} {word}"));
    let building = (name(), prop::sample::select(vec!["House", "Cottage", "Lodge", "Barn", "Mill"]))
        .prop_map(|(name, word)| format!("{name} {word}"));
    let sub = ("Flat|Unit|Apartment", 1..99_u8).prop_map(|(word, number)| format!("{word} {number}"));
    let number = prop_oneof![3 => "[1-9][0-9]{0,3}", 1 => Just(String::new())];
    let range = prop_oneof!["[1-9][0-9]{0,2}[A-D]", "[1-9][0-9]?-[1-9][0-9]"];
    let maybe = |text: BoxedStrategy<String>| prop_oneof![Just(String::new()), text];
    (
        (
            maybe(
                (name(), "Bakery|Books|Joinery")
                    .prop_map(|(name, trade)| format!("{name} {trade} Ltd"))
                    .boxed(),
            ),
            any::<bool>(),
        ),
        maybe(sub.boxed()),
        (maybe(building.boxed()), maybe(range.boxed()), number),
        (street, maybe(smaller.boxed())),
        (maybe(name().boxed()), maybe(name().boxed())),
    )
        .prop_map(
            |(
                (organisation, department),
                sub,
                (name, range, number),
                (street, smaller),
                (locality, double),
            )| {
                let mut address = Address {
                    organisation,
                    sub_building: sub,
                    thoroughfare: street,
                    dependent_thoroughfare: smaller,
                    ..Address::default()
                };
                if department && !address.organisation.is_empty() {
                    address.department = "Accounts".into();
                }
                // A number and a range do not stand together, and a smaller street is only told by the number in front of it.
                if range.is_empty() {
                    (address.building_name, address.building_number) = (name, number);
                } else {
                    address.building_name = if name.is_empty() { range } else { format!("{name} {range}") };
                }
                // A letter or a number in front of a sub-building would be joined.
                address.double_dependent_locality = if locality.is_empty() { String::new() } else { double };
                address.dependent_locality = locality;
                address.post_town = "EXAMPLETON".into();
                address.postcode = "ZZ1 1ZZ".into();
                address
            },
        )
}

proptest! {
    #[test]
    fn parsing_gives_the_elements_back(address in telling_address(), lines in any::<bool>()) {
        let text = if lines { address.lines(Style::Guide, 20).join("\n") } else { address.single_line() };
        prop_assert_eq!(postcode_addresses::format::parse(&text), address, "{}", text);
    }

    #[test]
    fn parsing_takes_any_text(text in "\\PC{0,60}", lines in "([A-Z][a-z]{0,5}|[0-9]{1,3}|,|\n| |/|-|Flat|Road|House|PO Box|ZZ1 1ZZ){0,14}") {
        for text in [text, lines] {
            let _ = postcode_addresses::format::parse(&text).single_line();
        }
    }
}
