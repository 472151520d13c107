//! `postcode-service prove`: compares every answer of two sources.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context;
use postcode_core::{DatasetInfo, Remote, path_or_url, redact};
use serde::Serialize;

use super::{exit, interrupt, output};
use crate::import::Progress;
use crate::proof;
use crate::prove::{
    AddressCounts, AddressOptions, AddressSide, Counts, Difference, Options, SampleCounts, SampleOptions,
    Side, prove, prove_addresses, sample,
};

const EXAMPLES: &str = "\
Examples:
  postcode-service prove embedded: http://127.0.0.1:8080
  postcode-service prove uk.postcodes 'http://127.0.0.1:8080?timeout=5s'
  postcode-service prove replica:http://127.0.0.1:8080 http://127.0.0.1:8080 --json
  postcode-service prove embedded: http://127.0.0.1:8080 --random 10000 --seed 7
  postcode-service prove --addresses uk.addresses http://127.0.0.1:8080 --by-root

At least one of the two is in this process and so lists its postcodes: a file, embedded: or replica:. The other one
may be any source that tells its edition and how many postcodes it has. Both must keep their edition until the end.
With --addresses each is a file of addresses or a service that has addresses, and the addresses of every postcode
are compared.";

/// Ask two sources about every postcode, outcode and place, and list each answer that differs.
///
/// Exit status: 0 if all answers are equal, 1 if any differ, 2 if nothing is proved because of an error, 130 if it is
/// interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The first source, as for --source of the lookups
    #[arg(value_name = "PATH|URL")]
    one: String,
    /// The other source
    #[arg(value_name = "PATH|URL")]
    other: String,
    /// Compare the addresses of every postcode, of files of addresses and services that have addresses
    #[arg(long)]
    addresses: bool,
    /// Look each address up by its UDPRN, UMPRN and UPRN too. Needs --addresses
    #[arg(long, requires = "addresses", conflicts_with = "by_root")]
    numbers: bool,
    /// Postcodes in one call. With --addresses it is 100
    #[arg(long, value_name = "COUNT", default_value_t = 400, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,
    /// Calls at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: u16,
    /// Compare the roots of all answers, and name the answers that differ. Takes one request if the roots are equal. A
    /// service answers from its own hashes: this does not test the way to it
    #[arg(long)]
    by_root: bool,
    /// The most requests to each source with --by-root
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    max_requests: u16,
    /// Ask this many random questions in place of all: of nearest, outcodes nearest, within, autocomplete, search and
    /// places, whose questions can't be listed. This is not a proof: it says how many may still differ
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["addresses", "by_root"], value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    random: Option<u32>,
    /// The seed of --random. The same one asks the same questions of the same data
    #[arg(long, value_name = "NUMBER", requires = "random", default_value_t = 1)]
    seed: u64,
    /// Write JSON: each difference as an object a line, then the counts as one
    #[arg(long, short)]
    json: bool,
    /// Don't show progress
    #[arg(long)]
    quiet: bool,
}

#[derive(Serialize)]
struct Summary<'a, C> {
    #[serde(flatten)]
    counts: C,
    one: Edition<'a>,
    other: Edition<'a>,
}

#[derive(Serialize)]
struct Sampled {
    #[serde(flatten)]
    counts: SampleCounts,
    seed: u64,
    /// The share of such questions below which those with different answers are, with 95 % confidence.
    bound: Option<f64>,
}

#[derive(Serialize)]
struct Edition<'a> {
    edition: &'a str,
    fingerprint: &'a str,
}

impl<'a> From<&'a DatasetInfo> for Edition<'a> {
    fn from(info: &'a DatasetInfo) -> Self {
        Self { edition: &info.edition, fingerprint: &info.fingerprint }
    }
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let interrupted = interrupt::requested();
        let compared = Cell::new(0);
        tokio::select! {
            ended = self.compare(&compared) => ended,
            () = interrupted => {
                eprintln!("interrupted after {} questions: nothing is proved", compared.get());
                std::process::exit(interrupt::STATUS);
            }
        }
    }

    async fn compare(&self, compared: &Cell<u64>) -> anyhow::Result<()> {
        if self.by_root {
            return self.compare_roots().await;
        }
        if self.addresses {
            return self.compare_addresses(compared).await;
        }
        if let Some(questions) = self.random {
            return self.compare_sample(questions, compared).await;
        }
        let (one, other) = tokio::try_join!(open(&self.one), open(&self.other))?;
        let (left, right) = (one.info().clone(), other.info().clone());
        let mut out = io::stdout().lock();
        let mut progress = Progress::new(self.quiet);
        let found = |difference: &Difference| self.found(&mut out, difference);
        let tell = |counts: &Counts, of: u64| {
            compared.set(counts.postcodes + counts.outcodes + counts.places);
            progress.at("comparing all answers", compared.get(), of);
        };
        let options = Options { batch: self.batch.into(), at_once: self.at_once.into() };
        let counts = prove([one, other], options, found, tell).await?;
        progress.finish();
        let Counts { postcodes, outcodes, places, different } = counts;
        let asked = format!("{postcodes} postcodes, {outcodes} outcodes, {places} places");
        let editions = [Edition::from(&left), Edition::from(&right)];
        self.summary(&mut out, counts, different, &asked, editions)
    }
}

impl Args {
    fn found(&self, out: &mut impl Write, difference: &Difference) -> io::Result<()> {
        match self.json {
            true => output::json(out, difference),
            false => writeln!(out, "{difference}"),
        }
    }

