//! `postcode-service replay`: makes recorded calls again, at their times or faster.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use postcode_core::layers::{PlainCall, RecordedCall};
use postcode_core::{Connector, Error, Lookups, MAX_LIMIT, Postcode, path_or_url, redact};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::{exit, output};
use crate::prove::Difference;

/// The longest line of a recording: a batch of 10,000 postcodes.
const MAX_LINE: u64 = 1 << 20;
/// A call that begins so much later than it should is late.
const LATE: Duration = Duration::from_millis(100);
/// The most differences and errors that are written one by one.
const MOST_TOLD: u64 = 100;

const EXAMPLES: &str = "\
Examples:
  postcode-service replay calls.jsonl http://127.0.0.1:8080
  postcode-service replay calls.jsonl http://127.0.0.1:8080 --rate 10x --compare embedded:

customers serve --record calls.jsonl writes such a file. In a private recording each postcode is a sector. One of its live
postcodes is asked about, chosen by --seed.";

/// Make recorded calls again on a source, at their times or faster, and say how long they took and how many failed.
///
/// Exit status: 0 if all calls were answered, and equally with --compare, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The recording: a line of JSON for each call
    file: PathBuf,
    /// The source that is asked, as for --source of the lookups
    #[arg(value_name = "PATH|URL")]
    source: String,
    /// Compare each answer with that of this source, which is asked after it
    #[arg(long, value_name = "PATH|URL")]
    compare: Option<String>,
    /// How many times faster than recorded, such as 10x
    #[arg(long, value_name = "TIMES", default_value = "1x", value_parser = times)]
    rate: f64,
    /// The most calls at once. Others wait, and are late
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    at_once: u16,
    /// The seed of the postcodes of private recordings
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Write JSON: each difference or failure as an object a line, then the counts as one
    #[arg(long, short)]
    json: bool,
}

fn times(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches(['x', 'X']).parse().ok();
    number.filter(|times| (0.01..=10_000.0).contains(times)).ok_or_else(|| "give 0.01x to 10000x".to_owned())
}

/// The counts of a replay.
#[derive(Debug, Default, Serialize)]
struct Counts {
    calls: u64,
    failed: u64,
    /// Calls about a sector without a live postcode.
    left_out: u64,
    /// Calls that began later than they should.
    late: u64,
    compared: u64,
    different: u64,
    seconds: f64,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
}

/// A call that failed.
#[derive(Serialize)]
struct Failed<'a> {
    query: &'a str,
    error: String,
}

/// The result of one call.
struct Ended {
    query: String,
    took: Duration,
    /// Whether the answers agree, if they were compared.
    answered: Result<Option<Result<(), Difference>>, Error>,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> Result<()> {
        let shown = self.file.display();
        let file = File::open(&self.file).with_context(|| format!("can't open {shown}"))?;
        let asked = Arc::new(Asked {
            source: connect(&self.source).await?,
            other: match &self.compare {
                Some(url) => Some(connect(url).await?),
                None => None,
            },
            seed: self.seed,
            sectors: Mutex::default(),
        });
        let mut told = Told {
            out: io::BufWriter::new(io::stdout().lock()),
            json: self.json,
            counts: Counts::default(),
            times: Vec::new(),
        };
        let (began, mut first) = (Instant::now(), None);
        let mut running = JoinSet::new();
        let mut lines = BufReader::new(file);
        for number in 1_u64.. {
            let mut line = String::new();
            let read = lines.by_ref().take(MAX_LINE).read_line(&mut line);
            if read.with_context(|| format!("{shown}: line {number}"))? == 0 {
                break;
            }
            if line.len() as u64 == MAX_LINE {
                bail!("{shown}: line {number} is longer than {MAX_LINE} bytes");
            }
            if line.trim().is_empty() {
                continue;
            }
            let recorded: RecordedCall = serde_json::from_str(&line)
                .with_context(|| format!("{shown}: line {number} is not a recorded call"))?;
            let since = recorded.at_us.saturating_sub(*first.get_or_insert(recorded.at_us));
            let after = Duration::try_from_secs_f64(since as f64 / 1e6 / self.rate).ok();
            let due = after.and_then(|after| began.checked_add(after));
            let due = due.with_context(|| format!("{shown}: line {number}: its time is too late"))?;
            sleep_until(due).await;
            while running.len() >= usize::from(self.at_once) {
                told.tell(running.join_next().await.transpose()?)?;
            }
            told.counts.calls += 1;
            told.counts.late += u64::from(due.elapsed() > LATE);
            running.spawn(asked.clone().ask(recorded.call, number));
            while let Some(ended) = running.try_join_next() {
                told.tell(Some(ended?))?;
            }
        }
        while let Some(ended) = running.join_next().await {
            told.tell(Some(ended?))?;
        }
        told.counts.seconds = began.elapsed().as_secs_f64();
        told.finish(self.rate)
    }
}

