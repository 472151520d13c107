//! The `customers` program.

mod admin;
mod promote;
mod security;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use customers::server::{
    self, Address, ClientHeader, GateLimits, HostName, Hosts, Limits, Listener, Proxies, Rate,
};
use customers::{Customers, Store};
use postcode_core::{Connector, redact};
use postcode_edge::log::{self, Format};
use postcode_edge::{TokenArgs, without_secrets};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use promote::Promote;
use security::SecurityArgs;

/// Customer accounts with checked postal addresses, over HTTP.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<Serve>),
    Token(TokenArgs),
}

/// Serves the HTTP API until SIGTERM or SIGINT.
///
/// Prints one line on standard output when it is ready: `listening on http://127.0.0.1:8081`; with --admin a second
/// one: `admin on http://127.0.0.1:8091`.
/// SIGHUP reads the tokens and certificates again.
/// Logs go to standard error; RUST_LOG says how much (`customers=debug`).
#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct Serve {
    /// Where to listen: HOST:PORT (port 0: any that is free), or unix:PATH
    #[arg(long, env = "CUSTOMERS_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    listen: Address,
    /// What looks postcodes up: embedded:, file:PATH, http://HOST:PORT, https://HOST, unix:PATH,
    /// replica:http://HOST:PORT
    #[arg(
        long,
        env = "CUSTOMERS_POSTCODES",
        hide_env_values = true,
        default_value = "embedded:",
        value_name = "URL"
    )]
    postcodes: String,
    /// Where accounts are kept: sqlite://FILE, which is made if it is missing, or postgres://USER:PASSWORD@HOST/DATABASE
    /// (?sslmode=verify-full for TLS)
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite://customers.db",
        value_name = "URL"
    )]
    database: String,
    /// The longest that one lookup is waited for; after it the address is pending
    #[arg(long, env = "CUSTOMERS_LOOKUP_TIMEOUT", default_value = "2s", value_parser = duration, value_name = "TIME")]
    lookup_timeout: Duration,
    /// How often pending addresses are looked up again
    #[arg(long, env = "CUSTOMERS_RESOLVE_EVERY", default_value = "5s", value_parser = duration, value_name = "TIME")]
    resolve_every: Duration,
    /// How often to ask whether there is a new edition of the postcodes, against which all addresses are then checked again
    #[arg(long, env = "CUSTOMERS_RECHECK_EVERY", default_value = "1m", value_parser = duration, value_name = "TIME")]
    recheck_every: Duration,
    /// How long requests in flight may take to finish after a signal to stop
    #[arg(long, env = "CUSTOMERS_DRAIN", default_value = "10s", value_parser = duration, value_name = "TIME")]
    drain: Duration,
    /// Connections at once; when there are more, the one that has been idle longest is closed. Fewer if the limit of open
    /// files is lower
    #[arg(long, env = "CUSTOMERS_CONNECTIONS", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "NUMBER")]
    connections: u32,
    /// Connections beyond those, on which only /health, /ready and /metrics are answered
    #[arg(long, env = "CUSTOMERS_RESERVED_CONNECTIONS", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(0..=1_000), value_name = "NUMBER")]
    reserved_connections: u32,
    /// Connections of one client address (IPv6: of one /64) at once; 0 for any number. If not given a quarter of
    /// --connections, and any number from this machine. Never for Unix sockets and trusted proxies
    #[arg(long, env = "CUSTOMERS_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER")]
    connections_per_address: Option<usize>,
    /// Requests that are worked on at once, which those are whose body is there; others are answered 503 with Retry-After
    #[arg(long, env = "CUSTOMERS_MAX_IN_FLIGHT", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "NUMBER")]
    max_in_flight: u32,
    /// Requests whose body is still coming, at once; when there are more, the slowest is refused
    #[arg(long, env = "CUSTOMERS_MAX_WAITING", default_value_t = 2048,
          value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "NUMBER")]
    max_waiting: u32,
    /// Requests of one client (token, or address, or /64 of IPv6) at once; others are answered 429; 0 for any number. If not
    /// given a quarter of --max-in-flight, and any number from this machine
    #[arg(long, env = "CUSTOMERS_MAX_IN_FLIGHT_PER_CLIENT", value_name = "NUMBER")]
    max_in_flight_per_client: Option<usize>,
    /// Requests of one address in a time, such as 100/s, 600/m, 100/s:500 (500 at once), or off; others are answered 429 with
    /// Retry-After. If not given 1000/s:5000, and any number from this machine
    #[arg(long, env = "CUSTOMERS_RATE_PER_ADDRESS", value_name = "RATE")]
    rate_per_address: Option<Rate>,
    /// Requests of one caller with a token in a time, instead of that of the address; no limit if not given
    #[arg(long, env = "CUSTOMERS_RATE_PER_CALLER", value_name = "RATE")]
    rate_per_caller: Option<Rate>,
    /// How long a request's header may take, and an idle connection is kept
    #[arg(long, env = "CUSTOMERS_HEADER_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "TIME")]
    header_timeout: Duration,
    /// How long a client may take nothing of its answer before its connection is closed
    #[arg(long, env = "CUSTOMERS_SEND_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "TIME")]
    send_timeout: Duration,
    /// How long a client that sends a header or a body may be slower than --least-speed
    #[arg(long, env = "CUSTOMERS_PATIENCE", default_value = "10s", value_parser = duration, value_name = "TIME")]
    patience: Duration,
    /// Bytes a second at which a client sends and reads at least, or its connection is closed; doubles with each minute up
    /// to 64 times. 0 for any speed
    #[arg(long, env = "CUSTOMERS_LEAST_SPEED", default_value_t = 1024, value_name = "BYTES")]
    least_speed: u64,
    /// Proxies that may name the client: address ranges such as 10.0.0.0/8,::1, and unix for a Unix socket
    #[arg(
        long,
        env = "CUSTOMERS_TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true,
        value_name = "RANGES"
    )]
    trusted_proxies: Proxies,
    /// The header in which they name it: x-forwarded-for or forwarded
    #[arg(long, env = "CUSTOMERS_CLIENT_HEADER", default_value = "x-forwarded-for", value_name = "NAME")]
    client_header: ClientHeader,
    /// A further name that the server answers to, in the Host of requests, without a port; * for any. May be given
    /// several times. Requests to other names are answered 421: a page on the internet could have its name resolved to
    /// this machine. Always answered are localhost, loopback addresses, the address listened on, any address in digits
    /// if that is 0.0.0.0 or [::], and whatever comes over a Unix socket. Holds for --admin too
    #[arg(long = "host", env = "CUSTOMERS_HOST", value_delimiter = ',', value_name = "NAME")]
    hosts: Vec<HostName>,
    /// How long a request may take before it is answered 504; its listing or search is then interrupted. Uploads,
    /// exports and reports keep their own time
    #[arg(long, env = "CUSTOMERS_REQUEST_TIMEOUT", default_value = "15s", value_parser = duration, value_name = "TIME")]
    request_timeout: Duration,
    /// Exports of accounts and reports of imports that are sent at once; others are answered 503 with Retry-After
    #[arg(long, env = "CUSTOMERS_MAX_EXPORTS", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "NUMBER")]
    max_exports: u32,
    /// Refuse a change of a customer that does not say with If-Match which revision it is about
    #[arg(long, env = "CUSTOMERS_REQUIRE_IF_MATCH")]
    require_if_match: bool,
    #[command(flatten)]
    security: SecurityArgs,
    #[command(flatten)]
    promote: Promote,
}

