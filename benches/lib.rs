//! Shared by the benchmarks: processes that act as a service or start cold.
//!
//! A benchmark's `main` calls [`serve_if_asked`] first. [`Service::start`] then runs the same
//! executable again as the service. So client and server share no memory, runtime or thread, as in
//! production. They do share the machine.

mod bare;
pub mod open_loop;
mod questions;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result};
use postcode_core::{PostcodeLookupExt, connect};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Address, Frontend, Listener, Options, run};

pub use questions::{Questions, Round};

const LISTEN: &str = "POSTCODE_BENCH_LISTEN";
const DATA: &str = "POSTCODE_BENCH_DATA";
const BARE: &str = "POSTCODE_BENCH_BARE";
const ASK: &str = "POSTCODE_BENCH_ASK";
const WHOLE: &str = "POSTCODE_BENCH_WHOLE";

/// The question for a process that starts cold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// No question: it opens nothing.
    Nothing,
    /// One lookup.
    Lookup,
    /// Completing a postcode, which needs all data.
    Autocomplete,
}

/// Answers one question from the data at a URL, if this process was started by [`ask`]. The process
/// should end then.
///
/// # Errors
/// Returns an error if the answer is wrong.
pub fn answer_if_asked() -> Result<bool> {
    let Ok(url) = std::env::var(ASK) else { return Ok(false) };
    if url.is_empty() {
        return Ok(true);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let known = runtime.block_on(async {
        let lookup = connect(&url).await?;
        match std::env::var_os(WHOLE) {
            None => Ok(lookup.get_str("SW1A 1AA").await?.is_live()),
            Some(_) => lookup.autocomplete("SW1A 1A", 10).await.map(|found| !found.is_empty()),
        }
    })?;
    anyhow::ensure!(known, "{url} does not know SW1A 1AA");
    Ok(true)
}

/// Starts a process that calls [`answer_if_asked`], and waits for its end.
///
/// # Errors
/// Returns an error if the process fails.
pub fn ask(url: &str, question: Question) -> Result<()> {
    let mut process = Command::new(std::env::current_exe()?);
    process.env(ASK, if question == Question::Nothing { "" } else { url });
    if question == Question::Autocomplete {
        process.env(WHOLE, "1");
    }
    let status = process.stdin(Stdio::null()).status().context("it could not be started")?;
    anyhow::ensure!(status.success(), "it ended with {status}");
    Ok(())
}

/// Serves a country for ever, if this process was started as the service.
///
/// # Errors
/// Returns an error if it can't listen on the address.
pub fn serve_if_asked() -> Result<()> {
    let Ok(listen) = std::env::var(LISTEN) else { return Ok(()) };
    let address: Address = listen.parse().map_err(anyhow::Error::msg)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let options = Options::default();
        let limits = Limits { max_batch: 1_000, ..Limits::default() };
        let api = Api::new(Edition::of(connect(&std::env::var(DATA)?).await?).await?, limits);
        let frontend = Frontend::new(api, &options);
        if std::env::var_os(BARE).is_some() {
            return bare::serve(&frontend, &listen).await;
        }
        let listener = Listener::bind(&address).await?;
        println!("{}", listener.url()?);
        run(listener, Arc::new(frontend), options, std::future::pending()).await;
        Ok(())
    })
}

/// A service in another process, which ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    process: Child,
    /// The address, for [`connect`].
    pub url: String,
}

impl Service {
    /// Starts a service on `127.0.0.1:0` or `unix:PATH`, over the embedded data, and waits until it
    /// listens.
    ///
    /// # Errors
    /// Returns an error if the service ends before it listens.
    pub fn start(listen: &str) -> Result<Self> {
        Self::start_over(listen, "embedded:")
    }

    /// Starts a service over the data at this URL.
    ///
    /// # Errors
    /// Returns an error if the service ends before it listens.
    pub fn start_over(listen: &str, data: &str) -> Result<Self> {
        Self::start_with(Command::new(std::env::current_exe()?).env(LISTEN, listen).env(DATA, data))
    }

    /// Starts a server of hyper alone on `127.0.0.1:0`, which answers everything with the bytes of one lookup.
    ///
    /// # Errors
    /// Returns an error if the server ends before it listens.
    pub fn start_bare() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?);
        Self::start_with(process.env(LISTEN, "127.0.0.1:0").env(DATA, "embedded:").env(BARE, "1"))
    }

    fn start_with(process: &mut Command) -> Result<Self> {
        let mut process = process
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the service could not be started")?;
        let mut url = String::new();
        let stdout = process.stdout.take().context("the service has no standard output")?;
        BufReader::new(stdout).read_line(&mut url)?;
        anyhow::ensure!(!url.is_empty(), "the service ended before it listened");
        Ok(Self { process, url: url.trim().to_owned() })
    }
}

impl Service {
    /// Returns the number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has nothing that could be lost.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
