//! The form for a customer without JavaScript, with a list of addresses to choose from after "Find
//! address", and with further addresses.

use std::fmt::Write;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use postcode_edge::reference::escaped;

use super::html::{Html, about, failed};
use crate::server::conditions::Given;
use crate::server::problem::Problem;
use crate::server::{App, json};
use crate::{
    AddressOffer, Customer, CustomerId, Customers, Error, FieldError, MAX_ADDRESSES, NewAddress, NewCustomer,
    OfferedAddress,
};

/// The largest form, in bytes.
const MAX_FORM: usize = 64 * 1024;
/// The most addresses in the list.
const MAX_OPTIONS: usize = 500;

/// The fields of the form, as they were sent.
#[derive(Debug, Default)]
struct Filled {
    name: String,
    email: String,
    phone: String,
    postcode: String,
    /// The chosen address: its id and its lines, one each line.
    chosen: String,
    address_lines: String,
    notes: String,
    /// So that a form that is sent twice creates one account.
    key: String,
    /// The account that is edited, as it was read.
    revision: String,
    /// The addresses besides the main one.
    others: Vec<Other>,
    /// The button that was pressed.
    pressed: String,
}

/// A further address, as it was sent.
#[derive(Clone, Debug, Default)]
struct Other {
    id: String,
    kind: String,
    postcode: String,
    address_lines: String,
    valid_from: String,
    valid_to: String,
}

/// The account that a form is about: its id, or none for a new one.
type About = Option<CustomerId>;

pub(super) async fn show() -> Response {
    let filled = Filled { key: format!("plain-{:032x}", fastrand::u128(..)), ..Filled::default() };
    form(StatusCode::OK, None, &filled, &[], None)
}

pub(super) async fn edit(State(app): State<App>, path: Path<String>) -> Response {
    let read = match id(&path.0) {
        Ok(id) => app.customers.get(id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match read {
        Ok(customer) => form(StatusCode::OK, Some(customer.id), &Filled::from(&customer), &[], None),
        Err(problem) => failed(&problem, "Edit a customer", "../"),
    }
}

pub(super) async fn create(State(app): State<App>, given: Given, request: Request) -> Response {
    send(&app.customers, &given.customers, None, request).await
}

pub(super) async fn change(
    State(app): State<App>,
    given: Given,
    path: Path<String>,
    request: Request,
) -> Response {
    match id(&path.0) {
        Ok(id) => send(&app.customers, &given.customers, Some(id), request).await,
        Err(problem) => failed(&problem, "Edit a customer", "../"),
    }
}

fn id(text: &str) -> Result<CustomerId, Problem> {
    text.parse().map_err(|_| Problem::no_customer(text))
}

async fn send(all: &Customers, changing: &Customers, of: About, request: Request) -> Response {
    let mut filled = match json::form(request, MAX_FORM).await {
        Ok(pairs) => Filled::from(pairs),
        Err(problem) => return problem.into_response(),
    };
    let pressed = std::mem::take(&mut filled.pressed);
    match pressed.as_str() {
        "find" => {
            let (found, errors) = find(all, &filled.postcode).await;
            return form(StatusCode::OK, of, &filled, &errors, found.as_ref());
        }
        // The main address counts too.
        "add" if filled.others.len() + 1 < MAX_ADDRESSES => {
            filled.others.push(Other { kind: "delivery".into(), ..Other::default() });
            return form(StatusCode::OK, of, &filled, &[], None);
        }
        "add" => {
            let errors = [about("", format!("A customer can have {MAX_ADDRESSES} addresses at most."))];
            return form(StatusCode::UNPROCESSABLE_ENTITY, of, &filled, &errors, None);
        }
        other => {
            if let Some(n) = other.strip_prefix("remove-").and_then(|n| n.parse::<usize>().ok()) {
                if n < filled.others.len() {
                    filled.others.remove(n);
                }
                return form(StatusCode::OK, of, &filled, &[], None);
            }
        }
    }
    match save(changing, of, &filled).await {
        Ok(customer) => saved(&customer, of),
        Err((status, errors)) => {
            // The list stays, so that a mistake elsewhere does not lose the choice.
            let found = match filled.chosen.is_empty() {
                true => None,
                false => find(all, &filled.postcode).await.0,
            };
            form(status, of, &filled, &errors, found.as_ref())
        }
    }
}

async fn save(
    customers: &Customers,
    of: About,
    filled: &Filled,
) -> Result<Customer, (StatusCode, Vec<FieldError>)> {
    let new = filled.customer().map_err(|errors| (StatusCode::UNPROCESSABLE_ENTITY, errors))?;
    let stored = match (of, filled.key.as_str()) {
        (Some(id), _) => match filled.revision.parse() {
            Ok(revision) => customers.at(&[revision]).replace(id, new).await,
            Err(_) => {
                let errors = vec![about("", "The form is not complete. Open the account again.")];
                return Err((StatusCode::BAD_REQUEST, errors));
            }
        },
        (None, "") => customers.create(new).await,
        (None, key) => customers.create_once(key, new).await,
    };
    stored.map_err(refused)
}

fn saved(customer: &Customer, of: About) -> Response {
    let root = root(of);
    let mut html = Html::new("Saved", &[], |_| None);
    html.push("<dl>");
    let mut line = |name: &str, text: &str| {
        html.push(&format!("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(text)));
    };
    line("Name", &customer.name);
    line("Email", &customer.email);
    for address in &customer.addresses {
        let name = match address.kind {
            crate::AddressKind::Main => "Address",
            kind => kind_text(kind.as_str()),
        };
        let lines = [&address.address_lines[..], &[address.postcode.to_string()]].concat();
        line(name, &lines.join("\n"));
    }
    html.push(&format!("</dl><p><a class=\"button\" href=\"{root}new\">New customer</a></p>"));
    let status = if of.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let location = [(header::LOCATION, format!("/customers/{}", customer.id))];
    let page = html.page(status, "Saved", root);
    if of.is_some() { page } else { (location, page).into_response() }
}

fn root(of: About) -> &'static str {
    if of.is_some() { "../" } else { "" }
}

impl From<Vec<(String, String)>> for Filled {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let mut filled = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "name" => filled.name = value,
                "email" => filled.email = value,
                "phone" => filled.phone = value,
                "postcode" => filled.postcode = value,
                "chosen" => filled.chosen = value.replace("\r\n", "\n"),
                "address_lines" => filled.address_lines = value,
                "notes" => filled.notes = value,
                "key" => filled.key = value,
                "revision" => filled.revision = value,
                "do" => filled.pressed = value,
                name => {
                    if let Some(field) = filled.other(name) {
                        *field = value;
                    }
                }
            }
        }
        filled
    }
}

