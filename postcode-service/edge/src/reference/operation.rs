//! Operations as HTML.

use std::collections::BTreeMap;

use serde_json::Value;

use super::markup::{encoded, escaped, list, pretty, text, typed};
use super::schema;

/// The methods of OpenAPI that these APIs use, in the order of the page.
const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];
/// A longer example of an answer is cut off on the page.
const LONGEST_EXAMPLE: usize = 4_000;

/// One operation of the document.
pub(super) struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    operation: &'a Value,
    parameters: Vec<&'a Value>,
}

/// Returns the operations of a document in its order.
pub(super) fn all(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object();
    let operations = paths.into_iter().flatten().flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| {
            let operation = item.get(method)?;
            let of_path = list(&item["parameters"]).iter();
            let parameters = of_path.chain(list(&operation["parameters"])).collect();
            Some(Operation { method, path, operation, parameters })
        })
    });
    operations.collect()
}

/// Returns the rows of the parameters that many operations have, each once.
pub(super) fn shared(operations: &[Operation<'_>]) -> String {
    let shared = operations.iter().flat_map(|operation| &operation.parameters).filter(|it| is_shared(it));
    let rows: BTreeMap<&str, String> = shared
        .map(|parameter| {
            let row = format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                escaped(text(&parameter["name"])),
                escaped(text(&parameter["in"])),
                escaped(text(&parameter["description"])),
            );
            (text(&parameter["name"]), row)
        })
        .collect();
    rows.into_values().collect()
}

/// Returns the rows of the errors that the document names.
pub(super) fn errors(document: &Value) -> String {
    let responses = document["components"]["responses"].as_object();
    let row = |(status, response): (&String, &Value)| {
        format!("<tr><td>{}</td><td>{}</td></tr>", escaped(status), escaped(text(&response["description"])))
    };
    responses.into_iter().flatten().map(row).collect()
}

fn is_shared(parameter: &Value) -> bool {
    parameter["x-shared"] == true
}

