//! The `customers` program.

mod addresses;
mod admin;
mod advice;
mod counted;
mod fleet;
mod promote;
mod record;
mod time;
mod walk;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, Parser, Subcommand};
use customers::server::{
    self, Address, ClientHeader, GateLimits, HostName, Hosts, Limits, Listener, Proxies, Rate,
};
use customers::{Customers, Store};
use postcode_core::dataset::Dataset;
use postcode_core::{Connector, path_or_url, redact};
use postcode_edge::cli::{
    CompletionsArgs, ConfigArgs, LogArgs, ManArgs, PingArgs, Program, SecurityArgs, TokenArgs, supervisor,
};
use postcode_edge::without_secrets;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};

use addresses::AddressSource;
use promote::Promote;
use record::RecordArgs;
use time::duration;

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
    Config(ConfigArgs),
    Ping(PingArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    /// Measures one lookup for the process that gives its URL on standard input
    #[command(hide = true)]
    Probe,
}

/// Serve the HTTP API until SIGTERM or SIGINT.
///
/// Prints one line on standard output when it is ready: `listening on http://127.0.0.1:8081`; with
/// --admin a second one: `admin on http://127.0.0.1:8091`. SIGHUP reads the tokens, the
/// certificates and the file of addresses again. Logs go to standard error; --log or RUST_LOG say how much (`customers=debug`).
///
/// Exit status: 0 after a signal, 1 if it can't start, 2 for wrong options.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct Serve {
    /// The address to listen on: HOST:PORT (port 0 for any free port), or unix:PATH
    #[arg(long, env = "CUSTOMERS_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    listen: Address,
    /// The lookup for postcodes: a dataset file, embedded:, http://HOST:PORT, https://HOST, unix:PATH
    /// or replica:http://HOST:PORT
    #[arg(
        long,
        visible_alias = "source",
        env = "CUSTOMERS_POSTCODES",
        hide_env_values = true,
        default_value = "embedded:",
        value_name = "PATH|URL"
    )]
    postcodes: String,
    /// The lookup for addresses, from which the form offers some: a file of addresses, http://HOST:PORT,
    /// https://HOST or unix:PATH of a postcode-service. Without it addresses are typed
    #[arg(long, env = "CUSTOMERS_ADDRESSES", hide_env_values = true, value_name = "PATH|URL")]
    addresses: Option<String>,
    /// The database of accounts: sqlite://FILE, which is created if missing, or
    /// postgres://USER:PASSWORD@HOST/DATABASE (?sslmode=verify-full for TLS)
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite://customers.db",
        value_name = "URL"
    )]
    database: String,
    /// The time limit of one lookup. If it passes the address is pending
    #[arg(long, env = "CUSTOMERS_LOOKUP_TIMEOUT", default_value = "2s", value_parser = duration, value_name = "TIME")]
    lookup_timeout: Duration,
    /// How often pending addresses are looked up again. Addresses that the data does not cover are
    /// asked once an hour
    #[arg(long, env = "CUSTOMERS_RESOLVE_EVERY", default_value = "5s", value_parser = duration, value_name = "TIME")]
    resolve_every: Duration,
    /// How often to check for a new edition of the postcodes. If there is one, all addresses are
    /// checked again
    #[arg(long, env = "CUSTOMERS_RECHECK_EVERY", default_value = "1m", value_parser = duration, value_name = "TIME")]
    recheck_every: Duration,
    /// How long requests in flight may take to finish after SIGTERM or SIGINT
    #[arg(long, env = "CUSTOMERS_DRAIN", default_value = "10s", value_parser = duration, value_name = "TIME")]
    drain: Duration,
    /// Connections at once; when there are more, the one that has been idle longest is closed.
    /// Fewer if the limit of open files is lower
    #[arg(long, env = "CUSTOMERS_CONNECTIONS", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "NUMBER")]
    connections: u32,
    /// Extra connections, on which only /health, /ready and /metrics are answered
    #[arg(long, env = "CUSTOMERS_RESERVED_CONNECTIONS", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(0..=1_000), value_name = "NUMBER")]
    reserved_connections: u32,
    /// Connections of one client address (IPv6: of one /64) at once; 0 for no limit. The default is
    /// a quarter of --connections, and no limit for this machine. Never applies to Unix sockets and
    /// trusted proxies
    #[arg(long, env = "CUSTOMERS_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER")]
    connections_per_address: Option<usize>,
    /// Requests in progress at once, counted from when their body has arrived; others are answered
    /// 503 with Retry-After
    #[arg(long, env = "CUSTOMERS_MAX_IN_FLIGHT", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "NUMBER")]
    max_in_flight: u32,
    /// Requests at once whose body is still arriving; beyond that the slowest is refused
    #[arg(long, env = "CUSTOMERS_MAX_WAITING", default_value_t = 2048,
          value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "NUMBER")]
    max_waiting: u32,
    /// Requests of one client (token, or address, or /64 of IPv6) at once; others are answered 429;
    /// 0 for no limit. The default is a quarter of --max-in-flight, and no limit for this machine
    #[arg(long, env = "CUSTOMERS_MAX_IN_FLIGHT_PER_CLIENT", value_name = "NUMBER")]
    max_in_flight_per_client: Option<usize>,
    /// The rate limit of one address, such as 100/s, 600/m, 100/s:500 (500 at once), or off; others
    /// are answered 429 with Retry-After. The default is 1000/s:5000, and no limit for this machine
    #[arg(long, env = "CUSTOMERS_RATE_PER_ADDRESS", value_name = "RATE")]
    rate_per_address: Option<Rate>,
    /// The rate limit of one caller with a token, in place of the address's; no limit by default
    #[arg(long, env = "CUSTOMERS_RATE_PER_CALLER", value_name = "RATE")]
    rate_per_caller: Option<Rate>,
    /// How long a request's header may take, and how long an idle connection is kept
    #[arg(long, env = "CUSTOMERS_HEADER_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "TIME")]
    header_timeout: Duration,
    /// How long a client may read nothing of its response before its connection is closed
    #[arg(long, env = "CUSTOMERS_SEND_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "TIME")]
    send_timeout: Duration,
    /// How long a client may send a header or a body more slowly than --least-speed
    #[arg(long, env = "CUSTOMERS_PATIENCE", default_value = "10s", value_parser = duration, value_name = "TIME")]
    patience: Duration,
    /// The least speed of a client in bytes a second, or its connection is closed; doubles with
    /// each minute, up to 64 times. 0 for any speed
    #[arg(long, env = "CUSTOMERS_LEAST_SPEED", default_value_t = 1024, value_name = "BYTES")]
    least_speed: u64,
    /// Proxies that may name the client: address ranges such as 10.0.0.0/8,::1, and unix for a Unix
    /// socket
    #[arg(
        long,
        env = "CUSTOMERS_TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true,
        value_name = "RANGES"
    )]
    trusted_proxies: Proxies,
    /// The header in which those proxies name the client: x-forwarded-for or forwarded
    #[arg(long, env = "CUSTOMERS_CLIENT_HEADER", default_value = "x-forwarded-for", value_name = "NAME")]
    client_header: ClientHeader,
    /// An additional host name that the server accepts in the Host header, without a port; * for
    /// any. May be repeated. Requests for other names are answered 421, because a page on the
    /// internet could point its own name at this machine. Always accepted are localhost, loopback
    /// addresses, the address listened on, any numeric address if that is 0.0.0.0 or [::], and all
    /// requests over a Unix socket. Applies to --admin too
    #[arg(long = "host", env = "CUSTOMERS_HOST", value_delimiter = ',', value_name = "NAME")]
    hosts: Vec<HostName>,
    /// The time limit of a request, after which it is answered 504 and its listing or search is
    /// interrupted. Uploads, exports and reports have separate limits
    #[arg(long, env = "CUSTOMERS_REQUEST_TIMEOUT", default_value = "15s", value_parser = duration, value_name = "TIME")]
    request_timeout: Duration,
    /// Exports of accounts and reports of imports sent at once; others are answered 503 with
    /// Retry-After
    #[arg(long, env = "CUSTOMERS_MAX_EXPORTS", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "NUMBER")]
    max_exports: u32,
    /// Refuse a change of a customer without If-Match
    #[arg(long, env = "CUSTOMERS_REQUIRE_IF_MATCH")]
    require_if_match: bool,
    #[command(flatten)]
    security: SecurityArgs,
    #[command(flatten)]
    promote: Promote,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    log: LogArgs,
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
  customers serve --postcodes http://127.0.0.1:8080 --addresses http://127.0.0.1:8080
      the form offers the addresses of a postcode
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
    let cli: Cli = PROGRAM.parse();
    let ended = match cli.command {
        Command::Serve(options) => serve(*options),
        Command::Token(args) => args.run().map_err(anyhow::Error::msg),
        Command::Config(args) => args.run(&PROGRAM).map_err(anyhow::Error::msg),
        Command::Ping(args) => args.run(&PROGRAM).map_err(anyhow::Error::msg),
        Command::Completions(args) => args.run(PROGRAM.command()).map_err(anyhow::Error::new),
        Command::Probe => advice::run_cell(),
        Command::Man(args) => args.run(PROGRAM.command()).map_err(anyhow::Error::new),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed, nothing can be done.
            let _ = writeln!(io::stderr(), "customers: {}", without_secrets(&format!("{error:#}"), redact));
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Serve) -> Result<()> {
    // Dropping this flushes the log before the last message.
    let _log = options.log.start().map_err(anyhow::Error::msg)?;
    info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "starting");
    run(options)
}

