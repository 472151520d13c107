//! Pages of customers.

use std::ops::ControlFlow;

use super::database::{Row, Statement, Value};
use super::rows::{self, columns, of_addresses};
use super::{Cursor, Store};
use crate::error::StoreError;
use crate::filter::{Circle, Filter};
use crate::fold::folded;
use crate::{Customer, Sort, SortField};

type Result<T> = std::result::Result<T, StoreError>;

/// A page of a listing.
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
/// customers.create(ada).await?;
/// let page = customers.list(10, None).await?;
/// assert_eq!((page.items.len(), page.next), (1, None)); // the last page
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The customers, in the [order](Filter::sort) of the listing.
    pub items: Vec<Customer>,
    /// The distance in metres of each customer's nearest matching address, if the listing is
    /// [near](Filter::near) a postcode. Else empty.
    pub distances: Vec<f64>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<Cursor>,
}

impl Page {
    /// The largest page.
    pub const MAX: usize = 1000;
}

/// The approximate most bytes of text on one page. Customers with long notes are spread over more
/// pages, so that no response takes much memory.
const MAX_BYTES: usize = 2 << 20;
/// The approximate bytes of a row without its texts.
const ROW: usize = 300;

/// The number of accounts in a listing.
///
/// ```
/// use customers::Total;
///
/// fn shown(total: Total) -> String {
///     if total.exact { total.count.to_string() } else { format!("over {}", Total::MAX) }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Total {
    /// The number of accounts, at most [`MAX`](Self::MAX).
    pub count: usize,
    /// Whether the count is exact. If not, there are more.
    pub exact: bool,
}

impl Total {
    /// The most accounts that are counted.
    pub const MAX: usize = 10_000;

    fn of(counted: usize) -> Self {
        Self { count: counted.min(Self::MAX), exact: counted <= Self::MAX }
    }
}

impl Store {
    /// Returns the customers after the cursor that match a checked filter.
    pub(crate) async fn list(
        &self,
        filter: &Filter,
        circle: Option<Circle>,
        limit: usize,
        from: Option<&Cursor>,
    ) -> Result<Page> {
        match circle {
            Some(circle) => self.list_near(filter, circle, limit, from).await,
            None => {
                let (items, more, last) = self.page(select(filter, limit, from), limit, filter.sort).await?;
                Ok(Page { items, distances: Vec::new(), next: last.filter(|_| more) })
            }
        }
    }

    /// Counts the customers that match a checked filter.
    pub(crate) async fn count(&self, filter: &Filter, circle: Option<Circle>) -> Result<Total> {
        if let Some(circle) = circle {
            return Ok(Total::of(self.find_near(filter, circle, Total::MAX, None).await?.count()));
        }
        let found = self.scans.fetch(count(filter)).await?;
        let counted: i64 = found.first().map_or(Ok(0), |row| row.get("counted"))?;
        Ok(Total::of(usize::try_from(counted).unwrap_or(0)))
    }

    /// Returns the places of at most `limit` customers in a circle. The statement is stopped there.
    async fn find_near(
        &self,
        filter: &Filter,
        circle: Circle,
        limit: usize,
        from: Option<&Cursor>,
    ) -> Result<Found> {
        let (mut found, mut last) = (Found::default(), None);
        // Many addresses share a location, so keep the last result.
        let (mut place, mut inside) = ((f64::NAN, f64::NAN), false);
        let take = |row: Row| {
            let seq: i64 = row.get("seq")?;
            let at: (f64, f64) = (row.get("latitude")?, row.get("longitude")?);
            if at != place {
                (place, inside) = (at, circle.holds(at.0, at.1));
            }
            if !inside || found.places.last() == Some(&seq) {
                return Ok(ControlFlow::Continue(()));
            }
            found.more = found.places.len() == limit;
            if found.more {
                return Ok(ControlFlow::Break(()));
            }
            found.places.push(seq);
            last = Some(row);
            Ok(ControlFlow::Continue(()))
        };
        self.scans.each(find(filter, circle, from), take).await?;
        found.last = last.map(|row| position(&row, filter.sort)).transpose()?;
        Ok(found)
    }

