//! `address`: tools for addresses that need no address file.

use std::io::{BufRead, Read, Write};

use anyhow::Context as _;
use postcode_addresses::elements::Elements;
use postcode_addresses::format::Style;
use postcode_addresses::{Address, Formatted};
use serde::Serialize;

use super::{exit, output};

/// The most bytes of one line of input.
const MAX_LINE: usize = 1 << 20;

/// Write addresses as lines for an envelope. No address file is needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Format(Format),
}

const EXAMPLE: &str = "\
Example:
  echo '{\"building_name\": \"Rose House 18A\", \"thoroughfare\": \"Ash Road\", \"post_town\": \"EXAMPLETON\"}' |
    postcode-service address format --style guide";

/// Write addresses as lines by Royal Mail's rules.
///
/// Reads one JSON object a line from standard input: organisation_name, department_name, po_box, sub_building_name,
/// building_name, building_number, dependent_thoroughfare, thoroughfare, double_dependent_locality,
/// dependent_locality, post_town, postcode, concatenation_indicator. All may be missing. Writes one JSON object for
/// each: lines, post_town, postcode, single_line, premise, number, unit. A line that can't be read becomes an object with
/// line and error.
///
/// Exit status: 0 if all lines could be read, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
struct Format {
    /// How addresses are written: guide (Royal Mail's guide, all elements), ideal (three lines), dvla (four lines)
    #[arg(long, default_value = "guide", value_name = "STYLE")]
    style: Style,
    /// The most lines: what is over is joined or dropped, as the style does. In the style guide post town and postcode
    /// are among them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    lines: Option<u8>,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let Command::Format(format) = self.command;
        let done = tokio::task::spawn_blocking(move || {
            format.all(std::io::stdin().lock(), std::io::BufWriter::new(std::io::stdout().lock()))
        });
        exit::found(done.await.context("the command ended unexpectedly")??)
    }
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    formatted: &'a Formatted,
    single_line: String,
}

#[derive(Serialize)]
struct Unreadable {
    line: u64,
    error: String,
}

impl Format {
    /// Formats all lines. Returns whether all of them could be read.
    fn all(&self, mut input: impl BufRead, mut out: impl Write) -> anyhow::Result<bool> {
        let mut all = true;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = input
                .by_ref()
                .take(MAX_LINE as u64 + 1)
                .read_until(b'\n', &mut line)
                .context("standard input")?;
            if read == 0 {
                break;
            }
            if read > MAX_LINE {
                anyhow::bail!(
                    "line {number} of the input has more than {MAX_LINE} bytes. Give one JSON object a line."
                );
            }
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            // Output for people at a terminal comes with each line, and in blocks otherwise.
            match read_address(text) {
                Ok(address) => self.write(&address, &mut out)?,
                Err(error) => {
                    all = false;
                    output::json(&mut out, &Unreadable { line: number, error })?;
                }
            }
        }
        out.flush()?;
        Ok(all)
    }

    fn write(&self, address: &Address, out: &mut impl Write) -> anyhow::Result<()> {
        let mut formatted = address.format(self.style);
        let single_line = formatted.single_line();
        if let Some(most) = self.lines {
            formatted.lines = formatted.clone().fit(usize::from(most));
        }
        Ok(output::json(out, &Written { formatted: &formatted, single_line })?)
    }
}

fn read_address(text: &[u8]) -> Result<Address, String> {
    let not = |error| format!("not an object of elements: {error}");
    // By way of a map, because a struct is read from an array as well.
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text).map_err(not)?;
    let object: serde_json::Map<String, serde_json::Value> =
        object.into_iter().map(|(name, value)| (plain(&name), value)).collect();
    let elements: Elements = serde_json::from_value(object.into()).map_err(not)?;
    Address::try_from(elements).map_err(|error| error.to_string())
}

/// Returns the usual form of the name of an element: `Post Town`, `POST_TOWN` and `postTown` are `post_town`.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len() + 2);
    let mut before = '_';
    for c in name.trim().chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            plain.push('_');
        }
        plain.push(if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() });
        before = c;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(style: Style, lines: Option<u8>, input: &str) -> (bool, String) {
        let mut out = Vec::new();
        let all = Format { style, lines }.all(input.as_bytes(), &mut out).unwrap();
        (all, String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_line_of_input_gives_a_line() {
        let input = "{\"building_name\": \"Rose House 18A\", \"thoroughfare\": \"Ash Road\", \"dependant_locality\": \"Norwood\", \"post_town\": \"Exampleton\", \"postcode\": \"ZZ1 1ZZ\"}\n\n{\"building_number\": 7}";
        let (all, out) = formatted(Style::Guide, None, input);
        assert!(all);
        assert_eq!(
            out,
            "{\"lines\":[\"Rose House\",\"18A Ash Road\",\"Norwood\"],\"post_town\":\"EXAMPLETON\",\"postcode\":\"ZZ1 1ZZ\",\"premise\":\"Rose House, 18A\",\"number\":\"18A\",\"unit\":\"\",\"single_line\":\"Rose House, 18A Ash Road, Norwood, EXAMPLETON, ZZ1 1ZZ\"}\n\
             {\"lines\":[\"7\"],\"post_town\":\"\",\"postcode\":\"\",\"premise\":\"7\",\"number\":\"7\",\"unit\":\"\",\"single_line\":\"7\"}\n"
        );
        let (_, out) = formatted(Style::Guide, Some(2), input);
        assert!(
            out.starts_with("{\"lines\":[\"Rose House, 18A Ash Road, Norwood\",\"EXAMPLETON, ZZ1 1ZZ\"],"),
            "{out}"
        );
    }

    #[test]
    fn names_of_elements_may_be_written_in_other_ways_and_numbers_with_a_point() {
        for input in [
            "{\"BUILDING_NUMBER\": 12.0, \"THOROUGHFARE\": \"Ash Road\", \"POST_TOWN\": \"X\"}",
            "{\"buildingNumber\": 12, \"thoroughfare\": \"Ash Road\", \"postTown\": \"X\"}",
            "{\"Building Number\": \"12\", \"Thoroughfare\": \"Ash Road\", \"Post-Town\": \"X\"}",
        ] {
            let (all, out) = formatted(Style::Guide, None, input);
            assert!(all && out.starts_with("{\"lines\":[\"12 Ash Road\"],\"post_town\":\"X\""), "{out}");
        }
        let (all, out) = formatted(Style::Guide, None, "{\"building_number\": 12.5}");
        assert!(!all && out.contains("a text or a whole number"), "{out}");
    }

    #[test]
    fn line_that_is_not_an_object_gives_its_number_and_why() {
        let (all, out) = formatted(
            Style::Dvla,
            None,
            "{}\n[1]\n{\"udprn\": \"x\"}\n{\"thoroughfare\": {}}\n{\"post_town\":",
        );
        assert!(!all);
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0]["lines"], serde_json::json!([]));
        for (at, part) in [
            (1, "not an object of elements"),
            (2, "udprn: \"x\" is not a whole number"),
            (3, "a text or a whole number"),
            (4, "EOF"),
        ] {
            assert_eq!(lines[at]["line"], at + 1);
            assert!(lines[at]["error"].as_str().unwrap().contains(part), "{}", lines[at]);
        }
        let long = "x".repeat(MAX_LINE + 1);
        assert!(Format { style: Style::Guide, lines: None }.all(long.as_bytes(), Vec::new()).is_err());
    }
}
