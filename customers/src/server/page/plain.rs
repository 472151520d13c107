//! The form for a new customer without JavaScript: plain HTML, with a list of addresses to choose
//! from after "Find address".

use std::fmt::Write;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use postcode_edge::reference::escaped;

use super::served::served;
use crate::server::conditions::Given;
use crate::server::problem::Problem;
use crate::server::{App, json};
use crate::{AddressOffer, Customers, Error, FieldError, NewCustomer, OfferedAddress};

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
    finds: bool,
}

pub(super) async fn show() -> Response {
    let filled = Filled { key: format!("plain-{:032x}", fastrand::u128(..)), ..Filled::default() };
    page(StatusCode::OK, &form(&filled, &[], None))
}

pub(super) async fn send(State(app): State<App>, given: Given, request: Request) -> Response {
    let filled = match json::form(request, MAX_FORM).await {
        Ok(pairs) => Filled::from(pairs),
        Err(problem) => return problem.into_response(),
    };
    if filled.finds {
        let (found, errors) = find(&app.customers, &filled.postcode).await;
        return page(StatusCode::OK, &form(&filled, &errors, found.as_ref()));
    }
    let key = Some(filled.key.as_str()).filter(|key| !key.is_empty());
    let created = match key {
        Some(key) => given.customers.create_once(key, filled.customer()).await,
        None => given.customers.create(filled.customer()).await,
    };
    match created {
        Ok(customer) => {
            let mut html = String::from("<h2>Saved</h2><dl>");
            let address = [&customer.address_lines[..], &[customer.postcode.to_string()]].concat();
            for (name, text) in
                [("Name", &customer.name), ("Email", &customer.email), ("Address", &address.join("\n"))]
            {
                let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", escaped(text));
            }
            html.push_str("</dl><p><a class=\"button\" href=\"new\">New customer</a></p>");
            let location = [(header::LOCATION, format!("/customers/{}", customer.id))];
            (location, page(StatusCode::CREATED, &html)).into_response()
        }
        Err(error) => {
            // The list stays, so that a mistake elsewhere does not lose the choice.
            let found = match filled.chosen.is_empty() {
                true => None,
                false => find(&app.customers, &filled.postcode).await.0,
            };
            let (status, errors) = refused(error);
            page(status, &form(&filled, &errors, found.as_ref()))
        }
    }
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
                "do" => filled.finds = value == "find",
                _ => {}
            }
        }
        filled
    }
}

impl Filled {
    fn customer(&self) -> NewCustomer {
        let typed: Vec<String> = self.address_lines.lines().map(str::to_owned).collect();
        let mut chosen = self.chosen.lines();
        let id = chosen.next().unwrap_or_default();
        let chosen: Vec<String> = chosen.map(str::to_owned).collect();
        let address_lines = if self.address_lines.trim().is_empty() { chosen.clone() } else { typed };
        // Lines may be added to an address of the list. Without its own lines it is another address.
        let whole = |line: &String| address_lines.iter().any(|other| other.trim() == line.as_str());
        let linked = !id.is_empty() && chosen.iter().all(whole);
        NewCustomer {
            name: self.name.clone(),
            email: self.email.clone(),
            postcode: self.postcode.clone(),
            address_id: linked.then(|| id.to_owned()),
            address_lines,
            phone: Some(self.phone.clone()),
            notes: Some(self.notes.clone()),
            ..NewCustomer::default()
        }
    }
}

/// Returns the addresses of a postcode, or why there are none to choose from.
async fn find(customers: &Customers, text: &str) -> (Option<AddressOffer>, Vec<FieldError>) {
    let about =
        |message: String| vec![FieldError { field: "postcode".to_owned(), message, suggestion: None }];
    let postcode = match text.parse::<postcode_core::Postcode>() {
        Ok(postcode) => postcode,
        Err(error) => return (None, about(format!("{text:?}: {error}"))),
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
            Err(error) => return (all, about(Problem::from(error).detail().to_owned())),
        }
    }
    let none = |why: &str| about(format!("{postcode} {why}: type the address below"));
    let errors = match all.as_ref().map(|offer| offer.status) {
        Some("found") => Vec::new(),
        Some("unknown") => none("is not a known postcode"),
        Some("not_covered") => none("is in an area that the address data leaves out"),
        _ => none("has no addresses in the data"),
    };
    (all.filter(|offer| !offer.items.is_empty()), errors)
}

fn refused(error: Error) -> (StatusCode, Vec<FieldError>) {
    let one = |field: &str, message: String| {
        vec![FieldError { field: field.to_owned(), message, suggestion: None }]
    };
    match error {
        Error::Invalid(invalid) => (StatusCode::UNPROCESSABLE_ENTITY, invalid.errors),
        Error::EmailTaken(_) => {
            (StatusCode::CONFLICT, one("email", "another account has this email".to_owned()))
        }
        error => {
            let problem = Problem::from(error);
            (problem.status(), one("", problem.detail().to_owned()))
        }
    }
}

