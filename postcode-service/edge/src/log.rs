//! The log of a server: writing it never keeps an answer waiting, and no flood of requests makes it
//! a flood of lines.
//!
//! Lines go through a bounded queue to a thread that writes them. When the queue is full they are
//! dropped and counted. At most `MOST` lines a second of one place in the code are written; the
//! others are counted. Refused requests are summed up once a second, see
//! [`refused`](crate::refused).

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Lines that wait to be written.
const QUEUE: usize = 8_192;
/// The most lines a second from one place in the code, at info and above. Debug and trace are not
/// limited.
const MOST: u32 = 50;
const SECOND: Duration = Duration::from_secs(1);

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text for people, in colours or not.
    Text {
        /// Whether to use colours.
        ansi: bool,
    },
    /// One JSON object a line.
    Json,
}

/// Keeps the log running. Dropping it writes the waiting lines, for at most a second.
#[must_use]
#[derive(Debug)]
pub struct Guard {
    stop: Option<mpsc::Sender<()>>,
    summaries: Option<JoinHandle<()>>,
    // Dropped last.
    _worker: WorkerGuard,
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(summaries) = self.summaries.take() {
            let _ = summaries.join();
        }
    }
}

/// Starts the log of this process on that writer, which is standard error but in tests.
///
/// # Errors
/// If there is one already, or no thread can be started.
pub fn start(
    filter: EnvFilter,
    format: Format,
    writer: impl io::Write + Send + 'static,
) -> io::Result<Guard> {
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE)
        .thread_name("log")
        .finish(writer);
    let dropped = writer.error_counter();
    let throttle = Throttle::default();
    let filter = filter.and(throttle.clone());
    let lines = fmt::layer().with_writer(writer);
    let started = match format {
        Format::Text { ansi } => {
            tracing_subscriber::registry().with(lines.with_ansi(ansi).with_filter(filter)).try_init()
        }
        Format::Json => {
            let lines = lines.with_ansi(false).json().flatten_event(true);
            tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()
        }
    };
    started.map_err(io::Error::other)?;
    let (stop, stopped) = mpsc::channel();
    let summaries = std::thread::Builder::new().name("log-summary".to_owned()).spawn(move || {
        let mut known = 0;
        loop {
            let over = stopped.recv_timeout(SECOND) != Err(RecvTimeoutError::Timeout);
            summarise(&throttle, &dropped, &mut known);
            if over {
                break;
            }
        }
    })?;
    Ok(Guard { stop: Some(stop), summaries: Some(summaries), _worker: worker })
}

fn summarise(throttle: &Throttle, dropped: &ErrorCounter, known: &mut usize) {
    crate::refused::summarise();
    let left_out = throttle.take();
    for (place, lines) in left_out {
        tracing::warn!(target: "log", lines, place, "more lines like the last ones were dropped");
    }
    let now = dropped.dropped_lines();
    if now > *known {
        let lines = now - *known;
        tracing::warn!(target: "log", lines, "lines were dropped: the log is not read fast enough");
        *known = now;
    }
}

/// Limits the events a second from each place in the code.
#[derive(Clone, Debug, Default)]
struct Throttle(Arc<Mutex<HashMap<Identifier, Place>>>);

#[derive(Debug)]
struct Place {
    began: Instant,
    lines: u32,
    left_out: u64,
    name: String,
}

impl Throttle {
    fn lets_through(&self, metadata: &'static Metadata<'static>) -> bool {
        if *metadata.level() > Level::INFO {
            return true;
        }
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let place = places.entry(metadata.callsite()).or_insert_with(|| {
            let name = format!("{}:{}", metadata.file().unwrap_or("?"), metadata.line().unwrap_or_default());
            Place { began: now, lines: 0, left_out: 0, name }
        });
        if now - place.began >= SECOND {
            (place.began, place.lines) = (now, 0);
        }
        place.lines += 1;
        let through = place.lines <= MOST;
        place.left_out += u64::from(!through);
        through
    }

    fn take(&self) -> Vec<(String, u64)> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = places.values_mut().filter(|place| place.left_out > 0);
        places.map(|place| (place.name.clone(), std::mem::take(&mut place.left_out))).collect()
    }
}

impl<S: Subscriber> Filter<S> for Throttle {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.lets_through(event.metadata())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that were written.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn flood_of_one_line_is_cut_and_counted_and_other_lines_are_written() {
        let (lines, throttle) = (Lines::default(), Throttle::default());
        let writer = lines.clone();
        let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let filter = EnvFilter::new("info").and(throttle.clone());
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..10_000 {
                tracing::warn!("flood");
                tracing::debug!("not asked for");
            }
            tracing::warn!("another");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let left_out: u64 = throttle.take().into_iter().map(|(_, lines)| lines).sum();
        let written = text.matches("flood").count() as u64;
        assert_eq!(written + left_out, 10_000);
        // As many seconds may pass as it takes; a flood of a minute would not be one.
        assert!(written >= u64::from(MOST) && written < 10_000, "{written}");
        assert_eq!(text.matches("another").count(), 1);
        assert!(!text.contains("not asked for"));
    }
}