    /// Lists the customers near a postcode. One statement finds their places and is stopped when
    /// the page is full; another reads that page.
    async fn list_near(
        &self,
        filter: &Filter,
        circle: Circle,
        limit: usize,
        from: Option<&Cursor>,
    ) -> Result<Page> {
        let found = self.find_near(filter, circle, limit, from).await?;
        if found.places.is_empty() {
            return Ok(Page { items: Vec::new(), distances: Vec::new(), next: None });
        }
        let (customers, cut, last_read) = self.page(read(&found.places, filter), limit, filter.sort).await?;
        let next = if cut { last_read } else { found.last.filter(|_| found.more) };
        let (mut items, mut distances) = (Vec::new(), Vec::new());
        for customer in customers {
            let addresses = customer.addresses.iter().filter(|address| filter.takes(address));
            // A customer that has moved away since has no distance.
            let nearest = addresses.filter_map(|address| circle.distance(address)).min_by(f64::total_cmp);
            if let Some(distance) = nearest {
                distances.push(distance);
                items.push(customer);
            }
        }
        Ok(Page { items, distances, next })
    }

    /// Returns at most `limit` customers of a statement, whether there are more, and the position
    /// after them.
    async fn page(
        &self,
        statement: Statement,
        limit: usize,
        sort: Sort,
    ) -> Result<(Vec<Customer>, bool, Option<Cursor>)> {
        let (mut rows, mut bytes, mut customers, mut last) = (Vec::new(), 0, 0, None);
        let mut more = false;
        let take = |row: Row| {
            let seq: i64 = row.get("seq")?;
            if last != Some(seq) {
                more = customers == limit || bytes > MAX_BYTES;
                if more {
                    return Ok(ControlFlow::Break(()));
                }
                (customers, last) = (customers + 1, Some(seq));
            }
            // Each row repeats the customer's fields.
            let length =
                |column| row.get::<Option<String>>(column).map(|text| text.map_or(0, |text| text.len()));
            bytes += ROW + length("notes")? + length("external_references")? + length("address_lines")?;
            rows.push(row);
            Ok(ControlFlow::Continue(()))
        };
        self.scans.each(statement, take).await?;
        let last = rows.last().map(|row| position(row, sort)).transpose()?;
        Ok((rows::customers(&rows)?, more, last))
    }
}

/// The places of the customers in a circle.
#[derive(Default)]
struct Found {
    places: Vec<i64>,
    more: bool,
    /// The position after the last of them.
    last: Option<Cursor>,
}

impl Found {
    /// Returns their number, or one more if there are more.
    fn count(&self) -> usize {
        self.places.len() + usize::from(self.more)
    }
}

/// Returns the position after the customer of a row.
fn position(row: &Row, sort: Sort) -> Result<Cursor> {
    let key = match sort.by {
        SortField::Created => String::new(),
        SortField::Updated => row.get::<i64>("sort_key")?.to_string(),
        SortField::Name | SortField::Email | SortField::Postcode => row.get("sort_key")?,
    };
    Ok(Cursor::new(sort, row.get("seq")?, key))
}

/// The parts of a statement that sort customers. All are constant texts.
#[derive(Clone, Copy)]
struct Order {
    /// The value by which customers are sorted.
    key: &'static str,
    /// The place of the customer, of the same table.
    place: &'static str,
    /// The table of the key, unless it is `c`.
    join: &'static str,
    direction: &'static str,
}

