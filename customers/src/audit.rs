//! What was done to an account, when, and by whom.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{AddressCheck, Customer};

/// One change of an account, as it is stored. Its JSON is that of the HTTP API.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When it was done.
    #[serde(serialize_with = "crate::customer::rfc3339")]
    pub at: Timestamp,
    /// By whom, if that was said: see [`Customers::by`](crate::Customers::by). None for what was done by itself.
    pub actor: Option<String>,
    /// What was done: `created`, `changed`, `address_added`, `address_changed`, `address_removed`, `resolved`, `rechecked`,
    /// `deleted`, `restored`, `erased`.
    pub action: String,
    /// The account's revision after it.
    pub revision: i64,
    /// Which fields changed from what to what: `{"addresses/1/postcode": {"from": "SW1A 1AA", "to": "M1 1AE"}}`. The
    /// number after `addresses` is the address's id. What a long text was before is cut: an earlier entry has all of it.
    ///
    /// The newest 1,000 entries of an account have these values. Older ones name the fields only: `{"notes": {}}`. Of more
    /// than 10,000 the oldest are removed, but for that of the creation.
    pub changes: Value,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Created,
    Changed,
    AddressAdded,
    AddressChanged,
    AddressRemoved,
    Resolved,
    Rechecked,
    Deleted,
    Restored,
    Erased,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::AddressAdded => "address_added",
            Self::AddressChanged => "address_changed",
            Self::AddressRemoved => "address_removed",
            Self::Resolved => "resolved",
            Self::Rechecked => "rechecked",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Erased => "erased",
        }
    }
}

/// What changed between two states of an account: from none, it is all that it holds.
pub(crate) fn changes(before: Option<&Customer>, after: &Customer) -> Map<String, Value> {
    let mut changes = Map::new();
    let (was, is) = (before.map(fields).unwrap_or_default(), fields(after));
    compare(&mut changes, "", &was, &is);
    let numbers = before.into_iter().chain([after]).flat_map(|customer| &customer.addresses);
    let mut numbers: Vec<i64> = numbers.map(|address| address.id).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let of = |customer: &Customer| customer.address(number).map(object).unwrap_or_default();
        let (was, is) = (before.map(of).unwrap_or_default(), of(after));
        compare(&mut changes, &format!("addresses/{number}/"), &was, &is);
    }
    changes
}

/// What changed with the check of one address.
pub(crate) fn check_changes(number: i64, before: &AddressCheck, after: &AddressCheck) -> Map<String, Value> {
    let mut changes = Map::new();
    compare(&mut changes, &format!("addresses/{number}/"), &object(before), &object(after));
    changes
}

/// The fields of a customer but for its addresses, of which the main one is there flat too, and for what every change
/// changes.
fn fields(customer: &Customer) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("name".into(), json!(customer.name));
    fields.insert("email".into(), json!(customer.email));
    fields.insert("phone".into(), json!(customer.phone));
    fields.insert("notes".into(), json!(customer.notes));
    fields.insert("references".into(), json!(customer.references));
    fields
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        // What is no object has no fields.
        _ => Map::new(),
    }
}

/// A text at most that long, in characters, and a sign that it was longer.
fn cut(value: Value) -> Value {
    const MOST: usize = 200;
    match value {
        Value::String(text) => match text.char_indices().nth(MOST) {
            Some((at, _)) => Value::String(format!("{}…", &text[..at])),
            None => Value::String(text),
        },
        other => other,
    }
}

fn compare(changes: &mut Map<String, Value>, path: &str, was: &Map<String, Value>, is: &Map<String, Value>) {
    let names = was.keys().chain(is.keys().filter(|name| !was.contains_key(*name)));
    for name in names.filter(|name| *name != "id") {
        let value = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or_default();
        let (from, to) = (value(was), value(is));
        // An empty list is as much as nothing.
        let nothing = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if from != to && !(nothing(&from) && nothing(&to)) {
            changes.insert(format!("{path}{name}"), json!({ "from": cut(from), "to": to }));
        }
    }
}
