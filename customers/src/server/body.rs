//! Request bodies: from a JSON object to what a caller says of a customer.

use axum::extract::Request;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::json::{self, Expected, kind};
use super::problem::Problem;
use crate::{AddressKind, CustomerPatch, Invalid, NewAddress, NewCustomer, Reference};

/// The largest body, in bytes: several times what a customer usually takes.
const MAX_BODY: usize = 64 * 1024;
/// What is read of an address and can't be set: it is there when an address is sent back as it was read.
const CHECKED: [&str; 6] = ["address_status", "admin_district", "region", "country", "latitude", "longitude"];

/// A whole customer. What it has and can't be set, and what nobody knows, is passed over, so that a customer can be sent back
/// as it was read.
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
        phone: fields.removable("phone", text),
        notes: fields.removable("notes", text),
        references: fields.references(),
        addresses: fields.addresses(),
    };
    fields.finish(new)
}

/// Some fields of a customer, as a merge patch (RFC 7396). What can't be changed is refused: passed over, it would seem
/// changed.
pub(super) async fn patch(request: Request) -> Result<CustomerPatch, Problem> {
    let mut fields = Fields::read(request, &["application/merge-patch+json", "application/json"]).await?;
    let patch = CustomerPatch {
        name: fields.optional("name", text),
        email: fields.optional("email", text),
        postcode: fields.optional("postcode", text),
        address_lines: fields.optional("address_lines", lines),
        phone: fields.removable("phone", text),
        notes: fields.removable("notes", text),
        references: fields.references(),
        addresses: fields.addresses(),
    };
    fields.nothing_else(&[]);
    fields.finish(patch)
}

/// One address.
pub(super) async fn address(request: Request) -> Result<NewAddress, Problem> {
    let mut fields = Fields::read(request, &["application/json"]).await?;
    let address = fields.address();
    fields.finish(address)
}

/// The fields of a JSON object, and what is wrong with them.
struct Fields {
    object: Map<String, Value>,
    /// What stands before a field's name: that of the object which it is part of.
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

    /// Null is as good as not there.
    fn or_null<T: Default>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> T {
        self.nullable(name, parse).unwrap_or_default()
    }

    fn nullable<T>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> Option<T> {
        if self.object.get(name) == Some(&Value::Null) {
            self.object.remove(name);
        }
        self.optional(name, parse)
    }

    /// Null makes it empty.
    fn removable<T: Default>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> Option<T> {
        self.optional(name, |value| if value.is_null() { Ok(T::default()) } else { parse(value) })
    }

    /// The objects of a list; null is an empty one.
    fn objects<T>(&mut self, name: &str, read: impl Fn(&mut Self) -> T) -> Option<Vec<T>> {
        let list = self.removable(name, |value| match value {
            Value::Array(list) => Ok(list),
            other => Err(format!("is {}: give a list of objects", kind(&other))),
        })?;
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
        self.objects("references", |fields| {
            let reference =
                Reference { system: fields.required("system", text), id: fields.required("id", text) };
            fields.nothing_else(&[]);
            reference
        })
    }

    fn addresses(&mut self) -> Option<Vec<NewAddress>> {
        self.objects("addresses", Self::address)
    }

    fn address(&mut self) -> NewAddress {
        let address = NewAddress {
            id: self.nullable("id", number),
            kind: self.required("kind", address_kind),
            postcode: self.required("postcode", text),
            address_lines: self.required("address_lines", lines),
            valid_from: self.nullable("valid_from", date),
            valid_to: self.nullable("valid_to", date),
        };
        self.nothing_else(&CHECKED);
        address
    }

    /// Refuses what is left, but for that.
    fn nothing_else(&mut self, but: &[&str]) {
        let left: Vec<String> =
            self.object.keys().filter(|name| !but.contains(&name.as_str())).cloned().collect();
        // As many as help: a body of thousands is no customer's.
        for name in left.into_iter().take(20) {
            let shown: String = name.chars().take(40).collect();
            self.wrong(&shown, "is no field that can be set");
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
    // Only the usual form: jiff takes times too, and drops them.
    match text.parse::<Date>() {
        Ok(date) if date.to_string() == text => Ok(date),
        _ => Err(format!("{:?}: give a date such as 2025-11-30", text.chars().take(40).collect::<String>())),
    }
}
