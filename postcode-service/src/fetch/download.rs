//! One download, with retries.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use http::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use url::Url;

use super::Limits;
use super::part::{Offer, Part};
use super::whole;

/// Tries one after the other that bring nothing.
const MOST_FRUITLESS: u32 = 5;
/// All tries.
const MOST_TRIES: u32 = 50;
/// The number of bytes that identify a zip file.
const MAGIC: u64 = whole::MAGIC.len() as u64;
/// The longest pause before a retry, also if the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A file that was downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256, in hex.
    pub sha256: String,
    /// Whether it was there before, and the server said that it has no other.
    pub unchanged: bool,
}

pub(super) struct Download<'a> {
    pub(super) client: &'a reqwest::Client,
    pub(super) url: &'a Url,
    pub(super) to: &'a Path,
    pub(super) limits: Limits,
}

/// Why a try ended without the whole file.
enum Broken {
    /// Another try may bring more, after the pause that the server asks for.
    Retry(anyhow::Error, Option<Duration>),
    /// No other try would.
    Fatal(anyhow::Error),
}

impl From<anyhow::Error> for Broken {
    fn from(error: anyhow::Error) -> Self {
        Self::Fatal(error)
    }
}

/// How a try ended well.
enum Ended {
    Whole,
    Unchanged,
}

impl Download<'_> {
    pub(super) async fn run(&self, watch: &mut (dyn FnMut(u64, Option<u64>) + Send)) -> Result<Fetched> {
        crate::destination::check(self.to, [])?;
        let mut part = Part::open(self.to)?;
        let deadline = Instant::now() + self.limits.time;
        let (mut tries, mut fruitless, mut pause) = (0, 0, self.limits.pause);
        loop {
            let had = part.len();
            let late = |path: &Path| {
                anyhow!(
                    "it took longer than {}. What came is kept as {}: run the command again to continue",
                    humantime::format_duration(self.limits.time),
                    path.display()
                )
            };
            let ended = match timeout_at(deadline, self.attempt(&mut part, watch)).await {
                Err(_) => bail!(late(part.path())),
                Ok(ended) => ended,
            };
            let (why, asked) = match ended {
                Ok(Ended::Whole) => return self.finish(part, false).await,
                Ok(Ended::Unchanged) => return self.finish(part, true).await,
                Err(Broken::Fatal(error)) => {
                    if part.len() == 0 {
                        part.discard();
                    }
                    return Err(error);
                }
                Err(Broken::Retry(why, asked)) => (why, asked),
            };
            tries += 1;
            if part.len() > had {
                (fruitless, pause) = (0, self.limits.pause);
            } else {
                fruitless += 1;
            }
            if fruitless >= MOST_FRUITLESS || tries >= MOST_TRIES {
                if part.len() == 0 {
                    part.discard();
                    return Err(why.context(format!("given up after {tries} tries")));
                }
                let kept = part.path().display();
                let text = format!(
                    "given up after {tries} tries. What came is kept as {kept}: run the command again to continue"
                );
                return Err(why.context(text));
            }
            tracing::debug!(%why, tries, "a download broke off");
            let wait = asked.unwrap_or(pause).min(LONGEST_PAUSE);
            if timeout_at(deadline, sleep(wait)).await.is_err() {
                bail!(late(part.path()));
            }
            pause = pause.saturating_mul(2);
        }
    }

    /// Checks the file and gives it its name.
    async fn finish(&self, part: Part, unchanged: bool) -> Result<Fetched> {
        let path = if unchanged { self.to.to_owned() } else { part.path().to_owned() };
        let checked = tokio::task::spawn_blocking(move || whole::check(&path)).await;
        let checked = checked.context("the check of the file broke off")?;
        let sha256 = match checked {
            Ok(sha256) => sha256,
            Err(error) if unchanged => {
                return Err(
                    error.context(format!("{}: remove it, and run the command again", self.to.display()))
                );
            }
            Err(error) => {
                part.discard();
                return Err(error.context("the file that came can't be used and was removed"));
            }
        };
        if unchanged {
            let bytes = std::fs::metadata(self.to).map_or(0, |about| about.len());
            part.discard();
            return Ok(Fetched { bytes, sha256, unchanged });
        }
        let bytes = part.len();
        part.publish()?;
        Ok(Fetched { bytes, sha256, unchanged })
    }

    async fn attempt(
        &self,
        part: &mut Part,
        watch: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<Ended, Broken> {
        let have = self.resumable(part);
        let mut request = self.client.get(self.url.clone()).header(ACCEPT_ENCODING, "identity");
        let mut finished = None;
        match (have, part.offer().validator()) {
            (1.., Some(validator)) => {
                request = request.header(RANGE, format!("bytes={have}-")).header(IF_RANGE, validator);
            }
            _ => {
                finished = part.finished().filter(|offer| offer.url == self.url.as_str());
                if let Some(offer) = &finished {
                    // An entity tag is compared in preference to a date.
                    match (&offer.etag, &offer.modified) {
                        (Some(etag), _) => request = request.header(IF_NONE_MATCH, etag),
                        (None, Some(modified)) => request = request.header(IF_MODIFIED_SINCE, modified),
                        (None, None) => finished = None,
                    }
                }
            }
        }
        let stalled = || {
            let time = humantime::format_duration(self.limits.stall);
            Broken::Retry(anyhow!("the server sent nothing for {time}"), None)
        };
        let answer = timeout(self.limits.stall, request.send()).await.map_err(|_| stalled())?;
        let mut response = answer.map_err(|error| {
            let why = anyhow!("{}", said(&error));
            if error.is_redirect() || error.is_builder() {
                Broken::Fatal(why)
            } else {
                Broken::Retry(why, None)
            }
        })?;
        let offered = Offer {
            url: self.url.to_string(),
            etag: text(response.headers(), ETAG.as_str()),
            modified: text(response.headers(), LAST_MODIFIED.as_str()),
            total: response.content_length(),
        };
        let total = match response.status() {
            StatusCode::NOT_MODIFIED if finished.is_some() => return Ok(Ended::Unchanged),
            StatusCode::OK => {
                refuse_page(response.headers())?;
                let total = offered.total;
                self.affordable(total)?;
                part.begin(offered)?;
                total
            }
            StatusCode::PARTIAL_CONTENT if have > 0 => {
                let total = continues(response.headers(), have, part.offer(), &offered);
                let Some(total) = total else {
                    // Another file than the part is of, or another place in it.
                    part.begin(Offer::default())?;
                    let why = anyhow!("the server continued another file than the one that had begun");
                    return Err(Broken::Retry(why, None));
                };
                self.affordable(Some(total))?;
                Some(total)
            }
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
                part.begin(Offer::default())?;
                return Err(Broken::Retry(
                    anyhow!("the server has no more of the file that had begun"),
                    None,
                ));
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(Broken::Retry(
                    anyhow!("the server answered {status}"),
                    pause(response.headers()),
                ));
            }
            status => return Err(Broken::Fatal(anyhow!("the server answered {status}"))),
        };
        loop {
            watch(part.len(), total);
            let chunk = timeout(self.limits.stall, response.chunk()).await.map_err(|_| stalled())?;
            let chunk = chunk.map_err(|error| Broken::Retry(anyhow!("{}", said(&error)), None))?;
            let Some(bytes) = chunk else { break };
            part.add(&bytes)?;
            let first = part.len() >= MAGIC && part.len() - (bytes.len() as u64) < MAGIC;
            let refused = match self.affordable(Some(part.len())) {
                Ok(()) if first => refuse_others(part),
                afforded => afforded,
            };
            if let Err(refused) = refused {
                // It is of no use to a later run.
                part.begin(Offer::default())?;
                return Err(refused);
            }
        }
        match total {
            Some(total) if part.len() < total => {
                let why = anyhow!("the server cut the file off after {} of {total} bytes", part.len());
                Err(Broken::Retry(why, None))
            }
            Some(total) if part.len() > total => {
                part.begin(Offer::default())?;
                Err(Broken::Retry(
                    anyhow!("the server sent more than the {total} bytes that it had announced"),
                    None,
                ))
            }
            _ => Ok(Ended::Whole),
        }
    }

    /// Returns how much of the part can be continued: nothing if it is of another address, or if the server has no way
    /// to tell that its file is still the same.
    fn resumable(&self, part: &Part) -> u64 {
        let offer = part.offer();
        let of_this = offer.url == self.url.as_str() && offer.validator().is_some();
        let whole = offer.total.is_some_and(|total| part.len() >= total);
        if of_this && !whole { part.len() } else { 0 }
    }

    fn affordable(&self, bytes: Option<u64>) -> Result<(), Broken> {
        match bytes.filter(|bytes| *bytes > self.limits.bytes) {
            None => Ok(()),
            Some(_) => {
                let most = self.limits.bytes;
                Err(Broken::Fatal(anyhow!(
                    "the file has more than {most} bytes: raise --max-bytes if that is right"
                )))
            }
        }
    }
}

