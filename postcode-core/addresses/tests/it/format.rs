//! The cases of public implementations, each in its own style.

use postcode_addresses::elements::Elements;
use postcode_addresses::format::LocalLabel;
use postcode_addresses::{Address, Style, order};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<T>,
    count: usize,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    paf: Elements,
    lines: Option<Vec<String>>,
    #[serde(default)]
    post_town: String,
    string: Option<String>,
}

fn cases<T: DeserializeOwned>(file: &str) -> Option<Vec<T>> {
    let path = postcode_testing::shared(&format!("cases/addresses/format/{file}"))?;
    let cases: Cases<T> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(cases.cases.len(), cases.count);
    Some(cases.cases)
}

fn address(elements: Elements) -> Address {
    elements.try_into().unwrap()
}

#[test]
fn guide_agrees_with_pypaf_but_for_names_that_end_in_a_keyword() {
    let Some(cases) = cases::<Case>("pypaf.json") else { return };
    let mut compared = 0;
    for case in cases {
        let Some(lines) = case.lines else { continue };
        let formatted = address(case.paf).format(Style::Guide);
        compared += 1;
        if case.id == "pypaf/rule_6/Rule6WithBuilding" {
            // Its name ends in `BUILDING 1A`, and BUILDING takes the number wherever it stands.
            assert_eq!(formatted.lines[1], "SUNLIFE BUILDING 1A");
            continue;
        }
        assert_eq!(formatted.lines, lines, "{}", case.id);
        assert_eq!(formatted.post_town, case.post_town, "{}", case.id);
        let string = case.string.unwrap_or_default().replace(". ", ", ");
        assert_eq!(formatted.single_line(), string, "{}", case.id);
    }
    assert_eq!(compared, 33);
}

#[test]
fn dvla_agrees_with_postman_paf() {
    let Some(cases) = cases::<Case>("dvla_half_a.json") else { return };
    assert!(!cases.is_empty());
    for case in cases {
        let address = address(case.paf);
        let formatted = address.format(Style::Dvla);
        assert_eq!(formatted.lines, case.lines.unwrap(), "{}", case.id);
        assert_eq!(formatted.post_town, case.post_town, "{}", case.id);
        assert_eq!(address.lines(Style::Dvla, 5).last().unwrap(), &case.post_town, "{}", case.id);
    }
}

#[test]
fn labels_of_delivery_points_agree_with_uk_geo_utils() {
    let Some(cases) = cases::<Case>("uk_geo_utils_paf_label.json") else { return };
    assert!(!cases.is_empty());
    for case in cases {
        let label = address(case.paf).format(Style::Guide).label();
        // That package always writes `PO Box`, and we write capitals in an address of capitals.
        assert_eq!(label.replace("PO BOX", "PO Box"), case.string.unwrap(), "{}", case.id);
    }
}

#[derive(Deserialize)]
struct LocalCase {
    id: String,
    lpi: Local,
    string: String,
}

#[derive(Deserialize)]
struct Local {
    organisation_name: String,
    sao_start_number: String,
    sao_start_suffix: String,
    sao_end_number: String,
    sao_end_suffix: String,
    sao_text: String,
    pao_start_number: String,
    pao_start_suffix: String,
    pao_end_number: String,
    pao_end_suffix: String,
    pao_text: String,
    street_description: String,
    locality: String,
    town_name: String,
}

#[test]
fn labels_of_local_records_agree_with_uk_geo_utils() {
    let Some(cases) = cases::<LocalCase>("uk_geo_utils_lpi_label.json") else { return };
    assert!(!cases.is_empty());
    for LocalCase { id, lpi, string } in cases {
        let label = LocalLabel {
            organisation: &lpi.organisation_name,
            sao_text: &lpi.sao_text,
            sao: [&lpi.sao_start_number, &lpi.sao_start_suffix, &lpi.sao_end_number, &lpi.sao_end_suffix],
            pao_text: &lpi.pao_text,
            pao: [&lpi.pao_start_number, &lpi.pao_start_suffix, &lpi.pao_end_number, &lpi.pao_end_suffix],
            street: &lpi.street_description,
            locality: &lpi.locality,
            town: &lpi.town_name,
        };
        assert_eq!(label.label(), string, "{id}");
    }
}

#[derive(Deserialize)]
struct Order {
    id: String,
    input: Vec<String>,
    expected: Vec<String>,
}

