//! The `token` command of both programs: makes, lists and revokes tokens.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use crate::access::{NewToken, Scope, Tokens, revoke};
use crate::tls::certificate_fingerprint;

/// Make, list and revoke the tokens that servers accept.
///
/// A server reads the file at its start (serve --tokens FILE) and again on SIGHUP. It holds a line
/// for each token: its id, its SHA-256, its scopes, its tenant and when it expires. The token
/// itself is printed once and stored nowhere.
///
/// Exit status: 0 if it was done, 1 for errors, 2 for wrong options.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token, print it, and add its hash to the file.
    ///
    /// Exit status: 0 if it was made, 1 for errors, 2 for wrong options.
    New(New),
    /// List the tokens of a file: id, kind, scopes, tenant, expiry.
    ///
    /// Exit status: 0 if it was done, 1 for errors, 2 for wrong options.
    List(List),
    /// Remove a token from the file.
    ///
    /// Exit status: 0 if it was removed, 1 for errors, 2 for wrong options.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct New {
    /// A scope of the token: lookup, addresses, jobs, dataset, metrics, customers:read, customers:write,
    /// customers:erase, admin, fleet. May be given several times
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// The tenant whose jobs the token sees
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The name that logs and the history of customers show [default: a random one]
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// When it expires: a time such as 2027-01-31T00:00:00Z, or a duration from now such as 90d or
    /// 12h
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// A client certificate (PEM) that takes the place of a token; servers need --tls-client-ca
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The tokens file, which is created if it is missing
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
struct List {
    /// The tokens file
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Revoke {
    /// The token's id
    #[arg(value_name = "ID")]
    id: String,
    /// The tokens file
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

impl TokenArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns a message for the person who typed the command.
    pub fn run(self) -> Result<(), String> {
        match self.command {
            TokenCommand::New(new) => new.run(),
            TokenCommand::List(List { file }) => list(&file),
            TokenCommand::Revoke(Revoke { id, file }) => {
                revoke(&file, &id)?;
                eprintln!("{id} is revoked. Servers follow on SIGHUP.");
                Ok(())
            }
        }
    }
}

impl New {
    fn run(self) -> Result<(), String> {
        let certificate = self.certificate.as_deref().map(certificate_fingerprint).transpose()?;
        let Self { scopes, tenant, id, expires, file, .. } = self;
        let (entry, token) = NewToken { id, scopes, tenant, expires, certificate }.add_to(&file)?;
        if let Some(token) = token {
            print(&format!("{token}\n"))?;
        }
        eprintln!("{} may use {}. Servers follow on SIGHUP.", entry.id, entry.scopes);
        Ok(())
    }
}

fn list(file: &std::path::Path) -> Result<(), String> {
    let tokens = Tokens::read(file)?;
    let mut text = String::new();
    for entry in tokens.entries() {
        let kind = if entry.is_certificate() { "certificate" } else { "token" };
        let tenant = entry.tenant.as_deref().unwrap_or("-");
        let expires = entry.expires.map_or_else(|| "-".to_owned(), |time| time.to_string());
        text += &format!("{}\t{kind}\t{}\t{tenant}\t{expires}\n", entry.id, entry.scopes);
    }
    print(&text)
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| format!("standard output: {e}"))
}

fn expiry(text: &str) -> Result<Timestamp, String> {
    let how = "write a time such as 2027-01-31T00:00:00Z, or 90d or 12h from now on";
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    // jiff has no days in a duration, because some days have 23 hours. Here a day is 24.
    let hours = match text.strip_suffix('d').map(str::parse::<i64>) {
        Some(days) => days.ok().and_then(|days| days.checked_mul(24)),
        None => text.strip_suffix('h').and_then(|hours| hours.parse().ok()),
    };
    let hours = hours.filter(|hours| (1..=876_000).contains(hours)).ok_or(how)?;
    Timestamp::now().checked_add(SignedDuration::from_hours(hours)).map_err(|_| how.to_owned())
}