impl Order {
    fn of(sort: Sort) -> Self {
        let key = match sort.by {
            SortField::Created => "c.seq",
            SortField::Updated => "c.updated_at",
            SortField::Name => "c.name_key",
            SortField::Email => "c.email_key",
            SortField::Postcode => "m.postcode_key",
        };
        let (place, join) = match sort.by {
            SortField::Postcode => {
                ("m.customer", "JOIN addresses m ON m.customer = c.seq AND m.kind = 'main'")
            }
            _ => ("c.seq", ""),
        };
        Self { key, place, join, direction: if sort.descending { "DESC" } else { "ASC" } }
    }

    /// Returns the order of the table that is sorted.
    fn inner(self) -> String {
        self.by(self.key, self.place)
    }

    /// Returns the order by a value and a place with these names.
    fn by(self, key: &str, place: &str) -> String {
        let direction = self.direction;
        match self.key {
            "c.seq" => format!("c.seq {direction}"),
            _ => format!("{key} {direction}, {place} {direction}"),
        }
    }
}

/// The conditions of a statement. They consist of constant texts; data from callers is among the
/// values.
#[derive(Default)]
struct Conditions {
    values: Vec<Value>,
    of_customer: Vec<String>,
    /// Conditions on one address, with `@` for its table.
    of_address: Vec<String>,
}

impl Conditions {
    fn of(filter: &Filter, from: Option<&Cursor>) -> Self {
        let mut all = Self::default();
        // In other orders any place may follow.
        let usual = filter.sort == Sort::default();
        let after = all.bind(from.filter(|_| usual).map_or(0, |cursor| cursor.after));
        if usual {
            all.of_customer.push(format!("c.seq > {after}"));
        }
        if let Some(Cursor { after, key: Some((sort, key)) }) = from {
            all.after(*sort, key, *after);
        }
        all.of_customer.push(format!("c.deleted_at IS {}NULL", if filter.deleted { "NOT " } else { "" }));
        for (columns, text) in [
            (&["name_key", "email_key"][..], &filter.text),
            (&["name_key"], &filter.name),
            (&["email_key"], &filter.email),
        ] {
            let Some(text) = text else { continue };
            let mut any = Vec::new();
            for column in columns {
                // Two emails that differ in an accent are two emails.
                let text = if *column == "name_key" { folded(text) } else { text.clone() };
                let pattern = all.bind(pattern(&text));
                any.push(format!("c.{column} LIKE {pattern} ESCAPE '\\'"));
            }
            all.of_customer.push(format!("({})", any.join(" OR ")));
        }
        if let Some(since) = filter.updated_since {
            let since = all.bind(since.as_microsecond());
            all.of_customer.push(format!("c.updated_at >= {since}"));
        }
        if let Some(prefix) = &filter.postcode {
            // A range can use an index. `~` sorts after every character of a postcode.
            let (first, last) = (all.bind(prefix.clone()), all.bind(format!("{prefix}~")));
            all.of_address.push(format!("@.postcode_key >= {first} AND @.postcode_key < {last}"));
        }
        for (column, value) in [
            ("outcode", filter.outcode.map(|outcode| outcode.to_string())),
            ("district_key", filter.district.clone()),
            ("address_status", filter.status.map(|status| status.as_str().to_owned())),
        ] {
            let Some(value) = value else { continue };
            let value = all.bind(value);
            all.of_address.push(format!("@.{column} = {value}"));
        }
        all
    }

    /// Adds the condition that a customer follows a position.
    fn after(&mut self, sort: Sort, key: &str, seq: i64) {
        let sign = if sort.descending { '<' } else { '>' };
        let Order { key: column, place, .. } = Order::of(sort);
        let condition = match sort.by {
            SortField::Created => format!("c.seq {sign} {}", self.bind(seq)),
            by => {
                let key = match (by, key.parse::<i64>()) {
                    (SortField::Updated, Ok(time)) => self.bind(time),
                    _ => self.bind(key),
                };
                format!("({column}, {place}) {sign} ({key}, {})", self.bind(seq))
            }
        };
        self.of_customer.push(condition);
    }