impl From<&Customer> for Filled {
    fn from(customer: &Customer) -> Self {
        let others = customer.addresses.iter().skip(1).map(|address| Other {
            id: address.id.to_string(),
            kind: address.kind.to_string(),
            postcode: address.postcode.to_string(),
            address_lines: address.address_lines.join("\n"),
            valid_from: address.valid_from.map(|date| date.to_string()).unwrap_or_default(),
            valid_to: address.valid_to.map(|date| date.to_string()).unwrap_or_default(),
        });
        Self {
            name: customer.name.clone(),
            email: customer.email.clone(),
            phone: customer.phone.clone().unwrap_or_default(),
            postcode: customer.postcode.to_string(),
            address_lines: customer.address_lines.join("\n"),
            notes: customer.notes.clone().unwrap_or_default(),
            revision: customer.revision.to_string(),
            others: others.collect(),
            ..Self::default()
        }
    }
}

impl Filled {
    /// Returns the field `addresses-N-NAME` of a further address.
    fn other(&mut self, name: &str) -> Option<&mut String> {
        let (n, name) = name.strip_prefix("addresses-")?.split_once('-')?;
        let n: usize = n.parse().ok().filter(|n| *n < MAX_ADDRESSES)?;
        if self.others.len() <= n {
            self.others.resize(n + 1, Other::default());
        }
        let other = self.others.get_mut(n)?;
        Some(match name {
            "id" => &mut other.id,
            "kind" => &mut other.kind,
            "postcode" => &mut other.postcode,
            "address_lines" => &mut other.address_lines,
            "valid_from" => &mut other.valid_from,
            "valid_to" => &mut other.valid_to,
            _ => return None,
        })
    }

