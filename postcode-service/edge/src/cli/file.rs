//! The configuration file: options by their long names, in TOML.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::{ArgAction, Command};
use toml::{Table, Value};

/// The most bytes of a file. An option has a line.
const LONGEST: u64 = 1 << 20;

/// An option that a file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The name that clap has for the option.
    pub(super) id: String,
    /// The long name.
    pub(super) name: String,
    /// The values; none for a flag that is on.
    pub(super) values: Vec<String>,
    flag: bool,
}

impl Setting {
    pub(super) fn new(id: &str, name: &str, value: String) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), values: vec![value], flag: false }
    }

    /// Returns whether a command would have these values without the setting.
    pub(super) fn is_default(&self, command: &Command) -> bool {
        let option = command.get_arguments().find(|option| option.get_id().as_str() == self.id);
        let defaults = option.map(clap::Arg::get_default_values).unwrap_or_default();
        !defaults.is_empty()
            && defaults.iter().map(|value| value.as_os_str()).eq(self.values.iter().map(OsStr::new))
    }

    /// Returns the setting as arguments.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        if self.flag {
            return vec![format!("--{}", self.name).into()];
        }
        self.values.iter().map(|value| format!("--{}={value}", self.name).into()).collect()
    }
}

/// Reads the settings for a command. Keys that only another configured command has are left out.
pub(super) fn read(path: &Path, command: &Command, all: &[&Command]) -> Result<Vec<Setting>, String> {
    let shown = path.display();
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    opened.map_err(|e| format!("--config {shown}: {e}"))?;
    if text.len() as u64 > LONGEST {
        return Err(format!("--config {shown}: more than {LONGEST} bytes: give a file of options"));
    }
    parse(&text, command, all).map_err(|why| format!("--config {shown}: {why}"))
}

fn parse(text: &str, command: &Command, all: &[&Command]) -> Result<Vec<Setting>, String> {
    let table: Table = toml::from_str(text).map_err(|e| {
        // The whole message quotes the line, which may hold a password.
        let line = e.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        format!("line {line}: not TOML: {}", e.message())
    })?;
    let mut settings: Vec<Setting> = Vec::new();
    for (key, value) in &table {
        let name = key.replace('_', "-");
        match option(command, &name) {
            Some(option) => {
                let setting = setting(key, option, value)?;
                if settings.iter().any(|other| other.id == setting.id) {
                    return Err(format!("{key}: given twice, perhaps by another name"));
                }
                settings.extend((!setting.flag || *value == Value::Boolean(true)).then_some(setting));
            }
            None if all.iter().any(|other| option(other, &name).is_some()) => {}
            None => return Err(unknown(key, &name, all)),
        }
    }
    Ok(settings)
}

/// Finds an option by its long name or a visible alias of it.
fn option<'c>(command: &'c Command, name: &str) -> Option<&'c clap::Arg> {
    command.get_arguments().find(|arg| {
        let aliases = arg.get_visible_aliases().unwrap_or_default();
        is_key(arg) && (arg.get_long() == Some(name) || aliases.contains(&name))
    })
}

/// Returns whether a file may have the option. `--config` in a file would be a second file.
pub(super) fn is_key(arg: &clap::Arg) -> bool {
    arg.get_long().is_some_and(|long| !["config", "help", "version", "verbose"].contains(&long))
}

fn setting(key: &str, option: &clap::Arg, value: &Value) -> Result<Setting, String> {
    let flag = matches!(option.get_action(), ArgAction::SetTrue);
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        _ => Err(format!("{key}: give a text in quotes or a number")),
    };
    let values = match (flag, value) {
        (true, Value::Boolean(_)) => Vec::new(),
        (true, _) => return Err(format!("{key}: give true or false, without quotes")),
        (false, Value::Array(values)) if matches!(option.get_action(), ArgAction::Append) => {
            values.iter().map(text).collect::<Result<_, _>>()?
        }
        (false, value) => vec![text(value)?],
    };
    let name = option.get_long().unwrap_or_default().to_owned();
    Ok(Setting { id: option.get_id().as_str().to_owned(), name, values, flag })
}

fn unknown(key: &str, name: &str, all: &[&Command]) -> String {
    let known = all.iter().flat_map(|command| command.get_arguments()).filter(|arg| is_key(arg));
    let known = known.filter_map(|arg| arg.get_long());
    let meant = similar(name, known).map(|meant| format!(". Did you mean {meant}?"));
    let help = ". Keys are the long options of the command, such as listen".to_owned();
    format!("{key}: there is no such key{}", meant.unwrap_or(help))
}

/// Returns the known name that is most like a text, if one is like it.
pub(super) fn similar<'n>(text: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = |name: &'n str| (strsim::jaro_winkler(text, name), name);
    let best = known.map(likeness).max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness > 0.8).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn command() -> Command {
        Command::new("serve")
            .arg(Arg::new("listen").long("listen"))
            .arg(Arg::new("max_batch").long("max-batch"))
            .arg(Arg::new("data").long("data").visible_alias("source"))
            .arg(Arg::new("hosts").long("host").action(ArgAction::Append))
            .arg(Arg::new("strict").long("strict").action(ArgAction::SetTrue))
            .arg(Arg::new("config").long("config"))
    }

    fn parsed(text: &str) -> Result<Vec<OsString>, String> {
        let (command, other) = (command(), Command::new("worker").arg(Arg::new("workers").long("workers")));
        let settings = parse(text, &command, &[&command, &other])?;
        Ok(settings.iter().flat_map(Setting::arguments).collect())
    }

    #[test]
    fn keys_are_options_and_values_of_any_type_that_fits() {
        let text =
            "listen = \"[::1]:80\"\nmax_batch = 7\nhost = [\"a\", \"b\"]\nstrict = true\nsource = \"x\"\n";
        let arguments = parsed(text).unwrap();
        assert_eq!(
            arguments,
            ["--host=a", "--host=b", "--listen=[::1]:80", "--max-batch=7", "--data=x", "--strict"]
        );
        assert!(parsed("strict = false").unwrap().is_empty());
        assert!(parsed("# nothing").unwrap().is_empty());
        // A key of another command of the program.
        assert!(parsed("workers = 2").unwrap().is_empty());
        // A value can't become another option.
        assert_eq!(parsed("listen = \"--strict\"").unwrap(), ["--listen=--strict"]);
    }

    #[test]
    fn mistakes_are_refused_with_what_to_do() {
        for (text, said) in [
            ("lisen = \"x\"", "lisen: there is no such key. Did you mean listen?"),
            ("max_batches = 1", "Did you mean max-batch?"),
            ("zzz = 1", "zzz: there is no such key. Keys are"),
            ("config = \"x\"", "config: there is no such key"),
            ("strict = \"yes\"", "strict: give true or false"),
            ("listen = [\"x\"]", "listen: give a text"),
            ("listen = true", "listen: give a text"),
            ("[serve]\nlisten = \"x\"", "serve: there is no such key"),
            ("listen = \"a\"\nlisten = \"b\"", "line 2: not TOML: duplicate key"),
            ("data = \"a\"\nsource = \"b\"", "given twice"),
            ("a = 1\nlisten = \"secret", "line 2: not TOML"),
        ] {
            let why = parsed(text).unwrap_err();
            assert!(why.contains(said) && !why.contains("secret"), "{text}: {why}");
        }
    }
}
