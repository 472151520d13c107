//! One call of the trait: its deadline, its request id, and the attempts of each of its requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client::Client;
use super::config::Config;
use super::reply::{self, Reply};
use crate::layers::deadline;
use crate::wire::{DEADLINE_HEADER, REQUEST_ID_HEADER};
use crate::{Error, ErrorKind, Result};

/// The longest pause before an attempt is repeated, unless the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// No record is longer than this in JSON, by a factor of five; what is longer is not read.
const RECORD_BYTES: usize = 16 << 10;
/// What else an answer may hold.
const EXTRA_BYTES: usize = 256 << 10;

/// What is asked for.
pub(super) struct Ask {
    method: Method,
    /// Path and query, below the base address.
    target: String,
    body: Option<Bytes>,
    /// How many bytes of answer are read.
    limit: usize,
}

impl Ask {
    /// A question whose answer has at most that many records.
    pub(super) fn get(target: String, records: usize) -> Self {
        Self { method: Method::GET, target, body: None, limit: EXTRA_BYTES + records * RECORD_BYTES }
    }

    pub(super) fn post(target: String, body: &impl Serialize, records: usize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|e| {
            Error::new(ErrorKind::Internal, "the request can't be written as JSON").with_source(e)
        })?;
        Ok(Self { method: Method::POST, body: Some(body.into()), ..Self::get(target, records) })
    }
}

pub(super) struct Call<'a> {
    inner: &'a Client,
    deadline: Instant,
    /// How long it had at its beginning.
    within: Duration,
    id: HeaderValue,
    answers: AtomicU64,
}

impl<'a> Call<'a> {
    /// Begins now, with the whole deadline before it, or what is left of the caller's.
    pub(super) fn new(inner: &'a Client) -> Self {
        let within = inner.config.deadline();
        let within = deadline::remaining().map_or(within, |left| left.min(within));
        let id = format!("{:016x}", fastrand::u64(..));
        Self {
            inner,
            deadline: Instant::now() + within,
            within,
            // Hexadecimal digits are always a header value.
            id: HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("0")),
            answers: AtomicU64::new(0),
        }
    }

    pub(super) fn config(&self) -> &'a Config {
        &self.inner.config
    }

    /// How many answers this call has had before: tells which of two came later.
    pub(super) fn count_answer(&self) -> u64 {
        self.answers.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks until there is an answer, an error that does not pass, no retry left or no time left.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Reply> {
        let Client { config, budget, .. } = self.inner;
        budget.deposit();
        let mut attempts = 0;
        loop {
            let error = match self.attempt(ask).await {
                Ok(reply) => return Ok(reply),
                Err(error) if !error.is_transient() => return Err(error),
                Err(error) => error,
            };
            attempts += 1;
            let pause = pause(config.backoff, attempts).max(error.retry_after().unwrap_or_default());
            let again = Instant::now() + pause;
            if attempts > config.retries || again >= self.deadline {
                return Err(self.give_up(error, attempts));
            }
            if !budget.withdraw() {
                return Err(self.give_up(error.and("(no retry: their budget is spent)"), attempts));
            }
            sleep_until(again).await;
        }
    }

    /// Where retries are ours, what they leave is persistent. Without them an outer layer may retry.
    pub(super) fn give_up(&self, error: Error, attempts: usize) -> Error {
        match (self.inner.config.retries, attempts) {
            (0, _) => error,
            (_, 1) => error.into_persistent(),
            (_, _) => error.and(format_args!("({attempts} attempts)")).into_persistent(),
        }
    }

    async fn attempt(&self, ask: &Ask) -> Result<Reply> {
        let config = &self.inner.config;
        let place = format!("{} {}{}", ask.method, config.address, ask.target);
        let now = Instant::now();
        let Some(left) = self.deadline.checked_duration_since(now).filter(|left| !left.is_zero()) else {
            return Err(self.late().at(place));
        };
        let patience = left.min(config.timeout());
        let request = self.request(ask, patience).map_err(|error| error.at(&place))?;
        match timeout_at(now + patience, self.inner.send(request, ask.limit)).await {
            Ok(Ok(response)) => reply::read(place, response),
            Ok(Err(error)) => Err(error.at(place)),
            Err(_) if patience < config.timeout() => Err(self.late().at(place)),
            Err(_) => {
                let message =
                    format!("no answer within {patience:?}: if that is too short set option timeout");
                Err(Error::new(ErrorKind::Timeout, message).at(place))
            }
        }
    }

    fn late(&self) -> Error {
        let message = if self.within < self.inner.config.deadline() {
            format!("not done within the {:?} that its caller had left", self.within)
        } else {
            format!(
                "not done within the {:?} of the call: if that is too short set option deadline",
                self.within
            )
        };
        Error::new(ErrorKind::Timeout, message)
    }

    fn request(&self, ask: &Ask, patience: Duration) -> Result<http::Request<Bytes>> {
        let address = &self.inner.config.address;
        let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut request = http::Request::builder()
            .method(&ask.method)
            .uri(format!("{}{}", address.base, ask.target))
            .header(header::ACCEPT, "application/json")
            .header(DEADLINE_HEADER, millis)
            .header(REQUEST_ID_HEADER, &self.id);
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(ask.body.clone().unwrap_or_default()).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("the request can't be made: {e}")).with_source(e)
        })
    }
}

/// Full jitter: anything from nothing to a limit that doubles, so that clients that failed together do not come
/// back together.
fn pause(first: Duration, attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let longest = first.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE);
    longest.mul_f64(fastrand::f64())
}