fn form(filled: &Filled, errors: &[FieldError], found: Option<&AddressOffer>) -> String {
    let mut html = String::from("<h2>New customer</h2>");
    if !errors.is_empty() {
        html.push_str("<ul role=\"alert\">");
        for FieldError { field, message, suggestion } in errors {
            let id = field.split('[').next().unwrap_or_default();
            let _ = match LABELS.iter().find(|(name, _)| *name == id) {
                Some((_, label)) => {
                    write!(html, "<li><a href=\"#{id}\">{label}</a>: {}", escaped(message))
                }
                None => write!(html, "<li>{}", escaped(message)),
            };
            if let Some(suggestion) = suggestion {
                let _ = write!(html, ". Did you mean {}?", escaped(suggestion));
            }
            html.push_str("</li>");
        }
        html.push_str("</ul>");
    }
    let _ = write!(
        html,
        "<form id=\"customer\" method=\"post\" action=\"new\">\
         <input type=\"hidden\" name=\"key\" value=\"{}\">",
        escaped(&filled.key)
    );
    line(&mut html, errors, "name", &filled.name, "maxlength=\"200\"");
    line(&mut html, errors, "email", &filled.email, "type=\"email\" maxlength=\"254\"");
    line(&mut html, errors, "phone", &filled.phone, "type=\"tel\" maxlength=\"40\"");
    line(&mut html, errors, "postcode", &filled.postcode, "maxlength=\"64\"");
    // No browser check stands in the way of this button.
    html.push_str(
        "<p><button name=\"do\" value=\"find\" type=\"submit\" formnovalidate>Find address</button></p>",
    );
    if let Some(offer) = found {
        choice(&mut html, offer, &filled.chosen);
    }
    area(&mut html, errors, "address_lines", &filled.address_lines, 4);
    area(&mut html, errors, "notes", &filled.notes, 2);
    html.push_str(
        "<p><button class=\"first\" name=\"do\" value=\"save\" type=\"submit\">Save</button></p></form>",
    );
    html
}

const LABELS: [(&str, &str); 6] = [
    ("name", "Name"),
    ("email", "Email"),
    ("phone", "Phone (optional)"),
    ("postcode", "Postcode"),
    ("address_lines", "Address, without the postcode, if it was not chosen from a list"),
    ("notes", "Notes (optional)"),
];

fn label(name: &str) -> &'static str {
    LABELS.iter().find(|(known, _)| *known == name).map_or("", |(_, label)| label)
}

fn mark(errors: &[FieldError], name: &str) -> &'static str {
    let wrong = errors.iter().any(|error| error.field.split('[').next() == Some(name));
    if wrong { " aria-invalid=\"true\"" } else { "" }
}

fn line(html: &mut String, errors: &[FieldError], name: &str, value: &str, more: &str) {
    let (label, value, mark) = (label(name), escaped(value), mark(errors, name));
    let _ = write!(
        html,
        "<p><label for=\"{name}\">{label}</label><input id=\"{name}\" name=\"{name}\" value=\"{value}\" \
         autocomplete=\"off\" {more}{mark}></p>"
    );
}

fn area(html: &mut String, errors: &[FieldError], name: &str, value: &str, rows: usize) {
    let (label, value, mark) = (label(name), escaped(value), mark(errors, name));
    // A browser drops the first line feed of a text area.
    let _ = write!(
        html,
        "<p><label for=\"{name}\">{label}</label><textarea id=\"{name}\" name=\"{name}\" rows=\"{rows}\" \
         autocomplete=\"off\"{mark}>\n{value}</textarea></p>"
    );
}

fn choice(html: &mut String, offer: &AddressOffer, chosen: &str) {
    let shown = offer.items.len();
    let count = if shown < offer.total { format!("{shown} of {}", offer.total) } else { shown.to_string() };
    let _ = write!(
        html,
        "<p><label for=\"chosen\">Address ({count} at {})</label><select id=\"chosen\" name=\"chosen\">\
         <option value=\"\">Not in this list: typed below</option>",
        offer.postcode
    );
    for OfferedAddress { id, lines } in &offer.items {
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        let value = format!("{id}\n{}", lines.join("\n"));
        let selected = if value == chosen { " selected" } else { "" };
        let (value, text) = (escaped(&value), escaped(&lines.join(", ")));
        let _ = write!(html, "<option value=\"{value}\"{selected}>{text}</option>");
    }
    let _ = write!(html, "</select><small>{}</small></p>", escaped(&offer.attribution));
}

fn page(status: StatusCode, main: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>New customer – Customers</title><link rel=\"icon\" href=\"data:,\">\
         <link rel=\"stylesheet\" href=\"page.css\"></head><body>\
         <header><h1><a href=\".\">Customers</a></h1></header><main id=\"main\">{main}</main></body></html>"
    );
    // The page has a person's data, so nothing may keep it.
    let private = [(header::CACHE_CONTROL, "no-store")];
    (status, private, served("text/html; charset=utf-8", html)).into_response()
}