    fn near(&mut self, circle: Circle) {
        let [south, north, west, east] = circle.bounds().map(|degrees| self.bind(degrees));
        // The box uses the index. The other conditions drop the parts of its corners that are
        // outside.
        self.of_address.push(format!("@.latitude BETWEEN {south} AND {north}"));
        self.of_address.push(format!("@.longitude BETWEEN {west} AND {east}"));
        let [up, across] = circle.shortest_degrees().map(|metres| self.bind(metres * metres));
        let [latitude, longitude] =
            [circle.centre.latitude(), circle.centre.longitude()].map(|degrees| self.bind(degrees));
        let square = self.bind((circle.radius + 0.01).powi(2));
        self.of_address.push(format!(
            "(@.latitude - {latitude}) * (@.latitude - {latitude}) * {up} \
             + (@.longitude - {longitude}) * (@.longitude - {longitude}) * {across} <= {square}"
        ));
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Returns all conditions on `c`. Conditions on an address may hold for any of its addresses.
    fn text(&self) -> String {
        let mut conditions = self.of_customer.clone();
        if !self.of_address.is_empty() {
            // Only for customers after the cursor: $1.
            let of_address = self.of_address.join(" AND ").replace('@', "near");
            conditions.push(format!(
                "c.seq IN (SELECT near.customer FROM addresses near WHERE near.customer > $1 AND {of_address})"
            ));
        }
        conditions.join(" AND ")
    }
}

/// Returns the statement for a page of customers and the first one of the next.
fn select(filter: &Filter, limit: usize, from: Option<&Cursor>) -> Statement {
    let mut conditions = Conditions::of(filter, from);
    let text = conditions.text();
    let limit = conditions.bind(limit as i64 + 1);
    let order = Order::of(filter.sort);
    let Order { key, join, .. } = order;
    let text = format!(
        "SELECT {}, c.sort_key FROM (SELECT c.*, {key} AS sort_key FROM customers c {join} \
         WHERE {text} ORDER BY {} LIMIT {limit}) c JOIN addresses a ON a.customer = c.seq ORDER BY {}, {}",
        columns!(),
        order.inner(),
        order.by("c.sort_key", "c.seq"),
        of_addresses!()
    );
    Statement::composed(text, conditions.values)
}

/// Returns the statement that counts customers.
fn count(filter: &Filter) -> Statement {
    let mut conditions = Conditions::of(filter, None);
    let text = conditions.text();
    let most = conditions.bind(Total::MAX as i64 + 1);
    let text = format!(
        "SELECT count(*) AS counted FROM (SELECT c.seq FROM customers c WHERE {text} LIMIT {most}) counted"
    );
    Statement::composed(text, conditions.values)
}

/// Returns the statement for the places of customers that may be near, with their addresses'
/// locations.
fn find(filter: &Filter, circle: Circle, from: Option<&Cursor>) -> Statement {
    let mut conditions = Conditions::of(filter, from);
    conditions.near(circle);
    let text = conditions.text();
    let of_address = conditions.of_address.join(" AND ").replace('@', "a");
    // With this order of tables and a limit, SQLite reads in the order of places and stops early,
    // instead of sorting all rows first.
    let all = conditions.bind(i64::MAX);
    let order = Order::of(filter.sort);
    let Order { key, join, .. } = order;
    let text = format!(
        "SELECT c.seq, a.latitude, a.longitude, {key} AS sort_key FROM customers c {join} CROSS JOIN addresses a \
         WHERE a.customer = c.seq AND {text} AND {of_address} ORDER BY {} LIMIT {all}",
        order.inner()
    );
    Statement::composed(text, conditions.values)
}

/// Returns the statement for the customers in these places, of which there is at least one.
fn read(places: &[i64], filter: &Filter) -> Statement {
    // Round the number of values up to a power of two, so that few different statements are
    // prepared.
    let last = places.last().copied().unwrap_or_default();
    let values: Vec<Value> = (0..places.len().next_power_of_two())
        .map(|n| places.get(n).copied().unwrap_or(last).into())
        .collect();
    let list: Vec<_> = (1..=values.len()).map(|n| format!("${n}")).collect();
    let order = Order::of(filter.sort);
    let Order { key, join, .. } = order;
    let text = format!(
        "SELECT {}, {key} AS sort_key FROM customers c {join} JOIN addresses a ON a.customer = c.seq \
         WHERE c.seq IN ({}) AND c.deleted_at IS {}NULL ORDER BY {}, {}",
        columns!(),
        list.join(", "),
        if filter.deleted { "NOT " } else { "" },
        order.inner(),
        of_addresses!()
    );
    Statement::composed(text, values)
}

/// Returns a pattern that matches the text anywhere, with `%` and `_` escaped.
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

