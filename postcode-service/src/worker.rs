//! The workers, which do the jobs part by part.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use postcode_core::{ErrorKind, PostcodeLookup};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::api::bulk_lines;
use crate::enrich::{self, AbsentColumns, enrich_piece};
use crate::jobs::Jobs;
use crate::jobs::callback::delivery;
use crate::jobs::clock::Clock;
use crate::jobs::job::{Recipe, Slice, now};
use crate::jobs::store::{Error, Finished, Handler, Store, Turn, Work};

/// Gives the lookup of the moment: that of a server changes when its data is opened again.
pub type Source = Arc<dyn Fn() -> Arc<dyn PostcodeLookup> + Send + Sync>;

/// How the work is done.
#[derive(Clone)]
pub struct Workers {
    /// Parts worked on at once.
    pub count: usize,
    /// How long a worker may be silent before it counts as dead and its part is given to another.
    pub presumed_dead: Duration,
    /// The source of answers.
    pub source: Source,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("count", &self.count)
            .field("presumed_dead", &self.presumed_dead)
            .finish_non_exhaustive()
    }
}

/// How often a queue that was empty is looked at; new tasks of this process are known at once.
const POLL: Duration = Duration::from_millis(500);
/// A part takes a moment; one that takes this long hangs.
const LONGEST: Duration = Duration::from_secs(120);
/// A part that was begun so often and never ended, for its worker died each time, fails its job.
const MOST_ATTEMPTS: usize = 25;
/// A part whose lookup failed so often in a row fails its job: some 40 minutes by the delays
/// between.
const MOST_FAILURES: i64 = 20;
/// The interval of maintenance.
const ROUND: Duration = Duration::from_secs(30);
/// A task that is not in the queue and was not touched for this long has been lost.
const LOST: Duration = Duration::from_secs(300);
/// How long an upload may bring nothing before it counts as abandoned.
const UPLOAD: Duration = Duration::from_secs(15 * 60);
/// The pause before a worker that failed starts again.
const PAUSE: Duration = Duration::from_secs(1);

/// Works until `stop` is true, and finishes the current parts first.
pub async fn run(jobs: Jobs, workers: Workers, mut stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    let store = tokio::select! {
        store = jobs.opened() => store,
        _ = stopped.wait_for(|stop| *stop) => None,
    };
    let Some(store) = store else { return };
    let mut running = JoinSet::new();
    for _ in 0..workers.count {
        let (jobs, store, workers) = (jobs.clone(), store.clone(), workers.clone());
        running.spawn(again(stop.clone(), workers.presumed_dead, jobs.nudge(), move |turn, stop| {
            let handler = slices(jobs.clone(), store.clone(), workers.source.clone());
            let store = store.clone();
            async move { store.work_on_slices(turn, handler, stop).await }.boxed()
        }));
    }
    // Every process with the secrets sends callbacks, also a server without workers.
    if let Some(callbacks) = jobs.callbacks().cloned() {
        running.spawn(delivery::run(store.clone(), callbacks, jobs.nudge(), stop.clone()));
    }
    running.spawn(upkeep(jobs, store, stop.clone()));
    let _ = stop.wait_for(|stop| *stop).await;
    while running.join_next().await.is_some() {}
}

