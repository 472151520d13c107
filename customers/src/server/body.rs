//! Request bodies: from a JSON object to what a caller says of a customer.

use axum::extract::Request;
use serde_json::{Map, Value};

use super::json::{self, Expected, kind};
use super::problem::Problem;
use crate::{CustomerPatch, Invalid, NewCustomer};

/// The largest body, in bytes: several times what the longest customer takes.
const MAX_BODY: usize = 64 * 1024;

/// A whole customer.
pub(super) async fn customer(request: Request) -> Result<NewCustomer, Problem> {
    let mut fields = Fields::read(request, &["application/json"]).await?;
    let new = NewCustomer {
        name: fields.required("name", text),
        email: fields.required("email", text),
        postcode: fields.required("postcode", text),
        address_lines: fields.required("address_lines", lines),
        ..NewCustomer::default()
    };
    fields.finish(new)
}

/// Some fields of a customer, as a merge patch (RFC 7396).
pub(super) async fn patch(request: Request) -> Result<CustomerPatch, Problem> {
    let mut fields = Fields::read(request, &["application/merge-patch+json", "application/json"]).await?;
    let patch = CustomerPatch {
        name: fields.optional("name", text),
        email: fields.optional("email", text),
        postcode: fields.optional("postcode", text),
        address_lines: fields.optional("address_lines", lines),
        ..CustomerPatch::default()
    };
    fields.finish(patch)
}

/// The fields of a JSON object, and what is wrong with them. Fields that nobody asks for are ignored, so that
/// a customer can be sent back as it was read.
struct Fields {
    object: Map<String, Value>,
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
        Ok(Self { object, invalid: Invalid::default() })
    }

    fn optional<T>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> Option<T> {
        let value = self.object.remove(name)?;
        parse(value).map_err(|message| self.invalid.add(name, message)).ok()
    }

    fn required<T: Default>(&mut self, name: &str, parse: impl Fn(Value) -> Result<T, String>) -> T {
        if !self.object.contains_key(name) {
            self.invalid.add(name, "is missing");
        }
        self.optional(name, parse).unwrap_or_default()
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
