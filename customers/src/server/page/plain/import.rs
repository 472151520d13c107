//! Imports without JavaScript: a form with a file, and what its columns mean.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hyper::body::Bytes;
use multer::{Constraints, Multipart, SizeLimit};
use postcode_edge::Place;
use postcode_edge::reference::escaped;
use postcode_tables::packed::Packing;

use super::html::{Html, about, failed, spoken};
use crate::server::conditions::Given;
use crate::server::problem::Problem;
use crate::server::{App, imports, json};
use crate::{FieldError, Import, MAX_IMPORT, Mapping};

/// The most bytes of the form without the file.
const MAX_FIELDS: usize = 64 << 10;
/// The most fields of the form: more than it has.
const MAX_PARTS: usize = 32;
/// The longest value of a field that is not the file.
const MAX_VALUE: usize = 4 << 10;

/// The columns that may have other headings, and their labels.
const COLUMNS: [(&str, &str); 6] = [
    ("map-name", "Name"),
    ("map-email", "Email"),
    ("map-postcode", "Postcode"),
    ("map-address", "Address"),
    ("map-phone", "Phone"),
    ("map-notes", "Notes"),
];

const NO_HEADER: &str = "The first line is a row, and does not name the columns";
const SHEET: &str = "Sheet of a workbook, if not the first";

/// The form as it was sent.
#[derive(Default)]
struct Sent {
    file: Vec<u8>,
    key: String,
    /// The headings for [`COLUMNS`].
    headings: [String; COLUMNS.len()],
    ignores_others: bool,
    no_header: bool,
    sheet: String,
}

pub(super) async fn show(State(app): State<App>) -> Response {
    let sent = Sent { key: format!("plain-{:032x}", fastrand::u128(..)), ..Sent::default() };
    match app.customers.imports().await {
        Ok(imports) => page(StatusCode::OK, &sent, &[], &imports),
        Err(error) => failed(&Problem::from(error), "Import customers", ""),
    }
}

pub(super) async fn send(State(app): State<App>, given: Given, request: Request) -> Response {
    let done = match imports::enter(&app, &request) {
        Ok(place) => match parts(request, &place).await {
            // The place is held until the file is stored.
            Ok(mut sent) => take(&app, &given, &mut sent, &place).await.map_err(|errors| (sent, errors)),
            Err(problem) => return failed(&problem, "Import customers", ""),
        },
        Err(problem) => return failed(&problem, "Import customers", ""),
    };
    let (status, sent, errors) = match done {
        Ok(()) => return ([(header::LOCATION, "import")], StatusCode::SEE_OTHER).into_response(),
        Err((sent, (status, errors))) => (status, sent, errors),
    };
    let imports = app.customers.imports().await.unwrap_or_default();
    page(status, &sent, &errors, &imports)
}

/// Reads the parts of a form with a file.
async fn parts(request: Request, place: &Arc<Place>) -> Result<Sent, Problem> {
    let broken = |error: multer::Error| {
        let detail = format!("the form can't be read: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail)
    };
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = multer::parse_boundary(kind.unwrap_or_default()).map_err(broken);
    let bytes = json::file(request, &["multipart/form-data"], MAX_IMPORT + MAX_FIELDS, place).await?;
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(bytes))]);
    let limits = SizeLimit::new().per_field(MAX_VALUE as u64).for_field("file", MAX_IMPORT as u64);
    let constraints = Constraints::new().size_limit(limits);
    let mut parts = Multipart::with_constraints(whole, boundary?, constraints);
    let mut sent = Sent::default();
    for _ in 0..MAX_PARTS {
        let Some(part) = parts.next_field().await.map_err(broken)? else { return Ok(sent) };
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" {
            sent.file = part.bytes().await.map_err(broken)?.into();
            continue;
        }
        let value = part.text().await.map_err(broken)?;
        match name.as_str() {
            "key" => sent.key = value,
            "others" => sent.ignores_others = value == "ignore",
            "header" => sent.no_header = value == "none",
            "sheet" => sent.sheet = value,
            name => {
                if let Some(n) = COLUMNS.iter().position(|(known, _)| *known == name) {
                    sent.headings[n] = value;
                }
            }
        }
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_body",
        format!("the form has more than {MAX_PARTS} fields"),
    ))
}

type Refused = (StatusCode, Vec<FieldError>);

