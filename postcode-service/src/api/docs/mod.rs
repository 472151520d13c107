//! `/docs`: the reference of this API, made from its OpenAPI document, and the guides of `docs/guides`.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use postcode_core::wire::path;
use postcode_edge::reference::{self, Link, escaped};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};

use super::App;
use super::description::document;
use super::failure::{Failure, Outcome};

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::DOCS, get(reference)).route(path::GUIDE, get(guide))
}

/// Name, title and text of a guide.
type Guide = (&'static str, &'static str, &'static str);

macro_rules! guides {
    ($($name:literal $title:literal,)*) => {
        const GUIDES: &[Guide] =
            &[$(($name, $title, include_str!(concat!("../../../guides/", $name, ".md")))),*];
    };
}

guides! {
    "curl" "curl",
    "javascript" "JavaScript",
    "python" "Python",
    "rust" "Rust",
    "excel" "Excel and Power Query",
    "postgresql" "PostgreSQL",
    "duckdb" "DuckDB",
    "assistants" "Assistants",
}

/// A page of this program changes only with the program.
const HEADERS: [(http::HeaderName, &str); 3] = [
    (CACHE_CONTROL, "no-cache"),
    (CONTENT_SECURITY_POLICY, reference::POLICY),
    (REFERRER_POLICY, "no-referrer"),
];

async fn reference() -> Outcome {
    // The URLs are relative, because a proxy may put the server below a path.
    static PAGE: LazyLock<Option<String>> = LazyLock::new(|| {
        let guides: Vec<(String, String)> = GUIDES
            .iter()
            .map(|(name, title, _)| (format!("docs/guides/{name}"), format!("Guide: {title}")))
            .collect();
        let links: Vec<Link<'_>> = guides.iter().map(|(url, text)| (url.as_str(), text.as_str())).collect();
        document().map(|document| reference::page(document, "./", &links))
    });
    match PAGE.as_deref() {
        Some(page) => Ok((HEADERS, Html(page)).into_response()),
        None => Err(Failure::internal("the reference could not be made")),
    }
}

async fn guide(Path(name): Path<String>) -> Outcome {
    let guide = GUIDES.iter().find(|(known, ..)| *known == name);
    let (_, title, text) = guide.ok_or_else(|| {
        let names: Vec<&str> = GUIDES.iter().map(|(name, ..)| *name).collect();
        Failure::not_found("Guide not found", "guide_not_found")
            .advise(format!("Known are {}", names.join(", ")))
    })?;
    let others: String = GUIDES
        .iter()
        .map(|(known, title, _)| match *known == name {
            true => format!("<li aria-current=\"page\">{}</li>", escaped(title)),
            false => format!("<li><a href=\"{known}\">{}</a></li>", escaped(title)),
        })
        .collect();
    let page = include_str!("guide.html")
        .replace("{{title}}", &escaped(title))
        .replace("{{guides}}", &others)
        .replace("{{text}}", &rendered(text));
    Ok((HEADERS, Html(page)).into_response())
}

/// Returns a guide as HTML. Links between guides lose the end of the file's name.
fn rendered(text: &str) -> String {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url =
                dest_url.strip_suffix(".md").map_or(dest_url.clone(), |url| CowStr::from(url.to_owned()));
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // Long lines scroll in the code, also by keyboard.
        Event::Start(Tag::CodeBlock(_)) => Event::Html("<pre tabindex=\"0\"><code>".into()),
        Event::End(pulldown_cmark::TagEnd::CodeBlock) => Event::Html("</code></pre>\n".into()),
        other => other,
    });
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, events);
    out
}
