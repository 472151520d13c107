//! The form for a customer without JavaScript, with a list of addresses to choose from after "Find
//! address", and with further addresses.

use std::fmt::Write;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use postcode_core::Postcode;
use postcode_edge::reference::escaped;

use super::account;
use super::filled::{Filled, KINDS, Other};
use super::html::{Html, about, failed};
use crate::server::conditions::Given;
use crate::server::problem::Problem;
use crate::server::{App, json};
use crate::{
    AddressOffer, AddressStatus, Customer, CustomerId, Customers, Error, FieldError, MAX_ADDRESSES,
    OfferedAddress,
};

/// The largest form, in bytes.
const MAX_FORM: usize = 64 * 1024;
/// The most addresses in the list.
const MAX_OPTIONS: usize = 500;

/// The account that a form is about.
#[derive(Clone, Copy)]
struct About {
    /// `None` for a new one.
    id: Option<CustomerId>,
    /// Whether there is address data to choose from.
    offers: bool,
}

impl About {
    fn new(customers: &Customers, id: Option<CustomerId>) -> Self {
        Self { id, offers: customers.offers_addresses() }
    }

    /// Returns the way to the folder of the page's files.
    fn root(self) -> &'static str {
        if self.id.is_some() { "../" } else { "" }
    }
}

pub(super) async fn show(State(app): State<App>) -> Response {
    let filled = Filled { key: format!("plain-{:032x}", fastrand::u128(..)), ..Filled::default() };
    form(StatusCode::OK, About::new(&app.customers, None), &filled, &[], None)
}

pub(super) async fn edit(State(app): State<App>, path: Path<String>) -> Response {
    let read = match id(&path.0) {
        Ok(id) => app.customers.get(id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match read {
        Ok(customer) => {
            let of = About::new(&app.customers, Some(customer.id));
            form(StatusCode::OK, of, &Filled::from(&customer), &[], None)
        }
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

async fn send(all: &Customers, changing: &Customers, id: Option<CustomerId>, request: Request) -> Response {
    let of = About::new(all, id);
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
    let doubt = doubt(all, of, &filled).await;
    if !doubt.is_empty() {
        filled.kept = filled.postcode.clone();
        return form(StatusCode::UNPROCESSABLE_ENTITY, of, &filled, &doubt, None);
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

/// Asks once about a postcode that the data does not have, or no longer. Without an answer of the lookup nothing is asked.
async fn doubt(all: &Customers, of: About, filled: &Filled) -> Vec<FieldError> {
    let Ok(postcode) = filled.postcode.parse::<Postcode>() else { return Vec::new() };
    // The address data has an address that was chosen from its list.
    if filled.kept == filled.postcode || !filled.chosen.is_empty() {
        return Vec::new();
    }
    if let Some(id) = of.id
        && all.get(id).await.is_ok_and(|stored| stored.postcode == postcode)
    {
        return Vec::new();
    }
    let why = match all.look_up(postcode).await.map(|check| check.status) {
        Ok(AddressStatus::Unknown) => "is not a known postcode",
        Ok(AddressStatus::Terminated) => "is no longer in use",
        _ => return Vec::new(),
    };
    vec![about("postcode", format!("{postcode} {why}. Check it, or press Save again to keep it."))]
}

async fn save(
    customers: &Customers,
    of: About,
    filled: &Filled,
) -> Result<Customer, (StatusCode, Vec<FieldError>)> {
    let new = filled.customer().map_err(|errors| (StatusCode::UNPROCESSABLE_ENTITY, errors))?;
    let stored = match (of.id, filled.key.as_str()) {
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
    let root = of.root();
    let mut html = Html::new("Saved", &[], |_| None);
    account::facts(&mut html, customer);
    account::actions(&mut html, customer, root);
    let status = if of.id.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let location = [(header::LOCATION, format!("/customers/{}", customer.id))];
    let page = html.page(status, "Saved", root);
    if of.id.is_some() { page } else { (location, page).into_response() }
}

/// Returns the addresses of a postcode, or why there are none to choose from.
async fn find(customers: &Customers, text: &str) -> (Option<AddressOffer>, Vec<FieldError>) {
    let wrong = |message: String| vec![about("postcode", message)];
    let postcode = match text.parse::<Postcode>() {
        Ok(postcode) => postcode,
        Err(_) if text.trim().is_empty() => {
            return (None, wrong("enter a postcode, such as SW1A 1AA".to_owned()));
        }
        Err(error) => return (None, wrong(error.to_string())),
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

const LABELS: [(&str, &str); 6] = [
    ("name", "Name"),
    ("email", "Email"),
    ("phone", "Phone (optional)"),
    ("postcode", "Postcode"),
    ("address_lines", "Address, without the postcode"),
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
    let title = if of.id.is_some() { "Edit a customer" } else { "New customer" };
    let action = of.id.map_or("new".to_owned(), |id| id.to_string());
    let mut html = Html::new(title, errors, label);
    html.push(&format!("<form id=\"customer\" method=\"post\" action=\"{action}\">"));
    // The first button of a form is the one that Enter presses.
    html.push("<button class=\"visually-hidden\" name=\"do\" value=\"save\" type=\"submit\" tabindex=\"-1\" aria-hidden=\"true\">Save</button>");
    for (name, value) in [("key", &filled.key), ("revision", &filled.revision), ("kept", &filled.kept)] {
        html.push(&format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)));
    }
    let text = |id: &str| label(id).unwrap_or_default();
    html.line("name", &text("name"), &filled.name, "maxlength=\"200\"");
    html.line("email", &text("email"), &filled.email, "type=\"email\" maxlength=\"254\"");
    html.line("phone", &text("phone"), &filled.phone, "type=\"tel\" maxlength=\"40\"");
    html.line("postcode", &text("postcode"), &filled.postcode, "maxlength=\"64\"");
    if of.offers {
        // No browser check stands in the way of this button.
        html.push(
            "<p><button name=\"do\" value=\"find\" type=\"submit\" formnovalidate>Find address</button></p>",
        );
    }
    if let Some(offer) = found {
        choice(&mut html, offer, &filled.chosen);
    }
    let unless_chosen = if of.offers { ", if it was not chosen from a list" } else { "" };
    html.area("address_lines", &(text("address_lines") + unless_chosen), &filled.address_lines, 4);
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
    html.page(status, title, of.root())
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