    fn customer(&self) -> Result<NewCustomer, Vec<FieldError>> {
        let typed: Vec<String> = self.address_lines.lines().map(str::to_owned).collect();
        let mut chosen = self.chosen.lines();
        let id = chosen.next().unwrap_or_default();
        let chosen: Vec<String> = chosen.map(str::to_owned).collect();
        let address_lines = if self.address_lines.trim().is_empty() { chosen.clone() } else { typed };
        // Lines may be added to an address of the list. Without its own lines it is another address.
        let whole = |line: &String| address_lines.iter().any(|other| other.trim() == line.as_str());
        let linked = !id.is_empty() && chosen.iter().all(whole);
        let mut errors = Vec::new();
        // An empty field must not mean that the stored value stays.
        let edits = !self.revision.is_empty();
        if edits && self.postcode.trim().is_empty() {
            errors.push(about("postcode", "enter a postcode, such as SW1A 1AA"));
        }
        if edits && address_lines.iter().all(|line| line.trim().is_empty()) {
            errors.push(about("address_lines", "enter at least one line, such as a house number and street"));
        }
        let others: Vec<NewAddress> =
            self.others.iter().enumerate().map(|(n, other)| other.address(n, &mut errors)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(NewCustomer {
            name: self.name.clone(),
            email: self.email.clone(),
            postcode: self.postcode.clone(),
            address_id: linked.then(|| id.to_owned()),
            address_lines,
            phone: Some(self.phone.clone()),
            notes: Some(self.notes.clone()),
            addresses: Some(others),
            ..NewCustomer::default()
        })
    }
}

impl Other {
    fn address(&self, n: usize, errors: &mut Vec<FieldError>) -> NewAddress {
        let mut date = |name: &str, text: &str| match text.trim() {
            "" => None,
            text => text
                .parse::<Date>()
                .map_err(|_| {
                    errors.push(about(
                        &format!("addresses[{n}].{name}"),
                        "enter a date, for example 2025-11-30",
                    ));
                })
                .ok(),
        };
        let (valid_from, valid_to) = (date("valid_from", &self.valid_from), date("valid_to", &self.valid_to));
        let kind = self.kind.parse().unwrap_or_else(|error: crate::ParseKindError| {
            errors.push(about(&format!("addresses[{n}].kind"), error.to_string()));
            crate::AddressKind::Other
        });
        NewAddress {
            id: self.id.parse().ok(),
            kind,
            postcode: self.postcode.clone(),
            address_lines: self.address_lines.lines().map(str::to_owned).collect(),
            valid_from,
            valid_to,
            address_id: None,
        }
    }
}

/// Returns the addresses of a postcode, or why there are none to choose from.
async fn find(customers: &Customers, text: &str) -> (Option<AddressOffer>, Vec<FieldError>) {
    let wrong = |message: String| vec![about("postcode", message)];
    let postcode = match text.parse::<postcode_core::Postcode>() {
        Ok(postcode) => postcode,
        Err(error) => return (None, wrong(format!("{text:?}: {error}"))),
    };
    let mut all: Option<AddressOffer> = None;
    loop {
        let skip = all.as_ref().map_or(0, |offer| offer.items.len());
        match customers.offer(postcode, skip, Customers::MAX_OFFERED).await {
            Ok(page) => {
                let (more, total) = (page.items.len(), page.total);
                match &mut all {
                    Some(offer) => offer.items.extend(page.items),
                    None => all = Some(page),
                }
                if more == 0 || skip + more >= total.min(MAX_OPTIONS) {
                    break;
                }
            }
            Err(error) => return (all, wrong(Problem::from(error).detail().to_owned())),
        }
    }
    let none = |why: &str| wrong(format!("{postcode} {why}: type the address below"));
    let errors = match all.as_ref().map(|offer| offer.status) {
        Some("found") => Vec::new(),
        Some("unknown") => none("is not a known postcode"),
        Some("not_covered") => none("is in an area that the address data leaves out"),
        _ => none("has no addresses in the data"),
    };
    (all.filter(|offer| !offer.items.is_empty()), errors)
}

fn refused(error: Error) -> (StatusCode, Vec<FieldError>) {
    match error {
        Error::Invalid(invalid) => (StatusCode::UNPROCESSABLE_ENTITY, invalid.errors),
        Error::EmailTaken(_) => {
            (StatusCode::CONFLICT, vec![about("email", "another account has this email")])
        }
        Error::Precondition(..) => {
            let what = "Someone else has changed this account. Open it again, and change it there.";
            (StatusCode::PRECONDITION_FAILED, vec![about("", what)])
        }
        error => {
            let problem = Problem::from(error);
            (problem.status(), vec![about("", problem.detail())])
        }
    }
}

const KINDS: [(&str, &str); 4] =
    [("billing", "Billing"), ("delivery", "Delivery"), ("previous", "Previous"), ("other", "Other")];

fn kind_text(kind: &str) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("Other", |(_, text)| text)
}

const LABELS: [(&str, &str); 6] = [
    ("name", "Name"),
    ("email", "Email"),
    ("phone", "Phone (optional)"),
    ("postcode", "Postcode"),
    ("address_lines", "Address, without the postcode, if it was not chosen from a list"),
    ("notes", "Notes (optional)"),
];

const OTHER_LABELS: [(&str, &str); 5] = [
    ("kind", "Purpose"),
    ("postcode", "Postcode"),
    ("address_lines", "Address, without the postcode"),
    ("valid_from", "First day (optional)"),
    ("valid_to", "Last day (optional)"),
];

