//! Schemas as tables.

use serde_json::Value;

use super::markup::{escaped, list, text, typed};

/// Objects in objects are shown down to this depth.
const DEEPEST: usize = 3;

/// Returns a type in words, as HTML.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escaped(name));
    }
    if let Some(value) = schema.get("const") {
        return format!("<code>{}</code>", escaped(&value.to_string()));
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().map(|value| format!("<code>{}</code>", escaped(&typed_or_null(value))));
        return joined(values, ", ");
    }
    for (name, word) in [("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[name].as_array() {
            return joined(parts.iter().map(kind), word);
        }
    }
    match &schema["type"] {
        Value::Array(types) => {
            let one = |name: &Value| {
                let mut alone = schema.clone();
                alone["type"] = name.clone();
                kind(&alone)
            };
            joined(types.iter().map(one), " or ")
        }
        Value::String(name) if name == "array" => match schema.get("prefixItems") {
            Some(items) => format!("[{}]", joined(list(items).iter().map(kind), ", ")),
            None => format!("list of {}", schema.get("items").map_or_else(|| "anything".to_owned(), kind)),
        },
        Value::String(name) => match schema["format"].as_str() {
            Some(format) if name != "null" => format!("{} ({})", escaped(name), escaped(format)),
            _ => escaped(name),
        },
        _ => "anything".to_owned(),
    }
}

fn typed_or_null(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { typed(value) }
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

/// Returns the rows of a table of an object's properties, and of those of objects in it.
pub(super) fn rows(schema: &Value) -> String {
    let mut out = String::new();
    write(schema, "", 0, &mut out);
    out
}

fn write(schema: &Value, prefix: &str, depth: usize, out: &mut String) {
    if depth > DEEPEST {
        return;
    }
    for part in ["allOf", "anyOf"] {
        list(&schema[part]).iter().for_each(|part| write(part, prefix, depth + 1, out));
    }
    if let Some(items) = schema.get("items") {
        write(items, &format!("{}[].", prefix.trim_end_matches('.')), depth + 1, out);
    }
    let required = list(&schema["required"]);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let always = required.iter().any(|known| known == name.as_str());
        out.push_str(&format!(
            "<tr><td><code>{}{}</code></td><td>{}{}</td><td>{}</td></tr>",
            escaped(prefix),
            escaped(name),
            kind(property),
            if always { "" } else { "<br><small>may be missing</small>" },
            escaped(text(&property["description"])),
        ));
        write(property, &format!("{prefix}{name}."), depth + 1, out);
    }
}

/// Returns all schemas of the document, each with its table.
pub(super) fn all(document: &Value) -> String {
    let mut out = String::new();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let rows = rows(schema);
        let rows = match rows.is_empty() {
            true => format!("<p>{}</p>", kind(schema)),
            false => format!(
                "<table><thead><tr><th>Key</th><th>Type</th><th>Meaning</th></tr></thead><tbody>{rows}</tbody></table>"
            ),
        };
        out.push_str(&format!(
            "<details id=\"schema-{0}\"><summary><code>{0}</code></summary><p>{1}</p>{rows}</details>",
            escaped(name),
            escaped(text(&schema["description"])),
        ));
    }
    out
}
