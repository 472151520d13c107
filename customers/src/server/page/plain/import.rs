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

use super::html::{Html, about, failed, spoken, when};
use crate::import;
use crate::server::conditions::Given;
use crate::server::problem::Problem;
use crate::server::{App, imports, json};
use crate::{FieldError, Import, ImportState, MAX_IMPORT, Mapping, Preview};

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

/// A file with the usual columns and one row.
const TEMPLATE: &str = "data:text/csv;charset=utf-8,name%2Cemail%2Cphone%2Caddress_line_1%2Caddress_line_2%2Cpostcode%2Cnotes\
    %0D%0AAda%20Lovelace%2Cada%40example.com%2C020%207946%200018%2C1%20The%20Mall%2CLondon%2CSW1A%201AA%2C%0D%0A";
const NO_HEADER: &str = "The first line is a row, and does not name the columns";
const SHEET: &str = "Sheet of a workbook, if not the first";

/// The form as it was sent.
#[derive(Default)]
struct Sent {
    file: Vec<u8>,
    /// The name of the file.
    name: Option<String>,
    key: String,
    /// Whether the file is only to be shown.
    previews: bool,
    /// The headings for [`COLUMNS`].
    headings: [String; COLUMNS.len()],
    ignores_others: bool,
    no_header: bool,
    sheet: String,
}

pub(super) async fn show(State(app): State<App>) -> Response {
    let sent = Sent { key: format!("plain-{:032x}", fastrand::u128(..)), ..Sent::default() };
    match app.customers.imports().await {
        Ok(imports) => page(StatusCode::OK, &sent, None, &[], &imports),
        Err(error) => failed(&Problem::from(error), "Import customers", ""),
    }
}