/// Returns the label of a field.
fn label(id: &str) -> Option<String> {
    let among = |labels: &[(&str, &str)], wanted: &str| {
        labels.iter().find(|(known, _)| *known == wanted).map(|(_, label)| (*label).to_owned())
    };
    match id.strip_prefix("addresses-").and_then(|rest| rest.split_once('-')) {
        Some((n, name)) => {
            let n: usize = n.parse().ok()?;
            Some(format!("Address {}, {}", n + 2, among(&OTHER_LABELS, name)?))
        }
        None => among(&LABELS, id),
    }
}

fn form(
    status: StatusCode,
    of: About,
    filled: &Filled,
    errors: &[FieldError],
    found: Option<&AddressOffer>,
) -> Response {
    let title = if of.is_some() { "Edit a customer" } else { "New customer" };
    let action = of.map_or("new".to_owned(), |id| id.to_string());
    let mut html = Html::new(title, errors, label);
    html.push(&format!("<form id=\"customer\" method=\"post\" action=\"{action}\">"));
    // The first button of a form is the one that Enter presses.
    html.push("<button class=\"visually-hidden\" name=\"do\" value=\"save\" type=\"submit\" tabindex=\"-1\" aria-hidden=\"true\">Save</button>");
    for (name, value) in [("key", &filled.key), ("revision", &filled.revision)] {
        html.push(&format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)));
    }
    let text = |id: &str| label(id).unwrap_or_default();
    html.line("name", &text("name"), &filled.name, "maxlength=\"200\"");
    html.line("email", &text("email"), &filled.email, "type=\"email\" maxlength=\"254\"");
    html.line("phone", &text("phone"), &filled.phone, "type=\"tel\" maxlength=\"40\"");
    html.line("postcode", &text("postcode"), &filled.postcode, "maxlength=\"64\"");
    // No browser check stands in the way of this button.
    html.push(
        "<p><button name=\"do\" value=\"find\" type=\"submit\" formnovalidate>Find address</button></p>",
    );
    if let Some(offer) = found {
        choice(&mut html, offer, &filled.chosen);
    }
    html.area("address_lines", &text("address_lines"), &filled.address_lines, 4);
    for (n, one) in filled.others.iter().enumerate() {
        other(&mut html, n, one);
    }
    html.push(
        "<p><button name=\"do\" value=\"add\" type=\"submit\" formnovalidate>Add another address</button></p>",
    );
    html.area("notes", &text("notes"), &filled.notes, 2);
    html.push(
        "<p><button class=\"first\" name=\"do\" value=\"save\" type=\"submit\">Save</button></p></form>",
    );
    html.page(status, title, root(of))
}

fn other(html: &mut Html<'_>, n: usize, other: &Other) {
    let id = |name: &str| format!("addresses-{n}-{name}");
    let label =
        |name: &str| OTHER_LABELS.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
    html.push(&format!(
        "<fieldset><legend>Address {}</legend><input type=\"hidden\" name=\"{}\" value=\"{}\">",
        n + 2,
        id("id"),
        escaped(&other.id)
    ));
    html.choice(&id("kind"), label("kind"), &KINDS, &other.kind);
    html.line(&id("postcode"), label("postcode"), &other.postcode, "maxlength=\"64\"");
    html.area(&id("address_lines"), label("address_lines"), &other.address_lines, 3);
    html.line(&id("valid_from"), label("valid_from"), &other.valid_from, "type=\"date\"");
    html.line(&id("valid_to"), label("valid_to"), &other.valid_to, "type=\"date\"");
    html.push(&format!(
        "<p><button name=\"do\" value=\"remove-{n}\" type=\"submit\" formnovalidate>Remove address {}</button></p>\
         </fieldset>",
        n + 2
    ));
}

fn choice(html: &mut Html<'_>, offer: &AddressOffer, chosen: &str) {
    let shown = offer.items.len();
    let count = if shown < offer.total { format!("{shown} of {}", offer.total) } else { shown.to_string() };
    let mut text = format!(
        "<p><label for=\"chosen\">Address ({count} at {})</label><select id=\"chosen\" name=\"chosen\">\
         <option value=\"\">Not in this list: typed below</option>",
        offer.postcode
    );
    for OfferedAddress { id, lines } in &offer.items {
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        let value = format!("{id}\n{}", lines.join("\n"));
        let selected = if value == chosen { " selected" } else { "" };
        let (value, shown) = (escaped(&value), escaped(&lines.join(", ")));
        let _ = write!(text, "<option value=\"{value}\"{selected}>{shown}</option>");
    }
    let _ = write!(text, "</select><small>{}</small></p>", escaped(&offer.attribution));
    html.push(&text);
}
