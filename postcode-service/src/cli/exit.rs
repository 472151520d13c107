//! The exit status: 0 for success. Lookups: 1 if something was not found, 2 for errors. Tools: 1
//! for errors. Usage errors: 2.

use std::fmt;
use std::io;
use std::process::ExitCode;

use postcode_core::redact;
use postcode_edge::without_secrets;

/// The status for a command that worked but did not find everything. Prints nothing more.
#[derive(Debug)]
pub(crate) struct NotFound;

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not found")
    }
}

impl std::error::Error for NotFound {}

/// `Ok` if everything was found.
pub(crate) fn found(all: bool) -> anyhow::Result<()> {
    if all { Ok(()) } else { Err(NotFound.into()) }
}

/// Prints what went wrong. Returns the exit status, `failed` for a real error.
pub fn report(error: &anyhow::Error, failed: u8) -> ExitCode {
    if error.is::<NotFound>() {
        return ExitCode::from(1);
    }
    let closed = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    if error.chain().filter_map(|cause| cause.downcast_ref()).any(closed) {
        // The reader has closed the pipe (`| head`).
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {}", without_secrets(&told(error), redact));
    ExitCode::from(failed)
}

/// Formats the error and its causes, without causes that an earlier message already quotes.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told {
        told if told.is_empty() => cause,
        told if told.contains(&cause) => told,
        told => format!("{told}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn nothing_is_told_twice() {
        let error = anyhow::anyhow!("permission denied")
            .context("a.csv: permission denied: choose another")
            .context("--out");
        assert_eq!(told(&error), "--out: a.csv: permission denied: choose another");
        assert_eq!(told(&anyhow::anyhow!("one").context("two")), "two: one");
    }
}