/// Accepts the file, or returns what is wrong and at which field.
async fn take(app: &App, given: &Given, sent: &mut Sent, place: &Arc<Place>) -> Result<(), Refused> {
    let wrong = |errors| Err((StatusCode::UNPROCESSABLE_ENTITY, errors));
    if sent.file.is_empty() {
        return wrong(vec![about("file", "choose a file that is not empty")]);
    }
    let mut mapping = Mapping::default();
    for ((id, _), heading) in COLUMNS.iter().zip(&sent.headings) {
        let meaning = id.strip_prefix("map-").unwrap_or(id);
        if !heading.trim().is_empty()
            && let Err(error) = mapping.set(heading, meaning)
        {
            return wrong(vec![about(id, error.to_string())]);
        }
    }
    if sent.ignores_others {
        mapping.ignore_others();
    }
    if sent.no_header {
        mapping.without_header();
    }
    let refused = |problem: Problem| (problem.status(), vec![about("file", problem.detail())]);
    let file = std::mem::take(&mut sent.file);
    let sheet = Some(sent.sheet.trim().to_owned()).filter(|sheet| !sheet.is_empty());
    let (file, _) = imports::unpacked(file, Packing::Plain, sheet, place.clone()).await.map_err(refused)?;
    let refused = |error| refused(Problem::from(error));
    // The columns are looked at first, because each error about them belongs to a field.
    let preview = app.customers.preview_holding(file.clone(), mapping.clone(), place.clone());
    let preview = preview.await.map_err(refused)?;
    if let Some(problem) = preview.problem {
        let headings: Vec<&str> = preview.columns.iter().map(|column| column.heading.as_str()).collect();
        let headings = headings.join(", ");
        let mut errors: Vec<FieldError> = preview
            .missing
            .iter()
            .map(|name| {
                let message = format!("write the heading of the column with it. The file has: {headings}");
                about(&format!("map-{name}"), message)
            })
            .collect();
        let unknown: Vec<&str> = preview
            .columns
            .iter()
            .filter(|column| column.column.is_none() && !column.heading.is_empty())
            .map(|column| column.heading.as_str())
            .collect();
        if !unknown.is_empty() {
            let message =
                format!("not known: {}. Say above what they mean, or tick this", unknown.join(", "));
            errors.push(about("others", message));
        }
        if errors.is_empty() {
            errors.push(about("file", problem));
        }
        return wrong(errors);
    }
    let key = Some(sent.key.as_str()).filter(|key| !key.is_empty());
    given
        .customers
        .import_holding(file, mapping, key, &imports::owner(place), place.clone())
        .await
        .map_err(refused)?;
    Ok(())
}

fn label(id: &str) -> Option<String> {
    let columns = COLUMNS.iter().find(|(known, _)| *known == id).map(|(_, label)| *label);
    let label = columns.or(match id {
        "file" => Some("File"),
        "others" => Some("Leave out the other columns"),
        _ => None,
    });
    label.map(str::to_owned)
}

fn page(status: StatusCode, sent: &Sent, errors: &[FieldError], imports: &[Import]) -> Response {
    let mut html = Html::new("Import customers", errors, label);
    html.push(&format!(
        "<form id=\"customer\" method=\"post\" action=\"import\" enctype=\"multipart/form-data\">\
         <input type=\"hidden\" name=\"key\" value=\"{}\">\
         <p id=\"file-hint\" class=\"dim\">A table whose first line names the columns: CSV, with semicolons or tabs too, or a \
         workbook. At most 64 MiB and 200,000 rows.</p>",
        escaped(&sent.key)
    ));
    let mark = html.mark("file");
    html.push(&format!(
        "<p><label for=\"file\">File</label><input id=\"file\" name=\"file\" type=\"file\" required{mark}>"
    ));
    html.error("file");
    html.push(
        "<fieldset><legend>Headings that the file has otherwise</legend>\
         <p class=\"dim\">Usual headings are known. If a column has another one, write it here. If the file has no line of \
         headings, write the numbers of the columns, from 1.</p>",
    );
    html.tick("header", NO_HEADER, "none", sent.no_header);
    for ((id, label), heading) in COLUMNS.iter().zip(&sent.headings) {
        html.line(id, label, heading, "maxlength=\"200\"");
    }
    html.tick("others", "Leave out the other columns", "ignore", sent.ignores_others);
    html.line("sheet", SHEET, &sent.sheet, "maxlength=\"200\"");
    html.push("</fieldset><p><button class=\"first\" type=\"submit\">Import</button></p></form>");
    html.push(
        "<div class=\"scroll\" role=\"group\" aria-label=\"Imports\" tabindex=\"0\"><table><thead><tr>\
         <th scope=\"col\">Uploaded</th><th scope=\"col\">State</th><th scope=\"col\">Progress</th>\
         <th scope=\"col\">Report</th></tr></thead><tbody>",
    );
    let count = |number: i64| spoken(usize::try_from(number).unwrap_or(0));
    for import in imports {
        html.push(&format!(
            "<tr><td>{:.0}</td><td>{}</td><td>{} of {} made, {} failed</td>\
             <td><a href=\"imports/{id}/report\" download=\"report.csv\">All rows (CSV)</a> \
             <a href=\"imports/{id}/failed\" download=\"failed.csv\">Failed rows (CSV)</a></td></tr>",
            import.created_at,
            import.state.as_str(),
            count(import.created),
            count(import.total),
            count(import.failed),
            id = import.id
        ));
    }
    html.push("</tbody></table></div>");
    html.page(status, "Import customers", "")
}
