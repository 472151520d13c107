//! A program's command line: options, environment variables and a configuration file in one order
//! of precedence.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Error, FromArgMatches, value_parser};

use super::file::{self, Setting};
use super::origin::{Origin, is_given};
use super::variables;
use crate::secrets::{self, without_secrets};

/// A program, as its command line sees it.
///
/// A value of a configured command comes from the command line, or else from its environment
/// variable, or else from the configuration file, or else it is the default.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Makes the command line.
    pub command: fn() -> Command,
    /// Begins the name of each environment variable, without the underscore: `POSTCODE`.
    pub prefix: &'static str,
    /// Environment variables that are not options.
    pub variables: &'static [&'static str],
    /// The commands that read a configuration file. The first is the server.
    pub configured: &'static [&'static str],
    /// Hides secrets of a URL.
    pub redact: fn(&str) -> String,
    /// Describes the program and its data, for `--version`.
    pub version: fn() -> String,
}

/// Describes a program: its version, the commit if it is known, and the edition and live postcodes of the data inside.
pub fn version(program: &str, version: &str, data: Option<(&str, u64)>) -> String {
    let commit = option_env!("POSTCODE_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
    let data = data.map(|(edition, live)| format!("\ndata inside: {edition}, {live} postcodes in use"));
    format!("{program} {version}{commit}{}", data.unwrap_or_default())
}

/// The values of a configured command.
#[derive(Debug)]
pub(super) struct Effective {
    pub(super) matches: ArgMatches,
    pub(super) command: Command,
    /// Holds the settings of the file and of `PORT`.
    given: Vec<(Setting, Origin)>,
}

impl Effective {
    fn inserted(&self) -> impl Iterator<Item = OsString> {
        self.given.iter().flat_map(|(setting, _)| setting.arguments())
    }

    /// Returns where the value of an option comes from.
    pub(super) fn origin(&self, option: &Arg) -> Origin {
        let id = option.get_id().as_str();
        if let Some((_, origin)) = self.given.iter().find(|(setting, _)| setting.id == id) {
            return origin.clone();
        }
        match self.matches.value_source(id) {
            Some(ValueSource::CommandLine) => Origin::Option,
            Some(ValueSource::EnvVariable) => {
                Origin::Variable(option.get_env().unwrap_or_default().to_string_lossy().into_owned())
            }
            _ => Origin::Default,
        }
    }
}

/// The values of a configured command.
#[derive(Debug)]
pub struct Configuration(pub(super) Effective);

impl Configuration {
    /// Returns the value of an option by its long name: of a flag `true` or `false`, of an option
    /// that may be repeated the last one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let option = self.option(name)?;
        self.0.matches.get_raw(option.get_id().as_str())?.next_back()?.to_str()
    }

    /// Returns the options that are not defaults, by their long names, and where they come from.
    #[must_use]
    pub fn changed(&self) -> Vec<(String, String)> {
        let options = self.0.command.get_arguments().filter(|option| file::is_key(option));
        let changed = options.map(|option| (option, self.0.origin(option)));
        let changed = changed.filter(|(_, origin)| *origin != Origin::Default);
        changed
            .map(|(option, origin)| (option.get_long().unwrap_or_default().to_owned(), origin.to_string()))
            .collect()
    }

    fn option(&self, name: &str) -> Option<&Arg> {
        self.0.command.get_arguments().find(|option| option.get_long() == Some(name))
    }
}

/// Why a command can't be run.
#[derive(Debug)]
pub(super) enum Refused {
    Usage(Error),
    Configuration(String),
}

impl Program {
    /// Reads the command line, the environment and the configuration file, or ends the program with
    /// a message and the status 2. The message shows no secrets.
    pub fn parse<P: FromArgMatches>(&self) -> P {
        let mut command = self.command();
        let arguments: Vec<OsString> = env::args_os().map(number_as_value).collect();
        let matches = match self.configured_name(&arguments) {
            Some(name) => match self.effective(name, &arguments[2..]) {
                Ok(effective) => {
                    let inserted = effective.inserted();
                    let head = arguments[..2].iter().cloned();
                    let all = head.chain(inserted).chain(arguments[2..].iter().cloned());
                    command.try_get_matches_from_mut(all)
                }
                Err(Refused::Usage(error)) => Err(error),
                Err(Refused::Configuration(why)) => {
                    eprintln!("error: {}", without_secrets(&why, self.redact));
                    std::process::exit(2)
                }
            },
            None => command.try_get_matches_from_mut(arguments),
        };
        let parsed = matches.and_then(|matches| P::from_arg_matches(&matches));
        parsed.unwrap_or_else(|error| self.end(&error.format(&mut command)))
    }

