//! HTML with forms whose errors stand at their fields.

use std::fmt::Write;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use postcode_edge::reference::escaped;

use crate::FieldError;
use crate::server::problem::Problem;
use crate::server::served::served;

/// The text of a page, and the errors that it shows.
pub(super) struct Html<'a> {
    text: String,
    errors: &'a [FieldError],
}

impl<'a> Html<'a> {
    /// Begins with a heading, and a list of all errors that leads to their fields.
    pub(super) fn new(title: &str, errors: &'a [FieldError], label: impl Fn(&str) -> Option<String>) -> Self {
        let mut html = Self { text: format!("<h2>{}</h2>", escaped(title)), errors };
        if errors.is_empty() {
            return html;
        }
        html.push("<div role=\"alert\"><ul>");
        for error in errors {
            let id = id_of(&error.field);
            let message = escaped(&error.message);
            match label(&id) {
                Some(label) => {
                    html.push(&format!("<li><a href=\"#{id}\">{}</a>: {message}", escaped(&label)))
                }
                None => html.push(&format!("<li>{}", escaped(&sentence(&error.message)))),
            }
            // Most messages say it themselves.
            if let Some(suggestion) = &error.suggestion
                && !error.message.contains(suggestion.as_str())
            {
                html.push(&format!(". Did you mean {}?", escaped(suggestion)));
            }
            html.push("</li>");
        }
        html.push("</ul></div>");
        html
    }

    /// Adds HTML as it is.
    pub(super) fn push(&mut self, html: &str) {
        self.text.push_str(html);
    }

    /// Adds a field of one line. `more` is attributes.
    pub(super) fn line(&mut self, id: &str, label: &str, value: &str, more: &str) {
        let (label, value, mark) = (escaped(label), escaped(value), self.mark(id));
        let _ = write!(
            self.text,
            "<p><label for=\"{id}\">{label}</label><input id=\"{id}\" name=\"{id}\" value=\"{value}\" \
             autocomplete=\"off\" {more}{mark}>"
        );
        self.error(id);
    }

    /// Adds a field of several lines.
    pub(super) fn area(&mut self, id: &str, label: &str, value: &str, rows: usize) {
        let (label, value, mark) = (escaped(label), escaped(value), self.mark(id));
        // A browser drops the first line feed of a text area.
        let _ = write!(
            self.text,
            "<p><label for=\"{id}\">{label}</label><textarea id=\"{id}\" name=\"{id}\" rows=\"{rows}\" \
             autocomplete=\"off\"{mark}>\n{value}</textarea>"
        );
        self.error(id);
    }

    /// Adds a choice of values, each with its text.
    pub(super) fn choice(&mut self, id: &str, label: &str, options: &[(&str, &str)], chosen: &str) {
        let (label, mark) = (escaped(label), self.mark(id));
        let _ = write!(
            self.text,
            "<p><label for=\"{id}\">{label}</label><select id=\"{id}\" name=\"{id}\"{mark}>"
        );
        for (value, text) in options {
            let selected = if *value == chosen { " selected" } else { "" };
            let _ = write!(
                self.text,
                "<option value=\"{}\"{selected}>{}</option>",
                escaped(value),
                escaped(text)
            );
        }
        self.push("</select>");
        self.error(id);
    }

    /// Adds a box to tick.
    pub(super) fn tick(&mut self, id: &str, label: &str, value: &str, ticked: bool) {
        let (label, mark) = (escaped(label), self.mark(id));
        let checked = if ticked { " checked" } else { "" };
        let _ = write!(
            self.text,
            "<p class=\"tick\"><input id=\"{id}\" name=\"{id}\" type=\"checkbox\" value=\"{value}\"{checked}{mark}> \
             <label for=\"{id}\">{label}</label>"
        );
        self.error(id);
    }

    /// Returns the attributes of a field that has an error.
    pub(super) fn mark(&self, id: &str) -> String {
        match self.errors.iter().any(|error| id_of(&error.field) == id) {
            true => format!(" aria-invalid=\"true\" aria-describedby=\"{id}-error\""),
            false => String::new(),
        }
    }

    /// Ends a field with its errors.
    pub(super) fn error(&mut self, id: &str) {
        let errors = self.errors.iter().filter(|error| id_of(&error.field) == id);
        let messages: Vec<&str> = errors.map(|error| error.message.as_str()).collect();
        if !messages.is_empty() {
            let _ = write!(
                self.text,
                "<span class=\"error\" id=\"{id}-error\">{}</span>",
                escaped(&sentence(&messages.join("; ")))
            );
        }
        self.push("</p>");
    }

    /// Returns the answer. `root` leads to the folder of the page's files, such as `../`.
    pub(super) fn page(self, status: StatusCode, title: &str, root: &str) -> Response {
        let title = escaped(title);
        let html = format!(
            "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title} – Customers</title><link rel=\"icon\" href=\"data:,\">\
             <link rel=\"stylesheet\" href=\"{root}page.css\"></head><body>\
             <header><h1><a href=\"{root}list\">Customers</a></h1><nav aria-label=\"Main\">\
             <a class=\"button\" href=\"{root}import\">Import</a> \
             <a class=\"button\" href=\"{root}new\">New customer</a></nav></header>\
             <main id=\"main\">{}</main></body></html>",
            self.text
        );
        // The page has a person's data, so nothing may keep it.
        let private = [(header::CACHE_CONTROL, "no-store")];
        (status, private, served("text/html; charset=utf-8", html)).into_response()
    }
}

/// Returns a page that says only what went wrong.
pub(super) fn failed(problem: &Problem, title: &str, root: &str) -> Response {
    let errors = [about("", problem.detail())];
    Html::new(title, &errors, |_| None).page(problem.status(), title, root)
}

/// Returns an error about a field, or about none.
pub(super) fn about(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into(), suggestion: None }
}

/// Returns the id of the field that an error is about: `addresses[1].address_lines[0]` is about
/// `addresses-1-address_lines`.
pub(super) fn id_of(field: &str) -> String {
    let in_list = field.strip_prefix("addresses[").and_then(|rest| rest.split_once("]."));
    match in_list {
        Some((n, rest)) => format!("addresses-{n}-{}", rest.split('[').next().unwrap_or_default()),
        None => field.split('[').next().unwrap_or_default().to_owned(),
    }
}

/// Returns a message with a capital at its beginning.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Returns a time as people write it.
pub(super) fn when(time: Timestamp) -> String {
    time.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// Returns a number with commas between its thousands.
pub(super) fn spoken(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stand_at_the_fields_that_they_are_about() {
        for (field, id) in [
            ("name", "name"),
            ("address_lines[2]", "address_lines"),
            ("addresses[1].postcode", "addresses-1-postcode"),
            ("addresses[0].address_lines[3]", "addresses-0-address_lines"),
            ("addresses", "addresses"),
            ("", ""),
        ] {
            assert_eq!(id_of(field), id, "{field}");
        }
    }

    #[test]
    fn time_is_written_with_the_name_of_the_month() {
        let time = "2025-11-30T09:05:59.123456Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
        assert_eq!(when(time), "30 November 2025, 09:05 UTC");
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(spoken), ["0", "999", "1,000", "12,345,678"]);
    }
}
