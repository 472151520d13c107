//! Prints calls of the module and the answers of the same functions on this machine, a line of JSON for each, for
//! `tests/module.test.mjs`: real values, and texts that are made of them by typing errors.

use postcode_wasm as module;
use serde_json::{Value, json};

const TEXTS: [&str; 34] = [
    "SW1A 1AA",
    "sw1a1aa",
    "M1 1AE",
    "EC1A 1BB",
    "W1A 0AX",
    "CR2 6XH",
    "DN55 1PT",
    "B33 8TH",
    "GIR 0AA",
    "NPT 9AA",
    "GX11 1AA",
    "JE2 3AB",
    "IM1 1AD",
    "BT1 5GS",
    "ZE9 9ZZ",
    "BFPO 801",
    "FIQQ 1ZZ",
    "SW1A",
    "SW1A 1",
    "SW",
    "XX10 1AA",
    "",
    "foo",
    "SW1A 1A",
    "SW1A 1AA1",
    "SW1A+1AA",
    "ＳW1A–OAA",
    "1A1 1AA",
    "SWIA 1AA",
    "SW1A OAA",
    "W1Q 1AA",
    "😀 SW1A 1AA",
    "\u{a0}SW1A\u{200b} 1AA.",
    "\"S.W.1.A. 1.A.A.\"",
];

const LETTERS: [&str; 4] = [
    "From SW1A1AA (London) to M1 1AE.",
    "😀 住所SW1A 1AAです, BFPO 57 und FIQQ 1ZZ; é NW1 and E1 6",
    "AB101AB2 and XSW1A 2AAX contain none",
    "no. 7,\tsw1a\n1aa",
];

const ADDRESSES: [&str; 6] = [
    "Flat 2, Rose House, 18 Ash Road, Norwood, EXAMPLETON, ZZ1 1ZZ",
    "Buckingham Palace\nLondon\nSW1A 1AA",
    "Example Bakery Ltd, 7-9 Elm Lane, EXAMPLETON",
    "PO Box 57, EXAMPLETON, ZZ1 1ZZ",
    "1A High Street",
    "",
];

const ELEMENTS: [&str; 7] = [
    r#"{"sub_building_name":"Flat 2","building_name":"Rose House 18A","thoroughfare":"Ash Road","post_town":"Exampleton","postcode":"ZZ1 1ZZ"}"#,
    r#"{"building_number":40,"thoroughfare":"Ash Road","post_town":"EXAMPLETON","postcode":null}"#,
    r#"{"sub_building_name":"A","building_name":"12-14","dependent_thoroughfare":"Elm Mews","thoroughfare":"Ash Road","double_dependant_locality":"Upper End","dependent_locality":"Norwood","post_town":"EXAMPLETON"}"#,
    r#"{"organisation_name":"Example Bakery Ltd","department_name":"Bread","po_box":57,"post_town":"EXAMPLETON"}"#,
    r#"{"uprn":"many"}"#,
    r#"{"building_number":{}}"#,
    "null",
];

fn main() {
    let mut texts: Vec<String> = TEXTS.map(str::to_owned).to_vec();
    for text in TEXTS {
        texts.extend(mistyped(text));
    }
    for text in &texts {
        say("isPostcode", &[json!(text)], json!(module::is_postcode(text)));
        say("formatPostcode", &[json!(text)], json!(module::format_postcode(text)));
        say("check", &[json!(text)], read(&module::check(text)));
        say("repair", &[json!(text)], read(&module::repair(text)));
        say("identify", &[json!(text)], read(&module::identify(text)));
    }
    for letter in LETTERS.into_iter().chain(TEXTS) {
        for everything in [false, true] {
            say(
                "find",
                &[json!(letter), json!({ "everything": everything })],
                read(&module::find(letter, everything)),
            );
        }
    }
    for text in ADDRESSES {
        say("readAddress", &[json!(text)], read(&module::read_address(text)));
    }
    for elements in ELEMENTS {
        for style in ["guide", "ideal", "dvla", "none"] {
            let (given, named) = (read(elements), json!(style));
            say(
                "formatAddress",
                &[given.clone(), named.clone()],
                tried(module::format_address(elements, style)),
            );
            for most in [0, 1, 2, 3, 9] {
                let answer = tried(module::address_lines(elements, most, style));
                say("addressLines", &[given.clone(), json!(most), named.clone()], answer);
            }
        }
    }
}

/// Returns what a text becomes if a character is left out, doubled, or typed as another one.
fn mistyped(text: &str) -> Vec<String> {
    let mut made = Vec::new();
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        made.push(format!("{before}{after}"));
        made.push(format!("{before}{c}{c}{after}"));
        made.extend("O0I1Z+é".chars().map(|other| format!("{before}{other}{after}")));
    }
    made
}

fn read(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|error| Value::String(format!("{answer}: {error}")))
}

fn tried(answer: Result<String, String>) -> Value {
    answer.map_or_else(|reason| json!({ "throws": reason }), |answer| read(&answer))
}

fn say(call: &str, given: &[Value], answer: Value) {
    println!("{}", json!([call, given, answer]));
}
