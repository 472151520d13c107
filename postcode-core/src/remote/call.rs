//! One call of the trait: its deadline, its request id, and the attempts of its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client::Client;
use super::coding;
use super::config::{Config, Encoding};
use super::reply::{self, Reply};
use crate::layers::{deadline, span};
use crate::lookup::trace::TraceParent;
use crate::lookup::unit;
use crate::wire::{
    COMPARISON, DEADLINE_HEADER, IF_EDITION_HEADER, PURPOSE_HEADER, REQUEST_ID_HEADER, TRACE_HEADER,
};
use crate::{Error, ErrorKind, Result};

/// The longest pause before a retry, unless the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// At least five times as long as any record in JSON. Longer answers are not read.
const RECORD_BYTES: usize = 16 << 10;
/// The size of the rest of an answer.
const EXTRA_BYTES: usize = 256 << 10;

/// A server that does not know the first answers with the second.
const COMPACT_OR_JSON: &str = "application/vnd.postcode.v1+postcard, application/json;q=0.5";

/// One HTTP request.
pub(super) struct Ask {
    method: Method,
    /// Path and query, relative to the base address.
    target: String,
    body: Option<Bytes>,
    /// The most records in the answer.
    records: usize,
    /// Whether the answer may be compact.
    has_records: bool,
}

impl Ask {
    /// Creates a request whose answer has at most `records` records.
    pub(super) fn get(target: String, records: usize) -> Self {
        Self { method: Method::GET, target, body: None, records, has_records: false }
    }

    pub(super) fn post(target: String, body: &impl Serialize, records: usize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|e| {
            Error::new(ErrorKind::Internal, "the request can't be written as JSON").with_source(e)
        })?;
        Ok(Self { method: Method::POST, body: Some(body.into()), ..Self::get(target, records) })
    }

    /// Accepts an answer in the compact encoding too, because it consists of records.
    pub(super) fn of_records(self) -> Self {
        Self { has_records: true, ..self }
    }

    /// Returns the most bytes of the answer that are read.
    fn limit(&self) -> usize {
        EXTRA_BYTES.saturating_add(self.records.saturating_mul(RECORD_BYTES))
    }
}

pub(super) struct Call<'a> {
    inner: &'a Client,
    deadline: Instant,
    /// How much time it had at its beginning.
    within: Duration,
    id: HeaderValue,
    answers: AtomicU64,
    /// The edition that the caller demands.
    edition: Option<Arc<str>>,
    /// The caller's trace, or a new one.
    trace: u128,
    /// The caller's span and flags, if it belongs to a trace.
    parent: Option<TraceParent>,
    /// Whether the answer is only compared.
    comparison: bool,
}

