//! `serve`: the HTTP server.

mod address_data;
mod data;
mod fleet;
mod signals;

use std::sync::Arc;
use std::time::Duration;

use super::jobs::JobArgs;
use super::time::time;
use crate::api::{Api, Limits, PageOrigin};
use crate::server::{Address, Frontend, Listener, Options, run};
use crate::worker;
use address_data::AddressData;
use anyhow::Context;
use data::Data;
use postcode_core::dataset::{Demands, PublicKey, Verify};
use postcode_core::{MAX_BATCH, MAX_NEIGHBOURS, MAX_PAGE, MAX_RADIUS};
use postcode_edge::cli::{LogArgs, SecurityArgs, supervisor};
use postcode_edge::{ClientHeader, HostName, Hosts, Proxies, Rate};

/// Serve the API of postcodes.io over HTTP/1.1.
///
/// On a loopback address or a Unix socket any user of this machine can use it. Any other address
/// needs --tokens, or --allow-unauthenticated. When it is ready it prints one line on standard
/// output, `listening on http://127.0.0.1:PORT` or `listening on unix:PATH`. Everything else goes
/// to standard error.
///
/// SIGTERM and SIGINT stop it: `/ready` answers 503, no new connections are accepted, requests in
/// flight may finish within --drain, and the exit status is 0. A second signal stops it at once.
/// SIGHUP opens the data again and serves it without dropping a request. If the data can't be
/// opened or is damaged, the old data stays. SIGHUP also reads the tokens and certificates again.
///
/// Exit status: 0 after a signal, 2 if it can't start.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service serve
  postcode-service serve --listen 127.0.0.1:0 --data /data/uk.postcodes
  postcode-service serve --listen unix:/run/postcode.sock --max-batch 1000
  postcode-service serve --listen 0.0.0.0:8443 --host postcodes.example --tokens /etc/postcode/tokens --tls-cert cert.pem \\
      --tls-key key.pem
  curl http://127.0.0.1:8080/postcodes/SW1A1AA")]