const PROGRAM: Program = Program {
    command: Cli::command,
    prefix: "CUSTOMERS",
    variables: &[],
    configured: &["serve"],
    redact,
    version,
};

/// Describes the program and the data inside it.
fn version() -> String {
    let data = Dataset::embedded_info().ok();
    let data = data.as_ref().map(|info| (&*info.edition, info.live));
    postcode_edge::cli::version("customers", env!("CARGO_PKG_VERSION"), data)
}

#[tokio::main]
async fn run(options: Serve) -> Result<()> {
    // From here on no signal is lost.
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be handled")?;
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP can't be handled")?;
    let security = options.security.open().map_err(anyhow::Error::msg)?;

    let source = Connector::new(&path_or_url(&options.postcodes))
        .context("--postcodes")?
        .within(options.lookup_timeout);
    // The description leaves out secrets that the URL may contain.
    let postcodes = source.to_string();
    let lookup = source.connect().await.context("--postcodes")?;
    let listener = Listener::bind(&options.listen)
        .await
        .with_context(|| format!("can't listen on {}", options.listen))?;
    let listener = security.protect(listener).map_err(anyhow::Error::msg).context("--listen")?;
    let (limits, requests) = (options.limits(), options.requests());
    let (stop, stopped) = watch::channel(false);

    let promoted = options
        .promote
        .compose(lookup.clone(), &postcodes, &options.postcodes, options.lookup_timeout)
        .await?;
    let (lookup, admin) = match promoted {
        None => (lookup, None),
        Some(promoted) => (promoted.lookup(), promoted.admin(&options.hosts, &security).await?),
    };
    let store = Store::open_within(&options.database, options.request_timeout).await.context("--database")?;
    let addresses = match &options.addresses {
        Some(url) => Some(AddressSource::open(url, lookup.clone()).context("--addresses")?),
        None => None,
    };
    let mut api = server::Options::default();
    let lookup = options.record.around(lookup)?;
    let lookup = Arc::new(counted::Counted::new(lookup, api.metrics.clone()));
    let mut customers = Customers::new(store.clone(), lookup).with_lookup_timeout(options.lookup_timeout);
    if let Some(addresses) = &addresses {
        customers = customers.with_addresses(addresses.lookup());
    }

    let resolver = tokio::spawn(resolve(customers.clone(), options.resolve_every));
    let checker = tokio::spawn(recheck(customers.clone(), options.recheck_every));
    let importer = tokio::spawn(import(customers.clone()));
    let address = listener.to_string();
    let mut ready = vec![format!("listening on {address}")];
    ready.extend(admin.as_ref().map(|admin| format!("admin on {}", admin.listener)));
    options.log.announce(&ready).map_err(anyhow::Error::msg)?;
    supervisor::ready(&format!("serving, postcodes from {postcodes}"));
    info!(%address, %postcodes, "serving");

    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        info!("shutting down");
        supervisor::stopping();
        stop.send_replace(true);
    });
    api.require_if_match = options.require_if_match;
    api.hosts = Some(Hosts::listening_on(&options.listen.to_string()).with(options.hosts));
    api.request_timeout = options.request_timeout;
    api.exports = options.max_exports as usize;
    api.access = security.access().clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            info!("reloading: the tokens, the certificates and the file of addresses are read again");
            supervisor::reloading();
            security.reload();
            if let Some(addresses) = &addresses {
                addresses.reload().await;
            }
            supervisor::reloaded("serving");
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
    // A database that no longer answers must not block the shutdown: what was acknowledged is
    // stored.
    if tokio::time::timeout(options.drain, store.close()).await.is_err() {
        warn!("the database's connections did not close in time");
    }
    info!("stopped");
    Ok(())
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which also means stop.
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

/// Keeps background work running, even if a lookup panics.
async fn keep_going<F>(what: &str, pause: Duration, work: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        // A set aborts its task when this one is dropped.
        let mut one = tokio::task::JoinSet::new();
        one.spawn(work());
        if let Some(Err(error)) = one.join_next().await {
            error!(%error, "{what} failed and is restarted");
        }
        tokio::time::sleep(pause).await;
    }
}