impl<'a> Call<'a> {
    /// Starts a call now, with the configured deadline, or the caller's if that is earlier.
    pub(super) fn new(inner: &'a Client) -> Self {
        let within = inner.config.deadline();
        let within = deadline::remaining().map_or(within, |left| left.min(within));
        let id = format!("{:016x}", fastrand::u64(..));
        let parent = unit::trace();
        Self {
            inner,
            deadline: Instant::now() + within,
            within,
            // Hexadecimal digits are always a valid header value.
            id: HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("0")),
            answers: AtomicU64::new(0),
            edition: unit::edition(),
            trace: parent.map_or_else(|| fastrand::u128(1..), |parent| parent.trace),
            parent,
            comparison: unit::is_comparison(),
        }
    }

    /// Returns the same call without a demand for an edition.
    pub(super) fn of_any_edition(self) -> Self {
        Self { edition: None, ..self }
    }

    pub(super) fn config(&self) -> &'a Config {
        &self.inner.config
    }

    /// Returns how many answers this call has already had, which tells which of two came later.
    pub(super) fn count_answer(&self) -> u64 {
        self.answers.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request until there is an answer, a permanent error, no retry left or no time left.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Reply> {
        let Client { config, budget, .. } = self.inner;
        budget.deposit();
        let mut attempts = 0;
        loop {
            let error = match self.traced(ask, attempts + 1).await {
                Ok(reply) => return Ok(reply),
                Err(error) if !error.is_transient() => return Err(error),
                // Nobody waits for a comparison, so a busy server is not asked again.
                Err(error) if self.comparison && error.kind() == ErrorKind::Overloaded => return Err(error),
                Err(error) => error,
            };
            attempts += 1;
            let pause = pause(config.backoff, attempts).max(error.retry_after().unwrap_or_default());
            let again = Instant::now() + pause;
            if attempts > config.retries || again >= self.deadline {
                return Err(self.give_up(error, attempts));
            }
            if !budget.withdraw() {
                return Err(self.give_up(error.and("(not retried: the retry budget is used up)"), attempts));
            }
            sleep_until(again).await;
        }
    }

    /// Marks an error left after retries as persistent. Without retries, an outer layer may still
    /// retry it.
    pub(super) fn give_up(&self, error: Error, attempts: usize) -> Error {
        match (self.inner.config.retries, attempts) {
            (0, _) => error,
            (_, 1) => error.into_persistent(),
            (_, _) => error.and(format_args!("({attempts} attempts)")).into_persistent(),
        }
    }

    /// Makes one attempt in a separate span, whose id the request carries.
    async fn traced(&self, ask: &Ask, attempt: usize) -> Result<Reply> {
        let mut ids = TraceParent { trace: self.trace, span: fastrand::u64(1..), flags: 0 };
        let span = span::request(attempt, ids, self.parent.map(|parent| parent.span));
        ids.flags = self.parent.map_or(u8::from(span.is_some()), |parent| parent.flags);
        span::within(span, self.attempt(ask, ids)).await
    }

    async fn attempt(&self, ask: &Ask, ids: TraceParent) -> Result<Reply> {
        let config = &self.inner.config;
        let place = format!("{} {}{}", ask.method, config.address, ask.target);
        let now = Instant::now();
        let Some(left) = self.deadline.checked_duration_since(now).filter(|left| !left.is_zero()) else {
            return Err(self.late().at(place));
        };
        let patience = left.min(config.timeout());
        let request = self.request(ask, patience, ids).map_err(|error| error.at(&place))?;
        let limit = ask.limit();
        match timeout_at(now + patience, self.inner.send(request, limit)).await {
            Ok(Ok(response)) => match coding::unpacked(response, limit) {
                Ok(response) => self.of_edition(reply::read(place, response, ask.records)?),
                Err(error) => Err(error.at(place)),
            },
            Ok(Err(error)) => Err(error.at(place)),
            Err(_) if patience < config.timeout() => Err(self.late().at(place)),
            Err(_) => {
                let message =
                    format!("no answer within {patience:?}. If that is too short, set option timeout");
                Err(Error::new(ErrorKind::Timeout, message).at(place))
            }
        }
    }

    /// Refuses an answer from another edition than the caller demands. An older server does not know
    /// the header, but says which edition answered.
    fn of_edition(&self, reply: Reply) -> Result<Reply> {
        match (&self.edition, &reply.edition) {
            (Some(demanded), Some(actual)) if **demanded != **actual => {
                Err(reply.place(unit::moved(demanded, actual)))
            }
            (_, actual) => {
                if let Some(actual) = actual {
                    unit::note_edition(actual);
                }
                Ok(reply)
            }
        }
    }

    fn late(&self) -> Error {
        let message = if self.within < self.inner.config.deadline() {
            format!("not finished within the {:?} that the caller had left", self.within)
        } else {
            format!(
                "not finished within the deadline of {:?}. If that is too short, set option deadline",
                self.within
            )
        };
        Error::new(ErrorKind::Timeout, message)
    }

    fn request(&self, ask: &Ask, patience: Duration, ids: TraceParent) -> Result<http::Request<Bytes>> {
        let address = &self.inner.config.address;
        let accept = match self.inner.config.encoding {
            Encoding::Compact if ask.has_records => COMPACT_OR_JSON,
            _ => "application/json",
        };
        let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut request = http::Request::builder()
            .method(&ask.method)
            .uri(format!("{}{}", address.base, ask.target))
            .header(header::ACCEPT, accept)
            .header(header::ACCEPT_ENCODING, coding::wanted(address, ask.records))
            .header(DEADLINE_HEADER, millis)
            .header(REQUEST_ID_HEADER, &self.id)
            .header(TRACE_HEADER, ids.to_string());
        if self.comparison {
            request = request.header(PURPOSE_HEADER, COMPARISON);
        }
        if let Some(edition) = &self.edition {
            request = request.header(IF_EDITION_HEADER, &**edition);
        }
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(ask.body.clone().unwrap_or_default()).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("the request can't be made: {e}")).with_source(e)
        })
    }
}

/// Returns a random pause ("full jitter") from zero to a limit that doubles with each attempt, so
/// that clients that failed together don't come back together.
fn pause(first: Duration, attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let longest = first.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE);
    longest.mul_f64(fastrand::f64())
}
