//! How far an import is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The interval of progress lines without a terminal.
const EVERY: Duration = Duration::from_secs(5);

/// Shows how far it is, on standard error.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    last: Instant,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{msg:24} [{bar:40}] {percent:>3} % {elapsed}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Self { bar, quiet, last: Instant::now() }
    }

    /// `done` of `total`.
    pub(crate) fn at(&mut self, what: &str, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total.max(1));
            bar.set_position(done.min(total));
            if bar.message() != what {
                bar.set_message(what.to_owned());
            }
        } else if !self.quiet && self.last.elapsed() >= EVERY {
            self.last = Instant::now();
            let percent = (done.min(total) * 100).checked_div(total).unwrap_or(0);
            eprintln!("{what}: {percent} %");
        }
    }

    /// Returns a function that prints a line without breaking the progress bar.
    pub(crate) fn printer(&self) -> Box<dyn FnMut(&str)> {
        let bar = self.bar.clone();
        Box::new(move |line| match &bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        })
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
