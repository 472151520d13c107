//! Signals from the system.

use anyhow::Context;
use tokio::signal::unix::{self, SignalKind};

pub(super) enum Signal {
    Reload,
    End(&'static str),
}

pub(super) struct Signals {
    hangup: unix::Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    pub(super) fn new() -> anyhow::Result<Self> {
        let listen = |kind| unix::signal(kind).context("signals");
        Ok(Self {
            hangup: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::End("SIGTERM"),
            _ = self.interrupt.recv() => Signal::End("SIGINT"),
        }
    }

    /// Waits for the next signal that ends the program.
    pub(super) async fn end(&mut self) {
        while let Signal::Reload = self.next().await {}
    }
}
