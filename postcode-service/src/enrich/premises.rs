//! The address that stands in a row, among the addresses of its postcode.

use std::collections::HashMap;

use postcode_addresses::AddressAnswer;
use postcode_addresses::matching::{Candidates, Match};
use postcode_core::Postcode;
use postcode_tables::{Dialect, Encoding, Scanner, Step};
use serde_json::Value;

use super::csv::{known, plain, text};
use super::lines::at_path;
use super::{Format, Plan, short};

/// The names of columns that hold the whole address, without case, spaces, `_` and `-`.
const WHOLE: [&str; 5] = ["address", "fulladdress", "propertyaddress", "addresstext", "siteaddress"];
/// The names of columns that hold a line of it, without the number at their end: those of the energy certificates, of food
/// hygiene ratings, and of Companies House (after a dot).
const LINES: [&str; 4] = ["address", "addressline", "line", "addr"];
/// The names of the elements in the land registry's price paid data.
const PRICE_PAID: [&str; 3] = ["saon", "paon", "street"];
/// The same by their places, in the file without names that the land registry publishes: part, building, street.
const PRICE_PAID_PLACES: [usize; 3] = [8, 7, 9];
/// The columns of that file, and the place of the postcode among them.
const PRICE_PAID_COLUMNS: (usize, usize) = (16, 3);

/// Returns the columns that hold the address: those that are asked for, or those that are called so. `None` if no column to
/// add is about the address.
///
/// # Errors
/// Lists the columns if the names do not tell, or one that is asked for is missing.
pub(super) fn columns(names: &[String], plan: &Plan) -> Result<Option<Vec<usize>>, String> {
    let Some(column) = plan.comparison() else { return Ok(None) };
    if !plan.address.is_empty() {
        let place = |wanted: &String| {
            let found = names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
            found.ok_or_else(|| {
                format!("--address-columns: there is no column {}, only {}", short(wanted), known(names))
            })
        };
        return plan.address.iter().map(place).collect::<Result<_, _>>().map(Some);
    }
    let found = usual(names);
    if found.is_empty() {
        return Err(format!(
            "the column {column} compares the address of each row, but which columns hold it? Name them \
             (--address-columns); here are {}",
            known(names)
        ));
    }
    Ok(Some(found))
}

/// Returns the same of a table without names, whose columns are called by their numbers, by its first row: without being asked
/// it knows the columns of the price paid data only.
///
/// # Errors
/// As [`columns`].
pub(super) fn numbered(
    names: &[String],
    first: &[String],
    postcode: usize,
    plan: &Plan,
) -> Result<Option<Vec<usize>>, String> {
    let has_id = first.first().is_some_and(|id| id.starts_with('{') && id.ends_with('}'));
    let is_price_paid = has_id && (names.len(), postcode) == PRICE_PAID_COLUMNS;
    if plan.comparison().is_some() && plan.address.is_empty() && is_price_paid {
        return Ok(Some(PRICE_PAID_PLACES.to_vec()));
    }
    columns(names, plan)
}

/// Returns the paths of keys that hold the addresses of objects with such paths; see [`columns`].
///
/// # Errors
/// As [`columns`].
pub(super) fn paths(paths: &[String], plan: &Plan) -> Result<Option<Vec<String>>, String> {
    let found = columns(paths, plan)?;
    Ok(found.map(|found| found.iter().filter_map(|n| paths.get(*n)).cloned().collect()))
}

/// Returns the columns whose names are usual for an address.
fn usual(names: &[String]) -> Vec<usize> {
    let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let all = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..names.len()).filter(|n| names.get(*n).is_some_and(|name| is(name))).collect()
    };
    let is_line = |name: &str| {
        let stem = name.strip_suffix(|number| ('1'..='5').contains(&number));
        stem.is_some_and(|stem| LINES.contains(&stem.rsplit('.').next().unwrap_or(stem)))
    };
    if names.iter().any(|name| name == PRICE_PAID[1]) {
        return all(&|name| PRICE_PAID.contains(&name));
    }
    let mut found = all(&is_line);
    if found.is_empty() {
        found = all(&|name| WHOLE.contains(&name));
        found.truncate(1);
    }
    found
}

/// Returns a note that says where the addresses are.
pub(super) fn note(names: &[String], columns: &[usize]) -> String {
    let names: Vec<String> = columns.iter().filter_map(|n| names.get(*n)).cloned().collect();
    format!("the addresses are in the columns {}", known(&names))
}

/// Compares the addresses of rows with those of their postcodes.
pub(super) struct Premises<'a> {
    plan: &'a Plan,
    columns: &'a [usize],
    encoding: Encoding,
    fields: Scanner,
    is_asked: bool,
    /// Those of the postcodes until now, each prepared once.
    prepared: HashMap<Postcode, Candidates<'a>>,
}

