//! Starts programs in a clean environment.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Variables that a program needs to start, or that say where temporary files and certificates are.
const KEPT: [&str; 7] = [
    "PATH",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Returns a command in a clean environment: no options, proxies, locale, time zone or home from
/// outside, no input, and no signal that the parent of the tests ignores.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[cfg(unix)]
    catch_ignored_signals();
    let mut command = Command::new(program);
    command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Sends a signal, such as `TERM`, to a process that was started and not yet waited for.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -s {name} {process}");
}

/// Replaces each ignored signal with a handler that does nothing. A child inherits that a signal is
/// ignored, as under `nohup`, but not a handler. This process does not notice. Only Linux tells
/// which signals are ignored.
#[cfg(unix)]
fn catch_ignored_signals() {
    use std::sync::Once;
    use tokio::signal::unix::{SignalKind, signal};

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        // Handlers need a runtime, and a test's runtime can't start another one in its thread.
        let install = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _entered = runtime.enter();
            // SIGPIPE (13) is ignored by every Rust program, and reset for its children.
            for number in (1..=31).filter(|number| mask >> (number - 1) & 1 == 1 && *number != 13) {
                // Some can't be handled. The handlers remain when the runtime ends.
                let _ = signal(SignalKind::from_raw(number));
            }
        };
        std::thread::spawn(install).join().unwrap();
    });
}
