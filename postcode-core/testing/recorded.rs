//! Recorded reports of what people's files did to the programs.

use std::collections::BTreeMap;

use serde_json::Value;

/// Returns the input of each recorded case about files, by its id: those that happen in `customers`, or the others. Skips the
/// test if the shared data is missing.
pub fn recorded_files(in_customers: bool) -> Option<BTreeMap<String, String>> {
    let path = crate::shared("cases/files/cases.jsonl")?;
    let text = std::fs::read_to_string(path).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter_map(|case| {
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        let input = text("input");
        let of_customers = case["how"] == "customers" || input.ends_with("to customers");
        (of_customers == in_customers).then(|| (text("id"), input))
    });
    Some(cases.collect())
}
