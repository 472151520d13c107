//! Stops long work on a signal.

/// The exit status that a shell expects after Ctrl-C: 128 plus the number of SIGINT.
pub(super) const STATUS: i32 = 130;

/// Waits for a signal to stop: SIGINT, SIGTERM, or SIGHUP from a closed terminal. Never resolves if
/// no handlers can be installed; then the signals end the process.
///
/// The handlers are installed when this returns, not at the first poll. Call it before the work
/// begins, so that no signal is missed.
pub(super) fn requested() -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    let asked = {
        use tokio::signal::unix::{SignalKind, signal};
        let handlers = signal(SignalKind::interrupt()).and_then(|interrupt| {
            let terminate = signal(SignalKind::terminate())?;
            // SIGHUP from a closed terminal, unless the program was told to survive it.
            let hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
            Ok((interrupt, terminate, hangup))
        });
        async move {
            let Ok((mut interrupt, mut terminate, mut hangup)) = handlers else {
                return std::future::pending().await;
            };
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} _ = hung_up => {} }
        }
    };
    #[cfg(not(unix))]
    let asked = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    asked
}

/// Returns whether the program ignores the signal, as under `nohup`. Installing a handler would
/// undo that. Only Linux can tell.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is 1, the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
