//! Environment variables: their names, misspelt ones, and `PORT`.

use std::env;
use std::ffi::OsString;

use clap::{ArgMatches, Command};

use super::file::{Setting, similar};
use super::origin::{Origin, is_given};

/// The options that both programs have, whose variables differ only in the prefix.
const SHARED: [&str; 7] =
    ["tokens", "allow_unauthenticated", "tls_cert", "tls_key", "tls_client_ca", "log", "log_format"];

/// Names the environment variables of the shared options in a command that has them, such as
/// `POSTCODE_TLS_CERT`.
pub(super) fn name_shared(command: Command, prefix: &str) -> Command {
    command.mut_args(|arg| {
        let id = arg.get_id().as_str();
        if !SHARED.contains(&id) {
            return arg;
        }
        // clap keeps names for the life of the program.
        let name: &'static str = format!("{prefix}_{}", id.to_ascii_uppercase()).leak();
        arg.env(name)
    })
}

/// Returns whether a variable, without its prefix, is for the scripts and tests of this repository, which call the
/// programs.
fn is_of_tests(rest: &str) -> bool {
    matches!(rest, "BIN" | "SHARED") || ["TEST_", "CI_"].iter().any(|start| rest.starts_with(start))
}

/// Refuses variables with the prefix of the program that it does not know.
pub(super) fn check(
    program: &Command,
    prefix: &str,
    others: &[&str],
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(), String> {
    let mut known: Vec<String> = others.iter().map(|name| (*name).to_owned()).collect();
    collect(program, &mut known);
    let ours = format!("{prefix}_");
    for name in variables.filter_map(|(name, _)| name.into_string().ok()) {
        let Some(rest) = name.strip_prefix(&ours) else { continue };
        if known.contains(&name) || is_of_kubernetes(&name) || is_of_tests(rest) {
            continue;
        }
        let meant = similar(&name, known.iter().map(String::as_str));
        let advice = match meant {
            Some(meant) => format!("Did you mean {meant}?"),
            None => "--help lists the variables. Unset it, or spell it as one of them".to_owned(),
        };
        return Err(format!("the environment variable {name} means nothing to this program. {advice}"));
    }
    Ok(())
}

fn collect(command: &Command, known: &mut Vec<String>) {
    known.extend(
        command.get_arguments().filter_map(|arg| Some(arg.get_env()?.to_string_lossy().into_owned())),
    );
    command.get_subcommands().for_each(|command| collect(command, known));
}

/// Returns whether Kubernetes sets the variable for a Service, which may be called as the program
/// is: `POSTCODE_SERVICE_HOST`, `POSTCODE_PORT_8080_TCP_ADDR`.
fn is_of_kubernetes(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_PORT")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_") && (name.contains("_TCP") || name.contains("_UDP"))
}

/// Returns the address to listen on by `PORT`, which platforms set, unless an option or the
/// program's own variable names one.
///
/// It is any address of the machine if strangers are expected, because there are tokens or the
/// server may be open, and otherwise only this machine.
pub(super) fn port(
    command: &Command,
    seen: &ArgMatches,
    given: &[(Setting, Origin)],
) -> Result<Option<Setting>, String> {
    let listens = command.get_arguments().any(|arg| arg.get_id() == "listen");
    let Some(port) = env::var_os("PORT").filter(|port| !port.is_empty() && listens) else { return Ok(None) };
    if is_given(seen, "listen") {
        return Ok(None);
    }
    let text = port.to_string_lossy();
    let Ok(port) = text.parse::<u16>() else {
        return Err(format!("PORT={text}: not the number of a port. Unset it, or give --listen"));
    };
    let set = |id| is_given(seen, id) || given.iter().any(|(setting, _)| setting.id == id);
    let host = if set("tokens") || set("allow_unauthenticated") { "0.0.0.0" } else { "127.0.0.1" };
    Ok(Some(Setting::new("listen", "listen", format!("{host}:{port}"))))
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn checked(names: &[&str]) -> Result<(), String> {
        let serve = Command::new("serve").arg(Arg::new("listen").long("listen").env("POSTCODE_LISTEN"));
        let program = Command::new("program").subcommand(serve);
        let variables = names.iter().map(|name| (OsString::from(name), OsString::new()));
        check(&program, "POSTCODE", &["POSTCODE_WEBHOOK_SECRET"], variables)
    }

    #[test]
    fn unknown_variable_of_the_program_is_refused_with_a_suggestion() {
        let why = checked(&["HOME", "POSTCODE_LISTN"]).unwrap_err();
        assert!(why.contains("POSTCODE_LISTN") && why.ends_with("Did you mean POSTCODE_LISTEN?"), "{why}");
        assert!(checked(&["POSTCODE_XYZ"]).is_err());
    }

    #[test]
    fn variables_of_others_and_known_ones_pass() {
        checked(&["POSTCODE_LISTEN", "POSTCODE_WEBHOOK_SECRET", "POSTCODES", "CUSTOMERS_LISTN"]).unwrap();
        // A Service of Kubernetes that is called postcode, postcode-api or postcode-service.
        checked(&[
            "POSTCODE_PORT",
            "POSTCODE_SERVICE_HOST",
            "POSTCODE_SERVICE_PORT_HTTP",
            "POSTCODE_API_PORT_8080_TCP_ADDR",
            "POSTCODE_SERVICE_SERVICE_HOST",
        ])
        .unwrap();
    }

    #[test]
    fn shared_options_get_the_prefix_of_the_program() {
        let command =
            Command::new("serve").arg(Arg::new("tls_key").long("tls-key")).arg(Arg::new("x").long("x"));
        let command = name_shared(command, "CUSTOMERS");
        let variables: Vec<_> = command.get_arguments().map(|arg| arg.get_env()).collect();
        assert_eq!(variables, [Some("CUSTOMERS_TLS_KEY".as_ref()), None]);
    }
}
