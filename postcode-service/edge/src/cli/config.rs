//! The `config` command: checks a configuration, and shows where each value comes from.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Arg, Args, Subcommand};

use super::file::is_key;
use super::origin::Origin;
use super::program::{Effective, Program};

/// Check a configuration, or show where each value comes from.
///
/// A value comes from the command line, or else from the environment, or else from the file of
/// --config, or else it is the default. The file is TOML; its keys are the long options of the
/// command, such as listen = "127.0.0.1:8080". PORT, which platforms set, names the port if nothing
/// else names the address.
///
/// Exit status: 0 if the configuration can be used, 1 for errors, 2 for wrong options.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a file, together with the environment: unknown keys, misspelt variables, wrong values.
    ///
    /// Nothing is opened: `doctor` looks at data, ports and databases.
    ///
    /// Exit status: 0 if it can be used, 1 if not, 2 for wrong options.
    Check {
        /// The file [default: that of the environment]
        file: Option<PathBuf>,
        /// The command that is to use it [default: serve]
        #[arg(long, value_name = "COMMAND")]
        command: Option<String>,
    },
    /// Show the values that a command would have, as a file of configuration, with where each comes
    /// from. Secrets are hidden.
    ///
    /// Exit status: 0 if it was done, 1 if the configuration is wrong, 2 for wrong options.
    Show {
        /// Only values that are not defaults
        #[arg(long, short)]
        changed: bool,
        /// The command [default: serve], and its options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND OPTIONS")]
        options: Vec<OsString>,
    },
}

impl ConfigArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns a message about the configuration's fault. It contains no secrets.
    pub fn run(self, program: &Program) -> Result<(), String> {
        let server = program.configured.first().copied().unwrap_or_default();
        match self.command {
            ConfigCommand::Check { file, command } => {
                let name = command.as_deref().unwrap_or(server);
                if !program.configured.contains(&name) {
                    return Err(format!("--command {name}: give one of {}", program.configured.join(", ")));
                }
                let options: Vec<OsString> =
                    file.map(|file| vec!["--config".into(), file.into()]).unwrap_or_default();
                program.configuration(name, &options)?;
                print("The configuration can be used.\n")
            }
            ConfigCommand::Show { changed, options } => {
                let first = options.first().and_then(|first| first.to_str());
                let named = program.configured.iter().copied().find(|name| first == Some(name));
                let options = if named.is_some() { &options[1..] } else { &options[..] };
                let configuration = program.configuration(named.unwrap_or(server), options)?;
                print(&shown(program, &configuration.0, changed))
            }
        }
    }
}

fn shown(program: &Program, effective: &Effective, changed: bool) -> String {
    let mut text = String::new();
    for option in effective.command.get_arguments().filter(|option| is_key(option)) {
        let origin = effective.origin(option);
        if changed && origin == Origin::Default {
            continue;
        }
        let key = option.get_long().unwrap_or_default();
        match value(program, effective, option) {
            Some(value) => text += &format!("{:<50}  # {origin}\n", format!("{key} = {value}")),
            None => text += &format!("{:<50}  # not set\n", format!("# {key} =")),
        }
    }
    text
}

/// Returns a value as TOML, without secrets.
fn value(program: &Program, effective: &Effective, option: &Arg) -> Option<String> {
    let id = option.get_id().as_str();
    let raw: Vec<String> =
        effective.matches.get_raw(id)?.map(|value| value.to_string_lossy().into_owned()).collect();
    let quoted = |value: &String| {
        // Only a URL can hold a secret.
        let value = if value.contains(['@', '?']) { (program.redact)(value) } else { value.clone() };
        match value.parse::<f64>() {
            Ok(_) => value,
            Err(_) if value == "true" || value == "false" => value,
            Err(_) => toml::Value::String(value).to_string(),
        }
    };
    match (option.get_action(), &raw[..]) {
        (clap::ArgAction::Append, values) => {
            Some(format!("[{}]", values.iter().map(quoted).collect::<Vec<_>>().join(", ")))
        }
        (_, [value]) => Some(quoted(value)),
        _ => None,
    }
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| format!("standard output: {e}"))
}