impl Operation<'_> {
    pub(super) fn tag(&self) -> &str {
        text(&self.operation["tags"][0])
    }

    /// Returns the first example of a body, with its media type.
    fn body(&self) -> Option<(&str, String)> {
        let content = self.operation["requestBody"]["content"].as_object()?;
        let (kind, media) = content.iter().find(|(_, media)| media.get("example").is_some())?;
        let example = &media["example"];
        let body = match example {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((kind, body))
    }

    /// Returns the path and query of the example.
    fn target(&self) -> String {
        let mut target = self.path.to_owned();
        let mut query = Vec::new();
        for parameter in &self.parameters {
            let Some(example) = parameter.get("example").map(typed) else { continue };
            let name = text(&parameter["name"]);
            match text(&parameter["in"]) {
                "path" => target = target.replace(&format!("{{{name}}}"), &encoded(&example)),
                "query" => query.push(format!("{name}={}", encoded(&example))),
                _ => (),
            }
        }
        if query.is_empty() { target } else { format!("{target}?{}", query.join("&")) }
    }

    fn curl(&self) -> String {
        let method = match self.method {
            "get" => String::new(),
            "post" if self.body().is_some() => String::new(),
            method => format!(" -X {}", method.to_uppercase()),
        };
        let body = self.body().map_or_else(String::new, |(kind, body)| {
            let body = body.replace('\'', "'\\''");
            format!(" -H 'Content-Type: {kind}' --data-binary '{body}'")
        });
        format!("curl{method} \"$URL{}\"{body}", self.target())
    }

    pub(super) fn html(&self, document: &Value) -> String {
        let id = escaped(text(&self.operation["operationId"]));
        let description = match text(&self.operation["description"]) {
            "" => String::new(),
            text => format!("<p>{}</p>", escaped(text)),
        };
        format!(
            "<details class=\"operation\" id=\"{id}\" data-method=\"{method}\" data-path=\"{path}\">\
             <summary><b class=\"{lower}\">{method}</b> <code>{path}</code> <span>{summary}</span></summary>\
             {description}<form>{parameters}{body}\
             <pre class=\"curl\" tabindex=\"0\" aria-label=\"curl\">{curl}</pre>\
             <p class=\"try\"><button>Send</button> <button type=\"button\" data-copy>Copy curl</button> \
             <span role=\"status\"></span></p></form><pre class=\"answer\" hidden tabindex=\"0\" aria-label=\"Answer\"></pre>\
             {answers}</details>",
            method = self.method.to_uppercase(),
            lower = self.method,
            path = escaped(self.path),
            summary = escaped(text(&self.operation["summary"])),
            parameters = self.parameters(),
            body = self.request(),
            curl = escaped(&self.curl()),
            answers = self.answers(document),
        )
    }

    fn parameters(&self) -> String {
        let own: Vec<_> = self.parameters.iter().filter(|parameter| !is_shared(parameter)).collect();
        let shared: Vec<_> = self.parameters.iter().filter(|parameter| is_shared(parameter)).collect();
        let mut out = String::new();
        if !own.is_empty() {
            out.push_str(
                "<table><thead><tr><th>Parameter</th><th>Type</th><th>Meaning</th><th class=\"try\">Value</th></tr></thead><tbody>",
            );
            own.iter().for_each(|parameter| out.push_str(&input(parameter)));
            out.push_str("</tbody></table>");
        }
        if !shared.is_empty() {
            let names: Vec<_> =
                shared.iter().map(|it| format!("<code>{}</code>", escaped(text(&it["name"])))).collect();
            out.push_str(&format!(
                "<p><small>Also the <a href=\"#shared\">common parameters</a> {}.</small></p>",
                names.join(", ")
            ));
        }
        out
    }

    fn request(&self) -> String {
        let request = &self.operation["requestBody"];
        let Some(content) = request["content"].as_object() else { return String::new() };
        let mut out = format!("<h3>Body</h3><p>{}</p>", escaped(text(&request["description"])));
        out.push_str("<table><thead><tr><th>Content-Type</th><th>Type</th></tr></thead><tbody>");
        for (kind, media) in content {
            let of = media.get("schema").map_or_else(|| "bytes".to_owned(), schema::kind);
            out.push_str(&format!("<tr><td><code>{}</code></td><td>{of}</td></tr>", escaped(kind)));
        }
        out.push_str("</tbody></table>");
        if let Some((kind, body)) = self.body() {
            out.push_str(&format!(
                "<p class=\"try\"><label>Body, as <code>{0}</code><textarea rows=\"4\" spellcheck=\"false\" data-type=\"{0}\">{1}</textarea></label></p>",
                escaped(kind),
                escaped(&body),
            ));
        }
        out
    }

    fn answers(&self, document: &Value) -> String {
        let mut out = String::from(
            "<h3>Answers</h3><table><thead><tr><th>Status</th><th>Meaning</th><th>Content</th></tr></thead><tbody>",
        );
        let mut example = None;
        let mut properties = String::new();
        for (status, response) in self.operation["responses"].as_object().into_iter().flatten() {
            let response = referred(document, response);
            let content = response["content"].as_object();
            let kinds: Vec<_> = content
                .into_iter()
                .flatten()
                .map(|(kind, media)| {
                    if let Some(given) = media.get("example").filter(|_| example.is_none()) {
                        example = Some(given);
                    }
                    let of = media.get("schema").filter(|schema| schema["type"] != "string");
                    if status.starts_with('2')
                        && properties.is_empty()
                        && let Some(of) = of
                    {
                        properties = schema::rows(of);
                    }
                    match of.filter(|of| of["type"] != "object") {
                        Some(of) => format!("<code>{}</code>: {}", escaped(kind), schema::kind(of)),
                        None => format!("<code>{}</code>", escaped(kind)),
                    }
                })
                .collect();
            out.push_str(&format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(status),
                escaped(text(&response["description"])),
                kinds.join("<br>"),
            ));
        }
        out.push_str("</tbody></table>");
        if !properties.is_empty() {
            out.push_str(&format!(
                "<h3>Keys of the answer</h3><table><thead><tr><th>Key</th><th>Type</th><th>Meaning</th></tr></thead><tbody>{properties}</tbody></table>"
            ));
        }
        if let Some(example) = example {
            let mut example = match example {
                Value::String(text) => text.clone(),
                other => pretty(other),
            };
            if example.len() > LONGEST_EXAMPLE {
                example.truncate(example.floor_char_boundary(LONGEST_EXAMPLE));
                example.push('…');
            }
            out.push_str(&format!(
                "<h3>Example</h3><pre tabindex=\"0\" aria-label=\"Example\">{}</pre>",
                escaped(&example)
            ));
        }
        out
    }
}

/// Follows a reference to a response.
fn referred<'a>(document: &'a Value, response: &'a Value) -> &'a Value {
    let name = response["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.and_then(|name| document["components"]["responses"].get(name)).unwrap_or(response)
}

/// Returns the row of a parameter, with its field.
fn input(parameter: &Value) -> String {
    let name = escaped(text(&parameter["name"]));
    let place = text(&parameter["in"]);
    let required = parameter["required"] == true;
    let hint = parameter["schema"]["examples"][0].as_str().unwrap_or_default();
    format!(
        "<tr><td><code>{name}</code><br><small>{place}{}</small></td><td>{}</td><td>{}</td>\
         <td class=\"try\"><input aria-label=\"{name}\" name=\"{name}\" data-in=\"{place}\" value=\"{}\" placeholder=\"{}\" autocomplete=\"off\" spellcheck=\"false\"{}></td></tr>",
        if required { ", required" } else { "" },
        schema::kind(&parameter["schema"]),
        escaped(text(&parameter["description"])),
        escaped(&parameter.get("example").map(typed).unwrap_or_default()),
        escaped(hint),
        if required { " required" } else { "" },
    )
}
