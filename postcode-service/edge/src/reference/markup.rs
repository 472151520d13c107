//! Text and JSON as HTML.

use serde_json::Value;

/// Returns a text as HTML that shows it, in an element or in an attribute with quotes.
///
/// Braces are escaped too, so that a text can't look like a place of a template.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '{' => out.push_str("&#123;"),
            '}' => out.push_str("&#125;"),
            c => out.push(c),
        }
    }
    out
}

/// Returns the text of a value, which is empty for any other kind of value.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the items of a value, none for any other kind of value.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns a value as people type it: a text without quotes.
pub(super) fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Returns a name as an id of HTML.
pub(super) fn id(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// Encodes a text for a URL.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' | b':' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Returns JSON with line breaks, and short lists on one line.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let line = value.to_string();
    let (open, close) = match value {
        Value::Array(items) if !items.is_empty() && line.len() > 60 => ('[', ']'),
        Value::Object(entries) if entries.len() > 1 || line.len() > 60 => ('{', '}'),
        _ => return out.push_str(&line),
    };
    let pad = "  ".repeat(depth + 1);
    out.push(open);
    let mut separator = "\n";
    let mut item = |name: Option<&str>, value: &Value| {
        out.push_str(separator);
        separator = ",\n";
        out.push_str(&pad);
        if let Some(name) = name {
            out.push_str(&format!("{}: ", Value::from(name)));
        }
        write(value, depth + 1, out);
    };
    match value {
        Value::Array(items) => items.iter().for_each(|value| item(None, value)),
        Value::Object(entries) => entries.iter().for_each(|(name, value)| item(Some(name), value)),
        _ => (),
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_broken_into_lines_where_it_is_long() {
        let value = json!({ "a": [1, 2], "b": { "c": null } });
        assert_eq!(pretty(&value), "{\n  \"a\": [1,2],\n  \"b\": {\"c\":null}\n}");
        assert_eq!(pretty(&json!("x")), "\"x\"");
    }

    #[test]
    fn text_is_encoded_for_a_url() {
        assert_eq!(encoded("SW1A 1AA/é"), "SW1A%201AA%2F%C3%A9");
    }
}
