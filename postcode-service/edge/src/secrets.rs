//! Error messages without the secrets of the command line.

use std::env;
use std::sync::{Mutex, PoisonError};

/// Values of a configuration file, which errors may quote as they quote arguments.
static CONFIGURED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns the text of an error with the secrets in this program's arguments and environment
/// hidden.
///
/// A URL may hold a password. Libraries quote a value that they can't use, and so would print it,
/// into the journal too. Wherever the text quotes such a value, this shows only what `redact`
/// leaves of it.
#[must_use]
pub fn without_secrets(text: &str, redact: fn(&str) -> String) -> String {
    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let environment = env::vars_os().map(|(_, value)| value.to_string_lossy().into_owned());
    let configured = CONFIGURED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    hide(text, arguments.chain(environment).chain(configured), redact)
}

/// Hides these values, too.
#[cfg(feature = "cli")]
pub(crate) fn also_hide(values: impl Iterator<Item = String>) {
    CONFIGURED.lock().unwrap_or_else(PoisonError::into_inner).extend(values);
}

fn hide(text: &str, values: impl Iterator<Item = String>, redact: fn(&str) -> String) -> String {
    let mut values: Vec<String> = values
        .flat_map(|value| match value.split_once('=') {
            Some((option, of_it)) if option.starts_with('-') => [of_it.to_owned(), value],
            _ => [String::new(), value],
        })
        .filter(|value| value.contains(['@', '?']))
        .collect();
    // A value may be a part of another one.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().fold(text.to_owned(), |text, value| {
        let hidden = redact(value);
        let text = text.replace(value, &hidden);
        text.replace(&value.escape_debug().to_string(), &hidden)
    })
}

#[cfg(test)]
mod tests {
    use super::hide;

    /// Keeps the part after the last `@`, without the query.
    fn redact(url: &str) -> String {
        let shown = url.rsplit('@').next().unwrap_or_default();
        format!("…{}", shown.split('?').next().unwrap_or_default())
    }

    #[test]
    fn values_that_are_quoted_lose_their_secrets() {
        let said =
            |text: &str, values: &[&str]| hide(text, values.iter().map(|value| (*value).to_owned()), redact);
        let url = "postgre://user:s3 'cr@et@db/x";
        for values in [&[url][..], &["--jobs", url], &[&format!("--jobs={url}"), "serve"]] {
            let hidden = said(&format!("invalid value '{url}' for '--jobs <URL>'"), values);
            assert_eq!(hidden, "invalid value '…db/x' for '--jobs <URL>'");
        }
        let hidden = said(r#""user:s3cret@db\"x": no scheme"#, &[r#"user:s3cret@db"x"#]);
        assert_eq!(hidden, r#""…db"x": no scheme"#);
        let hidden = said("no //db/x?password=s3cret", &["//db/x?password=s3cret"]);
        assert_eq!(hidden, "no …//db/x");
        assert_eq!(said("no file x.db", &["x.db", "--data=x.db"]), "no file x.db");
    }
}
