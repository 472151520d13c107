//! One account without JavaScript: what is stored, what changed, and buttons to delete, restore and erase it.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use postcode_edge::reference::escaped;
use serde_json::Value;

use super::filled::kind_text;
use super::html::{Html, about, failed, when};
use super::list::said;
use crate::server::conditions::Given;
use crate::server::pieces::Asker;
use crate::server::problem::Problem;
use crate::server::{App, json};
use crate::{AddressKind, AuditEntry, AuditPage, Customer, CustomerId, Customers, FieldError};

/// The largest form, in bytes: it has a button and a revision.
const MAX_FORM: usize = 4 * 1024;
/// The most entries of the history on the page. It can't be set.
const MAX_CHANGES: usize = 200;
/// The longest value in the history on the page, in characters. It can't be set.
const MAX_SHOWN: usize = 120;

const TITLE: &str = "Customer";
/// Leads from `/account/{id}` to the folder of the page's files.
const ROOT: &str = "../";
/// Leads there from `/account/{id}/delete` and the like.
const ROOT_OF_CHANGE: &str = "../../";

pub(super) async fn show(State(app): State<App>, asker: Asker, Path(text): Path<String>) -> Response {
    match read(&app, asker, &text).await {
        Ok((customer, history)) => page(StatusCode::OK, &customer, &history, &[], ROOT),
        Err(problem) => failed(&problem, TITLE, ROOT),
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    given: Given,
    asker: Asker,
    Path(text): Path<String>,
    request: Request,
) -> Response {
    let deleted = match sent(given, &text, request).await {
        Ok((customers, id)) => customers.delete(id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    done(&app, asker, &text, deleted, &format!("../{text}")).await
}

pub(super) async fn restore(
    State(app): State<App>,
    given: Given,
    asker: Asker,
    Path(text): Path<String>,
    request: Request,
) -> Response {
    let restored = match sent(given, &text, request).await {
        Ok((customers, id)) => customers.restore(id).await.map(drop).map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    done(&app, asker, &text, restored, &format!("../{text}")).await
}

/// Asks before it erases.
pub(super) async fn ask_erase(State(app): State<App>, Path(text): Path<String>) -> Response {
    let read = match id(&text) {
        Ok(id) => app.customers.get_any(id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let customer = match read {
        Ok(customer) => customer,
        Err(problem) => return failed(&problem, TITLE, ROOT_OF_CHANGE),
    };
    let mut html = Html::new(&format!("Erase the account of {}?", customer.name), &[], |_| None);
    html.push("<p>Its history is erased too. Nothing can bring them back.</p><div class=\"actions\">");
    button(&mut html, ROOT_OF_CHANGE, &customer, "erase", "Erase for good");
    html.push(&format!("<a class=\"button\" href=\"../{}\">Keep it</a></div>", customer.id));
    html.page(StatusCode::OK, "Erase an account", ROOT_OF_CHANGE)
}

pub(super) async fn erase(
    State(app): State<App>,
    given: Given,
    asker: Asker,
    Path(text): Path<String>,
    request: Request,
) -> Response {
    let erased = match sent(given, &text, request).await {
        Ok((customers, id)) => customers.erase(id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    done(&app, asker, &text, erased, "../../list?deleted=true").await
}

fn id(text: &str) -> Result<CustomerId, Problem> {
    text.parse().map_err(|_| Problem::no_customer(text))
}

async fn read(app: &App, asker: Asker, text: &str) -> Result<(Customer, AuditPage), Problem> {
    let id = id(text)?;
    let _turn = app.listing_turn(asker).await?;
    let customer = app.customers.get_any(id).await?;
    let history = app.customers.history(id, MAX_CHANGES, None).await?;
    Ok((customer, history))
}

/// Reads the form of a button. The change applies only to the revision that was on the page.
async fn sent(given: Given, text: &str, request: Request) -> Result<(Customers, CustomerId), Problem> {
    let id = id(text)?;
    let fields = json::form(request, MAX_FORM).await?;
    let revision = fields.iter().find(|(name, _)| name == "revision");
    let revision = revision.and_then(|(_, value)| value.parse().ok()).ok_or_else(|| {
        let detail = "The form is not complete. Open the account again.";
        Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail)
    })?;
    Ok((given.customers.at(&[revision]), id))
}

/// Leads to the next page, or shows the account as it is now with what went wrong.
async fn done(app: &App, asker: Asker, text: &str, change: Result<(), Problem>, next: &str) -> Response {
    let Err(problem) = change else {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, next)]).into_response();
    };
    if problem.status() != StatusCode::PRECONDITION_FAILED {
        return failed(&problem, TITLE, ROOT_OF_CHANGE);
    }
    match read(app, asker, text).await {
        Ok((customer, history)) => {
            let errors = [about("", "Someone else has changed this account. It is shown as it is now.")];
            page(problem.status(), &customer, &history, &errors, ROOT_OF_CHANGE)
        }
        Err(problem) => failed(&problem, TITLE, ROOT_OF_CHANGE),
    }
}

fn page(
    status: StatusCode,
    customer: &Customer,
    history: &AuditPage,
    errors: &[FieldError],
    root: &str,
) -> Response {
    let mut html = Html::new(&customer.name, errors, |_| None);
    actions(&mut html, customer, root);
    facts(&mut html, customer);
    html.push("<section id=\"history\"><h3>What changed</h3><ol>");
    for entry in &history.items {
        html.push(&changed(entry));
    }
    html.push("</ol>");
    if history.next.is_some() {
        html.push("<p>These are the oldest changes. The export has them all.</p>");
    }
    html.push("</section>");
    html.page(status, &customer.name, root)
}

/// Adds what can be done with an account.
pub(super) fn actions(html: &mut Html<'_>, customer: &Customer, root: &str) {
    html.push("<div class=\"actions\">");
    let id = customer.id;
    match customer.deleted_at {
        None => {
            html.push(&format!("<a class=\"button\" href=\"{root}edit/{id}\">Edit</a> "));
            button(html, root, customer, "delete", "Delete");
        }
        Some(_) => {
            button(html, root, customer, "restore", "Restore");
            html.push(&format!("<a class=\"button\" href=\"{root}account/{id}/erase\">Erase for good</a>"));
        }
    }
    html.push(&format!(
        " <a class=\"button\" href=\"{root}customers/{id}/export\" download=\"customer-{id}.json\">Export</a></div>"
    ));
}

fn button(html: &mut Html<'_>, root: &str, customer: &Customer, change: &str, label: &str) {
    html.push(&format!(
        "<form method=\"post\" action=\"{root}account/{}/{change}\">\
         <input type=\"hidden\" name=\"revision\" value=\"{}\"><button type=\"submit\">{label}</button></form> ",
        customer.id, customer.revision
    ));
}

/// Adds what is stored of a customer.
pub(super) fn facts(html: &mut Html<'_>, customer: &Customer) {
    html.push("<dl>");
    let text = |name: &str, value: &str| match value {
        "" => String::new(),
        value => format!("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value)),
    };
    let check = &customer.check;
    let mut lines = text("Name", &customer.name);
    lines += &text("Email", &customer.email);
    lines += &text("Phone", &customer.phone.as_deref().map(dialled).unwrap_or_default());
    for address in &customer.addresses {
        let main = address.kind == AddressKind::Main;
        let name = if main { "Address" } else { kind_text(address.kind.as_str()) };
        lines +=
            &text(name, &[&address.address_lines[..], &[address.postcode.to_string()]].concat().join("\n"));
        if main {
            let status = check.status.as_str();
            lines += &format!(
                "<dt>Postcode</dt><dd><span class=\"status {status}\">{}</span></dd>",
                said(check.status)
            );
            lines += &text("District", check.admin_district.as_deref().unwrap_or_default());
        }
    }
    for reference in &customer.references {
        lines += &text(&format!("In {}", reference.system), &reference.id);
    }
    lines += &text("Notes", customer.notes.as_deref().unwrap_or_default());
    lines += &text("Deleted", &customer.deleted_at.map(when).unwrap_or_default());
    lines += &text("Since", &when(customer.created_at));
    html.push(&lines);
    html.push("</dl>");
}

/// Returns a telephone number as people in the United Kingdom write it. Others stay as they are.
fn dialled(phone: &str) -> String {
    let Some(rest) = phone.strip_prefix("+44") else { return phone.to_owned() };
    let area = match rest.as_bytes() {
        [b'2', b'0', ..] => 2,
        [b'1', b'1', ..] | [b'1', _, b'1', ..] => 3,
        _ => 4,
    };
    let local = |text: &str| match text.split_at_checked(text.len().saturating_sub(4)) {
        Some((first, last)) if area < 4 && !first.is_empty() => format!("{first} {last}"),
        _ => text.to_owned(),
    };
    match rest.split_at_checked(area) {
        Some((area, rest)) => format!("0{area} {}", local(rest)),
        None => phone.to_owned(),
    }
}

/// Returns an entry of the history, with a line for each field that changed.
fn changed(entry: &AuditEntry) -> String {
    let by = entry.actor.as_deref().map(|actor| format!(" by {actor}")).unwrap_or_default();
    let mut text = format!("<li>{}: {}{}", when(entry.at), entry.action.replace('_', " "), escaped(&by));
    let fields = entry.changes.as_object().filter(|fields| !fields.is_empty() && entry.action != "created");
    if let Some(fields) = fields {
        text.push_str("<ul>");
        for (field, change) in fields {
            let name = field.rsplit('/').find(|part| part.parse::<i64>().is_err()).unwrap_or(field);
            let name = match name {
                "addresses" => "address".to_owned(),
                name => name.replace('_', " "),
            };
            let (from, to) = (change.get("from"), change.get("to"));
            let values = match (from, to) {
                // Old entries have names only.
                (None, None) => String::new(),
                (from, to) => format!(": {} → {}", value(from), value(to)),
            };
            text += &format!("<li>{}</li>", escaped(&(name + &values)));
        }
        text.push_str("</ul>");
    }
    text + "</li>"
}

/// Returns a value of the history in words. Of an address these are its lines and its postcode.
fn value(value: Option<&Value>) -> String {
    let text = words(value.unwrap_or(&Value::Null));
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None if text.is_empty() => "nothing".to_owned(),
        None => text,
    }
}

fn words(value: &Value) -> String {
    let joined = |values: Vec<String>, separator: &str| {
        values.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(separator)
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => joined(values.iter().map(words).collect(), ", "),
        Value::Object(fields) => {
            let both =
                |first: &str, second: &str| Some(vec![words(fields.get(first)?), words(fields.get(second)?)]);
            match (both("address_lines", "postcode"), both("system", "id")) {
                (Some(address), _) => joined(address, ", "),
                (None, Some(reference)) => joined(reference, " "),
                (None, None) => joined(fields.values().map(words).collect(), " "),
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn phone_is_written_in_groups() {
        for (stored, shown) in [
            ("+442079460018", "020 7946 0018"),
            ("+441134960000", "0113 496 0000"),
            ("+441214960000", "0121 496 0000"),
            ("+441632960001", "01632 960001"),
            ("+447700900123", "07700 900123"),
            ("+33123456789", "+33123456789"),
            ("+44", "+44"),
        ] {
            assert_eq!(dialled(stored), shown);
        }
    }

    #[test]
    fn long_and_nested_values_are_short_texts() {
        assert_eq!(value(None), "nothing");
        assert_eq!(
            value(Some(&json!({ "id": 2, "postcode": "M1 1AE", "address_lines": ["1 High St"] }))),
            "1 High St, M1 1AE"
        );
        assert_eq!(value(Some(&json!([{ "id": "7", "system": "crm" }]))), "crm 7");
        assert_eq!(value(Some(&json!("é".repeat(200)))), "é".repeat(120) + "…");
    }
}