#[test]
fn orders_of_texts_agree_with_uk_geo_utils() {
    let Some(cases) = cases::<Order>("uk_geo_utils_sort.json") else { return };
    assert!(!cases.is_empty());
    for Order { id, input, expected } in cases {
        for turn in 0..input.len() {
            let mut texts = input.clone();
            texts.rotate_left(turn);
            order::sort_texts(&mut texts);
            assert_eq!(texts, expected, "{id}");
        }
    }
}

#[test]
fn ideal_agrees_with_recorded_replies() {
    let Some(folder) = postcode_testing::shared("cases/addresses/api") else { return };
    let mut compared = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let reply: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let body = &reply["body"];
        let result = if body["result"].is_null() { body } else { &body["result"] };
        let records = result
            .as_array()
            .or_else(|| result["hits"].as_array())
            .map_or_else(|| vec![result], |list| list.iter().collect());
        for record in records.into_iter().filter(|record| record["line_1"].is_string()) {
            let elements: Elements = serde_json::from_value(record.clone()).unwrap();
            let formatted = address(elements).format(Style::Ideal);
            let text = |key: &str| record[key].as_str().unwrap().trim().to_owned();
            let lines: Vec<String> = ["line_1", "line_2", "line_3"]
                .into_iter()
                .map(text)
                .filter(|line| !line.is_empty())
                .collect();
            assert_eq!(formatted.lines, lines, "{}", path.display());
            assert_eq!(formatted.premise, text("premise"), "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} records");
}

fn premises(sub: &str, name: &str, number: &str) -> Address {
    Address {
        sub_building: sub.into(),
        building_name: name.into(),
        building_number: number.into(),
        thoroughfare: "Ash Road".into(),
        post_town: "EXAMPLETON".into(),
        ..Address::default()
    }
}

/// One row for each question that styles answer differently, and for each rule.
#[test]
fn styles_answer_each_question_in_their_own_way() {
    type Lines = &'static [&'static str];
    let both = |address: &Address| {
        [Style::Guide, Style::Ideal, Style::Dvla].map(|style| address.format(style).lines)
    };
    let table: [(&str, Address, [Lines; 3]); 17] = [
        ("a", premises("B", "", "40"), [&["40B Ash Road"], &["40B Ash Road"], &["40B Ash Road"]]),
        ("b name", premises("", "C", ""), [&["C Ash Road"], &["C, Ash Road"], &["C Ash Road"]]),
        (
            "b sub",
            premises("A", "Rose Court", ""),
            [&["A Rose Court", "Ash Road"], &["A, Rose Court", "Ash Road"], &["A Rose Court", "Ash Road"]],
        ),
        (
            "c",
            premises("Flat 1", "", ""),
            [&["Flat 1", "Ash Road"], &["Flat 1 Ash Road"], &["Flat 1", "Ash Road"]],
        ),
        (
            "d",
            premises("", "Ash Court B", ""),
            [&["Ash Court B", "Ash Road"], &["Ash Court", "B Ash Road"], &["Ash Court B", "Ash Road"]],
        ),
        (
            "e",
            premises("", "Rose House Unit 18A", ""),
            [
                &["Rose House Unit 18A", "Ash Road"],
                &["Rose House Unit", "18A Ash Road"],
                &["Rose House Unit 18A", "Ash Road"],
            ],
        ),
        (
            "f",
            premises("", "Flat 18A", ""),
            [&["Flat 18A", "Ash Road"], &["Flat", "18A Ash Road"], &["Flat 18A", "Ash Road"]],
        ),
        (
            "f box",
            premises("", "PO Box 18A", ""),
            [&["PO Box 18A", "Ash Road"], &["PO Box", "18A Ash Road"], &["PO Box", "18A Ash Road"]],
        ),
        (
            "g",
            premises("", "Ash House 1/0", ""),
            [&["Ash House 1/0", "Ash Road"], &["Ash House", "1/0 Ash Road"], &["Ash House 1/0", "Ash Road"]],
        ),
        ("h", premises("1", "B", ""), [&["1", "B Ash Road"], &["1", "B, Ash Road"], &["1", "B Ash Road"]]),
        ("h number", premises("1", "2A", ""), [&["1", "2A Ash Road"]; 3]),
        (
            "l",
            premises("12A", "", "40"),
            [&["12A", "40 Ash Road"], &["12A", "40 Ash Road"], &["12A 40 Ash Road"]],
        ),
        ("m", premises("Flat 1", "Ash House", "0"), [&["Flat 1, Ash House", "Ash Road"]; 3]),
        ("scottish", premises("3/2", "", "40"), [&["3/2", "40 Ash Road"]; 3]),
        ("zero", premises("", "", "0000"), [&["Ash Road"]; 3]),
        ("rule 4", premises("", "Ash House", "7"), [&["Ash House", "7 Ash Road"]; 3]),
        ("rule 7", premises("2B", "Ash House", "7"), [&["2B Ash House", "7 Ash Road"]; 3]),
    ];
    for (question, address, expected) in table {
        assert_eq!(
            both(&address),
            expected.map(|lines| lines.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "{question}"
        );
    }

    let boxed = Address { po_box: "61".into(), department: "Post Room".into(), ..premises("", "", "7") };
    assert_eq!(
        both(&boxed),
        [
            vec!["Post Room", "PO Box 61", "7 Ash Road"],
            vec!["PO Box 61", "Ash Road"],
            vec!["Post Room", "PO BOX 61", "7 Ash Road"]
        ],
        "i, j"
    );
    let nowhere = Address { thoroughfare: String::new(), ..premises("", "", "7") };
    assert_eq!(both(&nowhere), [vec!["7"], vec![], vec!["7"]], "k");
    let apart = Address { concatenation_indicator: Some(false), ..premises("B", "", "40") };
    assert_eq!(
        both(&apart),
        [["B", "40 Ash Road"], ["B", "40 Ash Road"], ["B", "40 Ash Road"]],
        "the mainfile says no"
    );
}

#[test]
fn lines_fit_by_joining_or_dropping_the_lowest() {
    let address = Address {
        organisation: "Example Bakery".into(),
        dependent_locality: "Norwood".into(),
        postcode: "ZZ1 1ZZ".into(),
        ..premises("Flat 2", "Rose House", "7")
    };
    let lines = |style, most| address.lines(style, most);
    assert_eq!(
        lines(Style::Guide, 9),
        ["Example Bakery", "Flat 2", "Rose House", "7 Ash Road", "Norwood", "EXAMPLETON", "ZZ1 1ZZ"]
    );
    assert_eq!(
        lines(Style::Guide, 5),
        ["Example Bakery", "Flat 2", "Rose House, 7 Ash Road, Norwood", "EXAMPLETON", "ZZ1 1ZZ"]
    );
    assert_eq!(
        lines(Style::Guide, 2),
        ["Example Bakery, Flat 2, Rose House, 7 Ash Road, Norwood", "EXAMPLETON, ZZ1 1ZZ"]
    );
    assert_eq!(lines(Style::Guide, 1), [address.single_line()]);
    assert_eq!(lines(Style::Guide, 0), lines(Style::Guide, 1));
    assert_eq!(lines(Style::Ideal, 3), ["Example Bakery", "Flat 2", "Rose House, 7 Ash Road, Norwood"]);
    assert_eq!(lines(Style::Dvla, 5), ["Example Bakery", "Flat 2", "Rose House", "7 Ash Road", "EXAMPLETON"]);
    let mut written = String::new();
    address.write_lines(Style::Ideal, &mut written);
    assert_eq!(written, "Example Bakery\nFlat 2\nRose House, 7 Ash Road, Norwood\n");
}

#[test]
fn premise_number_and_unit_are_told_apart() {
    for (address, premise, number, unit) in [
        (premises("Flat 2", "", "7"), "Flat 2, 7", "7", "Flat 2"),
        (premises("A", "", "7"), "7A", "7", "A"),
        (premises("", "Rose House 18A", ""), "Rose House, 18A", "18A", ""),
        (premises("10B", "Rose Tower", ""), "10B Rose Tower", "", "10B"),
        (premises("Flat 1", "Ash House", "0"), "Flat 1, Ash House", "", "Flat 1"),
    ] {
        let formatted = address.format(Style::Guide);
        assert_eq!(
            (formatted.premise.as_str(), formatted.number.as_str(), formatted.unit.as_str()),
            (premise, number, unit)
        );
    }
}

#[test]
fn elements_are_read_from_texts_numbers_and_null() {
    let read = |json: &str| serde_json::from_str::<Elements>(json);
    let elements = read(
        r#"{"building_number": 7, "dependant_locality": " Norwood ", "po_box": null, "colour": ["red"]}"#,
    )
    .unwrap();
    assert_eq!((elements.building_number.as_str(), elements.dependent_locality.as_str()), ("7", "Norwood"));
    assert!(
        read(r#"{"thoroughfare": ["Ash Road"]}"#)
            .unwrap_err()
            .to_string()
            .contains("a text or a whole number")
    );
    let error = Address::try_from(Elements { udprn: "twelve".into(), ..Elements::default() }).unwrap_err();
    assert_eq!(error.to_string(), "udprn: \"twelve\" is not a whole number below 4,294,967,296");
}
