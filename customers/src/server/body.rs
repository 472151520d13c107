//! Request bodies: from a JSON object to the data of a customer.

use axum::extract::Request;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::json::{self, Expected, kind};
use super::problem::Problem;
use crate::{
    AddressKind, CustomerPatch, Invalid, MAX_ADDRESSES, MAX_REFERENCES, NewAddress, NewCustomer, Reference,
};

/// The largest body, in bytes: several times the size of a usual customer.
const MAX_BODY: usize = 64 * 1024;
/// Read-only fields of an address. They are ignored, so that an address can be sent back as it was
/// read.
const CHECKED: [&str; 7] =
    ["address_status", "admin_district", "region", "country", "latitude", "longitude", "address_id_status"];

/// Reads a whole customer. Ignores read-only and unknown fields, so that a customer can be sent
/// back as it was read.
pub(super) async fn customer(request: Request) -> Result<NewCustomer, Problem> {
    let mut fields = Fields::read(request, &["application/json"]).await?;
    let listed = fields.object.contains_key("addresses");
    let (name, email) = (fields.required("name", text), fields.required("email", text));
    let (postcode, address_lines) = if listed {
        (fields.or_null("postcode", text), fields.or_null("address_lines", lines))
    } else {
        (fields.required("postcode", text), fields.required("address_lines", lines))
    };
    let new = NewCustomer {
        name,
        email,
        postcode,
        address_lines,
        address_id: fields.removable("address_id", text),
        phone: fields.removable("phone", text),
        notes: fields.removable("notes", text),
        references: fields.references(),
        addresses: fields.addresses(),
    };
    fields.finish(new)
}

/// Reads a merge patch (RFC 7396) of a customer. Refuses read-only and unknown fields, because
/// ignoring them would look like a successful change.
pub(super) async fn patch(request: Request) -> Result<CustomerPatch, Problem> {
    let mut fields = Fields::read(request, &["application/merge-patch+json", "application/json"]).await?;
    let patch = CustomerPatch {
        name: fields.optional("name", text),
        email: fields.optional("email", text),
        postcode: fields.optional("postcode", text),
        address_lines: fields.optional("address_lines", lines),
        address_id: fields.removable("address_id", text),
        phone: fields.removable("phone", text),
        notes: fields.removable("notes", text),
        references: fields.references(),
        addresses: fields.addresses(),
    };
    fields.nothing_else(&[]);
    fields.finish(patch)
}

/// Reads one address.
pub(super) async fn address(request: Request) -> Result<NewAddress, Problem> {
    let mut fields = Fields::read(request, &["application/json"]).await?;
    let address = fields.address();
    fields.finish(address)
}

/// The fields of a JSON object, and the errors found in them.
struct Fields {
    object: Map<String, Value>,
    /// The prefix of field names in errors: the path of the containing object.
    path: String,
    invalid: Invalid,
}

impl Fields {
    async fn read(request: Request, types: &[&str]) -> Result<Self, Problem> {
        let expected = Expected {
            types,
            max: MAX_BODY,
            code: "invalid_customer",
            form: "an object with the customer's fields",
        };
        let object = json::object(request, expected).await?;
        Ok(Self { object, path: String::new(), invalid: Invalid::default() })
    }

    fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.invalid.add(format!("{}{name}", self.path), message);
    }

    fn optional<T>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> Option<T> {
        let value = self.object.remove(name)?;
        parse(value).map_err(|message| self.wrong(name, message)).ok()
    }

    fn required<T: Default>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> T {
        if !self.object.contains_key(name) {
            self.wrong(name, "is missing");
        }
        self.optional(name, parse).unwrap_or_default()
    }

    /// Reads a field. Null counts as absent.
    fn or_null<T: Default>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> T {
        self.nullable(name, parse).unwrap_or_default()
    }

    fn nullable<T>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> Option<T> {
        if self.object.get(name) == Some(&Value::Null) {
            self.object.remove(name);
        }
        self.optional(name, parse)
    }

    /// Reads a field that null clears.
    fn removable<T: Default>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> Option<T> {
        self.optional(name, |value| if value.is_null() { Ok(T::default()) } else { parse(value) })
    }

    /// Reads the objects of a list. Null counts as an empty list. A list that is too long is refused
    /// before its items are read.
    fn objects<T>(&mut self, name: &str, max: usize, read: impl Fn(&mut Self) -> T) -> Option<Vec<T>> {
        let list = self.removable(name, |value| match value {
            Value::Array(list) => Ok(list),
            other => Err(format!("is {}: give a list of objects", kind(&other))),
        })?;
        if self.invalid.too_many(&format!("{}{name}", self.path), list.len(), max) {
            return None;
        }
        let mut all = Vec::new();
        for (n, value) in list.into_iter().enumerate() {
            let Value::Object(object) = value else {
                self.wrong(&format!("{name}[{n}]"), format!("is {}: give an object", kind(&value)));
                continue;
            };
            let path = format!("{}{name}[{n}].", self.path);
            let mut fields = Self { object, path, invalid: std::mem::take(&mut self.invalid) };
            all.push(read(&mut fields));
            self.invalid = fields.invalid;
        }
        Some(all)
    }

    fn references(&mut self) -> Option<Vec<Reference>> {
        self.objects("references", MAX_REFERENCES, |fields| {
            let reference =
                Reference { system: fields.required("system", text), id: fields.required("id", text) };
            fields.nothing_else(&[]);
            reference
        })
    }

    fn addresses(&mut self) -> Option<Vec<NewAddress>> {
        self.objects("addresses", MAX_ADDRESSES, Self::address)
    }

    fn address(&mut self) -> NewAddress {
        let address = NewAddress {
            id: self.nullable("id", number),
            kind: self.required("kind", address_kind),
            postcode: self.required("postcode", text),
            address_lines: self.required("address_lines", lines),
            valid_from: self.nullable("valid_from", date),
            valid_to: self.nullable("valid_to", date),
            address_id: self.removable("address_id", text),
        };
        self.nothing_else(&CHECKED);
        address
    }

    /// Refuses all remaining fields except those in `but`.
    fn nothing_else(&mut self, but: &[&str]) {
        let left: Vec<String> =
            self.object.keys().filter(|name| !but.contains(&name.as_str())).cloned().collect();
        // Report only the first few: a body with thousands of unknown fields is not a customer.
        for name in left.into_iter().take(20) {
            let shown: String = name.chars().take(40).collect();
            self.wrong(&shown, "not a field you can set");
        }
    }

    fn finish<T>(self, value: T) -> Result<T, Problem> {
        if self.invalid.errors.is_empty() { Ok(value) } else { Err(self.invalid.into()) }
    }
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("is {}: give text", kind(&other))),
    }
}

fn lines(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(lines) => lines.into_iter().map(text).collect(),
        other => Err(format!("is {}: give a list of texts", kind(&other))),
    }
}

fn number(value: Value) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| format!("is {}: give the address's id, a number", kind(&value)))
}

fn address_kind(value: Value) -> Result<AddressKind, String> {
    let text = text(value)?;
    text.parse().map_err(|error| format!("{:?}: {error}", text.chars().take(40).collect::<String>()))
}

fn date(value: Value) -> Result<Date, String> {
    let text = text(value)?;
    // Accept only the usual form: jiff also accepts times, and drops them.
    match text.parse::<Date>() {
        Ok(date) if date.to_string() == text => Ok(date),
        _ => Err(format!("{:?}: give a date such as 2025-11-30", text.chars().take(40).collect::<String>())),
    }
}
