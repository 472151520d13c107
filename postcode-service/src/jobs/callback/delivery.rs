//! Sending them.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use postcode_edge::webhook::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::Callbacks;
use crate::jobs::job::now;
use crate::jobs::store::{Callback, Error, Store};

/// The longest delay between two attempts.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The most callbacks that this process sends at once.
const AT_ONCE: usize = 32;
/// The interval of asking the database for due callbacks. Callbacks of this process are known at
/// once.
const POLL: Duration = Duration::from_millis(500);
/// The pause after the database could not be asked.
const PAUSE: Duration = Duration::from_secs(1);
/// How much longer than an attempt may take a callback is kept from others: for the database. After
/// that its sender is taken for dead.
const GRACE: Duration = Duration::from_secs(30);

/// Sends due callbacks until `stop` is true, and finishes those in flight first.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    callbacks: Callbacks,
    nudge: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let mut under_way = JoinSet::new();
    while !*stop.borrow() {
        // Register before asking the database, so that nothing stored in between is missed.
        let nudged = nudge.notified();
        tokio::pin!(nudged);
        nudged.as_mut().enable();
        let mut pause = POLL;
        let places = AT_ONCE.saturating_sub(under_way.len());
        if places > 0 {
            match store.claim_callbacks(places as i64, millis(callbacks.0.timeout + GRACE)).await {
                Ok(claimed) => {
                    for callback in claimed {
                        under_way.spawn(see_to(store.clone(), callbacks.clone(), callback));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "due callbacks can't be read");
                    pause = PAUSE;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = nudged, if pause == POLL => {}
            Some(ended) = under_way.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a callback could not be attempted");
                }
            }
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Attempts one callback. On a database error another sender takes it when its time is over.
async fn see_to(store: Arc<dyn Store>, callbacks: Callbacks, callback: Callback) {
    if let Err(error) = deliver(&*store, &callbacks, &callback).await {
        tracing::warn!(callback = callback.id, %error, "the result of a callback can't be stored");
    }
}

async fn deliver(store: &dyn Store, callbacks: &Callbacks, callback: &Callback) -> Result<(), Error> {
    let (id, host) = (&callback.id, &callback.host);
    let breakers = &callbacks.0.breakers;
    // One tenant's callbacks to a closed port must not stop those of another tenant.
    let receiver = &format!("{} {host}", callback.tenant);
    if let Some(left) = breakers.open(receiver) {
        return store.hold_callbacks(callback, later(left), callbacks.too_old()).await;
    }
    let failed = match callbacks.send(callback).await {
        Ok(()) => {
            breakers.answered(receiver);
            return store.callback_delivered(id).await;
        }
        Err(failed) => failed,
    };
    let attempts = u32::try_from(callback.attempts).unwrap_or(u32::MAX).saturating_add(1);
    let for_good = matches!(failed, Failed::Gone(_));
    let again = (!for_good && attempts < callbacks.0.attempts).then(|| callbacks.again(attempts));
    tracing::warn!(
        callback = id,
        host,
        attempts,
        dead = again.is_none(),
        why = failed.why(),
        "a callback failed"
    );
    store.callback_failed(id, failed.told(), again).await?;
    match failed {
        Failed::NoAnswer(_) => {
            if let Some(pause) = breakers.silent(receiver) {
                tracing::warn!(host, ?pause, "this host does not answer callbacks: it gets none for a while");
                store.hold_callbacks(callback, later(pause), callbacks.too_old()).await?;
            }
        }
        Failed::Answered(_) | Failed::Gone(_) => breakers.answered(receiver),
        Failed::NotSent(_) => {}
    }
    Ok(())
}

/// Why a callback was not taken.
enum Failed {
    /// The receiver answered 410: it wants no more of them.
    Gone(String),
    Answered(String),
    NoAnswer(String),
    NotSent(String),
}

impl Failed {
    fn why(&self) -> &str {
        match self {
            Self::Gone(why) | Self::Answered(why) | Self::NoAnswer(why) | Self::NotSent(why) => why,
        }
    }

    /// Returns the reason for the tenant. How names resolve here and what a certificate contains go
    /// to the log only, or a tenant could explore the operator's network.
    fn told(&self) -> &str {
        match self {
            Self::Gone(why) | Self::Answered(why) => why,
            Self::NoAnswer(_) | Self::NotSent(_) => "it could not be reached",
        }
    }
}

impl Callbacks {
    async fn send(&self, callback: &Callback) -> Result<(), Failed> {
        // The operator's rules may have changed since the job was submitted.
        let url = self.0.guard.check(&callback.url).map_err(Failed::NotSent)?;
        let (timestamp, body) = (now() / 1_000, callback.body.as_bytes());
        let signature = self.0.secrets.sign(&callback.tenant, &callback.id, timestamp, body);
        let signature = signature.map_err(|e| Failed::NotSent(format!("it can't be signed: {e}")))?;
        let request = self
            .0
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, &callback.id)
            .header(HEADER_WEBHOOK_TIMESTAMP, timestamp)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(callback.body.clone());
        // The body of the answer is not read.
        let sent = request.send().await.map_err(|e| Failed::NoAnswer(said(&e.without_url())));
        let status = sent?.status();
        let why = format!("it answered {status}");
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(Failed::Gone(why)),
            _ => Err(Failed::Answered(why)),
        }
    }

    /// Returns the delay after that many attempts. It grows with each.
    fn delay(&self, attempts: u32) -> Duration {
        let factor = 3_u32.saturating_pow(attempts.saturating_sub(1));
        self.0.first_delay.saturating_mul(factor).min(LONGEST)
    }

    /// Returns the time of the next attempt, with jitter against other callbacks.
    fn again(&self, attempts: u32) -> i64 {
        later(self.delay(attempts).mul_f64(fastrand::f64().mul_add(0.4, 0.8)))
    }

    /// Returns a limit: a callback that was due before it, and whose host is left alone, is dead.
    /// It has waited for a day longer than all its attempts would have taken. Without the limit a
    /// host that never answers would keep its jobs for ever.
    fn too_old(&self) -> i64 {
        let (first, later) = (self.0.attempts.min(20), self.0.attempts.saturating_sub(20));
        let delays =
            (1..=first).fold(Duration::ZERO, |sum, attempts| sum.saturating_add(self.delay(attempts)));
        let all = delays.saturating_add(LONGEST.saturating_mul(later)).saturating_add(DAY);
        now().saturating_sub(millis(all))
    }
}

fn later(delay: Duration) -> i64 {
    now().saturating_add(millis(delay))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Formats an error and its causes: reqwest gives the reason in the last one.
fn said(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