impl Serve {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.connections = self.connections as usize;
        limits.reserved = self.reserved_connections as usize;
        limits.per_address = self.connections_per_address;
        limits.header = self.header_timeout;
        limits.send = self.send_timeout;
        limits.patience = self.patience;
        limits.least_speed = self.least_speed;
        limits.drain = self.drain;
        limits.proxies = self.trusted_proxies.clone().reading(self.client_header);
        limits
    }

    fn requests(&self) -> GateLimits {
        let mut limits = GateLimits::default();
        limits.in_flight = self.max_in_flight as usize;
        limits.waiting = self.max_waiting as usize;
        limits.per_client = self.max_in_flight_per_client;
        limits.address_rate = self.rate_per_address;
        limits.caller_rate = self.rate_per_caller;
        limits
    }
}

const EXAMPLES: &str = "\
Examples:
  customers serve
      on 127.0.0.1:8081, postcodes from this process, accounts in ./customers.db
  customers serve --postcodes http://127.0.0.1:8080
      the same, postcodes from a postcode-service
  customers serve --promote-to http://127.0.0.1:8080 --stage shadow --share 10% --admin 127.0.0.1:8091
      postcodes from this process, each tenth asked of the service too and compared; http://127.0.0.1:8091 shows
      how they agree and moves the stage, while serving
  customers serve --listen unix:/run/customers.sock --database sqlite:///var/lib/customers.db
  DATABASE_URL=postgres://customers:secret@db.example/customers?sslmode=verify-full customers serve
  CUSTOMERS_POSTCODES=file:/srv/uk.postcodes customers serve --listen 0.0.0.0:443 --host customers.example \\
      --tokens tokens --tls-cert cert.pem --tls-key key.pem

  curl -i http://127.0.0.1:8081/customers -H 'content-type: application/json' -d \\
    '{\"name\":\"Ada\",\"email\":\"ada@example.com\",\"postcode\":\"sw1a1aa\",\"address_lines\":[\"1 The Mall\"]}'";

