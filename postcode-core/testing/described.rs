//! Answers compared with the description of an API.

use serde_json::Value;

/// Fails if the OpenAPI document does not list the status for the route of the request. Passes over requests that are
/// for no operation of the document.
pub fn check_described(document: &Value, method: &str, path: &str, status: u16) {
    let segments: Vec<&str> = path.split('/').collect();
    let placeholders = |template: &str| template.matches('{').count();
    let fits = |template: &&String| {
        let known: Vec<&str> = template.split('/').collect();
        known.len() == segments.len()
            && known.iter().zip(&segments).all(|(known, segment)| known.starts_with('{') || known == segment)
    };
    let paths = document["paths"].as_object().unwrap();
    // A route with a fixed segment goes before one with a parameter.
    let Some(template) = paths.keys().filter(fits).min_by_key(|template| placeholders(template)) else {
        return;
    };
    let method = if method == "HEAD" { "GET" } else { method };
    let Some(operation) = paths[template].get(method.to_lowercase()) else { return };
    let described = operation["responses"].get(status.to_string()).is_some();
    assert!(
        described,
        "{method} {path} was answered {status}, which the description of {template} does not list"
    );
}
