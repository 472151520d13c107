//! Reads the command line of a program.

use std::env;
use std::ffi::OsString;

use clap::{Command, Error, FromArgMatches};

use crate::secrets::without_secrets;

/// Reads this program's command line, or ends the program with a message and the status 2. The
/// message shows no secrets.
pub fn parse<P: FromArgMatches>(mut command: Command, redact: fn(&str) -> String) -> P {
    let matches = command.try_get_matches_from_mut(env::args_os().map(number_as_value));
    let parsed = matches.and_then(|matches| P::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| end(&error.format(&mut command), redact))
}

fn end(error: &Error, redact: fn(&str) -> String) -> ! {
    let text = error.to_string();
    let shown = without_secrets(&text, redact);
    if shown == text {
        error.exit();
    }
    eprint!("{shown}");
    std::process::exit(error.exit_code())
}

/// Puts a space before a negative number, because clap takes `-0.14,51.5` for options. No option of
/// the programs begins with a digit, and numbers are read without the spaces around them.
fn number_as_value(argument: OsString) -> OsString {
    let text = argument.to_string_lossy();
    let number = text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if number { format!(" {text}").into() } else { argument }
}

#[cfg(test)]
mod tests {
    use super::number_as_value;

    #[test]
    fn only_negative_numbers_are_changed() {
        for (given, read) in [
            ("-0.1419,51.501", " -0.1419,51.501"),
            ("-5", " -5"),
            ("-n5", "-n5"),
            ("--limit", "--limit"),
            ("-", "-"),
            ("5-1", "5-1"),
        ] {
            assert_eq!(number_as_value(given.into()), read, "{given}");
        }
    }
}
