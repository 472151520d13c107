//! The audit trail: what was done to an account, when, and by whom.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{AddressCheck, Customer};

/// One change of an account as stored. Serialises to the JSON of the HTTP API.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// let ada = customers.by("support")?.create(ada).await?;
/// let history = customers.history(ada.id, 10, None).await?;
/// let entry = &history.items[0];
/// assert_eq!((&*entry.action, entry.actor.as_deref()), ("created", Some("support")));
/// assert_eq!(entry.changes["name"]["to"], "Ada Lovelace");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When the change was made.
    #[serde(serialize_with = "crate::customer::rfc3339")]
    pub at: Timestamp,
    /// Who made it, if the caller said so: see [`Customers::by`](crate::Customers::by). `None` for
    /// changes that the program made by itself.
    pub actor: Option<String>,
    /// The kind of change: `created`, `changed`, `address_added`, `address_changed`,
    /// `address_removed`, `resolved`, `rechecked`, `deleted`, `restored` or `erased`.
    pub action: String,
    /// The account's revision after the change.
    pub revision: i64,
    /// The old and new value of each changed field:
    /// `{"addresses/1/postcode": {"from": "SW1A 1AA", "to": "M1 1AE"}}`. The number after
    /// `addresses` is the address's id. A long old text is cut; an earlier entry has all of it.
    ///
    /// The newest 1,000 entries of an account have values. Older ones have field names only:
    /// `{"notes": {}}`. After 10,000 entries the oldest are removed, except the creation.
    pub changes: Value,
}

/// The kind of a change.
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

/// Returns the differences between two states of an account. Without a `before`, all fields count.
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

/// Returns the differences between two checks of one address.
pub(crate) fn check_changes(number: i64, before: &AddressCheck, after: &AddressCheck) -> Map<String, Value> {
    let mut changes = Map::new();
    compare(&mut changes, &format!("addresses/{number}/"), &object(before), &object(after));
    changes
}

/// Returns a customer's fields, without those that every change touches. The addresses are left
/// out, because the main one is also there as flat fields.
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
        // Only an object has fields.
        _ => Map::new(),
    }
}

/// Cuts a text to the maximum length in characters, and marks that it was longer.
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
        // An empty list counts as an absent one.
        let nothing = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if from != to && !(nothing(&from) && nothing(&to)) {
            changes.insert(format!("{path}{name}"), json!({ "from": cut(from), "to": to }));
        }
    }
}