    /// Returns the command line with its environment variables, and with `--config`.
    #[must_use]
    pub fn command(&self) -> Command {
        let config = format!("{}_CONFIG", self.prefix).leak() as &'static str;
        self.configured.iter().fold((self.command)(), |command, name| {
            command.mut_subcommand(name, |configured| {
                let option = Arg::new("config")
                    .long("config")
                    .value_name("FILE")
                    .env(config)
                    .value_parser(value_parser!(PathBuf))
                    .help("A file with options, in TOML: listen = \"127.0.0.1:8080\". See `config --help`");
                variables::name_shared(configured.arg(option), self.prefix)
            })
        })
    }

    fn configured_name(&self, arguments: &[OsString]) -> Option<&'static str> {
        let given = arguments.get(1)?;
        self.configured.iter().copied().find(|name| given == OsStr::new(name))
    }

    /// Finds the values of a configured command.
    pub(super) fn effective(&self, name: &str, options: &[OsString]) -> Result<Effective, Refused> {
        let mut command = self.command();
        let all = [OsString::from(command.get_name()), name.into()];
        let first = all.iter().chain(options).cloned();
        // Without an error for what the file may still add.
        let seen = command.clone().ignore_errors(true).try_get_matches_from(first).map_err(Refused::Usage)?;
        let seen = seen.subcommand().map(|(_, seen)| seen.clone()).unwrap_or_default();
        let known = command.clone();
        let configured = known.find_subcommand(name).cloned().unwrap_or_default();
        variables::check(&known, self.prefix, self.variables, env::vars_os())
            .map_err(Refused::Configuration)?;
        let mut given: Vec<(Setting, Origin)> = Vec::new();
        if let Some(path) = seen.get_one::<PathBuf>("config") {
            let commands: Vec<&Command> =
                self.configured.iter().filter_map(|name| known.find_subcommand(name)).collect();
            let settings = file::read(path, &configured, &commands).map_err(Refused::Configuration)?;
            secrets::also_hide(settings.iter().flat_map(|setting| setting.values.iter().cloned()));
            let origin = |setting| (setting, Origin::File(path.clone()));
            given.extend(settings.into_iter().filter(|setting| !is_given(&seen, &setting.id)).map(origin));
        }
        if let Some(listen) = variables::port(&configured, &seen, &given).map_err(Refused::Configuration)? {
            given.retain(|(setting, _)| setting.id != "listen");
            given.push((listen, Origin::Variable("PORT".to_owned())));
        }
        // Skip defaults: given as an argument, a default could require another option. So the output of
        // `config show` works as a configuration file.
        let inserted = given.iter().filter(|(setting, _)| !setting.is_default(&configured));
        let inserted = inserted.flat_map(|(setting, _)| setting.arguments());
        let whole = all.iter().cloned().chain(inserted).chain(options.iter().cloned());
        let matches =
            command.try_get_matches_from_mut(whole).map_err(|e| Refused::Usage(e.format(&mut command)))?;
        let matches = matches.subcommand().map(|(_, matches)| matches.clone()).unwrap_or_default();
        Ok(Effective { matches, command: configured, given })
    }

    /// Returns the values of a configured command with these options, as it would have them.
    ///
    /// # Errors
    /// Returns a message about the configuration's fault. It contains no secrets.
    pub fn configuration(&self, name: &str, options: &[OsString]) -> Result<Configuration, String> {
        self.effective(name, options).map(Configuration).map_err(|refused| {
            let why = match refused {
                Refused::Usage(error) => {
                    let text = error.to_string();
                    let text = text.trim_start_matches("error: ");
                    // The usage of the command follows.
                    text.split("\n\n").next().unwrap_or(text).to_owned()
                }
                Refused::Configuration(why) => why,
            };
            without_secrets(&why, self.redact)
        })
    }

    fn end(&self, error: &Error) -> ! {
        if error.kind() == ErrorKind::DisplayVersion {
            println!("{}", (self.version)());
            std::process::exit(0)
        }
        let text = error.to_string();
        let shown = without_secrets(&text, self.redact);
        if shown == text {
            error.exit();
        }
        eprint!("{shown}");
        std::process::exit(error.exit_code())
    }
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
