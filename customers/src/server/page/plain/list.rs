//! The list of accounts without JavaScript.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postcode_edge::reference::escaped;

use super::html::{Html, about, failed, spoken};
use crate::server::App;
use crate::server::listing::Listing;
use crate::server::pieces::Asker;
use crate::server::problem::Problem;
use crate::server::query::{Asked, refused};
use crate::{AddressStatus, Customer, FieldError, Page, Sort, Total};

/// The accounts of a page, unless the query says otherwise.
const PAGE: &str = "50";

const STATUSES: [(&str, &str); 6] = [
    ("", "any"),
    ("verified", "in use"),
    ("pending", "not checked yet"),
    ("not_covered", "not covered by the data"),
    ("terminated", "no longer in use"),
    ("unknown", "unknown"),
];
const RADII: [(&str, &str); 4] =
    [("1000", "1 km"), ("5000", "5 km"), ("25000", "25 km"), ("100000", "100 km")];
const LABELS: [(&str, &str); 6] = [
    ("q", "Name or email"),
    ("postcode", "Postcode begins"),
    ("district", "District"),
    ("status", "Postcode is"),
    ("near", "Near a postcode"),
    ("radius", "Within"),
];
/// The headings of the table, and the orders that they stand for.
const COLUMNS: [(&str, &str); 5] =
    [("Name", "name"), ("Email", "email"), ("Postcode", "postcode"), ("District", ""), ("Postcode is", "")];

pub(super) async fn show(State(app): State<App>, asker: Asker, query: Asked<Listing>) -> Response {
    let listing = match query {
        Ok(Query(listing)) => listing,
        Err(rejection) => return failed(&refused(rejection), "Accounts", ""),
    };
    match read(&app, asker, &listing).await {
        Ok((page, total, sort)) => {
            let mut html = form(&listing, &[]);
            table(&mut html, &listing, &page, total, sort);
            html.page(StatusCode::OK, "Accounts", "")
        }
        Err(problem) => {
            // The message begins with the parameter.
            let named = problem.detail().split_once(": ");
            let named = named.filter(|(field, _)| LABELS.iter().any(|(known, _)| known == field));
            let (field, message) = named.unwrap_or(("", problem.detail()));
            form(&listing, &[about(field, message)]).page(problem.status(), "Accounts", "")
        }
    }
}

async fn read(app: &App, asker: Asker, listing: &Listing) -> Result<(Page, Total, Sort), Problem> {
    let (limit, from) = listing.paging()?;
    // The form always sends a radius.
    let mut wanted = listing.clone();
    if wanted.near.is_empty() {
        wanted.radius.clear();
    }
    let filter = wanted.filter()?;
    let _turn = app.listing_turn(asker).await?;
    let page = app.customers.search(&filter, limit, from).await?;
    Ok((page, app.customers.count(&filter).await?, filter.sort))
}

fn form<'a>(listing: &Listing, errors: &'a [FieldError]) -> Html<'a> {
    let label =
        |id: &str| LABELS.iter().find(|(known, _)| *known == id).map(|(_, label)| (*label).to_owned());
    let mut html = Html::new("Accounts", errors, label);
    let text = |id: &str| label(id).unwrap_or_default();
    html.push("<form id=\"search\" method=\"get\" action=\"list\" role=\"search\">");
    html.line("q", &text("q"), &listing.q, "type=\"search\"");
    html.line("postcode", &text("postcode"), &listing.postcode, "class=\"short\"");
    html.line("district", &text("district"), &listing.district, "");
    html.choice("status", &text("status"), &STATUSES, &listing.status);
    html.line("near", &text("near"), &listing.near, "class=\"short\"");
    let radius = if listing.radius.is_empty() { "5000" } else { &listing.radius };
    html.choice("radius", &text("radius"), &RADII, radius);
    html.tick("deleted", "Deleted ones instead", "true", listing.deleted == "true");
    if !listing.sort.is_empty() {
        html.push(&format!("<input type=\"hidden\" name=\"sort\" value=\"{}\">", escaped(&listing.sort)));
    }
    html.push("<p><button class=\"first\" type=\"submit\">Search</button></p></form>");
    html
}

fn table(html: &mut Html<'_>, listing: &Listing, page: &Page, total: Total, sort: Sort) {
    let count = spoken(total.count);
    html.push(&match (total.count, total.exact) {
        (0, _) => "<p class=\"dim\">No account matches.</p>".to_owned(),
        (1, true) => "<p class=\"dim\">1 account</p>".to_owned(),
        (_, true) => format!("<p class=\"dim\">{count} accounts</p>"),
        (_, false) => format!("<p class=\"dim\">More than {count} accounts</p>"),
    });
    html.push(
        "<div class=\"scroll\" role=\"group\" aria-label=\"Accounts\" tabindex=\"0\"><table><thead><tr>",
    );
    for (heading, order) in COLUMNS {
        html.push(&match order {
            "" => format!("<th scope=\"col\">{heading}</th>"),
            order => sorted_heading(listing, heading, order, sort),
        });
    }
    html.push("</tr></thead><tbody>");
    for customer in &page.items {
        row(html, customer);
    }
    html.push("</tbody></table></div>");
    if let Some(next) = &page.next {
        let href = address(listing, &listing.sort, &next.to_string());
        html.push(&format!("<p><a class=\"button\" rel=\"next\" href=\"{href}\">Next page</a></p>"));
    }
}

/// Returns a heading that sorts by its column, and in the other direction if it already does.
fn sorted_heading(listing: &Listing, heading: &str, order: &str, sort: Sort) -> String {
    let current = sort.by.as_str() == order;
    let (state, sign) = match (current, sort.descending) {
        (true, false) => (" aria-sort=\"ascending\"", "-"),
        (true, true) => (" aria-sort=\"descending\"", ""),
        (false, _) => ("", ""),
    };
    let arrow = match (current, sort.descending) {
        (true, false) => " ▲",
        (true, true) => " ▼",
        (false, _) => "",
    };
    let href = address(listing, &format!("{sign}{order}"), "");
    format!(
        "<th scope=\"col\"{state}><a href=\"{href}\">{heading}<span aria-hidden=\"true\">{arrow}</span></a></th>"
    )
}

fn row(html: &mut Html<'_>, customer: &Customer) {
    let name = escaped(&customer.name);
    let name = format!("<a href=\"account/{}\">{name}</a>", customer.id);
    let status = customer.check.status;
    html.push(&format!(
        "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{}</td><td><span class=\"status {}\">{}</span></td></tr>",
        escaped(&customer.email),
        customer.postcode,
        escaped(customer.check.admin_district.as_deref().unwrap_or_default()),
        status.as_str(),
        said(status)
    ));
}

/// Returns what a status means.
pub(super) fn said(status: AddressStatus) -> &'static str {
    let name = status.as_str();
    STATUSES.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
}

/// Returns the address of the same list in another order, or of another page of it.
fn address(listing: &Listing, sort: &str, cursor: &str) -> String {
    let limit = if listing.limit == PAGE { "" } else { &listing.limit };
    let radius = if listing.near.is_empty() { "" } else { &listing.radius };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("q", &*listing.q),
        ("name", &listing.name),
        ("email", &listing.email),
        ("postcode", &listing.postcode),
        ("outcode", &listing.outcode),
        ("district", &listing.district),
        ("status", &listing.status),
        ("near", &listing.near),
        ("radius", radius),
        ("updated_since", &listing.updated_since),
        ("deleted", &listing.deleted),
        ("limit", limit),
        ("sort", sort),
        ("cursor", cursor),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    escaped(&format!("list?{}", query.finish()))
}