    /// Writes the counts and the two editions, and sets the exit status.
    fn summary<C: Serialize>(
        &self,
        out: &mut impl Write,
        counts: C,
        different: u64,
        asked: &str,
        [one, other]: [Edition<'_>; 2],
    ) -> anyhow::Result<()> {
        if self.json {
            output::json(out, &Summary { counts, one, other })?;
        } else {
            let result = match different {
                0 => "all answers are equal".to_owned(),
                some => format!("{some} different"),
            };
            writeln!(out, "{asked}: {result}")?;
            for (name, Edition { edition, fingerprint }) in [("one", one), ("other", other)] {
                writeln!(out, "{name}: {edition} ({fingerprint})")?;
            }
        }
        out.flush()?;
        exit::found(different == 0)
    }

    async fn compare_addresses(&self, compared: &Cell<u64>) -> anyhow::Result<()> {
        let open = async |url: &str| {
            let url = path_or_url(url);
            AddressSide::open(&url).await.with_context(|| redact(&url))
        };
        let (one, other) = tokio::try_join!(open(&self.one), open(&self.other))?;
        let (left, right) = (one.coverage().clone(), other.coverage().clone());
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut progress = Progress::new(self.quiet);
        let found = |difference: &Difference| self.found(&mut out, difference);
        let tell = |counts: &AddressCounts, of: u64| {
            compared.set(counts.postcodes + counts.numbers);
            progress.at("comparing all addresses", counts.postcodes, of);
        };
        let options = AddressOptions { numbers: self.numbers, at_once: self.at_once.into() };
        let counts = prove_addresses([one, other], options, found, tell).await?;
        progress.finish();
        let editions =
            [&left, &right].map(|side| Edition { edition: &side.edition, fingerprint: &side.fingerprint });
        let AddressCounts { postcodes, addresses, numbers, different } = counts;
        let asked = format!("{postcodes} postcodes, {addresses} addresses, {numbers} numbers");
        self.summary(&mut out, counts, different, &asked, editions)
    }

    async fn compare_sample(&self, questions: u32, compared: &Cell<u64>) -> anyhow::Result<()> {
        let (one, other) = tokio::try_join!(open(&self.one), open(&self.other))?;
        let (left, right) = (one.info().clone(), other.info().clone());
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut progress = Progress::new(self.quiet);
        let found = |difference: &Difference| self.found(&mut out, difference);
        let tell = |counts: &SampleCounts| {
            compared.set(counts.questions);
            progress.at("asking random questions", counts.questions, questions.into());
        };
        let options = SampleOptions { questions, seed: self.seed, at_once: self.at_once.into() };
        let counts = sample([one, other], options, found, tell).await?;
        progress.finish();
        let bound = counts.bound();
        if let (Some(bound), false) = (bound, self.json) {
            let share = bound * 100.0;
            writeln!(
                out,
                "This is not a proof. With 95 % confidence fewer than {share:.3} % of such questions have different answers."
            )?;
        }
        let asked = format!("{} random questions with the seed {}", counts.questions, self.seed);
        let editions = [Edition::from(&left), Edition::from(&right)];
        let shown = Sampled { counts, seed: self.seed, bound };
        self.summary(&mut out, shown, counts.different, &asked, editions)
    }

    async fn compare_roots(&self) -> anyhow::Result<()> {
        let (one, other) = tokio::try_join!(self.hashes(&self.one), self.hashes(&self.other))?;
        let seen = proof::compare(&*one, &*other, self.max_requests.into()).await?;
        let mut out = io::BufWriter::new(io::stdout().lock());
        let [left, right] = seen.roots;
        let is_same = left == right;
        if self.json {
            let summary = serde_json::json!({
                "one": left,
                "other": right,
                "different": seen.different,
                "complete": seen.is_complete,
                "requests": seen.requests,
            });
            output::json(&mut out, &summary)?;
        } else {
            seen.different.iter().try_for_each(|name| writeln!(out, "{name}"))?;
            if !seen.is_complete {
                writeln!(out, "and more: raise --max-requests, or leave --by-root out")?;
            }
            match is_same {
                true => writeln!(out, "all answers are equal: root {left}")?,
                false => writeln!(out, "{} different: roots {left} and {right}", seen.different.len())?,
            }
        }
        out.flush()?;
        exit::found(is_same)
    }

    async fn hashes(&self, url: &str) -> anyhow::Result<Box<dyn proof::Hashes>> {
        let url = path_or_url(url);
        self.hashes_of(&url).await.with_context(|| redact(&url))
    }

    /// Returns the hashes of a source. Those of a service are its own.
    async fn hashes_of(&self, url: &str) -> anyhow::Result<Box<dyn proof::Hashes>> {
        if self.addresses {
            return Ok(AddressSide::hashes(url, self.at_once.into()).await?);
        }
        let Some(side) = Side::in_process(url).await? else {
            return Ok(Box::new(proof::Source::Service(Remote::new(url)?)));
        };
        let tree = side.tree(self.at_once.into()).await?.context("it does not list its postcodes")?;
        Ok(Box::new(proof::Source::Tree(Arc::new(tree))))
    }
}

async fn open(url: &str) -> anyhow::Result<Side> {
    let url = path_or_url(url);
    Side::open(&url).await.with_context(|| redact(&url))
}
