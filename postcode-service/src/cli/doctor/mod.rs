//! `doctor`: what is wrong with this set-up, and what to do.

mod access;
mod data;
mod finding;
mod jobs;
mod machine;

use std::ffi::OsString;
use std::io::{self, Write};

use super::format::{Format, Shape, Table};
use super::{exit, output};
use finding::{Finding, Severity};
use postcode_edge::cli::{Configuration, Program};

/// Look for what is wrong with this set-up: configuration, data, address, tokens, limits, jobs.
///
/// It takes the options of `serve` and reads the same environment and file, but serves nothing and
/// changes nothing. Each finding says what to do.
///
/// Exit status: 0 if a server would start and nothing is wrong, 1 if something is, 2 for wrong
/// options. Remarks are not faults.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service doctor
  postcode-service doctor -- --config /etc/postcode-service.toml
  postcode-service doctor --json -- --data uk.postcodes --listen 0.0.0.0:8080 --tokens tokens")]
pub struct Args {
    #[command(flatten)]
    shape: Shape,
    /// Options of `serve`, after --
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

impl Args {
    /// Runs the command of a program.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self, program: &Program) -> anyhow::Result<()> {
        let mut findings = Vec::new();
        match program.configuration("serve", &self.options) {
            Err(why) => findings.push(Finding::fault(
                "configuration",
                why,
                "Correct it first: nothing else was looked at. `config show` says where values come from",
            )),
            Ok(configuration) => {
                findings.push(configured(&configuration));
                findings.extend(data::look(&configuration).await);
                findings.extend(access::look(&configuration).await);
                findings.extend(machine::look(&configuration));
                findings.extend(jobs::look(&configuration, program.redact).await);
            }
        }
        self.write(&findings)?;
        exit::found(findings.iter().all(|finding| finding.severity != Severity::Fault))
    }

    fn write(&self, findings: &[Finding]) -> io::Result<()> {
        let format = self.shape.format();
        let mut out = io::stdout().lock();
        let name = |severity| match severity {
            Severity::Good => "good",
            Severity::Remark => "remark",
            Severity::Fault => "fault",
        };
        let mut table = Table::new(format, ["severity", "subject", "found", "advice"]);
        for finding in findings {
            let Finding { severity, subject, found, advice } = finding;
            match format {
                Format::Json => output::json(&mut out, finding)?,
                Format::Csv => {
                    let advice = advice.as_deref().unwrap_or_default();
                    table.row(&mut out, [name(*severity), subject, found, advice])?;
                }
                Format::Plain | Format::Terminal => {
                    let paint = format.paint();
                    let word = format!("{:<7}", name(*severity));
                    let word = match severity {
                        Severity::Good => paint.good(&word),
                        Severity::Remark => paint.doubtful(&word),
                        Severity::Fault => paint.bad(&word),
                    };
                    writeln!(out, "{word}{subject}: {found}")?;
                    if let Some(advice) = advice {
                        writeln!(out, "       {advice}")?;
                    }
                }
            }
        }
        if format == Format::Csv { table.flush(&mut out) } else { Ok(()) }
    }
}

fn configured(configuration: &Configuration) -> Finding {
    let changed = configuration.changed();
    if changed.is_empty() {
        return Finding::good("configuration", "all values are defaults");
    }
    let changed: Vec<String> = changed.iter().map(|(key, origin)| format!("{key} ({origin})")).collect();
    Finding::good("configuration", format!("not defaults: {}", changed.join(", ")))
}
