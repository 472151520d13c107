//! How far a job is: now, when it has ended, or all the time.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use http::{Extensions, HeaderMap, StatusCode};
use postcode_edge::{ClientKey, Turn};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::App;
use super::super::failure::{Failure, Outcome};
use super::super::own_time::OwnTime;
use super::super::params::Params;
use super::super::reply::json;
use super::caller::{find, there};
use super::room::place;
use super::view;
use crate::api::wait::wait;

/// How long the answer may take after a wait.
const ASKING: Duration = Duration::from_secs(10);
/// How often a job is looked at that another process may be working on.
const LOOK: Duration = Duration::from_secs(1);
/// The shortest time between two events. More frequent changes are combined.
const PAUSE: Duration = Duration::from_millis(100);
/// The id of the last event.
const END: &str = "end";

pub(super) async fn job(
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
    time: OwnTime,
    extensions: Extensions,
    headers: HeaderMap,
) -> Outcome {
    let store = there(&app).await?;
    let mut changes = Changes::of(&app, &id);
    let mut job = find(&*store, &headers, &id).await?;
    if let Some(wait) = wait(&params)? {
        let place = place(app.jobs.watchers(), params.client(), "waiting for jobs")?;
        let mut lost = pin!(place.lost());
        // The request now only waits, in a separate place, so it gives back its place among those
        // at work.
        if let Some(turn) = extensions.get::<Turn>() {
            turn.give_back();
        }
        time.allow(wait + ASKING);
        let until = Instant::now() + wait;
        while !job.state.has_ended() {
            let goes_on = tokio::select! {
                goes_on = changes.next(Some(until)) => goes_on,
                // Others have waited less long, so this request is answered with the current state.
                () = lost.as_mut() => false,
            };
            if !goes_on {
                break;
            }
            job = find(&*store, &headers, &id).await?;
        }
    }
    json(&view::of(&app, &*store, &job).await?)
}

/// Sends server-sent events: `progress` while the job runs, with the job as in `GET /jobs/{id}`,
/// and `end`. Each connection begins with the current state, so nothing is lost between two of
/// them.
pub(super) async fn events(
    State(app): State<App>,
    Path(id): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let store = there(&app).await?;
    find(&*store, &headers, &id).await?;
    // A browser reconnects after the last event unless it gets this answer.
    if headers.get("last-event-id").is_some_and(|last| last == END) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = place(app.jobs.watchers(), ClientKey::of(&extensions), "waiting for jobs")?;
    let lost = place.lost();
    let changes = Changes::of(&app, &id);
    let begun = (app, changes, String::new(), false);
    let events = stream::unfold(begun, move |(app, mut changes, mut told, ended)| {
        let (store, headers, id, _place) = (store.clone(), headers.clone(), id.clone(), &place);
        let _ = _place;
        async move {
            if ended {
                return None;
            }
            loop {
                let job = find(&*store, &headers, &id).await.ok()?;
                let ended = job.state.has_ended();
                let data = view::of(&app, &*store, &job).await.ok()?.to_string();
                if data != told {
                    told.clone_from(&data);
                    let event = match ended {
                        true => Event::default().event("end").id(END),
                        false => Event::default().event("progress").id(job.done.to_string()),
                    };
                    return Some((Ok::<_, Infallible>(event.data(data)), (app, changes, told, ended)));
                }
                if !changes.next(None).await {
                    return None;
                }
            }
        }
    });
    // With too many watchers the one that has watched longest makes room. A browser reconnects by
    // itself.
    Ok(sse(events.take_until(lost)))
}

fn sse(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// The changes of a job.
struct Changes {
    id: String,
    changes: broadcast::Receiver<String>,
    closing: watch::Receiver<bool>,
}

impl Changes {
    fn of(app: &App, id: &str) -> Self {
        Self { id: id.to_owned(), changes: app.jobs.changes(), closing: app.jobs.closing() }
    }

    /// Waits until it may have changed; false if the time is over or the server ends.
    async fn next(&mut self, until: Option<Instant>) -> bool {
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let changed = async {
            loop {
                match self.changes.recv().await {
                    Ok(id) if id != self.id => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
            tokio::time::sleep(PAUSE).await;
        };
        tokio::select! {
            () = over => false,
            _ = self.closing.wait_for(|closing| *closing) => false,
            () = changed => true,
            () = tokio::time::sleep(LOOK) => true,
        }
    }
}
