//! Sending them.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};

use super::Callbacks;
use crate::jobs::job::now;
use crate::jobs::store::{Callback, Error, Handler, Store};

/// The longest delay between two attempts.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);
/// Before the queue gives a task back, where the database could not be asked.
const PAUSE: Duration = Duration::from_secs(1);

/// What is done with a callback of the queue.
pub(crate) fn handler(store: Arc<dyn Store>, callbacks: Callbacks) -> Handler<String> {
    Arc::new(move |id, _| {
        let (store, callbacks) = (store.clone(), callbacks.clone());
        async move {
            let done = deliver(&*store, &callbacks, &id).await;
            if let Err(error) = &done {
                tracing::warn!(callback = id, %error, "a callback was not seen to");
                tokio::time::sleep(PAUSE).await;
            }
            done
        }
        .boxed()
    })
}

async fn deliver(store: &dyn Store, callbacks: &Callbacks, id: &str) -> Result<(), Error> {
    let Some(callback) = store.pending_callback(id).await? else { return Ok(()) };
    match callbacks.send(&callback).await {
        Ok(()) => store.callback_delivered(id).await,
        Err(failed) => {
            let attempts = u32::try_from(callback.attempts).unwrap_or(u32::MAX).saturating_add(1);
            let again =
                (!failed.for_good && attempts < callbacks.0.attempts).then(|| callbacks.again(attempts));
            tracing::warn!(
                callback = id,
                attempts,
                dead = again.is_none(),
                why = failed.why,
                "a callback failed"
            );
            store.callback_failed(id, &failed.why, again).await
        }
    }
}

struct Failed {
    why: String,
    /// The receiver wants no more of them.
    for_good: bool,
}

impl Callbacks {
    async fn send(&self, callback: &Callback) -> Result<(), Failed> {
        let later = |why: String| Failed { why, for_good: false };
        // What the operator allows may have changed since it was asked for.
        let url = self.0.guard.check(&callback.url).map_err(later)?;
        let timestamp = now() / 1_000;
        let signature = self.0.webhook.sign(&callback.id, timestamp, callback.body.as_bytes());
        let signature = signature.map_err(|e| later(format!("it could not be signed: {e}")))?;
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
        let status = request.send().await.map_err(|e| later(said(&e.without_url())))?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(Failed { why: format!("it answered {status}"), for_good: status == StatusCode::GONE })
    }

    /// When the next attempt is due after so many: later each time, and not at the same time as those of others.
    fn again(&self, attempts: u32) -> i64 {
        let factor = 3_u32.saturating_pow(attempts.saturating_sub(1));
        let delay = self.0.first_delay.saturating_mul(factor).min(LONGEST);
        let delay = delay.mul_f64(fastrand::f64().mul_add(0.4, 0.8));
        now().saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
    }
}

/// An error and its causes: reqwest says in the last one what went wrong.
fn said(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