fn main() -> ExitCode {
    let ended = match parse().command {
        Command::Serve(options) => serve(*options),
        Command::Token(args) => args.run().map_err(anyhow::Error::msg),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing to be done if standard error is closed.
            let _ = writeln!(io::stderr(), "customers: {}", without_secrets(&format!("{error:#}"), redact));
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Serve) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let format = Format::Text { ansi: io::stderr().is_terminal() };
    // The log is written to its end before the last word.
    let _log = log::start(filter, format, io::stderr()).context("the log could not be started")?;
    run(options)
}

/// Reads the command line. Its errors show no secret of it.
fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        let text = error.to_string();
        let shown = without_secrets(&text, redact);
        if shown == text {
            error.exit();
        }
        eprint!("{shown}");
        std::process::exit(error.exit_code())
    })
}

#[tokio::main]
async fn run(options: Serve) -> Result<()> {
    // From here on a signal is not lost, whenever it comes.
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be handled")?;
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP can't be handled")?;
    let security = options.security.open()?;

    let source = Connector::new(&options.postcodes).context("--postcodes")?.within(options.lookup_timeout);
    // Says which implementation it is and how it is set up, without the secrets that a URL may hold.
    let postcodes = source.to_string();
    let lookup = source.connect().await.context("--postcodes")?;
    let listener = Listener::bind(&options.listen)
        .await
        .with_context(|| format!("can't listen on {}", options.listen))?;
    let listener = security.protect(listener).map_err(anyhow::Error::msg).context("--listen")?;
    let (limits, requests) = (options.limits(), options.requests());
    let (stop, stopped) = watch::channel(false);

    let promoted = options.promote.compose(lookup.clone(), &postcodes, options.lookup_timeout).await?;
    let (lookup, admin) = match promoted {
        None => (lookup, None),
        Some(promoted) => (promoted.lookup(), promoted.admin(&options.hosts, &security).await?),
    };
    let store = Store::open_within(&options.database, options.request_timeout).await.context("--database")?;
    let customers = Customers::new(store.clone(), lookup).with_lookup_timeout(options.lookup_timeout);

    let resolver = tokio::spawn(resolve(customers.clone(), options.resolve_every));
    let checker = tokio::spawn(recheck(customers.clone(), options.recheck_every));
    let importer = tokio::spawn(import(customers.clone()));
    let address = listener.to_string();
    // In one piece, for those who read the first line and close.
    let mut ready = format!("listening on {address}\n");
    if let Some(admin) = &admin {
        ready += &format!("admin on {}\n", admin.listener);
    }
    io::stdout().write_all(ready.as_bytes()).context("standard output")?;
    info!(%address, %postcodes, "serving");

    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        stop.send_replace(true);
    });
    let mut api = server::Options::default();
    api.require_if_match = options.require_if_match;
    api.hosts = Some(Hosts::listening_on(&options.listen.to_string()).with(options.hosts));
    api.request_timeout = options.request_timeout;
    api.exports = options.max_exports as usize;
    api.access = security.access().clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            security.reload();
        }
    });
    let router = server::router_with(customers, api);
    let serving = server::serve_with(listener, router, limits, requests, until(stopped.clone()));
    let administering = async {
        if let Some(admin) = admin {
            admin.serve(options.drain, until(stopped)).await;
        }
    };
    tokio::join!(serving, administering);

    resolver.abort();
    checker.abort();
    importer.abort();
    // A database that does not answer any more keeps nobody from stopping: what was answered is stored.
    if tokio::time::timeout(options.drain, store.close()).await.is_err() {
        warn!("the database's connections did not close in time");
    }
    info!("stopped");
    Ok(())
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the other end is gone, which is as good.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn resolve(customers: Customers, every: Duration) {
    let resolver = || {
        let customers = customers.clone();
        async move { customers.keep_resolving(every).await }
    };
    keep_going("the resolver of pending addresses", every, resolver).await;
}

async fn recheck(customers: Customers, every: Duration) {
    let checker = || {
        let customers = customers.clone();
        async move { customers.keep_rechecking(every).await }
    };
    keep_going("the check against new editions", every, checker).await;
}

async fn import(customers: Customers) {
    let importer = || {
        let customers = customers.clone();
        async move { customers.keep_importing().await }
    };
    keep_going("the importer", Duration::from_secs(1), importer).await;
}

/// Keeps work in the background going, even if a lookup should panic.
async fn keep_going<F>(what: &str, pause: Duration, work: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        // Part of a set, so that it is aborted with this task.
        let mut one = tokio::task::JoinSet::new();
        one.spawn(work());
        if let Some(Err(error)) = one.join_next().await {
            error!(%error, "{what} failed; it starts anew");
        }
        tokio::time::sleep(pause).await;
    }
}

/// A time such as `500ms`, `2s`, `1m`: a millisecond to an hour.
fn duration(text: &str) -> Result<Duration, String> {
    let time: jiff::SignedDuration =
        text.parse().map_err(|error| format!("{error}; give one such as 500ms or 2s"))?;
    match Duration::try_from(time) {
        Ok(time) if (Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&time) => Ok(time),
        _ => Err("out of range: give 1ms to 1h".into()),
    }
}
