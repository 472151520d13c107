//! Measures how a server answers honest clients while most connections are hostile.
//!
//!     cargo run --release -p benches --bin hostile -- --program target/release/postcode-service
//!     cargo run --release -p benches --bin hostile -- --customers target/release/customers
//!
//! Starts the program on a free port of the loopback, or uses one that is already running there.
//! One hundred honest connections send requests at a constant rate, first alone and then next to
//! each mix of hostile ones. Prints a Markdown table.

mod attack;
mod mixes;
mod program;
mod report;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use benches::open_loop::Load;
use mixes::Mix;
use program::Program;
use report::Row;
use server::Server;

/// Measures how a server answers honest clients while most connections are hostile.
#[derive(Debug, Parser)]
struct Args {
    /// The postcode-service program to start
    #[arg(long, value_name = "PATH", required_unless_present_any = ["address", "customers", "list"])]
    #[arg(conflicts_with_all = ["address", "customers"])]
    program: Option<PathBuf>,
    /// The customers program to start, which is attacked with the mixes for it
    #[arg(long, value_name = "PATH", conflicts_with = "address")]
    customers: Option<PathBuf>,
    /// How many accounts it has, all at one postcode
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000, requires = "customers")]
    accounts: usize,
    /// A postcode-service that is already running; it must be on the loopback
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,
    /// An additional argument for the program; may be given several times
    #[arg(long = "arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// How many seconds each mix is measured; all mixes take about 25 times as long
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Hostile connections
    #[arg(long, default_value_t = 900)]
    hostile: usize,
    /// Honest connections
    #[arg(long, default_value_t = 100)]
    honest: usize,
    /// Requests per second of all honest connections together
    #[arg(long, default_value_t = 1_000)]
    rate: u32,
    /// Only the mixes with these names, separated by commas
    #[arg(long, value_delimiter = ',')]
    mixes: Vec<String>,
    /// A file to which the table is also written
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fail unless every honest request is answered, with a p99 of at most this many times the one
    /// without hostile connections
    #[arg(long, value_name = "RATIO")]
    at_most: Option<f64>,
    /// Run with a tenth of the connections and one second per mix, to see whether it works
    #[arg(long, conflicts_with_all = ["seconds", "hostile", "honest", "rate"])]
    smoke: bool,
    /// List the mixes and exit
    #[arg(long)]
    list: bool,
}

fn main() -> Result<()> {
    let mut args = Args::parse();
    if args.list {
        for (program, name) in [(Program::Service, "postcode-service"), (Program::Customers, "customers")] {
            println!("{name}:");
            program.mixes().for_each(|mix| println!("  {:16} {}", mix.name, mix.about));
        }
        return Ok(());
    }
    if args.smoke {
        (args.seconds, args.hostile, args.honest, args.rate) = (1, 90, 10, 100);
        args.accounts = args.accounts.min(500);
    }
    ensure!(
        args.honest > 0 && args.rate > 0 && args.seconds > 0,
        "--honest, --rate and --seconds: give 1 or more"
    );
    ensure!(
        args.seconds <= 600 && args.hostile <= 20_000,
        "give at most 600 seconds and 20000 hostile connections"
    );
    // One file of an import has that many rows.
    ensure!(args.accounts <= 200_000, "--accounts: give at most 200000");
    let mixes = chosen(args.kind(), &args.mixes)?;
    // Each connection is a file descriptor here, and one in the program that is started.
    rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files can't be raised")?;

    let rows = measure(&args, &mixes)?;
    let table = report::table(&args, &rows);
    print!("{table}");
    if let Some(out) = &args.out {
        std::fs::write(out, &table).with_context(|| format!("{}: can't be written", out.display()))?;
    }
    report::check(&rows, args.at_most)
}

impl Args {
    fn kind(&self) -> Program {
        if self.customers.is_some() { Program::Customers } else { Program::Service }
    }
}

fn server(args: &Args) -> Result<Server> {
    let kind = args.kind();
    let server = match (&args.program, &args.customers, args.address) {
        (Some(program), ..) | (None, Some(program), _) => Server::start(kind, program, &args.arguments),
        (None, None, Some(address)) => Server::running(kind, address),
        (None, None, None) => anyhow::bail!("give --program, --customers or --address"),
    }?;
    kind.fill(server.address(), args.accounts)?;
    Ok(server)
}

fn chosen(program: Program, names: &[String]) -> Result<Vec<&'static Mix>> {
    let known = || program.mixes().map(|mix| mix.name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| program.mixes().find(|mix| mix.name == name);
    match names {
        [] => Ok(program.mixes().collect()),
        names => names
            .iter()
            .map(|name| find(name).with_context(|| format!("{name}: no such mix. Give {}", known())))
            .collect(),
    }
}

fn measure(args: &Args, mixes: &[&'static Mix]) -> Result<Vec<Row>> {
    let mut server = server(args)?;
    let mut rows = vec![unloaded("unloaded", args, &server)?];
    for mix in mixes {
        let target = attack::Target { host: server.address(), program: args.kind() };
        let hostile = attack::Hostile::start(target, mix, args.hostile)?;
        let row = row(mix.name, args.hostile, args, &server);
        let opened = hostile.stop()?;
        let recovered = server.answers_again();
        rows.push(Row { opened, recovered, ..row? });
        if !recovered {
            // The other mixes are still measured, if possible.
            eprintln!("after {} it does not answer any more", mix.name);
            drop(server);
            server = self::server(args)?;
            unloaded("warm-up", args, &server)?;
        }
    }
    rows.push(unloaded("unloaded again", args, &server)?);
    Ok(rows)
}

/// Measures honest connections alone, after the program's caches are filled.
fn unloaded(name: &'static str, args: &Args, server: &Server) -> Result<Row> {
    load(args, server).run("warm-up")?;
    row(name, 0, args, server)
}

fn load(args: &Args, server: &Server) -> Load {
    let window = Duration::from_secs(args.seconds);
    let asks = args.kind().asks().into();
    Load { address: server.address(), connections: args.honest, rate: args.rate, window, asks }
}

fn row(name: &'static str, hostile: usize, args: &Args, server: &Server) -> Result<Row> {
    eprintln!("{name} …");
    let memory = server.watch_memory();
    let counts = load(args, server).run(name)?;
    Ok(Row { name, hostile, counts, opened: 0, memory: memory.most(), recovered: true })
}
