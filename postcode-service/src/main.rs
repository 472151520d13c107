//! The `postcode-service` program.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use postcode_core::dataset::Dataset;
use postcode_core::redact;
use postcode_edge::cli::{CompletionsArgs, ConfigArgs, ManArgs, PingArgs, Program, TokenArgs};
use postcode_service::cli;

/// UK postcodes: a server that speaks the API of postcodes.io, and lookups from the command line.
#[derive(Parser)]
#[command(version, propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
By task:
  look up     lookup, validate, search, autocomplete, random, outcode, places, scotland
  on the map  nearest, within, distance
  texts       find, enrich, address
  serve       serve, worker, token, config, doctor, ping, bench, compare, replay
  the data    info, fetch, import, data, inspect, verify, verify-walk, diff, prove, export, pack, key, sign
  the shell   completions, man

Each command says its exit status in --help. 2 is always a wrong option.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Lookup(cli::lookup::Args),
    Address(cli::address::Args),
    Addresses(cli::addresses::Args),
    Validate(cli::validate::Args),
    Search(cli::search::Args),
    Autocomplete(cli::autocomplete::Args),
    Random(cli::random::Args),
    Outcode(cli::outcode::Args),
    Places(cli::places::Args),
    Scotland(cli::scotland::Args),
    Nearest(cli::nearest::Args),
    Within(cli::within::Args),
    Distance(cli::distance::Args),
    Find(cli::find::Args),
    Enrich(Box<cli::enrich::Args>),
    Serve(Box<cli::serve::Args>),
    Worker(Box<cli::worker::Args>),
    #[cfg(feature = "mcp")]
    Mcp(cli::mcp::Args),
    Token(TokenArgs),
    Info(cli::info::Args),
    Fetch(Box<cli::fetch::Args>),
    Import(Box<cli::import::Args>),
    Data(cli::data::Args),
    Inspect(cli::inspect::Args),
    Verify(cli::verify::Args),
    VerifyWalk(cli::verify_walk::Args),
    Diff(cli::diff::Args),
    Prove(cli::prove::Args),
    Export(cli::export::Args),
    Pack(cli::pack::Args),
    Key(cli::key::Args),
    Sign(cli::sign::Args),
    Bench(cli::bench::Args),
    Compare(cli::compare::Args),
    Replay(cli::replay::Args),
    Doctor(cli::doctor::Args),
    Config(ConfigArgs),
    Ping(PingArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    /// Returns the exit status of errors: 2 for lookups, where 1 means "not found", and 1 for
    /// tools.
    fn status_of_errors(&self) -> u8 {
        match self {
            Self::Token(_)
            | Self::Fetch(_)
            | Self::Import(_)
            | Self::Data(_)
            | Self::Export(_)
            | Self::Inspect(_)
            | Self::Verify(_)
            | Self::VerifyWalk(_)
            | Self::Sign(_)
            | Self::Key(_)
            | Self::Pack(_)
            | Self::Config(_)
            | Self::Ping(_)
            | Self::Completions(_)
            | Self::Man(_) => 1,
            _ => 2,
        }
    }

    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Lookup(args) => args.run().await,
            Self::Validate(args) => args.run().await,
            Self::Search(args) => args.run().await,
            Self::Autocomplete(args) => args.run().await,
            Self::Random(args) => args.run().await,
            Self::Outcode(args) => args.run().await,
            Self::Places(args) => args.run().await,
            Self::Scotland(args) => args.run().await,
            Self::Nearest(args) => args.run().await,
            Self::Within(args) => args.run().await,
            Self::Distance(args) => args.run().await,
            Self::Find(args) => args.run().await,
            Self::Enrich(args) => args.run().await,
            Self::Serve(args) => args.run().await,
            Self::Worker(args) => args.run().await,
            #[cfg(feature = "mcp")]
            Self::Mcp(args) => args.run().await,
            Self::Token(args) => args.run().map_err(anyhow::Error::msg),
            Self::Info(args) => args.run().await,
            Self::Fetch(args) => args.run().await,
            Self::Import(args) => args.run().await,
            Self::Data(args) => args.run().await,
            Self::Inspect(args) => args.run().await,
            Self::Verify(args) => args.run().await,
            Self::VerifyWalk(args) => args.run().await,
            Self::Diff(args) => args.run().await,
            Self::Prove(args) => args.run().await,
            Self::Address(args) => args.run().await,
            Self::Addresses(args) => args.run().await,
            Self::Export(args) => args.run().await,
            Self::Pack(args) => args.run().await,
            Self::Key(args) => args.run().await,
            Self::Sign(args) => args.run().await,
            Self::Bench(args) => args.run().await,
            Self::Compare(args) => args.run().await,
            Self::Replay(args) => args.run().await,
            Self::Doctor(args) => args.run(&PROGRAM).await,
            Self::Config(args) => args.run(&PROGRAM).map_err(anyhow::Error::msg),
            Self::Ping(args) => args.run(&PROGRAM).map_err(anyhow::Error::msg),
            Self::Completions(args) => Ok(args.run(PROGRAM.command())?),
            Self::Man(args) => Ok(args.run(PROGRAM.command())?),
        }
    }
}

const PROGRAM: Program = Program {
    command,
    prefix: "POSTCODE",
    // The last two are set for builds and tests of this repository.
    variables: &["POSTCODE_WEBHOOK_SECRET", "POSTCODE_COMMIT", "POSTCODE_SHARED"],
    configured: &["serve", "worker"],
    redact,
    version,
};

fn command() -> clap::Command {
    // A worker takes no jobs, so it has no use for the limits of taking them.
    let taking = ["max_jobs", "max_open_jobs", "max_jobs_per_address", "max_job_rows"];
    Cli::command().mut_subcommand("worker", |worker| {
        worker.mut_args(|arg| if taking.contains(&arg.get_id().as_str()) { arg.hide(true) } else { arg })
    })
}

/// Describes the program and the data inside it.
fn version() -> String {
    let data = Dataset::embedded_info().ok();
    let data = data.as_ref().map(|info| (&*info.edition, info.live));
    postcode_edge::cli::version("postcode-service", env!("CARGO_PKG_VERSION"), data)
}

fn main() -> ExitCode {
    let cli: Cli = PROGRAM.parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(e) => return cli::exit::report(&anyhow::Error::new(e).context("the runtime could not start"), 2),
    };
    let failed = cli.command.status_of_errors();
    let ended = runtime.block_on(cli.command.run());
    // A read of standard input that is still waiting must not hold the exit.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::exit::report(&error, failed),
    }
}
