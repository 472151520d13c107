//! Converts between customers and the rows of their two tables.

use std::str::FromStr;

use jiff::Timestamp;
use postcode_core::Postcode;

use super::database::{Row, Statement, Value, sql};
use super::failure::corrupt;
use crate::error::StoreError;
use crate::fold::folded;
use crate::{Address, AddressCheck, AddressLink, Customer};

type Result<T> = std::result::Result<T, StoreError>;

/// The columns of customers and their addresses, one row an address.
macro_rules! columns {
    () => {
        "c.seq, c.id, c.name, c.email, c.phone, c.notes, c.external_references, c.next_address, c.revision, \
         c.created_at, c.updated_at, c.deleted_at, a.number, a.kind, a.postcode, a.address_lines, a.valid_from, \
         a.valid_to, a.address_status, a.admin_district, a.region, a.country, a.latitude, a.longitude, a.address_id, \
         a.address_id_status"
    };
}
/// The order of a customer's addresses.
macro_rules! of_addresses {
    () => {
        "CASE a.kind WHEN 'main' THEN 0 ELSE 1 END, a.number"
    };
}
/// The usual order of these rows.
macro_rules! order {
    () => {
        concat!("ORDER BY c.seq, ", crate::store::rows::of_addresses!())
    };
}
pub(super) use {columns, of_addresses, order};

/// Builds the customers from rows in that order.
pub(super) fn customers(rows: &[Row]) -> Result<Vec<Customer>> {
    let mut customers: Vec<Customer> = Vec::new();
    for row in rows {
        let seq: i64 = row.get("seq")?;
        let address = address(row)?;
        match customers.last_mut() {
            Some(customer) if customer.seq == seq => customer.addresses.push(address),
            _ => customers.push(customer(row, seq, address)?),
        }
    }
    Ok(customers)
}

fn customer(row: &Row, seq: i64, main: Address) -> Result<Customer> {
    Ok(Customer {
        id: parsed(row, "id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        postcode: main.postcode,
        address_lines: main.address_lines.clone(),
        check: main.check.clone(),
        link: main.link,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        revision: row.get("revision")?,
        phone: row.get("phone")?,
        notes: row.get("notes")?,
        references: json(row, "external_references")?,
        addresses: vec![main],
        deleted_at: match row.get::<Option<i64>>("deleted_at")? {
            Some(_) => Some(time(row, "deleted_at")?),
            None => None,
        },
        seq,
        next_address: row.get("next_address")?,
    })
}

fn address(row: &Row) -> Result<Address> {
    Ok(Address {
        id: row.get("number")?,
        kind: parsed(row, "kind")?,
        postcode: parsed(row, "postcode")?,
        address_lines: json(row, "address_lines")?,
        valid_from: parsed_if(row, "valid_from")?,
        valid_to: parsed_if(row, "valid_to")?,
        check: check(row)?,
        link: link(row)?,
    })
}

fn link(row: &Row) -> Result<Option<AddressLink>> {
    match parsed_if(row, "address_id")? {
        Some(id) => Ok(Some(AddressLink { id, status: parsed(row, "address_id_status")? })),
        None => Ok(None),
    }
}

pub(super) fn check(row: &Row) -> Result<AddressCheck> {
    Ok(AddressCheck {
        status: parsed(row, "address_status")?,
        admin_district: row.get("admin_district")?,
        region: row.get("region")?,
        country: row.get("country")?,
        latitude: row.get("latitude")?,
        longitude: row.get("longitude")?,
    })
}

/// Writes one address of the customer with that place.
pub(super) fn insert_address(seq: i64, address: &Address, due: Option<Timestamp>) -> Result<Statement> {
    const SQL: &str = "INSERT INTO addresses (customer, number, kind, postcode, postcode_key, outcode, address_lines, \
         valid_from, valid_to, address_status, admin_district, region, country, latitude, longitude, district_key, \
         check_after, address_id, address_id_status) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
    let statement = sql(SQL)
        .bind(seq)
        .bind(address.id)
        .bind(address.kind.as_str())
        .bind(address.postcode.to_string())
        .bind(key(address.postcode))
        .bind(address.postcode.outcode().to_string())
        .bind(written("address_lines", &address.address_lines)?)
        .bind(address.valid_from.map(|date| date.to_string()))
        .bind(address.valid_to.map(|date| date.to_string()));
    Ok(bind_check(statement, &address.check)
        .bind(due.map(Timestamp::as_microsecond))
        .bind(address.link.map(|link| link.id.to_string()))
        .bind(address.link.map(|link| link.status.to_string())))
}

/// Binds seven values: status, district, region, country, latitude, longitude, lower-case district.
pub(super) fn bind_check(statement: Statement, check: &AddressCheck) -> Statement {
    let district_key: Value = check.admin_district.as_deref().map(folded).into();
    statement
        .bind(check.status.as_str())
        .bind(check.admin_district.clone())
        .bind(check.region.clone())
        .bind(check.country.clone())
        .bind(check.latitude)
        .bind(check.longitude)
        .bind(district_key)
}

/// Returns a postcode without its space.
fn key(postcode: Postcode) -> String {
    postcode.compact().to_string()
}

pub(super) fn written(column: &str, value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::new(format!("{column} can't be written as JSON")).with_source(error))
}

pub(super) fn time(row: &Row, column: &str) -> Result<Timestamp> {
    let microseconds: i64 = row.get(column)?;
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| corrupt(column, microseconds).with_source(error))
}

pub(super) fn json<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| corrupt(column, &text).with_source(error))
}

pub(super) fn parsed<T>(row: &Row, column: &str) -> Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| corrupt(column, &text).with_source(error))
}

fn parsed_if<T>(row: &Row, column: &str) -> Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    match row.get::<Option<String>>(column)? {
        Some(_) => parsed(row, column).map(Some),
        None => Ok(None),
    }
}