pub struct Args {
    /// HOST:PORT (port 0 takes any free one; IPv6 in brackets) or unix:PATH
    #[arg(long, short, value_name = "ADDRESS", env = "POSTCODE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: Address,
    /// An additional host name that the server accepts in the Host header, without a port; * for
    /// any. May be repeated. Requests for other names are answered 421, because a page on the
    /// internet could point its own name at this machine. Always accepted are localhost, loopback
    /// addresses, the address listened on, any numeric address if that is 0.0.0.0 or [::], and all
    /// requests over a Unix socket
    #[arg(long = "host", value_name = "NAME", env = "POSTCODE_HOST", value_delimiter = ',')]
    hosts: Vec<HostName>,
    /// embedded: (the country inside this program), or a dataset file: its path or file:PATH
    #[arg(
        long,
        short,
        visible_alias = "source",
        value_name = "PATH|URL",
        env = "POSTCODE_DATA",
        default_value = "embedded:"
    )]
    data: Data,
    /// How a dataset file is verified before it is served, at the start and at SIGHUP: full (every
    /// byte, and that the parts fit together), checksums (every byte) or off. /ready and
    /// /dataset/info report it
    #[arg(long, env = "POSTCODE_VERIFY", default_value_t = Verify::Full)]
    verify: Verify,
    /// Serve only a dataset file that is signed for this key (FILE.minisig): a minisign public key,
    /// or the path of its file
    #[arg(long, value_name = "KEY", env = "POSTCODE_PUBLIC_KEY")]
    public_key: Option<PublicKey>,
    /// Serve addresses too: file:PATH, a file of addresses, of which you hold a licence. It is verified like the dataset
    #[arg(long, value_name = "URL", env = "POSTCODE_ADDRESSES")]
    addresses: Option<AddressData>,
    /// Let pages of these origins read addresses: each a scheme, a host and maybe a port, or * for any. Without it only pages of
    /// this server can, unless callers need a token
    #[arg(long, value_name = "ORIGIN", env = "POSTCODE_CORS_ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<PageOrigin>,
    /// The most items in one bulk request
    #[arg(long, env = "POSTCODE_MAX_BATCH", default_value_t = 100, value_parser = items)]
    max_batch: usize,
    /// The most bytes of a request body [default: 1024 for each item of --max-batch, at least
    /// 102400]
    #[arg(long, env = "POSTCODE_MAX_BODY")]
    max_body: Option<usize>,
    /// The most neighbours in one answer, with ?extended=true
    #[arg(long, env = "POSTCODE_MAX_NEAREST", default_value_t = MAX_NEIGHBOURS, value_parser = neighbours)]
    max_nearest: usize,
    /// The largest radius, with ?extended=true and in /within: 5000 (metres), 5km, 2mi
    #[arg(long, value_name = "DISTANCE", env = "POSTCODE_MAX_RADIUS", default_value_t = MAX_RADIUS, value_parser = metres)]
    max_radius: f64,
    /// The most postcodes on one page of a region
    #[arg(long, env = "POSTCODE_MAX_PAGE", default_value_t = MAX_PAGE, value_parser = page)]
    max_page: usize,
    /// The most postcodes in one answer to bulk reverse geocoding (POST /postcodes with
    /// geolocations), over all its locations
    #[arg(long, env = "POSTCODE_MAX_RECORDS", default_value_t = 10_000, value_parser = one_or_more)]
    max_records: usize,
    /// Requests for the postcodes of regions at once; they take turns, and others are answered 503
    /// with Retry-After
    #[arg(long, env = "POSTCODE_MAX_REGIONS", default_value_t = 64, value_parser = one_or_more)]
    max_regions: usize,
    /// Bytes of responses of 64 KiB and more in transmission at once; others are answered 503 with
    /// Retry-After
    #[arg(long, value_name = "BYTES", env = "POSTCODE_MAX_ANSWERS", default_value_t = 256 << 20)]
    max_answers: u64,
    /// Refuse parameters that a route does not have, as ?strict=true does for one request
    #[arg(long, env = "POSTCODE_STRICT")]
    strict: bool,
    /// Transfers at once: downloads of the dataset file, of regions as application/x-ndjson, and
    /// requests to /enrich; others are answered 503 with Retry-After. 0 allows none
    #[arg(long, env = "POSTCODE_MAX_DOWNLOADS", default_value_t = 8)]
    max_downloads: usize,
    /// The most bytes of rows in one request to /enrich, or in the file of a job
    #[arg(long, env = "POSTCODE_MAX_UPLOAD", default_value_t = 1 << 30)]
    max_upload: u64,
    /// The most bytes of a request line and its headers, from 8192
    #[arg(long, env = "POSTCODE_MAX_HEADER", default_value_t = 16 * 1024, value_parser = header_bytes)]
    max_header: usize,
    /// Connections at once; when there are more, the one that has been idle longest is closed.
    /// Fewer if the limit of open files is lower
    #[arg(long, env = "POSTCODE_MAX_CONNECTIONS", default_value_t = 10_000, value_parser = one_or_more)]
    max_connections: usize,
    /// Extra connections, on which only /ping, /ready, /health and /metrics are answered
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_RESERVED_CONNECTIONS", default_value_t = 16)]
    reserved_connections: usize,
    /// Connections of one client address (IPv6: of one /64) at once; 0 for no limit. The default is
    /// a quarter of --max-connections, and no limit for this machine. Never applies to Unix sockets
    /// and trusted proxies
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_MAX_CONNECTIONS_PER_ADDRESS")]
    max_connections_per_address: Option<usize>,
    /// Requests in progress at once, counted from when their body has arrived; others are answered
    /// 503 with Retry-After
    #[arg(long, env = "POSTCODE_MAX_IN_FLIGHT", default_value_t = 1_024, value_parser = one_or_more)]
    max_in_flight: usize,
    /// Requests at once whose body is still arriving; beyond that the slowest is refused
    #[arg(long, env = "POSTCODE_MAX_WAITING", default_value_t = 2_048, value_parser = one_or_more)]
    max_waiting: usize,
    /// Requests of one client (token, or address, or /64 of IPv6) at once; others are answered 429;
    /// 0 for no limit. The default is a quarter of --max-in-flight, and no limit for this machine
    #[arg(long, value_name = "NUMBER", env = "POSTCODE_MAX_IN_FLIGHT_PER_CLIENT")]
    max_in_flight_per_client: Option<usize>,
    /// The rate limit of one address, such as 100/s, 600/m, 100/s:500 (500 at once), or off; others
    /// are answered 429 with Retry-After. The default is 1000/s:5000, and no limit for this machine
    #[arg(long, value_name = "RATE", env = "POSTCODE_RATE_PER_ADDRESS")]
    rate_per_address: Option<Rate>,
    /// The rate limit of one caller with a token, in place of the address's; no limit by default
    #[arg(long, value_name = "RATE", env = "POSTCODE_RATE_PER_CALLER")]
    rate_per_caller: Option<Rate>,
    /// How long a request's header may take, and how long an idle connection is kept
    #[arg(long, value_name = "TIME", env = "POSTCODE_HEADER_TIMEOUT", default_value = "30s", value_parser = time)]
    header_timeout: Duration,
    /// How long a client may read nothing of its response before its connection is closed
    #[arg(long, value_name = "TIME", env = "POSTCODE_SEND_TIMEOUT", default_value = "30s", value_parser = time)]
    send_timeout: Duration,
    /// How long a client may send a header or a body more slowly than --least-speed
    #[arg(long, value_name = "TIME", env = "POSTCODE_PATIENCE", default_value = "10s", value_parser = time)]
    patience: Duration,
    /// The least speed of a client in bytes a second, or its connection is closed; doubles with
    /// each minute, up to 64 times. 0 for any speed
    #[arg(long, value_name = "BYTES", env = "POSTCODE_LEAST_SPEED", default_value_t = 1024)]
    least_speed: u64,
    /// Proxies that may name the client: address ranges such as 10.0.0.0/8,::1, and unix for a Unix
    /// socket
    #[arg(
        long,
        value_name = "RANGES",
        env = "POSTCODE_TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true
    )]
    trusted_proxies: Proxies,
    /// The header in which those proxies name the client: x-forwarded-for or forwarded
    #[arg(long, value_name = "NAME", env = "POSTCODE_CLIENT_HEADER", default_value = "x-forwarded-for")]
    client_header: ClientHeader,
    /// The time limit of a request, its body included
    #[arg(long, value_name = "TIME", env = "POSTCODE_REQUEST_TIMEOUT", default_value = "10s", value_parser = time)]
    request_timeout: Duration,
    /// How long requests in flight may take to finish after SIGTERM or SIGINT
    #[arg(long, value_name = "TIME", env = "POSTCODE_DRAIN", default_value = "10s", value_parser = time)]
    drain: Duration,
    /// How long to go on serving after SIGTERM or SIGINT with /ready at 503, so that a load
    /// balancer notices
    #[arg(long, value_name = "TIME", env = "POSTCODE_LAME_DUCK", default_value = "0s", value_parser = time)]
    lame_duck: Duration,
    /// Serve the tools for assistants at /mcp, over the Model Context Protocol; a token needs the
    /// scope lookup
    #[cfg(feature = "mcp")]
    #[arg(long, env = "POSTCODE_MCP")]
    mcp: bool,
    #[command(flatten)]
    fleet: fleet::FleetArgs,
    #[command(flatten)]
    security: SecurityArgs,
    #[command(flatten)]
    jobs: JobArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn one_or_more(text: &str) -> Result<usize, String> {
    text.parse::<usize>().ok().filter(|&n| n > 0).ok_or_else(|| "give a number from 1".to_owned())
}