pub(super) async fn send(State(app): State<App>, given: Given, request: Request) -> Response {
    let done = match imports::enter(&app, &request) {
        Ok(place) => match parts(request, &place).await {
            // The place is held until the file is stored.
            Ok(mut sent) => {
                let done = take(&app, &given, &mut sent, &place).await;
                (sent, done)
            }
            Err(problem) => return failed(&problem, "Import customers", ""),
        },
        Err(problem) => return failed(&problem, "Import customers", ""),
    };
    let (sent, preview, (status, errors)) = match done {
        (_, Ok(None)) => return ([(header::LOCATION, "import")], StatusCode::SEE_OTHER).into_response(),
        (sent, Ok(Some(preview))) => (sent, Some(preview), (StatusCode::OK, Vec::new())),
        (sent, Err((preview, refused))) => (sent, preview, refused),
    };
    let imports = app.customers.imports().await.unwrap_or_default();
    page(status, &sent, preview.as_ref(), &errors, &imports)
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
            sent.name = part.file_name().and_then(import::name);
            sent.file = part.bytes().await.map_err(broken)?.into();
            continue;
        }
        let value = part.text().await.map_err(broken)?;
        match name.as_str() {
            "key" => sent.key = value,
            "do" => sent.previews = value == "preview",
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
/// The beginning of a file to show. None if the file was accepted.
type Taken = Result<Option<Preview>, (Option<Preview>, Refused)>;

/// Accepts the file or only looks at it, or returns what is wrong and at which field.
async fn take(app: &App, given: &Given, sent: &mut Sent, place: &Arc<Place>) -> Taken {
    let wrong = |errors| (None, (StatusCode::UNPROCESSABLE_ENTITY, errors));
    if sent.file.is_empty() {
        return Err(wrong(vec![about("file", "choose a file that is not empty")]));
    }
    let mapping = sent.mapping().map_err(|error| wrong(vec![error]))?;
    let refused = |problem: Problem| (None, (problem.status(), vec![about("file", problem.detail())]));
    let file = std::mem::take(&mut sent.file);
    let sheet = Some(sent.sheet.trim().to_owned()).filter(|sheet| !sheet.is_empty());
    let (file, _) = imports::unpacked(file, Packing::Plain, sheet, place.clone()).await.map_err(refused)?;
    let refused = |error| refused(Problem::from(error));
    // The columns are looked at first, because each error about them belongs to a field.
    let preview = app.customers.preview_holding(file.clone(), mapping.clone(), place.clone());
    let preview = preview.await.map_err(refused)?;
    if let Some(problem) = &preview.problem {
        let errors = of_columns(&preview, problem);
        return Err((Some(preview), (StatusCode::UNPROCESSABLE_ENTITY, errors)));
    }
    if sent.previews {
        return Ok(Some(preview));
    }
    let key = Some(sent.key.as_str()).filter(|key| !key.is_empty());
    let owner = place.client().name().unwrap_or_default();
    let import = given.customers.import_holding(file, sent.name.take(), mapping, key, &owner, place.clone());
    import.await.map_err(refused)?;
    Ok(None)
}

impl Sent {
    fn mapping(&self) -> Result<Mapping, FieldError> {
        let mut mapping = Mapping::default();
        for ((id, _), heading) in COLUMNS.iter().zip(&self.headings) {
            let meaning = id.strip_prefix("map-").unwrap_or(id);
            if !heading.trim().is_empty() {
                mapping.set(heading, meaning).map_err(|error| about(id, error.to_string()))?;
            }
        }
        if self.ignores_others {
            mapping.ignore_others();
        }
        if self.no_header {
            mapping.without_header();
        }
        Ok(mapping)
    }
}

/// Returns the errors about the columns, each at its field.
fn of_columns(preview: &Preview, problem: &str) -> Vec<FieldError> {
    let headings: Vec<&str> = preview.columns.iter().map(|column| column.heading.as_str()).collect();
    let headings = headings.join(", ");
    let missing = preview.missing.iter().map(|name| {
        let message = format!("write the heading of the column with it. The file has: {headings}");
        about(&format!("map-{name}"), message)
    });
    let mut errors: Vec<FieldError> = missing.collect();
    let unknown: Vec<&str> = preview
        .columns
        .iter()
        .filter(|column| column.column.is_none() && !column.heading.is_empty())
        .map(|column| column.heading.as_str())
        .collect();
    if !unknown.is_empty() {
        let message = format!("not known: {}. Say above what they mean, or tick this", unknown.join(", "));
        errors.push(about("others", message));
    }
    if errors.is_empty() {
        errors.push(about("file", problem));
    }
    errors
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

fn page(
    status: StatusCode,
    sent: &Sent,
    preview: Option<&Preview>,
    errors: &[FieldError],
    imports: &[Import],
) -> Response {
    let mut html = Html::new("Import customers", errors, label);
    html.push(&format!(
        "<form id=\"customer\" method=\"post\" action=\"import\" enctype=\"multipart/form-data\">\
         <input type=\"hidden\" name=\"key\" value=\"{}\">\
         <p id=\"file-hint\" class=\"dim\">A table whose first line names the columns: CSV, with semicolons or tabs too, or a \
         workbook. At most 64 MiB and 200,000 rows. <a download=\"customers.csv\" href=\"{TEMPLATE}\">A file to begin \
         with</a></p>",
        escaped(&sent.key)
    ));
    let mark = html.mark("file");
    html.push(&format!(
        "<p><label for=\"file\">File</label><input id=\"file\" name=\"file\" type=\"file\" required{mark}>"
    ));
    html.error("file");
    html.push(
        "<fieldset><legend>Headings of the file (optional)</legend>\
         <p class=\"dim\">Usual headings are known. If your file has another heading for one of these, write it here. If it has no \
         line of headings, write the numbers of the columns, from 1.</p>",
    );
    html.tick("header", NO_HEADER, "none", sent.no_header);
    for ((id, label), heading) in COLUMNS.iter().zip(&sent.headings) {
        html.line(id, label, heading, "maxlength=\"200\"");
    }
    html.tick("others", "Leave out the other columns", "ignore", sent.ignores_others);
    html.line("sheet", SHEET, &sent.sheet, "maxlength=\"200\"");
    html.push(
        "</fieldset><p class=\"actions\"><button class=\"first\" type=\"submit\">Import</button> \
         <button name=\"do\" value=\"preview\" type=\"submit\">Preview</button></p></form>",
    );
    if let Some(preview) = preview {
        show_preview(&mut html, preview);
    }
    html.push(
        "<div class=\"scroll\" role=\"group\" aria-label=\"Imports\" tabindex=\"0\"><table><thead><tr>\
         <th scope=\"col\">Uploaded</th><th scope=\"col\">File</th><th scope=\"col\">State</th><th scope=\"col\">Progress</th>\
         <th scope=\"col\">Report</th></tr></thead><tbody>",
    );
    for import in imports {
        html.push(&row(import));
    }
    html.push("</tbody></table></div>");
    html.page(status, "Import customers", "")
}

/// Shows how the columns are understood, and the first rows.
fn show_preview(html: &mut Html<'_>, preview: &Preview) {
    html.push(
        "<section><h3>The first rows</h3><div id=\"preview\" class=\"scroll\" role=\"group\" \
         aria-label=\"The first rows of the file\" tabindex=\"0\"><table><thead><tr>",
    );
    for column in &preview.columns {
        let meaning = match column.column.as_deref() {
            Some("ignore") => "left out",
            Some(meaning) => meaning,
            None => "not known",
        };
        let (heading, meaning) = (escaped(&column.heading), escaped(&meaning.replace('_', " ")));
        html.push(&format!("<th scope=\"col\">{heading}<br><span class=\"dim\">{meaning}</span></th>"));
    }
    html.push("</tr></thead><tbody>");
    for cells in &preview.rows {
        let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
        html.push(&format!("<tr>{cells}</tr>"));
    }
    html.push("</tbody></table></div>");
    if preview.problem.is_none() {
        html.push(
            "<p>The file can be imported. Choose it again above, because this page does not keep it.</p>",
        );
    }
    html.push("</section>");
}

/// Returns a row of the list of imports.
fn row(import: &Import) -> String {
    let count = |number: i64| spoken(usize::try_from(number).unwrap_or(0));
    let id = import.id;
    let state = match (import.state, import.failed) {
        (ImportState::Succeeded, 0) => "done",
        (ImportState::Succeeded, _) => "done, some rows failed",
        (ImportState::Queued, _) => "waiting",
        (state, _) => state.as_str(),
    };
    let failed = match import.failed {
        0 => String::new(),
        _ => format!(" <a href=\"imports/{id}/failed\" download=\"failed.csv\">Failed rows (CSV)</a>"),
    };
    format!(
        "<tr><td>{}</td><td>{}</td><td>{state}</td><td>{} of {} made, {} failed</td>\
         <td><a href=\"imports/{id}/report\" download=\"report.csv\">All rows (CSV)</a>{failed}</td></tr>",
        when(import.created_at),
        escaped(import.name.as_deref().unwrap_or_default()),
        count(import.created),
        count(import.total),
        count(import.failed),
    )
}