async fn connect(url: &str) -> Result<Arc<dyn Lookups>> {
    let url = path_or_url(url);
    let lookup = async { Connector::new(&url)?.connect().await };
    lookup.await.with_context(|| redact(&url))
}

/// The sources that are asked.
struct Asked {
    source: Arc<dyn Lookups>,
    other: Option<Arc<dyn Lookups>>,
    seed: u64,
    /// Live postcodes of sectors. There are some eleven thousand sectors.
    sectors: Mutex<HashMap<String, Arc<[Postcode]>>>,
}

impl Asked {
    /// Makes a call, and compares the answer. `None` if it is about a sector without a live postcode.
    async fn ask(self: Arc<Self>, mut call: PlainCall, number: u64) -> Option<Ended> {
        let mut rng = Rng::with_seed(self.seed.wrapping_add(number));
        for text in call.postcodes_mut() {
            if text.parse::<Postcode>().is_err() {
                let live = self.live(text).await;
                *text = rng.choice(&*live)?.to_string();
            }
        }
        let began = Instant::now();
        let answer = call.answer(&*self.source).await;
        let (took, query) = (began.elapsed(), call.to_string());
        let answered = match (answer, &self.other) {
            (Ok(_), None) => Ok(None),
            (Err(error), _) => Err(error),
            (Ok(answer), Some(other)) => call.answer(&**other).await.map(|expected| {
                let is_equal = answer == expected;
                Some(if is_equal {
                    Ok(())
                } else {
                    Err(Difference::of_texts(query.clone(), [&answer, &expected]))
                })
            }),
        };
        Some(Ended { query, took, answered })
    }

    /// Returns live postcodes of a sector; none if the source can't be asked.
    async fn live(&self, sector: &str) -> Arc<[Postcode]> {
        let known = || self.sectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(live) = known().get(sector).cloned() {
            return live;
        }
        match self.source.autocomplete(sector, MAX_LIMIT).await {
            Ok(live) => known().entry(sector.to_owned()).or_insert(live.into()).clone(),
            Err(_) => Arc::default(),
        }
    }
}

/// Writes the results, and counts them.
struct Told<W> {
    out: W,
    json: bool,
    counts: Counts,
    /// How long each answered call took, in microseconds.
    times: Vec<f32>,
}

impl<W: Write> Told<W> {
    fn tell(&mut self, ended: Option<Option<Ended>>) -> Result<()> {
        let Some(ended) = ended else { return Ok(()) };
        let counts = &mut self.counts;
        let Some(Ended { query, took, answered }) = ended else {
            counts.left_out += 1;
            return Ok(());
        };
        match answered {
            Err(error) => {
                counts.failed += 1;
                if counts.failed <= MOST_TOLD {
                    let failed = Failed { query: &query, error: error.to_string() };
                    match self.json {
                        true => output::json(&mut self.out, &failed)?,
                        false => writeln!(self.out, "{query}: failed: {}", failed.error)?,
                    }
                }
            }
            Ok(compared) => {
                self.times.push(took.as_secs_f32() * 1e6);
                counts.compared += u64::from(compared.is_some());
                if let Some(Err(difference)) = compared {
                    counts.different += 1;
                    if counts.different <= MOST_TOLD {
                        match self.json {
                            true => output::json(&mut self.out, &difference)?,
                            false => writeln!(self.out, "{difference}")?,
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, rate: f64) -> Result<()> {
        self.times.sort_by(f32::total_cmp);
        let at =
            |share: f64| self.times.get((self.times.len() as f64 * share) as usize).map(|us| f64::from(*us));
        (self.counts.p50_us, self.counts.p99_us) = (at(0.5), at(0.99));
        let Counts { calls, failed, left_out, late, compared, different, seconds, p50_us, p99_us } =
            self.counts;
        if self.json {
            output::json(&mut self.out, &self.counts)?;
        } else {
            writeln!(
                self.out,
                "{calls} calls in {seconds:.1} s ({rate}x): {failed} failed, {late} late, {left_out} left out"
            )?;
            if let (Some(p50), Some(p99)) = (p50_us, p99_us) {
                writeln!(self.out, "p50 {:.2} ms, p99 {:.2} ms", p50 / 1e3, p99 / 1e3)?;
            }
            if compared > 0 {
                let result = if different == 0 {
                    "all answers are equal".to_owned()
                } else {
                    format!("{different} different")
                };
                writeln!(self.out, "{compared} compared: {result}")?;
            }
        }
        self.out.flush()?;
        exit::found(failed == 0 && different == 0)
    }
}
