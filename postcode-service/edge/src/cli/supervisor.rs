//! Tells systemd how a program is. Without `NOTIFY_SOCKET` nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// Says that the program is ready, and goes on saying that it is alive if the unit has
/// `WatchdogSec=`.
///
/// The signs of life come from the runtime that answers requests: if that hangs, they stop. Call it
/// on that runtime.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval((limit / 3).max(Duration::from_millis(10)));
        loop {
            ticks.tick().await;
            tell(&[NotifyState::Watchdog]);
        }
    });
}

/// Says that the program reads its files again. [`reloaded`] must follow.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "there is no clock for the notification of a reload"),
    }
}

/// Says that the program has read its files again, and what it serves now.
pub fn reloaded(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Says that the program finishes what it has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd can't be told");
    }
}
