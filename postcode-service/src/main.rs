//! The `postcode-service` program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use postcode_core::redact;
use postcode_edge::without_secrets;
use postcode_service::cli;

/// UK postcodes: a server that speaks the API of postcodes.io, and lookups from the command line.
#[derive(Parser)]
#[command(version, propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<cli::serve::Args>),
    Token(postcode_edge::TokenArgs),
    Worker(cli::worker::Args),
    Import(cli::import::Args),
    Inspect(cli::inspect::Args),
    Verify(cli::verify::Args),
    Sign(cli::sign::Args),
    Key(cli::key::Args),
    Diff(cli::diff::Args),
    Prove(cli::prove::Args),
    Pack(cli::pack::Args),
    Lookup(cli::lookup::Args),
    Enrich(cli::enrich::Args),
    Export(cli::export::Args),
    Validate(cli::validate::Args),
    Autocomplete(cli::autocomplete::Args),
    Search(cli::search::Args),
    Nearest(cli::nearest::Args),
    Distance(cli::distance::Args),
    Within(cli::within::Args),
    Outcode(cli::outcode::Args),
    Random(cli::random::Args),
    Places(cli::places::Args),
    Scotland(cli::scotland::Args),
    Info(cli::info::Args),
}

impl Command {
    /// Returns the exit status of errors: 2 for lookups, where 1 means "not found", and 1 for
    /// tools.
    fn status_of_errors(&self) -> u8 {
        match self {
            Self::Token(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::Inspect(_)
            | Self::Verify(_)
            | Self::Sign(_)
            | Self::Key(_)
            | Self::Pack(_) => 1,
            _ => 2,
        }
    }

    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(args) => args.run().await,
            Self::Token(args) => args.run().map_err(anyhow::Error::msg),
            Self::Worker(args) => args.run().await,
            Self::Import(args) => args.run().await,
            Self::Inspect(args) => args.run().await,
            Self::Verify(args) => args.run().await,
            Self::Sign(args) => args.run().await,
            Self::Key(args) => args.run().await,
            Self::Diff(args) => args.run().await,
            Self::Prove(args) => args.run().await,
            Self::Pack(args) => args.run().await,
            Self::Lookup(args) => args.run().await,
            Self::Enrich(args) => args.run().await,
            Self::Export(args) => args.run().await,
            Self::Validate(args) => args.run().await,
            Self::Autocomplete(args) => args.run().await,
            Self::Search(args) => args.run().await,
            Self::Nearest(args) => args.run().await,
            Self::Distance(args) => args.run().await,
            Self::Within(args) => args.run().await,
            Self::Outcode(args) => args.run().await,
            Self::Random(args) => args.run().await,
            Self::Places(args) => args.run().await,
            Self::Scotland(args) => args.run().await,
            Self::Info(args) => args.run().await,
        }
    }
}

fn main() -> ExitCode {
    let cli = parse();
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