    /// Returns SQLite's plan for a statement.
    async fn plan(store: &Store, mut statement: Statement) -> String {
        let text = format!("EXPLAIN QUERY PLAN {}", statement.sql.as_str());
        statement = Statement::composed(text, statement.values);
        let rows = store.scans.fetch(statement).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get("detail").unwrap()).collect();
        lines.join("\n")
    }

    #[tokio::test]
    async fn search_near_reads_one_index_once_and_sorts_nothing() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let centre = postcode_core::Location::new(53.48, -2.23).unwrap();
        let circle = Circle { centre, radius: 262_000.0 };
        let filter = Filter { text: Some("ada".into()), ..Filter::default() };
        for filter in [Filter::default(), filter] {
            let plan = plan(&store, find(&filter, circle, Some(&Cursor { after: 7, key: None }))).await;
            let lines: Vec<_> = plan.lines().map(str::trim).collect();
            // It must run once, not once for each customer.
            assert!(plan.contains("LIST SUBQUERY") && !plan.contains("CORRELATED"), "{plan}");
            let index = "SEARCH near USING COVERING INDEX addresses_location (latitude>? AND latitude<?)";
            assert!(lines.contains(&index), "{plan}");
            assert!(
                lines.iter().any(|line| line.starts_with("SEARCH c USING INTEGER PRIMARY KEY (rowid")),
                "{plan}"
            );
            assert!(
                lines
                    .iter()
                    .any(|line| line.starts_with("SEARCH a USING INDEX") && line.contains("(customer=?")),
                "{plan}"
            );
            assert!(!plan.contains("B-TREE") && !plan.contains("SCAN"), "{plan}");
        }
    }

    #[tokio::test]
    async fn page_of_places_is_read_by_primary_key() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let plan = plan(&store, read(&[3, 5, 9], &Filter::default())).await;
        assert!(
            plan.contains("SEARCH c USING INTEGER PRIMARY KEY (rowid=?)") && !plan.contains("SCAN"),
            "{plan}"
        );
    }

    #[tokio::test]
    async fn sorted_page_is_read_from_an_index_and_not_sorted() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        for (sort, index) in [
            ("name", "customers_name"),
            ("-name", "customers_name"),
            ("-email", "customers_email"),
            ("updated", "customers_updated"),
            ("postcode", "addresses_main_postcode"),
        ] {
            let sort: Sort = sort.parse().unwrap();
            let filter = Filter { sort, ..Filter::default() };
            let cursor = Cursor::new(sort, 7, "12".to_owned());
            let plan = plan(&store, select(&filter, 50, Some(&cursor))).await;
            assert!(plan.contains(&format!("INDEX {index}")), "{sort}: {plan}");
            let inner: Vec<_> = plan.lines().take_while(|line| line.trim() != "SCAN c").collect();
            assert!(!inner.iter().any(|line| line.contains("B-TREE")), "{sort}: {plan}");
        }
    }

    #[test]
    fn signs_of_a_pattern_mean_themselves() {
        assert_eq!(pattern("a%b_c\\d"), "%a\\%b\\_c\\\\d%");
    }
}