fn up_to(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|n| (1..=most).contains(n));
    number.ok_or_else(|| format!("give a number from 1 to {most}"))
}

fn items(text: &str) -> Result<usize, String> {
    up_to(text, MAX_BATCH)
}

fn neighbours(text: &str) -> Result<usize, String> {
    up_to(text, MAX_NEIGHBOURS)
}

fn page(text: &str) -> Result<usize, String> {
    up_to(text, MAX_PAGE)
}

fn metres(text: &str) -> Result<f64, String> {
    let metres = super::measure::metres(text)?;
    if metres <= MAX_RADIUS { Ok(metres) } else { Err(format!("give at most {MAX_RADIUS} metres")) }
}

/// Parses the limit of headers. The least is what hyper reads at once.
fn header_bytes(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|n| (8_192..=1 << 20).contains(n));
    number.ok_or_else(|| "give a number of bytes from 8192 to 1048576".to_owned())
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let _log = self.log.start().map_err(anyhow::Error::msg)?;
        tracing::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "starting");
        // Before anything that takes time, so that no signal is missed and kills us the hard way.
        let mut signals = signals::Signals::new()?;
        let security = self.security.open().map_err(anyhow::Error::msg)?;
        // Before anything that others depend on: a second start by mistake must end here, and not
        // after it has taken parts of jobs. Connections wait until the server accepts them.
        let listener =
            Listener::bind(&self.listen).await.with_context(|| format!("can't listen on {}", self.listen))?;
        let listener = security.protect(listener).map_err(anyhow::Error::msg)?;
        let url = listener.url()?;
        let demands = Demands::default().verify(self.verify).public_key(self.public_key);
        let addresses = self.addresses.map(|addresses| addresses.demanding(demands.clone()));
        let data = self.data.demanding(demands);
        let edition = data.open().await.with_context(|| format!("--data {data}"))?;
        data.log(&edition, "dataset");
        let limits = Limits {
            max_batch: self.max_batch,
            max_body: self.max_body.unwrap_or((self.max_batch * 1024).max(100 * 1024)),
            max_downloads: self.max_downloads,
            max_upload: self.max_upload,
            max_radius: self.max_radius,
            max_nearest: self.max_nearest,
            max_page: self.max_page,
            max_records: self.max_records,
            max_regions: self.max_regions,
            max_answers: self.max_answers,
            strict: self.strict,
        };
        let options = Options {
            max_connections: self.max_connections,
            reserved_connections: self.reserved_connections,
            max_connections_per_address: self.max_connections_per_address,
            max_in_flight: self.max_in_flight,
            max_waiting: self.max_waiting,
            max_in_flight_per_client: self.max_in_flight_per_client,
            rate_per_address: self.rate_per_address,
            rate_per_caller: self.rate_per_caller,
            max_header: self.max_header,
            header_timeout: self.header_timeout,
            send_timeout: self.send_timeout,
            patience: self.patience,
            least_speed: self.least_speed,
            request_timeout: self.request_timeout,
            drain: self.drain,
            proxies: self.trusted_proxies.reading(self.client_header),
        };
        let jobs = self.jobs.open(self.max_upload).await?;
        let api = Api::with_access(edition, limits, jobs.clone(), security.access().clone());
        api.let_pages_read_addresses(self.cors_origin);
        #[cfg(feature = "mcp")]
        if self.mcp {
            api.serve_tools();
        }
        if let Some(fleet) = self.fleet.open()? {
            api.serve_fleet(fleet);
        }
        let addresses = match addresses {
            Some(addresses) => {
                let file = addresses.open().with_context(|| format!("--addresses {addresses}"))?;
                Some((api.serve_addresses(file), addresses))
            }
            None => None,
        };
        let source: worker::Source = {
            let api = api.clone();
            Arc::new(move || api.edition().lookup())
        };
        let (stop_workers, stopping) = tokio::sync::watch::channel(false);
        let mut workers = tokio::spawn(worker::run(jobs, self.jobs.workers(source), stopping));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let hosts = Hosts::listening_on(&self.listen.to_string()).with(self.hosts);
        let frontend = Arc::new(Frontend::new(api.clone(), &options).answering_to(hosts));
        let mut server = tokio::spawn(run(listener, frontend, options, async {
            let _ = stopped.await;
        }));
        self.log.announce(&[format!("listening on {url}")]).map_err(anyhow::Error::msg)?;
        supervisor::ready(&data.status(&api));
        loop {
            match signals.next().await {
                signals::Signal::Reload => {
                    tracing::info!("reloading: the data, the tokens and the certificates are read again");
                    supervisor::reloading();
                    security.reload();
                    data.reload(&api);
                    if let Some((lookup, addresses)) = &addresses {
                        addresses.reload(lookup);
                    }
                }
                signals::Signal::End(name) => {
                    tracing::info!(signal = name, "shutting down");
                    break;
                }
            }
        }
        supervisor::stopping();
        api.set_ready(false);
        tokio::select! {
            () = tokio::time::sleep(self.lame_duck) => {}
            () = signals.end() => {}
        }
        let _ = stop.send(());
        tokio::select! {
            ended = &mut server => ended.context("the server failed")?,
            () = signals.end() => {
                tracing::warn!("a second signal: requests in flight are dropped");
                server.abort();
                // So that the listener is dropped, and with it the socket's file.
                let _ = server.await;
            }
        }
        // Running parts are finished. The others are given to another worker later.
        let _ = stop_workers.send(true);
        if tokio::time::timeout(self.drain, &mut workers).await.is_err() {
            workers.abort();
        }
        tracing::info!("stopped");
        Ok(())
    }
}