/// Refuses a file that does not begin as a zip file does, at its first bytes and not after a gigabyte.
fn refuse_others(part: &Part) -> Result<(), Broken> {
    match whole::begins(part.path())? {
        true => Ok(()),
        false => Err(Broken::Fatal(anyhow!("the server sent something that is not a zip file"))),
    }
}

/// Refuses a page for people, which servers send with the status 200 in place of a file.
fn refuse_page(headers: &HeaderMap) -> Result<(), Broken> {
    let kind = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if matches!(kind, "text/html" | "application/xhtml+xml") {
        return Err(Broken::Fatal(anyhow!("the server sent a web page in place of the file")));
    }
    Ok(())
}

/// Returns the length of the whole file, if the answer continues it where it broke off.
fn continues(headers: &HeaderMap, have: u64, begun: &Offer, offered: &Offer) -> Option<u64> {
    let range = text(headers, CONTENT_RANGE.as_str())?;
    let (place, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = place.split_once('-')?;
    let (from, to, total) = (from.parse::<u64>().ok()?, to.parse::<u64>().ok()?, total.parse::<u64>().ok()?);
    let same = |old: &Option<String>, new: &Option<String>| new.is_none() || old == new;
    let is_same = same(&begun.etag, &offered.etag) && same(&begun.modified, &offered.modified);
    let fits = have == from && to < total && begun.total.is_none_or(|begun| begun == total);
    (is_same && fits).then_some(total)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Returns the pause that a server asks for, if it names seconds.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    text(headers, RETRY_AFTER.as_str())?.trim().parse().ok().map(Duration::from_secs)
}

/// Formats an error of the client with its causes and without the address.
pub(super) fn said(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    match (error.status(), causes.is_empty()) {
        (Some(status), _) => format!("the server answered {status}"),
        (None, true) => "the request failed".to_owned(),
        (None, false) => causes.join(": "),
    }
}