impl<'a> Premises<'a> {
    /// `columns` are those of CSV that hold the address.
    pub(super) fn new(
        plan: &'a Plan,
        columns: &'a [usize],
        (dialect, encoding): (&Dialect, Encoding),
    ) -> Self {
        Self {
            plan,
            columns,
            encoding,
            fields: Scanner::of(dialect),
            is_asked: plan.comparison().is_some(),
            prepared: HashMap::new(),
        }
    }

    /// Returns the address of the postcode that the row means. `read` is the object of a row of JSON. `None` if no column is
    /// about it, or the row or the postcode has no address.
    pub(super) fn find(
        &mut self,
        (postcode, answer): (Postcode, &'a AddressAnswer),
        read: &[u8],
        row: &[u8],
    ) -> Option<Match<'a>> {
        if !self.is_asked || answer.addresses().is_empty() {
            return None;
        }
        let text = match self.plan.format {
            Format::Csv => self.cells(row)?,
            Format::Ndjson | Format::Json => keys(read, self.plan)?,
        };
        let candidates = self.prepared.entry(postcode).or_insert_with(|| Candidates::new(answer.addresses()));
        (!text.is_empty()).then(|| candidates.find(&text))
    }

    fn cells(&mut self, row: &[u8]) -> Option<String> {
        self.fields.next_row();
        let Ok(Step::Row(_)) = self.fields.scan(row, true) else { return None };
        let texts = self.columns.iter().map(|n| text(row, &self.fields, self.encoding, *n));
        Some(joined(texts))
    }
}

/// Returns the address of an object, under the paths of the plan.
fn keys(object: &[u8], plan: &Plan) -> Option<String> {
    let object: Value = serde_json::from_slice(object).ok()?;
    // A key that is called as it is wanted comes before a path to it.
    let text = |path: &String| match object.get(path).or_else(|| at_path(&object, path))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Some(joined(plan.address.iter().filter_map(text)))
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> =
        texts.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Column;

    fn chosen(names: &str, asked: &[&str]) -> Result<Option<Vec<usize>>, String> {
        let plan = Plan {
            address: asked.iter().map(|name| (*name).to_owned()).collect(),
            ..Plan::new(Format::Csv, Column::list_with_addresses("address_match").unwrap())
        };
        columns(&names.split(',').map(str::to_owned).collect::<Vec<_>>(), &plan)
    }

    #[test]
    fn columns_of_public_registers_are_found_by_their_names() {
        for (names, expected) in [
            ("LMK_KEY,ADDRESS1,ADDRESS2,ADDRESS3,POSTCODE,ADDRESS", vec![1, 2, 3]),
            ("FHRSID,BusinessName,AddressLine1,AddressLine2,PostCode", vec![2, 3]),
            ("CompanyName,RegAddress.AddressLine1, RegAddress.AddressLine2,RegAddress.PostCode", vec![1, 2]),
            ("price,postcode,paon,saon,street,locality", vec![2, 3, 4]),
            ("id,Full address,postcode", vec![1]),
        ] {
            assert_eq!(chosen(names, &[]), Ok(Some(expected)), "{names}");
        }
        assert!(chosen("id,postcode", &[]).unwrap_err().contains("--address-columns"));
        assert_eq!(chosen("id,where,postcode", &["WHERE"]), Ok(Some(vec![1])));
        assert!(chosen("id,where", &["place"]).unwrap_err().contains("\"place\""));
    }

    #[test]
    fn columns_of_the_price_paid_data_are_known_without_names() {
        let plan = |asked: &[&str]| Plan {
            address: asked.iter().map(|name| (*name).to_owned()).collect(),
            ..Plan::new(Format::Csv, Column::list_with_addresses("address_match").unwrap())
        };
        let names: Vec<String> = (1..=16).map(|n| n.to_string()).collect();
        let first = ["{B3E5-1}".to_owned(), "250000".to_owned()];
        assert_eq!(numbered(&names, &first, 3, &plan(&[])), Ok(Some(vec![8, 7, 9])));
        assert_eq!(numbered(&names, &first, 3, &plan(&["8", "10"])), Ok(Some(vec![7, 9])));
        assert!(numbered(&names, &first, 4, &plan(&[])).unwrap_err().contains("--address-columns"));
        assert!(numbered(&names, &["B3E5".to_owned()], 3, &plan(&[])).is_err());
        assert!(numbered(&names[1..], &first, 3, &plan(&[])).is_err());
    }

    #[test]
    fn no_column_about_the_address_needs_none() {
        let plan = Plan::new(Format::Csv, Column::list("status").unwrap());
        assert_eq!(columns(&["address".to_owned()], &plan), Ok(None));
    }
}