/// Restarts a worker under a new name after each error: the queue ends a worker at the first
/// database error.
async fn again<F>(mut stop: watch::Receiver<bool>, presumed_dead: Duration, nudge: Arc<Notify>, work: F)
where
    F: Fn(
        Turn,
        futures::future::BoxFuture<'static, ()>,
    ) -> futures::future::BoxFuture<'static, Result<(), Error>>,
{
    while !*stop.borrow() {
        let name = format!("worker-{}", Uuid::now_v7());
        let turn = Turn { name, presumed_dead, poll: POLL, nudge: nudge.clone() };
        let mut stopped = stop.clone();
        let until = async move { drop(stopped.wait_for(|stop| *stop).await) }.boxed();
        // The queue panics where it finds itself in a state that it does not know.
        let ended = std::panic::AssertUnwindSafe(work(turn, until)).catch_unwind().await;
        let why = match ended {
            Ok(Ok(())) if *stop.borrow() => return,
            Ok(Ok(())) => "it stopped by itself".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it panicked".to_owned(),
        };
        tracing::warn!(why, "a worker of the jobs stopped: starting another");
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Returns the handler for parts in the queue.
fn slices(jobs: Jobs, store: Arc<dyn Store>, source: Source) -> Handler<Slice> {
    Arc::new(move |slice, attempt| {
        let (jobs, store, lookup) = (jobs.clone(), store.clone(), source());
        async move {
            let done = work_on(&jobs, &*store, lookup, &slice, attempt).await;
            match &done {
                Ok(()) => jobs.changed(&slice.job),
                Err(error) => {
                    tracing::warn!(job = slice.job, part = slice.part, %error, "a part was not done");
                    // The queue would give it back at once.
                    tokio::time::sleep(PAUSE).await;
                }
            }
            done
        }
        .boxed()
    })
}

async fn work_on(
    jobs: &Jobs,
    store: &dyn Store,
    lookup: Arc<dyn PostcodeLookup>,
    slice: &Slice,
    attempt: usize,
) -> Result<(), Error> {
    let Some(work) = store.begin(slice).await? else { return Ok(()) };
    if attempt > MOST_ATTEMPTS {
        let why = format!("a part of the rows was begun {MOST_ATTEMPTS} times and never ended");
        return store.fail(&slice.job, &why).await;
    }
    let rows = work.rows;
    let answered = match jobs.room() {
        Ok(()) => {
            let late = |_| Err(Failed::later("the lookup took too long".to_owned()));
            tokio::time::timeout(LONGEST, answer(work, lookup)).await.unwrap_or_else(late)
        }
        Err(error) => Err(Failed::later(error.to_string())),
    };
    let failed = match answered {
        Ok(output) => {
            return match store.finish(slice, rows, &output, jobs.bounds()).await? {
                Finished::Kept | Finished::NotNeeded => Ok(()),
                Finished::TooMuch(why) => store.fail(&slice.job, &why).await,
            };
        }
        Err(failed) => failed,
    };
    if failed.for_good {
        return store.fail(&slice.job, &failed.why).await;
    }
    let failures = store.postpone(slice, &failed.why, delay).await?;
    tracing::warn!(job = slice.job, part = slice.part, failures, why = failed.why, "a part is put off");
    if failures >= MOST_FAILURES {
        store.fail(&slice.job, &failed.why).await?;
    }
    Ok(())
}

/// Returns how long a part is postponed: 1 s, 2 s, 4 s … up to four minutes.
fn delay(failures: i64) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).clamp(0, 8))
}

/// Why a part was not answered.
struct Failed {
    why: String,
    /// Trying again would not help.
    for_good: bool,
}

impl Failed {
    fn later(why: String) -> Self {
        Self { why, for_good: false }
    }
}

impl From<enrich::Error> for Failed {
    fn from(error: enrich::Error) -> Self {
        match error {
            enrich::Error::Lookup(error) => error.into(),
            other => Self { why: other.to_string(), for_good: true },
        }
    }
}

impl From<postcode_core::Error> for Failed {
    fn from(error: postcode_core::Error) -> Self {
        // Decide by the kind and not by `is_transient`. After its retries a client says that trying
        // again does not help, but it means within one call. A job has more time.
        let for_good =
            !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Overloaded);
        // The message is for the log only: it may name hosts of the operator.
        tracing::warn!(%error, "the lookup failed");
        let why = match error.kind() {
            ErrorKind::Timeout => "the source of the postcodes gave no answer in time".to_owned(),
            ErrorKind::Unavailable => "the source of the postcodes is away".to_owned(),
            ErrorKind::Overloaded => "the source of the postcodes is overloaded".to_owned(),
            kind => format!("the lookup failed: {}; the log of the worker says why", kind.code()),
        };
        Self { for_good, why }
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self { why: format!("the job can't be read: {error}"), for_good: true }
    }
}

async fn answer(work: Work, lookup: Arc<dyn PostcodeLookup>) -> Result<Vec<u8>, Failed> {
    let mut out = work.head;
    let rows = match serde_json::from_str(&work.plan)? {
        Recipe::Rows { plan, header } => {
            // The data of a worker may be another edition than that of the server that took the job.
            if !plan.allow_empty {
                let info = enrich::described(&*lookup).await?;
                AbsentColumns::check(&plan.columns, &info).map_err(enrich::Error::from)?;
            }
            let line = u64::try_from(work.first_line).unwrap_or(1);
            enrich_piece(work.input, line, header, Arc::from(plan), lookup).await?
        }
        Recipe::Postcodes { query } => {
            let texts = serde_json::Deserializer::from_slice(&work.input).into_iter::<String>();
            let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
            bulk_lines(&*lookup, &query, &texts).await?
        }
    };
    out.extend_from_slice(&rows);
    Ok(out)
}

/// Runs maintenance at intervals.
async fn upkeep(jobs: Jobs, store: Arc<dyn Store>, mut stop: watch::Receiver<bool>) {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let mut clock = Clock::new(now());
    loop {
        let now = clock.now(now());
        let restored = store.restore(now - millis(LOST)).await;
        let cleared = store.clear(now - millis(UPLOAD), now.saturating_sub(millis(jobs.limits().keep))).await;
        match (&restored, &cleared) {
            (Ok(0), Ok(_)) => {}
            (Ok(restored), Ok(_)) => {
                tracing::warn!(restored, "missing tasks are in the queue again")
            }
            (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "the maintenance of jobs failed"),
        }
        if let Ok(census) = store.count().await {
            jobs.gauges().set(census);
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
