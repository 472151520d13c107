//! Customers a page at a time.

use super::database::{Statement, Value};
use super::rows::{self, columns, order};
use super::{Cursor, Store};
use crate::Customer;
use crate::error::StoreError;
use crate::filter::{Circle, Filter};

type Result<T> = std::result::Result<T, StoreError>;

/// Some customers of a listing, and where it goes on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The customers, oldest account first.
    pub items: Vec<Customer>,
    /// Where a listing [near](Filter::near) a postcode is asked for: how far each customer is from it, in metres, by the
    /// nearest of the addresses that were asked for. Else empty.
    pub distances: Vec<f64>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

impl Page {
    /// The largest page.
    pub const MAX: usize = 1000;
}

/// Customers read at once, at least, where some are then left out.
const CHUNK: usize = 100;

impl Store {
    /// The customers that a checked filter lets through, after the cursor.
    pub(crate) async fn list(
        &self,
        filter: &Filter,
        circle: Option<Circle>,
        limit: usize,
        from: Option<Cursor>,
    ) -> Result<Page> {
        let mut after = from.map_or(0, |cursor| cursor.after);
        let mut page = Page { items: Vec::new(), distances: Vec::new(), next: None };
        loop {
            // One more than asked for tells whether there is a next page.
            let chunk = if circle.is_some() { CHUNK.max(limit) } else { limit } + 1;
            let found = self.readers.fetch(select(filter, circle, chunk, after)).await?;
            let customers = rows::customers(&found)?;
            let complete = customers.len() < chunk;
            for customer in customers {
                after = customer.seq;
                if let Some(circle) = circle {
                    let addresses = customer.addresses.iter().filter(|address| filter.takes(address));
                    let distances = addresses.filter_map(|address| circle.distance(address));
                    // In the corner of the box and not in the circle.
                    let Some(distance) = distances.min_by(f64::total_cmp) else { continue };
                    if page.items.len() < limit {
                        page.distances.push(distance);
                    }
                }
                if page.items.len() == limit {
                    page.next = page.items.last().map(|last| Cursor { after: last.seq });
                    return Ok(page);
                }
                page.items.push(customer);
            }
            if complete {
                return Ok(page);
            }
        }
    }
}

/// The SQL of a listing: put together from fixed texts, what callers say among the values.
fn select(filter: &Filter, circle: Option<Circle>, limit: usize, after: i64) -> Statement {
    let mut values: Vec<Value> = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut conditions = vec![format!("c.seq > {}", bind(after.into()))];
    conditions.push(format!("c.deleted_at IS {}NULL", if filter.deleted { "NOT " } else { "" }));
    let mut like = |columns: &[&str], text: &Option<String>, bind: &mut dyn FnMut(Value) -> String| {
        let Some(text) = text else { return };
        let pattern = bind(pattern(text).into());
        let any: Vec<_> =
            columns.iter().map(|column| format!("c.{column} LIKE {pattern} ESCAPE '\\'")).collect();
        conditions.push(format!("({})", any.join(" OR ")));
    };
    like(&["name_key", "email_key"], &filter.text, &mut bind);
    like(&["name_key"], &filter.name, &mut bind);
    like(&["email_key"], &filter.email, &mut bind);
    if let Some(since) = filter.updated_since {
        conditions.push(format!("c.updated_at >= {}", bind(since.as_microsecond().into())));
    }
    let mut address = Vec::new();
    if let Some(prefix) = &filter.postcode {
        // A range, which an index answers: `~` comes after all that a postcode has.
        let (first, last) = (bind(prefix.clone().into()), bind(format!("{prefix}~").into()));
        address.push(format!("postcode_key >= {first} AND postcode_key < {last}"));
    }
    if let Some(outcode) = filter.outcode {
        address.push(format!("outcode = {}", bind(outcode.to_string().into())));
    }
    if let Some(district) = &filter.district {
        address.push(format!("district_key = {}", bind(district.clone().into())));
    }
    if let Some(status) = filter.status {
        address.push(format!("address_status = {}", bind(status.as_str().into())));
    }
    if let Some(circle) = circle {
        let [south, north, west, east] = circle.bounds().map(|degrees| bind(degrees.into()));
        address.push(format!("latitude BETWEEN {south} AND {north} AND longitude BETWEEN {west} AND {east}"));
    }
    if !address.is_empty() {
        address.push(format!("customer > {}", bind(after.into())));
        conditions.push(format!("c.seq IN (SELECT customer FROM addresses WHERE {})", address.join(" AND ")));
    }
    let limit = bind((limit as i64).into());
    let text = format!(
        "SELECT {} FROM (SELECT * FROM customers c WHERE {} ORDER BY c.seq LIMIT {limit}) c \
         JOIN addresses a ON a.customer = c.seq {}",
        columns!(),
        conditions.join(" AND "),
        order!()
    );
    Statement::composed(text, values)
}

/// The text anywhere, its own `%` and `_` meaning themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_a_pattern_mean_themselves() {
        assert_eq!(pattern("a%b_c\\d"), "%a\\%b\\_c\\\\d%");
    }
}
