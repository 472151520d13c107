//! A reference of an HTTP API as one page of HTML, made from its OpenAPI document.
//!
//! The page is readable without JavaScript. A small script adds a filter, forms that send requests, and the address of the
//! server in the curl lines. It loads nothing: a bundle of Scalar or Swagger UI has one to three megabytes, and the page would
//! be empty without JavaScript.

mod markup;
mod operation;
mod schema;

use serde_json::Value;

pub use markup::escaped;
use markup::{list, text};

/// The content policy of the page: everything that it needs is in it.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                          connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'";

/// A link above the operations: its URL, relative to the page, and its text.
pub type Link<'a> = (&'a str, &'a str);

/// Returns the page for an OpenAPI 3.1 document. `home` is the URL of the API's base, relative to the page.
///
/// A parameter with `"x-shared": true` is explained once, not with each operation.
pub fn page(document: &Value, home: &str, links: &[Link<'_>]) -> String {
    let operations = operation::all(document);
    let mut nav = String::new();
    let mut body = String::new();
    for tag in list(&document["tags"]) {
        let name = text(&tag["name"]);
        let of_tag: Vec<_> = operations.iter().filter(|operation| operation.tag() == name).collect();
        if of_tag.is_empty() {
            continue;
        }
        let id = markup::id(name);
        nav.push_str(&format!("<li><a href=\"#{id}\">{}</a></li>", escaped(name)));
        body.push_str(&format!(
            "<section id=\"{id}\"><h2>{}</h2><p>{}</p>",
            escaped(name),
            escaped(text(&tag["description"]))
        ));
        for operation in of_tag {
            body.push_str(&operation.html(document));
        }
        body.push_str("</section>");
    }
    let links: String = links
        .iter()
        .map(|(url, text)| format!("<li><a href=\"{}\">{}</a></li>", escaped(url), escaped(text)))
        .collect();
    let info = &document["info"];
    include_str!("page.html")
        .replace("{{title}}", &escaped(text(&info["title"])))
        .replace("{{version}}", &escaped(text(&info["version"])))
        .replace("{{description}}", &escaped(text(&info["description"])))
        .replace("{{home}}", &escaped(home))
        .replace("{{links}}", &links)
        .replace("{{nav}}", &nav)
        .replace("{{shared}}", &operation::shared(&operations))
        .replace("{{errors}}", &operation::errors(document))
        .replace("{{operations}}", &body)
        .replace("{{schemas}}", &schema::all(document))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "info": { "title": "Birds <b>", "version": "1", "description": "About {{nav}}" },
            "tags": [{ "name": "Birds of prey", "description": "Large ones" }, { "name": "Nobody" }],
            "paths": { "/birds/{name}": {
                "parameters": [{ "name": "name", "in": "path", "required": true, "description": "Its name",
                                 "example": "red kite", "schema": { "type": "string" } }],
                "get": {
                    "operationId": "bird", "tags": ["Birds of prey"], "summary": "One bird",
                    "parameters": [
                        { "name": "size", "in": "query", "description": "How large", "schema": { "type": "integer" } },
                        { "name": "strict", "in": "query", "x-shared": true, "description": "No mistakes",
                          "schema": { "type": "boolean" } },
                    ],
                    "responses": {
                        "200": { "description": "The bird", "content": { "application/json": {
                            "schema": { "$ref": "#/components/schemas/Bird" }, "example": { "name": "red kite" } } } },
                        "404": { "$ref": "#/components/responses/404" },
                    },
                },
            } },
            "components": {
                "responses": { "404": { "description": "There is no such bird" } },
                "schemas": { "Bird": { "type": "object", "required": ["name"], "properties": {
                    "name": { "type": "string", "description": "As people say" },
                    "span": { "type": ["number", "null"] },
                    "eggs": { "type": "array", "items": { "type": "object", "properties": { "colour": { "type": "string" } } } },
                } } },
            },
        })
    }

    #[test]
    fn operation_has_parameters_answers_and_a_curl_line() {
        let page = page(&document(), "./", &[("guides/curl", "First request")]);
        for part in [
            "<title>Birds &lt;b&gt;</title>",
            "About &#123;&#123;nav&#125;&#125;",
            "id=\"bird\"",
            "GET</b> <code>/birds/&#123;name&#125;</code>",
            "curl &quot;$URL/birds/red%20kite&quot;",
            "There is no such bird",
            "<a href=\"#schema-Bird\">Bird</a>",
            "<a href=\"guides/curl\">First request</a>",
            "number or null",
            "eggs[].colour",
            "value=\"red kite\"",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        assert!(!page.contains("Nobody") && !page.contains("{{"), "{page}");
        assert_eq!(page.matches("No mistakes").count(), 1);
    }

    #[test]
    fn hand_written_part_of_the_page_is_small_and_loads_nothing() {
        let page = include_str!("page.html");
        assert!(page.len() < 20_000, "{}", page.len());
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="));
    }
}
